"""Annotations and predictions that carry a fix of ours: what a task holds now, one more sent, one of ours taken away.

Nothing here touches another annotation: each is known by its unique id, which is made from our revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from workbench.label_studio.connection import Connection
from workbench.label_studio.errors import BadReply, Refused
from workbench.label_studio.records import AUDIO, KEY, MARK, TRANSCRIPT
from workbench.label_studio.results import one_line, read_result

ANNOTATION, PREDICTION = "annotation", "prediction"
MODEL = "workbench fixes"
"""How the model_version of a prediction begins that carries a fix; the batch follows."""

ALREADY_THERE = 409
"""The status of the refusal of an annotation whose unique id the server has."""

_LARGEST = 2**63
_AGAIN = (404, 408, 425, 429)  # a refusal after which the server is asked what it holds


@dataclass(frozen=True)
class SeenAnnotation:
    """An annotation as a task has it now.

    Attributes:
        updated_at: when it was changed last, as the server writes it: its version.
        by_another: another account than the one that made it has changed it last.
        is_being_edited: somebody has a draft of a change of it, which would be deleted along with it.
    """

    annotation_id: int
    uid: str
    updated_at: str
    by_another: bool
    text: str
    is_being_edited: bool


@dataclass(frozen=True)
class SeenTask:
    """A task as it is now; `problem` says what of it cannot be read, and else is empty."""

    task_id: int
    utterance_id: str | None
    mark: str | None
    annotations: dict[str, SeenAnnotation]
    problem: str = ""


@dataclass(frozen=True)
class SeenPrediction:
    """A prediction that carries a fix of ours."""

    prediction_id: int
    uid: str
    text: str


@dataclass(frozen=True)
class Placed:
    """What the server has of ours: its number there, and when it was changed last, which is its version."""

    remote_id: int
    version: str


def fix_result(text: str, note: str) -> list[dict[str, Any]]:
    """A text as the result of an annotation, with a note of where it comes from, which exports show; none for no text.

    >>> [part["value"] for part in fix_result("so it is", "by the workbench")]
    [{'text': ['so it is']}]
    """
    line = one_line(text)
    if not line:
        return []
    part = {"id": "text", "from_name": TRANSCRIPT, "to_name": AUDIO, "type": "textarea", "value": {"text": [line]}}
    return [part | {"meta": {"text": [note]}}]


def model_version(batch: str) -> str:
    """The model_version of the predictions of a batch."""
    return f"{MODEL} {batch}"


def seen_tasks(connection: Connection, project_id: int, task_ids: Sequence[int]) -> dict[int, SeenTask]:
    """These tasks with everybody's annotations as they are now, by number; one that is gone is missing.

    Raises:
        BadReply: the answer is no list of tasks.
    """
    if not task_ids:
        return {}
    params = [("exportType", "JSON"), ("download_all_tasks", "true"), *(("ids[]", number) for number in task_ids)]
    reply = connection.get(f"api/projects/{project_id}/export", params)
    if not isinstance(reply, list):
        raise BadReply(f"{connection.server}: the export is {type(reply).__name__}, not a list of tasks")
    tasks = [_seen_task(one) for one in reply]
    return {task.task_id: task for task in tasks}


def _seen_task(one: Any) -> SeenTask:
    number = one.get("id") if isinstance(one, dict) else None
    if not _is_number(number):
        raise BadReply(f"the export holds a task with the number {number!r:.60}, which must be a whole number")
    data = one.get("data")
    data = data if isinstance(data, dict) else {}
    key, mark = (data.get(name) if isinstance(data.get(name), str) else None for name in (KEY, MARK))
    annotations, drafts = one.get("annotations"), one.get("drafts")
    if not isinstance(annotations, list) or not isinstance(drafts, list):
        return SeenTask(number, key, mark, {}, f"the export of task {number} does not say what annotations it has")
    edited = [draft.get("annotation") if isinstance(draft, dict) else "" for draft in drafts]
    if not all(of is None or _is_number(of) for of in edited):
        return SeenTask(number, key, mark, {}, f"a draft of task {number} does not say of which annotation it is")
    seen: dict[str, SeenAnnotation] = {}
    for each in annotations:
        annotation = _seen_annotation(each, edited)
        if annotation is None:
            return SeenTask(number, key, mark, {}, f"an annotation of task {number} has no id, unique id or time")
        seen[annotation.uid] = annotation
    return SeenTask(number, key, mark, seen)


def _seen_annotation(one: Any, edited: list[Any]) -> SeenAnnotation | None:
    if not isinstance(one, dict):
        return None
    number, uid, changed = (one.get(name) for name in ("id", "unique_id", "updated_at"))
    if not (_is_number(number) and isinstance(uid, str) and uid and isinstance(changed, str)):
        return None
    by_another = one.get("updated_by") != one.get("completed_by")
    text = read_result(one.get("result")).text
    return SeenAnnotation(number, uid, changed, by_another, text, number in edited)


def seen_predictions(
    connection: Connection, project_id: int, task_id: int | None = None
) -> dict[str, list[SeenPrediction]]:
    """The predictions that carry a fix of ours, by the fix's unique id; of one that came twice, several.

    Args:
        task_id: only those of this task.

    Raises:
        BadReply: the answer is no list of predictions.
    """
    only = {"project": project_id} if task_id is None else {"project": project_id, "task": task_id}
    reply = connection.get("api/predictions/", only)
    if not isinstance(reply, list):
        raise BadReply(f"{connection.server}: the list of predictions is {type(reply).__name__}, not a list")
    ours: dict[str, list[SeenPrediction]] = {}
    for prediction in filter(None, map(_seen_prediction, reply)):
        ours.setdefault(prediction.uid, []).append(prediction)
    return {uid: sorted(same, key=lambda one: one.prediction_id) for uid, same in ours.items()}


def _seen_prediction(one: Any) -> SeenPrediction | None:
    """A prediction of ours, which the first part of its result names: the server gives it no unique id."""
    if not isinstance(one, dict) or not _is_number(one.get("id")) or not isinstance(one.get("result"), list):
        return None
    version, result = one.get("model_version"), one["result"]
    name = result[0].get("id") if result and isinstance(result[0], dict) else None
    if not isinstance(version, str) or not version.startswith(f"{MODEL} ") or not isinstance(name, str):
        return None
    return SeenPrediction(one["id"], name, read_result(result).text)


def send_annotation(
    connection: Connection, task_id: int, uid: str, result: list[dict[str, Any]], parent: int | None
) -> Placed | None:
    """The new annotation; None where the server has to be asked whether it has it.

    A second one with the same unique id is refused by the server, so that it may be sent again.

    Args:
        parent: the number of the annotation whose text is fixed; the server keeps it as the parent.

    Raises:
        Unanswered, NotReached: nobody knows, or nothing was sent.
        Refused: the server will not have it, or (ALREADY_THERE) has it.
    """
    body: dict[str, Any] = {"unique_id": uid, "result": result, "ground_truth": False, "lead_time": None}
    if parent is not None:
        body["parent_annotation"] = parent
    return _placed(_sent(connection, f"api/tasks/{task_id}/annotations/", body), task_id)


def send_prediction(
    connection: Connection, task_id: int, uid: str, batch: str, result: list[dict[str, Any]]
) -> Placed | None:
    """The new prediction; None where the server has to be asked whether it has it.

    Raises:
        Unanswered, NotReached: nobody knows, or nothing was sent. It must not be sent again before the server is asked.
        Refused: the server will not have it.
    """
    named = [{**part, "id": uid} for part in result]
    for part in named:
        # A note would go along into every annotation that somebody begins from the prediction.
        part.pop("meta", None)
    body = {"task": task_id, "model_version": model_version(batch), "result": named}
    return _placed(_sent(connection, "api/predictions/", body), task_id)


def _sent(connection: Connection, path: str, body: dict[str, Any]) -> Any:
    try:
        return connection.send("POST", path, body)
    except Refused as refused:
        if refused.status in _AGAIN:
            return None
        raise


def _placed(reply: Any, task_id: int) -> Placed | None:
    if not isinstance(reply, dict) or reply.get("task") != task_id:
        return None
    number, changed = reply.get("id"), reply.get("updated_at")
    return Placed(number, changed) if _is_number(number) and isinstance(changed, str) else None


def take_away(connection: Connection, kind: str, number: int) -> bool:
    """Whether the server says that it has deleted this annotation or prediction of ours; False: ask what it holds.

    Args:
        kind: annotation or prediction.

    Raises:
        Unanswered, NotReached: nobody knows, or nothing was sent.
        Refused: the server will not do it.
    """
    try:
        connection.send("DELETE", f"api/{kind}s/{number}/")
    except Refused as refused:
        if refused.status in _AGAIN:
            return False
        raise
    return True


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST
