"""LibriSpeech trees: speaker/chapter/speaker-chapter.trans.txt beside the audio files that it names.

The tree may begin at the speakers (`dev-clean`) or at subsets of them (`LibriSpeech`). The subset's name is the split.
A line of a `.trans.txt` is an utterance's id, a space and its text. `SPEAKERS.TXT`, at the tree's root or above it,
gives the tag `sex`, as it is written there (`M`, `F`); its names and reading times are not read.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from workbench.errors import BadInput
from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.manifests.fields import as_tag, as_text
from workbench.manifests.manifest import Manifest
from workbench.manifests.rows import Row, assemble
from workbench.manifests.text_file import read_lines

_SUFFIXES = (".flac", ".wav", ".opus", ".ogg", ".mp3")
# Ids name files here, so they may have nothing that leads elsewhere.
_ID = re.compile(r"[A-Za-z0-9_]+-[A-Za-z0-9_]+-[A-Za-z0-9_]+")
_SUBSET = re.compile(r"(train|dev|test)\b.*")


def transcript_files(root: Path) -> list[Path]:
    """The tree's transcript files, sorted; none when `root` is no LibriSpeech tree."""
    return sorted(root.glob("*/*/*.trans.txt")) or sorted(root.glob("*/*/*/*.trans.txt"))


def read(path: Path, strict: bool = False) -> Manifest:
    """The manifest that a LibriSpeech tree makes.

    Raises:
        BadInput: there are no transcript files, or one cannot be read.
    """
    faults = Faults(strict)
    files = transcript_files(path)
    if not files:
        raise BadInput(f"{path} has no */*/*.trans.txt; expected a LibriSpeech tree: speaker/chapter/…trans.txt")
    sexes = _sexes(path, faults)
    rows: list[Row] = []
    for file in files:
        audio = {entry.name for entry in os.scandir(file.parent)}
        subset = file.parents[2].resolve().name
        for line, content in enumerate(read_lines(file), start=1):
            try:
                rows.append(_row(file, line, content, audio, subset, sexes))
            except UnusableRow as problem:
                faults.add(content.partition(" ")[0][:60] or f"line {line}", file, line, problem)
    return assemble(rows, path, ["sex"] if sexes is not None else [], faults)


def _row(file: Path, line: int, content: str, audio: set[str], subset: str, sexes: dict[str, str] | None) -> Row:
    utterance_id, _, text = content.partition(" ")
    prefix = file.name.removesuffix(".trans.txt") + "-"
    if not _ID.fullmatch(utterance_id) or not utterance_id.startswith(prefix):
        raise UnusableRow(f"id {shown(utterance_id)}", f"one that begins with {shown(prefix)}", "correct the line")
    names = [utterance_id + suffix for suffix in _SUFFIXES if utterance_id + suffix in audio]
    speaker = utterance_id.partition("-")[0]
    return Row(
        file,
        line,
        utterance_id,
        os.path.abspath(file.parent / (names[0] if names else utterance_id + ".flac")),
        speaker=speaker,
        split=subset if _SUBSET.fullmatch(subset) else None,
        tags={"sex": sexes.get(speaker)} if sexes is not None else {},
        text=as_text("text", text),
    )


def _sexes(root: Path, faults: Faults) -> dict[str, str] | None:
    """Speaker to sex; None when there is no SPEAKERS.TXT."""
    candidates = (root / "SPEAKERS.TXT", root.resolve().parent / "SPEAKERS.TXT")
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    if file is None:
        return None
    sexes = {}
    for line, content in enumerate(read_lines(file), start=1):
        cells = [cell.strip() for cell in content.split("|")]
        if not content.strip() or content.startswith(";"):
            continue
        if len(cells) < 2 or not cells[0]:
            reason = UnusableRow(shown(content), "speaker | sex | …", "correct the line")
            faults.add(f"line {line}", file, line, reason)
            continue
        sex = as_tag("sex", cells[1].replace("\0", ""))
        if isinstance(sex, str):
            sexes[cells[0]] = sex
    return sexes
