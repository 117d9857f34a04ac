"""What people have written: annotations and drafts of everybody, out of the server's JSON export."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workbench.label_studio.accounts import is_name
from workbench.label_studio.errors import BadReply, NotReached
from workbench.label_studio.records import Account, FoundAnnotation, FoundPrediction

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

AT_ONCE = 200
"""Tasks that one export is asked for: the server takes 1,000 fields at most, and proxies often 8 KB of address."""
NOBODY = "deleted-user"
"""Who wrote an annotation whose account was deleted: the server no longer says."""

_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PAGE = 1000
_LARGEST = 2**63
_LONGEST = 1e9  # seconds


@dataclass(frozen=True)
class ExportedTask:
    """A task as the export gives it.

    Attributes:
        counts: annotations and skips that the server counts for it.
        found: annotations and drafts, by everybody.
        problems: annotations that cannot be read: their number and why.
    """

    task_id: int
    data: dict[str, Any]
    counts: tuple[int, int]
    found: tuple[FoundAnnotation, ...]
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether it holds as many annotations and skips as the server counts: else it was changed just now."""
        real = [one for one in self.found if not one.is_draft]
        skipped = sum(one.was_cancelled for one in real)
        return bool(self.problems) or self.counts == (len(real) - skipped, skipped)


def exported_tasks(
    connection: Connection, project_id: int, task_ids: Collection[int] | None, accounts: Mapping[int, Account]
) -> Iterator[list[ExportedTask]]:
    """These tasks in lists of at most AT_ONCE, those that are gone left out; with None all that have an annotation.

    A task that the server fails to export, as one with half a character in it, has no data and a problem.

    Raises:
        NotReached: the server does not answer, or not with all tasks.
        Refused: there is no such project, or not for this account.
        BadReply: the answer is no export.
    """
    path, json_type = f"/api/projects/{project_id}/export", ("exportType", "JSON")
    if task_ids is None:
        yield _tasks(connection, connection.get(path, [json_type]), accounts)
        return
    for part in in_parts(list(task_ids), AT_ONCE):
        yield from _by_halves(connection, path, part, accounts)


def _by_halves(
    connection: Connection, path: str, task_ids: Sequence[int], accounts: Mapping[int, Account]
) -> Iterator[list[ExportedTask]]:
    """These tasks; where the server does not export them together, until what it cannot export is alone."""
    # Without download_all_tasks a task without annotations would look like one that is gone.
    params = [("exportType", "JSON"), ("download_all_tasks", "true"), *(("ids[]", task_id) for task_id in task_ids)]
    try:
        yield _tasks(connection, connection.get(path, params), accounts)
        return
    except NotReached as failed:
        problem = failed
    connection.get("/api/version")  # so that a server that is down is no fault of any task
    if len(task_ids) == 1:
        yield [ExportedTask(task_ids[0], {}, (0, 0), (), (("of any number", str(problem)),))]
        return
    middle = len(task_ids) // 2
    for half in (task_ids[:middle], task_ids[middle:]):
        yield from _by_halves(connection, path, half, accounts)


def in_parts(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def tasks_with_drafts(connection: Connection, project_id: int) -> set[int]:
    """The tasks that anybody has a draft of; a draft leaves no other trace in the list of tasks.

    Raises:
        Refused: there is no such project, or not for this account.
        BadReply: the server's lists do not fit together.
    """
    found: set[int] = set()
    while True:
        wanted: list[dict[str, Any]] = [
            {"filter": "filter:tasks:draft_exists", "operator": "equal", "type": "Boolean", "value": True},
            {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": max(found, default=0)},
        ]
        query = {"filters": {"conjunction": "and", "items": wanted}, "ordering": ["tasks:id"]}
        params = {"project": project_id, "page": 1, "page_size": _PAGE, "include": "id", "query": json.dumps(query)}
        reply = connection.get("/api/tasks", params)
        tasks, total = (reply.get("tasks"), reply.get("total")) if isinstance(reply, dict) else (None, None)
        if not isinstance(tasks, list) or not isinstance(total, int):
            raise BadReply(f"{connection.server} answers a question for drafts with no list of tasks")
        fresh = {_whole(task, "id", "a task") for task in tasks} - found
        found |= fresh
        if len(tasks) >= total:
            return found
        if not fresh:
            raise BadReply(f"{connection.server} lists {len(tasks)} of {total} tasks with drafts")


def _tasks(connection: Connection, reply: Any, accounts: Mapping[int, Account]) -> list[ExportedTask]:
    if not isinstance(reply, list):
        raise BadReply(
            f"{connection.server} answers an export with JSON of type {type(reply).__name__}, not with a list"
        )
    return [_task(task, accounts) for task in reply]


def _task(task: Any, accounts: Mapping[int, Account]) -> ExportedTask:
    number = _whole(task, "id", "a task")
    annotations, drafts, data = task.get("annotations"), task.get("drafts"), task.get("data")
    if not isinstance(annotations, list) or not isinstance(drafts, list) or not isinstance(data, dict):
        raise BadReply(f"the export of task {number} does not say which data, annotations and drafts it has")
    counts = [_whole(task, name, f"task {number}") for name in ("total_annotations", "cancelled_annotations")]
    found: list[FoundAnnotation] = []
    problems: list[tuple[str, str]] = []
    for kind, several in ((_annotation, annotations), (_draft, drafts)):
        for one in several:
            try:
                found.append(kind(one, number, accounts))
            except BadReply as problem:
                problems.append((str(one.get("id")) if isinstance(one, dict) else "?", str(problem)))
    return ExportedTask(number, data, (counts[0], counts[1]), tuple(found), tuple(problems))


def _annotation(one: Any, task_id: int, accounts: Mapping[int, Account]) -> FoundAnnotation:
    number = _whole(one, "id", "an annotation")
    uid, parent, changed_by = one.get("unique_id"), one.get("parent_prediction"), one.get("updated_by")
    if uid is None:
        # Servers that are older than unique ids have annotations without one.
        uid = f"annotation-{number}"
    elif not isinstance(uid, str) or not _UID.fullmatch(uid):
        raise BadReply(f"unique_id is {uid!r:.60}, which is no unique id")
    return FoundAnnotation(
        uid=uid,
        annotation_id=number,
        task_id=task_id,
        user=_person(one.get("completed_by"), accounts),
        updated_by=None if changed_by is None else _person(changed_by, accounts),
        is_draft=False,
        was_cancelled=one.get("was_cancelled") is True,
        ground_truth=one.get("ground_truth") is True,
        prediction_id=None if parent is None else _whole(one, "parent_prediction", "an annotation"),
        begun_from=_seen(one.get("prediction"), parent, task_id),
        **_common(one),
    )


def _draft(one: Any, task_id: int, accounts: Mapping[int, Account]) -> FoundAnnotation:
    number = _whole(one, "id", "a draft")
    user = one.get("user")
    return FoundAnnotation(
        uid=f"draft-{number}",
        annotation_id=number,
        task_id=task_id,
        user=user if is_name(user) else _person(user, accounts),
        updated_by=None,
        is_draft=True,
        was_cancelled=False,
        ground_truth=False,
        **_common(one),
    )


def _common(one: dict[str, Any]) -> dict[str, Any]:
    result, lead_time = one.get("result"), one.get("lead_time")
    if result is not None and not isinstance(result, list):
        raise BadReply(f"its result is JSON of type {type(result).__name__}, not a list")
    if isinstance(lead_time, bool) or not isinstance(lead_time, int | float) or not 0 <= lead_time < _LONGEST:
        lead_time = None
    return {
        "result": result or [],
        "created_at": _time(one, "created_at"),
        "updated_at": _time(one, "updated_at"),
        "lead_time": None if lead_time is None else float(lead_time),
    }


def _seen(prediction: Any, parent: Any, task_id: int) -> FoundPrediction | None:
    """The prediction that an annotation was begun from, as it was then, where the server has kept it."""
    if parent is None or not isinstance(prediction, dict) or prediction.get("id") != parent:
        return None
    version, result = prediction.get("model_version"), prediction.get("result")
    if not isinstance(version, str) or not isinstance(result, list):
        return None
    return FoundPrediction(parent, task_id, version, None, result)


def with_predictions(
    found: Sequence[FoundAnnotation], predictions: Mapping[int, FoundPrediction]
) -> list[FoundAnnotation]:
    """The annotations with the predictions that they were begun from, where the export itself does not hold them."""
    known = [predictions.get(one.prediction_id) if one.prediction_id is not None else None for one in found]
    return [one if one.begun_from else replace(one, begun_from=seen) for one, seen in zip(found, known, strict=True)]


def _person(user: Any, accounts: Mapping[int, Account]) -> str:
    if user is None:
        return NOBODY
    if not isinstance(user, int) or isinstance(user, bool) or abs(user) >= _LARGEST:
        raise BadReply(f"it is by {user!r:.60}, which is no account")
    return accounts[user].email if user in accounts else f"user-{user}"


def _time(one: dict[str, Any], name: str) -> str:
    """A time as the server writes it, which is part of an annotation's version."""
    value = one.get(name)
    try:
        if isinstance(value, str) and not re.search(r"\s", value) and datetime.fromisoformat(value).tzinfo:
            return value
    except ValueError:
        pass
    raise BadReply(f"{name} is {value!r:.60}, which is no time with a time zone")


def _whole(one: Any, name: str, of: str) -> int:
    value = one.get(name) if isinstance(one, dict) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise BadReply(f"{of} comes with {name} = {value!r:.60}, which must be a whole number")
    return value
