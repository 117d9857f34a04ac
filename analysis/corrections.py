"""Adjusted p-values for several tests at once: Holm's and Benjamini and Hochberg's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.errors import InvalidInput

CORRECTIONS = ("holm", "benjamini-hochberg", "none")

Floats = np.ndarray[Any, np.dtype[np.float64]]


def corrected(p_values: Sequence[float] | Floats, method: str = "holm") -> Floats:
    """The p-values adjusted by the named method, in the same order. NaN stays NaN and does not count as a test.

    Args:
        method: `holm` bounds the chance of any false finding; `benjamini-hochberg` bounds the expected share of
            false ones among the findings; `none` changes nothing.

    Raises:
        InvalidInput: an unknown method, or a p-value outside 0 to 1.

    >>> corrected([0.01, 0.04, float("nan"), 0.03]).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    values = np.asarray(p_values, float).copy()
    wrong = values[(values < 0) | (values > 1)]
    if len(wrong):
        raise InvalidInput(f"found the p-value {wrong[0]:g}; p-values are from 0 to 1, or NaN for no test")
    if method not in CORRECTIONS:
        raise InvalidInput(f"there is no correction {method!r}; there are {', '.join(CORRECTIONS)}")
    tested = ~np.isnan(values)
    if method == "holm":
        values[tested] = _holm(values[tested])
    elif method == "benjamini-hochberg":
        values[tested] = _benjamini_hochberg(values[tested])
    return values


def _holm(values: Floats) -> Floats:
    """Source: Holm, A simple sequentially rejective multiple test procedure, 1979: step down, times n, n - 1, ... 1."""
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1)
    return adjusted


def _benjamini_hochberg(values: Floats) -> Floats:
    """Source: Benjamini and Hochberg, Controlling the false discovery rate, 1995: step up, times n / rank."""
    order = np.argsort(values, kind="stable")[::-1]
    ranks = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum.accumulate(values[order] * len(values) / np.maximum(ranks, 1))
    return np.minimum(adjusted, 1)
