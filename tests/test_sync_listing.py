"""Lists of a project: whole whatever the server's pages are, and refused where they do not fit together."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from workbench.label_studio.connection import Connection
from workbench.label_studio.errors import BadReply
from workbench.label_studio.listing import found_predictions, found_task, found_tasks, people_s_work, totals


class Answers:
    """What a server answers, one reply after the other; it keeps what it was asked."""

    server = "https://labels.example.com"

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.asked: list[dict[str, Any]] = []

    def get(self, path: str, params: Any = None, missing_ok: bool = False) -> Any:
        self.asked.append(dict(params or {}))
        return self.replies.pop(0)


def answering(*replies: Any) -> Connection:
    return cast(Connection, Answers(*replies))


def task(number: int, **changes: Any) -> dict[str, Any]:
    data = {"utterance_id": f"u{number}", "workspace": "f00d"}
    known = {"id": number, "data": data, "updated_at": "2026-01-01T00:00:00Z"}
    return known | {"total_annotations": 1, "cancelled_annotations": 2} | changes


def page(total: int, *tasks: Any) -> dict[str, Any]:
    return {"tasks": list(tasks), "total": total, "total_annotations": 0, "total_predictions": 0}


def test_a_server_may_give_smaller_pages_than_it_was_asked_for() -> None:
    connection = answering(page(5, task(1), task(4)), page(3, task(5), task(9)), page(1, task(10)))
    assert [one.task_id for one in found_tasks(connection, 7, "f00d")] == [1, 4, 5, 9, 10]
    queries = [json.loads(asked["query"]) for asked in connection.asked]  # type: ignore[attr-defined]
    assert [query["ordering"] for query in queries] == [["tasks:id"]] * 3
    assert "filters" not in queries[0]
    assert [query["filters"]["items"][0]["value"] for query in queries[1:]] == [4, 9]
    assert {asked["page"] for asked in connection.asked} == {1}, "a page behind the last one would be a 404"  # type: ignore[attr-defined]
    assert {asked["resolve_uri"] for asked in connection.asked} == {"false"}  # type: ignore[attr-defined]


def test_a_task_that_was_deleted_meanwhile_hides_no_other_one() -> None:
    connection = answering(page(4, task(1), task(2)), page(1, task(4)))
    assert [one.task_id for one in found_tasks(connection, 7, "f00d")] == [1, 2, 4]


def test_tasks_of_others_have_no_key_whatever_their_data_is() -> None:
    others = [
        task(1, data={"utterance_id": "u1"}),
        task(2, data={"utterance_id": "u2", "workspace": "other"}),
        task(3, data={"utterance_id": ["u3"], "workspace": "f00d"}),
        task(4, data={"utterance_id": "", "workspace": "f00d"}),
        task(5, data=["f00d"]),
        task(6, data=None),
    ]
    found = found_tasks(answering(page(7, *others, task(7))), 1, "f00d")
    assert [one.utterance_id for one in found] == [None] * 6 + ["u7"]
    assert (found[-1].annotations, found[-1].cancelled) == (1, 2)


@pytest.mark.parametrize(
    "reply",
    [
        None,
        [],
        {"tasks": {}, "total": 1},
        {"tasks": [], "total": None},
        page(2),
        page(1, task(1), task(2)),
        page(2, task(3), task(2)),
        page(1, task(True)),
        page(1, task(2**63)),
        page(1, "task"),
        page(1, task(1, updated_at=None)),
        page(1, task(1, total_annotations="1")),
        page(1, task(1, cancelled_annotations=-1)),
    ],
)
def test_a_list_that_does_not_fit_together_is_refused(reply: Any) -> None:
    with pytest.raises(BadReply):
        found_tasks(answering(reply), 1, "f00d")


def test_a_list_without_data_keeps_the_key() -> None:
    (found,) = found_tasks(answering(page(1, task(1))), 1, "f00d", with_data=False)
    assert (found.utterance_id, found.data) == ("u1", {})


def test_a_prediction_that_people_made_may_be_of_any_shape() -> None:
    odd = {"id": 3, "task": 1, "model_version": None, "score": None, "result": {"choice": "x"}}
    (found,) = found_predictions(answering([odd]), 1)
    assert (found.model_version, found.score, found.result) == ("", None, [])


@pytest.mark.parametrize(
    "reply",
    [
        {},
        [7],
        [{"id": 1}],
        [{"id": 1, "task": 1, "score": "high"}],
        [{"id": 1, "task": 1, "score": True}],
        [{"id": 1, "task": 1, "score": 10**400}],
    ],
)
def test_what_is_no_prediction_is_refused(reply: Any) -> None:
    with pytest.raises(BadReply):
        found_predictions(answering(reply), 1)


def test_people_s_work_is_known_for_certain_or_not_at_all() -> None:
    exported = task(1) | {"annotations": [{}], "drafts": [{}, {}]}
    assert people_s_work(answering([exported]), 1, "f00d", [1, 2])[1].pieces == 3
    replies: list[Any] = [{}, [task(1)], [exported | {"drafts": None}]]
    for reply in replies:
        with pytest.raises(BadReply):
            people_s_work(answering(reply), 1, "f00d", [1])


def test_totals_and_tasks_name_what_is_wrong_with_them() -> None:
    with pytest.raises(BadReply, match="total = None, which must be a whole number"):
        totals(answering({}), 1)
    with pytest.raises(BadReply, match="updated_at = 7, which must be a time"):
        found_task(task(1, updated_at=7), "f00d")
