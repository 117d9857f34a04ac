"""Files of transcripts, with or without audio, for what needs no workspace: checking and scoring plain files.

| file | a row | utterance_id |
|---|---|---|
| `.csv`, `.tsv` | columns by the names of `workbench.manifests.fields` | its column, or else the audio's file name |
| `.jsonl`, `.ndjson`, `.json` | one JSON object | the same |
| `.trn`, `.transcription`, `transcription` | `text (id)`; `<s>` and `</s>` around it are dropped | in parentheses |
| `.txt` | one text, blank lines too | the number of its line, from 1 |
| `text`, `text.*`, `*.trans.txt`, `*.text` | `id text`, as in Kaldi's `text` | the first word |

Another name without a suffix is a `trn` file when every line ends in `(id)`, else like Kaldi's `text`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.errors import BadInput
from workbench.manifests import csv_tsv, nemo
from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.manifests.fields import FIELD_NAMES, as_label, as_rate, as_seconds, as_tag, as_text, recognise
from workbench.manifests.rows import REFERENCE, derived_ids, tag_column
from workbench.manifests.text_file import read_lines

# A recogniser's output names its text otherwise than a manifest does.
TRANSCRIPT_NAMES = FIELD_NAMES | {"text": (*FIELD_NAMES["text"], "hypothesis", "hyp", "prediction", "pred_text")}
_OPTIONAL = ("recording", "start", "end", "sampling_rate", "duration", "speaker", "split")
_TRN = re.compile(r"(.*?)[ \t]*\(([^()\s]+)\)[ \t]*", re.DOTALL)
_SENTENCE = re.compile(r"<s>[ \t]?(.*?)[ \t]?</s>", re.DOTALL)


def read_transcripts(path: Path | str) -> pd.DataFrame:
    """The transcripts in a file: utterance_id, annotator, text and source_detail, then the file's other columns.

    `annotator` is `reference` where the file names nobody, `source_detail` is `FILE:LINE`. Recordings stay as written
    and need not be there; times are seconds; other columns are as tags of a manifest. A row without a transcript (see
    `workbench.manifests.csv_tsv`) is left out.

    Raises:
        BadInput: the file cannot be read or is of an unknown kind, a row cannot be used, or an utterance comes twice
            by the same annotator.
    """
    path = Path(path)
    name, suffix = path.name.lower(), path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        frame = _from_cells(path)
    elif suffix in (".jsonl", ".ndjson", ".json"):
        frame = _from_objects(path)
    elif name in ("text", "transcription") or name.startswith("text.") or name.endswith((".trans.txt", ".text")):
        frame = _from_lines(path, _trn if name == "transcription" else _kaldi)
    elif suffix in (".trn", ".transcription"):
        frame = _from_lines(path, _trn)
    elif suffix == ".txt":
        frame = _from_lines(path, lambda line, number: (str(number), line))
    elif not suffix:
        lines = read_lines(path)
        frame = _from_lines(path, _trn if all(_TRN.fullmatch(line) for line in lines if line.strip()) else _kaldi)
    else:
        raise BadInput(f"{path} is of no known kind; expected .csv, .tsv, .jsonl, .trn, .txt or Kaldi's text")
    _check_key(frame)
    return frame.reset_index(drop=True)


# Where a file holds both, the reference is not what the recogniser said.
_HYPOTHESIS_NAMES = ("hypothesis", "hyp", "prediction", "pred_text", "text")


def read_hypotheses(path: Path | str) -> pd.DataFrame:
    """A recogniser's texts in a file, read as `read_transcripts` does: utterance_id, hypothesis, then the rest.

    The text is in the first column there is of hypothesis, hyp, prediction, pred_text and text.

    Raises:
        BadInput: as for `read_transcripts`, or an utterance comes twice.
    """
    frame = read_transcripts(path)
    name = next(name for name in _HYPOTHESIS_NAMES if name in frame.columns)
    _refuse_repeated(frame, path)
    frame = frame.rename(columns={name: "hypothesis"})
    return frame.assign(hypothesis=frame["hypothesis"].fillna("").astype(str))


def read_references(path: Path | str) -> pd.DataFrame:
    """One transcript an utterance in a file, read as `read_transcripts` does: utterance_id, reference, then the rest.

    Raises:
        BadInput: as for `read_transcripts`, or an utterance comes twice.
    """
    frame = read_transcripts(path).rename(columns={"text": "reference"})
    _refuse_repeated(frame, path)
    return frame


def _refuse_repeated(frame: pd.DataFrame, path: Path | str) -> None:
    repeated = frame["utterance_id"][frame["utterance_id"].duplicated()].unique()
    if len(repeated):
        raise BadInput(
            f"{path}: {len(repeated)} utterances stand more than once, the first is {repeated[0]!r}; keep one text each"
        )


def _kaldi(line: str, number: int) -> tuple[str, str]:
    key = re.split(r"[ \t]", line, maxsplit=1)[0]
    if not key:
        raise UnusableRow(f"no id in {shown(line)}", "an id, a space and a text", "correct or remove the line")
    return key, line[len(key) + 1 :]


def _trn(line: str, number: int) -> tuple[str, str]:
    match = _TRN.fullmatch(line)
    if match is None:
        raise UnusableRow(shown(line), "`text (id)`", "end the line with its id in parentheses")
    text, key = match.group(1), match.group(2)
    sentence = _SENTENCE.fullmatch(text)
    return key, sentence.group(1) if sentence else text


def _from_lines(path: Path, parse: Any) -> pd.DataFrame:
    faults = Faults(strict=True)
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() and parse in (_kaldi, _trn):
            continue
        try:
            key, text = parse(line, number)
            rows.append((as_label("utterance_id", key), REFERENCE, as_text("text", text), f"{path}:{number}"))
        except UnusableRow as problem:
            faults.add(f"line {number}", path, number, problem)
    return pd.DataFrame(rows, columns=["utterance_id", "annotator", "text", "source_detail"], dtype="str")


def _from_cells(path: Path) -> pd.DataFrame:
    faults = Faults(strict=True)
    cells = csv_tsv.read_cells(path, faults)
    columns = recognise(cells.header, path, Faults(), TRANSCRIPT_NAMES)
    _check_columns(path, 1, columns.fields, cells.header)
    rows = [(line, csv_tsv.fields_of(row, columns), csv_tsv.tags_of(row, columns)) for line, row in cells.rows]
    return _frame(path, rows, list(columns.fields), list(columns.tags.values()))


def _from_objects(path: Path) -> pd.DataFrame:
    objects = list(nemo.read_objects(path, Faults(strict=True)))
    keys = list(dict.fromkeys(key for _, values in objects for key in values))
    columns = recognise(keys, path, Faults(), TRANSCRIPT_NAMES, exact=True)
    _check_columns(path, objects[0][0], columns.fields, keys)
    names = {keys[position]: name for name, position in columns.fields.items()}
    tags = {keys[position]: tag for position, tag in columns.tags.items()}
    rows = []
    for line, values in objects:
        fields = {names[key]: value for key, value in values.items() if key in names}
        rows.append((line, fields, {tags[key]: as_tag(key, v) for key, v in values.items() if key in tags}))
    return _frame(path, rows, list(columns.fields), list(columns.tags.values()))


def _check_columns(path: Path, line: int, fields: Mapping[str, int], found: Sequence[str]) -> None:
    for missing, names in (
        ("ids", (*TRANSCRIPT_NAMES["utterance_id"], *TRANSCRIPT_NAMES["recording"])),
        ("texts", TRANSCRIPT_NAMES["text"]),
    ):
        if not any(name in fields for name in (("utterance_id", "recording") if missing == "ids" else ("text",))):
            raise BadInput(
                f"{path}:{line}: found no column of {missing} among {', '.join(map(repr, found))}; expected one named "
                f"{', '.join(names)}; rename it"
            )


def _frame(
    path: Path, rows: Sequence[tuple[int, dict[str, Any], dict[str, Any]]], fields: Sequence[str], tags: Sequence[str]
) -> pd.DataFrame:
    faults = Faults(strict=True)
    kept: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    for line, values, tag_values in rows:
        try:
            converted = _converted(values)
        except UnusableRow as problem:
            faults.add(f"line {line}", path, line, problem)
            continue
        if converted["text"] is not None:
            kept.append((line, converted, tag_values))
    ids = derived_ids(
        [(v["utterance_id"], v["recording"] or "", v["start"], v["end"] or v["duration"]) for _, v, _ in kept]
    )
    columns: dict[str, pd.Series] = {
        "utterance_id": pd.Series(ids, dtype="str"),
        "annotator": pd.Series([values["annotator"] or REFERENCE for _, values, _ in kept], dtype="str"),
        "text": pd.Series([values["text"] for _, values, _ in kept], dtype="str"),
        "source_detail": pd.Series([f"{path}:{line}" for line, _, _ in kept], dtype="str"),
    }
    for name in _OPTIONAL:
        if name in fields:
            columns[name] = tag_column([values[name] for _, values, _ in kept])
    for tag in tags:
        columns[tag] = tag_column([values.get(tag) for _, _, values in kept])
    return pd.DataFrame(columns)


def _converted(values: Mapping[str, Any]) -> dict[str, Any]:
    utterance_id = as_label("utterance_id", values.get("utterance_id"))
    recording = as_label("audio", values.get("recording"))
    if utterance_id is None and (values.get("utterance_id") is not None or recording is None):
        raise UnusableRow("a row without an id", "an id, or the name of an audio file", "fill it in or remove the row")
    return {
        "utterance_id": utterance_id,
        "recording": recording,
        "sampling_rate": as_rate("sampling_rate", values.get("sampling_rate")),
        "text": as_text("text", values.get("text")),
        **{name: as_seconds(name, values.get(name)) for name in ("start", "end", "duration")},
        **{name: as_label(name, values.get(name)) for name in ("speaker", "split", "annotator")},
    }


def _check_key(frame: pd.DataFrame) -> None:
    repeated = frame.duplicated(["utterance_id", "annotator"])
    if repeated.any():
        row = frame[repeated].iloc[0]
        same = (frame["utterance_id"] == row["utterance_id"]) & (frame["annotator"] == row["annotator"])
        raise BadInput(
            f"{row['source_detail']}: found utterance {row['utterance_id']!r} by {row['annotator']!r} again, after "
            f"{frame['source_detail'][same].iloc[0]}; expected one transcript of it by each annotator; remove one, or "
            "name their annotators in a column `annotator`"
        )
