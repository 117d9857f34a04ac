"""What `workbench sync status` tells: work, pace, agreement, departures, and what waits, from tables and a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scripts.sync_round import email, make_workspace, project_of, transcript_result
from tests.label_studio_server import RealServer
from tests.test_cli import run
from workbench.config import config_text
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.secret import Secret
from workbench.stages.sync.annotators import agreement, everybody_s_texts, people_s_texts
from workbench.stages.sync.progress import progress_of_people, progress_of_project, tasks_there
from workbench.stages.sync.pull import pull
from workbench.stages.sync.push import push
from workbench.stages.sync.status import SECTIONS, status
from workbench.workspace import Workspace

BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)
SPOKEN = ["um what is the weather", "the cat sat", "a mat today", "um here it is", "okay then", "the next one is"]
PROJECT = 7


def annotation(
    utterance: str, annotator: str, text: str, state: str = "submitted", number: int = 0, **changes: Any
) -> dict[str, Any]:
    number = number or 1 + int(utterance[1:]) * 100 + ord(annotator[-1])
    at = BEGUN + timedelta(minutes=number)
    row = {
        "uid": f"uid-{number}", "version": at.isoformat(), "utterance_id": utterance, "annotator": annotator,
        "project_id": PROJECT, "task_id": int(utterance[1:]) + 1, "annotation_id": number, "state": state, "text": text,
        "remarks": "", "is_ours": False, "created_at": at, "updated_at": at + timedelta(microseconds=30),
        "lead_time": 10.0, "ground_truth": False, "prelabel": None, "seen_at": at,
    }  # fmt: skip
    return row | changes


def workspace_of(root: Path, annotations: list[dict[str, Any]], utterances: int = 6, bound: bool = True) -> Workspace:
    """A workspace that has pulled these annotations; every utterance lasts 5 s."""
    workspace = Workspace.create(root, config_text("w", "en", 0.2))
    names = [f"u{number}" for number in range(utterances)]
    manifest = [{"utterance_id": n, "recording": f"{n}.wav", "duration": 5.0, "source": "m.csv:1"} for n in names]
    workspace.append("utterances", pd.DataFrame(manifest))
    if bound:
        project = {"server": "http://labels.example.com", "project_id": PROJECT, "title": "voices", "mark": "f00d"}
        workspace.append("sync_project", pd.DataFrame([project | {"bound_at": BEGUN}]))
        tasks = [{"utterance_id": n, "task_id": i + 1, "state": "present"} for i, n in enumerate(names)]
        workspace.append("sync_tasks", pd.DataFrame(tasks).assign(project_id=PROJECT, at=BEGUN))
    workspace.append("annotations", pd.DataFrame(annotations))
    texts = [row for row in annotations if row["state"] == "submitted" and not row["is_ours"]]
    revisions = [
        {"utterance_id": row["utterance_id"], "annotator": row["annotator"], "revision": 1, "text": row["text"],
         "created_at": row["updated_at"], "source": "label_studio"}
        for row in pd.DataFrame(texts).drop_duplicates(["utterance_id", "annotator"]).to_dict("records")
    ] if texts else []  # fmt: skip
    workspace.append("transcripts", pd.DataFrame(revisions))
    return workspace


@pytest.fixture
def labelled(tmp_path: Path) -> Workspace:
    """Two people, of whom ann_b writes `umm`, and a third who has only begun."""
    rows = [annotation(f"u{number}", "ann_a", text) for number, text in enumerate(SPOKEN[:5])]
    rows += [annotation(f"u{number}", "ann_b", SPOKEN[number].replace("um", "umm")) for number in (0, 1, 3)]
    rows += [
        annotation("u2", "ann_b", "", "skipped", lead_time=2.0),
        annotation("u4", "ann_b", "", "empty", lead_time=None),
        annotation("u5", "ann_b", "the next", "draft", lead_time=None),
        annotation("u5", "ann_c", "", "draft", lead_time=None),
        annotation("u5", "ann_a", "the old one", "deleted"),
        annotation("u0", "ann_x", "um what is the weather", is_ours=True),
        annotation("u4", "ann_c", "what was a draft", "deleted", uid="draft-4"),
    ]
    rows[1] |= {"updated_at": rows[1]["created_at"] + timedelta(minutes=3), "lead_time": 40.0, "prelabel": "corrected"}
    rows[2] |= {"prelabel": "accepted"}
    return workspace_of(tmp_path, rows)


# -- progress ---------------------------------------------------------------------------------------------------------


def test_what_people_have_done_and_how_fast(labelled: Workspace) -> None:
    table = status(labelled, None, ["annotators"]).tables["annotators"].set_index("annotator")
    assert list(table.index) == ["ann_a", "ann_b", "ann_c"]
    work = ["done", "submitted", "edited", "empty", "skipped", "drafts", "deleted"]
    assert table[work].to_numpy().tolist() == [[5, 5, 1, 0, 0, 0, 1], [5, 3, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1, 0]]
    assert table["share"].tolist() == pytest.approx([5 / 6, 5 / 6, 0])
    first = table.loc["ann_a"]
    assert (first["lead_time"], first["lead_time_p90"]) == pytest.approx((10, 28))
    # 25 s of audio in 80 s of work.
    assert first["audio_per_hour"] == pytest.approx(3600 * 25 / 80)
    assert (first["prelabels"], first["accepted"], first["accepted_share"]) == (2, 1, 0.5)
    assert first["last_active_at"] == pd.Timestamp(BEGUN + timedelta(minutes=1 + 500 + ord("a"), microseconds=30))
    nothing = table.loc["ann_c", ["lead_time", "lead_time_p90", "audio_per_hour", "accepted_share"]]
    assert nothing.isna().all()


def test_how_many_tasks_have_labels(labelled: Workspace) -> None:
    row = status(labelled, None, ["project"]).tables["project"].iloc[0]
    assert row[["tasks", "two_labels", "one_label", "no_text", "begun", "untouched", "gone"]].tolist() == [
        6, 3, 2, 0, 1, 0, 0,
    ]  # fmt: skip
    assert row["labelled_share"] == pytest.approx(5 / 6)


def test_a_task_is_counted_once_whatever_people_did_to_it() -> None:
    rows = [
        annotation("u0", "ann_a", "", "skipped"), annotation("u0", "ann_b", "x", "draft"),
        annotation("u1", "ann_a", "x", number=1), annotation("u1", "ann_a", "y", number=2),
        annotation("u2", "ann_a", "x", "cancelled"), annotation("u9", "ann_a", "x"),
    ]  # fmt: skip
    tasks = pd.DataFrame({"utterance_id": ["u0", "u1", "u2", "u3", "u3"]})
    row = progress_of_project(pd.DataFrame(rows), tasks, 0).iloc[0]
    assert row[["tasks", "two_labels", "one_label", "no_text", "begun", "untouched"]].tolist() == [4, 0, 1, 2, 0, 1]


def test_lead_times_and_durations_that_make_no_sense_are_left_out() -> None:
    rows = [annotation("u0", "ann_a", "x", lead_time=-3.0), annotation("u1", "ann_a", "x", lead_time=0.0)]
    rows += [annotation("u2", "ann_a", "x", lead_time=20.0), annotation("u3", "ann_a", "x", lead_time=float("nan"))]
    row = progress_of_people(pd.DataFrame(rows), 0, pd.Series({"u0": 5.0, "u2": 5.0})).iloc[0]
    assert (row["lead_time"], row["audio_per_hour"]) == pytest.approx((20, 900))
    assert pd.isna(row["share"])


def test_deletions_are_listed(labelled: Workspace) -> None:
    gone = [
        {"utterance_id": "u8", "task_id": 80, "state": "gone"},
        {"utterance_id": "u0", "task_id": 90, "state": "gone"},
    ]
    labelled.append("sync_tasks", pd.DataFrame(gone).assign(project_id=PROJECT, at=BEGUN))
    made = status(labelled, None, ["deleted", "project"])
    # u0 has another task, which is there.
    assert made.tables["deleted"][["what", "utterance_id", "annotator", "text"]].to_numpy().tolist() == [
        ["task", "u8", "", ""],
        ["annotation", "u5", "ann_a", "the old one"],
    ]
    assert made.tables["project"]["gone"].tolist() == [1]


# -- agreement --------------------------------------------------------------------------------------------------------


def test_agreement_is_between_what_people_submitted(labelled: Workspace) -> None:
    texts = people_s_texts(labelled.read("annotations"))
    assert set(texts["annotator"]) == {"ann_a", "ann_b"}
    found = agreement(labelled)
    row = found.overall.iloc[0]
    assert (row["distance"], row["normalizer"], row["utterances"], row["labels"]) == ("word", "basic-1", 3, 6)
    assert (row["comparisons"], row["same"], row["errors"], row["resampled"]) == (3, 1, 2, "utterances")
    assert row["observed"] == pytest.approx((1 / 5 + 0 + 1 / 4) / 3)
    assert row["alpha"] == pytest.approx(1 - row["observed"] / row["expected"])
    assert found.pairs[["annotator_a", "annotator_b", "utterances", "errors"]].to_numpy().tolist() == [
        ["ann_a", "ann_b", 3, 2]
    ]
    by_hand = agreement(labelled, distance="exact").overall.iloc[0]
    assert (by_hand["distance"], by_hand["observed"]) == ("exact", pytest.approx(2 / 3))


def test_the_latest_annotation_of_a_person_counts_and_what_was_made_of_it_here_does_not(tmp_path: Path) -> None:
    rows = [
        annotation("u0", "ann_a", "the cat", number=1),
        annotation("u0", "ann_a", "the cats", number=2),
        annotation("u0", "ann_b", "the bat", number=3),
    ]
    workspace = workspace_of(tmp_path, rows)
    fixed = {"utterance_id": "u0", "annotator": "ann_b", "revision": 2, "text": "the cats", "created_at": BEGUN}
    merged = fixed | {"annotator": "reference", "revision": 1, "source": "consensus"}
    workspace.append("transcripts", pd.DataFrame([fixed | {"source": "rule"}, merged]))
    texts = people_s_texts(workspace.read("annotations"))
    assert texts.sort_values("annotator").to_numpy().tolist() == [
        ["u0", "ann_a", "the cats"],
        ["u0", "ann_b", "the bat"],
    ]
    everything = everybody_s_texts(workspace.read("transcripts", history=True))
    assert everything.sort_values("annotator").to_numpy().tolist() == [
        ["u0", "ann_a", "the cat"],
        ["u0", "ann_b", "the cats"],
    ]
    assert agreement(workspace, everything=True).pairs["errors"].tolist() == [1]


def test_speakers_are_resampled_where_they_are_known_and_korean_goes_by_syllables(tmp_path: Path) -> None:
    rows = [
        annotation(f"u{n}", who, text)
        for who in ("ann_a", "ann_b")
        for n, text in enumerate(["오늘 날씨", "네", "가자"])
    ]
    rows[3]["text"] = "오늘날씨"
    workspace = workspace_of(tmp_path, rows)
    toml = (
        (tmp_path / "workbench.toml")
        .read_text(encoding="utf-8")
        .replace('normalizer = "basic"', 'normalizer = "korean"')
    )
    (tmp_path / "workbench.toml").write_text(toml, encoding="utf-8")
    workspace.append("utterances", workspace.read("utterances").assign(speaker=["spk1", "spk2"] * 3))
    row = agreement(Workspace.open(tmp_path)).overall.iloc[0]
    assert (row["distance"], row["alpha"], row["resampled"], row["char_errors"], row["errors"]) == (
        "syllable", 1, "speakers", 0, 2,
    )  # fmt: skip


def test_texts_of_utterances_that_were_removed_are_left_out_and_said(labelled: Workspace) -> None:
    rows = [annotation("u99", who, "gone") for who in ("ann_a", "ann_b")]
    labelled.append("annotations", pd.DataFrame(rows))
    found = agreement(labelled)
    assert found.overall["utterances"].tolist() == [3]
    assert "2 transcripts are left out" in found.notes[0]


# -- conventions, conflicts, fixes ------------------------------------------------------------------------------------


def test_who_departs_from_the_conventions(labelled: Workspace) -> None:
    texts = {f"u{number}": f"um number {number}" for number in range(10, 14)}
    labelled.append("annotations", pd.DataFrame([annotation(name, "ann_d", text) for name, text in texts.items()]))
    row = {"revision": 1, "created_at": BEGUN, "source": "label_studio"}
    rows = [
        row | {"utterance_id": n, "annotator": who, "text": t} for n, t in texts.items() for who in ("ann_d", "other")
    ]
    labelled.append("transcripts", pd.DataFrame(rows))
    table = status(labelled, None, ["conventions"]).tables["conventions"].set_index("annotator")
    assert list(table.index) == ["ann_b", "ann_a", "ann_d"]
    assert table.loc["ann_b", ["departing", "uses", "most", "writes", "majority"]].tolist() == [
        2, 2, "filler.um", "umm", "um",
    ]  # fmt: skip
    assert table["departing"].tolist() == [2, 0, 0]
    whole = status(labelled, None, ["conventions"], everything=True).tables["conventions"]
    assert "other" in set(whole["annotator"])


def test_open_conflicts_and_fixes_are_counted_and_listed(labelled: Workspace) -> None:
    conflict = {
        "utterance_id": "u0", "annotator": "ann_a", "uid": "uid-1", "version": "1", "workspace_text": "here",
        "server_text": "there", "at": BEGUN,
    }  # fmt: skip
    rows = [
        conflict | {"conflict_id": "aaaa", "decision": "open"},
        conflict | {"conflict_id": "bbbb", "decision": "server"},
    ]
    labelled.append("sync_conflicts", pd.DataFrame(rows))
    fixed = {"utterance_id": "u1", "annotator": "ann_b", "revision": 2, "text": "the cat sits", "created_at": BEGUN}
    labelled.append("transcripts", pd.DataFrame([fixed | {"source": "rule", "source_detail": "t.rule"}]))
    made = status(labelled, None, ["waiting", "conflicts", "fixes"])
    assert made.tables["conflicts"]["conflict_id"].tolist() == ["aaaa"]
    assert made.tables["fixes"][["utterance_id", "annotator", "here"]].to_numpy().tolist() == [
        ["u1", "ann_b", "the cat sits"]
    ]
    waiting = made.tables["waiting"].set_index("what")["number"]
    assert waiting["labels changed on both sides"] == 1
    assert waiting["decisions that the server lacks"] == 1
    assert waiting.isna().sum() == len(waiting) - 2


# -- a real server ----------------------------------------------------------------------------------------------------


def connection_to(url: str, token: str) -> Connection:
    return Connection(Credentials(url, Secret(token)), tries=1)


def files_of(workspace: Workspace) -> set[Path]:
    return {path for path in (workspace.root / "tables").rglob("*") if path.is_file()}


def test_what_waits_from_the_first_push_to_the_last_pull(label_studio: RealServer, tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", 4)

    def waits() -> dict[str, int]:
        before = files_of(workspace)
        made = status(workspace, connection, ["waiting"])
        assert files_of(workspace) == before
        assert (made.head["reached"], made.head["why_not"]) == (True, "")
        number = made.tables["waiting"].set_index("what")["number"]
        return {what: int(several) for what, several in number.items() if several}

    with connection_to(label_studio.url, label_studio.token) as connection:
        assert waits()["utterances without a task"] == 4
        assert workspace.read("sync_project").empty
        push(workspace, connection)
        assert waits() == {}
        tasks = tasks_there(workspace, project_of(workspace))["task_id"].tolist()
        tokens = {name: label_studio.new_user(email(name)) for name in ("ann_a", "ann_b")}

        def annotate(who: str, task: int, text: str, **changes: Any) -> int:
            body = {"result": transcript_result(text), "lead_time": 8.0} | changes
            return int(label_studio.ask("POST", f"/api/tasks/{task}/annotations/", body, tokens[who])["id"])

        first = annotate("ann_a", tasks[0], "um the cat sat")
        annotate("ann_b", tasks[0], "the cat sat")
        annotate("ann_b", tasks[1], "", was_cancelled=True)
        body = {"result": transcript_result("a mat"), "lead_time": 3.0}
        draft = label_studio.ask("POST", f"/api/tasks/{tasks[2]}/drafts", body, tokens["ann_a"])["id"]
        assert waits() == {"tasks that changed there": 2, "tasks whose drafts changed": 1}
        pull(workspace, connection)
        assert waits() == {}
        made = status(workspace, connection, ["annotators", "project", "pairs"])
        work = ["annotator", "done", "submitted", "edited", "skipped", "drafts", "lead_time"]
        assert made.tables["annotators"][work].to_numpy().tolist() == [
            ["ann_b", 2, 1, 0, 1, 0, 8.0],
            ["ann_a", 1, 1, 0, 0, 1, 8.0],
        ]
        row = made.tables["project"].iloc[0]
        assert row[["tasks", "two_labels", "no_text", "begun", "untouched"]].tolist() == [4, 1, 1, 1, 1]
        assert made.tables["pairs"]["errors"].tolist() == [1]

        changed = {"result": transcript_result("a mat today"), "lead_time": 5.0}
        label_studio.ask("PATCH", f"/api/drafts/{draft}/", changed, tokens["ann_a"])
        assert waits() == {"tasks whose drafts changed": 1}
        label_studio.ask("DELETE", f"/api/annotations/{first}/", token=tokens["ann_a"])
        waiting = {"tasks that changed there": 1, "tasks whose drafts changed": 1, "annotations deleted there": 1}
        assert waits() == waiting
        label_studio.ask("DELETE", f"/api/drafts/{draft}/", token=tokens["ann_a"])
        assert waits() == waiting
        pull(workspace, connection)
        assert waits() == {}
        gone = status(workspace, connection, ["deleted"]).tables["deleted"]
        assert gone[["what", "annotator", "text"]].to_numpy().tolist() == [["annotation", "ann_a", "um the cat sat"]]


def test_a_token_that_does_not_hold_is_said_and_the_rest_is_shown(
    label_studio: RealServer, labelled: Workspace, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "0" * 40
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", wrong)
    code, out, err = said(capsys, monkeypatch, labelled)
    assert code == 1
    assert "people's work" in out
    assert "the server could not be asked: " in err
    assert "people's work is that on http://labels.example.com" in err
    assert wrong not in out + err


def test_a_server_that_is_down_is_said_and_the_rest_is_shown(labelled: Workspace) -> None:
    with connection_to("http://127.0.0.1:9", "0" * 40) as connection:
        made = status(labelled, connection)
    assert list(made.tables) == list(SECTIONS)
    assert not made.head["reached"]
    assert "127.0.0.1:9" in made.head["why_not"]
    assert len(made.tables["annotators"]) == 3
    assert made.tables["waiting"]["number"].isna().any()


# -- the command ------------------------------------------------------------------------------------------------------


def said(capsys: Any, monkeypatch: pytest.MonkeyPatch, workspace: Workspace, *options: str) -> tuple[int, str, str]:
    monkeypatch.setenv("COLUMNS", "80")
    return run(capsys, monkeypatch, "sync", "status", "--workspace", workspace.root, *options)


def test_json_holds_every_section_in_one_document(labelled: Workspace, capsys: Any, monkeypatch: Any) -> None:
    code, out, _ = said(capsys, monkeypatch, labelled, "--offline", "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert list(document) == ["server", *SECTIONS, "notes", "faults"]
    assert document["server"] == {
        "server": "http://labels.example.com",
        "project_id": PROJECT,
        "title": "voices",
        "reached": False,
        "why_not": "",
    }
    assert document["annotators"][0]["lead_time"] == 10
    assert document["annotators"][2]["lead_time"] is None
    assert "NaN" not in out


def test_csv_holds_one_section(labelled: Workspace, capsys: Any, monkeypatch: Any) -> None:
    code, out, _ = said(capsys, monkeypatch, labelled, "--offline", "--format", "csv")
    assert (code, out.splitlines()[0].split(",")[:3]) == (0, ["annotator", "done", "share"])
    _, out, _ = said(capsys, monkeypatch, labelled, "--offline", "--format", "csv", "--section", "pairs")
    assert out.splitlines()[0].startswith("annotator_a,annotator_b,utterances")
    two = ["--section", "pairs", "--section", "others"]
    code, out, err = said(capsys, monkeypatch, labelled, "--offline", "--format", "csv", *two)
    assert (code, out) == (2, "")
    assert "CSV holds one table; choose one of pairs, others" in err


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_people_read_tables_that_fit_the_terminal(
    labelled: Workspace, form: str, capsys: Any, monkeypatch: Any
) -> None:
    code, out, err = said(capsys, monkeypatch, labelled, "--offline", "--format", form)
    assert code == 0
    for part in (
        "people's work",
        "people's pace",
        "Krippendorff's alpha",
        "10.0 s",
        "18.8 min",
        "1 of 2",
    ):
        assert part in out
    assert "nan" not in (out + err).lower().split()
    assert "project 7 'voices' on http://labels.example.com" in err
    assert "no server was asked, so what would be pushed and pulled is not known" in err
    if form == "table":
        assert max(map(len, out.splitlines())) <= 80


def test_one_section_alone(labelled: Workspace, capsys: Any, monkeypatch: Any) -> None:
    code, out, err = said(capsys, monkeypatch, labelled, "--section", "conflicts")
    # No server is asked for what only the workspace knows.
    assert (code, out) == (0, "")
    assert "no label was changed on both sides" in err


def test_without_credentials_it_says_so_and_shows_what_is_known_here(
    labelled: Workspace, capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    code, out, err = said(capsys, monkeypatch, labelled)
    assert code == 1
    assert "people's work" in out
    assert "the server could not be asked: " in err
    assert "--offline" in err


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
@pytest.mark.parametrize("case", ["nothing pushed", "nobody", "one person", "no words", "no utterances"])
def test_little_or_nothing_to_tell_is_told_in_sentences(
    case: str, form: str, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    rows = {
        "one person": [annotation("u0", "ann_a", "the cat")],
        "no words": [annotation("u0", who, "...") for who in ("ann_a", "ann_b")],
    }
    utterances = 0 if case == "no utterances" else 6
    workspace = workspace_of(
        tmp_path, rows.get(case, []), utterances, bound=case not in ("nothing pushed", "no utterances")
    )
    code, out, err = said(capsys, monkeypatch, workspace, "--offline", "--format", form)
    assert code == 0
    assert "nan" not in out.lower().replace("\n", " ").split()
    assert "<NA>" not in out and "None" not in out
    if form != "table":
        return
    says = {
        "nothing pushed": "this workspace has no project yet; `workbench sync push` makes one",
        "nobody": "nobody's work has been pulled yet; `workbench sync pull` fetches it",
        "one person": "agreement is not known: no utterance has been labelled by two people yet",
        "no words": "only one utterance has transcripts of two people",
        "no utterances": "this workspace has no project yet",
    }
    assert says[case] in " ".join((out + err).split())
