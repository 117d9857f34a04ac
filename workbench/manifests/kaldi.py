"""Kaldi data directories.

| file | a line | read as |
|---|---|---|
| `wav.scp` | recording, path | path from the data directory; a command (`sox … |`) is never run |
| `segments` | utterance, recording, start, end (s) | the utterances; without it each recording is one; end -1: to its end |
| `text` | utterance, text | the transcript by `reference`; an utterance without a line has none |
| `utt2spk` (or else `spk2utt`) | utterance, speaker | the speaker |
| `utt2dur`, `utt2split`, `utt2sampling_rate` | utterance, value | duration (s), split, sampling rate (Hz) |
| other `utt2NAME`, `spk2NAME` | utterance or speaker, value | the tag NAME; the utterance's own value goes before its speaker's |

Every other file (features, `reco2dur`, …) is left alone. One space or tab ends the id; the text after it is verbatim.
A Kaldi directory has no place for some of what a manifest may hold; these files of ours hold it, and Kaldi's tools pass
over them:

| file | a line |
|---|---|
| `annotators` | `text.1`, name: whose transcripts the file `text.1` holds, which is formed as `text` |
| `tag_names` | `tag_1`, name: the name of the tag in `utt2tag_1` or `spk2tag_1`, where it cannot name a file |
| `unknown_speakers` | utterance: it has no speaker; `utt2spk` names the utterance itself, as Kaldi's custom is |

A tag is written as `spk2NAME` where every utterance has a speaker and all those of a speaker agree, else as `utt2NAME`.
Tags are text. Ids with spaces, and line breaks in texts and values, cannot be held and are an error.
"""

from __future__ import annotations

import re
from pathlib import Path

from workbench.errors import BadInput
from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.manifests.fields import RESERVED_NAMES, as_label, as_rate, as_seconds, as_tag, as_text
from workbench.manifests.kaldi_written import write as write
from workbench.manifests.manifest import Manifest
from workbench.manifests.rows import REFERENCE, Row, assemble
from workbench.manifests.text_file import read_lines

_TEXT_FILE = re.compile(r"text\.[1-9]\d*")
_TAG_FILE = re.compile(r"(utt|spk)2(.+)")
_FIELDS = {"dur": "duration", "split": "split", "sampling_rate": "sampling_rate"}

Lines = dict[str, tuple[str, int]]
"Id to the rest of its line, and the line's number."


def read(path: Path, strict: bool = False) -> Manifest:
    """The manifest in a Kaldi data directory.

    Raises:
        BadInput: there is no `wav.scp`, or a file cannot be read.
    """
    if not path.is_dir():
        raise BadInput(f"{path} is no directory; expected a Kaldi data directory with wav.scp")
    return _Reader(path, Faults(strict)).manifest()


class _Reader:
    def __init__(self, directory: Path, faults: Faults) -> None:
        self.directory = directory
        self.faults = faults

    def manifest(self) -> Manifest:
        rows = self._utterances()
        self.known = set(rows) | self.left_out
        self._speakers(rows)
        tags = self._tags(rows)
        transcripts = [(REFERENCE, "text"), *self._annotators()]
        texts = {annotator: self._of_utterances(name) for annotator, name in transcripts}
        written = []
        for utterance_id, row in rows.items():
            mine = [(name, file, texts[name][utterance_id]) for name, file in transcripts if utterance_id in texts[name]]
            if not mine:
                written.append(row)
            for annotator, file, (text, line) in mine:
                try:
                    checked = as_text("text", text)
                except UnusableRow as problem:
                    self.faults.add(utterance_id, self.directory / file, line, problem)
                    continue
                copy = Row(row.path, row.line, utterance_id, row.recording, row.start, row.end, row.sampling_rate,
                           row.duration, row.speaker, row.split, row.tags)  # fmt: skip
                copy.annotator, copy.text, copy.text_location = annotator, checked, f"{self.directory / file}:{line}"
                written.append(copy)
        return assemble(written, self.directory, sorted(tags), self.faults)

    # -- files --------------------------------------------------------------------------------------------------

    def _lines(self, name: str) -> Lines:
        """Id to the rest of the line; no lines when the file is absent or empty."""
        path = self.directory / name
        if not path.is_file() or not path.stat().st_size:
            return {}
        found: Lines = {}
        last, sorted_so_far = "", True
        for number, line in enumerate(read_lines(path), start=1):
            key, _, value = line.replace("\t", " ", 1).partition(" ") if "\t" in line else line.partition(" ")
            if "\t" in line:
                key = re.split(r"[ \t]", line, maxsplit=1)[0]
                value = line[len(key) + 1 :]
            problem = None
            if not key:
                problem = UnusableRow(f"no id in {shown(line)}", "an id, a space and a value", "remove the line")
            elif key in found:
                where = f"line {found[key][1]}"
                problem = UnusableRow(f"the id a second time, after {where}", "one line for each id", "remove one")
            else:
                try:
                    as_label("id", key)
                except UnusableRow as unusable:
                    problem = unusable
            if problem is not None:
                self.faults.add(key or f"line {number}", path, number, problem)
                continue
            if key < last and sorted_so_far:
                sorted_so_far = False
                self.faults.add(
                    key, path, number,
                    UnusableRow(f"the id after {shown(last)}", "lines sorted by id, for Kaldi's own tools",
                                "sort the file with LC_ALL=C; nothing is left out here"),
                )  # fmt: skip
            found[key] = value, number
            last = key
        return found

    def _of_utterances(self, name: str) -> Lines:
        lines = self._lines(name)
        for key, (_, number) in lines.items():
            if key not in self.known:
                reason = UnusableRow("an utterance without audio", "one of wav.scp or segments", "add it or remove the line")
                self.faults.add(key, self.directory / name, number, reason)
        return {key: value for key, value in lines.items() if key in self.known}

    # -- parts --------------------------------------------------------------------------------------------------

    def _utterances(self) -> dict[str, Row]:
        scp, segments = self.directory / "wav.scp", self.directory / "segments"
        if not scp.is_file():
            raise BadInput(f"{scp} is not there; expected a Kaldi data directory, which has it")
        recordings = {key: (value.strip(" \t"), number) for key, (value, number) in self._lines("wav.scp").items()}
        if not recordings and not self.faults.rows:
            raise BadInput(f"{scp} is empty; expected a recording a line; check how it was made")
        spans = self._segments() if segments.is_file() else None
        self.left_out: set[str] = set()
        commands: dict[str, list[str]] = {
            key: [] for key, (value, _) in recordings.items() if value.endswith("|") or value.startswith("|")
        }
        rows: dict[str, Row] = {}
        if spans is None:
            for key, (value, number) in recordings.items():
                if key not in commands:
                    rows[key] = Row(scp, number, key, value)
        for key, (recording, start, end, number) in (spans or {}).items():
            if recording in commands:
                commands[recording].append(key)
            elif recording not in recordings:
                self.left_out.add(key)
                reason = UnusableRow(f"recording {shown(recording)}", "one of wav.scp", "add it there")
                self.faults.add(key, segments, number, reason)
            else:
                rows[key] = Row(segments, number, key, recordings[recording][0], start, end)
        for key, utterances in commands.items():
            self.left_out.update(utterances or [key])
            reason = UnusableRow(
                f"the command {shown(recordings[key][0])}",
                "the path of an audio file (commands are never run)",
                f"run it yourself and name the file it makes; {len(utterances or [key])} utterance(s) are left out",
            )
            self.faults.add(key, scp, recordings[key][1], reason)
        return rows

    def _segments(self) -> dict[str, tuple[str, float | None, float | None, int]]:
        path = self.directory / "segments"
        found = {}
        for key, (value, number) in self._lines("segments").items():
            cells = value.split()
            try:
                if len(cells) != 3:
                    raise UnusableRow(f"{shown(value)}", "recording, start and end", "correct the line")
                end = None if cells[2].startswith("-") and as_seconds("end", cells[2][1:]) == 1 else cells[2]
                found[key] = cells[0], as_seconds("start", cells[1]), as_seconds("end", end), number
            except UnusableRow as problem:
                self.left_out_segment(key)
                self.faults.add(key, path, number, problem)
        return found

    def _speakers(self, rows: dict[str, Row]) -> None:
        name = "utt2spk"
        speakers = self._of_utterances(name)
        if not speakers:
            name = "spk2utt"
            for speaker, (utterances, number) in self._lines(name).items():
                speakers.update({key: (speaker, number) for key in utterances.split() if key in self.known})
        unknown = self._of_utterances("unknown_speakers")
        for key, (speaker, number) in speakers.items():
            if key in rows and key not in unknown:
                try:
                    rows[key].speaker = as_label("speaker", speaker.strip(" \t"))
                except UnusableRow as problem:
                    self.faults.add(key, self.directory / name, number, problem)

    def _tags(self, rows: dict[str, Row]) -> set[str]:
        names = {key: value for key, (value, _) in self._lines("tag_names").items()}
        matches = [_TAG_FILE.fullmatch(child.name) for child in sorted(self.directory.iterdir()) if child.is_file()]
        # Speakers' files first, so that an utterance's own value replaces its speaker's.
        files = sorted((m.group(1) != "spk", m.group(2), m.group(0)) for m in matches if m)
        tags: set[str] = set()
        for of_utterances, written, file in files:
            if file in ("utt2spk", "spk2utt"):
                continue
            if of_utterances and written in _FIELDS:
                self._field(rows, file, _FIELDS[written])
                continue
            tag = self._tag_name(names.get(written, written), file)
            tags.add(tag)
            values = self._of_utterances(file) if of_utterances else self._of_speakers(rows, file)
            for row in rows.values():
                value, number = values.get((row.utterance_id if of_utterances else row.speaker) or "", ("", 0))
                try:
                    found = as_tag(tag, value)
                    row.tags[tag] = row.tags.get(tag) if found is None else found
                except UnusableRow as problem:
                    self.faults.add(row.item, self.directory / file, number, problem)
        return tags

    def _tag_name(self, name: str, file: str) -> str:
        if name not in RESERVED_NAMES:
            return name
        reason = UnusableRow(
            f"the tag {name!r}", "a name that the tables do not use", f"it is kept as the tag 'tag_{name}'; rename the file"
        )
        self.faults.add(file, self.directory / file, 1, reason)
        return f"tag_{name}"

    def _field(self, rows: dict[str, Row], file: str, name: str) -> None:
        for key, (value, number) in self._of_utterances(file).items():
            if key not in rows:
                continue
            try:
                if name == "split":
                    rows[key].split = as_label(name, value.strip(" \t"))
                elif name == "duration":
                    rows[key].duration = as_seconds(name, value.strip(" \t"))
                else:
                    rows[key].sampling_rate = as_rate(name, value.strip(" \t"))
            except UnusableRow as problem:
                self.faults.add(key, self.directory / file, number, problem)

    def _of_speakers(self, rows: dict[str, Row], name: str) -> Lines:
        lines = self._lines(name)
        speakers = {row.speaker for row in rows.values()}
        for key, (_, number) in lines.items():
            if key not in speakers and not self.left_out:
                reason = UnusableRow("a speaker without utterances", "one of utt2spk", "remove the line")
                self.faults.add(key, self.directory / name, number, reason)
        return lines

    def _annotators(self) -> list[tuple[str, str]]:
        found = []
        for file, (name, number) in self._lines("annotators").items():
            if _TEXT_FILE.fullmatch(file) and (self.directory / file).is_file() and name:
                found.append((name, file))
                continue
            reason = UnusableRow(f"{shown(file)} by {shown(name)}", "text.NUMBER, a file beside, and a name", "correct it")
            self.faults.add(file, self.directory / "annotators", number, reason)
        return found
