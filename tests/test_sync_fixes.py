"""Bulk fixes: decisions here become annotations of the workbench's own on the server, once each, and can be taken back.

People annotate on the real server, over its API; what is sent, refused and deleted is read back from it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

from tests.fault_proxy import FaultProxy, Request, evenly
from tests.label_studio_server import RealServer
from tests.labelled_project import LabelledProject, email_of, result
from workbench.cli import main
from workbench.config import config_text
from workbench.errors import BadInput
from workbench.label_studio import fix_delivery
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.errors import BadReply, ServerError
from workbench.label_studio.fix_annotations import seen_predictions, seen_tasks
from workbench.label_studio.records import fix_uid
from workbench.label_studio.secret import Secret
from workbench.stages.consensus import accept_consensus
from workbench.stages.conventions import apply_convention, undo_conventions
from workbench.stages.labels import set_label
from workbench.stages.sync.annotators import agreement
from workbench.stages.sync.conflicts import resolve
from workbench.stages.sync.fixes import Choice, listed_fixes, pending_fixes, push_fixes, undo_fixes
from workbench.transcripts import revision
from workbench.workspace import Workspace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MARK = "f00dfeed"
MANY = 12
TEXTS = {
    "u1": {"ann_a": "OK let us go", "ann_b": "okay let us go"},
    "u2": {"ann_a": "okay then", "ann_b": "OK then"},
    "u3": {"ann_a": "that is okay", "ann_b": "that is okay"},
}


# -- what is pending: from tables alone --------------------------------------------------------------------------------


def bind(workspace: Workspace, tasks: dict[str, int]) -> None:
    now = datetime.now(UTC)
    row = {"server": "http://127.0.0.1:1", "project_id": 1, "title": "fixes", "mark": MARK, "bound_at": now}
    workspace.append("sync_project", pd.DataFrame([row]))
    known = {"project_id": 1, "state": "present", "at": now}
    rows = [known | {"utterance_id": utterance, "task_id": task} for utterance, task in tasks.items()]
    workspace.append("sync_tasks", pd.DataFrame(rows))


def annotation(utterance: str, annotator: str, text: str, task: int, **changes: Any) -> dict[str, Any]:
    """A row of the table `annotations`."""
    row = {
        "uid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{utterance} {annotator}")), "version": "2026-01-01T00:00:00Z",
        "utterance_id": utterance, "annotator": annotator, "project_id": 1, "task_id": task, "annotation_id": task,
        "state": "submitted", "text": text, "remarks": "", "is_ours": False, "created_at": NOW, "updated_at": NOW,
        "ground_truth": False, "seen_at": NOW,
    }  # fmt: skip
    return row | changes


@pytest.fixture
def offline(tmp_path: Path) -> Workspace:
    """A workspace whose texts were all pulled, as they stand."""
    made = Workspace.create(tmp_path / "w", config_text("voice search", "en", 0.2))
    made.append("utterances", pd.DataFrame({"utterance_id": list(TEXTS), "recording": list(TEXTS), "source": "here"}))
    pulled = [revision(u, who, 1, text, "label_studio") for u, by in TEXTS.items() for who, text in by.items()]
    made.append("transcripts", pd.DataFrame(pulled))
    tasks = {utterance: number for number, utterance in enumerate(TEXTS, start=1)}
    bind(made, tasks)
    rows = [annotation(u, who, text, tasks[u]) for u, by in TEXTS.items() for who, text in by.items()]
    made.append("annotations", pd.DataFrame(rows))
    return made


def apply(workspace: Workspace) -> str:
    return str(apply_convention(workspace, "spelling.okay", "okay", None, "ann_c", "guideline").counts["batch"])


def states(workspace: Workspace, edits: bool = False) -> list[tuple[str, str, str, str]]:
    columns = ["utterance_id", "annotator", "here", "state"]
    return list(pending_fixes(workspace, edits)[columns].itertuples(index=False, name=None))


def sent_row(workspace: Workspace, utterance: str, annotator: str, number: int, text: str, **changes: Any) -> None:
    row = {
        "uid": fix_uid(MARK, utterance, annotator, number, text), "batch": "0a0b0c0d", "utterance_id": utterance,
        "annotator": annotator, "revision": number, "text": text, "kind": "annotation", "task_id": 1, "remote_id": 9,
        "version": "2026-01-02T00:00:00Z", "state": "sent", "why": "spelling.okay", "at": datetime.now(UTC),
    }  # fmt: skip
    workspace.append("sync_fixes", pd.DataFrame([row | changes]))


def test_what_a_convention_changed_is_pending_with_its_reason_and_batch(offline: Workspace) -> None:
    assert states(offline) == []
    batch = apply(offline)
    found = pending_fixes(offline)
    columns = ["utterance_id", "annotator", "there", "here", "why", "state", "conventions", "batches", "task_id"]
    why, ours = "spelling.okay as 'okay'", (("spelling.okay",), (batch,))
    assert list(found[columns].itertuples(index=False, name=None)) == [
        ("u1", "ann_a", "OK let us go", "OKAY let us go", why, "pending", *ours, 1),
        ("u2", "ann_b", "OK then", "OKAY then", why, "pending", *ours, 2),
    ]
    assert found["uid"].tolist() == [
        fix_uid(MARK, "u1", "ann_a", 2, "OKAY let us go"),
        fix_uid(MARK, "u2", "ann_b", 2, "OKAY then"),
    ]
    undo_conventions(offline, batch, "ann_c")
    assert states(offline) == []


def test_a_consensus_is_the_reference_s_and_has_no_text_there(offline: Workspace) -> None:
    accept_consensus(offline, "ann_c", "agreed")
    found = pending_fixes(offline).set_index("utterance_id").loc["u3"]
    assert (found["annotator"], found["here"], found["source"]) == ("reference", "that is okay", "consensus")
    assert found["there"] is None
    assert found["why"].startswith("consensus of 2 transcripts, score ")


def test_edits_are_left_out_unless_asked_for_and_what_people_wrote_since_goes_before(offline: Workspace) -> None:
    set_label(offline, "u3", "ann_a", "that's okay", "ann_c", "heard")
    assert states(offline) == []
    assert states(offline, edits=True) == [("u3", "ann_a", "that's okay", "pending")]
    assert listed_fixes(offline).notes == ["edits of single labels left out: 1; --edits adds them"]
    offline.append("transcripts", pd.DataFrame([revision("u3", "ann_a", 3, "that was okay", "label_studio")]))
    assert states(offline, edits=True) == []


def test_texts_that_the_server_has_or_that_have_no_task_are_not_pending(offline: Workspace) -> None:
    apply(offline)
    offline.append("annotations", pd.DataFrame([annotation("u1", "ann_a", "OKAY let us go", 1)]))
    gone = {"project_id": 1, "utterance_id": "u2", "task_id": 2, "state": "gone", "at": datetime.now(UTC)}
    offline.append("sync_tasks", pd.DataFrame([gone]))
    assert states(offline) == []


def test_a_conflict_is_decided_first(offline: Workspace) -> None:
    apply(offline)
    conflict = {
        "conflict_id": "abcdefgh", "utterance_id": "u1", "annotator": "ann_a", "uid": "1", "version": "2",
        "workspace_text": "OKAY let us go", "server_text": "OK let's go", "decision": "open", "at": NOW,
    }  # fmt: skip
    offline.append("sync_conflicts", pd.DataFrame([conflict]))
    assert [state for *_, state in states(offline)] == ["conflict", "pending"]
    offline.append("sync_conflicts", pd.DataFrame([conflict | {"decision": "workspace"}]))
    assert [state for *_, state in states(offline)] == ["pending", "pending"]


def test_what_was_sent_follows_what_happens_here_and_there(offline: Workspace) -> None:
    batch = apply(offline)
    sent_row(offline, "u1", "ann_a", 2, "OKAY let us go")
    assert states(offline) == [("u2", "ann_b", "OKAY then", "pending"), ("u1", "ann_a", "OKAY let us go", "sent")]
    undo_conventions(offline, batch, "ann_c")
    assert states(offline) == [("u1", "ann_a", "OK let us go", "taken back here")]
    assert "batches on the server, for workbench sync fixes undo: 0a0b0c0d (1)" in listed_fixes(offline).notes
    apply(offline)
    assert ("u1", "ann_a", "OKAY let us go", "sent") in states(offline), "the same text again is there already"
    offline.append("transcripts", pd.DataFrame([revision("u1", "ann_a", 5, "OK we go", "label_studio")]))
    assert ("u1", "ann_a", "OK we go", "taken back here") in states(offline)


@pytest.mark.parametrize("state", ["undone", "changed", "intended"])
def test_what_was_undone_changed_or_begun_is_told(offline: Workspace, state: str) -> None:
    apply(offline)
    sent_row(offline, "u1", "ann_a", 2, "OKAY let us go", state=state)
    assert ("u1", "ann_a", "OKAY let us go", state) in states(offline)


def test_what_somebody_deleted_there_is_told_and_is_not_pending(offline: Workspace) -> None:
    apply(offline)
    sent_row(offline, "u1", "ann_a", 2, "OKAY let us go")
    ours = {
        "uid": fix_uid(MARK, "u1", "ann_a", 2, "OKAY let us go"),
        "state": "deleted",
        "is_ours": True,
        "seen_at": datetime.now(UTC),
    }
    offline.append("annotations", pd.DataFrame([annotation("u1", "ann_c", "OKAY let us go", 1, **ours)]))
    assert ("u1", "ann_a", "OKAY let us go", "deleted there") in states(offline)
    sent_row(offline, "u1", "ann_a", 2, "OKAY let us go")
    assert ("u1", "ann_a", "OKAY let us go", "sent") in states(offline)


def test_fixes_are_chosen_by_what_made_them(offline: Workspace) -> None:
    batch = apply(offline)
    found = pending_fixes(offline)
    for choice in (Choice(batch=batch), Choice(convention="spelling.okay"), Choice(rule=found["rules"][0][0])):
        assert len(choice.of(found)) == 2
    assert Choice(annotator="ann_b").of(found)["utterance_id"].tolist() == ["u2"]
    assert len(Choice(limit=1).first(found)) == 1
    with pytest.raises(BadInput, match=r"no fix has the convention 'spelling.ok'; did you mean 'spelling.okay'\?"):
        Choice(convention="spelling.ok").of(found)
    with pytest.raises(BadInput, match="no fix has the batch '00000000'"):
        Choice(batch="00000000").of(found)


# -- what a server may say ---------------------------------------------------------------------------------------------


@dataclass
class Reply:
    """A connection on which this one document was read."""

    document: Any
    server: str = "http://127.0.0.1:1"

    def get(self, *_: Any) -> Any:
        return self.document


def exported(**changes: Any) -> dict[str, Any]:
    mine = {"id": 8, "unique_id": "f00d", "updated_at": "2026", "updated_by": 1, "completed_by": 1, "result": []}
    task = {"id": 3, "data": {"utterance_id": "u1", "workspace": MARK}, "annotations": [mine], "drafts": []}
    return task | changes


@pytest.mark.parametrize("document", [None, {}, "tasks", [None], [{"id": True}], [{"id": "3"}]])
def test_an_export_that_is_none_is_told(document: Any) -> None:
    with pytest.raises(BadReply):
        seen_tasks(cast(Connection, Reply(document)), 1, [3])


@pytest.mark.parametrize(
    "changes",
    [
        {"annotations": None},
        {"drafts": {}},
        {"annotations": [7]},
        {"annotations": [{"id": 8, "unique_id": None, "updated_at": "2026"}]},
        {"annotations": [{"id": 8, "unique_id": "f00d", "updated_at": 2026}]},
        {"annotations": [{"id": 10**400, "unique_id": "f00d", "updated_at": "2026"}]},
        {"drafts": [{"annotation": {}}]},
        {"drafts": ["draft"]},
    ],
)
def test_a_task_that_cannot_be_read_is_a_problem_of_that_task(changes: dict[str, Any]) -> None:
    tasks = seen_tasks(cast(Connection, Reply([exported(**changes), exported(id=4)])), 1, [3, 4])
    assert (tasks[3].annotations, tasks[3].problem != "") == ({}, True)
    assert (list(tasks[4].annotations), tasks[4].problem) == (["f00d"], "")


def test_a_task_of_another_key_or_none_is_nobody_s() -> None:
    (task,) = seen_tasks(cast(Connection, Reply([exported(data=["u1"])])), 1, [3]).values()
    assert (task.utterance_id, task.mark) == (None, None)


def test_predictions_that_are_not_ours_are_left_alone() -> None:
    whole = {"id": 5, "model_version": "workbench fixes 0a0b0c0d", "result": [{"id": "prediction-1"}]}
    others = [None, whole | {"id": None}, whole | {"model_version": "run-1"}, whole | {"result": None}]
    others += [whole | {"result": []}, whole | {"result": [7]}, whole | {"result": [{"id": 7}]}]
    seen = seen_predictions(cast(Connection, Reply([*others, whole | {"id": 9}, whole])), 1)
    assert {uid: [one.prediction_id for one in same] for uid, same in seen.items()} == {"prediction-1": [5, 9]}


# -- on the real server ------------------------------------------------------------------------------------------------


class Project(LabelledProject):
    """A project that two people have labelled, and the workspace that it was pulled to."""

    def label(self, texts: dict[str, dict[str, str]]) -> None:
        for utterance, by in texts.items():
            for who, text in by.items():
                self.annotate(utterance, who, text)
        self.pull()

    def annotations(self, utterance: str | None = None) -> list[dict[str, Any]]:
        tasks = self.ask("GET", f"/api/projects/{self.project}/export?exportType=JSON&download_all_tasks=true")
        chosen = [task for task in tasks if utterance in (None, task["data"]["utterance_id"])]
        return [one for task in chosen for one in task["annotations"]]

    def ours(self) -> list[dict[str, Any]]:
        """The annotations by the token's account, which labels nothing itself."""
        account = self.ask("GET", "/api/current-user/whoami")["id"]
        return [one for one in self.annotations() if one["completed_by"] == account]

    def predictions(self) -> list[dict[str, Any]]:
        """Those that are not of a run."""
        everything = self.ask("GET", f"/api/predictions/?project={self.project}")
        return [one for one in everything if one["model_version"] != "run-1"]

    def move(self, url: str) -> None:
        """Let the workspace's project be reached at this URL."""
        row = {"server": url, "project_id": self.project, "title": "fixes", "mark": self.mark}
        self.workspace.append("sync_project", pd.DataFrame([row | {"bound_at": datetime.now(UTC)}]))

    def sent(self) -> dict[str, int]:
        """How many fixes are in which state."""
        return dict(self.workspace.read("sync_fixes")["state"].value_counts())


@contextmanager
def connected(server: RealServer, url: str | None = None) -> Iterator[Connection]:
    with Connection(Credentials(url or server.url, Secret(server.token)), timeout=20, pause=0.02) as made:
        yield made


@pytest.fixture
def project(label_studio: RealServer, tmp_path: Path) -> Project:
    made = Project(label_studio, tmp_path / "w", len(TEXTS))
    made.label(TEXTS)
    return made


@pytest.fixture
def many(label_studio: RealServer, tmp_path: Path) -> Project:
    """Tasks that nobody has labelled, of imported texts that a convention has changed."""
    made = Project(label_studio, tmp_path / "w", MANY)
    rows = [
        revision(utterance, who, 1, f"{okay} number {utterance[1:]}", "import")
        for utterance in made.utterances
        for who, okay in (("ann_a", "OK"), ("ann_b", "okay"))
    ]
    made.workspace.append("transcripts", pd.DataFrame(rows))
    made.pull()
    apply(made.workspace)
    return made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fix_delivery, "PAUSES", (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2))


def by_text(annotations: list[dict[str, Any]]) -> list[str]:
    return [one["result"][0]["value"]["text"][0] for one in annotations]


def test_a_fix_is_a_new_annotation_of_ours_and_people_s_stay_as_they_are(project: Project) -> None:
    theirs = {one["id"]: one for one in project.annotations()}
    apply(project.workspace)
    with connected(project.server) as connection:
        done = push_fixes(project.workspace, connection, "guideline 3")
        again = push_fixes(project.workspace, connection, "guideline 3")
    assert (done.counts["sent"], done.counts["faults"], again.counts["sent"]) == (2, 0, 0)
    assert {one["id"]: one for one in project.annotations() if one["id"] in theirs} == theirs
    first, second = project.ours()
    assert by_text([first, second]) == ["OKAY let us go", "OKAY then"]
    assert first["unique_id"] == fix_uid(project.mark, "u1", email_of("ann_a"), 2, "OKAY let us go")
    assert (first["ground_truth"], first["was_cancelled"], first["lead_time"]) == (False, False, None)
    parent = theirs[first["parent_annotation"]]
    assert (parent["task"], by_text([parent])) == (project.task["u1"], ["OK let us go"])
    batch = done.counts["batch"]
    note = f"sent by the workbench for ann_a@example.com: spelling.okay as 'okay' (guideline 3); batch {batch}"
    assert first["result"][0]["meta"]["text"] == [note]
    row = done.table.iloc[0]
    assert row[["utterance_id", "annotator", "before", "after"]].tolist() == [
        "u1", email_of("ann_a"), "OK let us go", "OKAY let us go",
    ]  # fmt: skip
    assert (row["task"], row["annotation"]) == (project.task["u1"], first["id"])
    assert row["link"] == f"{project.server.url}/projects/{project.project}/data?task={project.task['u1']}"
    kept = project.workspace.read("sync_fixes").set_index("utterance_id").loc["u1"]
    assert (kept["state"], kept["remote_id"], kept["version"]) == ("sent", first["id"], first["updated_at"])


def test_a_dry_run_looks_and_sends_nothing(project: Project) -> None:
    apply(project.workspace)
    project.annotate("u2", "ann_a", "okay then")
    with connected(project.server) as connection:
        outcome = push_fixes(project.workspace, connection, "guideline 3", dry_run=True)
    assert outcome.table["after"].tolist() == ["OKAY let us go"]
    assert len(outcome.faults) == 1
    assert project.ours() == []
    assert project.workspace.read("sync_fixes").empty
    assert project.workspace.read("faults").empty


def test_a_task_that_people_worked_on_since_the_last_pull_is_left_until_the_next(project: Project) -> None:
    apply(project.workspace)
    theirs = next(one for one in project.annotations("u1") if by_text([one]) == ["OK let us go"])
    project.change(theirs["id"], "ann_a", "OK we go")
    with connected(project.server) as connection:
        outcome = push_fixes(project.workspace, connection, "guideline 3")
        assert outcome.table["utterance_id"].tolist() == ["u2"]
        (fault,) = outcome.faults.to_dict("records")
        reason = f"task {project.task['u1']} was labelled or changed on the server; run `workbench sync pull` first"
        assert (fault["item"], fault["reason"]) == ("u1 by ann_a@example.com", reason)
        assert by_text(project.ours()) == ["OKAY then"]
        project.pull()
        waiting = push_fixes(project.workspace, connection, "guideline 3")
        assert (waiting.counts["sent"], waiting.notes[-1]) == (
            0, "1 to decide between both sides: workbench sync conflicts",
        )  # fmt: skip
        resolve(project.workspace, [], "workspace", "ann_c", "guideline 3", everything=True)
        assert push_fixes(project.workspace, connection, "guideline 3").table["utterance_id"].tolist() == ["u1"]
    assert by_text(project.annotations("u1")) == ["OK we go", "okay let us go", "OKAY let us go"]


def test_undo_deletes_what_was_sent_and_only_that_and_twice_is_once(project: Project) -> None:
    before = project.annotations()
    local = apply(project.workspace)
    with connected(project.server) as connection:
        batch = push_fixes(project.workspace, connection, "guideline 3").counts["batch"]
        done = undo_fixes(project.workspace, connection, batch)
        assert project.annotations() == before
        assert done.table["outcome"].tolist() == ["undone", "undone"]
        assert f"workbench conventions undo {local}" in done.notes[-1]
        assert [state for *_, state in states(project.workspace)] == ["undone", "undone"]
        assert undo_fixes(project.workspace, connection, batch).table["outcome"].tolist() == ["undone before"] * 2
        assert push_fixes(project.workspace, connection, "guideline 3").counts["sent"] == 0
        assert push_fixes(project.workspace, connection, "guideline 3", again=True).counts["sent"] == 2
        with pytest.raises(BadInput, match="no batch '00000000' was sent; the latest are"):
            undo_fixes(project.workspace, connection, "00000000")
    assert len(project.annotations()) == len(before) + 2


def test_undo_leaves_what_a_person_has_changed_or_is_editing(project: Project) -> None:
    accept_consensus(project.workspace, "ann_c", "agreed")
    with connected(project.server) as connection:
        batch = push_fixes(project.workspace, connection, "agreed", choice=Choice(annotator="reference")).counts[
            "batch"
        ]
        changed, edited, gone = project.ours()
        project.change(changed["id"], "ann_b", by_text([changed])[0])
        drafts = f"/api/tasks/{edited['task']}/annotations/{edited['id']}/drafts"
        project.ask("POST", drafts, {"result": result("half a thought"), "lead_time": 1}, "ann_b")
        project.ask("DELETE", f"/api/annotations/{gone['id']}/")
        outcome = undo_fixes(project.workspace, connection, batch)
        assert outcome.table["outcome"].tolist() == [
            "somebody has changed it", "somebody is editing it", "gone already",
        ]  # fmt: skip
        assert (outcome.counts["undone"], outcome.counts["stay"]) == (1, 2)
        assert [one["id"] for one in project.ours()] == [changed["id"], edited["id"]]
        assert project.sent() == {"changed": 1, "sent": 1, "undone": 1}
        (draft,) = project.ask("GET", drafts, who="ann_b")
        project.ask("DELETE", f"/api/drafts/{draft['id']}/", who="ann_b")
        assert undo_fixes(project.workspace, connection, batch).table["outcome"].tolist() == [
            "somebody has changed it", "undone", "undone before",
        ]  # fmt: skip
    assert [one["id"] for one in project.ours()] == [changed["id"]]


def test_ours_come_back_as_ours_and_what_a_person_makes_of_one_as_theirs(project: Project) -> None:
    local = apply(project.workspace)
    texts = project.texts()
    with connected(project.server) as connection:
        batch = push_fixes(project.workspace, connection, "guideline 3").counts["batch"]
        before = agreement(project.workspace).others
        project.pull()
        assert project.texts() == texts
        mirrored = project.mirrored()
        assert mirrored.loc[mirrored["is_ours"], ["utterance_id", "annotator", "text", "state"]].values.tolist() == [
            ["u1", "admin", "OKAY let us go", "submitted"],
            ["u2", "admin", "OKAY then", "submitted"],
        ]
        pd.testing.assert_frame_equal(agreement(project.workspace).others, before)
        project.change(project.ours()[0]["id"], "ann_b", "OKAY let us go now")
        project.pull()
        assert project.texts() == texts | {("u1", "ann_b"): "OKAY let us go now"}
        assert project.sent() == {"changed": 1, "sent": 1}
        outcomes = undo_fixes(project.workspace, connection, batch).table["outcome"].tolist()
        assert outcomes == ["somebody has changed it", "undone"]
        undo_conventions(project.workspace, local, "ann_c")
        project.pull()
    assert project.texts() == {(u, who): text for u, by in TEXTS.items() for who, text in by.items()} | {
        ("u1", "ann_b"): "OKAY let us go now"
    }
    assert by_text(project.annotations("u2")) == list(TEXTS["u2"].values())


def test_what_the_token_s_owner_adds_to_one_of_ours_by_hand_is_not_deleted_either(project: Project) -> None:
    apply(project.workspace)
    with connected(project.server) as connection:
        batch = push_fixes(project.workspace, connection, "guideline 3").counts["batch"]
        first = project.ours()[0]
        body = {"result": first["result"] + result(None, "unsure")}
        project.ask("PATCH", f"/api/annotations/{first['id']}/", body)
        project.pull()
        outcomes = undo_fixes(project.workspace, connection, batch).table["outcome"].tolist()
    assert outcomes == ["somebody has changed it", "undone"]
    assert [one["id"] for one in project.ours()] == [first["id"]]


def test_what_somebody_deleted_there_is_sent_once_more_only_when_asked(project: Project) -> None:
    apply(project.workspace)
    with connected(project.server) as connection:
        push_fixes(project.workspace, connection, "guideline 3")
        project.pull()
        for one in project.ours():
            project.delete(one["id"], "ann_b")
        project.pull()
        assert [state for *_, state in states(project.workspace)] == ["deleted there"] * 2
        assert push_fixes(project.workspace, connection, "guideline 3").counts["sent"] == 0
        assert push_fixes(project.workspace, connection, "guideline 3", again=True).counts["sent"] == 2
        assert [state for *_, state in states(project.workspace)] == ["sent"] * 2
        assert project.pull().counts.get("conflicts", 0) == 0
    assert by_text(project.ours()) == ["OKAY let us go", "OKAY then"]


def test_a_workspace_that_forgot_what_it_sent_finds_it_there(project: Project) -> None:
    apply(project.workspace)
    with connected(project.server) as connection:
        push_fixes(project.workspace, connection, "guideline 3")
        before = project.annotations()
        shutil.rmtree(project.workspace.root / "tables" / "sync_fixes")
        push_fixes(project.workspace, connection, "guideline 3")
    assert project.annotations() == before
    assert project.sent() == {"sent": 2}


def test_a_fix_that_stands_in_another_task_is_a_fault(project: Project) -> None:
    apply(project.workspace)
    uid = fix_uid(project.mark, "u1", email_of("ann_a"), 2, "OKAY let us go")
    project.ask("POST", f"/api/tasks/{project.task['u3']}/annotations/", {"unique_id": uid, "result": result("x")})
    with connected(project.server) as connection:
        outcome = push_fixes(project.workspace, connection, "guideline 3")
    assert outcome.counts["sent"] == 1
    reason = f"the server has it, but not in task {project.task['u1']}; look for {uid} there"
    assert outcome.faults["reason"].tolist() == [reason]


def test_a_task_is_known_by_its_key_and_not_by_its_number(many: Project) -> None:
    wrong = {"u1": many.task["u3"], "u2": 10**6}
    rows = [
        {"project_id": many.project, "utterance_id": utterance, "task_id": task, "state": state, "at": NOW}
        for utterance, other in wrong.items()
        for task, state in ((many.task[utterance], "gone"), (other, "present"))
    ]
    many.workspace.append("sync_tasks", pd.DataFrame(rows))
    with connected(many.server) as connection:
        table = push_fixes(many.workspace, connection, "guideline 3").table.set_index("utterance_id")["task"]
    assert table.to_dict() == many.task
    assert {one["task"]: by_text([one]) for one in many.ours()} == {
        task: [f"OKAY number {utterance[1:]}"] for utterance, task in many.task.items()
    }


def test_a_task_that_is_gone_is_a_fault(project: Project) -> None:
    apply(project.workspace)
    project.server.ask("DELETE", f"/api/tasks/{project.task['u1']}/")
    with connected(project.server) as connection:
        outcome = push_fixes(project.workspace, connection, "guideline 3")
    assert outcome.faults["reason"].tolist() == ["it has no task on the server; run `workbench sync push` first"]
    assert outcome.counts["sent"] == 1


def test_predictions_leave_the_task_open_and_are_undone_by_name(many: Project) -> None:
    choice = Choice(limit=3)
    with connected(many.server) as connection:
        done = push_fixes(many.workspace, connection, "guideline 3", "prediction", choice)
        batch = done.counts["batch"]
        assert [one["model_version"] for one in many.predictions()] == [f"workbench fixes {batch}"] * 3
        assert by_text(many.predictions()) == ["OKAY number 1", "OKAY number 2", "OKAY number 3"]
        assert many.annotations() == []
        other = {"task": many.task["u1"], "model_version": "a-run", "result": result("a run's")}
        stays = many.server.ask("POST", "/api/predictions/", other)["id"]
        assert undo_fixes(many.workspace, connection, batch).counts["undone"] == 3
    assert [one["id"] for one in many.predictions()] == [stays]


def test_an_annotation_of_ours_takes_a_task_from_the_label_stream_and_a_prediction_does_not(many: Project) -> None:
    for kind, choice, labelled in (("prediction", Choice(limit=1), False), ("annotation", Choice(limit=1), True)):
        with connected(many.server) as connection:
            row = push_fixes(many.workspace, connection, "guideline 3", kind, choice).table.iloc[0]
        task = many.server.ask("GET", f"/api/tasks/{row['task']}?resolve_uri=false")
        assert task["is_labeled"] is labelled


@pytest.mark.parametrize(("kind", "seed"), [("annotation", 1), ("prediction", 2)])
def test_whatever_happens_on_the_way_each_fix_is_there_once_and_the_undo_takes_each(
    many: Project, kind: str, seed: int
) -> None:
    with FaultProxy(many.server.url, seed, evenly(0.4)) as proxy, connected(many.server, proxy.url) as connection:
        many.move(proxy.url)
        there = many.ours if kind == "annotation" else many.predictions
        batches = set()
        for _ in range(6):
            outcome = push_fixes(many.workspace, connection, "guideline 3", kind)
            batches |= set(many.workspace.read("sync_fixes")["batch"])
            if outcome.counts["sent"] == outcome.counts["faults"] == 0:
                break
        proxy.is_on = False
        assert push_fixes(many.workspace, connection, "guideline 3", kind).counts["faults"] == 0
        assert sorted(by_text(there())) == sorted(f"OKAY number {number}" for number in range(1, MANY + 1))
        assert many.sent() == {"sent": MANY}
        proxy.is_on = True
        for batch in batches:
            for _ in range(6):
                if undo_fixes(many.workspace, connection, batch).counts["faults"] == 0:
                    break
        assert sum(proxy.counts.values()) > 10
    assert there() == []
    assert many.sent() == {"undone": MANY}


@pytest.mark.parametrize(("kind", "path"), [("annotation", "/annotations/"), ("prediction", "/api/predictions/")])
def test_a_push_that_is_killed_goes_on_where_it_was_and_sends_nothing_twice(
    many: Project, kind: str, path: str
) -> None:
    posts = 0
    process: subprocess.Popen[bytes] | None = None

    def kill(request: Request) -> None:
        nonlocal posts
        if request.method == "POST" and path in request.path:
            posts += 1
            if posts == 8 and process is not None:
                os.kill(process.pid, signal.SIGKILL)

    with FaultProxy(many.server.url, on_request=kill) as proxy:
        many.move(proxy.url)
        command = [sys.executable, "-m", "workbench", "sync", "fixes", "push", "--as", kind, "--reason", "guideline 3"]
        secrets = {"LABEL_STUDIO_URL": proxy.url, "LABEL_STUDIO_API_KEY": many.server.token}
        process = subprocess.Popen(command, cwd=many.workspace.root, env={**os.environ, **secrets, "PYTHONPATH": ROOT})
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert many.sent() == {"intended": MANY}
        with connected(many.server, proxy.url) as connection:
            outcome = push_fixes(many.workspace, connection, "guideline 3", kind)
    there = many.ours if kind == "annotation" else many.predictions
    assert sorted(by_text(there())) == sorted(f"OKAY number {number}" for number in range(1, MANY + 1))
    assert any("had arrived of a push that broke off" in note for note in outcome.notes)
    assert many.sent() == {"sent": MANY}


def test_what_was_begun_as_one_kind_can_be_sent_as_the_other(many: Project) -> None:
    row = {"task_id": many.task["u1"], "state": "intended", "remote_id": None, "version": None}
    row |= {"uid": fix_uid(many.mark, "u1", "ann_a", 2, "OKAY number 1")}
    sent_row(many.workspace, "u1", "ann_a", 2, "OKAY number 1", **row)
    with connected(many.server) as connection:
        batch = push_fixes(many.workspace, connection, "guideline 3", "prediction").counts["batch"]
        assert many.sent() == {"sent": MANY, "undone": 1}
        undo_fixes(many.workspace, connection, batch)
        assert push_fixes(many.workspace, connection, "guideline 3").counts["sent"] == 0


def test_what_was_begun_or_undone_is_not_sent_where_it_stands_here_no_longer(project: Project) -> None:
    local = apply(project.workspace)
    fix = {"task_id": project.task["u1"], "state": "intended", "remote_id": None, "version": None}
    fix |= {"uid": fix_uid(project.mark, "u1", email_of("ann_a"), 2, "OKAY let us go")}
    sent_row(project.workspace, "u1", email_of("ann_a"), 2, "OKAY let us go", **fix)
    undo_conventions(project.workspace, local, "ann_c")
    with connected(project.server) as connection:
        assert push_fixes(project.workspace, connection, "guideline 3").counts["sent"] == 0
        assert project.sent() == {"undone": 1}
        assert push_fixes(project.workspace, connection, "guideline 3", again=True).counts["sent"] == 0
    assert project.ours() == []


def test_edits_go_along_only_when_asked_for_each_time(project: Project) -> None:
    set_label(project.workspace, "u1", email_of("ann_a"), "OK let's go", "ann_c", "heard")
    with connected(project.server) as connection:
        assert push_fixes(project.workspace, connection, "heard").counts["sent"] == 0
        batch = push_fixes(project.workspace, connection, "heard", edits=True).counts["batch"]
        assert by_text(project.ours()) == ["OK let's go"]
        undo_fixes(project.workspace, connection, batch)
        assert push_fixes(project.workspace, connection, "heard", again=True).counts["sent"] == 0
        assert push_fixes(project.workspace, connection, "heard", edits=True, again=True).counts["sent"] == 1


def test_a_server_that_goes_away_leaves_what_arrived_written_down(many: Project) -> None:
    with FaultProxy(many.server.url) as proxy, connected(many.server, proxy.url) as connection:
        many.move(proxy.url)
        posts = 0

        def leave(request: Request) -> None:
            nonlocal posts
            posts += request.method == "POST"
            if posts == 6:
                proxy.__exit__()

        proxy.on_request = leave
        with pytest.raises(ServerError):
            push_fixes(many.workspace, connection, "guideline 3")
    assert set(many.sent()) == {"sent", "intended"}
    many.move(many.server.url)
    with connected(many.server) as connection:
        push_fixes(many.workspace, connection, "guideline 3")
    assert sorted(by_text(many.ours())) == sorted(f"OKAY number {number}" for number in range(1, MANY + 1))


ROOT = str(Path(__file__).parents[1])


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str | Path
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["workbench", "sync", "fixes", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), captured.out, captured.err


def test_the_commands_list_push_report_and_undo(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.workspace.root)
    monkeypatch.setenv("LABEL_STUDIO_URL", project.server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", project.server.token)
    apply(project.workspace)
    code, out, err = run(capsys, monkeypatch, "--format", "json")
    assert (code, [row["state"] for row in json.loads(out)]) == (0, ["pending", "pending"])
    assert "2 can be sent with workbench sync fixes push" in err
    only = ("--annotator", email_of("ann_b"))
    code, out, _ = run(capsys, monkeypatch, "push", *only, "--reason", "guideline", "--format", "csv")
    assert (code, out.splitlines()[0]) == (0, "utterance_id,annotator,before,after,task,annotation,link")
    batch = project.workspace.read("sync_fixes")["batch"][0]
    code, out, err = run(capsys, monkeypatch)
    assert (code, "OKAY let us go" in out, "OKAY then" in out) == (0, True, False)
    assert f"batches on the server, for workbench sync fixes undo: {batch} (1)" in err
    code, out, err = run(capsys, monkeypatch, "undo", batch)
    assert (code, "undone" in out) == (0, True)
    assert project.ours() == []
    code, _, err = run(capsys, monkeypatch, "push", "--reason", " ")
    assert (code, "--reason must say why" in err) == (2, True)
    assert project.server.token not in err
