"""Confidence intervals of rates by the percentile bootstrap over speakers, recordings or utterances.

What one speaker says goes wrong together, so utterances of one speaker are drawn together. Method: Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13; Bisani and Ney, ICASSP 2004, for WER.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import InvalidInput

RESAMPLES = 1000
FEWEST_GROUPS = 2
_PERCENTILES = (2.5, 97.5)
_BLOCK_CELLS = 10_000_000
_MANY_GROUPS = 2_000
_FEW_COLUMNS = 8

Array = np.ndarray[Any, np.dtype[Any]]


def resampling_unit(utterances: pd.DataFrame) -> tuple[str, pd.Series]:
    """What is resampled, and each utterance's group: `speakers`, `recordings` or `utterances`, and codes from 0 up.

    Speakers where at least half of the utterances name theirs; an utterance that does not goes with its
    recording. Otherwise recordings, where some recording holds several utterances; otherwise utterances.

    Args:
        utterances: table `utterances`; the columns speaker and recording may be absent.

    Returns:
        The unit, and a Series of whole numbers indexed by utterance_id.

    Raises:
        InvalidInput: an utterance stands twice.
    """
    ids = utterances["utterance_id"]
    if ids.duplicated().any():
        raise InvalidInput(f"utterance {ids[ids.duplicated()].iloc[0]!r} stands twice among the utterances")
    own = "utterance " + ids.astype(str)
    recordings = own.where(_column(utterances, "recording").isna(), "recording " + _text(utterances, "recording"))
    speakers = _column(utterances, "speaker")
    if len(ids) and speakers.notna().mean() >= 0.5:
        unit, groups = "speakers", recordings.where(speakers.isna(), "speaker " + _text(utterances, "speaker"))
    elif recordings.duplicated().any():
        unit, groups = "recordings", recordings
    else:
        unit, groups = "utterances", own
    return unit, pd.Series(pd.factorize(groups)[0], index=pd.Index(ids, name="utterance_id"), name="group")


def _column(utterances: pd.DataFrame, name: str) -> pd.Series:
    return utterances[name] if name in utterances.columns else pd.Series(None, index=utterances.index, dtype=object)


def _text(utterances: pd.DataFrame, name: str) -> pd.Series:
    return _column(utterances, name).astype(str)


def resample_weights(n_groups: int, resamples: int = RESAMPLES, seed: int = 0) -> Array:
    """How often each group is drawn in each resample: whole numbers of shape (resamples, n_groups).

    Each row sums to n_groups.

    >>> resample_weights(4, resamples=3).sum(axis=1)
    array([4, 4, 4])
    """
    return np.concatenate([np.zeros((0, n_groups), np.int64), *weight_blocks(n_groups, resamples, seed)])


def weight_blocks(n_groups: int, resamples: int, seed: int) -> Iterator[Array]:
    """Rows of `resample_weights`, some at a time, so that memory stays small with many groups."""
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK_CELLS // max(n_groups, 1))
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = rng.integers(n_groups, size=(count, n_groups)) if n_groups else np.zeros((count, 0), np.int64)
        cells = drawn + n_groups * np.arange(count)[:, None]
        yield np.bincount(cells.ravel(), minlength=count * n_groups).reshape(count, n_groups)


def group_sums(values: Array, groups: Array) -> Array:
    """The sums of each column of values within each group: (utterances, k) to (groups, k)."""
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    columns = [np.bincount(groups, weights=column, minlength=n_groups) for column in values.T]
    return np.column_stack(columns) if columns else np.zeros((n_groups, 0))


def resampled_sums(sums: Array, resamples: int = RESAMPLES, seed: int = 0) -> Array:
    """The columns' totals in each resample: weights times sums, (groups, k) to (resamples, k).

    Many groups with few different sums, such as utterances with errors and words, are drawn by how many have each:
    the totals have the same distribution, and take a fraction of the time.
    """
    if len(sums) > _MANY_GROUPS and sums.shape[1] <= _FEW_COLUMNS:
        kinds, counts = np.unique(sums, axis=0, return_counts=True)
        if len(kinds) < len(sums) / 4:
            drawn = np.random.default_rng(seed).multinomial(len(sums), counts / len(sums), size=resamples)
            return drawn.astype(float) @ kinds
    blocks = weight_blocks(len(sums), resamples, seed)
    return np.concatenate([np.zeros((0, sums.shape[1])), *(weights.astype(float) @ sums for weights in blocks)])


def ratio_interval(
    numerators: Array, denominators: Array, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Array, Array]:
    """Lower and upper ends of the 95 % intervals of numerators / denominators, one for each column.

    NaN where fewer than two groups contribute: from one speaker nothing can be said about the next. NaN too where
    nothing is counted above: resampling no errors gives no errors, which is no proof that there are none. Resamples
    whose denominator is 0 are left out.

    Args:
        numerators: sums a group, shape (groups, k), such as errors.
        denominators: the same, such as reference words.
    """
    totals = resampled_sums(np.hstack([numerators, denominators]), resamples, seed)
    above, below = np.hsplit(totals, 2)
    low, high = percentile_interval(divide(above, below))
    known = (contributing_groups(numerators, denominators) >= FEWEST_GROUPS) & (np.asarray(numerators) != 0).any(axis=0)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def contributing_groups(*sums: Array) -> Array:
    """How many groups contribute to each column of any of the sums of shape (groups, k)."""
    return np.any([column != 0 for column in sums], axis=0).sum(axis=0)


def divide(above: Array, below: Array) -> Array:
    """The quotients; NaN where the divisor is 0."""
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below != 0)


def percentile_interval(samples: Array) -> tuple[Array, Array]:
    """The 2.5 and 97.5 percentiles of each column of (resamples, k), NaN left out; NaN for columns of NaN alone."""
    low, high = np.full((2, samples.shape[1]), np.nan)
    known = ~np.isnan(samples).all(axis=0) if len(samples) else np.zeros(samples.shape[1], bool)
    if known.any():
        low[known], high[known] = np.nanpercentile(samples[:, known], _PERCENTILES, axis=0)
    return low, high
