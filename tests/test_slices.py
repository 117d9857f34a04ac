"""Slices: how tags become named sets of utterances, and what closing a slice's gap would buy."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.error_counts import score
from analysis.errors import InvalidInput
from analysis.normalizers import get_normalizer
from analysis.slices import skipped_tags, slice_membership, slices
from workbench.tables import SLICES


def tags(**columns: list[object]) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.Index([f"u{index}" for index in range(length)], name="utterance_id"))


def members(frame: pd.DataFrame, **bins: list[float]) -> dict[str, list[int]]:
    return {name: np.flatnonzero(part.members).tolist() for name, part in slice_membership(frame, bins).items()}


def corpus(*rows: tuple[str | None, str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and utterances from (speaker, reference, hypothesis)."""
    ids = [f"u{index}" for index in range(len(rows))]
    pairs = pd.DataFrame({"utterance_id": ids, "reference": [r[1] for r in rows], "hypothesis": [r[2] for r in rows]})
    utterances = pd.DataFrame({"utterance_id": ids, "recording": ids, "speaker": [r[0] for r in rows]})
    return score(pairs, get_normalizer("none")).assign(run_id="r1"), utterances


def test_text_is_sliced_by_value_and_what_is_missing_or_blank_stands_apart() -> None:
    frame = tags(group=["child", "adult", None, " ", "child"], dialect=["서울", "부산", "서울", "서울", "부산"])
    assert members(frame) == {
        "group = adult": [1],
        "group = child": [0, 4],
        "group = (missing)": [2, 3],
        "dialect = 부산": [1, 4],
        "dialect = 서울": [0, 2, 3],
    }


def test_few_different_numbers_are_values_in_their_order() -> None:
    assert list(members(tags(channels=["2", "10", "1", "2"]))) == ["channels = 1", "channels = 2", "channels = 10"]


def test_the_numbers_of_a_tables_rows_are_no_tag() -> None:
    rows = [number for number in range(30) if number != 7]
    assert skipped_tags(tags(row=rows, age=[20 + number % 5 for number in rows])) == {"row": "counts its rows"}
    assert members(tags(year=[2001, 2002, 2003, 2004, 2005, 2006]))


def test_truths_are_values() -> None:
    assert members(tags(noisy=[True, False, None])) == {
        "noisy = false": [1],
        "noisy = true": [0],
        "noisy = (missing)": [2],
    }


@pytest.mark.parametrize("as_text", [False, True])
def test_named_bins(as_text: bool) -> None:
    ages = [6, 12, 13, 20, 21, 40, 41, None]
    given_ages = [None if age is None else str(age) for age in ages] if as_text else ages
    assert members(tags(age=given_ages), age=[12, 20, 40]) == {
        "age <= 12": [0, 1],
        "age = 13 to 20": [2, 3],
        "age = 21 to 40": [4, 5],
        "age > 40": [6],
        "age = (missing)": [7],
    }


def test_named_bins_of_fractions() -> None:
    frame = tags(rate=[1.5, 2.1, 2.2, 4.0, 4.5])
    assert list(members(frame, rate=[2.1, 4])) == ["rate <= 2.1", "rate = 2.1 to 4.0", "rate > 4.0"]


def test_bins_without_utterances_are_left_out() -> None:
    assert list(members(tags(age=[5, 50]), age=[12, 20])) == ["age <= 12", "age > 20"]


def test_bins_of_their_own_have_round_edges_and_similar_sizes() -> None:
    ages = np.random.default_rng(0).integers(6, 80, 400).tolist()
    made = members(tags(age=[str(age) for age in ages]))
    assert list(made) == ["age <= 20", "age = 21 to 40", "age = 41 to 55", "age = 56 to 68", "age > 68"]
    assert all(50 <= len(rows) <= 110 for rows in made.values())


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-1000, 1000)), min_size=1, max_size=60))
@settings(deadline=None)
def test_every_utterance_is_in_one_slice_of_a_tag(values: list[float | None]) -> None:
    made = slice_membership(tags(value=values))
    assert sum(part.members.astype(int) for part in made.values()).tolist() == [1] * len(values)
    assert len(made) <= 6


def test_bins_of_fractions_and_of_skewed_numbers() -> None:
    spread = (np.arange(125) + 0.5) / 125
    frame = tags(seconds=list(0.4 + 6 * spread), words=list(10 ** (1 + 5 * spread)), tiny=list(spread / 1e13))
    assert list(members(frame)) == [
        "seconds <= 1.6",
        "seconds = 1.6 to 3.0",
        "seconds = 3.0 to 4.0",
        "seconds = 4.0 to 5.2",
        "seconds > 5.2",
        "words <= 100",
        "words = 100 to 1000",
        "words = 1000 to 10000",
        "words = 10000 to 100000",
        "words > 100000",
        "tiny <= 2e-14",
        "tiny = 2e-14 to 4e-14",
        "tiny = 4e-14 to 6e-14",
        "tiny = 6e-14 to 8e-14",
        "tiny > 8e-14",
    ]


def test_digits_that_are_codes_are_text() -> None:
    codes = ["007", "008", "009", "010", "011", "012", "007"]
    assert next(iter(members(tags(station=codes)))) == "station = 007"


def test_ids_and_tags_with_too_many_values_are_listed_as_skipped() -> None:
    frame = tags(
        speaker=["a"] * 60,
        session_id=["s"] * 60,
        comment=[f"text {index}" for index in range(60)],
        place=[f"place {min(index, 55)}" for index in range(60)],
        group=["x"] * 60,
    )
    assert skipped_tags(frame) == {
        "speaker": "names or places an utterance, and is no tag",
        "session_id": "names or places an utterance, and is no tag",
        "comment": "has 60 different values; more than 50 make no slices",
        "place": "has 56 different values; more than 50 make no slices",
    }
    assert list(slice_membership(frame)) == ["group = x"]
    assert "as an id has" in skipped_tags(tags(word=list("abcdef")))["word"]


@pytest.mark.parametrize(
    ("frame", "bins", "message"),
    [
        (tags(age=["5", "old"]), {"age": [12]}, "tag 'age' has bins, but its value 'old' is not a number"),
        (tags(age=["5", "6"]), {"aeg": [12]}, "bins for 'aeg', which is no tag; tags: age"),
        (tags(age=["5", "6"]), {"age": [20, 12]}, "give increasing numbers"),
        (tags(age=["5", "6"]), {"age": []}, "give increasing numbers"),
    ],
)
def test_bad_bins_are_refused(frame: pd.DataFrame, bins: dict[str, list[float]], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        slice_membership(frame, bins)


def test_rates_gaps_and_gains() -> None:
    scores, utterances = corpus(
        ("a", "x y", "x z"),
        ("b", "x y", "z"),
        ("c", "x y z w", "x y z w"),
        ("d", "x y", "x y q"),
        (None, "", "um"),
    )
    frame = slices(scores, utterances, tags(group=["child", "child", "adult", "adult", None]))
    columns = ["slice", "utterances", "speakers", "ref_words", "errors", "wer", "word_share", "rest_wer", "gap", "gain"]
    child, adult, missing = frame[columns].round(6).to_dict("records")
    assert child == {
        "slice": "group = child",
        "utterances": 2,
        "speakers": 2,
        "ref_words": 4,
        "errors": 3,
        "wer": 0.75,
        "word_share": 0.4,
        "rest_wer": round(2 / 6, 6),
        "gap": round(0.75 - 2 / 6, 6),
        "gain": round((0.75 - 2 / 6) * 0.4, 6),
    }
    assert (adult["slice"], adult["gain"], adult["wer"]) == ("group = adult", 0, round(1 / 6, 6))
    assert (missing["slice"], missing["ref_words"], missing["gain"]) == ("group = (missing)", 0, 0)
    assert np.isnan(missing["wer"]) and np.isnan(missing["gap"])
    assert set(frame["resampled"]) == {"speakers"}
    assert SLICES.to_arrow(frame).num_rows == 3
    assert list(frame.columns) == SLICES.names


def test_intervals_hold_the_estimate_and_need_two_speakers() -> None:
    rng = np.random.default_rng(0)
    heard = ["a b c d e f" if right else "a b c x y" for right in rng.random(200) > 0.3]
    scores, utterances = corpus(*((f"s{index % 20}", "a b c d e f", text) for index, text in enumerate(heard)))
    halves, first = [str(index % 2) for index in range(200)], ["no" if index % 20 else "yes" for index in range(200)]
    frame = slices(scores, utterances, tags(half=halves, one=first)).set_index("slice")
    for name in ("half = 0", "half = 1", "one = no"):
        row = frame.loc[name]
        assert row["wer_low"] < row["wer"] < row["wer_high"]
    assert frame.loc["one = yes", ["wer_low", "wer_high", "gain_low", "gain_high"]].isna().all()
    assert frame.loc["one = no", ["gain_low", "gain_high"]].isna().all()
    assert frame.loc["half = 0", "gain_low"] <= frame.loc["half = 0", "gain"] <= frame.loc["half = 0", "gain_high"]


def test_utterances_without_a_row_of_tags_are_missing() -> None:
    scores, utterances = corpus(("a", "x", "x"), ("b", "x", "y"))
    frame = slices(scores, utterances, tags(group=["child"]))
    assert frame["slice"].tolist() == ["group = (missing)", "group = child"]


def test_without_tags_there_are_no_slices() -> None:
    scores, utterances = corpus(("a", "x", "x"))
    frame = slices(scores, utterances, tags(group=["x"])[[]])
    assert frame.empty and list(frame.columns) == SLICES.names
    assert SLICES.to_arrow(frame).num_rows == 0


def test_scores_that_may_not_be_mixed_are_refused() -> None:
    scores, utterances = corpus(("a", "x", "x"), ("b", "x", "y"))
    with pytest.raises(InvalidInput, match="2 values of run_id"):
        slices(scores.assign(run_id=["r1", "r2"]), utterances, tags(group=["x", "y"]))
    with pytest.raises(InvalidInput, match="1 scored utterances are unknown, the first is 'u1'"):
        slices(scores, utterances.iloc[:1], tags(group=["x", "y"]))


def test_slices_of_real_outputs_add_up(shared_data: Path) -> None:
    path = shared_data / "asr_outputs" / "common-voice-tagged" / "combined.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["filename"]]
    ids = [row["filename"] for row in rows]
    pairs = pd.DataFrame(
        {
            "utterance_id": ids,
            "reference": [row["text"] for row in rows],
            "hypothesis": [row["google_transcriptionUS"] for row in rows],
        }
    )
    scores = score(pairs, get_normalizer("basic")).assign(run_id="google")
    names = ["gender", "age", "accent", "up_votes"]
    frame = slices(
        scores,
        pd.DataFrame({"utterance_id": ids, "recording": ids}),
        pd.DataFrame(rows, index=ids)[names],
        resamples=200,
    )
    for _, of_tag in frame.groupby("tag"):
        assert of_tag["ref_words"].sum() == scores["ref_words"].sum()
        assert of_tag["utterances"].sum() == len(rows)
    by_name = frame.set_index("slice")
    assert by_name.loc["gender = female", "wer"] > by_name.loc["gender = male", "wer"]
    assert by_name.loc["accent = indian", "gain_low"] > 0
    assert set(frame["resampled"]) == {"utterances"}
