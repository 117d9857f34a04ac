"""What a project holds: every task and every prediction of it, in few requests and nothing left out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.label_studio.errors import BadReply
from workbench.label_studio.records import KEY, MARK, FoundPrediction, FoundTask

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

_PAGE = 2000
_LARGEST = 2**63
_FIELDS = "id,updated_at,total_annotations,cancelled_annotations"


def found_tasks(connection: Connection, project_id: int, mark: str, with_data: bool = True) -> list[FoundTask]:
    """Every task of a project by its number, those of others too (without a key).

    Each request asks for the tasks behind the last one that was seen, and the reply says how many there are: so a task
    that is created or deleted meanwhile moves no other one out of sight, a page that is missing is no end, and a list
    that was cut short is seen.

    Args:
        mark: the workspace's mark; a task without it has no key.
        with_data: False keeps nothing of `data` but the key, which saves memory.

    Raises:
        Refused: there is no such project, or not for this account.
        BadReply: the server's lists do not fit together.
    """
    tasks = [found_task(one, mark) for one in _pages(connection, project_id)]
    return tasks if with_data else [replace(task, data={}) for task in tasks]


def _pages(connection: Connection, project_id: int) -> Iterator[Any]:
    last = 0
    while True:
        query: dict[str, Any] = {"ordering": ["tasks:id"]}
        if last:
            behind = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": last}
            query["filters"] = {"conjunction": "and", "items": [behind]}
        tasks, total = _tasks(connection, project_id, query, _PAGE)
        for one in tasks:
            number = _number(one, "id", "a task")
            if number <= last:
                raise BadReply(f"{connection.server} lists task {number} behind task {last}, not in order of numbers")
            last = number
            yield one
        if len(tasks) == total:
            return
        if not tasks or len(tasks) > total:
            raise BadReply(f"{connection.server} lists {len(tasks)} of {total} tasks behind task {last}")


def chosen_tasks(connection: Connection, project_id: int, mark: str, task_ids: Sequence[int]) -> dict[int, FoundTask]:
    """The tasks of these numbers as they are now, by number; what is there no longer is missing."""
    if not task_ids:
        return {}
    query = {"selectedItems": {"all": False, "included": list(task_ids)}}
    tasks, total = _tasks(connection, project_id, query, len(task_ids))
    if len(tasks) != total:
        raise BadReply(f"{connection.server} lists {len(tasks)} of {total} chosen tasks")
    return {task.task_id: task for task in (found_task(one, mark) for one in tasks)}


def totals(connection: Connection, project_id: int) -> tuple[int, int]:
    """How many tasks and predictions a project has, in one small request."""
    reply = connection.get("/api/tasks", {"project": project_id, "page_size": 1, "include": "id"})
    return _number(reply, "total", "the list of tasks"), _number(reply, "total_predictions", "the list of tasks")


def _tasks(connection: Connection, project_id: int, query: dict[str, Any], size: int) -> tuple[list[Any], int]:
    # Without resolve_uri=false the audio's addresses would come back rewritten, and would differ from ours.
    params = {"project": project_id, "page": 1, "page_size": size, "resolve_uri": "false"}
    reply = connection.get("/api/tasks", params | {"include": f"{_FIELDS},data", "query": json.dumps(query)})
    tasks = reply.get("tasks") if isinstance(reply, dict) else None
    if not isinstance(tasks, list):
        raise BadReply(
            f"{connection.server} answers a question for tasks with {_shape(reply)}, not with a list of them"
        )
    return tasks, _number(reply, "total", "the list of tasks")


def found_task(one: Any, mark: str) -> FoundTask:
    """A task of a reply.

    Raises:
        BadReply: it is not what a task is.
    """
    number = _number(one, "id", "a task")
    data, updated_at = one.get("data"), one.get("updated_at")
    if not isinstance(updated_at, str):
        raise BadReply(f"task {number} comes with updated_at = {updated_at!r:.60}, which must be a time")
    # The server lets people import lists as data too; such a task is not ours.
    data = data if isinstance(data, dict) else {}
    key = data.get(KEY)
    counts = [_number(one, name, f"task {number}") for name in ("total_annotations", "cancelled_annotations")]
    is_ours = data.get(MARK) == mark and isinstance(key, str) and key != ""
    return FoundTask(number, key if is_ours else None, data, updated_at, *counts)


def found_predictions(connection: Connection, project_id: int, task_id: int | None = None) -> list[FoundPrediction]:
    """Every prediction of a project, or of one of its tasks, in one request.

    Raises:
        BadReply: the answer is not a list of predictions.
    """
    reply = connection.get("/api/predictions", {"project": project_id} if task_id is None else {"task": task_id})
    if not isinstance(reply, list):
        raise BadReply(f"{connection.server} answers a question for predictions with {_shape(reply)}, not with a list")
    return [_prediction(one) for one in reply]


def _prediction(one: Any) -> FoundPrediction:
    number = _number(one, "id", "a prediction")
    task, version, score = _number(one, "task", f"prediction {number}"), one.get("model_version"), one.get("score")
    result = one.get("result")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float) or abs(score) >= _LARGEST):
        raise BadReply(f"prediction {number} has the score {score!r:.60}, which is no number")
    # A prediction that people imported may be of any shape; it is not ours, and stays as it is.
    return FoundPrediction(
        number,
        task,
        version if isinstance(version, str) else "",
        None if score is None else float(score),
        result if isinstance(result, list) else [],
    )


@dataclass(frozen=True)
class Work:
    """What people have done in a task: annotations and drafts of anybody, and whose task it is."""

    utterance_id: str | None
    pieces: int


def people_s_work(connection: Connection, project_id: int, mark: str, task_ids: Sequence[int]) -> dict[int, Work]:
    """What people have done in these tasks, as of now, by task; one that is there no longer is missing.

    Only the export shows other people's drafts.
    """
    if not task_ids:
        return {}
    params = [("exportType", "JSON"), ("download_all_tasks", "true"), *(("ids[]", number) for number in task_ids)]
    reply = connection.get(f"/api/projects/{project_id}/export", params)
    if not isinstance(reply, list):
        raise BadReply(f"{connection.server} answers an export with {_shape(reply)}, not with a list of tasks")
    work = {}
    for one in reply:
        number = _number(one, "id", "a task")
        annotations, drafts = one.get("annotations"), one.get("drafts")
        if not isinstance(annotations, list) or not isinstance(drafts, list):
            raise BadReply(f"the export of task {number} does not say which annotations and drafts it has")
        work[number] = Work(found_task(one, mark).utterance_id, len(annotations) + len(drafts))
    return work


def _number(one: Any, name: str, of: str) -> int:
    value = one.get(name) if isinstance(one, dict) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise BadReply(f"{of} comes with {name} = {value!r:.60}, which must be a whole number")
    return value


def _shape(reply: Any) -> str:
    return f"JSON of type {type(reply).__name__}"
