"""Where things stand on a drawn axis: positions in per cent of its width, so that a drawing fits any screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST_BINS = 22
SMALL_SHARE = 0.01
"Slices with a smaller share of the words do not set the axis."


@dataclass(frozen=True)
class Axis:
    """A stretch of numbers, and the round ones on it."""

    low: float
    high: float
    ticks: tuple[float, ...]
    digits: int = 0

    def at(self, value: float) -> float:
        """The value's place in per cent of the width; beyond the axis it stands at the end."""
        return 100 * (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)


def nice_step(width: float, parts: int) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that covers the width in at most that many steps.

    >>> nice_step(0.47, 5), nice_step(60.0, 6)
    (0.1, 10.0)
    """
    raw = max(width, 1e-9) / parts
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))


def axis_over(low: float, high: float, parts: int = 5) -> Axis:
    """An axis from a round number at or below `low` to one at or above `high`."""
    step = nice_step(high - low, parts)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    digits += not math.isclose(step * 10**digits, round(step * 10**digits))
    ticks = tuple(round(i * step, digits + 2) for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks, digits)


def rate_axis(slices: pd.DataFrame, corpus: float | None) -> Axis:
    """An axis from 0 in per cent for the rates of slices, wide enough for every slice that holds words enough.

    A slice of a few words may have a rate and an interval many times the corpus's; it is drawn to the edge of the
    axis instead of pressing every other slice into a corner.
    """
    scored = slices[slices["wer"].notna()]
    large = scored[scored["word_share"] >= SMALL_SHARE]
    drawn = scored if large.empty else large
    rates = [100 * float(rate) for rate in drawn["wer"]] + ([] if corpus is None else [100 * corpus])
    top = max(rates, default=1.0)
    widest = 100 * float(drawn["wer_high"].max()) if drawn["wer_high"].notna().any() else top
    return axis_over(0.0, max(top * 1.05, min(widest, 1.4 * top), 0.5))


def gain_axis(gains: pd.DataFrame) -> Axis:
    """An axis in WER points that has 0 and every gain on it, and intervals as far as twice the largest gain."""
    largest = 100 * float(gains["gain"].abs().max())
    largest = 1.0 if math.isnan(largest) or largest == 0 else largest
    ends = gains[["gain_low", "gain_high", "gain"]].astype(float).to_numpy() * 100
    ends = ends[np.isfinite(ends)]
    low, high = (ends.min(), ends.max()) if len(ends) else (0.0, largest)
    low, high = max(min(low, 0.0), -largest), min(max(high, 0.0), 2 * largest)
    return Axis(float(low), float(high) if high > low else float(low) + 1.0, (0.0,))


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: place and height in per cent, and what it counts."""

    x: float
    width: float
    height: float
    count: int
    low: str
    high: str


@dataclass(frozen=True)
class Histogram:
    """The bars, the axis below them, and what the numbers say."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    axis: Axis
    median: float
    known: int
    missing: int
    below: int
    above: int
    tallest: int


def histogram(values: pd.Series, title: str, unit: str) -> Histogram | None:
    """The values counted in bins of round width; None where no value is known.

    The lowest and highest half per cent are counted in the end bins, so that one hour-long clip among short ones
    does not flatten the rest; `below` and `above` say how many those are.
    """
    every = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    known = every[np.isfinite(every)]
    if not len(known):
        return None
    low, high = np.quantile(known, [0.005, 0.995], method="closest_observation")
    step = nice_step(max(high - low, 1e-3), MOST_BINS - 2)
    first, last = math.floor(low / step), max(math.floor(high / step) + 1, math.floor(low / step) + 5)
    edges = np.arange(first, last + 1) * step
    counts, _ = np.histogram(np.clip(known, edges[0], edges[-1]), bins=edges)
    whole = axis_over(float(edges[0]), float(edges[-1]), 5)
    ticks = tuple(t for t in whole.ticks if edges[0] - 1e-9 <= t <= edges[-1] + 1e-9)
    axis = Axis(float(edges[0]), float(edges[-1]), ticks, whole.digits)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if not math.log10(step / 2.5) % 1 else 0)
    bars = tuple(
        Bar(axis.at(a), axis.at(b) - axis.at(a), 100 * n / counts.max(), int(n), f"{a:.{digits}f}", f"{b:.{digits}f}")
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    )
    return Histogram(
        title,
        unit,
        bars,
        axis,
        float(np.median(known)),
        len(known),
        len(every) - len(known),
        int((known < edges[0]).sum()),
        int((known > edges[-1]).sum()),
        int(counts.max()),
    )
