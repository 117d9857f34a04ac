"""Rows of any manifest to the frames of utterances and transcripts, each row checked."""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.manifests.fields import INTEGERS, UTTERANCE_FIELDS, as_label, as_rate, as_seconds, has_unprintable
from workbench.manifests.manifest import Manifest

REFERENCE = "reference"
# Kaldi's utt2dur counts whole frames and rounds, so a duration may differ a little from end - start.
_DURATION_TOLERANCE = 0.05
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(slots=True)
class Row:
    """One row: an utterance, its values as they are in the file, with one transcript of it or none (text is None)."""

    path: Path
    line: int
    utterance_id: str | None
    recording: str
    start: float | None = None
    end: float | None = None
    sampling_rate: int | None = None
    duration: float | None = None
    speaker: str | None = None
    split: str | None = None
    tags: dict[str, Any] = field(default_factory=dict)
    annotator: str | None = None
    text: str | None = None
    text_location: str | None = None
    "Where the transcript is from, when that is not the row's own place."

    @property
    def location(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def item(self) -> str:
        return self.utterance_id or f"line {self.line}"


def assemble(rows: Sequence[Row], directory: Path, tags: Sequence[str], faults: Faults) -> Manifest:
    """The manifest that the rows make, in the order in which the utterances first come.

    Rows of one utterance are its transcripts by several annotators; a value missing in one of them is taken from
    another. An utterance that has no id gets its recording's file name without the suffix, then `-START` where it does
    not start at the beginning; where that is the name of several utterances, also `-` and eight digits of a hash of
    recording, start and end as written, so that ids do not depend on the order of the rows.

    Args:
        rows: values by the types of `Row`; paths still as written.
        directory: what relative paths start at.
        tags: every tag of the manifest, in the order of the columns.
        faults: where faults go.
    """
    find = _AudioFinder(directory)
    _name_utterances(rows)
    utterances: dict[str, Row] = {}
    transcripts: dict[str, dict[str, tuple[str, str]]] = {}
    for row in rows:
        try:
            utterance_id = row.utterance_id or ""
            if has_unprintable(utterance_id):
                as_label("utterance_id", utterance_id)
            row.recording = find(row.recording)
            _settle_times(row)
            _add(row, utterance_id, utterances, transcripts)
        except UnusableRow as problem:
            faults.add(row.item, row.path, row.line, problem)
    return Manifest(_utterance_frame(utterances, tags), _transcript_frame(transcripts), faults.rows)


def _add(
    row: Row, utterance_id: str, utterances: dict[str, Row], transcripts: dict[str, dict[str, tuple[str, str]]]
) -> None:
    first = utterances.get(utterance_id)
    annotator = row.annotator or REFERENCE
    if first is not None:
        _check_agreement(first, row)
        mine = transcripts[utterance_id]
        if row.text is None or annotator in mine:
            before = mine[annotator][1] if annotator in mine else first.location
            raise UnusableRow(
                f"the utterance again, by {shown(annotator)}, after {before}",
                "one row for each utterance and annotator",
                "remove one, or name their annotators in a column `annotator`",
            )
        new = {name: getattr(row, name) for name in UTTERANCE_FIELDS if getattr(first, name) is None}
        merged = replace(first, **new)
        _settle_times(merged)
        merged.tags = first.tags | {tag: value for tag, value in row.tags.items() if first.tags.get(tag) is None}
        utterances[utterance_id] = merged
    else:
        utterances[utterance_id] = row
    mine = transcripts.setdefault(utterance_id, {})
    if row.text is not None:
        mine[annotator] = (row.text, row.text_location or row.location)


def _check_agreement(first: Row, row: Row) -> None:
    pairs = [(name, getattr(first, name), getattr(row, name)) for name in UTTERANCE_FIELDS]
    pairs += [(tag, first.tags.get(tag), value) for tag, value in row.tags.items()]
    for name, before, now in pairs:
        if before is not None and now is not None and before != now:
            raise UnusableRow(
                f"{name} {shown(now)}, but {shown(before)} in {first.location}",
                "the same in every row of the utterance",
                "correct one of them, or give the rows ids of their own",
            )


def _name_utterances(rows: Sequence[Row]) -> None:
    named = derived_ids(
        [(row.utterance_id, row.recording, row.start, row.duration if row.end is None else row.end) for row in rows]
    )
    for row, utterance_id in zip(rows, named, strict=True):
        row.utterance_id = utterance_id


def derived_ids(rows: Sequence[tuple[str | None, str, float | None, float | None]]) -> list[str]:
    """The utterance id of each row (id or None, recording, start, end), made from the recording where there is none.

    >>> derived_ids([(None, "a/네.wav", None, None), (None, "b.wav", 1.5, 2.0), ("x", "b.wav", None, None)])
    ['네', 'b-1.5', 'x']
    """
    spans_of: dict[str, set[tuple[Any, ...]]] = {}
    bases = []
    for utterance_id, recording, start, end in rows:
        base = _stem(recording) + (f"-{start!r}" if start else "") if utterance_id is None else utterance_id
        bases.append(base)
        spans_of.setdefault(base, set()).add((recording, start, end) if utterance_id is None else ())
    return [
        base
        if row[0] is not None or len(spans_of[base]) == 1
        else f"{base}-{hashlib.sha256(repr(row[1:]).encode()).hexdigest()[:8]}"
        for base, row in zip(bases, rows, strict=True)
    ]


def _stem(recording: str) -> str:
    name = recording.replace("\\", "/").rstrip("/").rpartition("/")[2].strip(" ")
    return name.rpartition(".")[0].strip(" ") or name


class _AudioFinder:
    """Paths as written to absolute paths of files that are there; each path is looked up once."""

    def __init__(self, directory: Path) -> None:
        self.directory = os.path.abspath(directory)
        self.found: dict[str, str | None] = {}

    def __call__(self, written: str) -> str:
        if not written:
            raise UnusableRow("no audio file", "the path of one", "fill it in")
        if has_unprintable(written):
            raise UnusableRow(f"control characters in the path {shown(written)}", "a path without", "rename the file")
        if written not in self.found:
            self.found[written] = self._look(written)
        path = self.found[written]
        if path is not None:
            return path
        if _URL.match(written):
            raise UnusableRow(f"the address {shown(written)}", "the path of a file", "download it first")
        raise UnusableRow(
            f"no file {os.path.join(self.directory, written)}",
            f"an audio file there (relative paths start at {self.directory})",
            "correct the path or bring the file",
        )

    def _look(self, written: str) -> str | None:
        # macOS writes Hangul file names decomposed, so the name in the manifest and on disk may differ in form only.
        forms = [unicodedata.normalize(form, written.strip()) for form in ("NFC", "NFD")]
        for variant in dict.fromkeys([written, written.strip(), *forms]):
            path = os.path.abspath(os.path.join(self.directory, variant))
            if os.path.isfile(path):
                return path
        return None


def _settle_times(row: Row) -> None:
    """Fill in what of start, end and duration follows from the others, and check that they agree."""
    row.start, row.end = as_seconds("start", row.start), as_seconds("end", row.end)
    row.duration, row.sampling_rate = as_seconds("duration", row.duration), as_rate("sampling_rate", row.sampling_rate)
    if row.end is None and row.start is not None and row.duration is not None:
        row.end = implied_end(row.start, row.duration)
    if row.end is None:
        row.start = row.start or None  # from 0 to the end is the whole recording
        return
    row.start = row.start or 0.0
    if row.end <= row.start:
        raise UnusableRow(f"end {row.end!r} s, start {row.start!r} s", "an end after the start", "correct one of them")
    if row.duration is None:
        row.duration = implied_duration(row.start, row.end)
    elif abs(row.end - row.start - row.duration) > _DURATION_TOLERANCE:
        raise UnusableRow(
            f"a duration of {row.duration!r} s from {row.start!r} s to {row.end!r} s",
            "duration = end - start",
            "correct one of the three",
        )


def implied_end(start: float, duration: float) -> float:
    """The end (s) of a span; rounded to a nanosecond, so that 0.1 + 0.2 is 0.3."""
    return round(start + duration, 9)


def implied_duration(start: float, end: float) -> float:
    """The duration (s) of a span; rounded to a nanosecond."""
    return round(end - start, 9)


def _utterance_frame(utterances: dict[str, Row], tags: Sequence[str]) -> pd.DataFrame:
    rows = list(utterances.values())
    columns: dict[str, pd.Series] = {
        "utterance_id": pd.Series(list(utterances), dtype="str"),
        "recording": pd.Series([row.recording for row in rows], dtype="str"),
        "start": pd.Series([row.start for row in rows], dtype="float64"),
        "end": pd.Series([row.end for row in rows], dtype="float64"),
        "sampling_rate": pd.Series([row.sampling_rate for row in rows], dtype="Int64"),
        "duration": pd.Series([row.duration for row in rows], dtype="float64"),
        "speaker": pd.Series([row.speaker for row in rows], dtype="str"),
        "split": pd.Series([row.split for row in rows], dtype="str"),
        "source": pd.Series([row.location for row in rows], dtype="str"),
    }
    for tag in tags:
        columns[tag] = tag_column([row.tags.get(tag) for row in rows])
    return pd.DataFrame(columns)


def _transcript_frame(transcripts: dict[str, dict[str, tuple[str, str]]]) -> pd.DataFrame:
    flat = [(i, annotator, *written) for i, mine in transcripts.items() for annotator, written in mine.items()]
    return pd.DataFrame(flat, columns=["utterance_id", "annotator", "text", "source_detail"], dtype="str")


def tag_column(values: Sequence[Any]) -> pd.Series:
    """The values (None where missing) as one typed column.

    Text, whole numbers, numbers or booleans stay what they are when the whole column is so; where they are mixed, or
    one is a list or an object, text stays and the rest becomes JSON text.

    >>> tag_column([1, None, 2]).dtype, tag_column([1, 2.5]).dtype, tag_column([True, None]).dtype
    (Int64Dtype(), dtype('float64'), BooleanDtype)
    >>> tag_column(["a", 1, [True, "네"], None]).tolist()
    ['a', '1', '[true, "네"]', nan]
    """
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {str}:
        return pd.Series(list(values), dtype="str")
    if kinds == {bool}:
        return pd.Series(list(values), dtype="boolean")
    if kinds <= {int, float} and all(value in INTEGERS for value in values if isinstance(value, int)):
        return pd.Series(list(values), dtype="Int64" if kinds == {int} else "float64")
    return pd.Series([v if v is None or isinstance(v, str) else json_text(v) for v in values], dtype="str")


def json_text(value: Any) -> str:
    """The value as JSON text, Hangul as Hangul."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
