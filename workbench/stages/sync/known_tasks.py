"""What the workspace knows of its tasks on the server: what was about to be sent, what was seen, what is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from workbench.label_studio.records import FoundTask
from workbench.stages.sync.binding import patient_lock
from workbench.workspace import Workspace

INTENDED, PRESENT, GONE, DELETED = "intended", "present", "gone", "deleted here"
_STILL_UNDER_WAY = timedelta(minutes=15)  # longer no server and no proxy works on a request


@dataclass(frozen=True)
class KnownTasks:
    """What is known of a project.

    Attributes:
        seen: utterances whose task was on the server, and was not deleted by this workspace.
        under_way: utterances that were about to be sent a moment ago, and of which nothing has been seen since.
        sent: utterances that this workspace has ever sent.
    """

    seen: frozenset[str]
    under_way: frozenset[str]
    sent: frozenset[str] = frozenset()


def known_tasks(workspace: Workspace, project_id: int) -> KnownTasks:
    """What the workspace knows of a project's tasks."""
    rows = workspace.read("sync_tasks", history=True)
    rows = rows[rows["project_id"] == project_id]
    last: dict[tuple[str, int], tuple[int, str, datetime]] = {}
    columns = (rows[name].tolist() for name in ("utterance_id", "task_id", "state", "at"))
    # The order of writing counts, and not the times, because clocks are set.
    for place, (utterance_id, task_id, state, at) in enumerate(zip(*columns, strict=True)):
        last[utterance_id, task_id] = (place, state, at)
    intended = {name: (place, at) for (name, _), (place, state, at) in last.items() if state == INTENDED}
    nowhere = (-1, datetime.min.replace(tzinfo=UTC))
    seen, answered = set(), set()
    for (name, _), (place, state, _at) in last.items():
        if place > intended.get(name, nowhere)[0]:
            answered.add(name)
            if state in (PRESENT, GONE):
                seen.add(name)
    since = datetime.now(UTC) - _STILL_UNDER_WAY
    under_way = {name for name, (_, at) in intended.items() if name not in answered and at >= since}
    return KnownTasks(frozenset(seen), frozenset(under_way), frozenset(intended))


def note_intended(workspace: Workspace, project_id: int, utterance_ids: Sequence[str]) -> None:
    """Write down what is about to be sent, before it is."""
    row = {"project_id": project_id, "task_id": 0, "state": INTENDED, "pulled_version": None, "at": datetime.now(UTC)}
    with patient_lock(workspace):
        workspace.append("sync_tasks", pd.DataFrame([row | {"utterance_id": name} for name in utterance_ids]))


def note_found(
    workspace: Workspace, project_id: int, found: Iterable[FoundTask], deleted: Collection[int] = ()
) -> None:
    """Write down which tasks there are, as far as that is news, and which are there no longer.

    Args:
        deleted: the numbers of tasks that this workspace has deleted.
    """
    now = datetime.now(UTC)
    there = {task.task_id: task.utterance_id for task in found if task.utterance_id is not None}
    with patient_lock(workspace):
        rows = workspace.read("sync_tasks")
        rows = rows[(rows["project_id"] == project_id) & (rows["task_id"] > 0)]
        columns = (rows[name].tolist() for name in ("utterance_id", "task_id", "state", "pulled_version"))
        known = {(name, number): (state, version) for name, number, state, version in zip(*columns, strict=True)}
        news = []
        for number, name in there.items():
            state, version = known.get((name, number), ("", None))
            if state != PRESENT:
                news.append((name, number, PRESENT, version))
        for (name, number), (state, version) in known.items():
            if there.get(number) != name and state == PRESENT:
                news.append((name, number, DELETED if number in deleted else GONE, version))
        frame = pd.DataFrame(news, columns=["utterance_id", "task_id", "state", "pulled_version"])
        frame["pulled_version"] = frame["pulled_version"].where(frame["pulled_version"].notna(), None)
        workspace.append("sync_tasks", frame.assign(project_id=project_id, at=now))
