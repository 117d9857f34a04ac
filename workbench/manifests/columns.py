"""Whole columns of a file as their fields' types: what `workbench.manifests.fields` does to one value, in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench.manifests.faults import UnusableRow
from workbench.manifests.fields import as_label, as_rate, as_seconds, as_tag, as_text
from workbench.manifests.rows import tag_column

_CONVERTED: dict[str, Callable[[str, Any], Any]] = {
    "text": as_text,
    "sampling_rate": as_rate,
    **dict.fromkeys(("start", "end", "duration"), as_seconds),
    **dict.fromkeys(("utterance_id", "recording", "speaker", "split", "annotator"), as_label),
}


def field_column(name: str, values: Sequence[Any], bad: dict[int, UnusableRow]) -> list[Any]:
    """The values of a field as its type; the place of each that cannot be, with the reason, is put into `bad`."""
    convert = _CONVERTED[name]
    if _all_text(values):
        if convert is as_label and "".join(values).isprintable():
            return [value.strip(" ") or None for value in values]
        if convert is as_text and not _has_nul(values):
            return list(values)
    return _converted("audio" if name == "recording" else name, values, convert, bad)


def tag_values(name: str, values: Sequence[Any], bad: dict[int, UnusableRow]) -> list[Any]:
    """The values of a tag; the place of each that cannot be one, with the reason, is put into `bad`."""
    if _all_text(values) and not _has_nul(values):
        return [value.strip(" \t") or None for value in values]
    return _converted(name, values, as_tag, bad)


def text_series(values: Iterable[str | None]) -> pd.Series:
    """The texts as a column, missing where None."""
    # Ten times as fast as pd.Series(values, dtype="str"), which looks at each value in Python.
    return pd.Series(pa.array(values, pa.large_string()), dtype="str")


def tag_series(values: Sequence[Any]) -> pd.Series:
    """The values as `workbench.manifests.rows.tag_column` types them."""
    return text_series(values) if set(map(type, values)) <= {str, type(None)} else tag_column(values)


def locations(path: Path, lines: Sequence[int]) -> pd.Series:
    """`FILE:LINE` for each line."""
    numbers = pa.array(lines, pa.int64()).cast(pa.large_string())
    file = pa.scalar(str(path), pa.large_string())
    return text_series(pc.binary_join_element_wise(file, numbers, pa.scalar(":", pa.large_string())))


def _has_nul(values: Iterable[str]) -> bool:
    return any("\0" in value for value in values)


def _all_text(values: Sequence[Any]) -> bool:
    return set(map(type, values)) == {str}


def _converted(
    name: str, values: Sequence[Any], convert: Callable[[str, Any], Any], bad: dict[int, UnusableRow]
) -> list[Any]:
    converted: list[Any] = []
    for place, value in enumerate(values):
        try:
            converted.append(convert(name, value))
        except UnusableRow as problem:
            bad.setdefault(place, problem)
            converted.append(None)
    return converted
