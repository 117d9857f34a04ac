"""Kaldi data directories.

| file | a line | read as |
|---|---|---|
| `wav.scp` | recording, path | path from the data directory; a command (`sox … |`) is never run |
| `segments` | utterance, recording, start, end (s) | the utterances; without it each recording is one; end -1: all |
| `text` | utterance, text | the transcript by `reference`; an utterance without a line has none |
| `utt2spk` (or else `spk2utt`) | utterance, speaker | the speaker |
| `utt2dur`, `utt2split`, `utt2sampling_rate` | utterance, value | duration (s), split, sampling rate (Hz) |
| other `utt2NAME`, `spk2NAME` | utterance or speaker, value | the tag NAME; the utterance's value goes first |

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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from workbench.errors import BadInput
from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.manifests.fields import as_label, as_rate, as_seconds, as_tag, as_text, recognise
from workbench.manifests.kaldi_written import write as write
from workbench.manifests.manifest import Manifest
from workbench.manifests.rows import REFERENCE, Row, assemble
from workbench.manifests.text_file import read_lines

_TEXT_FILE = re.compile(r"text\.[1-9]\d*", re.ASCII)
_TAG_FILE = re.compile(r"(utt|spk)2(.+)", re.DOTALL)
_NOT_TAGS = ("utt2spk", "spk2utt", "utt2dur", "utt2split", "utt2sampling_rate")

Lines = dict[str, tuple[str, int]]
"Id to the rest of its line, and the line's number."
Value = TypeVar("Value")


def read(path: Path, strict: bool = False) -> Manifest:
    """The manifest in a Kaldi data directory.

    Raises:
        BadInput: there is no `wav.scp`, or a file cannot be read.
    """
    if not (path / "wav.scp").is_file():
        raise BadInput(f"{path / 'wav.scp'} is not there; expected a Kaldi data directory, which has it")
    return _Reader(path, Faults(strict)).manifest()


class _Reader:
    def __init__(self, directory: Path, faults: Faults) -> None:
        self.directory = directory
        self.faults = faults
        self.left_out: set[str] = set()
        "Utterances with a fault already, whose other lines are none."
        self.rows = self._utterances()

    def manifest(self) -> Manifest:
        self._read_speakers()
        self._read_values("utt2dur", lambda row, value: setattr(row, "duration", as_seconds("duration", value)))
        self._read_values("utt2split", lambda row, value: setattr(row, "split", as_label("split", value)))
        self._read_values(
            "utt2sampling_rate", lambda row, value: setattr(row, "sampling_rate", as_rate("sampling_rate", value))
        )
        tags = self._read_tags()
        transcripts = self._transcripts()
        rows = [written for key, row in self.rows.items() for written in transcripts.get(key, [row])]
        return assemble(rows, self.directory, tags, self.faults)

    def _fault(self, item: str, name: str, line: int, found: str, expected: str, do: str) -> None:
        self.faults.add(item, self.directory / name, line, UnusableRow(found, expected, do))

    def _checked(self, item: str, name: str, line: int, check: Callable[..., Value], *values: object) -> Value | None:
        """What `check` makes of the values; None and a fault when it refuses them."""
        try:
            return check(*values)
        except UnusableRow as problem:
            self.faults.add(item, self.directory / name, line, problem)
            return None

    # -- lines --------------------------------------------------------------------------------------------------

    def _lines(self, name: str) -> Lines:
        """Id to the rest of the line; no lines when the file is absent or empty."""
        path = self.directory / name
        if not path.is_file() or not path.stat().st_size:
            return {}
        found: Lines = {}
        last, in_order = "", True
        for number, line in enumerate(read_lines(path), start=1):
            key = re.split(r"[ \t]", line, maxsplit=1)[0]
            if not key:
                self._fault(f"line {number}", name, number, f"no id in {shown(line)}", "an id, a space and a value",
                            "correct or remove the line")  # fmt: skip
            elif key in found:
                self._fault(key, name, number, f"the id a second time, after line {found[key][1]}",
                            "one line for each id", "remove one of them")  # fmt: skip
            elif self._checked(f"line {number}", name, number, as_label, "id", key):
                if key < last and in_order:
                    in_order = False
                    self._fault(key, name, number, f"the id after {shown(last)}", "lines sorted by id",
                                "sort the file with LC_ALL=C (its lines are used as they are)")  # fmt: skip
                found[key] = line[len(key) + 1 :], number
                last = key
        return found

    def _of_utterances(self, name: str) -> Lines:
        lines = self._lines(name)
        for key, (_, number) in lines.items():
            if key not in self.rows and key not in self.left_out:
                known = "segments" if (self.directory / "segments").is_file() else "wav.scp"
                self._fault(key, name, number, "an utterance without audio", f"one of {known}",
                            "add it there or remove this line")  # fmt: skip
        return {key: value for key, value in lines.items() if key in self.rows}

    def _read_values(self, name: str, put: Callable[[Row, str], None]) -> None:
        for key, (value, number) in self._of_utterances(name).items():
            self._checked(key, name, number, put, self.rows[key], value.strip(" \t"))

    # -- utterances ---------------------------------------------------------------------------------------------

    def _utterances(self) -> dict[str, Row]:
        scp = self.directory / "wav.scp"
        recordings = {key: (value.strip(" \t"), number) for key, (value, number) in self._lines("wav.scp").items()}
        if not recordings and not self.faults.rows:
            raise BadInput(f"{scp} is empty; expected a recording a line; check how it was made")
        if (self.directory / "segments").is_file():
            rows = self._segments(recordings)
        else:
            rows = {key: Row(scp, number, key, value) for key, (value, number) in recordings.items()}
        for recording, (value, number) in recordings.items():
            if value.startswith("|") or value.endswith("|"):
                lost = [key for key, row in rows.items() if row.recording == value]
                self.left_out.update(lost)
                self._fault(recording, "wav.scp", number, f"the command {shown(value)}",
                            "the path of an audio file (commands are never run)",
                            f"run it yourself and name its file; utterances left out: {len(lost)}")  # fmt: skip
        return {key: row for key, row in rows.items() if key not in self.left_out}

    def _segments(self, recordings: Lines) -> dict[str, Row]:
        rows = {}
        for key, (value, number) in self._lines("segments").items():
            row = self._checked(key, "segments", number, self._segment, key, value, number, recordings)
            if row is None:
                self.left_out.add(key)
            else:
                rows[key] = row
        return rows

    def _segment(self, key: str, value: str, number: int, recordings: Lines) -> Row:
        cells = value.split()
        if len(cells) != 3:
            raise UnusableRow(shown(value), "recording, start (s) and end (s)", "correct the line")
        recording, start, end = cells
        if recording not in recordings:
            raise UnusableRow(f"recording {shown(recording)}", "one of wav.scp", "add it there")
        path = self.directory / "segments"
        row = Row(path, number, key, recordings[recording][0], start=as_seconds("start", start))
        if not re.fullmatch(r"-1(\.0*)?", end):
            row.end = as_seconds("end", end)
        elif not row.start:
            row.start = None  # the whole recording, whatever utt2dur says that it lasts
        return row

    def _read_speakers(self) -> None:
        unknown = self._of_utterances("unknown_speakers")

        def put(row: Row, value: str) -> None:
            row.speaker = None if row.utterance_id in unknown else as_label("speaker", value)

        if (self.directory / "utt2spk").is_file():
            self._read_values("utt2spk", put)
            return
        for speaker, (utterances, _) in self._lines("spk2utt").items():
            for key in utterances.split():
                if key in self.rows:
                    put(self.rows[key], speaker)

    # -- tags ---------------------------------------------------------------------------------------------------

    def _read_tags(self) -> list[str]:
        listed = {key: value for key, (value, _) in self._lines("tag_names").items()}
        files = [child.name for child in self.directory.iterdir() if child.is_file() and child.name not in _NOT_TAGS]
        matches = [match for name in files if (match := _TAG_FILE.fullmatch(name))]
        names = sorted({listed.get(match.group(2), match.group(2)) for match in matches})
        kept = recognise(names, self.directory, self.faults, {}, exact=True).tags
        tags = {name: kept[position] for position, name in enumerate(names)}
        # Speakers' files first, so that an utterance's own value replaces its speaker's.
        for match in sorted(matches, key=lambda match: match.group(0)):
            self._read_tag(match.group(0), match.group(1) == "utt", tags[listed.get(match.group(2), match.group(2))])
        return list(kept.values())

    def _read_tag(self, file: str, of_utterances: bool, tag: str) -> None:
        lines = self._of_utterances(file) if of_utterances else self._of_speakers(file)
        for key, (value, number) in lines.items():
            found = self._checked(key, file, number, as_tag, tag, value)
            if found is not None:
                for row in [self.rows[key]] if of_utterances else self.speakers.get(key, []):
                    row.tags[tag] = found

    def _of_speakers(self, name: str) -> Lines:
        self.speakers: dict[str, list[Row]] = {}
        for row in self.rows.values():
            self.speakers.setdefault(row.speaker or "", []).append(row)
        lines = self._lines(name)
        for key, (_, number) in lines.items():
            if key not in self.speakers and not self.left_out:
                self._fault(key, name, number, "a speaker without utterances", "one of utt2spk", "remove the line")
        return lines

    # -- transcripts --------------------------------------------------------------------------------------------

    def _transcripts(self) -> dict[str, list[Row]]:
        """Utterance to one row for each of its transcripts."""
        rows: dict[str, list[Row]] = {}
        for annotator, file in [(REFERENCE, "text"), *self._annotators()]:
            for key, (value, number) in self._of_utterances(file).items():
                text = self._checked(key, file, number, as_text, "text", value)
                if text is not None:
                    location = f"{self.directory / file}:{number}"
                    row = replace(self.rows[key], annotator=annotator, text=text, text_location=location)
                    rows.setdefault(key, []).append(row)
        return rows

    def _annotators(self) -> list[tuple[str, str]]:
        found = []
        for file, (name, number) in self._lines("annotators").items():
            if _TEXT_FILE.fullmatch(file) and (self.directory / file).is_file() and name.strip(" "):
                if label := self._checked(file, "annotators", number, as_label, "annotator", name):
                    found.append((label, file))
            else:
                self._fault(file, "annotators", number, f"{shown(file)}, {shown(name)}",
                            "text.NUMBER, which is a file beside, and an annotator", "correct the line")  # fmt: skip
        return found
