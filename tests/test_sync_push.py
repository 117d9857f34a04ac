"""Push on a real server: every utterance is there exactly once, and nobody's work, task or field is touched."""

from __future__ import annotations

import subprocess
import sys
import threading
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.fault_proxy import FaultProxy, Request, evenly
from tests.label_studio_server import RealServer
from tests.pushed_project import RUNS, PushedProject, transcript_result, workspace_of
from workbench.cli.app import app
from workbench.errors import BadInput, WorkspaceLocked
from workbench.label_studio import project, sending
from workbench.label_studio.connection import Connection
from workbench.label_studio.errors import NotReached, ServerError, Unanswered
from workbench.label_studio.labelling_config import labelling_config
from workbench.label_studio.listing import found_predictions, found_tasks
from workbench.label_studio.plan import Plan, plan
from workbench.label_studio.project import fitting_title
from workbench.label_studio.records import FoundPrediction, FoundTask, WantedPrediction, WantedTask
from workbench.label_studio.sending import Sender
from workbench.stages.sync.binding import bound_project, one_writer
from workbench.stages.sync.known_tasks import known_tasks
from workbench.workspace import Workspace

ROOT = Path(__file__).parents[1]
Make = Callable[..., PushedProject]
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def make(label_studio: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    # What these tests lose never arrives, and what arrives late they wait for.
    monkeypatch.setattr(sending, "_SHORTEST_WAIT", 0.2)
    monkeypatch.setattr(sending, "_LONGEST_WAIT", 1.0)
    monkeypatch.setattr(project, "_PAUSE", 0.05)
    proxies: list[FaultProxy] = []

    def made(utterances: int = 4, seed: int = 0, rates: dict[str, float] | None = None) -> PushedProject:
        proxy = FaultProxy(label_studio.url, seed, rates)
        proxies.append(proxy)
        proxy.__enter__()
        return PushedProject(workspace_of(tmp_path / f"w{len(proxies)}", utterances), label_studio, proxy)

    yield made
    for proxy in proxies:
        proxy.__exit__(None, None, None)


@pytest.fixture
def pushed(make: Make) -> PushedProject:
    """Four utterances that are on the server, and no request seen yet."""
    made = make()
    made.push()
    made.proxy.seen.clear()
    return made


# -- what a push makes -------------------------------------------------------------------------------------------------


def test_a_push_makes_a_project_and_one_task_an_utterance(make: Make) -> None:
    it = make(6)
    outcome = it.push()
    counts = {name: outcome.counts[name] for name in ("created", "updated", "predictions", "unchanged", "faults")}
    assert counts == {"created": 6, "updated": 0, "predictions": 12, "unchanged": 0, "faults": 0}
    it.check_whole()
    with it.connection() as connection:
        binding = bound_project(it.workspace, connection)
        found = found_tasks(connection, binding.project_id, binding.mark)
        predictions = found_predictions(connection, binding.project_id)
    assert [task.utterance_id for task in found] == it.workspace.read("utterances")["utterance_id"].tolist()
    assert {one.model_version for one in predictions} == set(RUNS)
    described = it.ask("GET", f"/api/projects/{binding.project_id}")
    assert binding.mark in described["description"]
    assert described["title"] == it.workspace.config.workspace.name
    assert described["label_config"].strip() == labelling_config("en", False).strip()
    assert described["model_version"] == RUNS[-1], "labellers begin with what the newest run heard"
    states = it.workspace.read("sync_tasks")
    present = states[states["state"] == "present"]
    assert dict(zip(present["utterance_id"], present["task_id"], strict=True)) == {
        task.utterance_id: task.task_id for task in found
    }
    assert any(f"/projects/{binding.project_id}/data" in note for note in outcome.notes)


def test_a_first_push_asks_for_two_totals_and_for_no_list(make: Make) -> None:
    it = make(6)
    it.push()
    assert [path for method, path, _ in it.proxy.seen if method == "GET" and "api/predictions" in path] == []
    asked = [path for method, path, _ in it.proxy.seen if method == "GET" and path.startswith("/api/tasks")]
    assert len(asked) == 1 and "page_size=1&" in asked[0]


def test_a_second_push_sends_nothing_and_asks_little(pushed: PushedProject) -> None:
    before = it_holds(pushed)
    outcome = pushed.push()
    assert pushed.writes() == []
    assert len(pushed.proxy.seen) <= 5
    assert outcome.counts["unchanged"] == 4 and outcome.counts["requests"] == 0
    assert it_holds(pushed) == before


def it_holds(it: PushedProject) -> Any:
    tables = {name: len(it.workspace.read(name, history=True)) for name in ("sync_tasks", "sync_project")}
    return it.all_tasks(), [(one["id"], one["updated_at"]) for one in it.predictions()], tables


def test_a_changed_utterance_is_updated_and_fields_that_others_added_stay(pushed: PushedProject) -> None:
    task = pushed.tasks()["utt00001"]
    data = task["data"] | {"checked_by": "ann_a", "speaker": "somebody else"}
    pushed.ask("PATCH", f"/api/tasks/{task['id']}", {"data": data})
    pushed.annotate(task["id"])
    row = pushed.workspace.read("transcripts").query("utterance_id == 'utt00001'").assign(revision=2, text="another")
    pushed.workspace.append("transcripts", row)
    preview = pushed.push(dry_run=True).table
    assert preview.to_dict("records") == [
        {"utterance_id": "utt00001", "what": "update", "why": "differs: reference, speaker"}
    ]
    outcome = pushed.push()
    assert outcome.counts["updated"] == 1 and outcome.counts["unchanged"] == 3
    now = pushed.tasks()["utt00001"]
    assert now["data"] == task["data"] | {"reference": "another", "checked_by": "ann_a"}
    assert len(now["annotations"]) == 1


def test_hypotheses_that_changed_or_are_new_go_to_tasks_that_are_there(pushed: PushedProject) -> None:
    hypotheses = pushed.workspace.read("hypotheses")
    changed = hypotheses[(hypotheses["run_id"] == RUNS[1]) & (hypotheses["utterance_id"] == "utt00002")]
    pushed.workspace.append("hypotheses", changed.assign(text="heard otherwise"))
    runs = pushed.workspace.read("runs")
    new = runs[runs["run_id"] == RUNS[1]].assign(run_id="third-run", model="model 3", started_at=NOW)
    pushed.workspace.append("runs", new)
    pushed.workspace.append("hypotheses", hypotheses[hypotheses["run_id"] == RUNS[1]].assign(run_id="third-run"))
    outcome = pushed.push()
    assert outcome.counts["predictions"] == 5 and outcome.counts["created"] == 0
    assert Counter(one["model_version"] for one in pushed.predictions()) == {RUNS[0]: 4, RUNS[1]: 4, "third-run": 4}
    described = pushed.ask("GET", f"/api/projects/{pushed.project}")
    assert described["model_version"] == "third-run"
    assert pushed.push().counts["requests"] == 0


def test_predictions_that_stand_twice_go_and_other_people_s_stay(pushed: PushedProject) -> None:
    task = pushed.tasks()["utt00001"]["id"]
    for version in (RUNS[0], "theirs", "theirs"):
        pushed.ask("POST", "/api/predictions/", {"task": task, "result": [], "model_version": version})
    outcome = pushed.push()
    assert outcome.counts["duplicates"] == 1
    versions = Counter(one["model_version"] for one in pushed.predictions())
    assert versions == {RUNS[0]: 4, RUNS[1]: 4, "theirs": 2}


def test_a_dry_run_changes_nothing_here_or_there(make: Make) -> None:
    it = make()
    outcome = it.push(dry_run=True)
    assert it.writes() == []
    assert outcome.counts["created"] == 4 and outcome.counts["predictions"] == 8
    assert outcome.table["what"].tolist() == ["create"] * 4
    assert not (it.workspace.root / "tables" / "sync_project").exists()
    assert any("would be made" in note for note in outcome.notes)


def test_only_some_are_sent_and_the_others_are_not_called_removed(make: Make) -> None:
    it = make()
    it.push(only=["utt00002"])
    assert set(it.tasks()) == {"utt00002"}
    it.push()
    it.check_whole()
    it.proxy.seen.clear()
    assert it.push(only=["utt00001"]).counts["removed"] == 0
    assert it.writes() == []
    with pytest.raises(BadInput, match="utt00009"):
        it.push(only=["utt00009"])


# -- what was removed, and what is gone --------------------------------------------------------------------------------


def test_tasks_of_removed_utterances_are_reported_and_deleted_only_when_asked_for(pushed: PushedProject) -> None:
    tasks = pushed.tasks()
    pushed.annotate(tasks["utt00001"]["id"])
    pushed.begin(tasks["utt00002"]["id"])
    pushed.remove("utt00001", "utt00002", "utt00003")
    outcome = pushed.push()
    assert outcome.counts["removed"] == 3 and pushed.writes() == []
    assert any("--delete-removed" in note for note in outcome.notes)
    outcome = pushed.push(delete_removed=True)
    assert outcome.counts["deleted"] == 1
    assert set(pushed.tasks()) == {"utt00000", "utt00001", "utt00002"}, "an annotation and a draft are people's work"
    assert any("people's work" in note and "utt00001, utt00002" in note for note in outcome.notes)
    states = pushed.workspace.read("sync_tasks").set_index(["utterance_id", "task_id"])["state"]
    assert states["utt00003", tasks["utt00003"]["id"]] == "deleted here"


def test_tasks_of_a_copy_of_the_workspace_are_named_and_never_deleted(pushed: PushedProject) -> None:
    held = pushed.ask("GET", f"/api/tasks?project={pushed.project}")["tasks"][0]
    number = pushed.add_task(held["data"] | {"utterance_id": "of the copy"})
    pushed.proxy.seen.clear()
    outcome = pushed.push(delete_removed=True)
    assert pushed.writes() == [] and outcome.counts["removed"] == 0
    assert any("not sent from here: of the copy; a copy of the workspace" in note for note in outcome.notes)
    assert number in {task["id"] for task in pushed.all_tasks()}


def test_what_was_deleted_there_is_reported_and_comes_back_only_when_asked_for(pushed: PushedProject) -> None:
    pushed.ask("DELETE", f"/api/tasks/{pushed.tasks()['utt00003']['id']}")
    for _ in range(2):
        outcome = pushed.push()
        assert outcome.counts["gone"] == 1 and outcome.counts["created"] == 0
        assert any("utt00003" in note and "--again" in note for note in outcome.notes)
    assert pushed.push(again=True).counts["created"] == 1
    pushed.check_whole()
    pushed.ask("DELETE", f"/api/tasks/{pushed.tasks()['utt00003']['id']}")
    assert pushed.push().counts["gone"] == 1, "its number was given to it twice, and it is gone twice"


def test_a_deleted_project_is_not_made_again_unasked(pushed: PushedProject) -> None:
    old = pushed.project
    pushed.ask("DELETE", f"/api/projects/{old}/")
    with pytest.raises(BadInput, match=rf"project {old}.*not there any more.*--again"):
        pushed.push()
    pushed.push(again=True)
    assert pushed.project != old
    pushed.check_whole()


# -- other people's tasks ----------------------------------------------------------------------------------------------


def test_tasks_without_our_mark_are_never_touched(pushed: PushedProject) -> None:
    audio = "https://audio.example.com/x.wav"
    empty = {"reference": "", "suggestion": "", "why": "", "audio": audio}
    theirs = [
        pushed.add_task(empty | {"utterance_id": "utt00001"}),
        pushed.add_task(empty | {"utterance_id": "utt00002", "workspace": "somebody's"}),
        pushed.add_task(empty | {"utterance_id": ["utt00003"], "workspace": pushed.mark}),
    ]
    before = {number: pushed.ask("GET", f"/api/tasks/{number}") for number in theirs}
    pushed.remove("utt00001", "utt00002", "utt00003")
    pushed.proxy.seen.clear()
    outcome = pushed.push(delete_removed=True)
    assert outcome.counts["others"] == 3 and outcome.counts["deleted"] == 3
    assert {number: pushed.ask("GET", f"/api/tasks/{number}") for number in theirs} == before


def test_a_number_that_was_given_to_somebody_else_s_task_is_not_ours_any_more(pushed: PushedProject) -> None:
    last = max(pushed.tasks().values(), key=lambda task: task["id"])
    pushed.ask("DELETE", f"/api/tasks/{last['id']}")
    data = dict.fromkeys(last["data"], "") | {"audio": "https://audio.example.com/x.wav"}
    assert pushed.add_task(data) == last["id"], "SQLite gives the highest number again"
    outcome = pushed.push()
    assert outcome.counts["gone"] == 1 and outcome.counts["others"] == 1
    assert pushed.ask("GET", f"/api/tasks/{last['id']}")["data"] == data


def test_copies_of_a_task_are_merged_into_the_one_with_people_s_work(pushed: PushedProject) -> None:
    tasks = pushed.tasks()
    worked, drafted, neither = (
        [tasks[name]["id"], pushed.add_task(tasks[name]["data"])] for name in ("utt00000", "utt00001", "utt00002")
    )
    pushed.annotate(worked[1])
    pushed.begin(drafted[1])
    neither += [pushed.add_task(tasks["utt00002"]["data"]) for _ in range(3)]
    outcome = pushed.push()
    now = pushed.tasks()
    assert [now[name]["id"] for name in ("utt00000", "utt00001", "utt00002")] == [worked[1], drafted[1], neither[0]]
    assert outcome.counts["duplicates"] == 6 and len(outcome.faults) == 0
    pushed.check_whole()


def test_copies_that_all_have_work_in_them_stay_and_are_named(pushed: PushedProject) -> None:
    task = pushed.tasks()["utt00000"]
    copy = pushed.add_task(task["data"])
    pushed.annotate(task["id"])
    pushed.annotate(copy)
    pushed.proxy.seen.clear()
    outcome = pushed.push()
    assert pushed.writes() == []
    assert any("utt00000" in note and "all stay" in note for note in outcome.notes)
    names = [one["data"]["utterance_id"] for one in pushed.all_tasks()]
    assert names.count("utt00000") == 2


# -- the project -------------------------------------------------------------------------------------------------------


def test_a_project_that_people_made_is_used_as_it_is(make: Make) -> None:
    it = make()
    config = '<View><Audio name="audio" value="$audio"/><TextArea name="transcript" toName="audio" rows="9"/></View>'
    theirs = it.ask("POST", "/api/projects", {"title": "<b>ours</b>", "label_config": config, "description": "d"})
    it.choose(theirs["id"])
    it.push()
    it.check_whole()
    now = it.ask("GET", f"/api/projects/{theirs['id']}")
    assert (now["label_config"], now["title"], now["description"]) == (config, "<b>ours</b>", "d")
    assert it.project == theirs["id"]


def test_a_server_that_moved_is_the_same_and_another_one_with_the_same_number_is_not(
    pushed: PushedProject, make: Make
) -> None:
    number = pushed.project
    moved = PushedProject(pushed.workspace, pushed.server, make(1).proxy)
    assert moved.proxy.url != pushed.proxy.url
    moved.push()
    moved.check_whole()
    assert moved.project == number
    another = PushedProject(pushed.workspace, pushed.server, make(1).proxy)
    for task in another.server.ask("GET", f"/api/tasks?project={number}")["tasks"]:
        another.ask("DELETE", f"/api/tasks/{task['id']}")
    with pytest.raises(BadInput, match=f"project {number} on .* has none of this workspace's tasks, and the number"):
        another.push()
    assert not another.writes()


def test_a_project_that_cannot_take_the_tasks_is_refused_with_what_it_lacks(make: Make) -> None:
    it = make()
    config = '<View><Image name="image" value="$image"/><TextArea name="caption" toName="image"/></View>'
    theirs = it.ask("POST", "/api/projects", {"title": "pictures", "label_config": config})
    it.choose(theirs["id"])
    with pytest.raises(BadInput, match=r"pictures.*cannot take these tasks"):
        it.push()
    assert it.writes() == []
    assert it.ask("GET", f"/api/projects/{theirs['id']}")["label_config"] == config


@pytest.mark.parametrize(("field", "is_there"), [("speaker", True), ("room", False), ("suspect_score", False)])
def test_a_configuration_may_read_the_fields_that_every_task_has(make: Make, field: str, is_there: bool) -> None:
    it = make(2)
    config = (
        f'<View><Audio name="audio" value="$audio"/><Header value="${field}"/>'
        '<TextArea name="transcript" toName="audio"/></View>'
    )
    it.choose(it.ask("POST", "/api/projects", {"title": "theirs", "label_config": config})["id"])
    if is_there:
        it.push()
        it.check_whole()
    else:
        with pytest.raises(BadInput, match=field):
            it.push()


def test_a_project_that_is_not_there_is_named(make: Make) -> None:
    it = make()
    it.choose(999999)
    with pytest.raises(BadInput, match=r"project 999999, which .*workbench.toml names.*write 0 to make"):
        it.push()


def test_an_older_configuration_of_our_own_is_replaced_and_one_that_people_wrote_is_not(
    pushed: PushedProject,
) -> None:
    path = f"/api/projects/{pushed.project}"
    newest = pushed.ask("GET", path)["label_config"]
    older = newest.replace('rows="3"', 'rows="2"')
    description = pushed.ask("GET", path)["description"].replace(
        project.config_hash(newest), project.config_hash(older)
    )
    pushed.ask("PATCH", path, {"label_config": older, "description": description})
    pushed.push()
    assert pushed.ask("GET", path)["label_config"] == newest
    pushed.ask("PATCH", path, {"label_config": older})
    pushed.proxy.seen.clear()
    pushed.push()
    assert pushed.ask("GET", path)["label_config"] == older and pushed.writes() == []


def test_what_people_chose_to_begin_with_stays(pushed: PushedProject) -> None:
    path = f"/api/projects/{pushed.project}"
    task = pushed.tasks()["utt00001"]["id"]
    pushed.ask("POST", "/api/predictions/", {"task": task, "result": [], "model_version": "theirs"})
    pushed.ask("PATCH", path, {"model_version": "theirs"})
    pushed.push()
    assert pushed.ask("GET", path)["model_version"] == "theirs"


@pytest.mark.parametrize("fault", ["504 after", "504 before", "double"])
def test_a_project_whose_creation_was_not_answered_is_made_once(make: Make, fault: str) -> None:
    it = make(2)
    it.proxy.next(fault, "POST", "/api/projects")
    it.push()
    it.check_whole()
    mark = it.mark
    listed = it.ask("GET", "/api/projects?page_size=100")["results"]
    marked = [one for one in listed if mark in (one["description"] or "")]
    assert len(marked) == (2 if fault == "double" else 1)
    if fault == "double":
        # The workspace knows its project; one that does not, finds the one with the tasks.
        frame = it.workspace.read("sync_project")
        it.forget("sync_project")
        it.workspace.append("sync_project", frame.assign(project_id=0, title=None))
        outcome = it.push()
        assert any("delete the other one" in note for note in outcome.notes)
        it.check_whole()


@pytest.mark.parametrize("title", ["", "w", "<b>x</b>", "한", "x" * 400, " a  b "])
def test_titles_are_such_as_the_server_takes(title: str) -> None:
    assert 3 <= len(fitting_title(title)) <= 50


# -- faults on the way -------------------------------------------------------------------------------------------------

IMPORT = "/import"


@pytest.mark.parametrize("fault", ["drop before", "cut", "double", "404 after"])
def test_an_import_that_was_not_answered_is_neither_lost_nor_doubled(make: Make, fault: str) -> None:
    it = make(6)
    it.proxy.next(fault, "POST", IMPORT)
    outcome = it.push()
    assert outcome.counts["created"] == 6 and len(outcome.faults) == 0
    it.check_whole()


@pytest.mark.parametrize("fault", ["504 after", "double"])
def test_new_predictions_that_were_not_answered_are_neither_lost_nor_doubled(make: Make, fault: str) -> None:
    it = make(6)
    hypotheses = it.workspace.read("hypotheses")
    part = max((it.workspace.root / "tables" / "hypotheses").iterdir())
    part.unlink()
    it.push()
    it.workspace.append("hypotheses", hypotheses[hypotheses["run_id"] == RUNS[1]])
    it.proxy.next(fault, "POST", "import/predictions")
    it.push()
    it.check_whole()


def test_a_page_of_the_list_that_is_answered_404_is_no_end(pushed: PushedProject) -> None:
    pushed.proxy.next("404 before", "GET", "/api/tasks")
    assert pushed.push().counts["unchanged"] == 4
    assert pushed.writes() == []


def test_at_random_faults_everything_is_there_once_at_the_end(make: Make) -> None:
    it = make(40, 1, evenly(0.25))
    for _ in range(10):
        try:
            it.push()
            break
        except (Unanswered, NotReached):
            continue
    it.proxy.is_on = False
    it.proxy.seen.clear()
    assert it.push().counts["requests"] == 0, "the last push left nothing to do"
    it.check_whole()


def test_a_push_that_is_killed_goes_on_where_it_was(make: Make, monkeypatch: Any) -> None:
    it = make(300)
    program = (
        "import sys; from pathlib import Path\n"
        "from workbench.workspace import Workspace\n"
        "from workbench.stages.sync.push import push\n"
        "from workbench.label_studio.connection import Connection\n"
        "from workbench.label_studio.credentials import Credentials\n"
        "from workbench.label_studio.secret import Secret\n"
        "push(Workspace.open(Path(sys.argv[1])), Connection(Credentials(sys.argv[2], Secret(sys.argv[3]))))\n"
    )
    stopped = threading.Event()

    def kill(request: Any) -> None:
        if request.method == "POST" and IMPORT in request.path and not stopped.is_set():
            client.kill()
            stopped.set()

    it.proxy.on_request = kill
    arguments = [str(it.workspace.root), it.proxy.url, it.server.token]
    client = subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=ROOT)
    assert client.wait(60) == -9 and stopped.is_set()
    intended = it.workspace.read("sync_tasks")
    assert (intended["state"] == "intended").all() and len(intended) == 300
    assert len(known_tasks(it.workspace, it.project).under_way) == 300
    it.push()
    it.check_whole()


# -- what the server refuses -------------------------------------------------------------------------------------------


def make_sender(it: PushedProject, connection: Connection, tasks: list[WantedTask]) -> Sender:
    def made(found: list[FoundTask], predictions: list[FoundPrediction]) -> Plan:
        return plan(tasks, found, predictions, own_versions=RUNS)

    return Sender(connection, it.project, it.mark, made)


def a_task(
    it: PushedProject, number: int, audio: Any = "https://audio.example.com/x.wav", score: float = 0.5
) -> WantedTask:
    data = {"utterance_id": f"new{number}", "workspace": it.mark, "audio": audio}
    result = transcript_result("hello")
    return WantedTask(
        f"new{number}",
        data | {"reference": "", "suggestion": "", "why": ""},
        (WantedPrediction(RUNS[0], score, result),),
    )


def test_what_the_server_refuses_is_named_with_its_words_and_the_rest_goes_on(pushed: PushedProject) -> None:
    tasks = [a_task(pushed, number, audio=7 if number == 11 else "https://x.example.com/a.wav") for number in range(20)]
    with pushed.connection() as connection:
        sent = make_sender(pushed, connection, tasks).run()
    (key,) = sent.refused
    assert key == ("create", "new11") and "audio" in sent.refused[key]
    assert {key[1] for key in sent.done if key[0] == "create"} == {f"new{n}" for n in range(20) if n != 11}
    assert sum(name.startswith("new") for name in pushed.tasks()) == 19


def test_a_prediction_that_the_server_does_not_store_and_does_not_name_is_found(pushed: PushedProject) -> None:
    tasks = [a_task(pushed, number, score=2.0 if number == 3 else 0.5) for number in range(8)]
    with pushed.connection() as connection:
        make_sender(pushed, connection, [replace(task, predictions=()) for task in tasks]).run()
        sent = make_sender(pushed, connection, tasks).run()
    assert set(sent.refused) == {("prediction", "new3", RUNS[0])}
    tasks_there = {task["id"]: name for name, task in pushed.tasks().items()}
    held = [tasks_there[one["task"]] for one in pushed.predictions()]
    assert sorted(name for name in held if name.startswith("new")) == [f"new{n}" for n in range(8) if n != 3]


def test_a_change_that_the_server_takes_and_does_not_keep_is_not_sent_for_ever(pushed: PushedProject) -> None:
    # The server gives this field another name whenever it is asked.
    task = a_task(pushed, 1)
    task = replace(task, data=task.data | {"$undefined$": "x"})
    with pushed.connection() as connection:
        sent = make_sender(pushed, connection, [task]).run()
    assert "holds it otherwise" in sent.refused["update", "new1"]


def test_a_server_that_takes_no_change_ends_the_push_with_a_reason(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_SHORTEST_WAIT", 0.0)
    it = make(20)
    for _ in range(40):
        it.proxy.next("504 before", "POST", IMPORT)
    with pytest.raises(Unanswered, match=r"but .* did not get through in 6 rounds; what was sent is kept"):
        it.push()


# -- here --------------------------------------------------------------------------------------------------------------


def test_two_pushes_of_a_workspace_exclude_each_other(pushed: PushedProject) -> None:
    other = (
        "import sys; from pathlib import Path; from workbench.workspace import Workspace\n"
        "from workbench.stages.sync.binding import one_writer\n"
        "with one_writer(Workspace.open(Path(sys.argv[1]))):\n    print('in', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", other, str(pushed.workspace.root)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "in\n"
        with pytest.raises(WorkspaceLocked, match=rf"process {process.pid} is sending"):
            pushed.push()
        assert pushed.proxy.seen == []
        assert pushed.push(dry_run=True).counts["unchanged"] == 4, "a look is allowed"
        process.kill()
    pushed.push()
    with one_writer(pushed.workspace):
        pass


def test_a_push_does_not_keep_others_from_writing_and_waits_for_those_that_do(
    make: Make,
) -> None:
    it = make()
    written: list[str] = []

    def write(request: Any) -> None:
        # In the middle of a push, from another process's point of view.
        if request.method == "POST" and IMPORT in request.path:
            other = Workspace.open(it.workspace.root)
            with other.lock():
                written.append(request.path)

    it.proxy.on_request = write
    holder = Workspace.open(it.workspace.root)
    with holder.lock():
        thread = threading.Thread(target=it.push)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(30)
    assert written
    it.check_whole()


def tone(path: Path, seconds: float = 0.2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(0, 200, 2)) * int(seconds * 160) + path.name.encode().ljust(32))
    return path


def test_audio_is_uploaded_once_and_a_missing_recording_is_a_fault(make: Make) -> None:
    it = make()
    it.configure('audio = "url"', 'audio = "upload"')
    for name in ("utt00000", "utt00001", "utt00002"):
        tone(it.workspace.root / f"{name}.wav")
    outcome = it.push()
    assert outcome.counts["created"] == 3 and outcome.counts["uploaded"] == 3
    assert outcome.faults["item"].tolist() == ["utt00003"]
    assert it.workspace.read("faults")["item"].tolist() == ["utt00003"]
    audio = it.tasks()["utt00001"]["data"]["audio"]
    assert audio.startswith(f"/data/upload/{it.project}/")
    it.proxy.seen.clear()
    outcome = it.push(delete_removed=True)
    assert it.writes() == [] and outcome.counts["removed"] == 0
    (it.workspace.root / "utt00001.wav").unlink()
    outcome = it.push(delete_removed=True)
    assert set(it.tasks()) == {"utt00000", "utt00001", "utt00002"}, "what cannot be sent now is not removed"
    assert set(outcome.faults["item"]) == {"utt00001", "utt00003"}


def test_a_server_that_goes_while_audio_is_uploaded_is_no_loss(make: Make) -> None:
    it = make(2)
    it.configure('audio = "url"', 'audio = "upload"')
    for name in ("utt00000", "utt00001"):
        tone(it.workspace.root / f"{name}.wav")

    def go(request: Request) -> None:
        if b"utt00001" in request.content:
            it.proxy.__exit__(None, None, None)

    it.proxy.on_request = go
    with pytest.raises(ServerError, match="what was sent is kept, and `workbench sync push` goes on"):
        it.push()
    it.proxy = FaultProxy(it.server.url).__enter__()
    outcome = it.push()
    it.proxy.__exit__(None, None, None)
    assert outcome.counts["uploaded"] == 1
    assert sorted(it.tasks()) == ["utt00000", "utt00001"]


# -- the command -------------------------------------------------------------------------------------------------------


def command(it: PushedProject, *arguments: str, token: str = "") -> Any:
    environment = {"LABEL_STUDIO_URL": it.proxy.url, "LABEL_STUDIO_API_KEY": token or it.server.token}
    return CliRunner().invoke(app, ["sync", "push", "-w", str(it.workspace.root), *arguments], env=environment)


def test_the_command_says_what_it_did_and_where_to_label(make: Make) -> None:
    it = make()
    shown = command(it, "--dry-run", "--format", "csv")
    assert shown.exit_code == 0 and shown.stdout.splitlines()[0] == "utterance_id,what,why"
    assert len(shown.stdout.splitlines()) == 5 and it.writes() == []
    done = command(it)
    assert done.exit_code == 0
    assert "tasks created" in done.stdout
    assert f"to label: {it.proxy.url}/projects/{it.project}/data" in done.stderr
    assert it.server.token not in done.output
    again = command(it, "--format", "json")
    assert '"what": "tasks created",\n    "number": 0' in again.stdout


def test_the_command_refuses_what_does_not_go_together(make: Make) -> None:
    it = make()
    for arguments in (["--only", ""], ["--only", "utt00001", "--delete-removed"]):
        assert isinstance(command(it, *arguments).exception, BadInput)
    assert it.proxy.seen == []
