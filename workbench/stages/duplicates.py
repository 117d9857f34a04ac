"""The same recording under several ids, as it is, re-encoded, resampled, at another volume, or a part of another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from workbench.errors import BadInput, UnreadableAudio
from workbench.jobs.local import Progress, in_parts, processors, silent
from workbench.jobs.processes import ProcessDied, map_in_processes
from workbench.stages.stage import Outcome, faults_frame, number, record_faults
from workbench.tables import DUPLICATES
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from workbench.audio.duplicates import Clip, Heard

_PART_ROWS, _PART_SECONDS = 1000, 15.0
_MOST_AT_ONCE = 32  # clips, or pairs, sent to a process together
_LEAST_WORK = 16  # for fewer another process is not worth its start

Item = TypeVar("Item")
Result = TypeVar("Result")
Faults = list[dict[str, str]]


def duplicates(workspace: Workspace, workers: int | None = None, progress: Progress = silent) -> Outcome:
    """Fingerprint every utterance that is new or whose recording has changed, and find the copies among all.

    Fingerprints are kept in `fingerprints`, and what is found is written to `duplicates`.

    Raises:
        BadInput: there are no utterances.
    """
    from workbench.audio.duplicates import Clip

    began = time.monotonic()
    with workspace.lock():
        utterances = workspace.read("utterances")
        if utterances.empty:
            raise BadInput("the workspace has no utterances; add some with `workbench import MANIFEST`")
        clips = [
            Clip(r.utterance_id, workspace.to_path(r.recording), number(r.start), number(r.end))
            for r in utterances.itertuples()
        ]
        faults: Faults = []
        heard, fresh = _all_heard(workspace, clips, workers, progress, faults)
        known = [clip for clip in clips if clip.name in heard]
        table = _found(known, [heard[clip.name] for clip in known], workers, faults)
        workspace.snapshot("duplicates", table)
        recorded = record_faults(workspace, "duplicates", faults)
    counts = {"utterances": len(clips), "fingerprinted": fresh, **_counted(table), "faults": len(recorded)}
    return Outcome("duplicates", {**counts, "seconds": round(time.monotonic() - began, 1)}, table, recorded)


def duplicates_in(directory: Path, workers: int | None = None, progress: Progress = silent) -> Outcome:
    """The copies among all recordings under a directory, named by their paths in it; nothing is written.

    Raises:
        BadInput: there is no such directory, or no recording in it.
    """
    from workbench.audio.directory import find_audio
    from workbench.audio.duplicates import Clip

    files = find_audio(directory)
    if not files.files and not files.faults:
        raise BadInput(f"{directory}: holds no recordings, {files.ignored} other files; name a directory of audio")
    faults: Faults = [{**fault, "stage": "duplicates"} for fault in files.faults]
    clips = [Clip(path.as_posix(), directory / path) for path in files.files]
    heard: dict[str, Heard] = {}
    for done, (clip, result) in enumerate(_heard(clips, {}, workers), start=1):
        if isinstance(result, str):
            faults.append(_fault(clip, result))
        elif result is not None:
            heard[clip.name] = result
        progress(done, len(clips))
    known = [clip for clip in clips if clip.name in heard]
    table = _found(known, [heard[clip.name] for clip in known], workers, faults)
    counts = {"recordings": len(clips), **_counted(table), "faults": len(faults)}
    return Outcome("duplicates", counts, table, faults_frame(faults), kept=False)


def with_copies(frame: pd.DataFrame, workspace: Workspace) -> pd.Series:
    """The audio_key of each row of a frame with utterance_id and audio_key (the samples' hash): one for all copies.

    A recording that has changed since the copies were looked for keeps its own.
    """
    groups = _groups(workspace.read("duplicates"))
    found = frame[["utterance_id"]].merge(groups, on="utterance_id", how="left").set_index(frame.index)
    unchanged = frame["audio_key"].isna() | (frame["audio_key"] == found["samples_hash"])
    result: pd.Series = frame["audio_key"].mask(found["group"].notna() & unchanged, found["group"])
    return result


def standing_duplicates(workspace: Workspace) -> pd.DataFrame:
    """The table `duplicates`, without pairs of which a recording has changed since they were compared."""
    pairs = workspace.read("duplicates")
    quality = workspace.read("audio_quality")
    now = dict(zip(quality["utterance_id"], quality["samples_hash"], strict=True))
    stands = [
        now.get(row.utterance_id, row.samples_hash) == row.samples_hash
        and now.get(row.other_id, row.other_samples_hash) == row.other_samples_hash
        for row in pairs.itertuples()
    ]
    return pairs[np.array(stands, dtype=bool)].reset_index(drop=True)


def _groups(table: pd.DataFrame) -> pd.DataFrame:
    """The group of each utterance that is a copy of another: utterance_id, group and the samples_hash it had then."""
    table = table[table["group"].notna()]
    sides = [
        table[["utterance_id", "group", "samples_hash"]],
        table[["other_id", "group", "other_samples_hash"]].set_axis(["utterance_id", "group", "samples_hash"], axis=1),
    ]
    return pd.concat(sides, ignore_index=True).drop_duplicates("utterance_id", ignore_index=True)


def _all_heard(
    workspace: Workspace, clips: Sequence[Clip], workers: int | None, progress: Progress, faults: Faults
) -> tuple[dict[str, Heard], int]:
    """What is known of each clip by its name, the new ones written down, and how many are new."""
    from workbench.audio.acoustic_fingerprint import VERSION, Fingerprint
    from workbench.audio.duplicates import Heard

    stored = workspace.read("fingerprints")
    stored = stored[stored["version"] == VERSION]
    known = {
        r.utterance_id: Heard(r.content_hash, r.samples_hash, r.duration, Fingerprint.from_texts(r.codes, r.keys))
        for r in stored.itertuples()
    }
    contents = {name: heard.content_hash for name, heard in known.items()}
    result: dict[str, Heard] = {}
    done = fresh = 0
    for part in in_parts(_heard(clips, contents, workers), _PART_ROWS, _PART_SECONDS):
        rows = []
        for clip, heard in part:
            done += 1
            if heard is None:
                result[clip.name] = known[clip.name]
            elif isinstance(heard, str):
                faults.append(_fault(clip, heard))
            else:
                result[clip.name] = heard
                codes, keys = heard.fingerprint.to_texts()
                row = {"utterance_id": clip.name, "version": VERSION, "codes": codes, "keys": keys}
                hashes = {"content_hash": heard.content_hash, "samples_hash": heard.samples_hash}
                rows.append({**row, **hashes, "duration": heard.duration})
        fresh += len(rows)
        workspace.append("fingerprints", pd.DataFrame(rows))
        progress(done, len(clips))
    return result, fresh


def _heard(
    clips: Sequence[Clip], contents: dict[str, str], workers: int | None
) -> Iterator[tuple[Clip, Heard | str | None]]:
    """Each clip with what is heard of it, None where its content is known, or why it cannot be decoded."""
    tasks = [(clip, contents.get(clip.name)) for clip in clips]
    for task, result in _each(_hear_if_new, tasks, workers):
        yield task[0], _reason(result) if isinstance(result, Exception) else result


def _hear_if_new(task: tuple[Clip, str | None]) -> Heard | None:
    from workbench.audio.duplicates import hear
    from workbench.audio.fingerprint import content_hash

    clip, content = task
    if content is not None and content == content_hash(clip.path, clip.start, clip.end):
        return None
    return hear(clip)


def _found(clips: Sequence[Clip], heard: Sequence[Heard], workers: int | None, faults: Faults) -> pd.DataFrame:
    """The table `duplicates` of clips."""
    from workbench.audio.duplicates import comparisons, confirm, pairs

    identical, wanted = comparisons(clips, heard)
    matches = []
    # Few are compared here: what was decoded once needs no process of its own to be safe.
    few = len(wanted) < _LEAST_WORK
    for comparison, result in _each_here(confirm, wanted) if few else _each(confirm, wanted, workers):
        if isinstance(result, Exception):
            first, second = comparison.clips
            faults.append(_fault(first, f"cannot be compared with {second.name}: {_reason(result)}"))
        else:
            matches.append((comparison, result))
    found = pairs(identical, matches)
    first, second = found["first"].tolist(), found["second"].tolist()
    return pd.DataFrame(
        {
            "utterance_id": [clips[i].name for i in first],
            "other_id": [clips[i].name for i in second],
            "kind": found["kind"],
            "similarity": found["similarity"],
            "offset": found["offset"],
            "group": [None if i < 0 else heard[i].samples_hash for i in found["group"]],
            "samples_hash": [heard[i].samples_hash for i in first],
            "other_samples_hash": [heard[i].samples_hash for i in second],
        },
        columns=DUPLICATES.names,
    )


def _each(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int | None
) -> Iterator[tuple[Item, Result | Exception]]:
    """Each item with its result, or with what it raised, in any order."""
    processes = max(1, min(workers or processors(), len(items) // _LEAST_WORK))
    preload = ["workbench.audio.duplicates"]
    yield from map_in_processes(function, items, processes, preload=preload, most_at_once=_MOST_AT_ONCE)


def _each_here(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result | Exception]]:
    for item in items:
        try:
            yield item, function(item)
        except UnreadableAudio as problem:
            yield item, problem


def _reason(problem: Exception) -> str:
    if isinstance(problem, ProcessDied):
        return f"{problem}; convert it to WAV or FLAC"
    return str(problem) if isinstance(problem, UnreadableAudio) else f"{type(problem).__name__}: {problem}"


def _fault(clip: Clip, reason: str) -> dict[str, str]:
    return {"stage": "duplicates", "item": clip.name, "location": str(clip.path), "reason": reason}


def _counted(table: pd.DataFrame) -> dict[str, Any]:
    same = table[table["group"].notna()]
    members = pd.concat([same["utterance_id"], same["other_id"]]).nunique()
    return {"groups": same["group"].nunique(), "in_groups": members, "parts": int((table["kind"] == "part of").sum())}
