"""Files of transcripts, with or without audio, for what needs no workspace: checking and scoring plain files.

| file | a row | utterance_id |
|---|---|---|
| `.csv`, `.tsv` | columns by the names of `workbench.manifests.fields` | its column, or else the audio's file name |
| `.jsonl`, `.ndjson`, `.json` | one JSON object | the same |
| `.trn`, `.transcription`, `transcription` | `text (id)`, see `workbench.manifests.trn` | in parentheses |
| `.txt` | one text, blank lines too | the number of its line, from 1 |
| `text`, `text.*`, `*.trans.txt`, `*.text` | `id text`, as in Kaldi's `text` | the first word |

Another name without a suffix is a `trn` file when every line ends in `(id)`, else like Kaldi's `text`. The audio's file
name is taken without directories and suffix, so that `./en/clips/x.` and `/mnt/clips/x.mp3` are one clip; where that is
the name of several recordings of one file, they are kept apart (see `workbench.manifests.rows.assemble`).

A file with columns may be given as `FILE:COLUMN`, as `combined.csv:azure_transcription`, to say where its texts stand;
`workbench.manifests.text_columns` says what is taken otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.errors import BadInput
from workbench.manifests import csv_tsv, nemo, trn
from workbench.manifests.bad_rows import refuse, without_repeated
from workbench.manifests.columns import field_column, locations, tag_series, tag_values, text_series
from workbench.manifests.faults import Faults, UnusableRow
from workbench.manifests.fields import FIELD_NAMES, cleaned_names, recognise
from workbench.manifests.line_files import parse_kaldi_line
from workbench.manifests.matching import match_ids
from workbench.manifests.rows import REFERENCE, derived_ids
from workbench.manifests.text_columns import refuse_twice, split_column, text_column
from workbench.manifests.text_file import read_lines

__all__ = ["match_ids", "read_hypotheses", "read_references", "read_transcripts"]

_OPTIONAL = ("recording", "start", "end", "sampling_rate", "duration", "speaker", "split")
_CELLS, _OBJECTS = (".csv", ".tsv"), (".jsonl", ".ndjson", ".json")


def read_transcripts(
    path: Path | str, column: str | None = None, faults: Faults | None = None, anonymous: str = ""
) -> pd.DataFrame:
    """The transcripts in a file: utterance_id, annotator, text and source_detail, then the file's other columns.

    `annotator` is `reference` where the file names nobody, `source_detail` is `FILE:LINE`. Recordings stay as written
    and need not be there; times are seconds; other columns are as tags of a manifest. A row without a transcript (see
    `workbench.manifests.csv_tsv`) is left out.

    Args:
        path: a file, or `FILE:COLUMN`.
        column: the column or key of the texts, the same as `FILE:COLUMN`.
        faults: where rows go that cannot be used, and utterances that stand twice by one annotator, so that the rest
            goes on; without it they stop the reading.
        anonymous: several transcripts of an utterance by nobody knows whom are all taken, under this name and a number.

    Raises:
        BadInput: the file cannot be read or is of an unknown kind, there is no column of ids or texts or it cannot be
            told which, no row can be used, or one cannot and there is no `faults`.
    """
    return _read(path, column, faults, "any", annotators=True, anonymous=anonymous)


def read_hypotheses(path: Path | str, column: str | None = None, faults: Faults | None = None) -> pd.DataFrame:
    """A recogniser's texts in a file, read as `read_transcripts` does: utterance_id, hypothesis, then the rest.

    An utterance stands once, whoever its annotators are.

    Raises:
        BadInput: as for `read_transcripts`.
    """
    return _read(path, column, faults, "hypothesis", annotators=False).rename(columns={"text": "hypothesis"})


def read_references(path: Path | str, column: str | None = None, faults: Faults | None = None) -> pd.DataFrame:
    """One transcript an utterance in a file, read as `read_transcripts` does: utterance_id, reference, then the rest.

    Raises:
        BadInput: as for `read_transcripts`.
    """
    return _read(path, column, faults, "reference", annotators=False).rename(columns={"text": "reference"})


def _read(
    path: Path | str, column: str | None, faults: Faults | None, role: str, annotators: bool, anonymous: str = ""
) -> pd.DataFrame:
    if column is None:
        path, column = split_column(path)
    path, found = Path(path), Faults()
    suffix, is_trn = path.suffix.lower(), False
    if suffix in _CELLS:
        frame = _frame(_from_cells(path, role, column, found), path, found)
    elif suffix in _OBJECTS:
        frame = _frame(_from_objects(path, role, column, found), path, found)
    elif column is not None:
        raise BadInput(f"{path} has no columns, so none named {column!r}; give the file alone, or a CSV or JSONL file")
    else:
        frame, is_trn = _from_lines(path, found)
    frame = _numbered_nobodies(frame, anonymous) if anonymous else frame
    frame = without_repeated(frame, path, found, annotators, fold=is_trn)
    if faults is None:
        refuse(path, found, len(frame))
    elif found.rows:
        if frame.empty:
            refuse(path, found, 0)
        faults.rows.extend(found.rows)
    return frame.rename(columns=_clashing(frame.columns[4:], role)).reset_index(drop=True)


def _numbered_nobodies(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows with a numbered name for the annotators of transcripts that several of one utterance lack one for."""
    nobody = frame["annotator"] == REFERENCE
    several = nobody & frame["utterance_id"].duplicated(keep=False)
    if not frame.loc[several, ["utterance_id", "annotator"]].duplicated().any():
        return frame
    number = frame[several].groupby("utterance_id").cumcount() + 1
    named = frame["annotator"].astype(object)
    named[several] = [f"{name}{each}" for each in number]
    return frame.assign(annotator=text_series(named.tolist()))


def _clashing(tags: Iterable[str], role: str) -> dict[str, str]:
    """Another name for the tag that is called what the text will be called."""
    taken, name = set(tags), f"tag_{role}"
    while name in taken:
        name += "_"
    return {role: name} if role in taken and role != "any" else {}


# -- files of lines ---------------------------------------------------------------------------------------------------


def _from_lines(path: Path, faults: Faults) -> tuple[pd.DataFrame, bool]:
    """The rows of a file without columns, and whether it is trn."""
    name, suffix = path.name.lower(), path.suffix.lower()
    if suffix in (".trn", ".transcription") or name == "transcription":
        return _parsed(path, read_lines(path), trn.parse_line, trn.is_skipped, faults), True
    if name == "text" or name.startswith("text.") or name.endswith((".trans.txt", ".text")):
        return _parsed(path, read_lines(path), parse_kaldi_line, _is_blank, faults), False
    if suffix == ".txt":
        return _numbered(path, read_lines(path, blank=True), faults), False
    if suffix:
        raise BadInput(f"{path} is of no known kind; expected .csv, .tsv, .jsonl, .trn, .txt or Kaldi's text")
    lines = read_lines(path)
    if trn.looks_like_trn(lines):
        return _parsed(path, lines, trn.parse_line, trn.is_skipped, faults), True
    return _parsed(path, lines, parse_kaldi_line, _is_blank, faults), False


def _is_blank(line: str) -> bool:
    return not line or line.isspace()


def _numbered(path: Path, lines: list[str], faults: Faults) -> pd.DataFrame:
    numbers = range(1, len(lines) + 1)
    return _line_frame(path, numbers, [str(number) for number in numbers], lines, faults)


def _parsed(
    path: Path, lines: Iterable[str], parse: Callable[[str], tuple[str, str]], skip: Callable[[str], bool],
    faults: Faults,
) -> pd.DataFrame:  # fmt: skip
    numbers, ids, texts = [], [], []
    for number, line in enumerate(lines, start=1):
        if skip(line):
            continue
        try:
            key, text = parse(line)
        except UnusableRow as problem:
            faults.add(f"line {number}", path, number, problem)
            continue
        numbers.append(number)
        ids.append(key)
        texts.append(text)
    return _line_frame(path, numbers, ids, texts, faults)


def _line_frame(path: Path, numbers: Sequence[int], ids: list[str], texts: list[str], faults: Faults) -> pd.DataFrame:
    bad: dict[int, UnusableRow] = {}
    columns = {
        "utterance_id": text_series(field_column("utterance_id", ids, bad)),
        "annotator": text_series([REFERENCE] * len(ids)),
        "text": text_series(field_column("text", texts, bad)),
        "source_detail": locations(path, numbers),
    }
    frame = pd.DataFrame(columns)
    return _without_bad(frame, bad, numbers, path, faults)


def _without_bad(
    frame: pd.DataFrame, bad: dict[int, UnusableRow], lines: Sequence[int], path: Path, faults: Faults
) -> pd.DataFrame:
    for place in sorted(bad):
        faults.add(f"line {lines[place]}", path, lines[place], bad[place])
    faults.rows.sort(key=lambda row: int(row["location"].rpartition(":")[2]))
    return frame.drop(index=list(bad)) if bad else frame


# -- files of columns -------------------------------------------------------------------------------------------------


@dataclass
class _Table:
    """Columns as written: of the recognised fields, and of the tags; and the line of each row."""

    lines: list[int]
    fields: dict[str, list[Any]]
    tags: dict[str, list[Any]]


def _names_for(
    names: Sequence[str], path: Path, line: int, role: str, column: str | None, exact: bool
) -> dict[str, tuple[str, ...]]:
    """The names of each field, the text's first, so that a column asked for is taken for nothing else."""
    text = text_column(names, path, line, role, column, exact)
    return {"text": (text,)} | {name: tuple(known) for name, known in FIELD_NAMES.items() if name != "text"}


def _check_ids(path: Path, line: int, fields: Iterable[str], names: Sequence[str]) -> None:
    if not {"utterance_id", "recording"} & set(fields):
        expected = (*FIELD_NAMES["utterance_id"], *FIELD_NAMES["recording"])
        raise BadInput(
            f"{path}:{line}: found no column of ids among {', '.join(map(repr, names))}; expected one named "
            f"{', '.join(expected)}; rename it"
        )


def _from_cells(path: Path, role: str, column: str | None, faults: Faults) -> _Table:
    cells = csv_tsv.read_cells(path, faults)
    if not cells.rows:
        refuse(path, faults, 0)
    names = cleaned_names(cells.header)
    columns = recognise(cells.header, path, Faults(), _names_for(cells.header, path, 1, role, column, exact=False))
    _check_ids(path, 1, columns.fields, names)
    identity = "utterance_id" if "utterance_id" in columns.fields else "recording"
    refuse_twice(names, [names[columns.fields[name]] for name in (identity, "text")], path, 1)
    records = [record for _, record in cells.rows]

    def at(position: int) -> list[Any]:
        return [record[position] for record in records]

    table = _Table(
        [line for line, _ in cells.rows],
        {name: at(position) for name, position in columns.fields.items()},
        {tag: at(position) for position, tag in columns.tags.items()},
    )
    if "annotator" in table.fields:
        pairs = zip(table.fields["annotator"], table.fields["text"], strict=True)
        table.fields["text"] = [text if text or who.strip(" ") else None for who, text in pairs]
    return table


def _from_objects(path: Path, role: str, column: str | None, faults: Faults) -> _Table:
    objects = list(nemo.read_objects(path, faults))
    if not objects:
        refuse(path, faults, 0)
        raise BadInput(f"{path} has no JSON objects; expected one a line; check how it was made")
    keys = list(dict.fromkeys(key for _, values in objects for key in values))
    columns = recognise(
        keys, path, Faults(), _names_for(keys, path, objects[0][0], role, column, exact=True), exact=True
    )
    _check_ids(path, objects[0][0], columns.fields, keys)

    def of(position: int) -> list[Any]:
        return [values.get(keys[position]) for _, values in objects]

    return _Table(
        [line for line, _ in objects],
        {name: of(position) for name, position in columns.fields.items()},
        {tag: of(position) for position, tag in columns.tags.items()},
    )


def _frame(table: _Table, path: Path, faults: Faults) -> pd.DataFrame:
    bad: dict[int, UnusableRow] = {}
    nothing = [None] * len(table.lines)
    own = [value is not None for value in table.fields.get("utterance_id", nothing)]
    # Each column as written is given up as soon as it is converted: a long file would stand in memory twice.
    fields = {name: field_column(name, table.fields.pop(name), bad) for name in list(table.fields)}
    tags = {tag: tag_values(tag, table.tags.pop(tag), bad) for tag in list(table.tags)}
    ids, recordings = fields.get("utterance_id", nothing), fields.get("recording", nothing)
    for place, (utterance_id, recording) in enumerate(zip(ids, recordings, strict=True)):
        if utterance_id is None and (own[place] or recording is None):
            expected, do = "an id, or the name of an audio file", "fill it in or remove the row"
            bad.setdefault(place, UnusableRow("a row without an id", expected, do))
    if not all(own):
        spans = zip(*(fields.get(name, nothing) for name in ("start", "end", "duration")), strict=True)
        rows = [
            ("" if place in bad else i, r or "", start, duration if end is None else end)
            for place, (i, r, (start, end, duration)) in enumerate(zip(ids, recordings, spans, strict=True))
        ]
        ids = derived_ids(rows)
    columns: dict[str, Any] = {
        "utterance_id": text_series(ids),
        "annotator": text_series([name or REFERENCE for name in fields.get("annotator", nothing)]),
        "text": text_series(fields["text"]),
        "source_detail": locations(path, table.lines),
    }
    columns |= {name: tag_series(fields[name]) for name in _OPTIONAL if name in fields}
    columns |= {tag: tag_series(values) for tag, values in tags.items()}
    frame = _without_bad(pd.DataFrame(columns), bad, table.lines, path, faults)
    return frame[frame["text"].notna()]
