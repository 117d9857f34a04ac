"""Recordings to normalised audio and measures of their quality, several processes at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from workbench.errors import BadInput, UnreadableAudio
from workbench.jobs.local import Progress, in_parts, processors, silent
from workbench.stages.stage import Outcome, record_faults
from workbench.workspace import Workspace

_PART_ROWS, _PART_SECONDS = 500, 15.0


class _Task(NamedTuple):
    utterance_id: str
    recording: Path
    start: float | None
    end: float | None
    known: dict[str, Any] | None


def normalize(workspace: Workspace, workers: int | None = None, progress: Progress = silent) -> Outcome:
    """Normalise and measure every utterance that is new or whose recording or settings have changed.

    Raises:
        BadInput: there are no utterances, or the settings in [audio] are not valid.
    """
    settings = audio_settings(workspace)
    began = time.monotonic()
    with workspace.lock():
        utterances = workspace.read("utterances")
        if utterances.empty:
            raise BadInput("the workspace has no utterances; add some with `workbench import MANIFEST`")
        known = {r["utterance_id"]: r for r in workspace.read("audio_quality").to_dict("records")}
        destination = workspace.root / "audio" / settings.fingerprint
        destination.mkdir(parents=True, exist_ok=True)
        tasks = [
            _Task(
                r.utterance_id,
                workspace.to_path(r.recording),
                _number(r.start),
                _number(r.end),
                known.get(r.utterance_id),
            )
            for r in utterances.itertuples()
        ]
        faults: list[dict[str, str]] = []
        done = skipped = 0
        seconds = 0.0
        results = _normalize_all(tasks, workspace.root, destination, settings, workers or processors())
        for part in in_parts(results, _PART_ROWS, _PART_SECONDS):
            rows = []
            for task, row in part:
                done += 1
                if isinstance(row, str):
                    location = str(task.recording)
                    faults.append(
                        {"stage": "normalize", "item": task.utterance_id, "location": location, "reason": row}
                    )
                elif row is None:
                    skipped += 1
                else:
                    seconds += row["duration"]
                    rows.append({"utterance_id": task.utterance_id, **row})
            workspace.append("audio_quality", pd.DataFrame(rows))
            progress(done, len(tasks))
        recorded = record_faults(workspace, "normalize", faults)
    wall = time.monotonic() - began
    counts = {
        "utterances": len(tasks),
        "normalised": len(tasks) - skipped - len(recorded),
        "unchanged": skipped,
        "faults": len(recorded),
        "audio_seconds": round(seconds, 1),
        "times_real_time": round(seconds / wall) if seconds else None,
    }
    return Outcome("normalize", counts, pd.DataFrame([counts]), recorded)


def audio_settings(workspace: Workspace) -> Any:
    """The [audio] section as settings of the audio package.

    Raises:
        BadInput: a value is out of its range.
    """
    from dataclasses import asdict

    from workbench.audio.normalize import Settings

    return Settings(**asdict(workspace.config.audio))


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _normalize_all(
    tasks: list[_Task], root: Path, destination: Path, settings: Any, workers: int
) -> Iterator[tuple[_Task, dict[str, Any] | str | None]]:
    chunk = max(1, min(32, len(tasks) // (workers * 4)))
    chunks = [tasks[i : i + chunk] for i in range(0, len(tasks), chunk)]
    if workers == 1 or len(tasks) < 4:
        for group in chunks:
            yield from zip(group, _normalize_chunk(group, root, destination, settings), strict=True)
        return
    with ProcessPoolExecutor(workers) as pool:
        pending = {pool.submit(_normalize_chunk, group, root, destination, settings): group for group in chunks}
        for future in as_completed(pending):
            yield from zip(pending[future], future.result(), strict=True)


def _normalize_chunk(
    tasks: list[_Task], root: Path, destination: Path, settings: Any
) -> list[dict[str, Any] | str | None]:
    return [_normalize_one(task, root, destination, settings) for task in tasks]


def _normalize_one(task: _Task, root: Path, destination: Path, settings: Any) -> dict[str, Any] | str | None:
    """The audio_quality row, None where it stands already, or the reason why there is none."""
    from workbench.audio.fingerprint import content_hash
    from workbench.audio.normalize import normalize_clip

    try:
        known = task.known
        if (
            known is not None
            and known["settings"] == settings.fingerprint
            and (root / known["output"]).is_file()
            and known["content_hash"] == content_hash(task.recording, task.start, task.end)
        ):
            return None
        row = normalize_clip(task.recording, task.start, task.end, destination, settings)
        row["output"] = str((destination / row["output"]).relative_to(root))
        return row
    except (UnreadableAudio, OSError) as problem:
        return str(problem)
