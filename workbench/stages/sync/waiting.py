"""What waits to be sent, fetched and decided: asked of the server where that is possible, and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.errors import BadInput, WorkspaceLocked
from workbench.label_studio.annotations import ExportedTask, exported_tasks, tasks_with_drafts
from workbench.label_studio.errors import ServerError
from workbench.label_studio.listing import found_tasks
from workbench.stages.sync.binding import known_binding
from workbench.stages.sync.changes import changes, version_of
from workbench.stages.sync.mirrored import DELETED, DRAFT
from workbench.stages.sync.push import push
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

_PUSH = "workbench sync push"
_PULL = "workbench sync pull"
_OF_PUSH = {
    "created": ("utterances without a task", _PUSH),
    "updated": ("tasks with changed fields", _PUSH),
    "predictions": ("hypotheses that tasks lack", _PUSH),
    "uploaded": ("audio files to upload", _PUSH),
    "duplicates": ("tasks or hypotheses there twice", _PUSH),
    "removed": ("tasks of removed utterances", f"{_PUSH} --delete-removed"),
    "gone": ("tasks that were deleted there", f"{_PUSH} --again"),
}
_OF_PULL = {
    "changed": "tasks that changed there",
    "drafts": "tasks whose drafts changed",
    "lost": "annotations deleted there",
}


def waiting(
    workspace: Workspace, connection: Connection | None, fixes: int, conflicts: int
) -> tuple[pd.DataFrame, list[str], str]:
    """What is to be done, one row a kind: side (push, pull or decide), what, number and command.

    The number is missing where the server would have to be asked.

    Args:
        connection: None asks no server.
        fixes: decisions that the server does not know yet.
        conflicts: open ones.

    Returns:
        The table, notes, and in a sentence why the server could not be asked, empty where it could.
    """
    notes: list[str] = []
    why = ""
    to_push: dict[str, Any] = {}
    to_pull: dict[str, Any] = {}
    if connection is not None:
        try:
            to_push = _to_push(workspace, connection, notes)
            to_pull = _to_pull(workspace, connection)
        except ServerError as problem:
            why = str(problem)
    rows: list[tuple[str, str, Any, str]] = []
    for name, (what, command) in _OF_PUSH.items():
        rows.append(("push", what, to_push.get(name), command))
    rows.append(("push", "decisions that the server lacks", fixes, "workbench sync fixes"))
    for name, what in _OF_PULL.items():
        rows.append(("pull", what, to_pull.get(name), _PULL))
    rows.append(("decide", "labels changed on both sides", conflicts, "workbench sync conflicts"))
    return pd.DataFrame(rows, columns=["side", "what", "number", "command"]).astype({"number": "Int64"}), notes, why


def _to_push(workspace: Workspace, connection: Connection, notes: list[str]) -> dict[str, Any]:
    try:
        outcome = push(workspace, connection, dry_run=True)
    except (BadInput, WorkspaceLocked) as problem:
        notes.append(f"what would be pushed is not known: {problem}")
        return {}
    if len(outcome.faults):
        notes.append(f"{len(outcome.faults)} utterances cannot be sent; `{_PUSH} --dry-run` says why")
    return outcome.counts


def _to_pull(workspace: Workspace, connection: Connection) -> dict[str, Any]:
    binding = known_binding(workspace, connection)
    if binding is None or not binding.project_id:
        return dict.fromkeys(_OF_PULL, 0)
    project = binding.project_id
    drafts = tasks_with_drafts(connection, project)
    tasks = found_tasks(connection, project, binding.mark, with_data=False)
    annotations, read = workspace.read("annotations"), workspace.read("sync_tasks")
    annotations = annotations[annotations["project_id"] == project]
    read = read[(read["project_id"] == project) & read["pulled_version"].notna()]
    places = zip(read["task_id"].tolist(), read["utterance_id"].tolist(), strict=True)
    pulled = dict(zip(places, read["pulled_version"].tolist(), strict=True))
    found = changes(tasks, drafts, annotations, pulled)
    submitted = set(annotations.loc[~annotations["state"].isin([DELETED, DRAFT]), "task_id"])
    wanted = set(found.read)
    changed = {
        task.task_id
        for task in tasks
        if task.task_id in wanted
        and (task.annotations or task.cancelled or task.task_id in submitted)
        and pulled.get((task.task_id, task.utterance_id or "")) != version_of(task)
    }
    drafts_only = sorted(drafts & wanted - changed)
    versions = dict(zip(annotations["uid"], annotations["version"], strict=True))
    begun = {task.task_id for task in _exported(connection, project, drafts_only) if _differs(task, versions)}
    left = annotations.loc[annotations["uid"].isin(found.gone) & (annotations["state"] == DRAFT), "task_id"]
    return {"changed": len(changed), "drafts": len(begun | set(left) - changed), "lost": found.lost}


def _exported(connection: Connection, project: int, task_ids: list[int]) -> Iterator[ExportedTask]:
    """The tasks whole: whether a draft has changed, the list of tasks does not say."""
    if task_ids:
        for part in exported_tasks(connection, project, task_ids, {}):
            yield from part


def _differs(task: ExportedTask, versions: Mapping[str, str]) -> bool:
    return any(one.is_draft and versions.get(one.uid) != one.updated_at for one in task.found)
