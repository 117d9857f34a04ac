"""Pull: what people did on the server is in the workspace, once, with who, where and when; and so it stays."""

from __future__ import annotations

import contextlib
import urllib.error
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.label_studio_server import RealServer
from tests.labelled_project import LabelledProject, email_of, imported, name_of, result
from workbench.errors import BadInput, WorkspaceLocked
from workbench.label_studio.annotations import exported_tasks, tasks_with_drafts
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.records import fix_uid
from workbench.label_studio.secret import Secret
from workbench.stages.labels import undo_label
from workbench.stages.stage import Outcome
from workbench.stages.sync.pull import pull
from workbench.workspace import Workspace


@pytest.fixture
def project(label_studio: RealServer, tmp_path: Path) -> LabelledProject:
    return LabelledProject(label_studio, tmp_path)


def test_each_text_becomes_a_revision_with_who_where_when_and_how_long(project: LabelledProject) -> None:
    number = project.annotate("u1", "ann_a", "so it is")
    project.annotate("u1", "ann_b", "so is it")
    outcome = project.pull()
    assert (outcome.counts["new"], outcome.counts["faults"]) == (2, 0)
    assert project.texts() == {("u1", "ann_a"): "so it is", ("u1", "ann_b"): "so is it"}
    row = project.mirrored().iloc[0]
    (written,) = project.revisions("u1", "ann_a").to_dict("records")
    assert (row["annotation_id"], row["task_id"], row["lead_time"]) == (number, project.task["u1"], 3.5)
    assert (written["source"], pd.isna(written["author"]), row["revision"]) == ("label_studio", True, 1)
    detail = f"task {project.task['u1']} annotation {number} version {row['version']} {row['uid']}"
    assert written["source_detail"] == detail
    assert written["created_at"] == row["updated_at"] == datetime.fromisoformat(row["version"])
    assert outcome.table[["what", "text"]].to_numpy().tolist() == [["new", "so is it"], ["new", "so it is"]]
    assert "next: workbench check" in outcome.notes


def test_a_second_pull_reads_and_writes_nothing(project: LabelledProject) -> None:
    project.annotate("u1", "ann_a", "so it is")
    project.pull()
    before = sorted((project.workspace.root / "tables").rglob("*"))
    outcome = project.pull()
    assert (outcome.counts["new"], outcome.counts["unchanged"], len(outcome.table)) == (0, 1, 0)
    assert sorted((project.workspace.root / "tables").rglob("*")) == before


def test_drafts_skips_and_empty_ones_are_told_apart_and_are_no_transcripts(project: LabelledProject) -> None:
    project.draft("u1", "ann_a", "half a")
    project.draft("u2", "ann_b", "half b")
    project.annotate("u1", "ann_b", None, was_cancelled=True)
    project.annotate("u2", "ann_a", "said then skipped", was_cancelled=True)
    project.annotate("u3", "ann_a", None, "bad_audio")
    project.annotate("u3", "ann_b", "  ")
    outcome = project.pull()
    assert {name: outcome.counts[name] for name in ("drafts", "skipped", "cancelled", "empty", "new")} == {
        "drafts": 2, "skipped": 1, "cancelled": 1, "empty": 2, "new": 4,
    }  # fmt: skip
    assert project.states() == [
        ("u1", "ann_a", "draft", "half a"),
        ("u1", "ann_b", "skipped", ""),
        ("u2", "ann_b", "draft", "half b"),
        ("u2", "ann_a", "cancelled", "said then skipped"),
        ("u3", "ann_a", "empty", ""),
        ("u3", "ann_b", "empty", ""),
    ]
    assert project.texts() == {}


def test_a_draft_that_is_submitted_and_a_skip_that_is_filled_in(project: LabelledProject) -> None:
    draft = project.draft("u1", "ann_a", "so")
    skipped = project.annotate("u2", "ann_a", None, was_cancelled=True)
    project.pull()
    project.annotate("u1", "ann_a", "so it is", draft_id=draft)
    project.change(skipped, "ann_a", "now I hear it", was_cancelled=False)
    outcome = project.pull()
    assert (outcome.counts["new"], outcome.counts["edited"], outcome.counts["deleted"]) == (1, 1, 0)
    assert [state[2:] for state in project.states()] == [
        ("deleted", "so"), ("submitted", "so it is"), ("submitted", "now I hear it"),
    ]  # fmt: skip
    assert project.texts() == {("u1", "ann_a"): "so it is", ("u2", "ann_a"): "now I hear it"}


def test_a_draft_that_was_changed_is_seen_although_its_task_looks_the_same(project: LabelledProject) -> None:
    draft = project.draft("u1", "ann_a", "so")
    project.pull()
    project.ask("PATCH", f"/api/drafts/{draft}/", {"result": result("so it")}, "ann_a")
    assert project.pull().counts["drafts"] == 1
    assert project.states() == [("u1", "ann_a", "draft", "so it")]
    project.ask("DELETE", f"/api/drafts/{draft}/", who="ann_a")
    assert project.pull().counts["deleted"] == 0
    assert project.states() == [("u1", "ann_a", "deleted", "so it")]


def test_an_edit_is_a_new_revision_and_whoever_made_it_is_its_author(project: LabelledProject) -> None:
    number = project.annotate("u1", "ann_a", "so it is")
    project.pull()
    project.change(number, "ann_b", "so is it")
    outcome = project.pull()
    assert (outcome.counts["edited"], outcome.table["what"].tolist()) == (1, ["edited"])
    rows = project.revisions("u1", "ann_a")
    assert rows["text"].tolist() == ["so it is", "so is it"]
    assert [name_of(str(author)) for author in rows["author"]][1] == "ann_b"
    assert len(project.workspace.read("annotations", history=True)) == 2


def test_what_is_deleted_is_shown_and_its_text_stays_until_somebody_says_otherwise(project: LabelledProject) -> None:
    first = project.annotate("u1", "ann_a", "so it is")
    project.annotate("u2", "ann_a", "stays")
    project.pull()
    project.delete(first, "ann_a")
    outcome = project.pull()
    assert (outcome.counts["deleted"], outcome.counts["unchanged"]) == (1, 1)
    assert any("--retract-deleted" in note for note in outcome.notes)
    assert project.states()[0] == ("u1", "ann_a", "deleted", "so it is")
    assert project.texts() == {("u1", "ann_a"): "so it is", ("u2", "ann_a"): "stays"}
    project.pull(retract_deleted=True)
    assert project.texts() == {("u2", "ann_a"): "stays"}
    row = undo_label(project.workspace, "u1", email_of("ann_a"), "ann_c")
    assert (row["text"], row["source"]) == ("so it is", "edit")
    project.pull(retract_deleted=True)
    assert project.texts()["u1", "ann_a"] == "so it is"


def test_bulk_actions_of_the_data_manager_are_seen(project: LabelledProject) -> None:
    for utterance in project.utterances:
        project.annotate(utterance, "ann_a", f"text of {utterance}")
    project.pull()
    project.act("delete_tasks_annotations", "u1")
    project.act("delete_tasks", "u2")
    assert project.pull().counts["deleted"] == 2
    assert [state[2] for state in project.states()] == ["deleted", "deleted", "submitted"]
    gone = project.workspace.read("sync_tasks").query("state == 'gone'")
    assert gone["utterance_id"].tolist() == ["u2"]


def test_a_number_that_another_task_has_now_is_not_taken_for_the_old_one(project: LabelledProject) -> None:
    number = project.annotate("u3", "ann_a", "of u3")
    project.pull()
    project.act("delete_tasks", "u3")
    project.task |= project.import_tasks(["u1"])
    project.annotate("u1", "ann_a", "of u1")
    assert project.pull().counts["new"] == 1
    assert project.texts() == {("u3", "ann_a"): "of u3", ("u1", "ann_a"): "of u1"}
    states = {(row.annotation_id, row.utterance_id): row.state for row in project.mirrored().itertuples()}
    assert states[number, "u3"] == "deleted"


def test_an_empty_project_is_not_believed_to_be_a_mass_deletion(project: LabelledProject) -> None:
    for utterance in project.utterances:
        project.annotate(utterance, "ann_a", f"text of {utterance}")
    project.pull()
    project.act("delete_tasks", *project.utterances)
    outcome = project.pull()
    assert outcome.counts["deleted"] == 0
    assert "3 of 3 annotations are gone from the server" in outcome.faults["reason"][0]
    assert {state[2] for state in project.states()} == {"submitted"}
    accepted = project.pull(accept_deletions=True)
    assert (accepted.counts["deleted"], len(accepted.faults)) == (3, 0)
    assert project.workspace.read("faults", stage="sync pull").empty


def test_a_project_that_is_gone_is_an_error_and_changes_nothing(project: LabelledProject) -> None:
    project.annotate("u1", "ann_a", "so it is")
    project.pull()
    project.ask("DELETE", f"/api/projects/{project.project}/")
    with pytest.raises(BadInput, match=r"is not on http.* any more; nothing was marked as deleted"):
        project.pull()
    assert project.states() == [("u1", "ann_a", "submitted", "so it is")]


def test_a_workspace_without_a_project_says_to_push_first(project: LabelledProject, tmp_path: Path) -> None:
    project.workspace = Workspace.create(tmp_path / "other", "")
    with pytest.raises(BadInput, match="workbench sync push"):
        project.pull()


def test_remarks_stand_until_they_are_unchosen_or_deleted(project: LabelledProject) -> None:
    first = project.annotate("u1", "ann_a", "so it is", "unsure", "bad_audio")
    second = project.annotate("u2", "ann_b", None, "bad_audio", was_cancelled=True)
    assert project.pull().counts["remarks"] == 3

    def standing() -> list[tuple[str, str, str]]:
        rows = project.workspace.read("remarks").query("stands")
        return sorted((row.utterance_id, name_of(row.annotator), row.remark) for row in rows.itertuples())

    assert standing() == [("u1", "ann_a", "bad_audio"), ("u1", "ann_a", "unsure"), ("u2", "ann_b", "bad_audio")]
    project.change(first, "ann_a", "so it is", "unsure")
    project.delete(second, "ann_b")
    assert project.pull().counts["remarks"] == 2
    assert standing() == [("u1", "ann_a", "unsure")]
    assert len(project.revisions("u1", "ann_a")) == 1


def test_a_prelabel_is_accepted_or_corrected_and_nothing_is_claimed_that_nobody_knows(project: LabelledProject) -> None:
    listed = project.ask("GET", f"/api/predictions?project={project.project}")
    parent = {one["task"]: one["id"] for one in listed}
    for utterance, text in (("u1", "heard in u1"), ("u2", "heard in you two")):
        project.annotate(utterance, "ann_a", text, parent_prediction=parent[project.task[utterance]])
    project.annotate("u1", "ann_b", "heard in u1")
    changed = project.annotate("u3", "ann_a", "heard in u3", parent_prediction=parent[project.task["u3"]])
    project.pull()
    rows = project.mirrored().set_index(["utterance_id", "annotator"])
    assert rows.loc[("u1", "ann_a"), ["prelabel", "prelabel_run"]].tolist() == ["accepted", "run-1"]
    assert rows.loc[("u2", "ann_a"), ["prelabel", "prelabel_run"]].tolist() == ["corrected", "run-1"]
    assert rows.loc[("u1", "ann_b"), ["prelabel", "prelabel_run"]].isna().all()
    project.act("delete_tasks_predictions", "u3")
    project.change(changed, "ann_a", "heard something else")
    project.pull()
    rows = project.mirrored().set_index(["utterance_id", "annotator"])
    assert rows.loc[("u3", "ann_a"), ["prelabel", "prelabel_run"]].tolist() == ["corrected", "run-1"]


def test_a_prediction_of_another_run_than_the_one_on_show_is_found(project: LabelledProject) -> None:
    body = {"task": project.task["u1"], "model_version": "run-2", "score": 0.1, "result": result("of run two")}
    other = project.ask("POST", "/api/predictions/", body)["id"]
    project.annotate("u1", "ann_a", "of run two", parent_prediction=other)
    project.pull()
    assert project.mirrored()[["prelabel", "prelabel_run"]].iloc[0].tolist() == ["accepted", "run-2"]


def test_people_get_the_names_of_the_configuration(label_studio: RealServer, tmp_path: Path) -> None:
    project = LabelledProject(label_studio, tmp_path)
    mapped = f'[label_studio.annotators]\n"{email_of("ann_b").upper()}" = "ann_named"\n'
    text = (project.workspace.root / "workbench.toml").read_text()
    (project.workspace.root / "workbench.toml").write_text(
        text.replace("[label_studio.annotators]", mapped.rstrip() + " # ", 1)
    )
    project.workspace = Workspace.open(project.workspace.root)
    project.annotate("u1", "ann_b", "so it is")
    project.pull()
    assert list(project.texts()) == [("u1", "ann_named")]


def test_an_account_that_is_renamed_stays_the_annotator_of_what_it_wrote(project: LabelledProject) -> None:
    number = project.annotate("u1", "ann_a", "so it is")
    project.pull()
    user = project.ask("GET", "/api/current-user/whoami", who="ann_a")["id"]
    project.ask("PATCH", f"/api/users/{user}/", {"first_name": "Ann", "last_name": "A"}, "ann_a")
    project.change(number, "ann_a", "so is it")
    project.pull()
    assert project.texts() == {("u1", "ann_a"): "so is it"}
    assert project.revisions("u1", "ann_a")["text"].tolist() == ["so it is", "so is it"]


def test_two_annotations_of_one_person_are_both_revisions_and_the_last_one_stands(project: LabelledProject) -> None:
    first = project.annotate("u1", "ann_a", "first")
    project.annotate("u1", "ann_a", "second")
    outcome = project.pull()
    assert project.revisions("u1", "ann_a")["text"].tolist() == ["first", "second"]
    assert any("annotated more than once by one person" in note for note in outcome.notes)
    project.change(first, "ann_a", "first again")
    project.pull()
    assert project.texts() == {("u1", "ann_a"): "first again"}


def test_two_tasks_with_one_key_are_both_read(project: LabelledProject) -> None:
    project.annotate("u1", "ann_a", "in the first")
    project.task |= project.import_tasks(["u1"])
    project.annotate("u1", "ann_b", "in the second")
    assert project.pull().counts["new"] == 2
    assert project.texts() == {("u1", "ann_a"): "in the first", ("u1", "ann_b"): "in the second"}


def test_work_of_others_is_counted_and_unknown_utterances_are_faults(project: LabelledProject) -> None:
    project.task |= project.import_tasks(["theirs"], mark="another") | project.import_tasks(["unknown"])
    project.annotate("theirs", "ann_a", "not ours")
    number = project.annotate("unknown", "ann_a", "whose is it")
    project.annotate("u1", "ann_a", "so it is")
    for _ in range(2):
        outcome = project.pull()
        assert "1 annotation in tasks that are not this workspace's; left alone" in outcome.notes
        assert outcome.faults[["item", "location"]].to_numpy().tolist() == [
            ["unknown", f"task {project.task['unknown']}, annotation {number}"]
        ]
    assert project.texts() == {("u1", "ann_a"): "so it is"}


def test_hostile_texts_are_stored_as_typed_but_for_what_is_no_character(project: LabelledProject) -> None:
    texts = {"u1": "a \N{RIGHT-TO-LEFT OVERRIDE}cba \x1b[2J", "u2": "long " * 100_000 + "end"}
    for utterance, text in (texts | {"u3": "a\x00b"}).items():
        project.annotate(utterance, "ann_a", text)
    assert project.pull().counts["faults"] == 0
    stored = {(utterance, "ann_a"): text for utterance, text in texts.items()}
    assert project.texts() == stored | {("u3", "ann_a"): "a\N{REPLACEMENT CHARACTER}b"}


def test_a_task_that_the_server_fails_to_export_keeps_no_other_one_back(project: LabelledProject) -> None:
    for utterance in ("u1", "u3"):
        project.annotate(utterance, "ann_a", f"said in {utterance}")
    with pytest.raises(urllib.error.HTTPError):
        project.annotate("u2", "ann_b", "half of \ud800 a character")  # stored, but never shown again

    def pull_quickly() -> Outcome:
        with Connection(Credentials(project.server.url, Secret(project.server.token)), tries=2, pause=0.01) as made:
            return pull(project.workspace, made)

    for _ in range(2):
        outcome = pull_quickly()
        assert project.texts() == {(name, "ann_a"): f"said in {name}" for name in ("u1", "u3")}
        (fault,) = outcome.faults.to_dict("records")
        assert (fault["item"], "the answer was 500" in fault["reason"]) == ("u2", True)
    project.ask("DELETE", f"/api/tasks/{project.task['u2']}/")
    assert pull_quickly().counts["faults"] == 0


def test_ours_come_back_as_ours_until_a_person_changes_them(project: LabelledProject) -> None:
    project.workspace.append("transcripts", imported("u1", "ann_c", "so it is"))
    for utterance, text in (("u1", "so it is"), ("u2", "from the book")):
        uid = fix_uid(project.mark, utterance, "ann_c", 1, text)
        body = {"result": result(text), "unique_id": uid}
        project.ask("POST", f"/api/tasks/{project.task[utterance]}/annotations/", body)
    row = {"uid": uid, "batch": "b", "utterance_id": "u2", "annotator": "ann_c", "revision": 1, "kind": "annotation"}
    row |= {"text": "from the book", "state": "sent", "at": pd.Timestamp.now(tz="UTC")}
    project.workspace.append("sync_fixes", pd.DataFrame([row]))
    outcome = project.pull()
    assert (outcome.counts["ours"], outcome.counts["new"]) == (2, 0)
    assert project.mirrored()["is_ours"].all()
    assert list(project.texts()) == [("u1", "ann_c")]
    number = int(project.mirrored().query("utterance_id == 'u2'")["annotation_id"].iloc[0])
    project.change(number, "ann_a", "by a person")
    project.pull()
    assert project.texts()["u2", "ann_a"] == "by a person"
    assert project.workspace.read("sync_fixes")["state"].tolist() == ["changed"]


def test_a_text_that_the_annotator_has_here_already_is_no_new_revision(project: LabelledProject) -> None:
    project.workspace.append("transcripts", imported("u1", email_of("ann_a"), "so it is"))
    project.annotate("u1", "ann_a", "so it is")
    project.pull()
    assert len(project.revisions("u1", "ann_a")) == 1
    assert project.mirrored()["revision"].tolist() == [1]


def test_everything_can_be_read_again(project: LabelledProject) -> None:
    project.annotate("u1", "ann_a", "so it is")
    project.pull()
    before = len(project.workspace.read("annotations", history=True))
    assert project.pull(everything=True).counts["unchanged"] == 1
    assert len(project.workspace.read("annotations", history=True)) == before


def test_one_pull_at_a_time(project: LabelledProject, monkeypatch: pytest.MonkeyPatch) -> None:
    import workbench.stages.sync.pull as stage

    refused: list[str] = []

    def listed(*given: Any) -> Any:
        with pytest.raises(WorkspaceLocked) as locked:
            project.pull()
        refused.append(str(locked.value))
        monkeypatch.undo()
        return stage.found_tasks(*given)

    monkeypatch.setattr(stage, "found_tasks", listed)
    project.pull()
    assert "is pulling into" in refused[0]
    assert project.pull().counts["new"] == 0


def test_a_task_that_changes_all_the_time_is_read_again_by_the_next_pull(
    project: LabelledProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    import workbench.stages.sync.pull as stage

    number = project.annotate("u1", "ann_a", "so it is")
    project.pull()
    project.change(number, "ann_a", "so is it")

    def halved(*given: Any) -> Any:
        for tasks in exported_tasks(*given):
            yield [replace(task, found=()) for task in tasks]

    monkeypatch.setattr(stage, "exported_tasks", halved)
    outcome = project.pull()
    assert outcome.counts["deleted"] == 0
    assert "1 task changed while being read; the next pull reads them again" in outcome.notes
    monkeypatch.undo()
    assert project.pull().counts["edited"] == 1


class Killed(Exception):
    """The process is gone."""


def test_killed_after_any_write_and_run_again_it_has_everything_once(
    label_studio: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = LabelledProject(label_studio, tmp_path / "undisturbed", tasks=4)
    project.annotate("u1", "ann_a", "first", "unsure")
    project.annotate("u1", "ann_a", "first")
    project.annotate("u1", "ann_a", "third")
    project.annotate("u2", "ann_b", "so it is")
    project.annotate("u3", "ann_b", None, was_cancelled=True)
    project.draft("u4", "ann_a", "half")
    project.pull()
    whole = append_counts(project.workspace)
    columns = ["utterance_id", "annotator", "revision", "text", "source", "source_detail"]
    undisturbed = [project.workspace.read("transcripts")[columns], project.mirrored().drop(columns="seen_at")]
    append = Workspace.append
    for kill_after in range(sum(whole.values()) + 1):
        other = LabelledProject.__new__(LabelledProject)
        other.__dict__ |= project.__dict__
        other.workspace = workspace_like(project, tmp_path / str(kill_after))
        left = kill_after

        def killed(self: Workspace, name: str, frame: pd.DataFrame) -> None:
            nonlocal left
            if len(frame) and left == 0:
                raise Killed
            left -= bool(len(frame))
            append(self, name, frame)

        monkeypatch.setattr(Workspace, "append", killed)
        with contextlib.suppress(Killed):
            other.pull()
        monkeypatch.setattr(Workspace, "append", append)
        other.pull()
        pd.testing.assert_frame_equal(other.workspace.read("transcripts", history=True)[columns], undisturbed[0])
        pd.testing.assert_frame_equal(other.mirrored().drop(columns="seen_at"), undisturbed[1])
        assert append_counts(other.workspace)["transcripts"] == whole["transcripts"]


def append_counts(workspace: Workspace) -> dict[str, int]:
    names = ("transcripts", "annotations", "remarks", "sync_tasks", "sync_conflicts")
    return {name: len(list((workspace.root / "tables" / name).glob("part-*"))) for name in names}


def workspace_like(project: LabelledProject, root: Path) -> Workspace:
    workspace = Workspace.create(root, (project.workspace.root / "workbench.toml").read_text())
    for name in ("utterances", "sync_project"):
        workspace.append(name, project.workspace.read(name))
    return workspace


def test_many_tasks_come_in_one_export_and_few_by_their_numbers(
    label_studio: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import workbench.stages.sync.pull as stage

    project = LabelledProject(label_studio, tmp_path, tasks=5)
    for utterance in project.utterances:
        project.annotate(utterance, "ann_a", f"text of {utterance}")
    asked: list[Any] = []

    def spied(connection: Any, project_id: int, task_ids: Any, accounts: Any) -> Any:
        asked.append(None if task_ids is None else list(task_ids))
        return exported_tasks(connection, project_id, task_ids, accounts)

    monkeypatch.setattr(stage, "exported_tasks", spied)
    monkeypatch.setattr(stage, "AT_ONCE", 2)
    project.pull()
    assert len(project.texts()) == 5
    assert [one for one in asked if one != []] == [None]
    asked.clear()
    number = int(project.mirrored()["annotation_id"].iloc[0])
    project.change(number, "ann_a", "changed")
    project.pull()
    assert asked == [[project.task["u1"]]]


def test_drafts_are_found_page_by_page(project: LabelledProject, monkeypatch: pytest.MonkeyPatch) -> None:
    import workbench.label_studio.annotations as edge

    for utterance in project.utterances:
        project.draft(utterance, "ann_a", "half")
    monkeypatch.setattr(edge, "_PAGE", 1)
    with project.connected() as connection:
        assert tasks_with_drafts(connection, project.project) == set(project.task.values())
