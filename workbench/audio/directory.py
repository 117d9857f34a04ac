"""All recordings under a directory, normalised into another, over many processes, resumable."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.audio.decode import AUDIO_SUFFIXES
from workbench.audio.encode import remove_stale_parts
from workbench.audio.fingerprint import content_hash
from workbench.audio.normalize import Settings, normalize_file
from workbench.errors import BadInput, UnreadableAudio, WorkbenchError
from workbench.jobs.local import processors
from workbench.jobs.processes import ProcessDied, map_in_processes

LEDGER = "normalize.jsonl"
"""In the output directory: what is done, one JSON object a line, the last line of a source being the valid one."""
_LARGEST_CHUNK = 32  # files sent to a worker at once
_LEAST_WORK = 16  # files; for fewer another process is not worth its start

Row = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What a walk found: recordings, links that may not be followed, and how many files are no recordings by name."""

    files: list[Path]
    "Relative to the directory walked, sorted."
    faults: list[Row]
    ignored: int


@dataclass(frozen=True)
class _Task:
    source: str
    output: str
    done: Row | None
    "The ledger's line for this source."


def find_audio(in_dir: Path, out_dir: Path | None = None) -> Found:
    """The recordings under a directory, told by their suffix; hidden files, and out_dir and all in it, are left out.

    A link to a file is followed where that lies under the directory too, else it is a fault; links to directories are
    not followed, because what they may lead to is walked anyway.

    Raises:
        BadInput: in_dir is not a directory.
    """
    if not in_dir.is_dir():
        raise BadInput(f"{in_dir}: is not a directory; name the directory that holds the recordings")
    root = in_dir.resolve()
    excluded = out_dir.resolve() if out_dir else None
    files: list[Path] = []
    faults: list[Row] = []
    ignored = 0
    for directory, directories, names in os.walk(root):
        here = Path(directory)
        directories[:] = sorted(name for name in directories if not name.startswith(".") and (here / name) != excluded)
        for name in sorted(names + [name for name in directories if (here / name).is_symlink()]):
            path = here / name
            if name.startswith("."):
                continue
            if path.is_symlink() and not _inside(path, root):
                reason = f"{path}: is a link that leads outside {root}, or nowhere; copy the file in"
                faults.append(_fault(path.relative_to(root).as_posix(), path, reason))
            elif path.is_dir():
                continue
            elif path.suffix.lower() in AUDIO_SUFFIXES:
                files.append(path.relative_to(root))
            else:
                ignored += 1
    return Found(sorted(files), faults, ignored)


def _inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def output_names(files: list[Path], audio_format: str) -> dict[Path, Path]:
    """Where each file goes: its own path with the new suffix, which follows the old one where two would meet.

    >>> names = output_names([Path("a/x.mp3"), Path("a/x.wav"), Path("b.wav")], "flac")
    >>> [path.as_posix() for path in names.values()]
    ['a/x.mp3.flac', 'a/x.wav.flac', 'b.flac']
    """
    suffix = f".{audio_format}"
    names = {path: path.with_suffix(suffix) for path in files}
    while True:
        # Compared without case, for the sake of file systems that do.
        taken = Counter(str(name).casefold() for name in names.values())
        full = {path: path.with_name(path.name + suffix) for path in files}
        meeting = [path for path in files if taken[str(names[path]).casefold()] > 1 and names[path] != full[path]]
        if not meeting:
            return names
        names.update((path, full[path]) for path in meeting)


def normalize_directory(
    in_dir: Path | str,
    out_dir: Path | str,
    settings: Settings | None = None,
    workers: int | None = None,
    resume: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Row], list[Row]]:
    """The results and the faults of normalising every recording under in_dir to the same place under out_dir.

    A result is a row of the table `audio_quality` without utterance_id, with `source` and `output` relative to the two
    directories and `reused`: with resume, a file is not done again whose bytes, settings and output are as the ledger
    says. A fault is a row of the table `faults`; the rest goes on. Both are sorted by source. For the number of files
    that are no recordings see `find_audio`.

    Args:
        in_dir: walked with all below it; never written to, but for an out_dir inside it.
        out_dir: made where it is not there; may lie inside in_dir, not the other way round.
        settings: what the files are to be like; None for `Settings()`.
        workers: processes; None for one a core.
        resume: False does everything again.
        on_progress: called with the files done so far (faults and reused ones included) and all of them.

    Raises:
        BadInput: a directory is not as it must be, or a file cannot be written.
    """
    source_root, target_root = Path(in_dir).resolve(), Path(out_dir).resolve()
    settings = settings or Settings()
    if target_root == source_root or source_root.is_relative_to(target_root):
        raise BadInput(f"{out_dir}: the output would be mixed with the recordings in {in_dir}; name another directory")
    found = find_audio(source_root, target_root)
    try:
        target_root.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise BadInput(f"{out_dir}: cannot be made ({problem.strerror}); name another directory") from problem
    remove_stale_parts(target_root)
    ledger = target_root / LEDGER
    done = _read_ledger(ledger) if resume else {}
    names = output_names(found.files, settings.audio_format)
    tasks = [_Task(path.as_posix(), name.as_posix(), done.get(path.as_posix())) for path, name in names.items()]
    results: list[Row] = []
    faults = list(found.faults)
    total = len(tasks) + len(faults)
    processes = max(1, min(workers or processors(), -(-len(tasks) // _LEAST_WORK)))
    work = _Work(source_root, target_root, settings)
    with _ledger_for_appending(ledger) as append:
        for row in _outcomes(tasks, work, processes):
            (faults if "reason" in row else results).append(row)
            if "reason" not in row and not row["reused"]:
                append(row)
            if on_progress:
                on_progress(len(results) + len(faults), total)
    results.sort(key=lambda row: row["source"])
    faults.sort(key=lambda row: row["item"])
    return [{key: value for key, value in row.items() if key != "bytes"} for row in results], faults


@dataclass(frozen=True)
class _Work:
    """What a worker does with a task."""

    source_root: Path
    target_root: Path
    settings: Settings

    def __call__(self, task: _Task) -> Row:
        source, output = self.source_root / task.source, self.target_root / task.output
        try:
            if task.done is not None and self._is_done(task, source, output, task.done):
                return {**task.done, "reused": True}
            output.parent.mkdir(parents=True, exist_ok=True)
            row = normalize_file(source, None, None, output, self.settings)
        except UnreadableAudio as problem:
            return _fault(task.source, source, str(problem))
        except WorkbenchError:
            raise
        except Exception as problem:  # a decoder's surprise at one file may not stop the others
            return _fault(task.source, source, f"{source}: {type(problem).__name__}: {problem}")
        return {"source": task.source, **row, "output": task.output, "bytes": output.stat().st_size, "reused": False}

    def _is_done(self, task: _Task, source: Path, output: Path, done: Row) -> bool:
        return (
            done.get("settings") == self.settings.fingerprint
            and done.get("output") == task.output
            and output.is_file()
            and output.stat().st_size == done.get("bytes")
            and done.get("content_hash") == content_hash(source)
        )


def _fault(item: str, location: Path, reason: str) -> Row:
    return {"stage": "normalize", "item": item, "location": str(location), "reason": reason}


def _outcomes(tasks: list[_Task], work: _Work, processes: int) -> Iterator[Row]:
    """The row of each task, in any order."""
    if processes == 1:
        yield from map(work, tasks)
        return
    done = map_in_processes(work, tasks, processes, preload=["workbench.audio.normalize"], most_at_once=_LARGEST_CHUNK)
    for task, outcome in done:
        if isinstance(outcome, ProcessDied):
            source = work.source_root / task.source
            reason = f"{source}: its process died (the decoder crashed, or memory ran out); convert it to WAV or FLAC"
            yield _fault(task.source, source, reason)
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            yield outcome


def _read_ledger(path: Path) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    if not path.is_file():
        return rows
    for line in path.read_bytes().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue  # the torn last line of a run that was killed: its file is done again
        if isinstance(row, dict) and isinstance(row.get("source"), str):
            rows[row["source"]] = row
    return rows


@contextmanager
def _ledger_for_appending(path: Path) -> Iterator[Callable[[Row], None]]:
    with path.open("ab") as file:
        if file.tell() and path.read_bytes()[-1:] != b"\n":
            file.write(b"\n")

        def append(row: Row) -> None:
            line = json.dumps({k: v for k, v in row.items() if k != "reused"}, allow_nan=False) + "\n"
            # One write for a whole line, so that a reader, or a crash, meets no half of one.
            file.write(line.encode())
            file.flush()

        yield append
