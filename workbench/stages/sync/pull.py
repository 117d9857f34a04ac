"""People's work back: every annotation of the server in the workspace, as a revision where it is a text."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from workbench.errors import BadInput
from workbench.jobs.local import Progress, silent
from workbench.label_studio.annotations import (
    AT_ONCE,
    ExportedTask,
    exported_tasks,
    tasks_with_drafts,
    with_predictions,
)
from workbench.label_studio.errors import NotReached, Refused
from workbench.label_studio.listing import found_predictions, found_tasks
from workbench.label_studio.records import KEY, MARK, Account, FoundPrediction, FoundTask
from workbench.process_lock import process_lock
from workbench.stages.stage import Outcome, faults_frame, record_faults
from workbench.stages.sync.binding import bound_project, patient_lock
from workbench.stages.sync.changes import Changes, changes, version_of
from workbench.stages.sync.incoming import STAGE, Held, News, ReadTask, bring_in, newest, retractions
from workbench.stages.sync.known_tasks import PRESENT, note_found
from workbench.stages.sync.mirrored import DELETED, DRAFT, Names
from workbench.stages.sync.pending_fixes import UNDONE
from workbench.stages.sync.pull_report import outcome_of
from workbench.stages.sync.verdicts import verdicts_of_annotations
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

_READ_AGAIN = 2  # times that a task is read again that was changed while it was read
_WRITTEN_AT_ONCE = 1000  # tasks, of those that came in one export
_ONE_BY_ONE = 20  # tasks whose predictions are asked for each by itself


def pull(
    workspace: Workspace,
    connection: Connection,
    progress: Progress = silent,
    retract_deleted: bool = False,
    accept_deletions: bool = False,
    everything: bool = False,
) -> Outcome:
    """Bring what people have done on the server into the workspace. Interrupted anywhere and run again, it goes on.

    Only tasks that differ from what was read last are read. A task is written down as read after what it holds, so
    that nothing is left out, and what is there already is known by unique id and version, so that nothing comes twice.

    Args:
        progress: called with how many tasks are read, and how many there are to read.
        retract_deleted: take back the texts of annotations that were deleted on the server.
        accept_deletions: believe that more than half of what was pulled, or every task, was deleted.
        everything: read every task with an annotation, whether it differs or not.

    Raises:
        BadInput: there is no project, or not any more.
        WorkspaceLocked: another process is pulling, or is writing all the time.
        ServerError: the server does not answer, or refuses.
    """
    with _one_pull(workspace):
        pulling = _Pull(workspace, connection, accept_deletions, everything)
        pulling.read(progress)
        if retract_deleted:
            pulling.retract()
        return pulling.outcome()


class _Pull:
    """One pull, from the list of tasks to the outcome."""

    def __init__(self, workspace: Workspace, connection: Connection, accept: bool, everything: bool) -> None:
        self._workspace, self._connection = workspace, connection
        binding = bound_project(workspace, connection)
        self._project_id, self._mark = binding.project_id, binding.mark
        self._names = Names(workspace.config.label_studio.annotators)
        drafts, tasks = _listed(connection, self._project_id, self._mark)
        self._tasks = {task.task_id: task for task in tasks if task.utterance_id is not None}
        self._utterances = set(workspace.read("utterances")["utterance_id"])
        annotations = workspace.read("annotations")
        annotations = annotations[annotations["project_id"] == self._project_id]
        self._versions = dict(zip(annotations["uid"], annotations["version"], strict=True))
        is_ours = annotations["is_ours"].astype(bool)
        self._live = int((~annotations["state"].isin([DELETED, DRAFT]) & ~is_ours).sum())
        self._pulled = self._pulled_versions()
        fixes = workspace.read("sync_fixes")
        undone = set(fixes.loc[fixes["state"] == UNDONE, "uid"])
        self.changes: Changes = changes(tasks, drafts, annotations, self._pulled, everything, undone)
        self._keeps_deleted = self.changes.is_doubtful and not accept
        if not self._keeps_deleted:
            note_found(workspace, self._project_id, tasks)
        self._predictions: dict[int, FoundPrediction] | None = None
        self._news: list[News] = []
        self._unsteady: set[int] = set()
        self._retracted = self._kept = 0
        self._judged: dict[str, int] = {}

    @cached_property
    def _accounts(self) -> Mapping[int, Account]:
        return self._connection.describe().accounts

    def _pulled_versions(self) -> dict[tuple[int, str], str]:
        rows = self._workspace.read("sync_tasks")
        rows = rows[(rows["project_id"] == self._project_id) & rows["pulled_version"].notna()]
        names = zip(rows["task_id"].tolist(), rows["utterance_id"].tolist(), strict=True)
        return dict(zip(names, rows["pulled_version"].tolist(), strict=True))

    def read(self, progress: Progress) -> None:
        """Read what differs, and write down what it holds, part by part."""
        total, done = len(self.changes.read), 0
        progress(0, total)
        if self.changes.gone and not self._keeps_deleted:
            # First, because what is gone here may be found in another task.
            self._bring([], self.changes.gone)
        for part in self._parts():
            self._bring(part, ())
            done += len(part)
            progress(done, total)
        progress(total, total)

    def _parts(self) -> Iterator[list[ExportedTask]]:
        """The tasks that differ, those of one utterance together."""
        wanted = sorted(self.changes.read, key=lambda number: (self._tasks[number].utterance_id or "", number))
        with_work = sum(task.annotations + task.cancelled > 0 for task in self._tasks.values())
        read: dict[int, ExportedTask] = {}
        if len(wanted) > AT_ONCE and 2 * len(wanted) > with_work:
            # One export of all is as fast as several of most of them. Where one task makes it fail, the others come.
            with contextlib.suppress(NotReached):
                for tasks in exported_tasks(self._connection, self._project_id, None, self._accounts):
                    read = {task.task_id: task for task in tasks}
        for part in self._together(wanted, _WRITTEN_AT_ONCE if read else AT_ONCE):
            rest = [number for number in part if number not in read]
            for tasks in exported_tasks(self._connection, self._project_id, rest, self._accounts):
                read |= {task.task_id: task for task in tasks}
            yield self._steady([read.pop(number) for number in part if number in read])

    def _together(self, wanted: Sequence[int], size: int) -> Iterator[list[int]]:
        part: list[int] = []
        for place, number in enumerate(wanted):
            part.append(number)
            following = self._tasks[wanted[place + 1]].utterance_id if place + 1 < len(wanted) else None
            if len(part) >= size and following != self._tasks[number].utterance_id:
                yield part
                part = []
        if part:
            yield part

    def _steady(self, tasks: list[ExportedTask]) -> list[ExportedTask]:
        """The tasks, those that were changed while they were read read again."""
        for _ in range(_READ_AGAIN):
            again = [task.task_id for task in tasks if not task.agrees]
            if not again:
                return tasks
            fresh: dict[int, ExportedTask] = {}
            for several in exported_tasks(self._connection, self._project_id, again, self._accounts):
                fresh |= {task.task_id: task for task in several}
            tasks = [fresh.get(task.task_id, task) for task in tasks]
        self._unsteady |= {task.task_id for task in tasks if not task.agrees}
        return tasks

    def _bring(self, exported: Sequence[ExportedTask], gone: Collection[str]) -> None:
        tasks, strange = [], News()
        for task in self._with_predictions(exported):
            listed = self._tasks[task.task_id]
            name = listed.utterance_id
            if task.problems and not task.data:
                task = replace(task, data=listed.data)
            if name is None or (task.data.get(KEY), task.data.get(MARK)) != (name, self._mark):
                continue  # another task has this number since; the next pull lists it as what it is
            if name not in self._utterances:
                reason = "this workspace has no such utterance; its text is left on the server"
                for one in task.found:
                    strange.fault(name, task.task_id, str(one.annotation_id), reason)
                continue
            held_back = self._keeps_deleted and task.task_id in self.changes.fewer
            tasks.append(ReadTask(name, task, task.task_id not in self._unsteady and not held_back))
        with patient_lock(self._workspace):
            news = bring_in(Held.read(self._workspace), self._project_id, tasks, gone, self._names, self._mark)
            self._write(news, tasks)
        self._news += [news, strange]

    def _write(self, news: News, tasks: Sequence[ReadTask]) -> None:
        # A task is read only when all that it holds stands in the tables: whatever is missing is read again.
        news.write(self._workspace)
        # A killed pull reads the same tasks again, and judges what it did not get to.
        self._judge(news)
        self._workspace.append("sync_tasks", pd.DataFrame(self._read_rows(news, tasks)))

    def _judge(self, news: News) -> None:
        rows = newest([*news.annotations, *news.current], "uid", "revision")
        if len(rows):
            judged = verdicts_of_annotations(self._workspace, rows)
            for name, number in judged.counts.items():
                self._judged[name] = self._judged.get(name, 0) + number

    def _read_rows(self, news: News, tasks: Sequence[ReadTask]) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for task in tasks:
            listed = self._tasks[task.task.task_id]
            place, version = (listed.task_id, task.utterance_id), version_of(listed)
            if not task.is_whole or listed.task_id in news.faulty or self._pulled.get(place) == version:
                continue
            self._pulled[place] = version
            row = {"project_id": self._project_id, "utterance_id": task.utterance_id, "task_id": listed.task_id}
            rows.append(row | {"state": PRESENT, "pulled_version": version, "at": datetime.now(UTC)})
        return rows

    def _with_predictions(self, tasks: Sequence[ExportedTask]) -> list[ExportedTask]:
        """The tasks, new annotations with the predictions that they were begun from."""
        missing = {
            task.task_id
            for task in tasks
            for one in task.found
            if one.prediction_id is not None
            and one.begun_from is None
            and self._versions.get(one.uid) != one.updated_at
        }
        if not missing:
            return list(tasks)
        known = self._predictions or {}
        if self._predictions is None and len(missing) > _ONE_BY_ONE:
            listed = found_predictions(self._connection, self._project_id)
            known = self._predictions = {one.prediction_id: one for one in listed}
        elif self._predictions is None:
            several = [found_predictions(self._connection, self._project_id, number) for number in sorted(missing)]
            known = {one.prediction_id: one for of_task in several for one in of_task}
        return [replace(task, found=tuple(with_predictions(task.found, known))) for task in tasks]

    def retract(self) -> None:
        """Take back what was deleted on the server."""
        with patient_lock(self._workspace):
            rows, self._kept = retractions(Held.read(self._workspace), self._project_id)
            self._workspace.append("transcripts", pd.DataFrame(rows))
        self._retracted = len(rows)

    def outcome(self) -> Outcome:
        """What came, and what to do next."""
        faults = [fault for news in self._news for fault in news.faults]
        if self._keeps_deleted:
            faults.append(
                {
                    "stage": STAGE,
                    "item": "deletions",
                    "location": f"project {self._project_id}",
                    "reason": f"{self.changes.lost} of {self.changes.known} annotations are gone from the server, "
                    "which may be another one or have lost its database; nothing was marked as deleted; if people "
                    "deleted them, run `workbench sync pull --accept-deletions`",
                }
            )
        subject = f"project {self._project_id}"
        before = self._workspace.read("faults", stage=STAGE, subject=subject)
        frame = faults_frame(faults)
        if faults or len(before):
            # Every snapshot is a file: a pull that finds nothing, as a watch does all day, writes none.
            with patient_lock(self._workspace):
                frame = record_faults(self._workspace, STAGE, faults, subject)
        return outcome_of(
            self._news,
            self._live,
            frame,
            self._names,
            foreign=self.changes.foreign,
            unsteady=len(self._unsteady),
            retracted=self._retracted,
            kept=self._kept,
            judged=self._judged,
        )


def _listed(connection: Connection, project_id: int, mark: str) -> tuple[set[int], list[FoundTask]]:
    """The tasks that have drafts, and all tasks.

    Raises:
        BadInput: the project is gone.
    """
    try:
        return tasks_with_drafts(connection, project_id), found_tasks(connection, project_id, mark)
    except Refused as refused:
        if refused.status != 404:
            raise
    raise BadInput(
        f"project {project_id} of this workspace is not on {connection.server} any more; nothing was marked as "
        "deleted; give the URL of the server that has it, or make another one with `workbench sync push`"
    )


@contextlib.contextmanager
def _one_pull(workspace: Workspace) -> Iterator[None]:
    """Keep a second pull out, which could bring an older state of the server in after a newer one.

    Raises:
        WorkspaceLocked: another process is pulling.
    """
    with process_lock(workspace.root / ".pull-lock", f"pulling into {workspace.root}"):
        yield
