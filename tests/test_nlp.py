"""Rev's `.nlp` transcripts: what is read, which files belong together, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.entities import Entity
from analysis.marked import Choice
from analysis.network_align import align_marked
from analysis.nist_notation import parse_notation
from analysis.scoring import get_scoring
from workbench.errors import BadInput
from workbench.manifests.nlp import (
    NlpFiles,
    NlpReference,
    find_nlp_files,
    read_nlp_hypothesis,
    read_nlp_reference,
)

HEADER = "token|speaker|ts|endTs|punctuation|case|tags|wer_tags"
REFERENCE = f"""{HEADER}
In|0||||UC|[]|[]
2020|0|||,|CA|['0:YEAR']|['0', '6']
we|1||||LC|['3:CONTRACTION']|['3']
will|1||||LC|['3:CONTRACTION']|['3']
visit|1||||LC|[]|[]
New|1||||UC|[]|['7']
York|1|||.|UC|[]|['7']
"""
NORM = {
    "0": {"candidates": [{"probability": 0.9, "verbalization": ["twenty", "twenty"]}], "class": "YEAR"},
    "3": {"candidates": [{"verbalization": ["we", "will"]}, {"verbalization": ["we'll"]}], "class": "CONTRACTION"},
}
WER_TAGS = {"0": "YEAR", "6": "DATE", "3": "CONTRACTION", "7": "GPE"}


def write(directory: Path, name: str, content: object) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8", newline="")
    return path


def read(tmp_path: Path, text: str = REFERENCE, norm: object = NORM, wer_tags: object = None) -> NlpReference:
    if wer_tags is None:
        wer_tags = {key: {"entity_type": entity_class} for key, entity_class in WER_TAGS.items()}
    return read_nlp_reference(
        write(tmp_path, "a.nlp", text),
        write(tmp_path, "a.norm.json", norm),
        write(tmp_path, "a.wer_tag.json", wer_tags),
    )


def line(token: str = "x", case: str = "", tags: str = "[]", wer_tags: str = "[]") -> str:
    return f"{HEADER}\n{token}|0||||{case}|{tags}|{wer_tags}\n"


def test_groups_of_tokens_become_choices_and_ids_become_entities(tmp_path: Path) -> None:
    reference = read(tmp_path)
    assert reference.utterance_id == "a"
    assert reference.marked == (
        "In",
        Choice((("2020",), ("twenty twenty",)), "candidates"),
        Choice((("we will",), ("we'll",)), "candidates"),
        "visit",
        "New",
        "York",
    )
    assert reference.token_items == (0, 1, 2, 2, 3, 4, 5)
    assert reference.entities == (
        Entity("0", "YEAR", 1, 1), Entity("6", "DATE", 1, 1), Entity("3", "CONTRACTION", 2, 3), Entity("7", "GPE", 5, 6)
    )  # fmt: skip
    assert [(token.text, token.speaker, token.punctuation) for token in reference.tokens][1:3] == [
        ("2020", "0", ","), ("we", "1", "")
    ]  # fmt: skip
    assert reference.text == "In 2020 we will visit New York"
    assert reference.notation == "In { 2020 / twenty twenty } { we will / we'll } visit New York"


def test_the_notation_says_the_same_as_the_reference(tmp_path: Path) -> None:
    reference = read(tmp_path)
    hypothesis = "in twenty twenty we'll visit york"
    by_choices = align_marked(reference.marked, hypothesis, get_scoring())
    by_notation = align_marked(parse_notation(reference.notation), hypothesis, get_scoring(notation="alternations"))
    assert [step[:3] for step in by_choices.steps] == [step[:3] for step in by_notation.steps]
    assert [step.op for step in by_choices.steps if step.op != "equal"] == ["delete"]


def test_what_means_something_in_the_notation_is_no_part_of_it(tmp_path: Path) -> None:
    norm = {
        "0": {"candidates": [{"verbalization": ["a.com", "/", "{b"]}, {"verbalization": [""]}]},
        "1": {"candidates": [{"verbalization": ["slash"]}]},
    }
    rows = "a.com/b|0||||LC|['0:WEBSITE']|[]\n/|0||||LC|['1:FALLBACK']|[]\n}|0||||LC|[]|[]\nx;y*|0||||LC|[]|[]\n"
    reference = read(tmp_path, f"{HEADER}\n{rows}", norm)
    assert reference.marked[0] == Choice((("a.com/b",), ("a.com / {b",), ()), "candidates")
    assert reference.notation == "{ a.com b / a.com b / @ } { @ / slash } x y"
    assert len(parse_notation(reference.notation)) == 3


def test_without_sidecars_there_are_no_choices_and_tags_name_the_entities(tmp_path: Path) -> None:
    reference = read_nlp_reference(write(tmp_path, "a.nlp", REFERENCE))
    assert reference.marked == ("In", "2020", "we", "will", "visit", "New", "York")
    assert reference.entities == (Entity("0", "YEAR", 1, 1), Entity("3", "CONTRACTION", 2, 3))


def test_an_id_without_candidates_and_one_that_equals_what_is_written_make_no_choice(tmp_path: Path) -> None:
    same = {"0": {"candidates": [{"verbalization": ["2020"]}]}, "9": {"candidates": []}}
    assert read(tmp_path, norm=same).marked == ("In", "2020", "we", "will", "visit", "New", "York")


def test_a_class_that_the_sidecar_lacks_is_that_of_the_tag(tmp_path: Path) -> None:
    text = line("We've", "UC", "['1057:CONTRACTION']", "['1057']")
    assert read(tmp_path, text, wer_tags={}).entities == (Entity("1057", "CONTRACTION", 0, 0),)


def test_an_id_that_comes_again_after_a_gap_is_another_stretch(tmp_path: Path) -> None:
    rows = "".join(f"{token}|0||||LC|[]|{tags}\n" for token, tags in (("a", "['7']"), ("b", "[]"), ("c", "['7']")))
    assert read(tmp_path, f"{HEADER}\n{rows}").entities == (Entity("7", "GPE", 0, 0), Entity("7", "GPE", 2, 2))


@pytest.mark.parametrize(
    ("token", "expected"),
    [("a|b", "a|b"), ("|", "|"), ('"Hi', '"Hi'), ("", ""), (" b ", "b"), ("['1', '2']", "['1', '2']"), ("네", "네")],
)
def test_a_token_is_taken_as_it_is_written(tmp_path: Path, token: str, expected: str) -> None:
    assert [read_token.text for read_token in read(tmp_path, line(token)).tokens] == [expected]


@pytest.mark.parametrize(
    ("tags", "ids"),
    [
        ("['0', '6']", ["0", "6"]),
        ("[ '0','6' ]", ["0", "6"]),
        ('["0"]', ["0"]),
        (r"['it\'s']", ["it's"]),
        ("""["it's"]""", ["it's"]),
        ("[]", []),
        ("", []),
    ],
)
def test_lists_of_strings(tmp_path: Path, tags: str, ids: list[str]) -> None:
    classes = {key: {"entity_type": "X"} for key in ("0", "6", "it's")}
    reference = read(tmp_path, line(wer_tags=tags), wer_tags=classes)
    assert [entity.entity_id for entity in reference.entities] == ids


@pytest.mark.parametrize(
    "tags",
    [
        "['0'", "['0',]", "[0]", "['0' '6']", "('0',)", "['0'][0]", "'0'", "[['0']]", "[f'{1}']", "['0' + '6']",
        "__import__('os').system('true')", "['" + "\\" * 99 + "']", "[" * 50_000, "['0', " * 20_000,
    ],
)  # fmt: skip
def test_anything_else_than_a_list_of_strings_is_refused(tmp_path: Path, tags: str) -> None:
    with pytest.raises(BadInput, match=r"a\.nlp:2: found wer_tags .*; expected a list such as \['0:YEAR'\]"):
        read(tmp_path, line(wer_tags=tags))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.nlp is empty"),
        ("word|speaker\nx|0\n", r"a\.nlp:1: found the columns 'word\|speaker'; expected token\|speaker\|"),
        ("token|token\nx|0\n", r"a\.nlp:1: found the columns"),
        (f"{HEADER}\nx|0||||LC|[]\n", r"a\.nlp:2: found 7 columns in .*; expected 8: token\|speaker\|"),
        (line(case="upper"), r"a\.nlp:2: found the case 'upper'; expected UC, LC, CA, MC or none"),
        (f"{HEADER}\nx|a|0||||LC|[]|['0'|'6']\n", r"a\.nlp:2: found "),
        (line(tags="['YEAR']"), r"a\.nlp:2: found the tag 'YEAR'; expected ID:CLASS"),
        (line(tags="[':YEAR']"), r"a\.nlp:2: found the tag ':YEAR'"),
        (line(wer_tags="['8']"), r"a\.nlp:2: found the entity '8'; expected one that .*a\.wer_tag\.json has"),
    ],
)
def test_lines_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("norm", "message"),
    [
        ("{", r"a\.norm\.json:1: found no JSON .*; expected one object of ids"),
        ("[" * 100_000, r"a\.norm\.json: found no JSON|a\.norm\.json:1: found no JSON"),
        ("[]", r"a\.norm\.json:1: found '\[\]'; expected one object of ids"),
        ('{"0": {"candidates": []}, "0": {"candidates": []}}', r"a\.norm\.json: found the key '0' twice"),
        ({"0": ["twenty"]}, r"a\.norm\.json: id '0': found something else than"),
        ({"0": {"candidates": ["twenty"]}}, r"a\.norm\.json: id '0'"),
        ({"0": {"candidates": [{"verbalization": "twenty"}]}}, r"a\.norm\.json: id '0'"),
        ({"0": {"candidates": [{"verbalization": [20]}]}}, r"a\.norm\.json: id '0'"),
    ],
)
def test_candidates_that_cannot_be_read(tmp_path: Path, norm: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(tmp_path, norm=norm)


@pytest.mark.parametrize("wer_tags", [{"0": "YEAR"}, {"0": {"entity_type": 1}}, {"0": {"entity_type": ""}}, "[1]"])
def test_classes_that_cannot_be_read(tmp_path: Path, wer_tags: object) -> None:
    with pytest.raises(BadInput, match=r"a\.wer_tag\.json"):
        read(tmp_path, wer_tags=wer_tags)


def test_a_hypothesis_has_words_times_and_speakers(tmp_path: Path) -> None:
    text = (
        "token|speaker|ts|endTs|punctuation|case|tags\r\n"
        "It's|1|0.5|0.75|||\r\n4|1|0.8|1|%||\r\n\r\nFine|UU||||UC|[]\r\n"
    )
    hypothesis = read_nlp_hypothesis(write(tmp_path, "b.nlp", text))
    assert (hypothesis.utterance_id, hypothesis.text) == ("b", "It's 4 Fine")
    assert [(token.speaker, token.start, token.end) for token in hypothesis.tokens] == [
        ("1", 0.5, 0.75), ("1", 0.8, 1.0), ("UU", None, None)
    ]  # fmt: skip


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "inf", "1e999", "0x1"])
def test_times_that_are_none(tmp_path: Path, seconds: str) -> None:
    with pytest.raises(BadInput, match=r"b\.nlp:2: found endTs .*; expected seconds, such as 3\.25"):
        read_nlp_hypothesis(write(tmp_path, "b.nlp", f"token|ts|endTs\nx|0|{seconds}\n"))


def test_files_belong_together_by_name(tmp_path: Path) -> None:
    for name in ("7", "9"):
        write(tmp_path, f"nlp_references/{name}.nlp", REFERENCE)
    norm = write(tmp_path, "normalizations/7.norm.json", NORM)
    tags = write(tmp_path, "wer_tags/9.wer_tags.json", {})
    write(tmp_path, "nlp_references/notes.txt", "x")
    references = tmp_path / "nlp_references"
    expected = {
        "7": NlpFiles(references / "7.nlp", norm, None),
        "9": NlpFiles(references / "9.nlp", None, tags),
    }
    assert find_nlp_files(tmp_path) == find_nlp_files(references) == expected
    assert find_nlp_files(references / "9.nlp") == {"9": expected["9"]}


def test_files_beside_the_transcript_belong_to_it(tmp_path: Path) -> None:
    nlp = write(tmp_path, "7.nlp", REFERENCE)
    norm, tags = write(tmp_path, "7.norm.json", NORM), write(tmp_path, "7.wer_tag.json", {})
    assert find_nlp_files(nlp) == {"7": NlpFiles(nlp, norm, tags)}


def test_two_files_of_one_kind_are_refused(tmp_path: Path) -> None:
    nlp = write(tmp_path, "r/7.nlp", REFERENCE)
    write(tmp_path, "r/7.norm.json", NORM)
    write(tmp_path, "normalizations/7.norm.json", NORM)
    with pytest.raises(BadInput, match=r"7\.nlp: found .*7\.norm\.json and .*7\.norm\.json for it; expected one"):
        find_nlp_files(nlp)


@pytest.mark.parametrize("name", ["missing.nlp", "empty", "r.txt"])
def test_no_transcript_at_a_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, "r.txt", "x")
    with pytest.raises(BadInput, match=r"found no \.nlp file; expected one, or a directory of them"):
        find_nlp_files(tmp_path / name)


def test_earnings_21(shared_data: Path) -> None:
    transcripts = find_nlp_files(shared_data / "earnings21" / "transcripts")
    assert len(transcripts) == 44
    assert all(files.norm and files.wer_tags for files in transcripts.values())
    files = transcripts["4346923"]
    reference = read_nlp_reference(files.nlp, files.norm, files.wer_tags)
    assert len(reference.tokens) == len(reference.token_items) == len(files.nlp.read_text("utf-8").splitlines()) - 1
    assert reference.token_items[-1] == len(reference.marked) - 1
    assert parse_notation(reference.notation, optional_and_fragments=False)
    outputs = {
        system: set(find_nlp_files(shared_data / "earnings21" / "output" / system)) - set(transcripts)
        for system in ("google", "amazon", "speechmatics")
    }
    assert outputs == {"google": {"4396498"}, "amazon": {"4396498"}, "speechmatics": set()}
