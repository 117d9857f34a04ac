"""Texts that were changed here and on the server: nothing is written until somebody decides, and then that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.label_studio_server import RealServer
from tests.labelled_project import LabelledProject, email_of, imported, workspace_of
from workbench.cli.app import app
from workbench.errors import BadInput
from workbench.stages.labels import set_label, undo_label
from workbench.stages.stage import Outcome
from workbench.stages.sync.conflicts import conflict_row, open_conflicts, resolve
from workbench.stages.sync.revisions import Version

WHO = email_of("ann_a")


@pytest.fixture
def project(label_studio: RealServer, tmp_path: Path) -> LabelledProject:
    return LabelledProject(label_studio, tmp_path, tasks=1)


@pytest.fixture
def annotation(project: LabelledProject) -> int:
    """Its text is `um so it is` on both sides."""
    number = project.annotate("u1", "ann_a", "um so it is")
    project.pull()
    return number


def change_here(project: LabelledProject, text: str) -> None:
    set_label(project.workspace, "u1", WHO, text, "ann_c", "guideline")


def conflict(project: LabelledProject, annotation: int, here: str = "so it is", there: str = "um so is it") -> Outcome:
    change_here(project, here)
    project.change(annotation, "ann_a", there)
    return project.pull()


def decide(project: LabelledProject, decision: str, text: str | None = None) -> Outcome:
    ids = open_conflicts(project.workspace).table["id"].tolist()
    return resolve(project.workspace, [ids[0][:5]], decision, "ann_c", "heard again", text)


def text(project: LabelledProject) -> str:
    return project.texts()["u1", "ann_a"]


def decisions(project: LabelledProject) -> list[str]:
    return project.workspace.read("sync_conflicts")["decision"].tolist()


def test_a_long_text_of_one_word_is_compared_all_the_same(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, ["u1"])
    there = "no " * 5000
    at = datetime(2026, 1, 1, tzinfo=UTC)
    version = Version("f00d", at.isoformat(), 1, 1, at, there.strip())
    workspace.append("transcripts", imported("u1", WHO, "no yes " * 2500))
    workspace.append("sync_conflicts", pd.DataFrame([conflict_row("u1", WHO, version, None, "no")]))
    (differs,) = open_conflicts(workspace).table["differs"]
    assert differs.startswith("yes no yes") and differs.endswith(" no no")


def test_both_sides_changed_a_text_and_neither_wins(project: LabelledProject, annotation: int) -> None:
    outcome = conflict(project, annotation)
    assert (outcome.counts["conflicts"], outcome.counts["edited"], outcome.table["what"].tolist()) == (
        1, 1, ["conflict"],
    )  # fmt: skip
    assert any("workbench sync conflicts" in note for note in outcome.notes)
    assert text(project) == "so it is"
    assert project.revisions("u1", "ann_a")["source"].tolist() == ["label_studio", "edit"]
    assert project.mirrored()["text"].tolist() == ["um so is it"]
    shown = open_conflicts(project.workspace).table.iloc[0]
    assert shown[["utterance_id", "annotator", "base", "here", "there"]].tolist() == [
        "u1", WHO, "um so it is", "so it is", "um so is it",
    ]  # fmt: skip
    assert shown["differs"] == "(nothing) → um; (nothing) → is; is → (nothing)"
    assert project.pull().counts["conflicts"] == 0
    assert len(project.workspace.read("sync_conflicts", history=True)) == 1


def test_the_servers_text_is_taken_as_what_the_annotator_wrote(project: LabelledProject, annotation: int) -> None:
    conflict(project, annotation)
    outcome = decide(project, "server")
    assert outcome.counts == {"decided": 1, "texts": 1, "open": 0}
    assert text(project) == "um so is it"
    row = project.revisions("u1", "ann_a").iloc[-1]
    assert row[["source", "author", "reason"]].tolist() == ["label_studio", "ann_c", "heard again"]
    assert decisions(project) == ["server"]
    assert open_conflicts(project.workspace, everything=True).table["differs"].tolist() == [""]
    assert project.mirrored()["revision"].tolist() == [3]
    assert project.pull(everything=True).counts["unchanged"] == 1
    project.change(annotation, "ann_a", "so so is it")
    assert project.pull().counts["conflicts"] == 0
    assert text(project) == "so so is it"
    undo_label(project.workspace, "u1", WHO, "ann_c")
    assert text(project) == "um so is it"


def test_the_workspaces_text_stays_until_the_server_says_something_else(
    project: LabelledProject, annotation: int
) -> None:
    conflict(project, annotation)
    outcome = decide(project, "workspace")
    assert outcome.counts == {"decided": 1, "texts": 0, "open": 0}
    assert any("workbench sync fixes" in note for note in outcome.notes)
    project.change(annotation, "ann_a", "um so is it", "unsure")
    assert project.pull().counts["conflicts"] == 0
    assert text(project) == "so it is"
    project.change(annotation, "ann_a", "another one")
    assert project.pull().counts["conflicts"] == 1
    assert decisions(project) == ["workspace", "open"]


def test_another_text_can_be_what_stands(project: LabelledProject, annotation: int) -> None:
    conflict(project, annotation)
    decide(project, "text", "so is it")
    assert text(project) == "so is it"
    assert project.revisions("u1", "ann_a").iloc[-1][["source", "author"]].tolist() == ["edit", "ann_c"]
    project.change(annotation, "ann_a", "so is it")
    assert project.pull().counts["conflicts"] == 0
    assert decisions(project) == ["text"]


def test_a_later_version_makes_a_conflict_outdated(project: LabelledProject, annotation: int) -> None:
    conflict(project, annotation)
    first = open_conflicts(project.workspace).table["id"][0]
    project.change(annotation, "ann_a", "once more")
    assert project.pull().counts["conflicts"] == 1
    shown = open_conflicts(project.workspace, everything=True).table.set_index("id")
    assert shown.loc[first, ["decision", "reason"]].tolist() == ["outdated", "a later version came"]
    with pytest.raises(BadInput, match=r"is outdated \(a later version came\)"):
        resolve(project.workspace, [first], "server", "ann_c", "heard again")
    assert text(project) == "so it is"


@pytest.mark.parametrize("there", ["so it is", "um so it is"])
def test_equal_texts_and_a_text_that_only_one_side_changed_are_no_conflict(
    project: LabelledProject, annotation: int, there: str
) -> None:
    outcome = conflict(project, annotation, there=there)
    assert (outcome.counts["conflicts"], outcome.counts["edited"]) == (0, 1)
    assert text(project) == "so it is"


def test_a_change_there_to_what_both_have_settles_a_conflict(project: LabelledProject, annotation: int) -> None:
    conflict(project, annotation)
    project.change(annotation, "ann_a", "so it is")
    assert project.pull().counts["conflicts"] == 0
    assert decisions(project) == ["outdated"]
    project.change(annotation, "ann_a", "and now this")
    project.pull()
    assert text(project) == "and now this"


def test_what_was_deleted_there_leaves_nothing_to_decide(project: LabelledProject, annotation: int) -> None:
    conflict(project, annotation)
    project.delete(annotation, "ann_a")
    outcome = project.pull(retract_deleted=True)
    assert decisions(project) == ["outdated"]
    assert text(project) == "so it is"
    assert any("deleted there and changed here since" in note for note in outcome.notes)


def test_an_undo_here_is_a_change_too(project: LabelledProject, annotation: int) -> None:
    project.change(annotation, "ann_a", "second")
    project.pull()
    undo_label(project.workspace, "u1", WHO, "ann_c")
    project.change(annotation, "ann_a", "third")
    assert project.pull().counts["conflicts"] == 1
    assert open_conflicts(project.workspace).table[["base", "here", "there"]].iloc[0].tolist() == [
        "second", "um so it is", "third",
    ]  # fmt: skip


def test_a_text_that_was_only_imported_gives_way_and_an_edited_one_does_not(project: LabelledProject) -> None:
    project.workspace.append("transcripts", imported("u1", WHO, "from the manifest"))
    project.workspace.append("transcripts", imported("u1", email_of("ann_b"), "from the manifest"))
    set_label(project.workspace, "u1", email_of("ann_b"), "edited here", "ann_c", "guideline")
    project.annotate("u1", "ann_a", "labelled there")
    project.annotate("u1", "ann_b", "labelled there")
    assert project.pull().counts["conflicts"] == 1
    assert project.texts() == {("u1", "ann_a"): "labelled there", ("u1", "ann_b"): "edited here"}
    shown = open_conflicts(project.workspace).table.iloc[0]
    assert pd.isna(shown["base"])


def test_what_both_had_from_the_start_is_the_base(project: LabelledProject) -> None:
    project.workspace.append("transcripts", imported("u1", WHO, "so it is"))
    number = project.annotate("u1", "ann_a", "so it is")
    project.pull()
    conflict(project, number, here="so is it", there="is it so")
    assert open_conflicts(project.workspace).table["base"].tolist() == ["so it is"]


def test_a_wrong_decision_is_named(project: LabelledProject, annotation: int) -> None:
    conflict(project, annotation)
    workspace = project.workspace
    with pytest.raises(BadInput, match="--reason must say why"):
        resolve(workspace, ["zzzz"], "server", "ann_c", " ")
    with pytest.raises(BadInput, match="no conflict 'zzzz'; `workbench sync conflicts` lists them"):
        resolve(workspace, ["zzzz"], "server", "ann_c", "heard again")
    with pytest.raises(BadInput, match="--text must hold the text"):
        decide(project, "text", " ")
    decide(project, "server")
    (name,) = workspace.read("sync_conflicts")["conflict_id"]
    with pytest.raises(BadInput, match=f"conflict {name} was decided for server by ann_c"):
        resolve(workspace, [name], "workspace", "ann_c", "heard again")


def test_the_commands(project: LabelledProject, annotation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    change_here(project, "so it is")
    project.change(annotation, "ann_a", "um so is it")
    monkeypatch.setenv("LABEL_STUDIO_URL", project.server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", project.server.token)
    monkeypatch.chdir(project.workspace.root)

    def run(*words: str) -> str:
        answer = CliRunner().invoke(app, ["sync", *words])
        assert answer.exit_code == 0, answer.output
        assert project.server.token not in answer.output
        return answer.output

    assert "1 edited, 1 conflict" in run("pull")
    listed = run("conflicts")
    assert "(nothing) → um" in listed
    assert "1 to decide: workbench sync resolve ID --take server" in listed
    assert "1 decided, 0 left to decide" in run("resolve", "--all", "--take", "server", "--reason", "heard again")
    assert text(project) == "um so is it"
    assert "no rows" in run("conflicts")
    assert "server" in run("conflicts", "--all")
