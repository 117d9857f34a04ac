"""What was sent to the server as a fix, written down before and after; what people had there at the last pull."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from workbench.label_studio.connection import Connection
from workbench.label_studio.fix_annotations import PREDICTION, SeenTask, seen_predictions
from workbench.label_studio.fix_delivery import CHANGED_THERE, Parcel, Standing, whereabouts, without_doubles
from workbench.label_studio.results import one_line
from workbench.stages.sync.binding import patient_lock
from workbench.stages.sync.pending_fixes import CHANGED, INTENDED, SENT, UNDONE
from workbench.workspace import Workspace

PART = 50
"""So many fixes are looked up, intended and written down together."""


def prediction_uid(uid: str) -> str:
    """The name of a fix as a prediction, which must not be that of the same fix as an annotation."""
    return f"{PREDICTION}-{uid}"


def parcel_of(row: Any) -> Parcel:
    """The parcel that a row of sync_fixes tells of, to look for it."""
    return Parcel(str(row.uid), str(row.kind), str(row.batch), int(row.task_id), one_line(row.text), [])


def written(row: dict[str, Any], state: str) -> dict[str, Any]:
    """A row of sync_fixes in another state."""
    return row | {"state": state, "at": datetime.now(UTC)}


def on_the_server(row: dict[str, Any], standing: Standing) -> dict[str, Any]:
    """The row of a fix that the server has, sent or changed there, with its number and its version."""
    state = CHANGED if standing.changed == CHANGED_THERE else SENT
    return written(row, state) | {"remote_id": standing.placed.remote_id, "version": standing.placed.version or None}


def write(workspace: Workspace, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows to sync_fixes."""
    if rows:
        whole = dict.fromkeys(("revision", "task_id", "remote_id"), "Int64")
        with patient_lock(workspace):
            workspace.append("sync_fixes", pd.DataFrame(rows).reindex(columns=_COLUMNS).astype(whole))


_COLUMNS = [
    "uid", "batch", "utterance_id", "annotator", "revision", "text", "kind", "task_id", "remote_id", "version",
    "state", "why", "at",
]  # fmt: skip


def settle(workspace: Workspace, connection: Connection, project_id: int) -> int:
    """How many fixes had arrived of pushes that broke off before they could write it down.

    What came twice, as predictions may after an answer was lost, stands once afterwards.

    Raises:
        ServerError: the server does not say what it holds.
    """
    fixes = workspace.read("sync_fixes")
    predictions = fixes[(fixes["kind"] == PREDICTION) & fixes["state"].isin([INTENDED, SENT])]
    if len(predictions):
        without_doubles(connection, project_id)
        seen = seen_predictions(connection, project_id)
        numbers = {uid: same[0].prediction_id for uid, same in seen.items()}
        kept = [row for row in predictions[predictions["state"] == SENT].to_dict("records") if row["uid"] in numbers]
        others = [row | {"remote_id": numbers[row["uid"]]} for row in kept if row["remote_id"] != numbers[row["uid"]]]
        write(workspace, [written(row, SENT) for row in others])
    begun = fixes[(fixes["state"] == INTENDED) & fixes["task_id"].notna()]
    arrived = 0
    for first in range(0, len(begun), PART):
        part = begun.iloc[first : first + PART]
        there = whereabouts(connection, project_id, [parcel_of(row) for row in part.itertuples()])
        rows = [on_the_server(row, there[row["uid"]]) for row in part.to_dict("records") if row["uid"] in there]
        write(workspace, rows)
        arrived += len(rows)
    return arrived


def give_up(workspace: Workspace, pending: pd.DataFrame) -> None:
    """Note that what a push began and did not bring there will not be sent, where it stands here no longer.

    Args:
        pending: the fixes, edits too, after `settle`.
    """
    stale = set(pending.loc[(pending["state"] == INTENDED) & ~pending["stands"], "uid"])
    rows = workspace.read("sync_fixes").to_dict("records")
    write(workspace, [written(row, UNDONE) for row in rows if row["uid"] in stale])


@dataclass(frozen=True)
class Pulled:
    """The annotations of tasks as the last pull read them, and ours as they were sent."""

    versions: dict[int, dict[str, str]]
    ours: dict[str, str | None]
    own: dict[tuple[str, str], str]

    @classmethod
    def read(cls, workspace: Workspace, project_id: int) -> Pulled:
        annotations = workspace.read("annotations")
        annotations = annotations[annotations["project_id"] == project_id]
        annotations = annotations[~annotations["state"].isin(["deleted", "draft"])]
        versions: dict[int, dict[str, str]] = {}
        for task, uid, version in zip(annotations["task_id"], annotations["uid"], annotations["version"], strict=True):
            versions.setdefault(int(task), {})[uid] = version
        theirs = annotations[~annotations["is_ours"].astype(bool)].sort_values("updated_at", kind="stable")
        own = {(row.utterance_id, row.annotator): str(row.uid) for row in theirs.itertuples()}
        fixes = workspace.read("sync_fixes")
        ours = {row.uid: row.version if isinstance(row.version, str) else None for row in fixes.itertuples()}
        return cls(versions, ours, own)

    def is_current(self, task: SeenTask) -> bool:
        """Whether people's work in the task is what was pulled: nothing new, nothing changed, nothing gone."""
        known = self.versions.get(task.task_id, {})
        for uid, annotation in task.annotations.items():
            if annotation.updated_at not in (known.get(uid), self.ours.get(uid)):
                return False
        return all(uid in task.annotations for uid in known if uid not in self.ours)
