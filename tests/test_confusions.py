"""Confusions: the most frequent errors of each kind, in the corpus and in each slice."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis.confusions import confusions
from analysis.error_counts import score
from analysis.errors import InvalidInput
from analysis.normalizers import get_normalizer
from analysis.slices import slice_membership
from workbench.tables import CONFUSIONS, SCORES

PAIRS = pd.DataFrame(
    [
        ("u0", "오늘 날씨 어때", "오늘 날시 어때"),
        ("u1", "날씨 알려 줘", "날시 알려"),
        ("u2", "the cat sat", "a cat sat down"),
        ("u3", "the dog", "the dog"),
    ],
    columns=["utterance_id", "reference", "hypothesis"],
)
SCORED = score(PAIRS, get_normalizer("none")).assign(run_id="r1")
BY_LANGUAGE = slice_membership(pd.DataFrame({"language": ["ko", "ko", "en", "en"]}, index=PAIRS["utterance_id"]))


def rows(frame: pd.DataFrame) -> list[tuple[str, str, str, str, int]]:
    return list(frame[["slice", "op", "reference", "hypothesis", "count"]].itertuples(index=False, name=None))


def test_confusions_of_the_corpus_and_of_each_slice() -> None:
    frame = confusions(SCORED, BY_LANGUAGE)
    assert rows(frame) == [
        ("all", "substitute", "날씨", "날시", 2),
        ("all", "substitute", "the", "a", 1),
        ("all", "delete", "줘", "", 1),
        ("all", "insert", "", "down", 1),
        ("language = en", "substitute", "the", "a", 1),
        ("language = en", "insert", "", "down", 1),
        ("language = ko", "substitute", "날씨", "날시", 2),
        ("language = ko", "delete", "줘", "", 1),
    ]
    assert CONFUSIONS.to_arrow(frame).num_rows == 8
    assert list(frame.columns) == CONFUSIONS.names


def test_the_counts_are_the_errors() -> None:
    frame = confusions(SCORED, {})
    counted = frame.groupby("op")["count"].sum().to_dict()
    assert counted == {"substitute": SCORED["substitutions"].sum(), "delete": 1, "insert": 1}


def test_top_is_of_each_kind() -> None:
    assert rows(confusions(SCORED, {}, top=1)) == [
        ("all", "substitute", "날씨", "날시", 2),
        ("all", "delete", "줘", "", 1),
        ("all", "insert", "", "down", 1),
    ]


def test_alignments_that_were_written_and_read_are_the_same() -> None:
    file = io.BytesIO()
    pq.write_table(SCORES.to_arrow(SCORED), file)
    read = pq.read_table(file).to_pandas()
    pd.testing.assert_frame_equal(confusions(read, BY_LANGUAGE), confusions(SCORED, BY_LANGUAGE))


def test_without_errors_there_are_none() -> None:
    frame = confusions(SCORED[3:], {})
    assert frame.empty and list(frame.columns) == CONFUSIONS.names


def test_slices_of_other_utterances_are_refused() -> None:
    with pytest.raises(InvalidInput, match="'language = en' is over 4 utterances, the scores over 1"):
        confusions(SCORED[3:], BY_LANGUAGE)
