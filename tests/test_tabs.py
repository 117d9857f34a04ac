"""Saved tabs: each opens exactly the tasks that it speaks of, and people's own stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.label_studio_server import RealServer
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.labelling_config import FIELDS, labelling_config
from workbench.label_studio.secret import Secret
from workbench.label_studio.tabs import MOST_ITEMS, TabsOutcome, update_tabs, wanted_tabs

MARK = "f00d"
VIEWS = "api/dm/views/"
ITEMS = [
    "label.conflict.content",
    "collect.room=car",
    "audio.snr_band=noisy (<10 dB)",
    r"audio.room=a[b]^\c|d$+*?{}",
    "tune.parameters",
]
FIRST_TITLES = ["Default", "conflicts", "suspect labels", "too quiet"]
TITLES = [
    *FIRST_TITLES,
    "content · label.conflict.content",
    "noisy (<10 dB) · audio.snr_band=noisy (<10 dB)",
    r"a[b]^\c|d$+*?{} · audio.room=a[b]^\c|d$+*?{}",
]


@pytest.fixture
def connection(label_studio: RealServer) -> Iterator[Connection]:
    with Connection(Credentials(label_studio.url, Secret(label_studio.token))) as made:
        yield made


def project_of(connection: Connection, tasks: dict[str, dict[str, Any]]) -> int:
    body = {"title": "tabs", "label_config": labelling_config("en", with_segments=False)}
    number = int(connection.send("POST", "api/projects", body)["id"])
    empty = dict.fromkeys(FIELDS, "") | {"flags": "", "backlog": "", "suspect_score": None, "workspace": MARK}
    data = [{"data": {**empty, "audio": "/a.wav", "utterance_id": name, **own}} for name, own in tasks.items()]
    connection.send("POST", f"api/projects/{number}/import", data)
    return number


@pytest.fixture
def project(connection: Connection) -> int:
    return project_of(connection, {"u1": {}})


def views(connection: Connection, project: int) -> list[dict[str, Any]]:
    return list(connection.get(VIEWS, {"project": project}))


def titles(connection: Connection, project: int) -> list[str]:
    return [view["data"]["title"] for view in views(connection, project)]


def opened(connection: Connection, project: int) -> dict[str, list[str]]:
    """The utterances that each tab shows, in its order."""
    shown = {}
    for view in views(connection, project):
        tasks = connection.get("api/tasks", {"view": view["id"], "resolve_uri": "false"})["tasks"]
        shown[view["data"]["title"]] = [task["data"]["utterance_id"] for task in tasks]
    return shown


def test_each_tab_opens_exactly_its_tasks(connection: Connection) -> None:
    tasks: dict[str, dict[str, Any]] = {
        "filler": {"flags": "conflict.filler", "suspect_score": 0.5},
        "second": {"flags": "style.x, conflict.number, audio.too_quiet", "suspect_score": 0.49},
        "quiet": {"flags": "audio.too_quiet, style.x", "suspect_score": 0.9},
        "quieter": {"flags": "audio.too_quiet_x, xconflict.y, audio_too_quiet, my.conflict.z"},
        "content": {"backlog": "collect.room=car, label.conflict.content"},
        "contents": {"backlog": "label.conflict.contents, xlabel.conflict.content, label_conflict.content"},
        "noisy": {"backlog": "audio.snr_band=noisy (<10 dB)", "suspect_score": 1},
        "odd": {"backlog": rf"{ITEMS[3]}, collect.room=car"},
    }
    project = project_of(connection, tasks)
    update_tabs(connection, project, MARK, wanted_tabs(ITEMS))
    assert opened(connection, project) == dict(
        zip(
            TITLES,
            [
                list(tasks),
                ["filler", "second"],
                ["noisy", "quiet", "filler"],
                ["second", "quiet"],
                ["content"],
                ["noisy"],
                ["odd"],
            ],
            strict=True,
        )
    )


def test_doing_it_again_changes_nothing(connection: Connection, project: int) -> None:
    assert update_tabs(connection, project, MARK, wanted_tabs(ITEMS)).created == TITLES
    before = views(connection, project)
    assert update_tabs(connection, project, MARK, wanted_tabs(ITEMS)) == TabsOutcome()
    assert views(connection, project) == before


def test_the_first_items_get_a_tab_and_one_that_is_no_longer_among_them_keeps_it(
    connection: Connection, project: int
) -> None:
    many = [f"label.rule.r{number}" for number in range(MOST_ITEMS + 2)]
    assert len(update_tabs(connection, project, MARK, wanted_tabs(many)).created) == 4 + MOST_ITEMS
    outcome = update_tabs(connection, project, MARK, wanted_tabs(many[::-1]))
    assert outcome.created == ["r7 · label.rule.r7", "r6 · label.rule.r6"]
    assert outcome.deleted == []
    gone = update_tabs(connection, project, MARK, wanted_tabs(many[1:]))
    assert gone == TabsOutcome(deleted=["r0 · label.rule.r0"])


def test_korean_titles(connection: Connection, project: int) -> None:
    update_tabs(connection, project, MARK, wanted_tabs([]))
    outcome = update_tabs(connection, project, MARK, wanted_tabs([], "ko"))
    assert outcome.updated == ["라벨 충돌", "의심 라벨", "소리 작음"]
    assert titles(connection, project) == ["Default", *outcome.updated]


def test_peoples_tabs_stay_and_keep_ours_from_being_made_twice(connection: Connection, project: int) -> None:
    update_tabs(connection, project, MARK, wanted_tabs(ITEMS))
    conflicts = next(view for view in views(connection, project) if view["data"]["title"] == "conflicts")
    content = next(view for view in views(connection, project) if "content" in view["data"]["title"])
    # The page writes a tab that somebody has changed without our mark.
    for view, changes in ((conflicts, {"filters": {"conjunction": "and", "items": []}}), (content, {"title": "mine"})):
        data = {name: value for name, value in view["data"].items() if name != "workbench"} | changes
        connection.repeat("PATCH", f"{VIEWS}{view['id']}/", {"project": project, "data": data})
    own = {"project": project, "data": {"title": "my tab", "type": "list", "target": "tasks"}}
    connection.send("POST", VIEWS, own)
    before = views(connection, project)
    assert update_tabs(connection, project, MARK, wanted_tabs(ITEMS)) == TabsOutcome()
    assert views(connection, project) == before
    kept = update_tabs(connection, project, MARK, wanted_tabs([]))
    assert sorted(kept.deleted) == sorted(TITLES[5:])
    assert sorted(titles(connection, project)) == sorted([*FIRST_TITLES, "mine", "my tab"])


def test_two_workspaces_of_one_project_have_their_own_marks(connection: Connection, project: int) -> None:
    update_tabs(connection, project, MARK, wanted_tabs(ITEMS))
    assert update_tabs(connection, project, "beef", wanted_tabs([])) == TabsOutcome()
    assert titles(connection, project) == TITLES


def test_a_tab_hides_what_helps_nobody_to_decide(connection: Connection, project: int) -> None:
    update_tabs(connection, project, MARK, wanted_tabs([]))
    hidden = set(views(connection, project)[1]["data"]["hiddenColumns"]["explore"])
    assert {"tasks:data.workspace", "tasks:data.audio", "tasks:predictions_results"} <= hidden
    assert not hidden & {"tasks:data.reference", "tasks:data.why", "tasks:data.flags", "tasks:total_annotations"}
