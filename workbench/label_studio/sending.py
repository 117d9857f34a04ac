"""Carrying a plan out, until the server holds what it is to hold and nothing of it twice.

The server is asked and never assumed. Every round lists what is there, works out what is left, and sends that. A write
that nobody answered is not repeated: what came of it stands in the next list. So the same rounds bring a push to its
end after a lost reply, a doubled request, a restart of the server, and a push that was killed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.label_studio.batches import Batches
from workbench.label_studio.errors import BadReply, NotReached, Refused, ServerError, Unanswered
from workbench.label_studio.listing import chosen_tasks, found_predictions, found_tasks, people_s_work, totals
from workbench.label_studio.plan import (
    Key,
    Plan,
    PredictionAdd,
    T,
    TaskCreate,
    TaskMerge,
    TaskRemoval,
    TaskUpdate,
    changed_fields,
    merged_data,
)
from workbench.label_studio.records import FoundPrediction, FoundTask, WantedPrediction, WantedTask

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

_LOOKED_AT = 20  # tasks that one fresh look covers before each is changed or deleted
_IDLE_ROUNDS = 6
_FAILURES_IN_A_ROW = 3
_MOST_TAKEN = 2
_SHORTEST_WAIT, _LONGEST_WAIT = 3.0, 60.0  # seconds in which a write without an answer may still show
_OF_THE_ITEMS = (400, 409, 413, 422)
"""Statuses of a refusal that is about what was sent, and not about who sent it, where or when."""


@dataclass
class Sent:
    """What a push has done.

    Attributes:
        found: the tasks as the last list has them.
        plan: what was left to do then: nothing but what could not be done.
        done: what was done, by its keys.
        refused: what could not be done, with the reason.
        worked_in: tasks that were not deleted because somebody works in them.
        merged: the numbers of tasks that were deleted because their utterance has another one.
        writes: requests that could change something.
    """

    found: list[FoundTask] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)
    done: set[Key] = field(default_factory=set)
    refused: dict[Key, str] = field(default_factory=dict)
    worked_in: dict[Key, FoundTask] = field(default_factory=dict)
    merged: set[int] = field(default_factory=set)
    writes: int = 0


class _NextRound(Exception):
    """Nothing more is to be sent before the server has been asked what it holds."""


class Sender:
    """Brings a project to what a plan wants.

    Args:
        make_plan: the plan for the tasks and predictions that were found.
        own_fields: the fields of a task's data that are ours.
        intend: called with the utterances of each batch of new tasks before it is sent.
        delete_removed: delete the tasks that the plan calls removed, where nobody has worked in them.
        first: the tasks as they were a moment ago, if that is known.
        late: a push that was killed may have left a write under way.
        progress: called with how many things are done and how many there are.
    """

    def __init__(
        self,
        connection: Connection,
        project_id: int,
        mark: str,
        make_plan: Callable[[list[FoundTask], list[FoundPrediction]], Plan],
        *,
        own_fields: frozenset[str] = frozenset(),
        intend: Callable[[Sequence[str]], None] = lambda _: None,
        delete_removed: bool = False,
        first: list[FoundTask] | None = None,
        late: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._connection, self._project, self._mark = connection, project_id, mark
        self._make_plan, self._own_fields, self._intend = make_plan, own_fields, intend
        self._delete_removed, self._progress = delete_removed, progress
        self._first, self._unsettled = first, late
        self._batches = Batches()
        self._slowest, self._unanswered, self._failures = 0.0, 0, 0
        self._there = (0, 0)
        self._made: list[tuple[WantedTask, int]] = []
        self._held: tuple[list[FoundTask], list[FoundPrediction]] | None = None
        self._done, self._total = 0, 0
        self._settled: set[Key] = set()
        self._taken: Counter[Key] = Counter()
        self.sent = Sent()

    def run(self) -> Sent:
        """Send until nothing is left to do but what the server refuses.

        Raises:
            NotReached: the server does not answer any more.
            Unanswered: it answers questions, but round after round no change gets through.
            Refused: the project is gone, or closed to this account.
            BadReply: its answers do not fit together.
        """
        planned: set[Key] = set()
        least, idle = -1, 0
        if self._unsettled:
            self._first = None
            self._wait(totals(self._connection, self._project))
        while True:
            left = self._look()
            size = len(left.to_do())
            if size == 0:
                if not self._unsettled:
                    break
                self._unsettled = False
                self._wait(self._there)
                continue
            least, idle = (size, 0) if least < 0 or size < least else (least, idle + 1)
            if idle >= _IDLE_ROUNDS:
                raise Unanswered(
                    f"{self._connection.server}: answers questions, but {size} changes did not get through in {idle} "
                    "rounds"
                )
            planned |= left.to_do()
            self._total = max(self._total, self._done + size)
            try:
                self._round(left)
                self._held = self._as_sent(left)
            except _NextRound:
                continue
        self._progress(self._total, self._total)
        self.sent.done = planned - self.sent.plan.to_do() - self.sent.refused.keys()
        return self.sent

    def _look(self) -> Plan:
        """What is left to do, and can be done."""
        found, self._first = self._first, None
        held, self._held, self._made = self._held, None, []
        if held is not None:
            found, predictions = held
        else:
            if found is None:
                found = found_tasks(self._connection, self._project, self._mark)
            predictions = found_predictions(self._connection, self._project) if found else []
        self._there = (len(found), len(predictions))
        self.sent.found, self.sent.plan = found, self._make_plan(found, predictions)
        return self.sent.plan.left(self._settled, self._delete_removed)

    def _as_sent(self, left: Plan) -> tuple[list[FoundTask], list[FoundPrediction]] | None:
        """What the project holds after a first import, where two totals prove it: the list would cost a second more.

        None where there was more to do than new tasks in an empty project, or where anything is not as it was sent:
        what came twice, by way of a proxy, shows in the totals.
        """
        if self._unsettled or self.sent.found or len(self._made) != len(left.create):
            return None
        found = [FoundTask(number, one.utterance_id, one.data, "", 0, 0) for one, number in self._made]
        predictions = [
            FoundPrediction(0, number, p.model_version, p.score, p.result)
            for one, number in self._made
            for p in one.predictions
        ]
        there = (len({task.task_id for task in found}), len(predictions))
        if there != (len(left.create), self._there[1]) or totals(self._connection, self._project) != there:
            return None
        return found, predictions

    def _round(self, left: Plan) -> None:
        # Duplicates go first, so that nothing more is written to a task that is not to stay.
        for start in range(0, len(left.merge), _LOOKED_AT):
            self._merge(left.merge[start : start + _LOOKED_AT])
        self._import_tasks(left.create)
        for start in range(0, len(left.update), _LOOKED_AT):
            self._update(left.update[start : start + _LOOKED_AT])
        self._import_predictions(left.add)
        for change in left.change:
            body = _body(change.prediction)
            self._one(change.key, "PATCH", f"/api/predictions/{change.prediction_id}", body)
        for drop in left.drop:
            self._one(drop.key, "DELETE", f"/api/predictions/{drop.prediction_id}")
        for start in range(0, len(left.removed), _LOOKED_AT):
            self._remove(left.removed[start : start + _LOOKED_AT])

    # -- many at once -------------------------------------------------------------------------------------------

    def _import_tasks(self, new: list[TaskCreate]) -> None:
        def size(bodies: list[Any]) -> tuple[int, int]:
            return len(bodies), sum(len(body["predictions"]) for body in bodies)

        def body(one: TaskCreate) -> dict[str, Any]:
            return {"data": one.wanted.data, "predictions": [_body(p) for p in one.wanted.predictions]}

        def send(batch: list[TaskCreate], bodies: list[Any]) -> bool:
            self._intend([one.wanted.utterance_id for one in batch])
            reply = self._post("import", bodies)
            tasks, predictions = size(bodies)
            self._there = (self._there[0] + tasks, self._there[1] + predictions)
            numbers = reply.get("task_ids") if isinstance(reply, dict) else None
            if isinstance(numbers, list) and len(numbers) == tasks and all(type(one) is int for one in numbers):
                self._made += [(one.wanted, number) for one, number in zip(batch, numbers, strict=True)]
            return _count(reply, "task_count") == tasks

        self._in_batches(new, body, send, size)

    def _import_predictions(self, lacking: list[PredictionAdd]) -> None:
        def body(one: PredictionAdd) -> dict[str, Any]:
            return {"task": one.task_id} | _body(one.prediction)

        def send(batch: list[PredictionAdd], bodies: list[Any]) -> bool:
            created = _count(self._post("import/predictions", bodies), "created")
            self._there = (self._there[0], self._there[1] + created)
            # The server answers that it has stored none, and not which one it could not store.
            return created > 0

        self._in_batches(lacking, body, send, lambda bodies: (0, len(bodies)))

    def _in_batches(
        self,
        items: list[T],
        body: Callable[[T], Any],
        send: Callable[[list[T], list[Any]], bool],
        size: Callable[[list[Any]], tuple[int, int]],
    ) -> None:
        """Send batches; one that is refused is halved until what the server does not take is alone."""
        for batch, bodies in self._batches.of(items, body):
            halves = [(batch, bodies)]
            while halves:
                some, their = halves.pop()
                before, began = self._there, time.monotonic()
                try:
                    taken, reason = send(some, their), "the server stored nothing of it and did not say why"
                except Refused as refused:
                    if refused.status not in _OF_THE_ITEMS:
                        self._later_or_never(refused)
                    if refused.status == 413:
                        self._batches.too_long()
                    taken, reason = False, str(refused)
                except (Unanswered, BadReply) as problem:
                    self._not_answered(some, before, size(their), time.monotonic() - began, problem)
                except NotReached:
                    raise _NextRound from None
                self._slowest = max(self._slowest, time.monotonic() - began)
                self._unanswered = 0
                if taken:
                    self._progressed(sum(size(their)))
                elif len(some) == 1:
                    self._refuse(some[0].key, reason)
                else:
                    middle = len(some) // 2
                    halves += [(some[middle:], their[middle:]), (some[:middle], their[:middle])]

    def _not_answered(
        self, batch: Sequence[T], before: tuple[int, int], new: tuple[int, int], took: float, problem: ServerError
    ) -> None:
        self._unanswered += 1
        # What came since may be somebody else's, and ours come later still: the push must not end before a last look.
        self._unsettled = True
        if not self._wait(before, new, took):
            for given_up in self._batches.failed(batch):
                self._refuse(given_up.key, f"tried alone several times: {problem}")
        raise _NextRound from problem

    def _wait(self, before: tuple[int, int], new: tuple[int, int] = (1, 0), took: float = 0.0) -> bool:
        """Wait for what was not answered; True as soon as the project has so many more tasks and predictions."""
        longest = max(_SHORTEST_WAIT, 2 * took, 3 * self._slowest) * 2 ** max(self._unanswered - 1, 0)
        until, pause = time.monotonic() + min(longest, _LONGEST_WAIT), 0.1
        while time.monotonic() < until:
            time.sleep(pause)
            tasks, predictions = totals(self._connection, self._project)
            if tasks >= before[0] + new[0] and predictions >= before[1] + new[1]:
                return True
            pause = min(2 * pause, 5.0)
        return False

    # -- one at a time ------------------------------------------------------------------------------------------

    def _update(self, updates: Sequence[TaskUpdate]) -> None:
        numbers = [one.task.task_id for one in updates]
        now = chosen_tasks(self._connection, self._project, self._mark, numbers)
        for one in updates:
            task = now.get(one.task.task_id)
            # A number that is free is given to the next task: only the key tells whose it is.
            if task is None or task.utterance_id != one.wanted.utterance_id:
                continue
            if changed_fields(task.data, one.wanted.data, self._own_fields):
                data = merged_data(task.data, one.wanted.data, self._own_fields)
                self._one(one.key, "PATCH", f"/api/tasks/{task.task_id}", {"data": data})

    def _merge(self, merges: Sequence[TaskMerge]) -> None:
        """Delete the tasks of each utterance but one, as far as nobody has worked in them."""
        numbers = [task.task_id for merge in merges for task in merge.tasks]
        work = people_s_work(self._connection, self._project, self._mark, numbers)
        for merge in merges:
            tasks = [task for task in merge.tasks if task.task_id in work]
            tasks = [task for task in tasks if work[task.task_id].utterance_id == task.utterance_id]
            tasks.sort(key=lambda task: (-work[task.task_id].pieces, task.task_id))
            for task in tasks[1:]:
                if work[task.task_id].pieces:
                    self._settled.add(merge.key)
                else:
                    # Whatever sent it twice may not be done with it.
                    self._unsettled = True
                    self.sent.merged.add(task.task_id)
                    key = ("delete", merge.key[1], str(task.task_id))
                    if self._one(key, "DELETE", f"/api/tasks/{task.task_id}"):
                        self._there = (self._there[0] - 1, self._there[1])
                    elif key in self.sent.refused:
                        self._settled.add(merge.key)

    def _remove(self, removals: Sequence[TaskRemoval]) -> None:
        work = people_s_work(self._connection, self._project, self._mark, [one.task.task_id for one in removals])
        for one in removals:
            now = work.get(one.task.task_id)
            if now is None or now.utterance_id != one.task.utterance_id:
                continue
            if now.pieces:
                self._settled.add(one.key)
                self.sent.worked_in[one.key] = one.task
            else:
                self._one(one.key, "DELETE", f"/api/tasks/{one.task.task_id}")

    def _one(self, key: Key, method: str, path: str, body: Any = None) -> bool:
        """Send one change; whether it was carried out. One that was not answered stands in the next list."""
        if self._taken[key] >= _MOST_TAKEN:
            self._refuse(key, f"the server took this {_MOST_TAKEN} times and holds it otherwise all the same")
            return False
        self.sent.writes += 1
        try:
            self._connection.send(method, path, body)
        except Refused as refused:
            if refused.status == 404:
                return False
            if refused.status not in _OF_THE_ITEMS:
                self._later_or_never(refused)
            self._refuse(key, str(refused))
            return False
        except (Unanswered, BadReply) as problem:
            self._failures += 1
            if self._failures >= _FAILURES_IN_A_ROW:
                self._failures = 0
                raise _NextRound from problem
            return False
        except NotReached:
            raise _NextRound from None
        self._failures = 0
        self._taken[key] += 1
        self._progressed(1)
        return True

    def _post(self, what: str, bodies: list[Any]) -> Any:
        self.sent.writes += 1
        path = f"/api/projects/{self._project}/{what}"
        return self._connection.send("POST", path, bodies, {"return_task_ids": "true"} if what == "import" else None)

    def _refuse(self, key: Key, reason: str) -> None:
        self.sent.refused[key] = reason
        self._settled.add(key)
        self._progressed(1)

    def _later_or_never(self, refused: Refused) -> None:
        """Raise what a refusal means that is not about what was sent."""
        if refused.status == 429:
            time.sleep(_SHORTEST_WAIT)
            raise _NextRound from refused
        raise refused

    def _progressed(self, number: int) -> None:
        self._done += number
        self._progress(min(self._done, self._total), self._total)


def _body(prediction: WantedPrediction) -> dict[str, Any]:
    body: dict[str, Any] = {"model_version": prediction.model_version, "result": prediction.result}
    return body if prediction.score is None else body | {"score": prediction.score}


def _count(reply: Any, name: str) -> int:
    value = reply.get(name) if isinstance(reply, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadReply(f"an import was answered with {name} = {value!r:.60}, which must be a whole number")
    return value
