"""A batch of fixes taken from the server again: exactly what was sent, and only where nobody has changed it since."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.errors import BadInput
from workbench.jobs.local import Progress, silent
from workbench.label_studio.connection import Connection
from workbench.label_studio.errors import BadReply, Refused, Unanswered
from workbench.label_studio.fix_annotations import ANNOTATION
from workbench.label_studio.fix_delivery import CHANGED_THERE, GONE, withdraw
from workbench.label_studio.fix_delivery import UNDONE as TAKEN_AWAY
from workbench.label_studio.records import fix_uid
from workbench.stages.stage import Outcome, record_faults
from workbench.stages.sync.binding import bound_project, one_writer, patient_lock
from workbench.stages.sync.fix_book import parcel_of, prediction_uid, write, written
from workbench.stages.sync.pending_fixes import CHANGED, UNDONE, pending_fixes
from workbench.workspace import Workspace

_STAGE = "sync fixes undo"
_BEFORE = "undone before"
_PART = 20  # so many are taken away between two notes of it
_LATEST = 5  # batches that a message names


def undo_fixes(workspace: Workspace, connection: Connection, batch: str, progress: Progress = silent) -> Outcome:
    """Delete the annotations and predictions of one push of fixes from the server.

    One that somebody has changed, or is editing, stays. Nothing here is taken back, and no annotation of a person is
    touched. The table has utterance_id, annotator, task, annotation (its number, or the prediction's) and outcome:
    undone, gone already, undone before, or why it stays.

    Raises:
        BadInput: no such batch was sent, or there is no project yet.
        ServerError: the server does not answer, or not to this token. What was deleted is written down.
    """
    with one_writer(workspace):
        fixes = workspace.read("sync_fixes")
        of_batch = fixes[fixes["batch"] == batch]
        if of_batch.empty:
            known = ", ".join(fixes.sort_values("at", kind="stable")["batch"].drop_duplicates().tail(_LATEST))
            raise BadInput(f"no batch {batch!r} was sent; " + (f"the latest are {known}" if known else "none was yet"))
        binding = bound_project(workspace, connection)
        table: list[dict[str, Any]] = []
        faults: list[dict[str, str]] = []
        rows = of_batch.sort_values(["task_id", "annotator"], kind="stable").to_dict("records")
        for first in range(0, len(rows), _PART):
            done: list[dict[str, Any]] = []
            try:
                for row in rows[first : first + _PART]:
                    outcome = _take_away(connection, binding.project_id, binding.mark, row, done, faults)
                    table.append(_shown(row, outcome))
            finally:
                write(workspace, done)
            progress(min(first + _PART, len(rows)), len(rows))
        with patient_lock(workspace):
            frame = record_faults(workspace, _STAGE, faults)
        return _outcome(workspace, table, frame, {row["uid"] for row in rows})


def _take_away(
    connection: Connection,
    project_id: int,
    mark: str,
    row: dict[str, Any],
    done: list[dict[str, Any]],
    faults: list[dict[str, str]],
) -> str:
    """What became of one of them; `done` takes its row, and `faults` why it could not be seen to."""
    if row["state"] == UNDONE:
        return _BEFORE
    uid = fix_uid(mark, row["utterance_id"], row["annotator"], int(row["revision"]), row["text"])
    if row["uid"] != (uid if row["kind"] == ANNOTATION else prediction_uid(uid)):
        problem = f"it was sent by a workspace with another mark than {mark}; undo it from there"
    else:
        parcel = parcel_of(pd.Series(row))
        # What a pull has found changed is not deleted, whatever it reads now.
        version = "" if row["state"] == CHANGED else row["version"] if isinstance(row["version"], str) else None
        try:
            outcome = withdraw(connection, project_id, parcel, version)
        except (Unanswered, Refused, BadReply) as error:
            problem = str(error)
        else:
            if outcome in (TAKEN_AWAY, GONE):
                done.append(written(row, UNDONE))
            elif outcome == CHANGED_THERE:
                done.append(written(row, CHANGED))
            return outcome
    item = f"{row['utterance_id']} by {row['annotator']}"
    faults.append({"stage": _STAGE, "item": item, "location": f"task {int(row['task_id'])}", "reason": problem})
    return "fault"


def _shown(row: dict[str, Any], outcome: str) -> dict[str, Any]:
    return {
        "utterance_id": row["utterance_id"], "annotator": row["annotator"], "task": row["task_id"],
        "annotation": row["remote_id"], "outcome": outcome,
    }  # fmt: skip


def _outcome(workspace: Workspace, rows: list[dict[str, Any]], faults: pd.DataFrame, uids: set[str]) -> Outcome:
    table = pd.DataFrame(rows).astype({"task": "Int64", "annotation": "Int64"})
    undone = int(table["outcome"].isin([TAKEN_AWAY, GONE]).sum())
    before = int((table["outcome"] == _BEFORE).sum())
    failed = int((table["outcome"] == "fault").sum())
    stay = len(table) - undone - before - failed
    are = "is" if undone == 1 else "are"
    notes = [f"{undone} {are} not on the server any more" + (f", {before} taken away before" if before else "")]
    if stay:
        notes.append(f"{stay} changed by somebody there, left so; workbench sync pull brings the change here")
    notes += _left_here(workspace, uids)
    counts = {"undone": undone, "stay": stay, "undone before": before, "faults": len(faults)}
    return Outcome(_STAGE, counts, table, faults, notes)


def _left_here(workspace: Workspace, uids: set[str]) -> list[str]:
    """How the same decisions are taken back in the workspace, where they stand."""
    fixes = pending_fixes(workspace, edits=True)
    here = fixes[fixes["uid"].isin(uids) & (fixes["state"] == UNDONE)]
    if here.empty:
        return []
    batches = list(dict.fromkeys(batch for several in here["batches"] for batch in several))
    ways = [f"workbench conventions undo {batch}" for batch in batches[:_LATEST]]
    if any(not several for several in here["batches"]):
        ways.append("workbench labels undo UTTERANCE --annotator NAME")
    stand = "stands" if len(here) == 1 else "stand"
    return [f"{len(here)} of the texts {stand} here as sent; to take them back here too: {', '.join(ways)}"]
