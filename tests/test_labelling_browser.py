"""Labelling as a person does it, in a real browser: the waveform, the pre-label, typing, choosing, submitting."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.label_studio_server import RealServer
from workbench.demo.corpus import CORPUS
from workbench.label_studio.audio_source import LOCAL, UPLOAD, URL, AudioFile, AudioSource, provide_audio, with_audio
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.labelling_config import labelling_config, problems_of_task
from workbench.label_studio.records import KEY, MARK, WantedPrediction, WantedTask
from workbench.label_studio.results import Segment, prediction_result, read_result
from workbench.label_studio.secret import Secret
from workbench.label_studio.tabs import update_tabs, wanted_tabs

CHROMIUM = shutil.which("chromium")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program named chromium on the path")

RECORDING = sorted((CORPUS / "audio").iterdir())[0]
RUN = "run-1"
MOST = 60_000  # milliseconds that a busy machine may take to show a page

INK = """canvas => {
    // Columns of the picture, from left to right: how many of their pixels are drawn.
    const {data, width, height} = canvas.getContext("2d").getImageData(0, 30, canvas.width, canvas.height - 30);
    return [...Array(width).keys()].map(x =>
        [...Array(height).keys()].filter(y => data[4 * (y * width + x) + 3] > 0).length);
}"""


@pytest.fixture(scope="module")
def connection(label_studio: RealServer) -> Iterator[Connection]:
    with Connection(Credentials(label_studio.url, Secret(label_studio.token))) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(browser: Any, label_studio: RealServer) -> Iterator[Any]:
    """A browser in which ann_a has logged in."""
    label_studio.new_user("ann_a@example.com")
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(MOST)
    page.goto(f"{label_studio.url}/user/login/")
    page.fill("input[name=email]", "ann_a@example.com")
    page.fill("input[name=password]", label_studio.password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/user/login" not in url)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(session: Any) -> Iterator[Any]:
    page = session.new_page()
    page.set_default_timeout(MOST)
    yield page
    page.close()


def project_of(
    connection: Connection, language: str, source: AudioSource, file: Path, **task: Any
) -> tuple[int, dict[str, Any]]:
    """A project with one task, as a push makes it: its number, and the server's record of the task."""
    config = labelling_config(language, with_segments="words" in task)
    number = connection.send("POST", "api/projects", {"title": "in the browser", "label_config": config})["id"]
    text, words, duration = task.pop("heard"), task.pop("words", None), task.pop("duration", None)
    result = prediction_result(text, words, "segments" if words else "none", duration)
    data = {KEY: "u1", MARK: "f00d", "flags": "conflict.content", "suspect_score": None, **task}
    audio = provide_audio(connection, number, source, {"u1": AudioFile(file, within=f"audio/{file.name}")})
    assert audio.faults == {}
    (wanted,) = with_audio([WantedTask("u1", data, (WantedPrediction(RUN, 0.5, result),))], audio)
    assert problems_of_task(config, wanted) == []
    predictions = [
        {"model_version": one.model_version, "score": one.score, "result": one.result} for one in wanted.predictions
    ]
    connection.send("POST", f"api/projects/{number}/import", [{"data": wanted.data, "predictions": predictions}])
    connection.repeat("PATCH", f"api/projects/{number}", {"model_version": RUN})
    (found,) = connection.get("api/tasks", {"project": number, "resolve_uri": "false"})["tasks"]
    return number, found


def submitted(connection: Connection, task: dict[str, Any]) -> dict[str, Any]:
    (annotation,) = connection.get(f"api/tasks/{task['id']}/annotations/")
    return dict(annotation)


def see_waveform(page: Any) -> None:
    """Waits until the waveform is drawn: a picture that is higher at some times than at others."""
    canvas = page.locator("#waveform-layer-main")
    canvas.wait_for()
    page.wait_for_function(
        f"(draw => {{const c = document.querySelector('#waveform-layer-main'); if (!c) return false; "
        f"const ink = draw(c); return new Set(ink).size > 5 && Math.max(...ink) > 10}})({INK})"
    )
    # Nobody types before the page has come to rest.
    page.wait_for_load_state("networkidle")


def submit(page: Any) -> None:
    with page.expect_response(lambda reply: "/annotations" in reply.url and reply.request.method == "POST") as answer:
        page.get_by_role("button", name="Submit").click()
    assert answer.value.status == 201


def test_an_utterance_is_labelled(connection: Connection, page: Any, label_studio: RealServer) -> None:
    why = "conflict.content: two annotators differ"
    told = {"reference": "Um, what's the", "suggestion": "", "why": why}
    number, task = project_of(connection, "en", AudioSource(UPLOAD), RECORDING, heard="what so the weather", **told)
    update_tabs(connection, number, "f00d", wanted_tabs([]))

    page.goto(f"{label_studio.url}/projects/{number}/data")
    row = page.get_by_text("Um, what's the").first
    row.wait_for()
    assert page.locator(".lsf-tabs-dm__item").all_inner_texts() == [
        "Default",
        "conflicts",
        "suspect labels",
        "too quiet",
    ]
    page.get_by_text("conflicts", exact=True).click()
    page.get_by_role("button", name="Columns").click()
    with page.expect_response(lambda reply: "/api/dm/views/" in reply.url and reply.request.method == "PATCH"):
        page.get_by_text("Created at").first.click()
    # A tab that somebody has changed is theirs: the page takes the workbench's mark away.
    marks = ["workbench" in tab["data"] for tab in connection.get("api/dm/views/", {"project": number})]
    assert marks == [True, False, True, True]

    page.goto(f"{label_studio.url}/projects/{number}/data")
    page.get_by_text("Um, what's the").first.click()
    see_waveform(page)
    assert page.get_by_text(why).is_visible()
    assert not page.get_by_text("Suggestion").is_visible()  # there is none, and it takes no room
    page.get_by_test_id("textarea-region").get_by_text("what so the weather").click()
    page.get_by_test_id("htx-textbox-edit-button").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("Um, what's the weather")
    page.get_by_text("Transcript").click()
    page.get_by_text("Bad audio").click()
    submit(page)

    annotation = submitted(connection, task)
    reading = read_result(annotation["result"])
    assert (reading.text, reading.remarks, reading.problems) == ("Um, what's the weather", ("bad_audio",), ())
    assert annotation["parent_prediction"] is not None
    assert annotation["lead_time"] > 0


def test_a_long_recording_is_labelled_by_segments(
    connection: Connection, page: Any, label_studio: RealServer, tmp_path: Path
) -> None:
    directory = label_studio.document_root / "긴 녹음 #1"
    directory.mkdir(exist_ok=True)
    recording = Path(shutil.copy(RECORDING, directory / "아침 100%.flac"))
    words = [
        {"word": "오늘", "start": 0.2, "end": 0.5},
        {"word": "날시", "start": 0.5, "end": 0.9},
        {"word": "어때요", "start": 1.6, "end": 1.9},
    ]
    told = {"reference": "", "suggestion": "", "why": "", "words": words, "duration": 2.0}
    source = AudioSource(LOCAL, str(label_studio.document_root))
    number, task = project_of(connection, "ko", source, recording, heard="오늘 날시 어때요", **told)

    page.goto(f"{label_studio.url}/projects/{number}/data?task={task['id']}")
    see_waveform(page)
    assert not page.get_by_text("현재 라벨").is_visible()
    page.get_by_text("오늘 날시").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("오늘 날씨")
    page.get_by_text("확실하지 않음").click()
    submit(page)

    reading = read_result(submitted(connection, task)["result"])
    assert (reading.text, reading.remarks, reading.problems) == ("오늘 날씨 어때요", ("unsure",), ())
    assert reading.segments == (Segment(0.2, 0.9, "오늘 날씨"), Segment(1.6, 1.9, "어때요"))


class _Open(SimpleHTTPRequestHandler):
    """Files for pages of any origin, as a team's own audio server gives them."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def audio_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Open, directory=str(CORPUS))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_audio_of_another_server_and_no_pre_label(
    connection: Connection, page: Any, label_studio: RealServer, audio_server: str
) -> None:
    source = AudioSource(URL, url_template=f"{audio_server}/{{path}}")
    told = {"reference": "", "suggestion": "Um, play some jazz", "why": ""}
    number, task = project_of(connection, "en", source, RECORDING, heard="", **told)

    page.goto(f"{label_studio.url}/projects/{number}/data?task={task['id']}")
    see_waveform(page)
    assert page.get_by_text("Um, play some jazz").first.is_visible()
    page.get_by_placeholder("What is said").fill("um play\nsome jazz ")
    page.get_by_text("18 characters").wait_for()
    submit(page)  # without a click on "Add"

    reading = read_result(submitted(connection, task)["result"])
    assert (reading.text, reading.remarks, reading.problems) == ("um play some jazz", (), ())
