"""Intervals: what is resampled, that weights are a bootstrap's, and how often intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import intervals as module
from analysis.errors import InvalidInput
from analysis.intervals import group_sums, ratio_interval, resample_weights, resampled_sums, resampling_unit


def utterances(**columns: list[str | None]) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    return pd.DataFrame({"utterance_id": [f"u{index}" for index in range(length)], **columns})


@pytest.mark.parametrize(
    ("columns", "unit", "groups"),
    [
        ({"speaker": ["a", "b", "a"], "recording": ["1", "2", "3"]}, "speakers", [0, 1, 0]),
        ({"speaker": ["a", None, None, "a"], "recording": ["1", "2", "2", "1"]}, "speakers", [0, 1, 1, 0]),
        ({"speaker": ["a", None, None, None], "recording": ["1", "1", "2", "3"]}, "recordings", [0, 0, 1, 2]),
        ({"speaker": [None, None], "recording": ["1", "1"]}, "recordings", [0, 0]),
        ({"speaker": [None, None], "recording": ["1", "2"]}, "utterances", [0, 1]),
        ({"duration": [1.0, 2.0]}, "utterances", [0, 1]),
    ],
)
def test_what_is_resampled(columns: dict[str, list[str | None]], unit: str, groups: list[int]) -> None:
    found, codes = resampling_unit(utterances(**columns))
    assert (found, codes.tolist()) == (unit, groups)
    assert codes.index.tolist() == [f"u{index}" for index in range(len(groups))]


def test_an_utterance_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'u0' stands twice"):
        resampling_unit(pd.concat([utterances(speaker=["a"])] * 2))


@given(st.integers(1, 30), st.integers(0, 20), st.integers(0, 5))
@settings(deadline=None)
def test_weights_draw_as_many_groups_as_there_are(n_groups: int, resamples: int, seed: int) -> None:
    weights = resample_weights(n_groups, resamples, seed)
    assert weights.shape == (resamples, n_groups)
    assert (weights.sum(axis=1) == n_groups).all() and (weights >= 0).all()
    assert (weights == resample_weights(n_groups, resamples, seed)).all()


def test_weights_have_the_moments_of_a_bootstrap() -> None:
    weights = resample_weights(50, resamples=4000)
    assert np.allclose(weights.mean(axis=0), 1, atol=0.1)
    assert weights.var() == pytest.approx(1 - 1 / 50, abs=0.02)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resample_weights(7, 100)
    sums = np.random.default_rng(1).random((7, 3))
    monkeypatch.setattr(module, "_BLOCK_CELLS", 50)
    assert (resample_weights(7, 100) == whole).all()
    assert np.allclose(resampled_sums(sums, 100), whole @ sums)


def test_group_sums() -> None:
    values = np.array([[1, 10], [2, 20], [3, 30]])
    assert group_sums(values, np.array([1, 0, 1])).tolist() == [[2, 20], [4, 40]]


def test_the_interval_is_the_percentiles_of_resampled_ratios() -> None:
    rng = np.random.default_rng(3)
    errors, words = rng.integers(0, 9, (12, 2)).astype(float), rng.integers(5, 20, (12, 2)).astype(float)
    low, high = ratio_interval(errors, words, resamples=500, seed=4)
    weights = resample_weights(12, 500, 4)
    for column in range(2):
        rates = [(w @ errors[:, column]) / (w @ words[:, column]) for w in weights]
        assert [low[column], high[column]] == pytest.approx(np.percentile(rates, [2.5, 97.5]))


def test_a_single_group_has_no_interval() -> None:
    low, high = ratio_interval(np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([[4.0, 4.0], [0.0, 4.0]]))
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] <= 3 / 8 <= high[1]


def test_intervals_hold_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    speakers, corpora, truth = 60, 400, 0.2
    words = rng.integers(50, 150, (speakers, corpora))
    errors = rng.binomial(words, rng.beta(4, 16, (speakers, corpora)))
    low, high = ratio_interval(errors.astype(float), words.astype(float))
    assert 0.90 <= ((low <= truth) & (truth <= high)).mean() <= 0.98


def test_many_groups_drawn_by_their_kinds_have_the_same_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    sums = np.column_stack([rng.integers(0, 3, 5_000), rng.integers(5, 9, 5_000)]).astype(float)
    by_kind = resampled_sums(sums, resamples=2_000, seed=1)
    monkeypatch.setattr(module, "_MANY_GROUPS", len(sums))
    by_group = resampled_sums(sums, resamples=2_000, seed=1)
    assert by_kind.shape == by_group.shape
    assert not np.array_equal(by_kind, by_group)
    rates, expected = (totals[:, 0] / totals[:, 1] for totals in (by_kind, by_group))
    # Means within four standard errors, and standard deviations within a tenth, of each other.
    assert abs(rates.mean() - expected.mean()) < 4 * expected.std() / np.sqrt(1_000)
    assert abs(rates.std() / expected.std() - 1) < 0.1
