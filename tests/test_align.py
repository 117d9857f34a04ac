"""Alignments and counts: equal to jiwer's, whatever the texts, and in bulk as one by one."""

from __future__ import annotations

import csv
from pathlib import Path

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import coded_words as module
from analysis.align import Step, align, align_many, align_words, count_char_errors, count_word_errors, words
from analysis.errors import InvalidInput
from analysis.normalizers import get_normalizer

NAMES = ("equal", "substitute", "delete", "insert")
UTTERANCE = st.one_of(
    st.lists(st.sampled_from("abcd"), max_size=12).map(" ".join),
    st.text("ab \t\n\u00a0\u3000가", max_size=20),
    st.text(max_size=20),
)
PAIRS = st.lists(st.tuples(UTTERANCE, UTTERANCE), min_size=1, max_size=12)


def jiwer_counts(output: jiwer.WordOutput | jiwer.CharacterOutput) -> list[list[int]]:
    rows = []
    for reference, chunks in zip(output.references, output.alignments, strict=True):
        counts = dict.fromkeys(NAMES, 0)
        for chunk in chunks:
            length = max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
            counts[chunk.type] += length
        rows.append([len(reference), *counts.values()])
    return rows


def jiwer_steps(output: jiwer.WordOutput) -> list[list[Step]]:
    rows = []
    for reference, hypothesis, chunks in zip(output.references, output.hypotheses, output.alignments, strict=True):
        steps = []
        for chunk in chunks:
            lost = reference[chunk.ref_start_idx : chunk.ref_end_idx]
            heard = hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]
            length = max(len(lost), len(heard))
            both = zip(lost or [""] * length, heard or [""] * length, strict=True)
            steps += [Step(chunk.type, a, b) for a, b in both]
        rows.append(steps)
    return rows


def assert_equal_to_jiwer(references: list[str], hypotheses: list[str]) -> None:
    expected = jiwer.process_words(references, hypotheses)
    assert count_word_errors(references, hypotheses).to_numpy().tolist() == jiwer_counts(expected)
    assert align_words(references, hypotheses)[0].to_numpy().tolist() == jiwer_counts(expected)
    assert align_many(references, hypotheses) == jiwer_steps(expected)
    characters = jiwer_counts(jiwer.process_characters(references, hypotheses))
    assert count_char_errors(references, hypotheses).to_numpy().tolist() == characters


@given(PAIRS)
@settings(max_examples=500, deadline=None)
def test_equal_to_jiwer(pairs: list[tuple[str, str]]) -> None:
    assert_equal_to_jiwer([a for a, _ in pairs], [b for _, b in pairs])


@given(UTTERANCE, UTTERANCE)
@settings(deadline=None)
def test_one_pair_is_aligned_as_many_are(reference: str, hypothesis: str) -> None:
    assert align(words(reference), words(hypothesis)) == align_many([reference], [hypothesis])[0]


@given(PAIRS)
@settings(max_examples=50, deadline=None)
def test_neither_blocks_nor_the_fallback_change_anything(pairs: list[tuple[str, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", 2)
        assert_equal_to_jiwer([a for a, _ in pairs], [b for _, b in pairs])
        patch.setattr(module, "_MOST_CODE_POINTS", 2)
        assert_equal_to_jiwer([a for a, _ in pairs], [b for _, b in pairs])


def test_a_vocabulary_beyond_the_surrogates() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{index}" for index in range(start, start + 20)) for start in range(0, 70_000, 20)]
    changed = [" ".join(word for word in text.split() if rng.random() > 0.2) for text in texts]
    assert len({word for text in texts for word in text.split()}) > 0xE000
    assert_equal_to_jiwer(texts, changed)


def test_long_texts() -> None:
    rng = np.random.default_rng(0)
    reference, hypothesis = (" ".join(f"w{index}" for index in rng.integers(300, size=5000)) for _ in range(2))
    expected = jiwer.process_words([reference], [hypothesis])
    assert count_word_errors([reference], [hypothesis]).to_numpy().tolist() == jiwer_counts(expected)


@pytest.mark.parametrize("normalizer", ["none", "basic"])
@pytest.mark.parametrize("system", ["azure", "deepspeech", "google", "watson"])
def test_equal_to_jiwer_on_recogniser_outputs(shared_data: Path, system: str, normalizer: str) -> None:
    path = shared_data / "asr_outputs" / "common-voice-four-systems" / f"{system}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 7000
    made = get_normalizer(normalizer)
    assert_equal_to_jiwer([made(row["actual"]) for row in rows], [made(row["transcription_en-US"]) for row in rows])


def test_empty_sides() -> None:
    counts = count_word_errors(["", "", "a b", "a b"], ["", "a b", "", "a b"])
    assert counts.to_dict("list") == {
        "ref_words": [0, 0, 2, 2],
        "hits": [0, 0, 0, 2],
        "substitutions": [0, 0, 0, 0],
        "deletions": [0, 0, 2, 0],
        "insertions": [0, 2, 0, 0],
    }
    assert align_many(["", "a"], ["b", ""]) == [[Step("insert", "", "b")], [Step("delete", "a", "")]]


def test_no_pairs() -> None:
    assert count_word_errors([], []).shape == count_char_errors([], []).shape == (0, 5)
    assert align_many([], []) == []


def test_characters_count_the_spaces_between_words() -> None:
    assert count_char_errors([" 오늘 날씨 "], ["오늘날씨"]).to_numpy().tolist() == [[5, 4, 0, 1, 0]]


@pytest.mark.parametrize("texts", [["a", None], ["a", float("nan")], ["a", 1], ["a", "\ud800"]])
def test_what_is_not_text_is_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidInput):
        count_word_errors(["a", "b"], texts)


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match="2 references and 1 hypotheses"):
        count_char_errors(["a", "b"], ["a"])
