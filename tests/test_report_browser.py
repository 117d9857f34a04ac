"""The page in a real browser: it runs nothing it should not, asks for nothing, fits a phone, and plays its clips."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report_sample import empty, sample
from workbench.report.data import WorstUtterance
from workbench.report.html_page import write_html

CHROMIUM = shutil.which("chromium")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program named chromium on the path")

SIZES = [(1280, 900), (768, 1024), (390, 844)]
SCHEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    return write_html(sample(directory), directory / "report.html")


class Visit:
    """One open page, with everything that it said on the console and asked of the network."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_page_is_quiet_and_fits(browser: Any, report: Path, width: int, height: int, scheme: str) -> None:
    with Visit(browser, report, width, height, scheme) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert visit.said == []
        assert [url for url in visit.asked if not url.startswith(("file:", "data:"))] == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        beyond = (
            "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        )
        assert visit.page.evaluate(f"{beyond}.map(e => e.outerHTML.slice(0, 120))") == []


def test_nothing_in_a_transcript_is_run(browser: Any, tmp_path: Path) -> None:
    hostile = write_html(sample(tmp_path, hostile_title=True), tmp_path / "report.html")
    with Visit(browser, hostile) as visit:
        visit.page.wait_for_timeout(100)
        assert visit.page.evaluate("window.pwned") is None
        assert visit.page.title() == "<script>window.pwned = true</script>"


def test_the_policy_stops_what_would_be_put_in(browser: Any, report: Path) -> None:
    with Visit(browser, report) as visit:
        visit.page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.pwned = true';"
            "document.body.append(s); const i = new Image(); i.src = 'http://127.0.0.1:9/x.png';"
            "document.body.append(i) }"
        )
        visit.page.wait_for_timeout(100)
        assert visit.page.evaluate("window.pwned") is None
        assert len([line for line in visit.said if "Content Security Policy" in line]) >= 2


PLAYED = "audio => audio.readyState >= 2 && audio.currentTime > 0"


def test_the_play_button_plays_and_pauses_and_one_at_a_time(browser: Any, report: Path) -> None:
    with Visit(browser, report) as visit:
        first, second = visit.page.locator(".play").all()
        clips = visit.page.locator("audio").element_handles()
        assert first.get_attribute("aria-label") == "Play clip-0311"
        first.click()
        visit.page.wait_for_function(PLAYED, arg=clips[0])
        assert first.get_attribute("aria-label") == "Pause clip-0311"
        second.click()
        visit.page.wait_for_function(PLAYED, arg=clips[1])
        assert clips[0].evaluate("audio => audio.paused")
        visit.page.wait_for_function("audio => audio.ended", arg=clips[1])
        assert second.get_attribute("aria-label") == "Play clip-0512"
        assert visit.said == []


def test_a_real_flac_recording_plays(browser: Any, shared_data: Path, tmp_path: Path) -> None:
    flac = next(iter(sorted((shared_data / "speechocean762").rglob("*.flac"))))
    worst = [WorstUtterance("u", "s", "a", "b", 1.0, 1, [("substitute", "a", "b")], flac)]
    with Visit(browser, write_html(replace(empty(), worst=worst), tmp_path / "report.html")) as visit:
        visit.page.locator(".play").click()
        visit.page.wait_for_function(PLAYED, arg=visit.page.locator("audio").element_handle())


def test_without_scripts_the_browser_s_own_player_is_there(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("audio[controls]").count() == 2
    assert page.locator("audio").first.bounding_box()["height"] > 20
    assert page.locator(".play").count() == 0
    context.close()


def test_the_contents_stay_in_sight_and_show_where_one_is(browser: Any, report: Path) -> None:
    for width, height in SIZES:
        with Visit(browser, report, width, height) as visit:
            visit.page.locator(".contents a", has_text="Conventions").click()
            visit.page.wait_for_function(
                "() => document.querySelector('.contents [aria-current]')?.hash === '#conventions'"
            )
            box = visit.page.locator(".contents").bounding_box()
            title = visit.page.locator("#conventions-title").bounding_box()
            assert 0 <= box["y"] < 40
            assert title["y"] >= (box["y"] + box["height"] if width <= 1088 else 0)


def test_printing_opens_what_is_folded_and_hides_what_only_works_on_a_screen(browser: Any, report: Path) -> None:
    with Visit(browser, report, scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert visit.page.locator(".backlog details:not([open])").count() == 0
        assert not visit.page.locator(".contents").is_visible()
        assert not visit.page.locator(".play").first.is_visible()
        assert visit.page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 29, 33)"
        visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert visit.page.locator(".backlog details[open]").count() == 0


def test_an_empty_report_is_a_page_all_the_same(browser: Any, tmp_path: Path) -> None:
    with Visit(browser, write_html(empty(), tmp_path / "report.html"), 390, 844) as visit:
        assert visit.said == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert visit.page.locator(".none").count() >= 8
