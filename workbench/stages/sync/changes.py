"""Which tasks must be read again: those whose annotations differ from what was read last, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from workbench.label_studio.records import FoundTask
from workbench.stages.sync.mirrored import DELETED, DRAFT

_FEW = 10
"""So many annotations may vanish from a project without a question, where some of its tasks are still there."""


@dataclass(frozen=True)
class Changes:
    """What a pull has to do.

    Attributes:
        read: tasks to read: something differs, or there are drafts, which leave no trace in the list of tasks.
        gone: annotations whose task is gone, or is another utterance's now, and drafts that are there no longer.
        fewer: tasks that have fewer annotations than were pulled.
        lost: how many annotations were pulled and are there no longer, as the server counts.
        known: how many were pulled and not known to be deleted.
        foreign: annotations in tasks that are not this workspace's.
        is_doubtful: so much is gone that the server, or its database, may be another one.
    """

    read: tuple[int, ...]
    gone: tuple[str, ...]
    fewer: frozenset[int]
    lost: int
    known: int
    foreign: int
    is_doubtful: bool


class _Known(NamedTuple):
    """An annotation that was pulled and not deleted since; `is_expected`: it should still be there."""

    uid: str
    is_draft: bool
    is_expected: bool


def version_of(task: FoundTask) -> str:
    """What must be equal for a task's annotations to be the same as before.

    Counts are part of it: a server may write the time of a change down before or after the change itself.
    """
    return f"{task.updated_at} {task.annotations} {task.cancelled}"


def changes(
    tasks: Sequence[FoundTask],
    drafts: set[int],
    annotations: pd.DataFrame,
    pulled: Mapping[tuple[int, str], str],
    everything: bool = False,
    undone: Collection[str] = (),
) -> Changes:
    """What differs between the list of tasks and what was pulled.

    Args:
        tasks: every task of the project.
        drafts: tasks that anybody has a draft of.
        annotations: the table `annotations` of the project.
        pulled: the version of each task when it was read last, by task and utterance.
        everything: read every task with an annotation, whether it differs or not.
        undone: annotations that this workspace has taken back itself: that they are gone surprises nobody.
    """
    live: dict[tuple[int, str], list[_Known]] = {}
    columns = (annotations[name].tolist() for name in ("task_id", "utterance_id", "uid", "state"))
    for task_id, utterance_id, uid, state in zip(*columns, strict=True):
        if state != DELETED:
            known = _Known(uid, state == DRAFT, state != DRAFT and uid not in undone)
            live.setdefault((task_id, utterance_id), []).append(known)
    total = sum(one.is_expected for rows in live.values() for one in rows)
    read, fewer, gone = [], set(), []
    lost = foreign = 0
    has_tasks = False
    for task in tasks:
        if task.utterance_id is None:
            foreign += task.annotations + task.cancelled
            continue
        has_tasks = True
        place = (task.task_id, task.utterance_id)
        rows = live.pop(place, [])
        expected, listed = sum(one.is_expected for one in rows), task.annotations + task.cancelled
        if expected > listed:
            fewer.add(task.task_id)
            lost += expected - listed
        is_changed = everything or pulled.get(place) != version_of(task)
        if task.task_id in drafts or (is_changed and (listed or not all(one.is_draft for one in rows))):
            read.append(task.task_id)
        else:
            gone += [one.uid for one in rows if one.is_draft]
    for rows in live.values():
        lost += sum(one.is_expected for one in rows)
        gone += [one.uid for one in rows]
    is_doubtful = lost > 0 and (not has_tasks or (lost >= _FEW and 2 * lost > total))
    return Changes(tuple(read), tuple(gone), frozenset(fewer), lost, total, foreign, is_doubtful)
