"""Alignments to look at: what a terminal shows, and sclite's own listing as the oracle of ours."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.error_counts import score
from analysis.scoring import get_scoring
from workbench.report.alignment_views import (
    AlignedUtterance,
    Forgiven,
    Step,
    aligned_utterances,
    alignment_objects,
    alignment_rows,
    display_width,
    pra_lines,
    terminal_lines,
)


def utterance(*steps: tuple[str, str, str], forgiven: tuple[Forgiven, ...] = ()) -> AlignedUtterance:
    ops = [op for op, _, _ in steps]
    counts = {
        "ref_words": len(ops) - ops.count("insert"),
        "hits": ops.count("equal"),
        "substitutions": ops.count("substitute"),
        "deletions": ops.count("delete"),
        "insertions": ops.count("insert"),
    }
    return AlignedUtterance("u1", counts, [Step(*step) for step in steps], list(forgiven))


def shown(one: AlignedUtterance, width: int = 80) -> str:
    return "\n".join("".join(span.text for span in line) for line in terminal_lines(one, width))


MAT = utterance(
    ("equal", "the", "the"),
    ("substitute", "cat", "hat"),
    ("equal", "sat", "sat"),
    ("delete", "on", ""),
    ("equal", "mats", "mats"),
    ("insert", "", "please"),
)


def test_a_terminal_shows_what_is_wrong_without_colours() -> None:
    assert shown(MAT) == (
        "u1: 5 words, 1 substitution, 1 deletion, 1 insertion; WER 60.0 %\n"
        "REF:  the cat sat on mats ******\n"
        "HYP:  the hat sat ** mats please\n"
        "Eval:     S       D       I"
    )


def test_each_kind_of_error_is_marked_for_colour() -> None:
    _, reference, hypothesis, _ = terminal_lines(MAT, 80)
    wanted = [("cat", "substitute"), ("on", "delete"), ("******", "insert")]
    assert [tuple(span) for span in reference if span.kind] == wanted
    assert [span.kind for span in hypothesis if span.kind] == [kind for _, kind in wanted]


def test_hangul_lines_up_because_a_syllable_takes_two_columns() -> None:
    one = utterance(("substitute", "오늘", "오늘은"), ("equal", "날씨", "날씨"), ("delete", "어때", ""))
    lines = shown(one).split("\n")[1:]
    assert lines == ["REF:  오늘   날씨 어때", "HYP:  오늘은 날씨 ****", "Eval: S           D"]
    assert display_width(lines[0].partition("날씨")[0]) == display_width(lines[1].partition("날씨")[0])


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("한", 2), ("\u1112\u1161\u11ab", 2), ("é", 1), ("ＡＢ", 4), ("ｱ", 1)]
)
def test_display_width_is_what_a_terminal_shows(text: str, columns: int) -> None:
    assert display_width(text) == columns


def test_a_long_utterance_is_broken_to_the_terminals_width() -> None:
    lines = shown(utterance(*[("equal", "word", "word")] * 32, ("delete", "last", "")), 40).split("\n")
    assert max(map(display_width, lines[1:])) < 40
    assert sum(line.count("word") for line in lines[1:] if line.startswith("REF:")) == 32
    assert lines[-3:] == ["REF:  word word last", "HYP:  word word ****", "Eval:           D"]


def test_a_word_wider_than_the_terminal_stands_alone() -> None:
    lines = shown(utterance(("equal", "a", "a"), ("equal", "b" * 90, "b" * 90), ("equal", "c", "c")), 40).split("\n")
    assert [line for line in lines if line.startswith("REF:")] == ["REF:  a", "REF:  " + "b" * 90, "REF:  c"]


def test_what_was_forgiven_is_marked_where_it_stands() -> None:
    taken = Forgiven(1, "compounds", 2, 1), Forgiven(2, "fillers", 1, 0)
    one = utterance(("equal", "have", "have"), ("equal", "icecream", "icecream"), forgiven=taken)
    assert shown(one) == (
        "u1: 2 words, no errors; WER 0.0 %\n"
        "REF:  have icecream\n"
        "HYP:  have icecream\n"
        "Eval:      ~        ~\n"
        "~ forgiven by compounds, fillers"
    )


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "a\nb", "\u202eevil", "x\ty", "\u2028", "\x9b2J"])
def test_nothing_in_a_word_or_an_id_steers_the_terminal(hostile: str) -> None:
    one = utterance(("substitute", hostile, hostile), ("equal", "ok", "ok"))._replace(utterance_id=hostile)
    texts = [shown(one), *pra_lines([one], {hostile: hostile}, hostile)]
    for text in "\n".join(texts).replace("\t\tDUMP", "DUMP").split("\n"):
        assert text.isprintable()
    assert len(shown(one).split("\n")) == 4


def test_an_empty_utterance_has_its_heading_only() -> None:
    assert shown(utterance()) == "u1: no words, no errors; WER –"


def test_objects_and_rows_hold_the_alignment() -> None:
    found = next(alignment_objects([utterance(("insert", "", "uh"))]))
    assert found == {
        "utterance_id": "u1", "ref_words": 0, "hits": 0, "substitutions": 0, "deletions": 0, "insertions": 1,
        "wer": None, "alignment": [{"op": "insert", "reference": "", "hypothesis": "uh"}], "forgiven": [],
    }  # fmt: skip
    assert alignment_rows([MAT]).iloc[1].tolist() == ["u1", 1, "substitute", "cat", "hat"]


def test_the_steps_of_a_score_are_read_back() -> None:
    pairs = pd.DataFrame({"utterance_id": ["a", "b"], "reference": ["x y", ""], "hypothesis": ["x z", ""]})
    found = list(aligned_utterances(score(pairs, get_scoring("none"))))
    assert found[0].steps == [Step("equal", "x", "x"), Step("substitute", "y", "z")]
    assert (found[0].errors, found[1].steps) == (1, [])


def sclite_pra(references: list[str], hypotheses: list[str], directory: Path, *options: str) -> list[str]:
    program = shutil.which("sctk")
    if program is None:
        pytest.skip("NIST's sctk is not installed, so there is no sclite to compare with")
    for name, texts in (("r.trn", references), ("h.trn", hypotheses)):
        lines = [f" {text} (spk{i % 3}-{i:03})\n" for i, text in enumerate(texts)]
        (directory / name).write_text("".join(lines), encoding="utf-8")
    command = [program, "sclite", "-r", "r.trn", "trn", "-h", "h.trn", "trn", "-i", "spu_id", "-o", "pra", "stdout"]
    done = subprocess.run([*command, *options], cwd=directory, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def our_pra(references: list[str], hypotheses: list[str], normalizer: str) -> list[str]:
    ids = [f"spk{i % 3}-{i:03}" for i in range(len(references))]
    pairs = pd.DataFrame({"utterance_id": ids, "reference": references, "hypothesis": hypotheses})
    scores = score(pairs, get_scoring(normalizer, "sclite"))
    return list(pra_lines(aligned_utterances(scores), {one: one[:4] for one in ids}, "h.trn", normalizer == "none"))


WORD = st.one_of(st.sampled_from("abcd"), st.text("abcdeAB", min_size=1, max_size=30))
TEXT = st.lists(WORD, max_size=12).map(" ".join)
LAST_IS_WIDE = " ".join(["a" * 9] * 98 + ["z" * 30])
LONG = st.lists(st.text("ab", min_size=1, max_size=30), min_size=90, max_size=200).map(" ".join)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20), st.tuples(LONG, TEXT), st.booleans())
def test_the_pra_listing_is_sclites(
    tmp_path_factory: pytest.TempPathFactory, short: list[tuple[str, str]], long: tuple[str, str], minds_case: bool
) -> None:
    pairs = [*short, long, (long[0], long[0]), (LAST_IS_WIDE, LAST_IS_WIDE)]
    references, hypotheses = map(list, zip(*pairs, strict=True))
    theirs = sclite_pra(references, hypotheses, tmp_path_factory.mktemp("pra"), *(["-s"] if minds_case else []))
    ours = our_pra(references, hypotheses, "none" if minds_case else "basic")
    assert [line for line in ours if line] == [line for line in theirs if line]
