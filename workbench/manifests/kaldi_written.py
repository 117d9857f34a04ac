"""Writing Kaldi data directories; `workbench.manifests.kaldi` says what the files hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import BadInput
from workbench.manifests.exported import ExportedRow, cell_text
from workbench.manifests.rows import REFERENCE, implied_duration
from workbench.manifests.text_file import write_directory

_PLAIN_NAME = re.compile(r"[\w-]{1,60}")
# Names of files that mean something else, or that we make up for tags whose name cannot be a file's.
_TAKEN_NAME = re.compile(r"spk|utt|dur|split|sampling_rate|tag_\d+")


def write(path: Path, rows: Sequence[ExportedRow], tags: Sequence[str]) -> None:
    """Write a Kaldi data directory, sorted by id.

    Raises:
        BadInput: an id has spaces, a text or a value has line breaks, or `path` is there and not empty.
    """
    rows = sorted(rows, key=lambda row: row.utterance_id)
    for row in rows:
        _check(row)
    files: dict[str, dict[str, str]] = {}
    files.update(_audio(rows))
    files.update(_speakers(rows))
    files.update(_fields(rows))
    files.update(_tags(rows, tags))
    files.update(_transcripts(rows))
    write_directory(path, {name: _lines(entries) for name, entries in files.items()})


def _lines(entries: Mapping[str, str]) -> str:
    return "".join(f"{key} {entries[key]}\n" for key in sorted(entries))


def _check(row: ExportedRow) -> None:
    remedy = "a Kaldi directory cannot hold it; change it, or write CSV or NeMo's format"
    speaker, recording = row.fields["speaker"], row.fields["recording"]
    for name, value in (("utterance id", row.utterance_id), ("speaker", speaker)):
        if value is not None and " " in value:
            raise BadInput(f"utterance {row.utterance_id!r}: the {name} {value!r} has a space; {remedy}")
    if recording.startswith("|") or recording.endswith(("|", " ")):
        raise BadInput(f"utterance {row.utterance_id!r}: the path {recording!r} reads as a command; {remedy}")
    values = {"text": " ".join(text for _, text in row.transcripts)} | row.tags
    for name, value in values.items():
        if isinstance(value, str) and ("\n" in value or "\r" in value):
            raise BadInput(f"utterance {row.utterance_id!r}: {name!r} has a line break; {remedy}")


def _audio(rows: Sequence[ExportedRow]) -> dict[str, dict[str, str]]:
    spans = {row.utterance_id: row.fields for row in rows}
    if all(fields["start"] is None and fields["end"] is None for fields in spans.values()):
        return {"wav.scp": {key: fields["recording"] for key, fields in spans.items()}}
    recordings = _recording_ids([fields["recording"] for fields in spans.values()])
    segments = {}
    for key, fields in spans.items():
        end = -1 if fields["end"] is None else fields["end"]
        segments[key] = f"{recordings[fields['recording']]} {fields['start'] or 0.0!r} {end!r}"
    return {"wav.scp": {key: path for path, key in recordings.items()}, "segments": segments}


def _recording_ids(paths: Sequence[str]) -> dict[str, str]:
    """Path to an id of its own: its file name without the suffix and spaces, numbered where several share it."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for path in sorted(set(paths)):
        base = "_".join(Path(path).stem.split()) or "recording"
        key, number = base, 1
        while key in taken:
            number += 1
            key = f"{base}-{number}"
        taken.add(key)
        ids[path] = key
    return ids


def _speakers(rows: Sequence[ExportedRow]) -> dict[str, dict[str, str]]:
    unknown = {row.utterance_id: "" for row in rows if row.fields["speaker"] is None}
    of_utterances = {row.utterance_id: row.fields["speaker"] or row.utterance_id for row in rows}
    of_speakers: dict[str, str] = {}
    for key, speaker in of_utterances.items():
        of_speakers[speaker] = f"{of_speakers[speaker]} {key}" if speaker in of_speakers else key
    files = {"utt2spk": of_utterances, "spk2utt": of_speakers}
    return files | ({"unknown_speakers": unknown} if unknown else {})


def _fields(rows: Sequence[ExportedRow]) -> dict[str, dict[str, str]]:
    files: dict[str, dict[str, str]] = {"utt2dur": {}, "utt2split": {}, "utt2sampling_rate": {}}
    for row in rows:
        for file, name in (("utt2dur", "duration"), ("utt2split", "split"), ("utt2sampling_rate", "sampling_rate")):
            value = row.fields[name]
            if value is not None and not (name == "duration" and _follows(row)):
                files[file][row.utterance_id] = cell_text(value)
    return {name: entries for name, entries in files.items() if entries}


def _follows(row: ExportedRow) -> bool:
    start, end, duration = (row.fields[name] for name in ("start", "end", "duration"))
    return end is not None and duration == implied_duration(start or 0.0, end)


def _tags(rows: Sequence[ExportedRow], tags: Sequence[str]) -> dict[str, dict[str, str]]:
    files: dict[str, dict[str, str]] = {}
    listed: dict[str, str] = {}
    for tag in tags:
        name = tag
        if not _PLAIN_NAME.fullmatch(tag) or _TAKEN_NAME.fullmatch(tag):
            name = f"tag_{len(listed) + 1}"
            listed[name] = tag
        speakers = _constant_by_speaker(rows, tag)
        values = {row.utterance_id: row.tags[tag] for row in rows} if speakers is None else speakers
        prefix = "utt" if speakers is None else "spk"
        files[f"{prefix}2{name}"] = {key: cell_text(value) for key, value in values.items() if value is not None}
    return files | ({"tag_names": listed} if listed else {})


def _constant_by_speaker(rows: Sequence[ExportedRow], tag: str) -> dict[str, Any] | None:
    """Speaker to the tag's value, when every utterance has a speaker and all of a speaker's agree; else None."""
    values: dict[str, Any] = {}
    for row in rows:
        speaker, value = row.fields["speaker"], row.tags[tag]
        if speaker is None or values.setdefault(speaker, value) != value:
            return None
    return values


def _transcripts(rows: Sequence[ExportedRow]) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for row in rows:
        for annotator, text in row.transcripts:
            texts.setdefault(annotator, {})[row.utterance_id] = text
    reference = texts.pop(REFERENCE, None)
    names = {f"text.{number}": annotator for number, annotator in enumerate(sorted(texts), start=1)}
    files = {name: texts[annotator] for name, annotator in names.items()}
    return files | ({"text": reference} if reference is not None else {}) | ({"annotators": names} if names else {})
