r"""CSV and TSV manifests, with a header whose names `workbench.manifests.fields` lists.

Quoting is that of RFC 4180 in both: a cell with delimiters, quotes or line breaks stands in double quotes, a quote in
it is doubled. A `.csv` file may be delimited by commas, semicolons or tabs, found out from its header. Rows of the same
utterance_id by other annotators are further transcripts of it. An empty cell is a missing value, except in the text
column, where it is an empty transcript; only in a file with a column `annotator`, a row without annotator and text is
an utterance without a transcript. Text such as `NA`, `nan` and `007` stays text. Tags are text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import BadInput
from workbench.manifests.exported import ExportedRow, cell_text
from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.manifests.fields import (
    FIELD_NAMES,
    UTTERANCE_FIELDS,
    Columns,
    as_label,
    as_rate,
    as_seconds,
    as_tag,
    as_text,
    recognise,
)
from workbench.manifests.manifest import Manifest
from workbench.manifests.rows import Row, assemble
from workbench.manifests.text_file import read_text, write_file

_DELIMITERS = {".tsv": "\t", ".csv": ",;\t"}
# As long as a file: whether a cell is too long is not for the CSV reader to say.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Cells:
    """A table of text: its header's names, and its rows with the physical line (from 1) that each begins on."""

    header: list[str]
    rows: list[tuple[int, tuple[str, ...]]]


def read(path: Path, strict: bool = False) -> Manifest:
    """The manifest in a CSV or TSV file.

    Raises:
        BadInput: the file cannot be read, has no rows, or no column of audio paths.
    """
    faults = Faults(strict)
    cells = read_cells(path, faults)
    columns = recognise(cells.header, path, faults)
    if "recording" not in columns.fields:
        raise BadInput(
            f"{path}:1: found no column of audio files among {', '.join(map(repr, cells.header))}; expected one named "
            f"{', '.join(FIELD_NAMES['recording'])}; rename it, or check the transcripts alone with `workbench check`"
        )
    rows = []
    for line, record in cells.rows:
        try:
            rows.append(row_of(path, line, fields_of(record, columns), tags_of(record, columns)))
        except UnusableRow as problem:
            faults.add(item_of(record, columns, line), path, line, problem)
    return assemble(rows, path.parent, list(columns.tags.values()), faults)


def read_cells(path: Path, faults: Faults, quoted: bool = True) -> Cells:
    """The cells of a CSV or TSV file; a row of another length than the header, or with a broken quote, is a fault.

    Raises:
        BadInput: the file cannot be read, or has a header only.
    """
    text = read_text(path)
    delimiter = _delimiter(text, _DELIMITERS.get(path.suffix.lower(), ",;\t"), quoted)
    records = _records(text, delimiter, quoted, path, faults)
    header = next(records, None)
    rows = []
    for line, record in records:
        if header is None or len(record) == len(header[1]):
            # The garbage collector looks at a million lists again and again, and at tuples of text once.
            rows.append((line, tuple(record)))
            continue
        reason = UnusableRow(
            f"{len(record)} cells, the first {shown(record[0])}",
            f"{len(header[1])} as in the header",
            "check the row's delimiters and quotes",
        )
        faults.add(f"line {line}", path, line, reason)
    if header is None or (not rows and not faults.rows):
        raise BadInput(f"{path} has no rows below its header; expected at least one; check how it was made")
    return Cells(header[1], rows)


def _records(text: str, delimiter: str, quoted: bool, path: Path, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_lines(text), _dialect(delimiter, quoted))
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            if line == 1:
                raise BadInput(f"{path}:1: the header cannot be read ({problem}); expected names in one row") from None
            reason = UnusableRow(
                f"broken quoting from line {line} to line {reader.line_num} ({problem})",
                'cells in double quotes, with quotes inside doubled as ""',
                "correct the quotes",
            )
            faults.add(f"line {line}", path, line, reason)
            continue
        if record:
            yield line, record


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends; a lone CR ends none, so that line numbers are those of an editor.

    io.StringIO would do, with a copy of the whole text at four bytes a character.
    """
    start = 0
    while end := text.find("\n", start) + 1:
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def _dialect(separator: str, quoted: bool) -> type[csv.Dialect]:
    class Dialect(csv.Dialect):
        delimiter = separator
        quotechar = '"'
        doublequote = True
        skipinitialspace = False
        quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        lineterminator = "\n"
        strict = True

    return Dialect


def _delimiter(text: str, candidates: str, quoted: bool) -> str:
    if len(candidates) == 1:
        return candidates
    known = {name for names in FIELD_NAMES.values() for name in names}

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            header = next(csv.reader(_lines(text), _dialect(delimiter, quoted)), [])
        except csv.Error:
            return -1, 0
        return sum(name.strip().casefold() in known for name in header), len(header)

    return max(candidates, key=fitness)


def fields_of(record: Sequence[str], columns: Columns) -> dict[str, object]:
    """The values of the recognised fields; `text` is None where the row has no transcript."""
    values: dict[str, object] = {name: record[position] for name, position in columns.fields.items()}
    if "annotator" in values and not str(values["annotator"]).strip(" ") and not values.get("text"):
        values["text"] = None
    return values


def tags_of(record: Sequence[str], columns: Columns) -> dict[str, object]:
    """The row's tags, those without a value included."""
    return {tag: as_tag(tag, record[position]) for position, tag in columns.tags.items()}


def item_of(record: Sequence[str], columns: Columns, line: int) -> str:
    """What a fault of this row is about: its id, or its line."""
    position = columns.fields.get("utterance_id")
    return (record[position].strip() if position is not None else "") or f"line {line}"


def row_of(path: Path, line: int, values: Mapping[str, object], tags: dict[str, object]) -> Row:
    """The row with each field as its type; `values` may be text, or JSON values.

    Raises:
        UnusableRow: a value is not of its field's type, or there is no id where there is a place for it.
    """
    utterance_id = as_label("utterance_id", values.get("utterance_id"))
    if utterance_id is None and values.get("utterance_id") is not None:
        raise UnusableRow("an empty utterance_id", "an id", "fill it in")
    recording = values.get("recording")
    if not isinstance(recording, str):
        raise UnusableRow(f"audio {shown(recording)}", "the path of one file, as text", "correct it")
    return Row(
        path,
        line,
        utterance_id,
        recording,
        start=as_seconds("start", values.get("start")),
        end=as_seconds("end", values.get("end")),
        sampling_rate=as_rate("sampling_rate", values.get("sampling_rate")),
        duration=as_seconds("duration", values.get("duration")),
        speaker=as_label("speaker", values.get("speaker")),
        split=as_label("split", values.get("split")),
        tags=tags,
        annotator=as_label("annotator", values.get("annotator")),
        text=as_text("text", values.get("text")),
    )


def write_csv(path: Path, rows: Sequence[ExportedRow], tags: Sequence[str]) -> None:
    """Write a CSV file with one row for each transcript, and for each utterance without one."""
    write_file(path, _written(rows, tags, ","))


def write_tsv(path: Path, rows: Sequence[ExportedRow], tags: Sequence[str]) -> None:
    """Write a TSV file, quoted as CSV is."""
    write_file(path, _written(rows, tags, "\t"))


def _written(rows: Sequence[ExportedRow], tags: Sequence[str], delimiter: str) -> str:
    # Every field has its column, even an empty one, so that no tag is taken for a field when it is read back.
    special = re.compile(f'["\r\n{delimiter}]')

    def line(cells: Sequence[str]) -> str:
        return delimiter.join('"' + c.replace('"', '""') + '"' if special.search(c) else c for c in cells) + "\n"

    lines = [line(["utterance_id", *UTTERANCE_FIELDS, "annotator", "text", *tags])]
    for row in rows:
        fields = [cell_text(row.fields[name]) for name in UTTERANCE_FIELDS]
        values = [cell_text(row.tags[tag]) for tag in tags]
        for annotator, text in row.transcripts or [("", "")]:
            lines.append(line([row.utterance_id, *fields, annotator, text, *values]))
    return "".join(lines)
