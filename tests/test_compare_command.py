"""`workbench compare` as people type it: who is better, where, how sure that is, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.scoring import get_scoring
from tests.test_cli import run
from tests.test_score_command import Printed
from workbench.config import config_text
from workbench.errors import BadInput
from workbench.stages.compare import compare_files, contradictions
from workbench.stages.import_hypotheses import import_hypotheses
from workbench.stages.import_manifest import import_manifest
from workbench.stages.score import score_runs
from workbench.workspace import Workspace

WORDS = ["we", "will", "go", "home", "and", "eat", "some", "bread", "now", "please"]


def rows(wrong_words: dict[str, int]) -> str:
    """Twelve speakers of each age group with four sentences, the first words of which are wrong."""
    lines = ["utterance_id,text"]
    for group, speaker, sentence in everyone():
        wrong = wrong_words[group] if sentence < 3 else 0
        lines.append(f"{speaker}-{sentence},{' '.join(['uff'] * wrong + WORDS[wrong:])}")
    return "\n".join(lines) + "\n"


def everyone() -> list[tuple[str, str, int]]:
    return [
        (group, f"{group}{number}", sentence)
        for group, number_of in (("adult", 12), ("child", 8))
        for number in range(number_of)
        for sentence in range(4)
    ]


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The command `compare` where `new` is better than `old` overall, and worse for children."""
    monkeypatch.chdir(tmp_path)
    references = ["utterance_id,text,speaker,age_group"]
    references += [f"{s}-{i},{' '.join(WORDS)},{s},{group}" for group, s, i in everyone()]
    Path("ref.csv").write_text("\n".join(references) + "\n", encoding="utf-8")
    Path("old.csv").write_text(rows({"adult": 5, "child": 1}), encoding="utf-8")
    Path("new.csv").write_text(rows({"adult": 1, "child": 3}), encoding="utf-8")

    def call(*arguments: str) -> Printed:
        return Printed(*run(capsys, monkeypatch, "compare", *arguments))

    return call


def test_better_overall_but_worse_for_children_is_seen(compare: Any) -> None:
    printed = compare("ref.csv", "old.csv", "new.csv")
    assert printed.code == 0
    assert "new is better overall, but worse in age_group = child (15.0 points)" in printed.err
    assert "slices with a difference shown" in printed.out


def test_json_holds_systems_pairs_and_slices(compare: Any) -> None:
    made = compare("ref.csv", "old.csv", "new.csv", "--format", "json").json
    assert list(made) == ["scoring", "measure", "correction", "systems", "pairs", "slices"]
    assert (made["scoring"], made["correction"]) == ("basic-1/unit", "holm")
    assert [(row["system"], row["wer"]) for row in made["systems"]] == [("old", 0.255), ("new", 0.135)]
    (pair,) = made["pairs"]
    assert (pair["system_a"], pair["system_b"], pair["verdict"]) == ("old", "new", "B better")
    assert pair["difference"] == pytest.approx(-0.12)
    assert pair["difference_low"] < pair["difference"] < pair["difference_high"]
    assert (pair["resampled"], pair["groups"]) == ("speakers", 20)
    assert 0.5 < pair["probability_b_better"] <= 1
    worst = made["slices"][0]
    assert (worst["slice"], worst["verdict"], worst["system_b"]) == ("age_group = child", "A better", "new")
    assert worst["p_corrected"] < 0.05


def test_the_output_says_how_it_was_made(compare: Any) -> None:
    err = compare("ref.csv", "old.csv", "new.csv").err
    for part in ("basic-1/unit", "20 speakers", "MAPSSWE", "randomization", "corrected, by holm"):
        assert part in err


def test_by_tag_lists_all_its_slices(compare: Any) -> None:
    made = compare("ref.csv", "old.csv", "new.csv", "--by", "age_group", "--correction", "bh", "--format", "json")
    assert [(row["value"], row["verdict"]) for row in made.json] == [("child", "A better"), ("adult", "B better")]
    assert "corrected, by benjamini-hochberg" in made.err


def test_by_utterance_begins_with_the_largest_change(compare: Any) -> None:
    made = compare("ref.csv", "old.csv", "new.csv", "--by", "utterance", "--format", "json").json
    assert (made[0]["utterance_id"], made[0]["errors_a"], made[0]["errors_b"], made[0]["change"]) == (
        "adult0-0", 5, 1, -4,
    )  # fmt: skip
    assert made[-1]["change"] == 0
    text = compare("ref.csv", "old.csv", "new.csv", "--by", "utterance")
    assert text.out.startswith("adult0-0: 5 to 1 errors in 10 words\n  REF: we will go home")
    assert "… and 40 more" in text.err


def test_three_systems_make_three_pairs_and_slices_against_the_first(compare: Any) -> None:
    Path("third.csv").write_text(rows({"adult": 0, "child": 0}), encoding="utf-8")
    made = compare("ref.csv", "old.csv", "new.csv", "third.csv", "--format", "json").json
    assert [(row["system_a"], row["system_b"]) for row in made["pairs"]] == [
        ("old", "new"), ("old", "third"), ("new", "third"),
    ]  # fmt: skip
    assert {(row["system_a"], row["system_b"]) for row in made["slices"]} == {("old", "new"), ("old", "third")}


def test_csv_is_the_pairs_and_markdown_has_headings(compare: Any) -> None:
    (pair,) = csv.DictReader(io.StringIO(compare("ref.csv", "old.csv", "new.csv", "--format", "csv").out))
    assert (pair["system_a"], pair["verdict"]) == ("old", "B better")
    assert compare("ref.csv", "old.csv", "new.csv", "--format", "markdown").out.count("\n## ") == 2


def test_columns_of_one_file_are_systems(compare: Any) -> None:
    Path("all.csv").write_text("utterance_id,text,old,new\nu1,a b,a c,a b\nu2,c d,c d,c\n", encoding="utf-8")
    made = compare("all.csv:text", "all.csv:old", "all.csv:new", "--format", "json").json
    assert [(row["system"], row["wer"]) for row in made["systems"]] == [("old", 0.25), ("new", 0.25)]
    assert made["pairs"][0]["verdict"] == "too little data"


def test_the_scoring_is_that_of_score(compare: Any) -> None:
    options = ["--alignment", "sclite", "--fillers", "remove", "--format", "json"]
    assert compare("ref.csv", "old.csv", "new.csv", *options).json["scoring"] == "basic-1/sclite/fillers-remove"


def test_tables_fit_a_hundred_columns(compare: Any) -> None:
    Path("third.csv").write_text(rows({"adult": 0, "child": 0}), encoding="utf-8")
    for view in ([], ["--by", "age_group"]):
        lines = compare("ref.csv", "old.csv", "new.csv", "third.csv", *view).out.splitlines()
        assert max(map(len, lines)) <= 100


def test_files_that_differ_in_ids_are_refused_and_partial_compares_what_all_have(compare: Any) -> None:
    lines = Path("new.csv").read_text(encoding="utf-8").splitlines()
    Path("new.csv").write_text("\n".join(lines[:-2]) + "\n", encoding="utf-8")
    printed = compare("ref.csv", "old.csv", "new.csv")
    assert (printed.code, printed.out) == (2, "")
    assert "'child7-2', 'child7-3'" in printed.err
    assert "--partial" in printed.err
    partial = compare("ref.csv", "old.csv", "new.csv", "--partial", "--format", "json")
    assert {row["utterances"] for row in partial.json["systems"]} == {78}
    assert "left out of every figure (--partial)" in partial.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ref.csv", "old.csv"], "at least two files of hypotheses"),
        (["ref.csv", "old.csv", "old.csv"], "old.csv is given twice"),
        (["nothing.csv", "old.csv", "new.csv"], "'nothing.csv' is no file"),
        (["ref.csv", "old.csv", "nothing.csv"], "nothing.csv"),
        (["ref.csv", "old.csv", "new.csv", "--by", "mood"], "choose one of overall, utterance, speaker, age_group"),
        (["ref.csv", "old.csv", "new.csv", "--normalizer", "french"], "choose one of none, case, basic"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(compare: Any, arguments: list[str], says: str) -> None:
    printed = compare(*arguments)
    assert (printed.code, printed.out) == (2, "")
    assert says in printed.err
    assert len(printed.err.strip().splitlines()) == 1


def test_the_same_file_name_in_two_directories_is_named_by_its_path(compare: Any) -> None:
    Path("v2").mkdir()
    Path("v2/old.csv").write_text(rows({"adult": 1, "child": 1}), encoding="utf-8")
    made = compare("ref.csv", "old.csv", "v2/old.csv", "--format", "json").json
    assert [row["system"] for row in made["systems"]] == ["old.csv", "v2/old.csv"]


def test_nothing_contradicts_a_pair_without_a_verdict(compare: Any) -> None:
    compared = pd.DataFrame({"system_a": ["a"], "system_b": ["b"], "verdict": ["no difference shown"]})
    sliced = pd.DataFrame(
        {"system_a": ["a"], "system_b": ["b"], "verdict": ["A better"], "slice": ["x = 1"], "difference": [0.1]}
    )
    assert contradictions(compared, sliced) == []
    assert len(contradictions(compared.assign(verdict="B better"), sliced)) == 1


def test_no_common_utterance_is_said(compare: Any, tmp_path: Path) -> None:
    Path("left.csv").write_text("utterance_id,text\nadult0-0,we\n", encoding="utf-8")
    Path("right.csv").write_text("utterance_id,text\nadult0-1,we\n", encoding="utf-8")
    with pytest.raises(BadInput, match="stands in every file of hypotheses"):
        compare_files(Path("ref.csv"), [Path("left.csv"), Path("right.csv")], get_scoring(), partial=True)


# -- runs of a workspace ----------------------------------------------------------------------------------------------


@pytest.fixture
def workspace(compare: Any, tmp_path: Path) -> Workspace:
    """A workspace with the runs `a` and `b`, the texts of `old.csv` and `new.csv`."""
    made = Workspace.create(tmp_path / "ws", config_text("test", "en", 0.2))
    frame = pd.read_csv("ref.csv", dtype=str)
    (tmp_path / "x.wav").write_bytes(b"")
    frame.insert(1, "audio", str(tmp_path / "x.wav"))
    frame.to_csv("manifest.csv", index=False)
    import_manifest(made, Path("manifest.csv"))
    for name, file in (("a", "old.csv"), ("b", "new.csv")):
        import_hypotheses(made, Path(file), name, name)
    score_runs(made)
    return made


def test_runs_of_a_workspace(compare: Any, workspace: Workspace) -> None:
    made = compare("a", "b", "-w", str(workspace.root), "--format", "json").json
    assert made["pairs"][0]["verdict"] == "B better"
    assert made["slices"][0]["slice"] == "age_group = child"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a", "c"], "'c' is no file here and no run; the runs are a, b"),
        (["a"], "at least two runs"),
        (["a", "a"], "run a is given twice"),
        (["a", "b", "--normalizer", "none"], "--normalizer is for files"),
    ],
)
def test_wrong_use_in_a_workspace(compare: Any, workspace: Workspace, arguments: list[str], says: str) -> None:
    printed = compare(*arguments, "-w", str(workspace.root))
    assert (printed.code, printed.out) == (2, "")
    assert says in printed.err
    assert len(printed.err.strip().splitlines()) == 1


def test_runs_scored_in_another_way_are_refused(compare: Any, workspace: Workspace) -> None:
    settings = workspace.root / "workbench.toml"
    text = settings.read_text(encoding="utf-8").replace('normalizer = "basic"', 'normalizer = "none"')
    settings.write_text(text, encoding="utf-8")
    printed = compare("a", "b", "-w", str(workspace.root))
    assert printed.code == 2
    assert "run a is not scored with none-1/unit; run `workbench score`" in printed.err


def test_runs_over_other_utterances_are_refused_without_partial(compare: Any, workspace: Workspace) -> None:
    lines = Path("new.csv").read_text(encoding="utf-8").splitlines()
    Path("less.csv").write_text("\n".join(lines[:-3]) + "\n", encoding="utf-8")
    import_hypotheses(workspace, Path("less.csv"), "less", "less")
    score_runs(workspace)
    printed = compare("a", "less", "-w", str(workspace.root))
    assert printed.code == 2
    assert "3 utterances of other runs have no score in run less" in printed.err
    partial = compare("a", "less", "-w", str(workspace.root), "--partial", "--format", "json")
    assert json.loads(partial.out)["systems"][0]["utterances"] == 77


def test_korean_systems_are_compared_by_their_character_error_rate(compare: Any) -> None:
    """Spaces that are left out are no errors of it."""
    references = "".join(f"s{n}-u,오늘 날씨 어때,s{n}\n" for n in range(8))
    Path("ref.csv").write_text("utterance_id,text,speaker\n" + references, encoding="utf-8")
    for name, text in (("joined", "오늘날씨어때"), ("wrong", "오늘 날씨 어떠")):
        lines = "".join(f"s{n}-u,{text}\n" for n in range(8))
        Path(f"{name}.csv").write_text("utterance_id,text\n" + lines, encoding="utf-8")
    found = compare("ref.csv", "joined.csv", "wrong.csv", "--normalizer", "korean", "--format", "json").json
    assert found["measure"] == "cer"
    assert [(row["system"], row["cer"], row["ref_chars"]) for row in found["systems"]] == [
        ("joined", 0.0, 48),
        ("wrong", 8 / 48, 48),
    ]
    assert [(pair["verdict"], pair["segments"]) for pair in found["pairs"]] == [("A better", None)]
    by_words = compare("ref.csv", "joined.csv", "wrong.csv", "--normalizer", "korean", "--measure", "wer").err
    assert "wrong has the lowest WER" in by_words
    refused = compare("ref.csv", "joined.csv", "wrong.csv", "--measure", "jer")
    assert refused.code == 2 and "those of Korean come with --normalizer korean" in refused.err
