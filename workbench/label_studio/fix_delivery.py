"""Fixes of ours brought to the server, and taken away again, however often an answer is lost on the way.

A request that was not answered is followed by a look at what the server holds, and is sent again only where that lacks
it. An annotation may be sent again at once, because the server refuses a second one with its unique id; a prediction
has none, and what a lost request brings later is found by name, and removed (`without_doubles`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.label_studio.connection import Connection
from workbench.label_studio.errors import BadReply, NotReached, Refused, Unanswered
from workbench.label_studio.fix_annotations import (
    ALREADY_THERE,
    ANNOTATION,
    PREDICTION,
    Placed,
    SeenAnnotation,
    SeenPrediction,
    seen_predictions,
    seen_tasks,
    send_annotation,
    send_prediction,
    take_away,
)

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before the server is asked what it holds, after the first request without an answer, and so on."""

GONE, UNDONE = "gone already", "undone"
CHANGED_THERE, EDITED_THERE = "somebody has changed it", "somebody is editing it"


@dataclass(frozen=True)
class Parcel:
    """A fix on its way to a task, as an annotation or a prediction."""

    uid: str
    kind: str
    batch: str
    task_id: int
    text: str
    result: list[dict[str, Any]]
    parent: int | None = None


@dataclass(frozen=True)
class Standing:
    """A fix that the server has. `changed` says what somebody did with it, and is empty where nobody did."""

    placed: Placed
    changed: str = ""


def whereabouts(connection: Connection, project_id: int, parcels: Sequence[Parcel]) -> dict[str, Standing]:
    """Those of the parcels that are on the server now, by unique id.

    Raises:
        NotReached, Refused, BadReply: the server does not say.
    """
    found: dict[str, Standing] = {}
    of_tasks = sorted({parcel.task_id for parcel in parcels if parcel.kind == ANNOTATION})
    tasks = seen_tasks(connection, project_id, of_tasks)
    predictions = seen_predictions(connection, project_id) if any(p.kind == PREDICTION for p in parcels) else {}
    for parcel in parcels:
        if parcel.kind == PREDICTION:
            if parcel.uid in predictions:
                found[parcel.uid] = _of_prediction(predictions[parcel.uid][0], parcel.text)
            continue
        annotation = tasks[parcel.task_id].annotations.get(parcel.uid) if parcel.task_id in tasks else None
        if annotation is not None:
            found[parcel.uid] = of_annotation(annotation, parcel.text, None)
    return found


def of_annotation(annotation: SeenAnnotation, text: str, version: str | None) -> Standing:
    """How an annotation of ours stands that was sent with this text, and had this version then (None: not known)."""
    changed = ""
    if annotation.is_being_edited:
        changed = EDITED_THERE
    elif annotation.by_another or annotation.text != text or (version is not None and version != annotation.updated_at):
        changed = CHANGED_THERE
    return Standing(Placed(annotation.annotation_id, annotation.updated_at), changed)


def _of_prediction(prediction: SeenPrediction, text: str) -> Standing:
    changed = "" if prediction.text == text else CHANGED_THERE
    return Standing(Placed(prediction.prediction_id, ""), changed)


def deliver(connection: Connection, project_id: int, parcels: Sequence[Parcel]) -> Iterator[tuple[Parcel, Any]]:
    """Each parcel with where it is on the server (`Standing`), or with the reason why it is not (a text).

    Those that the server may have already are left to the caller (`whereabouts`).

    Raises:
        NotReached, Refused, BadReply: the server cannot be asked what it holds.
    """
    left, problem = list(parcels), "the answers were no annotation"
    refused_as_known: set[str] = set()
    for pause in PAUSES:
        unclear: list[Parcel] = []
        for place, parcel in enumerate(left):
            try:
                placed = _send(connection, parcel)
            except Refused as refused:
                if refused.status != ALREADY_THERE:
                    yield parcel, str(refused)
                    continue
                if parcel.uid in refused_as_known:
                    yield parcel, f"the server has it, but not in task {parcel.task_id}; look for {parcel.uid} there"
                    continue
                refused_as_known.add(parcel.uid)
                placed = None
            except Unanswered as unanswered:
                placed, problem = None, str(unanswered)
            except NotReached as not_reached:
                unclear += left[place:]
                problem = str(not_reached)
                break
            if placed is None:
                unclear.append(parcel)
            else:
                yield parcel, Standing(placed)
        if not unclear:
            return
        time.sleep(pause)
        there = whereabouts(connection, project_id, unclear)
        yield from ((parcel, there[parcel.uid]) for parcel in unclear if parcel.uid in there)
        left = [parcel for parcel in unclear if parcel.uid not in there]
    for parcel in left:
        yield parcel, f"it did not arrive in {len(PAUSES)} tries ({problem}); run the command again"


def _send(connection: Connection, parcel: Parcel) -> Placed | None:
    if parcel.kind == PREDICTION:
        return send_prediction(connection, parcel.task_id, parcel.uid, parcel.batch, parcel.result)
    return send_annotation(connection, parcel.task_id, parcel.uid, parcel.result, parcel.parent)


def withdraw(connection: Connection, project_id: int, parcel: Parcel, version: str | None) -> str:
    """What became of a fix that is to be taken from the server: undone, gone already, or what somebody did with it.

    It is looked at right before it is deleted, and stays where somebody has changed it or is editing it.

    Args:
        version: the one that it had when it was sent; None where that is not known.

    Raises:
        NotReached, Refused, BadReply: the server cannot be asked, or will not do it.
        Unanswered: it was still there after the last try.
    """
    for number, pause in enumerate((0.0, *PAUSES)):
        time.sleep(pause)
        if parcel.kind == PREDICTION:
            same = seen_predictions(connection, project_id, parcel.task_id).get(parcel.uid, [])
            standing = [_of_prediction(one, parcel.text) for one in same]
        else:
            task = seen_tasks(connection, project_id, [parcel.task_id]).get(parcel.task_id)
            if task is not None and task.problem:
                raise BadReply(f"{connection.server}: {task.problem}")
            annotation = task.annotations.get(parcel.uid) if task is not None else None
            standing = [of_annotation(annotation, parcel.text, version)] if annotation is not None else []
        if not standing:
            return UNDONE if number else GONE
        kept = next((one.changed for one in standing if one.changed), "")
        if kept:
            return kept
        try:
            if all(take_away(connection, parcel.kind, one.placed.remote_id) for one in standing):
                return UNDONE
        except (Unanswered, NotReached):
            continue
    raise Unanswered(f"{connection.server}: {parcel.kind} {parcel.uid} is there after {len(PAUSES)} tries to delete it")


def without_doubles(connection: Connection, project_id: int) -> int:
    """How many predictions were deleted because a fix had come twice: the first of each stays.

    Raises:
        NotReached, Refused, BadReply: the server cannot be asked, or will not do it.
    """
    deleted = set()
    for pause in PAUSES:
        doubles = [one for same in seen_predictions(connection, project_id).values() for one in same[1:]]
        if not doubles:
            break
        for double in doubles:
            deleted.add(double.prediction_id)
            # The next list tells whether it is gone.
            with contextlib.suppress(Unanswered):
                take_away(connection, PREDICTION, double.prediction_id)
        time.sleep(pause)
    return len(deleted)
