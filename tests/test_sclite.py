"""Alignment mode `sclite` against the real program: the same steps for every utterance, ties included."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import align, kernel
from analysis.align import WORD_COUNTS, align_words, count_char_errors, count_word_errors
from analysis.dual_transcription import views
from analysis.error_counts import score
from analysis.network_align import align_all, read_hypothesis
from analysis.nist_notation import parse_notation
from analysis.normalizers import basic
from analysis.scoring import get_scoring
from tests.notation_texts import hypothesis, reference
from tests.sclite_program import sclite_trn, sclite_trn_alignments

Steps = list[tuple[str, str, str]]
TOKENS = st.text("abc", max_size=15)


def ours(references: Mapping[str, str], hypotheses: Mapping[str, str]) -> dict[str, Steps]:
    alignments = align_words(list(references.values()), list(hypotheses.values()), "sclite")[1].to_pylist()
    return {key: [tuple(step.values()) for step in steps] for key, steps in zip(references, alignments, strict=True)}


def differing(mine: Mapping[str, Steps], theirs: Mapping[str, Steps]) -> list[str]:
    assert mine.keys() == theirs.keys()
    return [key for key in mine if mine[key] != [tuple(step) for step in theirs[key]]]


def test_random_words_are_aligned_as_sclite_does() -> None:
    rng = random.Random(0)
    references, hypotheses = {}, {}
    for number in range(3_000):
        # Few different words make many ties.
        words = "abc" if number % 2 else "abcdefgh"
        references[str(number)] = " ".join(rng.choice(words) for _ in range(rng.randint(1, 25)))
        hypotheses[str(number)] = " ".join(rng.choice(words) for _ in range(rng.randint(0, 25)))
    assert differing(ours(references, hypotheses), sclite_trn_alignments(references, hypotheses)) == []


def test_real_recognition_errors_are_aligned_as_sclite_does(shared_data: Path) -> None:
    references, hypotheses = {}, {}
    path = shared_data / "asr_outputs" / "common-voice-four-systems" / "deepspeech.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        heard = next(name for name in rows.fieldnames or [] if "transcription" in name or "predict" in name)
        for number, row in enumerate(rows):
            references[str(number)] = basic(row["actual"])
            hypotheses[str(number)] = basic(row[heard])
    assert len(references) > 7_000
    assert differing(ours(references, hypotheses), sclite_trn_alignments(references, hypotheses)) == []


@pytest.mark.parametrize(("notation", "options"), [("alternations", ()), ("nist", ("-D", "-F"))])
def test_notation_is_read_and_aligned_as_sclite_does(notation: str, options: tuple[str, ...]) -> None:
    rng = random.Random(1)
    references = {str(number): reference(rng) for number in range(3_000)}
    hypotheses = {key: hypothesis(rng) for key in references}
    scoring = get_scoring("none", "sclite", notation=notation)
    marked = [parse_notation(text, notation == "nist") for text in references.values()]
    heard = [read_hypothesis(text, scoring) for text in hypotheses.values()]
    found = align_all(marked, heard, scoring)
    mine = {key: [step[:3] for step in one.steps] for key, one in zip(references, found, strict=True)}
    theirs = sclite_trn_alignments(references, hypotheses, *options)
    if notation == "nist":
        theirs = {key: [(op, plain(lost), plain(said)) for op, lost, said in steps] for key, steps in theirs.items()}
    assert differing(mine, theirs) == []


def plain(word: str) -> str:
    """The word without the parentheses that make it optional."""
    return word[1:-1] if len(word) > 1 and word.startswith("(") and word.endswith(")") else word


def test_neither_bands_nor_blocks_change_an_alignment(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(2)
    references, hypotheses = [], []
    for _ in range(300):
        words = [str(rng.randrange(rng.choice([2, 5, 50]))) for _ in range(rng.randint(1, 150))]
        heard = [word if rng.random() < 0.8 else str(rng.randrange(9)) for word in words if rng.random() < 0.9]
        references.append(" ".join(words))
        hypotheses.append(" ".join(heard + heard[: rng.choice([0, 0, 40])]))
    whole = align_words(references, hypotheses, "sclite")[1]
    monkeypatch.setattr(align, "_MANY_CELLS", 0)
    assert align_words(references, hypotheses, "sclite")[1].equals(whole)
    monkeypatch.setattr(kernel, "MOST_CELLS", 50)
    assert align_words(references, hypotheses, "sclite")[1].equals(whole)


def test_the_modes_differ_where_hits_cost_errors() -> None:
    # Five substitutions are fewer errors than three deletions and three insertions, but cost 20 where those cost 18.
    pair = ["x y z a b"], ["a b p q r"]
    assert count_word_errors(*pair, "unit").iloc[0].tolist() == [5, 0, 5, 0, 0]
    assert count_word_errors(*pair, "sclite").iloc[0].tolist() == [5, 2, 0, 3, 3]


def test_total_cost_is_never_above_that_of_the_fewest_errors() -> None:
    rng = random.Random(3)
    sides = [[" ".join(rng.choice("abcd") for _ in range(rng.randint(0, 20))) for _ in range(500)] for _ in range(2)]
    costs = np.array([0, 0, 4, 3, 3])
    nist, unit = (count_word_errors(*sides, mode).to_numpy() @ costs for mode in ("sclite", "unit"))
    assert (nist <= unit).all()
    assert (nist < unit).any()


@given(st.lists(st.tuples(TOKENS, TOKENS), min_size=1, max_size=20))
@settings(max_examples=300, deadline=None)
def test_counts_alone_are_those_of_the_alignments(pairs: list[tuple[str, str]]) -> None:
    texts = [list(side) for side in zip(*pairs, strict=True)]
    spaced = [[" ".join(text) for text in side] for side in texts]
    aligned = align_words(*spaced, "sclite")[0].to_numpy().tolist()
    assert count_word_errors(*spaced, "sclite").to_numpy().tolist() == aligned
    assert count_char_errors(*texts, "sclite").to_numpy().tolist() == aligned


def test_characters_are_aligned_at_the_same_costs() -> None:
    chars = count_char_errors(["네 오늘", "", "a"], ["네오늘", "x", ""], "sclite")
    assert chars.to_numpy().tolist() == [[4, 3, 0, 1, 0], [0, 0, 0, 0, 1], [1, 0, 0, 1, 0]]
    assert count_char_errors(["네 오늘"], ["네오늘"], spaces=False).to_numpy().tolist() == [[3, 3, 0, 0, 0]]


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        ("x ; y", "x ; y"),
        ("x @ y", "x y"),
        ("x y", "x @ @;t y"),
        ("x @* y", "x y"),
        ("x () y", "x y"),
        ("yes;no thanks", "yes;no thanks"),
        ("a\tb x-y", "a b x-y"),
        ("a\u00a0b x-y", "a\u00a0b x-y"),
        ("a\u3000b", "a b"),
        ("go* on", "go on;tag"),
        ("{ a / b;t } (um)", "b (um)"),
    ],
)
@pytest.mark.parametrize("notation", ["alternations", "nist"])
def test_odd_words_are_counted_as_sclite_does(reference: str, hypothesis: str, notation: str) -> None:
    frame = pd.DataFrame([("u", reference, hypothesis)], columns=["utterance_id", "reference", "hypothesis"])
    mine = score(frame, get_scoring("none", "sclite", notation=notation))[WORD_COUNTS[1:]].iloc[0].tolist()
    options = ("-D", "-F") if notation == "nist" else ()
    assert mine == list(sclite_trn({"u": reference}, {"u": hypothesis}, *options)["u"])


@pytest.mark.parametrize("notation", ["plain", "alternations", "nist", "dual"])
@pytest.mark.parametrize("normalizer", ["none", "case", "basic", "english", "korean"])
@given(
    text=st.text(st.sampled_from("ab é나;*-@()/. \t\u00a0'"), max_size=20),
    alignment=st.sampled_from(["unit", "sclite"]),
)
@settings(max_examples=60, deadline=None)
def test_a_text_has_no_errors_against_itself(text: str, alignment: str, normalizer: str, notation: str) -> None:
    frame = pd.DataFrame([("u", text, text)], columns=["utterance_id", "reference", "hypothesis"])
    if notation == "dual":
        frame["hypothesis"] = views(text)[0]
    counts = score(frame, get_scoring(normalizer, alignment, notation=notation))[WORD_COUNTS].iloc[0].tolist()
    assert counts[2:] == [0, 0, 0]
