"""Decisions of this workspace brought to the server as annotations or predictions of the workbench's own, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pandas as pd

from workbench.errors import BadInput
from workbench.jobs.local import Progress, silent
from workbench.label_studio.connection import Connection
from workbench.label_studio.fix_annotations import ANNOTATION, PREDICTION, SeenTask, fix_result, seen_tasks
from workbench.label_studio.fix_delivery import Parcel, Standing, deliver, of_annotation
from workbench.label_studio.listing import found_tasks
from workbench.label_studio.records import fix_uid
from workbench.label_studio.results import one_line
from workbench.stages.stage import Outcome, faults_frame, record_faults
from workbench.stages.sync.binding import Binding, bound_project, one_writer, patient_lock
from workbench.stages.sync.fix_book import PART, Pulled, give_up, on_the_server, prediction_uid, settle, write, written
from workbench.stages.sync.fix_undo import undo_fixes as undo_fixes
from workbench.stages.sync.pending_fixes import (
    CHANGED,
    CONFLICT,
    DELETED,
    INTENDED,
    OVERTAKEN,
    PENDING,
    SENT,
    TAKEN_BACK,
    UNDONE,
    Choice,
)
from workbench.stages.sync.pending_fixes import pending_fixes as pending_fixes
from workbench.workspace import Workspace

_STAGE = "sync fixes push"
_NO_CHOICE = Choice()


def listed_fixes(
    workspace: Workspace, choice: Choice = _NO_CHOICE, edits: bool = False, everything: bool = False
) -> Outcome:
    """The fixes as `pending_fixes` has them, those that want something done; with `everything` also the rest.

    The table has utterance_id, annotator, there, here, why, state, batch (of `workbench conventions apply`) and sent
    (the batch of a push).

    Raises:
        BadInput: there is nothing of this rule, convention, batch or annotator.
    """
    every = choice.of(pending_fixes(workspace, edits))
    counts = {state: int(number) for state, number in every["state"].value_counts().items()}
    chosen = choice.first(every if everything else every[~every["state"].isin([SENT, UNDONE])])
    table = chosen.assign(batch=[", ".join(several) or None for several in chosen["batches"]])
    notes = []
    if workspace.read("sync_project").empty:
        notes.append("nothing of this workspace is on a server yet; workbench sync push sends the utterances")
    if counts.get(PENDING):
        notes.append(f"{counts[PENDING]} can be sent with workbench sync fixes push")
    if not everything and (rest := counts.get(SENT, 0) + counts.get(UNDONE, 0)):
        notes.append(f"{rest} more are on the server as they stand here, or were taken from there; --all lists them")
    there = every.loc[every["state"].isin([SENT, TAKEN_BACK, OVERTAKEN, CHANGED]), "sent"].value_counts(sort=False)
    if len(there):
        batches = ", ".join(f"{batch} ({number})" for batch, number in there.items())
        notes.append(f"batches on the server, for workbench sync fixes undo: {batches}")
    if not edits:
        with_edits = choice.of(pending_fixes(workspace, edits=True))
        left = int((with_edits["state"] == PENDING).sum()) - counts.get(PENDING, 0)
        notes += [f"edits of single labels left out: {left}; --edits adds them"] if left > 0 else []
    columns = ["utterance_id", "annotator", "there", "here", "why", "state", "batch", "sent"]
    return Outcome("sync fixes", counts, table[columns].reset_index(drop=True), notes=notes)


def push_fixes(
    workspace: Workspace,
    connection: Connection,
    reason: str,
    kind: str = ANNOTATION,
    choice: Choice = _NO_CHOICE,
    edits: bool = False,
    again: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Send decisions as new annotations or predictions by the token's account; people's own are never changed.

    Each is sent exactly once, however often the command breaks off and is run again. A fix whose task was labelled or
    changed on the server since the last pull is a fault. The table has utterance_id, annotator, before, after, task,
    annotation (its number, or the prediction's; missing with `dry_run`) and link.

    Args:
        reason: why; it stands in the note of the annotation, which the server exports.
        kind: annotation, or prediction.
        edits: people's edits of single labels too.
        again: also those that were taken from the server before, here or there.
        dry_run: look, and send nothing.

    Raises:
        BadInput: there is no reason, no project yet, or nothing of this rule, convention, batch or annotator.
        ServerError: the server does not answer, or not to this token. What was sent is written down.
    """
    if not reason.strip():
        raise BadInput("--reason must say why; it goes along to the server")
    with one_writer(workspace):
        binding = bound_project(workspace, connection)
        arrived = 0
        if not dry_run:
            arrived = settle(workspace, connection, binding.project_id)
            give_up(workspace, pending_fixes(workspace, True, binding.project_id))
        every = choice.of(pending_fixes(workspace, edits, binding.project_id))
        states = (PENDING, INTENDED, *((UNDONE, DELETED) if again else ()))
        wanted = every["stands"] & every["state"].isin(states) & (edits | (every["source"] != "edit"))
        chosen = choice.first(every[wanted])
        push = _Push(workspace, connection, binding, kind, reason, uuid4().hex[:8])
        for first in range(0, len(chosen), PART):
            part = chosen.iloc[first : first + PART]
            parcels = push.prepared(part)
            if dry_run:
                for parcel in parcels:
                    push.report(parcel, None)
            else:
                push.send(parcels)
            progress(min(first + PART, len(chosen)), len(chosen))
        if kind == PREDICTION and push.table and not dry_run:
            settle(workspace, connection, binding.project_id)
        return push.outcome(every, again, dry_run, arrived)


@dataclass
class _Push:
    """One batch on its way."""

    workspace: Workspace
    connection: Connection
    binding: Binding
    kind: str
    reason: str
    batch: str
    table: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pulled = Pulled.read(self.workspace, self.binding.project_id)
        self._found: dict[str, list[int]] | None = None
        fixes = self.workspace.read("sync_fixes")
        self._begun = {row["uid"]: row for row in fixes[fixes["state"] == INTENDED].to_dict("records")}

    def prepared(self, fixes: pd.DataFrame) -> list[Parcel]:
        """The parcels of these fixes that may be sent: the others become faults, or are there already."""
        tasks = self._tasks(fixes)
        parcels = []
        for fix in fixes.itertuples():
            task = tasks.get(fix.Index)
            problem = self._problem(fix, task)
            if problem or task is None:
                self._fault(fix, int(fix.task_id), problem)
                continue
            parcel = self._parcel(fix, task)
            if parcel.uid in task.annotations:
                self._there_already(parcel, of_annotation(task.annotations[parcel.uid], parcel.text, None))
            elif not self._pulled.is_current(task):
                reason = f"task {task.task_id} was labelled or changed on the server; run `workbench sync pull` first"
                self._fault(fix, task.task_id, reason)
            else:
                parcels.append(parcel)
        return parcels

    def _problem(self, fix: Any, task: SeenTask | None) -> str:
        """Why a fix cannot be sent, or empty text."""
        if task is None:
            return "it has no task on the server; run `workbench sync push` first"
        if not task.problem and self.kind == PREDICTION and not one_line(fix.here):
            return "its text is empty, which no prediction can be; send it with --as annotation"
        return task.problem

    def _tasks(self, fixes: pd.DataFrame) -> dict[Any, SeenTask]:
        """The task of each fix as it is now; ids are given anew after deletions, so that the key in it decides."""
        project = self.binding.project_id
        seen = seen_tasks(self.connection, project, sorted({int(number) for number in fixes["task_id"]}))
        located = {fix.Index: seen.get(int(fix.task_id)) for fix in fixes.itertuples()}
        lost = [fix for fix in fixes.itertuples() if not self._is_of(located[fix.Index], fix.utterance_id)]
        if lost and self._found is None:
            self._found = {}
            for found in found_tasks(self.connection, project, self.binding.mark, with_data=False):
                if found.utterance_id is not None:
                    self._found.setdefault(found.utterance_id, []).append(found.task_id)
        elsewhere = {fix.Index: min((self._found or {}).get(fix.utterance_id, [0])) for fix in lost}
        seen |= seen_tasks(self.connection, project, sorted({number for number in elsewhere.values() if number}))
        for fix in lost:
            task = seen.get(elsewhere[fix.Index])
            located[fix.Index] = task if self._is_of(task, fix.utterance_id) else None
        return {index: task for index, task in located.items() if task is not None}

    def _is_of(self, task: SeenTask | None, utterance_id: str) -> bool:
        return task is not None and (task.mark, task.utterance_id) == (self.binding.mark, utterance_id)

    def _parcel(self, fix: Any, task: SeenTask) -> Parcel:
        plain = fix_uid(self.binding.mark, fix.utterance_id, fix.annotator, int(fix.revision), fix.here)
        uids = {ANNOTATION: plain, PREDICTION: prediction_uid(plain)}
        uid = uids.pop(self.kind)
        why = f"{fix.why} ({self.reason})" if fix.why else self.reason
        self.rows[uid] = {
            "uid": uid, "batch": self.batch, "utterance_id": fix.utterance_id, "annotator": fix.annotator,
            "revision": int(fix.revision), "text": fix.here, "kind": self.kind, "task_id": task.task_id, "why": why,
            "before": fix.there, "other_uid": next(iter(uids.values())),
        }  # fmt: skip
        own = task.annotations.get(self._pulled.own.get((fix.utterance_id, fix.annotator), ""))
        note = f"sent by the workbench for {fix.annotator}: {why}; batch {self.batch}"
        parent = own.annotation_id if own is not None else None
        text = one_line(fix.here)
        return Parcel(uid, self.kind, self.batch, task.task_id, text, fix_result(text, note), parent)

    def _there_already(self, parcel: Parcel, standing: Standing) -> None:
        write(self.workspace, [on_the_server(self.rows[parcel.uid], standing)])
        self.report(parcel, standing)

    def _fault(self, fix: Any, task_id: int, reason: str) -> None:
        item = f"{fix.utterance_id} by {fix.annotator}"
        self.faults.append({"stage": _STAGE, "item": item, "location": f"task {task_id}", "reason": reason})

    def send(self, parcels: list[Parcel]) -> None:
        """Write down what is about to be sent, send it, and write down what arrived, however this ends."""
        rows = [written(self.rows[parcel.uid], INTENDED) for parcel in parcels]
        # What an earlier push began as the other kind is not there, and is not to be sent any more.
        other = [uid for p in parcels if (uid := self.rows[p.uid]["other_uid"]) in self._begun]
        write(self.workspace, rows + [written(self._begun[uid], UNDONE) for uid in other])
        arrived: list[dict[str, Any]] = []
        try:
            for parcel, end in deliver(self.connection, self.binding.project_id, parcels):
                row = self.rows[parcel.uid]
                if isinstance(end, Standing):
                    arrived.append(on_the_server(row, end))
                    self.report(parcel, end)
                else:
                    self._fault(SimpleNamespace(**row), parcel.task_id, end)
        finally:
            write(self.workspace, arrived)

    def report(self, parcel: Parcel, standing: Standing | None) -> None:
        row = self.rows[parcel.uid]
        self.table.append(
            {
                "utterance_id": row["utterance_id"], "annotator": row["annotator"], "before": row["before"],
                "after": parcel.text, "task": parcel.task_id,
                "annotation": standing.placed.remote_id if standing is not None else None,
                "link": f"{self.connection.server}/projects/{self.binding.project_id}/data?task={parcel.task_id}",
            }
        )  # fmt: skip

    def outcome(self, every: pd.DataFrame, again: bool, dry_run: bool, arrived: int) -> Outcome:
        columns = ["utterance_id", "annotator", "before", "after", "task", "annotation", "link"]
        table = pd.DataFrame(self.table, columns=columns).astype({"task": "Int64", "annotation": "Int64"})
        number = len(table)
        are = "would be" if dry_run else "is" if number == 1 else "are"
        notes = [f"{number} fix{'' if number == 1 else 'es'} {are} sent as {self.kind}s"]
        if arrived:
            notes.append(f"{arrived} more had arrived of a push that broke off; workbench sync fixes --all lists them")
        for state, reading in (
            (CONFLICT, "to decide between both sides: workbench sync conflicts"),
            (CHANGED, "changed by somebody on the server, left so"),
            *(() if again else ((UNDONE, "taken from the server before; --again sends them"),)),
            *(() if again else ((DELETED, "deleted on the server; --again sends them once more"),)),
        ):
            if (every["state"] == state).any():
                notes.append(f"{int((every['state'] == state).sum())} {reading}")
        if number and not dry_run:
            notes.append(f"take it back with workbench sync fixes undo {self.batch}")
        faults = faults_frame(self.faults)
        if not dry_run:
            with patient_lock(self.workspace):
                record_faults(self.workspace, _STAGE, self.faults)
        counts = {"sent": 0 if dry_run else number, "batch": self.batch if number and not dry_run else ""}
        return Outcome(_STAGE, counts | {"faults": len(faults)}, table, faults, notes, kept=not dry_run)
