"""`workbench score` as people type it: what it prints, how each number was made, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import run
from workbench.config import config_text, read_config
from workbench.errors import BadInput
from workbench.stages.import_hypotheses import import_hypotheses
from workbench.stages.import_manifest import import_manifest
from workbench.workspace import Workspace

REFERENCES = """\
utterance_id,text,speaker,age_group,noisy
u1,we will not go,spk1,adult,yes
u2,have some ice cream um,spk1,adult,
u3,play jazz,spk2,child,no
u4,,spk2,child,no
"""
HYPOTHESES = """\
utterance_id,text
u1,we will go
u2,have some icecream
u3,play chess
u4,uh
"""


class Printed:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def score(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The command `score` in a directory with `ref.csv` and `hyp.csv`."""
    monkeypatch.chdir(tmp_path)
    Path("ref.csv").write_text(REFERENCES, encoding="utf-8")
    Path("hyp.csv").write_text(HYPOTHESES, encoding="utf-8")

    def call(*arguments: str) -> Printed:
        return Printed(*run(capsys, monkeypatch, "score", *arguments))

    return call


def test_overall_says_how_every_number_was_made(score: Any) -> None:
    printed = score("ref.csv", "hyp.csv", "--format", "json")
    overall = printed.json["overall"]
    assert (printed.code, list(printed.json)) == (0, ["overall"])
    counts = {"utterances": 4, "ref_words": 11, "hits": 6, "substitutions": 2, "deletions": 3, "insertions": 1}
    assert counts.items() <= overall.items()
    assert overall["wer"] == pytest.approx(6 / 11)
    assert (overall["scoring"], overall["resampled"], overall["groups"]) == ("basic-1/unit", "speakers", 2)
    assert overall["wer_low"] <= overall["wer"] <= overall["wer_high"]
    assert 0 < overall["cer"] < 1
    assert "scored with basic-1/unit; 95 % intervals resample 2 speakers" in printed.err


def test_one_speaker_has_no_interval_and_is_told_why(score: Any) -> None:
    Path("one.csv").write_text("utterance_id,text,speaker\nu1,we will go,spk1\nu3,play,spk1\n", encoding="utf-8")
    printed = score("one.csv", "hyp.csv", "--partial", "--format", "json")
    assert (printed.json["overall"]["wer_low"], printed.json["overall"]["wer_high"]) == (None, None)
    assert "no 95 % interval: there is 1 speaker to resample, and it takes 2" in printed.err


def test_no_reference_words_make_no_rate(score: Any) -> None:
    for name, text in (("empty.csv", ""), ("heard.csv", "uh")):
        Path(name).write_text(f"utterance_id,text\nu1,{text}\n", encoding="utf-8")
    printed = score("empty.csv", "heard.csv", "--format", "json")
    assert (printed.json["overall"]["wer"], printed.json["overall"]["insertions"]) == (None, 1)
    assert "there are no reference words, and so no rate" in printed.err


@pytest.mark.parametrize("alignment", ["unit", "sclite"])
def test_by_utterance_has_exactly_these_names_in_this_order(score: Any, alignment: str) -> None:
    rows = score("ref.csv", "hyp.csv", "--by", "utterance", "--alignment", alignment, "--format", "json").json
    assert [row["utterance_id"] for row in rows] == ["u1", "u2", "u3", "u4"]
    names = ["utterance_id", "ref_words", "hits", "substitutions", "deletions", "insertions", "wer"]
    assert all(list(row) == names for row in rows)
    assert (rows[0]["wer"], rows[3]["wer"]) == (0.25, None)


def test_by_tag_shows_missing_values_and_sums_to_the_whole(score: Any) -> None:
    rows = score("ref.csv", "hyp.csv", "--by", "noisy", "--format", "json").json
    assert [row["noisy"] for row in rows] == ["no", "yes", "(missing)"]
    assert [row["ref_words"] for row in rows] == [2, 4, 5]
    assert sum(row["insertions"] for row in rows) == 1


def test_by_speaker(score: Any) -> None:
    rows = score("ref.csv", "hyp.csv", "--by", "speaker", "--format", "json").json
    assert [(row["speaker"], row["utterances"], row["ref_words"]) for row in rows] == [("spk1", 2, 9), ("spk2", 2, 2)]
    assert rows[0]["wer_low"] is None  # of one speaker nothing follows about others


def test_ids_of_trn_name_speakers_as_for_sclite_and_this_is_said(score: Any) -> None:
    for name in ("r.trn", "h.trn"):
        Path(name).write_text("a b (spk1-1)\nc (spk2_1)\n", encoding="utf-8")
    printed = score("r.trn", "h.trn", "--by", "speaker", "--format", "json")
    assert [row["speaker"] for row in printed.json] == ["spk1", "spk2"]
    assert "the ids were read as sclite's spu_id" in printed.err


def test_an_unknown_tag_is_answered_with_those_there_are(score: Any) -> None:
    printed = score("ref.csv", "hyp.csv", "--by", "mood")
    assert (printed.code, printed.out) == (2, "")
    assert "choose one of overall, utterance, speaker, age_group, noisy" in printed.err


def test_alternatives_forgive_and_name_what_they_forgave(score: Any) -> None:
    options = ("--alternatives", "compounds", "--fillers", "optional", "--format", "json")
    rows = score("ref.csv", "hyp.csv", "--by", "utterance", *options).json
    assert [row["wer"] for row in rows] == [0.25, 0.0, 0.5, None]
    assert rows[3]["insertions"] == 0
    overall = score("ref.csv", "hyp.csv", *options).json["overall"]
    assert (overall["forgiven"], overall["scoring"]) == (4, "basic-1/unit/compounds-1/fillers-optional")
    forgiven = score("ref.csv", "hyp.csv", "--show", "forgiven", *options).json
    assert forgiven == [
        {"alternative": "compounds", "times": 1, "words": 2},
        {"alternative": "fillers", "times": 2, "words": 2},
    ]
    by_speaker = score("ref.csv", "hyp.csv", "--show", "forgiven", "--by", "speaker", *options).json
    assert [(row["speaker"], row["alternative"]) for row in by_speaker] == [
        ("spk1", "compounds"), ("spk1", "fillers"), ("spk2", "fillers"),
    ]  # fmt: skip


def test_a_file_of_synonyms_is_an_alternative_and_its_content_part_of_the_label(score: Any, tmp_path: Path) -> None:
    Path("own.txt").write_text("jazz => chess\n", encoding="utf-8")
    options = ("--alternatives", "own.txt", "--alternatives", "compounds", "--format", "json")
    overall = score("ref.csv", "hyp.csv", *options).json["overall"]
    assert (overall["substitutions"], overall["forgiven"]) == (0, 3)
    assert "synonyms-" in overall["scoring"]
    Path("own.txt").write_text("jazz => chess ; cheese\n", encoding="utf-8")
    assert score("ref.csv", "hyp.csv", *options).json["overall"]["scoring"] != overall["scoring"]


def test_fillers_can_be_removed(score: Any) -> None:
    overall = score("ref.csv", "hyp.csv", "--fillers", "remove", "--format", "json").json["overall"]
    assert (overall["ref_words"], overall["insertions"]) == (10, 0)


def test_references_in_nist_notation(score: Any) -> None:
    Path("r.trn").write_text("(um) have {ice cream / icecream} (a-1)\n", encoding="utf-8")
    Path("h.trn").write_text("have icecream (a-1)\n", encoding="utf-8")
    plain = score("r.trn", "h.trn", "--format", "json").json["overall"]
    nist = score("r.trn", "h.trn", "--notation", "nist", "--alignment", "sclite", "--format", "json").json["overall"]
    assert plain["wer"] > 0
    assert (nist["wer"], nist["scoring"]) == (0.0, "basic-1/sclite/nist")


def test_confusions_overall_and_by_tag(score: Any) -> None:
    found = score("ref.csv", "hyp.csv", "--show", "confusions", "--format", "json").json
    assert {"op": "substitute", "reference": "jazz", "hypothesis": "chess", "count": 1} in found
    by_group = score("ref.csv", "hyp.csv", "--show", "confusions", "--by", "age_group", "--format", "json").json
    of_children = [row for row in by_group if row["age_group"] == "child"]
    assert [(row["op"], row["reference"], row["hypothesis"]) for row in of_children] == [
        ("substitute", "jazz", "chess"), ("insert", "", "uh"),
    ]  # fmt: skip


def test_alignments_as_text_json_and_csv(score: Any) -> None:
    text = score("ref.csv", "hyp.csv", "--show", "alignments").out
    assert "u1: 4 words, 1 deletion; WER 25.0 %\nREF:  we will not go\nHYP:  we will *** go\nEval:         D\n" in text
    objects = score("ref.csv", "hyp.csv", "--show", "alignments", "--format", "json").json
    assert objects[2]["alignment"][1] == {"op": "substitute", "reference": "jazz", "hypothesis": "chess"}
    rows = list(csv.DictReader(io.StringIO(score("ref.csv", "hyp.csv", "--show", "alignments", "--format", "csv").out)))
    assert rows[2] == {"utterance_id": "u1", "step": "2", "op": "delete", "reference": "not", "hypothesis": ""}


def test_pra_is_sclites_text(score: Any) -> None:
    out = score("ref.csv", "hyp.csv", "--show", "pra", "--alignment", "sclite").out
    assert (
        "id: (u1)\nScores: (#C #S #D #I) 3 0 1 0\nREF:  we will NOT go \nHYP:  we will *** go \nEval:         D      \n"
        in out
    )
    assert "Speaker sentences   1:  spk2   #utts: 2" in out


def test_korean_has_the_measures_of_korean(score: Any) -> None:
    Path("r.trn").write_text("오늘 날씨가 좋다 (a-1)\n", encoding="utf-8")
    Path("h.trn").write_text("오늘날씨가 좋네 (a-1)\n", encoding="utf-8")
    overall = score("r.trn", "h.trn", "--normalizer", "korean", "--format", "json").json["overall"]
    wanted = {"cer": 1 / 7, "cer_with_spaces": 2 / 9, "wer": 1.0, "swer": 1 / 3}
    assert {name: overall[name] for name in wanted} == pytest.approx(wanted)
    assert 0 < overall["jer"] < overall["cer"]
    english = score("r.trn", "h.trn", "--format", "json").json["overall"]
    assert "jer" not in english


def test_stm_and_ctm_are_scored_by_time(score: Any) -> None:
    Path("r.stm").write_text("rec 1 spk1 0.0 2.0 <o,f0,female> hello world\nrec 1 spk2 2.0 4.0 bye\n", encoding="utf-8")
    Path("h.ctm").write_text("rec 1 0.1 0.5 hello\nrec 1 2.5 0.5 bye\n", encoding="utf-8")
    rows = score("r.stm", "h.ctm", "--by", "speaker", "--format", "json").json
    assert [(row["speaker"], row["ref_words"], row["deletions"]) for row in rows] == [("spk1", 2, 1), ("spk2", 1, 0)]
    assert "r.stm and h.trn do not go together" in score("r.stm", "h.trn").err


def test_nlp_transcripts_are_scored_by_file_and_their_candidates_on_request(score: Any) -> None:
    header = "token|speaker|ts|endTs|punctuation|case|tags|wer_tags\n"
    for directory, tokens in (
        ("ref", ["in|0|||||[]|[]", "2020|0|||.||['0:YEAR']|[]"]),
        ("hyp", ["in|0|0.1|0.2|||[]|[]", "twenty|0|0.3|0.4|||[]|[]", "twenty|0|0.5|0.6|||[]|[]"]),
    ):
        Path(directory).mkdir()
        Path(directory, "call.nlp").write_text(header + "\n".join(tokens) + "\n", encoding="utf-8")
    candidates = {"0": {"candidates": [{"verbalization": ["twenty", "twenty"]}]}}
    Path("ref/call.norm.json").write_text(json.dumps(candidates), encoding="utf-8")
    plain = score("ref", "hyp", "--format", "json")
    assert plain.json["overall"]["wer"] == 1.0
    assert "--notation alternations" in plain.err
    for files in (("ref", "hyp"), ("ref/call.nlp", "hyp/call.nlp")):
        overall = score(*files, "--notation", "alternations", "--format", "json").json["overall"]
        assert (overall["wer"], overall["ref_words"], overall["forgiven"]) == (0.0, 3, 1)
    assert "give both as .nlp files" in score("ref", "hyp.csv").err


def test_a_column_of_a_file_can_be_named(score: Any) -> None:
    Path("all.csv").write_text("utterance_id,text,old,new\nu1,a b,a c,a b\n", encoding="utf-8")
    assert score("all.csv:text", "all.csv:old", "--format", "json").json["overall"]["wer"] == 0.5
    assert score("all.csv:text", "all.csv:new", "--format", "json").json["overall"]["wer"] == 0.0


def test_ids_that_differ_stop_the_job_with_counts_names_and_the_flag(score: Any) -> None:
    rows = "".join(f"x{i},a\n" for i in range(7))
    Path("hyp.csv").write_text(f"utterance_id,text\nu1,we will not go\n{rows}", encoding="utf-8")
    printed = score("ref.csv", "hyp.csv")
    assert (printed.code, printed.out, len(printed.err.strip().splitlines())) == (2, "", 1)
    for part in ("references have no hypothesis", "('u2', 'u3', 'u4')", "7", "'x4', …", "matched by id", "--partial"):
        assert part in printed.err
    assert "x5" not in printed.err
    partial = score("ref.csv", "hyp.csv", "--partial", "--format", "json")
    assert (partial.code, partial.json["overall"]["utterances"]) == (0, 1)
    assert "('u2', 'u3', 'u4'); left out of every figure (--partial)" in partial.err


def test_repeated_ids_stop_the_job_and_are_left_out_with_partial(score: Any) -> None:
    Path("hyp.csv").write_text(HYPOTHESES + "u1,we will not\n", encoding="utf-8")
    printed = score("ref.csv", "hyp.csv")
    assert printed.code == 2
    assert "'u1' again" in printed.err
    partial = score("ref.csv", "hyp.csv", "--partial", "--by", "utterance", "--format", "json")
    assert [row["utterance_id"] for row in partial.json] == ["u2", "u3", "u4"]
    assert partial.code == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ref.csv"], "give two files"),
        (["nothing.csv", "hyp.csv"], "nothing.csv"),
        (["ref.csv", "hyp.csv", "--run", "a"], "--run is for the workspace's runs"),
        (["ref.csv", "hyp.csv", "--normalizer", "french"], "choose one of none, case, basic, english, korean"),
        (["ref.csv", "hyp.csv", "--alternatives", "slang"], "'slang' is neither a source of alternatives nor a file"),
        (["ref.csv", "hyp.csv", "--show", "pra", "--format", "json"], "use --show alignments for --format json"),
        (["ref.csv", "hyp.csv", "--show", "alignments", "--by", "age_group"], "leave out --by age_group"),
        (["ref.csv", "hyp.csv", "--show", "confusions", "--by", "utterance"], "use --show alignments"),
        (["--alignment", "sclite"], "--alignment is for files"),
        (["--partial"], "--partial is for files"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(score: Any, arguments: list[str], says: str) -> None:
    printed = score(*arguments)
    assert (printed.code, printed.out) == (2, "")
    assert says in printed.err
    assert len(printed.err.strip().splitlines()) == 1


def test_tables_fit_a_hundred_columns(score: Any) -> None:
    for view in (["--by", "utterance"], ["--by", "age_group"], ["--show", "confusions", "--by", "noisy"], []):
        assert max(map(len, score("ref.csv", "hyp.csv", *view).out.splitlines())) <= 100


def test_hostile_text_cannot_steer_the_terminal(score: Any) -> None:
    hostile = "\x1b[2Jred\x07 \u202eevil"
    for name in ("ref.csv", "hyp.csv"):
        text = f'utterance_id,text,tag\nu1,"{hostile} {name[:3]}","{hostile}"\n'
        Path(name).write_text(text, encoding="utf-8")
    for view in (["--show", "alignments"], ["--show", "pra"], ["--by", "tag"], ["--show", "confusions"]):
        printed = score("ref.csv", "hyp.csv", "--normalizer", "none", *view)
        assert printed.code == 0
        assert not {"\x1b", "\x07", "\u202e"} & set(printed.out + printed.err)


# -- in a workspace ---------------------------------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with four labelled utterances and two runs, `old` and `new`."""
    made = Workspace.create(tmp_path, config_text("test", "en", 0.2))
    rows = REFERENCES.replace("text,", "audio,text,", 1).splitlines()
    lines = [rows[0], *(row.replace(",", f",{row.split(',')[0]}.wav,", 1) for row in rows[1:])]
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for one in ("u1", "u2", "u3", "u4"):
        (tmp_path / f"{one}.wav").write_bytes(b"")
    import_manifest(made, tmp_path / "m.csv")
    for name, text in (("old", HYPOTHESES), ("new", HYPOTHESES.replace("chess", "jazz"))):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        import_hypotheses(made, tmp_path / f"{name}.csv", name, name)
    return made


def test_a_workspace_is_scored_as_its_settings_say(score: Any, workspace: Workspace) -> None:
    rows = score("--format", "json").json
    assert {row["run_id"]: row["substitutions"] for row in rows} == {"old": 2, "new": 1}
    assert {row["scoring"] for row in rows} == {"basic-1/unit"}
    settings = workspace.root / "workbench.toml"
    text = settings.read_text(encoding="utf-8").replace("alternatives = []", 'alternatives = ["compounds"]')
    settings.write_text(text.replace('alignment = "unit"', 'alignment = "sclite"'), encoding="utf-8")
    rows = score("--format", "json").json
    assert {row["scoring"] for row in rows} == {"basic-1/sclite/compounds-1"}
    assert {row["run_id"]: row["forgiven"] for row in rows} == {"old": 2, "new": 2}
    forgiven = score("--run", "old", "--show", "forgiven", "--format", "json")
    assert forgiven.json == [{"alternative": "compounds", "times": 1, "words": 2}]


def test_a_run_by_tag_and_its_alignments(score: Any, workspace: Workspace) -> None:
    rows = score("--run", "old", "--by", "age_group", "--format", "json").json
    assert [(row["age_group"], row["ref_words"]) for row in rows] == [("adult", 9), ("child", 2)]
    assert "REF:  play jazz\nHYP:  play chess\n" in score("--run", "old", "--show", "alignments").out


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ('normalizer = "french"', "normalizer = 'french' must be one of none, case, basic, english, korean"),
        ('alignment = "nist"', "alignment = 'nist' must be one of unit, sclite"),
        ('fillers = "drop"', "fillers = 'drop' must be one of count, optional, remove"),
        ('notation = "xml"', "notation = 'xml' must be one of plain"),
        ('alternatives = "english"', "must be a list of texts"),
    ],
)
def test_a_mistake_in_the_settings_is_named(tmp_path: Path, setting: str, says: str) -> None:
    path = tmp_path / "workbench.toml"
    path.write_text(f"[scoring]\n{setting}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"\[scoring\]") as raised:
        read_config(path)
    assert says in str(raised.value)


def test_unknown_alternatives_in_the_settings_are_named(score: Any, workspace: Workspace) -> None:
    settings = workspace.root / "workbench.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("alternatives = []", 'alternatives = ["slang"]'), encoding="utf-8")
    printed = score()
    assert printed.code == 2
    assert "workbench.toml [scoring]: 'slang' is neither a source of alternatives nor a file" in printed.err
    (workspace.root / "slang").write_text("jazz = chess\n", encoding="utf-8")
    assert "synonyms-" in score("--format", "json").json[0]["scoring"]
