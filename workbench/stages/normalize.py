"""Recordings to normalised audio and measures of their quality, several processes at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from workbench.errors import BadInput, UnreadableAudio, WorkbenchError
from workbench.jobs.local import Progress, in_parts, processors, silent
from workbench.jobs.processes import ProcessDied, map_in_processes
from workbench.stages.stage import Outcome, number, record_faults
from workbench.workspace import Workspace

_PART_ROWS, _PART_SECONDS = 500, 15.0
_MOST_AT_ONCE = 32  # recordings sent to a process together
_LEAST_WORK = 16  # recordings; for fewer another process is not worth its start


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
                number(r.start),
                number(r.end),
                known.get(r.utterance_id),
            )
            for r in utterances.itertuples()
        ]
        faults: list[dict[str, str]] = []
        done = skipped = 0
        seconds = 0.0
        work = _Work(workspace.root, destination, settings)
        results = _outcomes(tasks, work, max(1, min(workers or processors(), len(tasks) // _LEAST_WORK)))
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
    from workbench.audio.normalize import Settings

    return Settings(**asdict(workspace.config.audio))


@dataclass(frozen=True)
class _Work:
    """What a worker does with a task: the audio_quality row, or None where it stands already."""

    root: Path
    destination: Path
    settings: Any

    def __call__(self, task: _Task) -> dict[str, Any] | None:
        from workbench.audio.fingerprint import content_hash
        from workbench.audio.normalize import normalize_clip

        known = task.known
        if (
            known is not None
            and _has_all_measures(known)
            and known["settings"] == self.settings.fingerprint
            and (self.root / known["output"]).is_file()
            and known["content_hash"] == content_hash(task.recording, task.start, task.end)
        ):
            return None
        row = normalize_clip(task.recording, task.start, task.end, self.destination, self.settings)
        row["output"] = str((self.destination / row["output"]).relative_to(self.root))
        return row


def _has_all_measures(row: dict[str, Any]) -> bool:
    """Whether a row was written since the edges of speech are measured; without speech there are none."""
    return number(row.get("speech_start")) is not None or not row["speech_seconds"]


def _outcomes(tasks: list[_Task], work: _Work, workers: int) -> Iterator[tuple[_Task, dict[str, Any] | str | None]]:
    """Each task with its row, None, or the reason why it cannot be done, in any order."""
    preload = ["workbench.audio.normalize"]
    for task, outcome in map_in_processes(work, tasks, workers, preload=preload, most_at_once=_MOST_AT_ONCE):
        if isinstance(outcome, ProcessDied):
            yield task, f"{outcome}; convert it to WAV or FLAC"
        elif isinstance(outcome, WorkbenchError) and not isinstance(outcome, UnreadableAudio):
            raise outcome  # a full disk, say, is not the recording's fault
        elif isinstance(outcome, Exception):
            unexpected = "" if isinstance(outcome, UnreadableAudio) else f"{type(outcome).__name__}: "
            yield task, f"{unexpected}{outcome}"
        else:
            yield task, outcome
