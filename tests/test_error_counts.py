"""Error counts: consistent, summable, without a rate where there is nothing to divide by; and scoring a frame."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.align import WORD_COUNTS
from analysis.error_counts import ErrorCounts, error_rate, score
from analysis.errors import InvalidInput
from analysis.normalizers import get_normalizer
from analysis.scoring import get_scoring
from workbench.tables import SCORES

COUNT = st.integers(0, 1000)
COUNTS = st.builds(lambda h, s, d, i: ErrorCounts(h + s + d, h, s, d, i), COUNT, COUNT, COUNT, COUNT)


def pairs(*rows: tuple[str, object, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["utterance_id", "reference", "hypothesis"])


@given(COUNTS, COUNTS, COUNTS)
def test_counts_sum_as_numbers_do(a: ErrorCounts, b: ErrorCounts, c: ErrorCounts) -> None:
    assert a + ErrorCounts.zero() == a
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert (a + b).errors == a.errors + b.errors


def test_the_rate_is_of_the_sum_and_not_the_mean_of_rates() -> None:
    assert (ErrorCounts(1, 0, 1, 0, 0) + ErrorCounts(9, 9, 0, 0, 0)).rate == 0.1


def test_without_reference_words_there_is_no_rate_but_insertions_count() -> None:
    silence = ErrorCounts(0, 0, 0, 0, 2)
    assert silence.rate is None
    assert (silence + ErrorCounts(4, 4, 0, 0, 0)).rate == 0.5
    assert error_rate(2, 0) is None


@pytest.mark.parametrize("counts", [(3, 1, 1, 0, 0), (1, -1, 2, 0, 0), (1, 1, 0, 0, -1), (1.5, 1.5, 0, 0, 0)])
def test_inconsistent_counts_are_refused(counts: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(InvalidInput):
        ErrorCounts(*counts)


def test_counts_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        ErrorCounts.zero().hits = 1  # type: ignore[misc]


def test_score_fills_the_columns_of_table_scores() -> None:
    scored = score(pairs(("u1", "Hello, World!", "hello word"), ("u2", "", "um")), get_normalizer("basic"))
    assert list(scored.columns) == [name for name in SCORES.names if name != "run_id"]
    assert scored.drop(columns="alignment").to_dict("records") == [
        {
            "utterance_id": "u1",
            "scoring": "basic-1/unit",
            "ref_words": 2,
            "hits": 1,
            "substitutions": 1,
            "deletions": 0,
            "insertions": 0,
            "ref_chars": 11,
            "char_hits": 10,
            "char_substitutions": 0,
            "char_deletions": 1,
            "char_insertions": 0,
            "reference": "Hello, World!",
            "hypothesis": "hello word",
            "forgiven": [],
        },
        {
            "utterance_id": "u2",
            "scoring": "basic-1/unit",
            "ref_words": 0,
            "hits": 0,
            "substitutions": 0,
            "deletions": 0,
            "insertions": 1,
            "ref_chars": 0,
            "char_hits": 0,
            "char_substitutions": 0,
            "char_deletions": 0,
            "char_insertions": 2,
            "reference": "",
            "hypothesis": "um",
            "forgiven": [],
        },
    ]
    assert list(scored["alignment"]) == [
        [
            {"op": "equal", "reference": "hello", "hypothesis": "hello"},
            {"op": "substitute", "reference": "world", "hypothesis": "word"},
        ],
        [{"op": "insert", "reference": "", "hypothesis": "um"}],
    ]
    assert SCORES.to_arrow(scored.assign(run_id="r")).num_rows == 2


def test_nothing_is_scored_as_nothing() -> None:
    assert score(pairs(), get_normalizer("none")).empty


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pairs(("u1", "a", "a")).drop(columns="reference"), "no column 'reference'"),
        (pairs(("u1", "a", "a"), ("u2", None, "a")), "1 of 2 pairs have no reference, the first is utterance 'u2'"),
        (pairs(("u1", "a", "a"), ("u1", "b", "b")), "utterance 'u1' stands twice"),
    ],
)
def test_bad_pairs_are_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        score(frame, get_normalizer("basic"))


@pytest.mark.parametrize("alignment", ["unit", "sclite"])
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("u1", "", "")], [0, 0, 0, 0, 0]),
        ([("u1", "", ""), ("u2", "...", "um uh")], [0, 0, 0, 0, 2]),
        ([("u1", "네", "")], [1, 0, 0, 1, 0]),
        ([("u1", "네", "네")], [1, 1, 0, 0, 0]),
        ([("u1", "yes", "no " * 1000)], [1, 0, 1, 0, 999]),
        ([("u1", "no " * 1000, "yes")], [1000, 0, 1, 999, 0]),
    ],
)
def test_honest_edges(alignment: str, rows: list[tuple[str, object, object]], expected: list[int]) -> None:
    scored = score(pairs(*rows), get_scoring("basic", alignment))
    total = [int(scored[name].sum()) for name in WORD_COUNTS]
    assert total == expected
    rate = ErrorCounts(*total).rate
    assert rate == (sum(expected[2:]) / expected[0] if expected[0] else None)


def test_spaces_count_as_characters_except_in_korean() -> None:
    frame = pairs(("u1", "오늘 날씨", "오늘날씨"))
    chars = {name: score(frame, get_scoring(name))["ref_chars"].tolist() for name in ("basic", "korean")}
    assert chars == {"basic": [5], "korean": [4]}
    assert score(frame, get_scoring("korean"))["char_deletions"].tolist() == [0]


def test_notation_and_plain_pairs_are_scored_together_in_their_order() -> None:
    frame = pairs(("u1", "a b", "a c"), ("u2", "{ ice cream / icecream } now", "icecream now"), ("u3", "d", "d"))
    scored = score(frame, get_scoring("basic", notation="nist"))
    assert scored[WORD_COUNTS].to_numpy().tolist() == [[2, 1, 1, 0, 0], [2, 2, 0, 0, 0], [1, 1, 0, 0, 0]]
    assert scored["forgiven"].tolist() == [[], [{"step": 0, "alternative": "notation", "words": 2, "steps": 1}], []]
    assert [[step["reference"] for step in steps] for steps in scored["alignment"]] == [
        ["a", "b"],
        ["icecream", "now"],
        ["d"],
    ]
    assert scored["scoring"].unique().tolist() == ["basic-1/unit/nist"]


def test_either_side_of_a_dual_transcription_may_match() -> None:
    frame = pairs(
        ("u1", "(70%)/(칠십 퍼센트)를 넘었다", "칠십 퍼센트를 넘었다"), ("u2", "(70%)/(칠십 퍼센트)를", "70%를")
    )
    scored = score(frame, get_scoring("korean", notation="dual"))
    assert scored[WORD_COUNTS].to_numpy().tolist() == [[3, 3, 0, 0, 0], [2, 2, 0, 0, 0]]
    assert scored["forgiven"].tolist()[0] == [{"step": 0, "alternative": "dual", "words": 2, "steps": 2}]


def test_faulty_notation_is_refused_with_its_utterance() -> None:
    with pytest.raises(InvalidInput, match=r"1 of 2 references cannot be read as nist: utterance 'u2': the brace"):
        score(pairs(("u1", "a", "a"), ("u2", "{ a / b", "a")), get_scoring("basic", notation="nist"))


def test_alternations_in_hypotheses_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"alternations stand in 1 of 1 hypotheses \(utterances 'u1'\)"):
        score(pairs(("u1", "a", "{ a / b }")), get_scoring("basic", "sclite"))
