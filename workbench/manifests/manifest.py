"""Manifests of every format: read into frames, written from frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from workbench.errors import BadInput

READABLE = ("csv", "tsv", "nemo", "kaldi", "librispeech", "common_voice")
WRITABLE = ("csv", "tsv", "nemo", "kaldi")
_JSON_LINES = (".jsonl", ".ndjson", ".json")


@dataclass
class Manifest:
    """What a manifest holds.

    `utterances` has the columns of the table of that name, then one column a tag. `transcripts` has utterance_id,
    annotator (`reference` where the manifest names nobody), text and source_detail (`FILE:LINE`), in the order of the
    utterances. `faults` are rows of the table `faults`: what was left out, or could not be kept as it was.
    """

    utterances: pd.DataFrame
    transcripts: pd.DataFrame
    faults: list[dict[str, str]] = field(default_factory=list)


def read_manifest(path: Path | str, format: str | None = None, strict: bool = False) -> Manifest:
    """The manifest at `path`, its format found out unless it is given.

    Recordings are absolute paths, found from the manifest's directory. A row that cannot be used, for example because
    its audio file is not there, is left out and is a fault.

    Args:
        format: one of `READABLE`.
        strict: stop at the first fault.

    Raises:
        BadInput: there is no such file, it is empty, not UTF-8, of an unknown format, or names no audio; with
            `strict`, also the first fault.
    """
    from workbench.manifests import common_voice, csv_tsv, kaldi, librispeech, nemo

    readers = {
        "csv": csv_tsv.read,
        "tsv": csv_tsv.read,
        "nemo": nemo.read,
        "kaldi": kaldi.read,
        "librispeech": librispeech.read,
        "common_voice": common_voice.read,
    }
    path = Path(path)
    if format is None:
        format = detect_format(path)
    if format not in readers:
        raise BadInput(f"format {format!r} is not known; expected one of {', '.join(READABLE)}")
    return readers[format](path, strict)


def write_manifest(path: Path | str, format: str, utterances: pd.DataFrame, transcripts: pd.DataFrame) -> None:
    """Write a new manifest, from which `read_manifest` gives back the same utterances, tags and transcripts.

    `source` and `source_detail` are not written: they name another file's lines. Tags of type number and boolean stay
    so in NeMo's format and become text in the others. Kaldi directories come back sorted by utterance id. Nothing is
    escaped for spreadsheets: a text that begins with `=` is written as it is, so open exports of foreign data as text.

    Args:
        path: a new file, or for kaldi a new or empty directory.
        format: one of `WRITABLE`.
        utterances: as `Manifest.utterances`; recordings are absolute paths.
        transcripts: utterance_id, annotator, text; one transcript for each utterance and annotator.

    Raises:
        BadInput: the format is not known or cannot hold a value, the frames contradict each other, or there is
            something at `path`.
    """
    from workbench.manifests import csv_tsv, kaldi, nemo
    from workbench.manifests.exported import exported_rows

    writers = {"csv": csv_tsv.write_csv, "tsv": csv_tsv.write_tsv, "nemo": nemo.write, "kaldi": kaldi.write}
    if format not in writers:
        raise BadInput(f"format {format!r} cannot be written; expected one of {', '.join(WRITABLE)}")
    rows, tags = exported_rows(utterances, transcripts)
    writers[format](Path(path), rows, tags)


def detect_format(path: Path) -> str:
    """The format of the manifest at `path`, by what is in the directory, or the file's suffix and header.

    Raises:
        BadInput: there is nothing at `path`, or nothing that is known.
    """
    from workbench.manifests import common_voice, librispeech

    known = "expected .csv, .tsv, .jsonl, a Kaldi data directory (wav.scp), a LibriSpeech tree or a Common Voice TSV"
    if path.is_dir():
        if (path / "wav.scp").is_file():
            return "kaldi"
        if librispeech.transcript_files(path):
            return "librispeech"
        inside = sorted(child.name for child in path.iterdir() if child.suffix in (".csv", ".tsv", *_JSON_LINES))
        hint = f"name one of its files: {', '.join(inside[:5])}" if inside else "check the path"
        raise BadInput(f"{path} is a directory of no known format; {known}; {hint}")
    if not path.exists():
        raise BadInput(f"{path} is not there; check the path")
    if path.name == "wav.scp":
        raise BadInput(f"{path} is one file of a Kaldi data directory; name the directory {path.parent}")
    suffix = path.suffix.lower()
    if suffix == ".tsv":
        return "common_voice" if common_voice.looks_so(path) else "tsv"
    if suffix == ".csv":
        return "csv"
    if suffix in _JSON_LINES:
        return "nemo"
    raise BadInput(f"{path} has no known format; {known}; or name the format: {', '.join(READABLE)}")
