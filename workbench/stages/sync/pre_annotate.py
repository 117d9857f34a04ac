"""A hypothesis for the utterance that a labeller opens: from the table of the run, or fresh from its model."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from workbench.asr.backend import Backend, Clip, Failure
from workbench.errors import BadInput, WorkbenchError
from workbench.label_studio.records import KEY, MARK, WantedPrediction
from workbench.stages.stage import number
from workbench.stages.sync.latest_rows import LatestRows
from workbench.stages.sync.predictions import prediction_of
from workbench.stages.sync.task_fields import duration_of
from workbench.stages.transcribe import audio_input, hypothesis_row, run_name, run_row
from workbench.workspace import Workspace

Say = Callable[[str], None]
"""Called with one line for people, from any thread."""

_BATCH = 8  # clips at once: a model on a GPU gains by it, and a labeller waits behind no more than these
_WRITE_ROWS, _WRITE_SECONDS = 64, 30.0
_LAST_SECONDS = 20.0  # to wait at the end for another writer
_AGAIN_SECONDS = 1.0
_LONGEST_ID = 80  # characters of what a task says, in a log


@dataclass(frozen=True)
class _Job:
    """A clip to transcribe, and the audio that it is made of."""

    clip: Clip
    audio: str
    result: Future[dict[str, Any]]


_Asked = tuple[str, float | None, "dict[str, Any] | _Job"]
"""A task's name in a log, the duration of its utterance (s), and its hypothesis or what makes it."""


class _Refused(Exception):
    """Why there is no hypothesis for a task, in a few words."""


class PreAnnotator:
    """Hypotheses of one run for tasks, as predictions; a context manager that keeps one model.

    The model hears one batch at a time, and the first task of every request before the second of any: who opens one
    task does not wait until another's hundreds are done. What it hears is answered at once and written to the run's
    hypotheses when no other process is writing.

    Args:
        say: gets one line for every task: where its hypothesis came from, or why there is none.
        write_seconds: at the latest so long after it was heard, a hypothesis is written down.
    """

    def __init__(self, workspace: Workspace, backend: Backend, say: Say, write_seconds: float = _WRITE_SECONDS) -> None:
        self.run_id = run_name(backend)
        self._workspace = workspace
        self._writer = Workspace(workspace.root, workspace.config)  # its lock is one thread's
        self._backend = backend
        self._say = say
        self._write_seconds = write_seconds
        self._projects = LatestRows(workspace, "sync_project", "mark")
        self._utterances = LatestRows(workspace, "utterances", "utterance_id")
        self._quality = LatestRows(workspace, "audio_quality", "utterance_id")
        self._hypotheses = LatestRows(workspace, "hypotheses", "utterance_id", {"run_id": self.run_id})
        self._state = threading.Condition()
        self._jobs: queue.PriorityQueue[tuple[int, int, _Job | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._under_way: dict[tuple[str, str], _Job] = {}
        self._unwritten: dict[str, dict[str, Any]] = {}
        self._ending = False
        self._give_up_at: float | None = None
        self._threads = [
            threading.Thread(target=self._hear, name="model", daemon=True),
            threading.Thread(target=self._write, name="hypotheses", daemon=True),
        ]
        if not self._projects.keys():
            raise BadInput(
                f"the workspace {workspace.root} has no project yet, whose tasks could be answered; "
                "make one with `workbench sync push`"
            )

    @property
    def makes_a_run(self) -> bool:
        """Whether there are runs, and this one is not among them yet."""
        runs = self._workspace.read("runs")["run_id"]
        return bool(len(runs)) and self.run_id not in set(runs)

    def __enter__(self) -> PreAnnotator:
        for table in (self._utterances, self._quality, self._hypotheses):
            table.keys()  # so that the first labeller does not wait until large tables are read
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """What the model is at is finished, what waits is given up, and what was heard is written down."""
        with self._state:
            self._ending = True
            self._state.notify_all()
        self._jobs.put((-1, next(self._numbers), None))
        model, writer = self._threads
        model.join()
        with self._state:
            self._give_up_at = time.monotonic() + _LAST_SECONDS
            self._state.notify_all()
        writer.join()

    def predictions(self, tasks: Sequence[Any], within: float) -> list[WantedPrediction | None]:
        """One prediction for each task, in their order; None where there is none, or none in time.

        What is not ready in time is heard all the same, and there at once when it is asked for again.

        Args:
            tasks: as a server sends them, not believed in anything.
            within: seconds.
        """
        until = time.monotonic() + within
        asked = [self._ask(place, task) for place, task in enumerate(tasks)]
        return [self._answer(one, until) for one in asked]

    # -- in the threads of requests -----------------------------------------------------------------------------

    def _ask(self, place: int, task: Any) -> _Asked | None:
        name = _name(task)
        try:
            utterance = self._utterance(task)
            quality = self._quality.get(utterance["utterance_id"])
            audio = audio_input(
                self._workspace, SimpleNamespace(**utterance), None if quality is None else SimpleNamespace(**quality)
            )
            return name, duration_of(utterance, quality), self._known(audio) or self._begun(place, audio)
        except (_Refused, WorkbenchError) as problem:
            self._say(f"{name}: no hypothesis: {problem}")
            return None

    def _utterance(self, task: Any) -> dict[str, Any]:
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict):
            raise _Refused("the task has no data")
        mark = data.get(MARK)
        if not isinstance(mark, str) or self._projects.get(mark) is None:
            whose = f"of the workspace {str(mark)[:_LONGEST_ID]!r}" if mark else "not one of the workbench's"
            raise _Refused(f"the task is {whose}; answered are those of {self._workspace.root}")
        key = data.get(KEY)
        utterance = self._utterances.get(key) if isinstance(key, str) else None
        if utterance is None:
            raise _Refused("there is no such utterance in the workspace")
        return utterance

    def _known(self, audio: dict[str, Any]) -> dict[str, Any] | None:
        with self._state:
            row = self._unwritten.get(audio["utterance_id"])
        row = row or self._hypotheses.get(audio["utterance_id"])
        return row if row is not None and row["audio"] == audio["audio"] else None

    def _begun(self, place: int, audio: dict[str, Any]) -> _Job:
        """The job for this audio: the one that is under way, or a new one."""
        key = audio["utterance_id"], audio["audio"]
        with self._state:
            if self._ending:
                raise _Refused("the service is ending")
            job = self._under_way.get(key)
            if job is None:
                clip = Clip(
                    audio["utterance_id"],
                    Path(audio["path"]),
                    number(audio["start"]),
                    number(audio["end"]),
                    number(audio["duration"]),
                )
                job = self._under_way[key] = _Job(clip, audio["audio"], Future())
                self._jobs.put((place, next(self._numbers), job))
        return job

    def _answer(self, asked: _Asked | None, until: float) -> WantedPrediction | None:
        if asked is None:
            return None
        name, duration, found = asked
        try:
            if isinstance(found, _Job):
                row = found.result.result(max(0.0, until - time.monotonic()))
                self._say(f"{name}: heard in {row['compute_seconds']:.1f} s")
            else:
                row = found
                self._say(f"{name}: from the run's hypotheses")
        except TimeoutError:
            self._say(f"{name}: not ready in time; it is heard all the same, and there when it is asked for again")
            return None
        except _Refused as problem:
            self._say(f"{name}: no hypothesis: {problem}")
            return None
        return self._prediction(row, duration)

    def _prediction(self, row: dict[str, Any], duration: float | None) -> WantedPrediction:
        """Exactly what a push would send, so that it has nothing to change."""
        section = self._workspace.config.label_studio
        return prediction_of(section, self.run_id, row["text"], row["confidence"], row["words"], duration)

    # -- in the model's thread ----------------------------------------------------------------------------------

    def _hear(self) -> None:
        with self._backend.stays_ready():
            while jobs := self._batch():
                self._hear_batch(jobs)

    def _hear_batch(self, jobs: list[_Job]) -> None:
        waiting = {job.clip.utterance_id: job for job in jobs}
        try:
            for result in self._backend.transcribe([job.clip for job in jobs]):
                job = waiting.pop(result.utterance_id)
                if isinstance(result, Failure):
                    self._end(job, _Refused(result.reason))
                else:
                    self._end(job, hypothesis_row(result, self.run_id, job.audio))
            why = "the recogniser gave no answer"
        except Exception as problem:  # whatever a model's library raises, the next clip is another one
            why = f"the recogniser failed on it: {type(problem).__name__}: {problem}"
        for job in waiting.values():
            self._end(job, _Refused(why))

    def _batch(self) -> list[_Job]:
        """The jobs to do next, at least one; none when there is nothing more to do."""
        jobs: dict[str, _Job] = {}
        while len(jobs) < _BATCH:
            try:
                place, order, job = self._jobs.get(block=not jobs)
            except queue.Empty:
                break
            if job is None or job.clip.utterance_id in jobs:
                self._jobs.put((place, order, job))
                break
            jobs[job.clip.utterance_id] = job
        if self._ending:
            for job in jobs.values():
                self._end(job, _Refused("the service is ending"))
            return []
        return list(jobs.values())

    def _end(self, job: _Job, result: dict[str, Any] | _Refused) -> None:
        with self._state:
            self._under_way.pop((job.clip.utterance_id, job.audio), None)
            if isinstance(result, dict):
                self._unwritten[job.clip.utterance_id] = result
                self._state.notify_all()
        if isinstance(result, dict):
            job.result.set_result(result)
        else:
            job.result.set_exception(result)

    # -- in the writer's thread ---------------------------------------------------------------------------------

    def _write(self) -> None:
        said = False
        while rows := self._rows_to_write():
            try:
                self._append(list(rows.values()))
            except (WorkbenchError, OSError) as problem:
                if self._give_up_at is not None and time.monotonic() > self._give_up_at:
                    self._say(f"{len(rows)} hypotheses were not written down: {problem}")
                    return
                if not said:
                    self._say(f"what was heard is written down later: {problem}")
                said = True
                time.sleep(_AGAIN_SECONDS)
                continue
            said = False
            with self._state:
                for utterance_id, row in rows.items():
                    if self._unwritten.get(utterance_id) is row:
                        del self._unwritten[utterance_id]

    def _rows_to_write(self) -> dict[str, dict[str, Any]]:
        """What was heard and is not written down, once there is enough of it or it has waited; none at the end."""
        with self._state:
            self._state.wait_for(lambda: self._unwritten or self._give_up_at is not None)
            self._state.wait_for(lambda: self._ending or len(self._unwritten) >= _WRITE_ROWS, self._write_seconds)
            return dict(self._unwritten)

    def _append(self, rows: list[dict[str, Any]]) -> None:
        with self._writer.lock():
            run = run_row(self._writer, self.run_id, self._backend)
            done = self._hypotheses.keys() | {row["utterance_id"] for row in rows}
            # Its times stay those of `workbench transcribe`: a clip now and then says little of a run's speed.
            run |= {"utterances": len(done), "finished": bool(run.get("finished", False))}
            run.setdefault("real_time_factor", None)
            self._writer.append("runs", pd.DataFrame([run]))
            self._writer.append("hypotheses", pd.DataFrame(rows))


def _name(task: Any) -> str:
    """What a task is called in a log."""
    data = task.get("data") if isinstance(task, dict) else None
    key = data.get(KEY) if isinstance(data, dict) else None
    task_id = task.get("id") if isinstance(task, dict) else None
    return str(key)[:_LONGEST_ID] if key else f"task {str(task_id)[:_LONGEST_ID]}"
