"""What is left to do until a server holds what it is to hold: worked out from what is wanted and what was found.

Nothing here asks or changes anything, so that a push can be shown before it is made, and be made again after any
failure: what was done already is not in the next plan.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from workbench.label_studio.records import FoundPrediction, FoundTask, WantedPrediction, WantedTask

Key = tuple[str, ...]
"""What a thing to do is known by from one plan to the next: its kind and what it is about."""


class Keyed(Protocol):
    """A thing to do."""

    @property
    def key(self) -> Key: ...


T = TypeVar("T", bound=Keyed)


@dataclass(frozen=True)
class TaskCreate:
    """An utterance that has no task."""

    wanted: WantedTask

    @property
    def key(self) -> Key:
        return ("create", self.wanted.utterance_id)


@dataclass(frozen=True)
class TaskUpdate:
    """A task whose data is not as it is to be; `changed` names the fields of ours that differ."""

    task: FoundTask
    wanted: WantedTask
    changed: tuple[str, ...]

    @property
    def key(self) -> Key:
        return ("update", self.wanted.utterance_id)


@dataclass(frozen=True)
class PredictionAdd:
    """A hypothesis that its task lacks."""

    task_id: int
    utterance_id: str
    prediction: WantedPrediction

    @property
    def key(self) -> Key:
        return prediction_key(self.utterance_id, self.prediction)


@dataclass(frozen=True)
class PredictionChange:
    """A hypothesis that the server has otherwise; `changed` says in what."""

    prediction_id: int
    utterance_id: str
    prediction: WantedPrediction
    changed: tuple[str, ...]

    @property
    def key(self) -> Key:
        return prediction_key(self.utterance_id, self.prediction)


@dataclass(frozen=True)
class PredictionDrop:
    """A prediction of ours that its task has already."""

    prediction_id: int
    utterance_id: str

    @property
    def key(self) -> Key:
        return ("drop", self.utterance_id, str(self.prediction_id))


@dataclass(frozen=True)
class TaskMerge:
    """Several tasks of one utterance, the one to keep first."""

    tasks: tuple[FoundTask, ...]

    @property
    def key(self) -> Key:
        return ("merge", self.tasks[0].utterance_id or "")

    @property
    def is_open(self) -> bool:
        """Whether one of those not to keep has no annotation; of drafts only a look at it can tell."""
        return any(is_untouched(task) for task in self.tasks[1:])


@dataclass(frozen=True)
class TaskRemoval:
    """A task of ours whose utterance the workspace has no longer."""

    task: FoundTask

    @property
    def key(self) -> Key:
        return ("delete", self.task.utterance_id or "", str(self.task.task_id))


def prediction_key(utterance_id: str, prediction: WantedPrediction) -> Key:
    return ("prediction", utterance_id, prediction.model_version)


def is_untouched(task: FoundTask) -> bool:
    """Whether nobody has submitted or skipped the task."""
    return task.annotations == 0 and task.cancelled == 0


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what was found beside it.

    Attributes:
        unchanged: utterances of which the server holds everything.
        gone: utterances whose task was on the server once, and was deleted there.
        foreign: tasks that are not of this workspace.
        copies: utterances whose tasks carry the workspace's mark, but come from a copy of it.
    """

    create: list[TaskCreate] = field(default_factory=list)
    update: list[TaskUpdate] = field(default_factory=list)
    add: list[PredictionAdd] = field(default_factory=list)
    change: list[PredictionChange] = field(default_factory=list)
    drop: list[PredictionDrop] = field(default_factory=list)
    merge: list[TaskMerge] = field(default_factory=list)
    removed: list[TaskRemoval] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    foreign: int = 0
    copies: list[str] = field(default_factory=list)

    def left(self, settled: Collection[Key], delete_removed: bool) -> Plan:
        """The part of it that can still be done: without what is settled, and without tasks that people worked in."""
        removals = [one for one in self.removed if delete_removed and is_untouched(one.task)]
        merges = [one for one in self.merge if one.is_open]

        def not_settled(some: list[T]) -> list[T]:
            return [one for one in some if one.key not in settled]

        return Plan(
            not_settled(self.create),
            not_settled(self.update),
            not_settled(self.add),
            not_settled(self.change),
            not_settled(self.drop),
            not_settled(merges),
            not_settled(removals),
        )

    def to_do(self) -> set[Key]:
        """The keys of what there is to do, also of the predictions of new tasks."""
        several: tuple[Sequence[Keyed], ...]
        several = (self.create, self.update, self.add, self.change, self.drop, self.merge, self.removed)
        of_new = (prediction_key(new.wanted.utterance_id, p) for new in self.create for p in new.wanted.predictions)
        return {one.key for some in several for one in some}.union(of_new)


def plan(
    wanted: Iterable[WantedTask],
    found: Iterable[FoundTask],
    predictions: Iterable[FoundPrediction],
    *,
    seen: Collection[str] = (),
    sent: Collection[str] | None = None,
    kept: Collection[str] | None = None,
    own_fields: Collection[str] = (),
    own_versions: Collection[str] = (),
    again: bool = False,
) -> Plan:
    """The plan that makes what was found into what is wanted.

    Args:
        found: every task of the project, in any order.
        predictions: every prediction of the project.
        seen: utterances whose task was on the server before; one that is not there now was deleted there.
        sent: utterances that this workspace has ever sent: any other one that it lacks is of a copy of it, which has
            the same mark, and stays; None: all of them.
        kept: the utterances of the workspace, also those that could not be made into tasks; None: what is wanted is a
            part of them, and nothing can be said of the rest.
        own_fields: fields of a task's data that are ours, also where what is wanted has them no longer.
        own_versions: the model versions whose predictions are ours.
        again: send what was deleted on the server once more.
    """
    by_utterance: dict[str, list[FoundTask]] = {}
    foreign = 0
    for task in found:
        if task.utterance_id is None:
            foreign += 1
        else:
            by_utterance.setdefault(task.utterance_id, []).append(task)
    made = Plan(foreign=foreign)
    by_task: dict[int, list[FoundPrediction]] = {}
    for prediction in predictions:
        by_task.setdefault(prediction.task_id, []).append(prediction)
    own_fields, own_versions, seen = set(own_fields), set(own_versions), set(seen)
    chosen = set()
    for one in wanted:
        chosen.add(one.utterance_id)
        tasks = sorted(by_utterance.get(one.utterance_id, ()), key=_worth_keeping)
        if tasks:
            _of_task(made, one, tasks[0], by_task.get(tasks[0].task_id, ()), own_fields, own_versions)
        elif one.utterance_id in seen and not again:
            made.gone.append(one.utterance_id)
        else:
            made.create.append(TaskCreate(one))
    kept_names = chosen if kept is None else set(kept)
    for name, tasks in by_utterance.items():
        if kept is not None and name not in kept_names and sent is not None and name not in sent:
            made.copies.append(name)
        elif name not in kept_names:
            made.removed.extend(map(TaskRemoval, tasks if kept is not None else ()))
        elif len(tasks) > 1:
            made.merge.append(TaskMerge(tuple(sorted(tasks, key=_worth_keeping))))
    return made


def _worth_keeping(task: FoundTask) -> tuple[int, int]:
    """The order of tasks of one utterance: most of people's work first, then the oldest."""
    return -(task.annotations + task.cancelled), task.task_id


def _of_task(
    made: Plan,
    wanted: WantedTask,
    task: FoundTask,
    predictions: Sequence[FoundPrediction],
    own_fields: Collection[str],
    own_versions: Collection[str],
) -> None:
    changed = changed_fields(task.data, wanted.data, own_fields)
    if changed:
        made.update.append(TaskUpdate(task, wanted, changed))
    before = len(made.add) + len(made.change)
    by_version: dict[str, list[FoundPrediction]] = {}
    for found in sorted(predictions, key=lambda one: one.prediction_id):
        by_version.setdefault(found.model_version, []).append(found)
    for prediction in wanted.predictions:
        there = by_version.get(prediction.model_version)
        if not there:
            made.add.append(PredictionAdd(task.task_id, wanted.utterance_id, prediction))
        elif differs := _differences(there[0], prediction):
            made.change.append(PredictionChange(there[0].prediction_id, wanted.utterance_id, prediction, differs))
    twice = [one for version, several in by_version.items() if version in own_versions for one in several[1:]]
    made.drop.extend(PredictionDrop(one.prediction_id, wanted.utterance_id) for one in twice)
    if not changed and not twice and len(made.add) + len(made.change) == before:
        made.unchanged.append(wanted.utterance_id)


def changed_fields(found: dict[str, Any], wanted: dict[str, Any], own_fields: Collection[str]) -> tuple[str, ...]:
    """The names of our fields that are not as wanted, among them those that are to be there no longer.

    >>> changed_fields({"text": "a", "flags": "x", "theirs": 1}, {"text": "b"}, {"text", "flags"})
    ('flags', 'text')
    """
    missing = object()
    differing = {name for name, value in wanted.items() if not _same(found.get(name, missing), value)}
    return tuple(sorted(differing | {name for name in found if name in own_fields and name not in wanted}))


def merged_data(found: dict[str, Any], wanted: dict[str, Any], own_fields: Collection[str]) -> dict[str, Any]:
    """The data that a task is to have: our fields as wanted, and every field that others added as it is.

    >>> merged_data({"text": "a", "flags": "x", "theirs": 1}, {"text": "b"}, {"text", "flags"})
    {'theirs': 1, 'text': 'b'}
    """
    return {name: value for name, value in found.items() if name not in own_fields and name not in wanted} | wanted


def _differences(found: FoundPrediction, wanted: WantedPrediction) -> tuple[str, ...]:
    differing = []
    if (found.score is None) != (wanted.score is None) or (
        found.score is not None
        and wanted.score is not None
        and not math.isclose(found.score, wanted.score, rel_tol=0, abs_tol=1e-9)
    ):
        differing.append("score")
    if not _same(found.result, wanted.result):
        differing.append("result")
    return tuple(differing)


def _same(found: Any, wanted: Any) -> bool:
    """Whether two values are the same JSON: true is not 1, and 1.0 is 1."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(_same(found[name], value) for name, value in wanted.items())
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(wanted)
            and all(_same(one, other) for one, other in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)
