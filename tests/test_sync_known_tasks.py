"""What a workspace remembers of its tasks: what was about to be sent, what was seen, what is gone, who writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from workbench.config import config_text
from workbench.errors import BadInput, WorkspaceLocked
from workbench.label_studio.records import FoundTask
from workbench.stages.sync.binding import (
    Binding,
    bound_project,
    known_binding,
    one_writer,
    patient_lock,
    remember,
    workspace_mark,
)
from workbench.stages.sync.known_tasks import known_tasks, note_found, note_intended
from workbench.workspace import Workspace

PROJECT = 7


class Server:
    server = "https://labels.example.com"


class OtherServer:
    server = "https://other.example.com"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path, config_text("w", "en", 0.2))


def found(number: int, name: str | None) -> FoundTask:
    return FoundTask(number, name, {}, "2026-01-01T00:00:00Z", 0, 0)


def states(workspace: Workspace) -> dict[tuple[str, int], str]:
    rows = workspace.read("sync_tasks")
    return {(name, task): state for name, task, state in rows[["utterance_id", "task_id", "state"]].to_numpy().tolist()}


def test_what_was_about_to_be_sent_may_be_under_way_until_it_is_seen(workspace: Workspace) -> None:
    note_intended(workspace, PROJECT, ["u1", "u2"])
    assert known_tasks(workspace, PROJECT).under_way == {"u1", "u2"}
    assert known_tasks(workspace, PROJECT).seen == frozenset()
    note_found(workspace, PROJECT, [found(1, "u1"), found(2, None)])
    known = known_tasks(workspace, PROJECT)
    assert (known.seen, known.under_way) == ({"u1"}, {"u2"})
    assert known_tasks(workspace, 8).seen == frozenset(), "another project knows nothing of it"


def test_what_was_about_to_be_sent_long_ago_is_not_under_way(workspace: Workspace) -> None:
    note_intended(workspace, PROJECT, ["u1"])
    old = workspace.read("sync_tasks").assign(at=datetime.now(UTC) - timedelta(hours=1))
    workspace.append("sync_tasks", old)
    assert known_tasks(workspace, PROJECT).under_way == frozenset()


def test_what_is_there_no_longer_is_gone_and_still_known(workspace: Workspace) -> None:
    note_found(workspace, PROJECT, [found(1, "u1"), found(2, "u2"), found(3, "u3")])
    note_found(workspace, PROJECT, [found(1, "u1")], deleted=[3])
    assert states(workspace) == {("u1", 1): "present", ("u2", 2): "gone", ("u3", 3): "deleted here"}
    assert known_tasks(workspace, PROJECT).seen == {"u1", "u2"}


def test_only_news_is_written(workspace: Workspace) -> None:
    note_found(workspace, PROJECT, [found(1, "u1")])
    before = len(workspace.read("sync_tasks", history=True))
    note_found(workspace, PROJECT, [found(1, "u1")])
    assert len(workspace.read("sync_tasks", history=True)) == before


def test_a_number_that_another_task_has_now_is_gone_for_the_first_one(workspace: Workspace) -> None:
    note_found(workspace, PROJECT, [found(1, "u1")])
    note_found(workspace, PROJECT, [found(1, "u2")])
    assert states(workspace) == {("u1", 1): "gone", ("u2", 1): "present"}
    note_found(workspace, PROJECT, [found(1, None)])
    assert states(workspace) == {("u1", 1): "gone", ("u2", 1): "gone"}


def test_what_is_sent_again_and_deleted_again_is_gone_again(workspace: Workspace) -> None:
    note_found(workspace, PROJECT, [found(1, "u1")])
    note_found(workspace, PROJECT, [])
    note_intended(workspace, PROJECT, ["u1"])
    assert known_tasks(workspace, PROJECT).seen == frozenset()
    note_found(workspace, PROJECT, [found(1, "u1")])
    note_found(workspace, PROJECT, [])
    assert known_tasks(workspace, PROJECT).seen == {"u1"}


def test_a_copy_that_was_deleted_here_says_nothing_of_the_task_that_stayed(workspace: Workspace) -> None:
    note_found(workspace, PROJECT, [found(1, "u1"), found(2, "u1")])
    note_found(workspace, PROJECT, [found(1, "u1")], deleted=[2])
    assert known_tasks(workspace, PROJECT).seen == {"u1"}


def test_what_a_pull_wrote_down_stays(workspace: Workspace) -> None:
    note_found(workspace, PROJECT, [found(1, "u1"), found(2, "u2")])
    rows = workspace.read("sync_tasks")
    workspace.append("sync_tasks", rows[rows["utterance_id"] == "u1"].assign(pulled_version="v1"))
    note_found(workspace, PROJECT, [])
    note_found(workspace, PROJECT, [found(1, "u1")])
    rows = workspace.read("sync_tasks").set_index("utterance_id")
    assert rows.loc["u1", "pulled_version"] == "v1" and rows.loc["u1", "state"] == "present"
    assert pd.isna(rows.loc["u2", "pulled_version"])


def test_the_mark_is_made_once_and_is_the_same_for_every_server(workspace: Workspace) -> None:
    mark = workspace_mark(workspace, Server())
    assert len(mark) >= 12 and workspace_mark(workspace, Server()) == mark
    assert workspace_mark(workspace, OtherServer()) == mark
    assert known_binding(workspace, Server()) == Binding(0, mark)


def test_a_mark_that_is_not_to_be_kept_leaves_nothing_behind(workspace: Workspace) -> None:
    workspace_mark(workspace, Server(), store=False)
    assert known_binding(workspace, Server()) is None


def test_a_project_is_bound_by_server(workspace: Workspace) -> None:
    with pytest.raises(BadInput, match=r"no project on https://labels.example.com yet; `workbench sync push`"):
        bound_project(workspace, Server())
    mark = workspace_mark(workspace, Server())
    with pytest.raises(BadInput, match="no project"):
        bound_project(workspace, Server())
    remember(workspace, Server(), Binding(PROJECT, mark, "speech"))
    assert bound_project(workspace, Server()) == Binding(PROJECT, mark, "speech")
    parts = len(workspace.read("sync_project", history=True))
    remember(workspace, Server(), Binding(PROJECT, mark, "speech"))
    assert len(workspace.read("sync_project", history=True)) == parts
    with pytest.raises(BadInput, match=r"other\.example\.com"):
        bound_project(workspace, OtherServer())


def test_one_writer_at_a_time_and_the_workspace_stays_open_to_others(workspace: Workspace) -> None:
    other = Workspace.open(workspace.root)
    with one_writer(workspace):
        with pytest.raises(WorkspaceLocked, match=r"is sending .* to its server; wait"), one_writer(other):
            pass
        with other.lock():
            pass
    with one_writer(other):
        pass


def test_the_workspace_s_lock_is_waited_for_but_not_for_ever(workspace: Workspace) -> None:
    other = Workspace.open(workspace.root)
    with (
        other.lock(),
        pytest.raises(WorkspaceLocked, match="is writing to"),
        patient_lock(workspace, seconds=0.0),
    ):
        pass
    with patient_lock(workspace, seconds=0.0):
        note_intended(workspace, PROJECT, ["u1"])
