"""Numbers and times as people read them; a missing value is an en dash, never `nan`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from workbench.report.data import Target

MISSING = "–"
NARROW = "\u202f"
"Narrow no-break space: keeps a number and its unit on one line."


def is_missing(value: Any) -> bool:
    """Whether there is nothing to show: None, NaN, NA, NaT or an infinity.

    >>> is_missing(float("nan")), is_missing(None), is_missing(0), is_missing("")
    (True, True, False, False)
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    try:
        return not math.isfinite(value)
    except (TypeError, OverflowError):
        return False


def number(value: float | None, digits: int = 1) -> str:
    """The number with a thousands separator and a true minus sign.

    >>> number(-1234.56)
    '−1,234.6'
    """
    if value is None or is_missing(value):
        return MISSING
    text = f"{value:,.{digits}f}"
    if text.startswith("-"):
        return text[1:] if float(text.replace(",", "")) == 0 else "−" + text[1:]
    return text


def count(value: float | None) -> str:
    """A whole number with a thousands separator."""
    return number(value, 0)


def _digits(percent: float) -> int:
    return 2 if abs(percent) < 0.995 and percent != 0 else 1


def rate(value: float | None) -> str:
    """A fraction in per cent: one decimal, two below one per cent.

    >>> rate(0.2345).replace(NARROW, " "), rate(0.00412).replace(NARROW, " ")
    ('23.4 %', '0.41 %')
    """
    if value is None or is_missing(value):
        return MISSING
    return number(100 * value, _digits(100 * value)) + NARROW + "%"


def points(value: float | None) -> str:
    """A fraction of WER in points, without the unit: one decimal, two below one point."""
    if value is None or is_missing(value):
        return MISSING
    return number(100 * value, _digits(100 * value))


def signed_points(value: float | None) -> str:
    """WER points with their sign, for differences."""
    text = points(value)
    return text if value is None or is_missing(value) or value <= 0 else "+" + text


def rate_interval(low: float | None, high: float | None) -> str:
    """Both ends of a 95 % interval of a rate, or that there is none."""
    if is_missing(low) or is_missing(high):
        return "no interval"
    return f"{rate(low)} to {rate(high)}"


def points_interval(low: float | None, high: float | None) -> str:
    """Both ends of a 95 % interval in WER points, or that there is none."""
    if is_missing(low) or is_missing(high):
        return "no interval"
    return f"{points(low)} to {points(high)}"


def span(seconds: float | None) -> str:
    """A length of time in the largest units that matter.

    >>> span(5.25).replace(NARROW, " "), span(5526).replace(NARROW, " ")
    ('5.2 s', '1 h 32 min')
    """
    if seconds is None or is_missing(seconds):
        return MISSING
    if seconds < 1:
        return f"{number(seconds, 2)}{NARROW}s"
    if seconds < 60:
        return f"{number(seconds)}{NARROW}s"
    minutes = round(seconds / 60)
    if minutes < 60:
        whole, rest = divmod(round(seconds), 60)
        return f"{whole}{NARROW}min" + (f" {rest}{NARROW}s" if rest else "")
    hours, rest = divmod(minutes, 60)
    return f"{hours:,}{NARROW}h" + (f" {rest}{NARROW}min" if rest and hours < 100 else "")


def hours(value: float | None) -> str:
    """Hours of work; minutes below one hour."""
    if value is None or is_missing(value):
        return MISSING
    if 0 < value < 1:
        return f"{max(1, round(60 * value))}{NARROW}min"
    return f"{number(value, 0 if float(value).is_integer() or value >= 20 else 1)}{NARROW}h"


def when(moment: datetime | pd.Timestamp | None) -> str:
    """A moment to the minute, with its time zone where it has one."""
    if moment is None or is_missing(moment):
        return MISSING
    if not isinstance(moment, datetime):
        return str(moment)
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".strip()


def target_figure(target: Target, value: float | None) -> str:
    """The target's value or threshold in the target's unit."""
    if value is None or is_missing(value):
        return MISSING
    if target.unit == "rate":
        return rate(value)
    if target.unit == "s":
        return span(value) if value >= 60 else f"{value:.3g}{NARROW}s"
    return f"{value:.4g}{NARROW}{target.unit}".rstrip(NARROW)


def metric_name(name: str) -> str:
    """A metric's name as words.

    >>> metric_name("latency_p90"), metric_name("wer")
    ('latency p90', 'WER')
    """
    return name.upper() if name in ("wer", "cer", "ser") else name.replace("_", " ")


def target_word(target: Target) -> str:
    """`Met`, `Not met`, or that it was not measured."""
    if target.met is None:
        return "Not measured"
    return "Met" if target.met else "Not met"


def verdict(targets: Sequence[Target]) -> str:
    """How many of the targets are met, in a sentence."""
    if not targets:
        return "No targets are set"
    met = sum(target.met is True for target in targets)
    missed = sum(target.met is False for target in targets)
    unknown = len(targets) - met - missed
    words = f"{met} of {len(targets)} targets met"
    if missed:
        words += f", {missed} not met"
    if unknown:
        words += f", {unknown} not measured"
    return words


def plain_value(value: Any) -> str:
    """Any single value as text: numbers short, lists and mappings as `a: 1, b: 2`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain_value(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain_value(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_missing(value):
        return MISSING
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
