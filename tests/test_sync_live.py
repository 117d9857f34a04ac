"""Live with Label Studio: hypotheses for the tasks that labellers open, and annotations within seconds of their making.

The services run on real ports, and the real server calls them.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.fault_proxy import FaultProxy
from tests.label_studio_server import TOKEN, RealServer
from workbench.asr.backend import Clip, Failure, Hypothesis, load_backend
from workbench.cli.app import app
from workbench.cli.sync.live import _stamped
from workbench.config import config_text
from workbench.demo.corpus import CORPUS
from workbench.errors import BadInput, WorkbenchError
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.secret import Secret
from workbench.server.pre_annotation import pre_annotation_app
from workbench.server.running import running
from workbench.server.webhooks import webhooks_app
from workbench.stages.import_manifest import import_manifest
from workbench.stages.sync.binding import patient_lock
from workbench.stages.sync.pre_annotate import PreAnnotator
from workbench.stages.sync.push import push
from workbench.stages.sync.task_fields import duration_of
from workbench.stages.sync.wanted import wanted_tasks
from workbench.stages.sync.watch import Hints, Watch
from workbench.stages.transcribe import transcribe
from workbench.workspace import Workspace

MARK = "f00dfeed"
CLIPS = ("q001", "q002", "q003")


def workspace_in(directory: Path, mark: str | None = MARK) -> Workspace:
    """Three real recordings and a file that is no audio, bound to a project where there is a mark."""
    workspace = Workspace.create(directory / "workspace", config_text("live", "en", 0.2))
    broken = directory / "broken.wav"
    broken.write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing")
    paths = {name: CORPUS / "audio" / f"{name}.flac" for name in CLIPS} | {"broken": broken}
    manifest = directory / "manifest.csv"
    manifest.write_text("utterance_id,audio,text\n" + "".join(f"{n},{p},so it is\n" for n, p in paths.items()))
    import_manifest(workspace, manifest)
    if mark is not None:
        bind(workspace, "http://127.0.0.1:1", 1, mark)
    return workspace


def bind(workspace: Workspace, server: str, project: int, mark: str = MARK) -> None:
    row = {"server": server, "project_id": project, "title": "live", "mark": mark, "bound_at": datetime.now(UTC)}
    workspace.append("sync_project", pd.DataFrame([row]))


def task(utterance_id: str, mark: str = MARK, number: int = 1) -> dict[str, Any]:
    """A task as the server sends it; its audio's address is nothing that may be fetched."""
    data = {"utterance_id": utterance_id, "workspace": mark, "audio": "http://127.0.0.1:9/secret"}
    return {"id": number, "data": data, "project": 1}


def ask(url: str, body: Any = None, headers: dict[str, str] | None = None, content: bytes | None = None) -> Any:
    data = content if content is not None else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} | (headers or {}))
    with urllib.request.urlopen(request, timeout=60) as reply:
        answered = reply.read()
    return json.loads(answered) if answered else None


def status(url: str, body: Any = None, headers: dict[str, str] | None = None, content: bytes | None = None) -> int:
    """The status of a refusal."""
    with pytest.raises(urllib.error.HTTPError) as refusal:
        ask(url, body, headers, content)
    refusal.value.close()
    return refusal.value.code


def texts(reply: Any) -> list[str | None]:
    """The text of the one prediction of each task; None where it has none."""
    found: list[str | None] = []
    for answer in reply["results"]:
        assert len(answer) <= 1
        found.append(answer[0]["result"][0]["value"]["text"][0] if answer else None)
    return found


class Said(list[str]):
    """What a service said, line by line."""

    def __call__(self, line: str) -> None:
        self.append(line)

    def wait_for(self, words: str, seconds: float = 60.0) -> str:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := [line for line in self if words in line]:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"{words!r} was not said: {list(self)}")


@contextmanager
def service(
    workspace: Workspace, backend: Any = None, within: float = 60.0, write_seconds: float = 0.1
) -> Iterator[tuple[str, Said, PreAnnotator]]:
    said = Said()
    backend = backend or load_backend("pocketsphinx")
    with PreAnnotator(workspace, backend, said, write_seconds) as hypotheses:
        app = pre_annotation_app(lambda tasks: hypotheses.predictions(tasks, within), hypotheses.run_id, None)
        with running(app, "127.0.0.1", 0) as url:
            yield url, said, hypotheses


# -- hypotheses ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def transcribed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What `workbench transcribe` hears."""
    workspace = workspace_in(tmp_path_factory.mktemp("transcribed"))
    transcribe(workspace)
    return workspace.read("hypotheses").set_index("utterance_id")


def test_it_hears_what_transcribe_hears_and_writes_it_down(tmp_path: Path, transcribed: pd.DataFrame) -> None:
    workspace = workspace_in(tmp_path)
    with service(workspace) as (url, said, hypotheses):
        reply = ask(f"{url}/predict", {"tasks": [task(name) for name in ("q002", "broken", "q001")]})
        assert texts(reply) == [transcribed.loc["q002", "text"], None, transcribed.loc["q001", "text"]]
        assert {one["model_version"] for answer in reply["results"] for one in answer} == {hypotheses.run_id}
        assert set(transcribed["run_id"]) == {hypotheses.run_id}
        scores = [answer[0]["score"] for answer in reply["results"] if answer]
        assert scores == pytest.approx([transcribed.loc[name, "confidence"] for name in ("q002", "q001")], abs=1e-6)
        assert "q001: heard in" in said.wait_for("q001")
        assert said.wait_for("broken").startswith("broken: no hypothesis: ")
    kept = workspace.read("hypotheses").set_index("utterance_id")
    assert kept["text"].to_dict() == {name: transcribed.loc[name, "text"] for name in ("q001", "q002")}
    assert kept["words"].map(list).to_dict() == {name: list(transcribed.loc[name, "words"]) for name in kept.index}
    run = workspace.read("runs").iloc[0]
    assert (run["run_id"], run["utterances"], run["finished"]) == (hypotheses.run_id, 2, False)
    # The same run is taken up by the command, which does what is missing.
    assert transcribe(workspace).counts["unchanged"] == 2


def test_what_the_run_has_is_answered_without_the_model(tmp_path: Path, transcribed: pd.DataFrame) -> None:
    workspace = workspace_in(tmp_path)
    workspace.append("hypotheses", transcribed.reset_index().head(1))
    known = str(transcribed.index[0])
    with service(workspace) as (url, said, _):
        assert texts(ask(f"{url}/predict", {"tasks": [task(known)]})) == [transcribed.loc[known, "text"]]
        assert said == [f"{known}: from the run's hypotheses"]
        # What another process adds meanwhile is seen.
        workspace.append("hypotheses", transcribed.reset_index().tail(1))
        later = str(transcribed.index[-1])
        ask(f"{url}/predict", {"tasks": [task(later)]})
        assert said[1:] == [f"{later}: from the run's hypotheses"]


def test_changed_audio_is_heard_again(tmp_path: Path, transcribed: pd.DataFrame) -> None:
    workspace = workspace_in(tmp_path)
    workspace.append("hypotheses", transcribed.reset_index().assign(audio="recording/of-before"))
    with service(workspace) as (url, said, _):
        assert texts(ask(f"{url}/predict", {"tasks": [task("q001")]})) == [transcribed.loc["q001", "text"]]
        assert "heard in" in said[0]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (task("q001", mark="somebody-elses"), "of the workspace 'somebody-elses'"),
        (task("nobody"), "no such utterance"),
        ({"id": 7, "data": {"audio": "x"}}, "not one of the workbench's"),
        ({"id": 7, "data": {"workspace": MARK, "utterance_id": ["q001"]}}, "no such utterance"),
        ({"id": 7, "data": {"workspace": {"a": 1}, "utterance_id": "q001"}}, "of the workspace"),
        ({"id": 7, "data": "q001"}, "has no data"),
        ("q001", "has no data"),
    ],
)
def test_one_task_that_cannot_be_answered_spoils_no_other(
    tmp_path: Path, transcribed: pd.DataFrame, wrong: Any, reason: str
) -> None:
    workspace = workspace_in(tmp_path)
    workspace.append("hypotheses", transcribed.reset_index())
    with service(workspace) as (url, said, _):
        assert texts(ask(f"{url}/predict", {"tasks": [wrong, task("q003")]})) == [None, transcribed.loc["q003", "text"]]
        assert reason in said[0]


class Slow:
    """A recogniser that hears one clip whenever it is let: what the tests on order and time need to decide."""

    name, model, revision, device = "slow", "m", None, "cpu"

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        self.library_versions: dict[str, str] = {}
        self.heard: list[str] = []
        self.go = threading.Semaphore(0)

    def stays_ready(self) -> AbstractContextManager[None]:
        return nullcontext()

    def transcribe(self, clips: Sequence[Clip]) -> Iterator[Hypothesis | Failure]:
        for clip in clips:
            self.go.acquire()
            self.heard.append(clip.utterance_id)
            if clip.utterance_id == "broken":
                raise MemoryError("no room")
            yield Hypothesis(clip.utterance_id, f"text of {clip.utterance_id}", None, None, 1.0, 0.1)


def let(slow: Slow, clips: int) -> None:
    for _ in range(clips):
        slow.go.release()


def test_an_utterance_is_heard_once_however_many_ask(tmp_path: Path) -> None:
    slow = Slow()
    with service(workspace_in(tmp_path), slow) as (url, _, _), ThreadPoolExecutor(6) as pool:
        replies = [pool.submit(ask, f"{url}/predict", {"tasks": [task("q001")]}) for _ in range(6)]
        let(slow, 6)
        assert [texts(reply.result()) for reply in replies] == [["text of q001"]] * 6
        assert slow.heard == ["q001"]
        # No confidence is no score.
        assert "score" not in replies[0].result()["results"][0][0]


def test_who_opens_one_task_does_not_wait_behind_a_list(tmp_path: Path) -> None:
    slow = Slow()
    with service(workspace_in(tmp_path), slow) as (url, _, hypotheses), ThreadPoolExecutor(2) as pool:
        hypotheses._begun(0, {"utterance_id": "busy", "audio": "a", "path": "x", "start": 0, "end": 1, "duration": 1})
        while hypotheses._jobs.qsize():
            time.sleep(0.01)
        many = pool.submit(ask, f"{url}/predict", {"tasks": [task("q001"), task("q002")]})
        while hypotheses._jobs.qsize() < 2:
            time.sleep(0.01)
        one = pool.submit(ask, f"{url}/predict", {"tasks": [task("q003")]})
        while hypotheses._jobs.qsize() < 3:
            time.sleep(0.01)
        let(slow, 4)
        assert texts(one.result()) == ["text of q003"]
        assert texts(many.result()) == ["text of q001", "text of q002"]
        assert slow.heard == ["busy", "q001", "q003", "q002"]


def test_what_is_not_ready_in_time_is_left_out_and_there_the_next_time(tmp_path: Path) -> None:
    slow = Slow()
    with service(workspace_in(tmp_path), slow, within=0.3) as (url, said, _):
        assert texts(ask(f"{url}/predict", {"tasks": [task("q001"), task("q002")]})) == [None, None]
        assert "not ready in time" in said[0]
        # The server asks for its health within a second, whatever the model is at.
        assert ask(f"{url}/health")["status"] == "UP"
        let(slow, 2)
        while len(slow.heard) < 2 or texts(ask(f"{url}/predict", {"tasks": [task("q002")]})) != ["text of q002"]:
            time.sleep(0.01)


def test_a_recogniser_that_fails_on_a_clip_goes_on_with_the_next(tmp_path: Path) -> None:
    slow = Slow()
    let(slow, 9)
    with service(workspace_in(tmp_path), slow) as (url, said, _):
        assert texts(ask(f"{url}/predict", {"tasks": [task("broken")]})) == [None]
        assert said == ["broken: no hypothesis: the recogniser failed on it: MemoryError: no room"]
        assert texts(ask(f"{url}/predict", {"tasks": [task("q001")]})) == ["text of q001"]


def test_while_another_process_writes_it_answers_and_writes_later(tmp_path: Path) -> None:
    workspace, slow = workspace_in(tmp_path), Slow()
    let(slow, 9)
    program = "import sys; from pathlib import Path; from workbench.workspace import Workspace\n"
    program += f"with Workspace.open(Path({str(workspace.root)!r})).lock(): print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with other, service(workspace, slow) as (url, said, _):
        assert other.stdout and other.stdin
        other.stdout.readline()
        assert texts(ask(f"{url}/predict", {"tasks": [task("q001")]})) == ["text of q001"]
        assert f"process {other.pid} is writing" in said.wait_for("written down later")
        assert workspace.read("hypotheses").empty
        # It is not heard twice meanwhile.
        assert texts(ask(f"{url}/predict", {"tasks": [task("q001")]})) == ["text of q001"]
        assert slow.heard == ["q001"]
        other.stdin.close()
        other.wait()
    assert workspace.read("hypotheses")["text"].tolist() == ["text of q001"]


def test_served_again_it_goes_on_with_its_run(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    for name in ("q001", "q002"):
        slow = Slow()
        let(slow, 1)
        with service(workspace, slow) as (url, _, hypotheses):
            assert hypotheses.makes_a_run is False
            ask(f"{url}/predict", {"tasks": [task(name)]})
    assert workspace.read("runs")[["run_id", "utterances"]].to_numpy().tolist() == [[hypotheses.run_id, 2]]
    with service(workspace) as (_, _, other):
        assert other.makes_a_run


def test_a_duration_is_the_one_that_a_push_sends(tmp_path: Path) -> None:
    """Else a push would send the regions of every long recording anew."""
    workspace = Workspace.create(tmp_path, config_text("live", "en", 0.2))
    rows = [
        {"utterance_id": "given", "duration": 4.00049},
        {"utterance_id": "half", "duration": 2.6755},
        {"utterance_id": "span", "start": 1.2, "end": 3.4567},
        {"utterance_id": "from the beginning", "end": 3.4565},
        {"utterance_id": "unknown"},
    ]
    columns = ("utterance_id", "start", "end", "duration")
    workspace.append(
        "utterances", pd.DataFrame(rows).reindex(columns=list(columns)).assign(recording="a.wav", source="m.csv:1")
    )
    utterances = workspace.read("utterances")
    pushed = wanted_tasks(workspace, MARK).fields.frame["duration"]
    ours = [duration_of(row._asdict(), None) for row in utterances.itertuples()]
    assert ours == [None if pd.isna(value) else value for value in pushed]


def test_without_a_project_there_is_nothing_to_serve(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path, config_text("live", "en", 0.2))
    with pytest.raises(BadInput, match="make one with `workbench sync push`"):
        PreAnnotator(workspace, Slow(), Said())


# -- the service --------------------------------------------------------------------------------------------------


@contextmanager
def door(password: str | None = None) -> Iterator[str]:
    with running(pre_annotation_app(lambda tasks: [None] * len(tasks), "run-1", password), "127.0.0.1", 0) as url:
        yield url


def test_it_speaks_the_protocol() -> None:
    with door() as url:
        assert ask(f"{url}/health")["status"] == "UP"
        # The server sends its token along, which nobody wants.
        setup = {"project": "1.1", "schema": "<View/>", "access_token": "a-token", "extra_params": None}
        assert ask(f"{url}/setup", setup) == {"model_version": "run-1"}
        assert ask(f"{url}/versions") == {"versions": ["run-1"]}
        assert ask(f"{url}/predict", {"tasks": [task("q001")] * 3}) == {"results": [[], [], []]}
        assert ask(f"{url}/webhook", {"action": "START_TRAINING"}) == {"status": "ignored"}


def test_it_shows_nothing_else() -> None:
    with door() as url:
        assert [status(f"{url}{path}") for path in ("/docs", "/redoc", "/openapi.json", "/files", "/../etc")] == [
            404
        ] * 5


def test_what_is_no_list_of_tasks_is_refused() -> None:
    with door() as url:
        predict = f"{url}/predict"
        assert status(predict, content=b"{") == 400
        assert status(predict, content=b"[" * 100_000) == 400
        assert status(predict, {"tasks": "q001"}) == 400
        assert status(predict, [1]) == 400
        assert status(predict) == 405


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.server.pre_annotation.MOST_BYTES", 1000)
    with door() as url:
        assert status(f"{url}/predict", content=b" " * 1001) == 413


def test_what_a_task_says_of_itself_makes_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    _stamped("u1\n12:00:00 u2: heard in 0.1 s\u2028\x1b[2J: no hypothesis")
    assert capsys.readouterr().err.count("\n") == 1


def test_what_nobody_reads_is_not_kept() -> None:
    content = b" " * (32 << 20)
    with door() as url:
        tracemalloc.start()
        try:
            assert ask(f"{url}/train", content=content) == {"status": "ignored"}
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()


def test_a_request_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.server.running._SILENT_SECONDS", 0.3)
    monkeypatch.setattr("workbench.server.guard.BODY_SECONDS", 0.3)

    def predict(tasks: Sequence[Any]) -> list[None]:
        time.sleep(1.5)
        return [None] * len(tasks)

    with running(pre_annotation_app(predict, "run-1", None), "127.0.0.1", 0) as url:
        place = ("127.0.0.1", int(url.rpartition(":")[2]))
        head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        for sent, answer in ((b"", b""), (head, b""), (head + b"Content-Length: 9\r\n\r\n{", b"HTTP/1.1 408")):
            with socket.create_connection(place, timeout=30) as connection:
                connection.sendall(sent)
                assert connection.recv(12) == answer
        assert ask(f"{url}/predict", {"tasks": [task("q001")]}) == {"results": [[]]}, "an answer may take its time"


def test_no_page_of_another_site_gets_in() -> None:
    with door() as url:
        body = {"tasks": [task("q001")]}
        # By a name that it lets point here, or by a form, which needs no leave.
        assert status(f"{url}/predict", body, {"Host": "evil.example.com:9090"}) == 421
        assert status(f"{url}/predict", body, {"Content-Type": "text/plain"}) == 415
        for name in ("localhost:9090", "127.0.0.1", "[::1]:9090"):
            assert ask(f"{url}/predict", body, {"Host": name}) == {"results": [[]]}


@pytest.mark.parametrize("given", [None, "workbench:wrong", "somebody:söcret", "söcret", "workbench:"])
def test_with_a_password_nobody_gets_in_without_it(given: str | None) -> None:
    with door("söcret") as url:
        wrong = {} if given is None else {"Authorization": basic(given)}
        assert status(f"{url}/health", headers=wrong) == 401
        assert ask(f"{url}/health", headers={"Authorization": basic("workbench:söcret")})["status"] == "UP"
    with door("söcret") as url:
        assert status(f"{url}/predict", {"tasks": []}, {"Authorization": "Basic %%%"}) == 401


def basic(user_and_password: str) -> str:
    return "Basic " + base64.b64encode(user_and_password.encode()).decode()


def test_a_port_in_use_is_one_sentence() -> None:
    with (
        door() as url,
        pytest.raises(BadInput, match=r"nothing can listen on 127.0.0.1 port \d+ \(Address already in use\)"),
        running(None, "127.0.0.1", int(url.rpartition(":")[2])),
    ):
        raise AssertionError("two services on one port")


# -- hints --------------------------------------------------------------------------------------------------------


def test_a_hint_counts_with_the_secret_only_and_says_nothing() -> None:
    hints: list[int] = []
    with running(webhooks_app(MARK, "right", lambda: hints.append(1)), "127.0.0.1", 0) as url:
        address = f"{url}/hints/{MARK}"
        assert status(address, {"action": "ANNOTATION_CREATED"}) == 403
        assert status(address, {}, {"X-Workbench-Secret": "wrong"}) == 403
        assert status(f"{url}/hints/other", {}, {"X-Workbench-Secret": "right"}) == 404
        assert status(address, headers={"X-Workbench-Secret": "right"}) == 405
        assert hints == []
        assert ask(address, content=b"not even JSON", headers={"X-Workbench-Secret": "right"}) is None
        assert hints == [1]


def test_hints_in_quick_succession_are_one() -> None:
    hints = Hints()
    threading.Timer(0.1, hints.give).start()
    hints.give()
    hints.give()
    assert hints.wait(10)
    assert not hints.wait(0)


def test_more_requests_than_can_wait_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.server.pre_annotation._MOST_WAITING", 1)
    busy, go = threading.Event(), threading.Event()

    def predict(tasks: Sequence[Any]) -> list[None]:
        busy.set()
        assert go.wait(20)
        return [None] * len(tasks)

    with running(pre_annotation_app(predict, "run-1", None), "127.0.0.1", 0) as url, ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, f"{url}/predict", {"tasks": [task("q001")]})
        assert busy.wait(20)
        assert status(f"{url}/predict", {"tasks": [task("q002")]}) == 503
        assert ask(f"{url}/health")["status"] == "UP"
        go.set()
        assert first.result() == {"results": [[]]}
        assert ask(f"{url}/predict", {"tasks": []}) == {"results": []}


# -- the commands -------------------------------------------------------------------------------------------------


def refusal(workspace: Path, *arguments: str, **environment: str) -> str:
    """Why a `workbench sync` command does nothing."""
    unset = dict.fromkeys(("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "WORKBENCH_SERVE_PASSWORD"))
    done = CliRunner().invoke(app, ["sync", *arguments, "-w", str(workspace)], env=unset | environment)
    assert isinstance(done.exception, WorkbenchError)
    assert done.stdout == ""
    return str(done.exception)


SOMEWHERE = {"LABEL_STUDIO_URL": "http://127.0.0.1:1", "LABEL_STUDIO_API_KEY": TOKEN}


def test_what_serve_cannot_do_is_one_sentence(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path).root
    (tmp_path / "empty").touch(0o600)
    (tmp_path / "open").write_text("a-password")
    (tmp_path / "open").chmod(0o644)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "binary").touch(0o600)
    (tmp_path / "binary").write_bytes(b"a-password\xff")
    model = ("--backend", "transformers", "--model", str(tmp_path / "nowhere"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"nothing can listen on 127.0.0.1 port {port}" in refusal(workspace, "serve", "--port", port)
    assert "nowhere" in refusal(workspace, "serve", *model)
    assert "--host 0.0.0.0 lets other machines in" in refusal(workspace, "serve", "--host", "0.0.0.0")
    assert "no password in its first line" in refusal(workspace, "serve", "--password-file", str(tmp_path / "empty"))
    assert "run: chmod 600" in refusal(workspace, "serve", "--password-file", str(tmp_path / "open"))
    assert "not a file of text" in refusal(workspace, "serve", "--password-file", str(tmp_path / "pipe"))
    assert "not UTF-8" in refusal(workspace, "serve", "--password-file", str(tmp_path / "binary"))
    assert "http://127.0.0.1:1: " in refusal(workspace, "serve", "--connect", **SOMEWHERE)


def test_what_watch_cannot_do_is_one_sentence(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    elsewhere = {"LABEL_STUDIO_URL": "http://127.0.0.1:2", "LABEL_STUDIO_API_KEY": TOKEN}
    assert "has no project on http://127.0.0.1:2 yet" in refusal(workspace.root, "watch", **elsewhere)
    assert "http://127.0.0.1:1: nothing answers there" in refusal(workspace.root, "watch", **SOMEWHERE)
    assert "--every nan must be from 1" in refusal(workspace.root, "watch", "--every", "nan", **SOMEWHERE)
    assert "--url goes with --listen" in refusal(workspace.root, "watch", "--url", "http://here", **SOMEWHERE)
    assert "no server is known" in refusal(workspace.root, "watch", XDG_CONFIG_HOME=str(tmp_path))


# -- the real server ----------------------------------------------------------------------------------------------


class Command:
    """A `workbench sync` command in its own process, as a person starts it."""

    def __init__(self, workspace: Workspace, server: RealServer, *arguments: str) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment |= {"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.token}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workbench", "sync", *arguments, "-w", str(workspace.root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.said, self.printed = Said(), Said()
        self._readers = [
            threading.Thread(target=_read, args=(self.process.stderr, self.said), daemon=True),
            threading.Thread(target=_read, args=(self.process.stdout, self.printed), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def end(self, how: signal.Signals) -> int:
        """The exit code after the signal."""
        self.process.send_signal(how)
        code = self.process.wait(60)
        for reader in self._readers:
            reader.join()
        return code


def _read(stream: Any, said: Said) -> None:
    for line in stream:
        said(line.rstrip("\n"))


def project_for(workspace: Workspace, server: RealServer) -> int:
    """The workspace's utterances as tasks, as a push makes them."""
    with Connection(Credentials(server.url, Secret(server.token))) as connection:
        push(workspace, connection)
    return int(workspace.read("sync_project")["project_id"].iloc[-1])


def task_of(server: RealServer, project: int, utterance_id: str) -> int:
    listed = server.ask("GET", f"/api/tasks?project={project}&fields=all&resolve_uri=false")["tasks"]
    return next(int(one["id"]) for one in listed if one["data"]["utterance_id"] == utterance_id)


@pytest.fixture
def pushed(tmp_path: Path, label_studio: RealServer) -> tuple[Workspace, int]:
    workspace = workspace_in(tmp_path, mark=None)
    return workspace, project_for(workspace, label_studio)


def test_a_labeller_who_opens_a_task_gets_a_fresh_hypothesis(
    pushed: tuple[Workspace, int], label_studio: RealServer, transcribed: pd.DataFrame, tmp_path: Path
) -> None:
    workspace, project = pushed
    ask_server = label_studio.ask
    secret = tmp_path / "password"
    secret.write_text("a-password\n")
    secret.chmod(0o600)
    with Command(workspace, label_studio, "serve", "--connect", "--port", "0", "--password-file", str(secret)) as serve:
        serve.said.wait_for("asks it (ML backend")
        (backend,) = ask_server("GET", f"/api/ml/?project={project}")
        assert (backend["readable_state"], backend["auth_method"]) == ("Connected", "BASIC_AUTH")
        # The server would send every annotation there, and nobody would read it.
        assert ask_server("GET", f"/api/webhooks/?project={project}") == []
        # Opened in the Data Manager.
        number = task_of(label_studio, project, "q002")
        (prediction,) = ask_server("GET", f"/api/tasks/{number}?project={project}")["predictions"]
        assert prediction["model_version"] == transcribed.loc["q002", "run_id"] == backend["model_version"]
        assert prediction["result"][0]["value"] == {"text": [transcribed.loc["q002", "text"]]}
        assert prediction["score"] == pytest.approx(transcribed.loc["q002", "confidence"], abs=1e-6)
        # Opened as the next one to label.
        following = ask_server("GET", f"/api/projects/{project}/next")
        name = following["data"]["utterance_id"]
        assert [one["result"][0]["value"]["text"] for one in following["predictions"]] == [
            [transcribed.loc[name, "text"]]
        ]
        assert serve.end(signal.SIGTERM) == 0
    assert set(workspace.read("hypotheses")["utterance_id"]) == {"q002", name}
    # A push finds nothing to change in what it stored.
    with Connection(Credentials(label_studio.url, Secret(label_studio.token))) as connection:
        outcome = push(workspace, connection)
    assert [outcome.counts[count] for count in ("created", "predictions")] == [0, 0]
    # Without the service labellers get what is stored.
    assert ask_server("GET", f"/api/projects/{project}/")["model_version"] == prediction["model_version"]
    assert not any("a-password" in line or label_studio.token in line for line in serve.said)


def test_served_again_it_is_still_one_ml_backend(pushed: tuple[Workspace, int], label_studio: RealServer) -> None:
    workspace, project = pushed
    for _ in range(2):
        with Command(workspace, label_studio, "serve", "--connect", "--port", "0") as serve:
            address = serve.said.wait_for("answers at").split()[3].rstrip(";")
            serve.said.wait_for("asks it (ML backend")
            (backend,) = label_studio.ask("GET", f"/api/ml/?project={project}")
            assert (backend["url"], backend["readable_state"]) == (address, "Connected")
            assert serve.end(signal.SIGINT) == 130


def annotate(server: RealServer, task_id: int, text: str, token: str | None = None) -> int:
    result = [{"id": "t", "from_name": "transcript", "to_name": "audio", "type": "textarea", "value": {"text": [text]}}]
    made = server.ask("POST", f"/api/tasks/{task_id}/annotations/", {"result": result, "lead_time": 3.5}, token)
    return int(made["id"])


def labelled(workspace: Workspace) -> list[tuple[str, str, str]]:
    """What came from the server, in order."""
    rows = workspace.read("transcripts", history=True)
    rows = rows[rows["source"] == "label_studio"]
    return list(rows[["utterance_id", "annotator", "text"]].itertuples(index=False, name=None))


def test_an_annotation_is_in_the_workspace_within_seconds(
    pushed: tuple[Workspace, int], label_studio: RealServer
) -> None:
    workspace, project = pushed
    token = label_studio.new_user("ann_a@example.com")
    (task_a, task_b) = (task_of(label_studio, project, name) for name in ("q001", "q002"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    options = ("watch", "--listen", port, "--every", "600", "--format", "json")
    with Command(workspace, label_studio, *options) as killed:
        killed.said.wait_for("watching project")
        (left,) = label_studio.ask("GET", f"/api/webhooks/?project={project}")
    with Command(workspace, label_studio, *options) as watching:
        watching.said.wait_for("watching project")
        # The webhook that the killed one left behind is taken over, with a secret of its own.
        (hook,) = label_studio.ask("GET", f"/api/webhooks/?project={project}")
        assert hook["id"] == left["id"]
        assert hook["headers"] != left["headers"]
        assert hook["url"].endswith(f"/hints/{mark_of(workspace)}")
        assert (hook["send_payload"], hook["send_for_all_actions"]) == (False, False)
        first = annotate(label_studio, task_a, "what is the weather", token)
        change = json.loads(watching.printed.wait_for("q001"))
        assert {name: change[name] for name in ("annotator", "what", "text", "annotation_id", "task_id")} == {
            "annotator": "ann_a@example.com",
            "what": "submitted",
            "text": "what is the weather",
            "annotation_id": first,
            "task_id": task_a,
        }
        annotate(label_studio, task_b, "play jazz", token)
        watching.printed.wait_for("play jazz")
        label_studio.ask("DELETE", f"/api/annotations/{first}/")
        watching.printed.wait_for('"deleted"')
        assert watching.end(signal.SIGINT) == 130
    assert labelled(workspace) == [
        ("q001", "ann_a@example.com", "what is the weather"),
        ("q002", "ann_a@example.com", "play jazz"),
    ]
    assert len(watching.printed) == 3
    assert label_studio.ask("GET", f"/api/webhooks/?project={project}") == []
    secret = hook["headers"]["X-Workbench-Secret"]
    assert not any(word in line for line in [*watching.said, *watching.printed] for word in (secret, TOKEN))


def mark_of(workspace: Workspace) -> str:
    return str(workspace.read("sync_project")["mark"].iloc[-1])


def test_it_looks_every_so_often_waits_for_another_writer_and_ends_in_order(
    pushed: tuple[Workspace, int], label_studio: RealServer
) -> None:
    workspace, project = pushed
    lock = workspace.lock()
    lock.__enter__()
    with Command(workspace, label_studio, "watch", "--every", "1") as watching:
        assert f"process {os.getpid()} is writing" in watching.said.wait_for("waiting: ")
        annotate(label_studio, task_of(label_studio, project, "q003"), "set\x1b[2J a timer")
        assert labelled(workspace) == []
        lock.__exit__(None, None, None)
        line = watching.printed.wait_for("timer")
        assert line.split("  ")[1:4] == ["admin@example.com", "q003", "submitted"]
        assert "\x1b" not in line
        annotate(label_studio, task_of(label_studio, project, "q002"), "play jazz")
        watching.printed.wait_for("play jazz")
        assert watching.end(signal.SIGTERM) == 0
    assert len([line for line in watching.said if "waiting" in line]) == 1


def test_a_server_that_calls_no_such_address_is_told_with_the_setting(
    pushed: tuple[Workspace, int], label_studio: RealServer
) -> None:
    workspace, project = pushed
    known = {"LABEL_STUDIO_URL": label_studio.url, "LABEL_STUDIO_API_KEY": label_studio.token}

    def refused(command: str, option: str, url: str) -> str:
        return refusal(workspace.root, command, option, *(["0"] if option == "--listen" else []), "--url", url, **known)

    # What the server of these tests is still forbidden to call.
    forbidden = "http://169.254.1.1:9"
    assert "SSRF_PROTECTION_ENABLED=false" in refused("watch", "--listen", forbidden)
    assert "ML_BLOCK_LOCAL_IP=false" in refused("serve", "--connect", forbidden)
    assert "does not reach 127.0.0.1:9; give --url" in refused("serve", "--connect", "http://127.0.0.1:9")
    assert "does not reach nowhere.invalid:9; give --url" in refused("watch", "--listen", "http://nowhere.invalid:9")
    for kind in ("ml", "webhooks"):
        assert label_studio.ask("GET", f"/api/{kind}/?project={project}") == []


class Enough(Exception):
    """Ends a watch in a test."""


def test_it_outlives_a_server_that_does_not_answer(pushed: tuple[Workspace, int], label_studio: RealServer) -> None:
    workspace, project = pushed
    task_id = task_of(label_studio, project, "q001")
    said = Said()
    with FaultProxy(label_studio.url, rates={"502 before": 1.0}) as proxy:
        bind(workspace, proxy.url, project, mark_of(workspace))

        def say(line: str) -> None:
            said(line)
            if "next try" in line:
                proxy.is_on = False
                annotate(label_studio, task_id, "what is the weather")

        def tell(change: dict[str, Any]) -> None:
            raise Enough(change["text"])

        credentials = Credentials(proxy.url, Secret(label_studio.token))
        with Connection(credentials, tries=2, pause=0.01) as connection, pytest.raises(Enough, match="the weather"):
            Watch(workspace, connection, 60, Hints(), tell, say).run()
    assert "the answer was 502" in said[0]
    assert said[0].endswith("the next try is in 2 s")
    assert labelled(workspace) == [("q001", "admin@example.com", "what is the weather")]


def test_what_changes_here_is_sent_too(
    pushed: tuple[Workspace, int], label_studio: RealServer, transcribed: pd.DataFrame
) -> None:
    workspace, project = pushed
    with Command(workspace, label_studio, "watch", "--every", "1", "--push") as watching:
        watching.said.wait_for("push: ")
        with patient_lock(workspace):
            transcribe(workspace)
        watching.said.wait_for("predictions 3")
        assert watching.end(signal.SIGTERM) == 0
    stored = label_studio.ask("GET", f"/api/predictions?project={project}")
    assert {one["result"][0]["value"]["text"][0] for one in stored} == set(transcribed["text"])
