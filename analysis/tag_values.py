"""From the values of a tag to named sets of utterances: text by value, numbers in bins that people can read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import InvalidInput

MISSING = "(missing)"
MOST_VALUES = 50
MOST_BINS = 5
_FEWEST_DISTINCT = 6
"""With fewer values than this, all of them distinct is no sign of an id."""

_FEWEST_ROWS = 20
"""Fewer whole numbers in a row may be ages or years."""

_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)

_MOST_DECIMALS = 6

Members = np.ndarray[Any, np.dtype[np.bool_]]


class Unsliceable(Exception):
    """A tag whose values name no slices worth having; the message says why."""


def named_members(values: pd.Series, edges: Sequence[float] | None) -> list[tuple[str, Members]]:
    """Each value or bin of a tag with the rows it holds, in order; missing values last.

    Raises:
        Unsliceable: text values that are too many, or all distinct.
        InvalidInput: edges that do not increase, or that are given for text.
    """
    texts = _texts(values)
    present = texts.notna().to_numpy()
    numbers = _numbers(values, texts)
    if edges is not None:
        if numbers is None:
            wrong = next(text for text in texts.dropna() if not _NUMBER.fullmatch(text))
            raise InvalidInput(f"tag {values.name!r} has bins, but its value {wrong!r} is not a number")
        named = _binned(numbers, _checked(edges, values.name))
    elif numbers is not None:
        if _count_rows(numbers):
            raise Unsliceable("counts its rows")
        named = _binned(numbers, None)
    else:
        named = _by_text(texts)
    if not present.all():
        named.append((MISSING, ~present))
    return [(label, members) for label, members in named if members.any()]


def _texts(values: pd.Series) -> pd.Series:
    """The values as text without outer space; missing where there is none."""

    def text(value: object) -> str | None:
        made = str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value).strip()
        return None if made in ("", MISSING) else made

    flat = values.astype(object)
    return pd.Series([None if gone else text(v) for v, gone in zip(flat, flat.isna(), strict=True)], dtype=object)


def _numbers(values: pd.Series, texts: pd.Series) -> np.ndarray | None:
    """The values as numbers, NaN where missing; None where one of them is no number, or there is none at all."""
    if pd.api.types.is_bool_dtype(values) or texts.isna().all():
        return None
    if pd.api.types.is_numeric_dtype(values):
        return values.astype("float64").to_numpy(dtype=float, na_value=np.nan)
    if not all(_NUMBER.fullmatch(text) for text in texts.dropna()):
        return None
    return np.array([np.nan if text is None else float(text) for text in texts], dtype=float)


def _count_rows(numbers: np.ndarray) -> bool:
    """Whether these are the numbers of a table's rows: whole, all different, and hardly any left out between them."""
    present = numbers[~np.isnan(numbers)]
    if len(present) < _FEWEST_ROWS or len(np.unique(present)) < len(present) or (present != np.round(present)).any():
        return False
    return bool(present.max() - present.min() < 1.1 * len(present))


def _by_text(texts: pd.Series) -> list[tuple[str, Members]]:
    values = sorted(texts.dropna().unique())
    if len(values) > MOST_VALUES:
        raise Unsliceable(f"has {len(values)} different values; more than {MOST_VALUES} make no slices")
    if len(values) >= _FEWEST_DISTINCT and len(values) == texts.notna().sum():
        raise Unsliceable(f"has a different value for each of its {len(values)} utterances, as an id has")
    return [(value, (texts == value).to_numpy()) for value in values]


def _checked(edges: Sequence[float], tag: object) -> list[float]:
    checked = [float(edge) for edge in edges]
    increasing = all(first < second for first, second in pairwise(checked))
    if not checked or not increasing or not all(map(math.isfinite, checked)):
        raise InvalidInput(f"the bins of tag {tag!r} are {list(edges)}; give increasing numbers, as [12, 20, 40]")
    return checked


def _binned(numbers: np.ndarray, edges: list[float] | None) -> list[tuple[str, Members]]:
    finite = numbers[np.isfinite(numbers)]
    whole = bool((finite == np.round(finite)).all()) and bool((np.abs(finite) < 1e15).all())
    if edges is None:
        distinct = np.unique(numbers[~np.isnan(numbers)])
        if len(distinct) <= MOST_BINS:
            return [(f"{value:.10g}", numbers == value) for value in distinct]
        edges = _round_edges(finite, whole)
    if not edges:
        return [(f"{finite.min():.10g} to {finite.max():.10g}", ~np.isnan(numbers))]
    whole = whole and all(edge.is_integer() for edge in edges)
    shown = _shown(edges, whole)
    named = [(f"<= {shown[0]}", numbers <= edges[0])]
    for index in range(1, len(edges)):
        first = f"{edges[index - 1] + 1:.0f}" if whole else shown[index - 1]
        label = shown[index] if first == shown[index] else f"{first} to {shown[index]}"
        named.append((label, (numbers > edges[index - 1]) & (numbers <= edges[index])))
    return [*named, (f"> {shown[-1]}", numbers > edges[-1])]


def _round_edges(finite: np.ndarray, whole: bool) -> list[float]:
    """The quintiles, each rounded to 1, 2 or 5 times a power of ten, at most half its distance to the next."""
    points = np.quantile(finite, [0.05, 0.2, 0.4, 0.6, 0.8, 0.95])
    tie = max(1e-9 * float(np.abs(points).max()), 1e-300)
    edges = set()
    for quintile in points[1:-1]:
        distances = np.abs(points - quintile)
        if (distances <= tie).all():
            continue
        step = _round_down(float(distances[distances > tie].min()) / 2)
        if whole:
            step = max(1.0, step)
        edges.add(round(round(quintile / step) * step, max(0, -math.floor(math.log10(step)))))
    return sorted(edge for edge in edges if finite.min() <= edge < finite.max())


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= value or factor == 1)


def _shown(edges: list[float], whole: bool) -> list[str]:
    """The edges with as many decimals as the one that needs the most; below 100 one at least, unless all is whole."""
    decimals = max(len(f"{edge:.15f}".rstrip("0").partition(".")[2]) for edge in edges)
    if decimals > _MOST_DECIMALS:
        return [f"{edge:.10g}" for edge in edges]
    if not whole and max(map(abs, edges)) < 100:
        decimals = max(decimals, 1)
    return [f"{edge:.{decimals}f}" for edge in edges]
