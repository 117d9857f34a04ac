"""NeMo's manifests: one JSON object a line, with audio_filepath, text, duration, offset.

Beside NeMo's names, those that `workbench.manifests.fields` lists are recognised; every other key is a tag and keeps
its JSON type (see `workbench.manifests.rows.tag_column` for lists, objects and mixed types). A line without text, or
with null, is an utterance without a transcript. Lines of the same utterance_id by other `annotator`s are further
transcripts of it. NaN is read as a missing value; infinite numbers, and a key that stands twice, are faults.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from workbench.errors import BadInput
from workbench.manifests.csv_tsv import row_of
from workbench.manifests.exported import ExportedRow
from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.manifests.fields import FIELD_NAMES, Columns, as_tag, recognise
from workbench.manifests.manifest import Manifest
from workbench.manifests.rows import REFERENCE, assemble, implied_end, json_text
from workbench.manifests.text_file import read_lines, write_file

NEMO_NAMES = FIELD_NAMES | {
    "recording": ("audio_filepath", *(name for name in FIELD_NAMES["recording"] if name != "audio_filepath")),
    "start": ("offset", "start"),
}
_WRITTEN = {"recording": "audio_filepath", "start": "offset"}


def read(path: Path, strict: bool = False) -> Manifest:
    """The manifest in a file of JSON lines.

    Raises:
        BadInput: the file cannot be read, or no line names an audio file.
    """
    faults = Faults(strict)
    objects = list(read_objects(path, faults))
    keys = list(dict.fromkeys(key for _, values in objects for key in values))
    columns = recognise(keys, path, faults, NEMO_NAMES, exact=True)
    if objects and "recording" not in columns.fields:
        raise BadInput(
            f"{path}:{objects[0][0]}: found no key for audio files among {', '.join(map(repr, keys))}; expected "
            f"audio_filepath (or {', '.join(NEMO_NAMES['recording'][1:])}); rename it"
        )
    names = {keys[position]: name for name, position in columns.fields.items()}
    tag_names = {keys[position]: tag for position, tag in columns.tags.items()}
    rows = []
    for line, values in objects:
        try:
            fields = {names[key]: value for key, value in values.items() if key in names}
            tags = {tag_names[key]: as_tag(key, value) for key, value in values.items() if key in tag_names}
            rows.append(row_of(path, line, fields, tags))
        except UnusableRow as problem:
            faults.add(item_of(values, keys, columns, line), path, line, problem)
    return assemble(rows, path.parent, list(columns.tags.values()), faults)


def item_of(values: dict[str, Any], keys: Sequence[str], columns: Columns, line: int) -> str:
    """What a fault of this line is about: its id, or the line."""
    position = columns.fields.get("utterance_id")
    named = values.get(keys[position]) if position is not None else None
    return named if isinstance(named, str) and named else f"line {line}"


def read_objects(path: Path, faults: Faults) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file with their lines (from 1); a line that is none is a fault.

    Raises:
        BadInput: the file cannot be read, or is one JSON list.
    """
    lines = read_lines(path)
    if lines[0].lstrip()[:1] == "[":
        raise BadInput(f"{path}:1: found a JSON list; expected one JSON object a line; write its items a line each")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = _parse(line)
        except (ValueError, RecursionError) as problem:
            at = f"{problem.msg} at character {problem.pos + 1}" if isinstance(problem, json.JSONDecodeError) else ""
            found = f"{shown(line)}, which is not JSON ({at or problem})"
            faults.add(f"line {number}", path, number, UnusableRow(found, "one JSON object", "correct the line"))
            continue
        if isinstance(values, dict):
            yield number, values
        else:
            found = f"{shown(line)}, which is no object"
            faults.add(f"line {number}", path, number, UnusableRow(found, "one JSON object", "correct the line"))


def _parse(text: str) -> Any:
    value = json.loads(text, parse_float=_finite, parse_constant=_constant, object_pairs_hook=_object)
    # Only an escape can make half a surrogate pair, which no UTF-8 file could hold.
    if "\\u" in text:
        json_text(value).encode("utf-8")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def _constant(name: str) -> None:
    if name != "NaN":
        _refuse(f"{name} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        _refuse(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return values


def _refuse(reason: str) -> NoReturn:
    raise ValueError(reason)


def write(path: Path, rows: Sequence[ExportedRow], tags: Sequence[str]) -> None:
    """Write a file of JSON lines: one for each transcript, and for each utterance without one.

    A tag without a value is null, so that every line has every tag; other missing values are left out, `annotator` for
    `reference`, and `end` where it is offset + duration.
    """
    # A field that no line has would let a tag that bears one of its other names be taken for it.
    spoken_for = [name for name, names in NEMO_NAMES.items() if set(names) & set(tags)]
    lines = []
    for row in rows:
        fields = dict(row.fields)
        start, duration = fields["start"], fields["duration"]
        if start is not None and duration is not None and fields["end"] == implied_end(start, duration):
            fields["end"] = None
        values = {tag: _json_value(row.tags[tag]) for tag in tags}
        transcripts: Sequence[tuple[str, str | None]] = row.transcripts or [(REFERENCE, None)]
        for annotator, text in transcripts:
            record: dict[str, Any] = {"utterance_id": row.utterance_id} | fields | {"text": text}
            record["annotator"] = annotator if annotator != REFERENCE else None
            kept = {_WRITTEN.get(n, n): v for n, v in record.items() if v is not None or n in spoken_for}
            lines.append(json_text(kept | values) + "\n")
    write_file(path, "".join(lines))


def _json_value(value: Any) -> Any:
    """The list or object that a text is the JSON of, exactly as we write it; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        parsed = _parse(value)
        return parsed if json_text(parsed) == value else value
    except (ValueError, RecursionError):
        return value
