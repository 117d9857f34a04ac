"""Frames of utterances and transcripts to checked rows that a format can write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import BadInput
from workbench.manifests.faults import UnusableRow, shown
from workbench.manifests.fields import RESERVED_NAMES, UTTERANCE_FIELDS, as_label, as_text, has_unprintable
from workbench.manifests.rows import json_text


@dataclass(slots=True)
class ExportedRow:
    """One utterance: its fields and tags (None where missing) and its transcripts, (annotator, text) each."""

    utterance_id: str
    fields: dict[str, Any]
    tags: dict[str, Any]
    transcripts: list[tuple[str, str]]


def exported_rows(utterances: pd.DataFrame, transcripts: pd.DataFrame) -> tuple[list[ExportedRow], list[str]]:
    """The rows to write, and the names of the tags.

    Raises:
        BadInput: there is nothing to write, a key repeats, a transcript has no utterance, or a value could not be
            read back from any manifest.
    """
    for name, frame, wanted in (
        ("utterances", utterances, ("utterance_id", "recording")),
        ("transcripts", transcripts, ("utterance_id", "annotator", "text")),
    ):
        missing = [column for column in wanted if column not in frame.columns]
        if missing:
            raise BadInput(f"the frame of {name} has no column {missing[0]!r}; its columns are {list(frame.columns)}")
    if utterances.empty:
        raise BadInput("there are no utterances to write; import some first")
    known = {"utterance_id", "source", *UTTERANCE_FIELDS}
    tags = [str(name) for name in utterances.columns if name not in known]
    for tag in tags:
        if tag in RESERVED_NAMES or tag != tag.strip() or not tag or has_unprintable(tag):
            raise BadInput(f"{tag!r} cannot name a tag in a manifest; rename the column")
    ids = _values(utterances["utterance_id"])
    fields = {n: _values(utterances[n]) if n in utterances.columns else [None] * len(ids) for n in UTTERANCE_FIELDS}
    tag_values = {tag: _values(utterances[tag]) for tag in tags}
    rows: dict[str, ExportedRow] = {}
    for i, utterance_id in enumerate(ids):
        if utterance_id in rows:
            raise BadInput(f"utterance {utterance_id!r} stands twice among the utterances; keep one row of it")
        row = ExportedRow(
            utterance_id,
            {name: values[i] for name, values in fields.items()},
            {tag: values[i] if values[i] != "" else None for tag, values in tag_values.items()},
            [],
        )
        rows[utterance_id] = row
        _check(row)
    for utterance_id, annotator, text in zip(
        *(_values(transcripts[name]) for name in ("utterance_id", "annotator", "text")), strict=True
    ):
        if utterance_id not in rows:
            raise BadInput(f"a transcript is of utterance {utterance_id!r}, which is not among the utterances; add it")
        _label("annotator", annotator, f"a transcript of {utterance_id!r}")
        if not isinstance(text, str):
            raise BadInput(f"the transcript of {utterance_id!r} by {annotator!r} is {text!r}; expected text")
        _text("text", text, f"the transcript of {utterance_id!r} by {annotator!r}")
        rows[utterance_id].transcripts.append((annotator, text))
    for row in rows.values():
        annotators = [annotator for annotator, _ in row.transcripts]
        if len(set(annotators)) < len(annotators):
            twice = next(name for name in annotators if annotators.count(name) > 1)
            raise BadInput(f"utterance {row.utterance_id!r} has two transcripts by {twice!r}; keep the newest revision")
    return list(rows.values()), tags


def _check(row: ExportedRow) -> None:
    where = f"utterance {row.utterance_id!r}"
    _label("utterance_id", row.utterance_id, where)
    recording = row.fields["recording"]
    if not isinstance(recording, str) or not Path(recording).is_absolute() or has_unprintable(recording):
        raise BadInput(f"{where}: found recording {shown(recording)}; expected an absolute path; resolve it first")
    for name in ("speaker", "split"):
        if row.fields[name] is not None:
            _label(name, row.fields[name], where)
    for name in ("start", "end", "duration"):
        if row.fields[name] is not None:
            row.fields[name] = float(row.fields[name])
    if row.fields["sampling_rate"] is not None:
        row.fields["sampling_rate"] = int(row.fields["sampling_rate"])
    for tag, value in row.tags.items():
        if isinstance(value, str):
            _text(tag, value, where)
        elif isinstance(value, float) and not np.isfinite(value):
            raise BadInput(f"{where}: found tag {tag!r} = {value}; expected a finite number; correct it")
        elif not isinstance(value, bool | int | float | None):
            raise BadInput(
                f"{where}: found tag {tag!r} of type {type(value).__name__}; expected text, a number or a boolean; "
                "convert the column"
            )


def _label(name: str, value: object, where: str) -> None:
    try:
        same = isinstance(value, str) and as_label(name, value) == value
    except UnusableRow as problem:
        raise BadInput(f"{where}: {problem}") from problem
    if not same:
        raise BadInput(f"{where}: found {name} {shown(value)}; expected text without spaces around it; correct it")


def _text(name: str, value: str, where: str) -> None:
    try:
        as_text(name, value)
    except UnusableRow as problem:
        raise BadInput(f"{where}: {problem}") from problem


def _values(column: pd.Series) -> list[Any]:
    """The column as plain Python values, None where missing."""
    missing = column.isna().tolist()
    values = [value.item() if isinstance(value, np.generic) else value for value in column.tolist()]
    return [None if gone else value for gone, value in zip(missing, values, strict=True)]


def cell_text(value: Any) -> str:
    """A value as text for a format that has only text: empty when missing, `true`, `12`, `1.5`."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text(value)
