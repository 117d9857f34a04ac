"""A labelled round as a team goes through it: real recordings, the real server, three people, one of them in a browser.

Every step is a command as a person types it; what is looked at is what it prints and what the server holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import test_labelling_browser
from tests.fault_proxy import FaultProxy
from tests.label_studio_server import RealServer
from tests.labelled_project import result
from tests.test_cli import run
from tests.test_labelling_browser import browser, see_waveform, session, submit
from workbench.label_studio.records import AUDIO, KEY

__all__ = ["browser", "session"]  # the fixtures that the tests here take

pytestmark = test_labelling_browser.pytestmark

A, B = "ann_a@example.com", "ann_b@example.com"
UTTERANCES = 32
HEARD = 6
"""Utterances of a first delivery, which the recogniser hears: few and short, so that the round is quick."""
JOKE = "010370380"
"""YOUR JOBS ARE A JOKE: what one hears in a browser, and the other otherwise."""
WRONG = "000240287"
"""YOU PUT IT ON WRONG: what two hear differently."""


class Round:
    """A workspace, the server behind a proxy that counts requests, and people who label there."""

    def __init__(
        self,
        root: Path,
        server: RealServer,
        proxy: FaultProxy,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.root, self.server, self.proxy = root, server, proxy
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self.printed = ""

    def run(self, command: str, *more: str | Path, code: int = 0) -> str:
        """What a command prints, on either stream."""
        name: list[str | Path] = [*command.split(), *more]
        place: list[str | Path] = [] if name[0] == "init" else ["-w", self.root]
        ended, out, err = run(self._capsys, self._monkeypatch, *name, *place)
        assert ended == code, out + err
        self.printed = out + err
        return self.printed

    def rows(self, command: str) -> Any:
        """What a command prints as JSON."""
        ended, out, err = run(self._capsys, self._monkeypatch, *command.split(), "--format", "json", "-w", self.root)
        assert ended == 0, err
        return json.loads(out)

    def writes(self) -> list[str]:
        """The requests since the last look that could change something on the server."""
        seen, self.proxy.seen = self.proxy.seen, []
        return [f"{method} {path}" for method, path, _ in seen if method != "GET"]

    @property
    def project(self) -> int:
        return int(self.rows("sync connect")[0]["project"])

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The tasks by utterance as the server exports them; each exists once."""
        path = f"/api/projects/{self.project}/export?exportType=JSON&download_all_tasks=true"
        tasks = self.server.ask("GET", path)
        found = {task["data"][KEY]: task for task in tasks}
        assert len(found) == len(tasks)
        return found

    def annotate(self, task: dict[str, Any], who: str, text: str) -> None:
        body = {"result": result(text), "lead_time": 4.0}
        self.server.ask("POST", f"/api/tasks/{task['id']}/annotations/", body, self.server.new_user(who))

    def annotations(self, *, of_people: bool) -> dict[str, str]:
        """The annotations of people, or else of the workbench's account, by unique id, as the server exports them."""
        accounts = {one["id"]: one["email"] for one in self.server.ask("GET", "/api/users/")}
        found = {}
        for task in self.tasks().values():
            for annotation in task["annotations"]:
                if (accounts[annotation["completed_by"]] != self.server.admin) == of_people:
                    # How long ago a prediction was made is the one thing that changes by itself.
                    annotation.get("prediction", {}).pop("created_ago", None)
                    found[annotation["unique_id"]] = json.dumps(annotation, sort_keys=True)
        return found

    def texts(self) -> dict[tuple[str, str], str]:
        """The current texts by utterance and annotator."""
        history = self.rows("show transcripts")
        latest = {(row["utterance_id"], row["annotator"]): row for row in sorted(history, key=lambda r: r["revision"])}
        return {key: row["text"] for key, row in latest.items()}


def shortest(corpus: Path) -> list[str]:
    """The shortest utterances of the corpus, those that the test speaks of first."""
    sizes = {file.stem: file.stat().st_size for file in (corpus / "audio").iterdir()}
    return sorted(sizes, key=lambda name: (name not in (JOKE, WRONG), sizes[name], name))[:UTTERANCES]


def delivery(corpus: Path, to: Path, names: list[str]) -> Path:
    """A Kaldi data directory with these utterances of the corpus."""
    to.mkdir()
    for table in ("wav.scp", "text", "utt2spk"):
        rows = dict(line.split(maxsplit=1) for line in (corpus / table).read_text(encoding="utf-8").splitlines())
        before = f"{corpus}/" if table == "wav.scp" else ""
        lines = [f"{name} {before}{rows[name]}\n" for name in sorted(names)]
        (to / table).write_text("".join(lines), encoding="utf-8")
    return to


@pytest.fixture
def labelling(
    shared_data: Path,
    label_studio: RealServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Round]:
    """A workspace of real recordings that a recogniser has heard, and of which nothing is on a server yet."""
    with FaultProxy(label_studio.url) as proxy:
        monkeypatch.setenv("LABEL_STUDIO_URL", proxy.url)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.token)
        made = Round(tmp_path / "children", label_studio, proxy, capsys, monkeypatch)
        made.run("init", made.root)
        corpus = shared_data / "speechocean762"
        names = shortest(corpus)
        made.run("import", delivery(corpus, tmp_path / "first delivery", names[:HEARD]))
        made.run("normalize")
        made.run("transcribe")
        made.run("score")
        made.run("import", delivery(corpus, tmp_path / "second delivery", names[HEARD:]))
        made.run("normalize")
        made.run("check")
        yield made


def label_in_the_browser(session: Any, address: str, heard: str, shown: str, text: str) -> None:
    """As a person does it: open the task, wait for the waveform, type over what was heard, submit."""
    page = session.new_page()
    page.set_default_timeout(test_labelling_browser.MOST)
    page.goto(address)
    see_waveform(page)
    assert page.get_by_text(shown).first.is_visible()
    page.get_by_test_id("textarea-region").get_by_text(heard, exact=True).click()
    page.get_by_test_id("htx-textbox-edit-button").click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.get_by_role("heading", name="Transcript").click()
    submit(page)
    page.close()


def test_a_labelled_round(labelling: Round, session: Any, label_studio: RealServer) -> None:
    # Every utterance becomes a task, with its audio and, where there is one, its hypothesis.
    labelling.run("sync push")
    assert f"to label: {labelling.proxy.url}/projects/{labelling.project}/data" in labelling.printed
    assert labelling.writes()
    tasks = labelling.tasks()
    assert len(tasks) == UTTERANCES
    assert sum(task["total_predictions"] for task in tasks.values()) == HEARD
    assert len({task["data"][AUDIO] for task in tasks.values()}) == UTTERANCES
    assert tasks[JOKE]["data"]["reference"] == "YOUR JOBS ARE A JOKE"

    # A second push sends nothing.
    labelling.run("sync push")
    assert labelling.writes() == []
    assert labelling.tasks() == tasks

    # Two people label twelve of them, and differ; one of the tasks is labelled in a browser.
    said = {name: task["data"]["reference"].lower() for name, task in tasks.items()}
    both = sorted(set(said) - {JOKE, WRONG})[:10]
    texts = {(name, who): said[name] for name in [*both, WRONG] for who in (A, B)}
    texts[WRONG, B] = "you put it on long"
    for name in both[:3]:
        texts[name, A] = texts[name, B] = f"okay {said[name]}"
    texts[both[2], B] = f"ok {said[both[2]]}"
    for (name, who), text in texts.items():
        labelling.annotate(tasks[name], who, text)
    heard = {row["utterance_id"]: row["text"] for row in labelling.rows("show hypotheses")}
    address = f"{label_studio.url}/projects/{labelling.project}/data?task={tasks[JOKE]['id']}"
    label_in_the_browser(session, address, heard[JOKE], "YOUR JOBS ARE A JOKE", "your jokes are a job")
    labelling.annotate(tasks[JOKE], B, said[JOKE])
    texts |= {(JOKE, A): "your jokes are a job", (JOKE, B): said[JOKE]}

    labelling.run("sync status --section waiting")
    assert "tasks that changed there (12)" in labelling.printed
    labelling.writes()
    labelling.run("sync pull")
    assert "24 new" in labelling.printed
    assert labelling.writes() == []
    assert {key: text for key, text in labelling.texts().items() if key[1] != "reference"} == texts

    # The check finds where they disagree, and the labeller who opens the task is told.
    assert "conflict.content" in labelling.run("check")
    flags = labelling.rows("flags --rule conflict.content")
    groups = {flag["group"]: (flag["rule_id"], flag["annotator"], flag["text"]) for flag in flags}
    assert groups[f"utterance:{JOKE}"] == ("conflict.content", A, "your jokes are a job")
    assert groups[f"utterance:{WRONG}"] == ("conflict.content", B, "you put it on long")
    labelling.run("sync push")
    assert {request.split()[0] for request in labelling.writes()} == {"PATCH"}
    data = labelling.tasks()[JOKE]["data"]
    assert "conflict.content" in data["flags"].split(", ")
    assert "2 of 3 transcripts of this audio" in data["why"]

    # How far they agree: three words of two utterances, and one spelling.
    printed = labelling.run("sync status --section agreement --section pairs")
    assert "Krippendorff's alpha" in printed
    status = labelling.rows("sync status --section agreement --section pairs")
    (pair,), (whole,) = status["pairs"], status["agreement"]
    assert (pair["annotator_a"], pair["annotator_b"], pair["utterances"], pair["same"]) == (A, B, 12, 9)
    assert pair["errors"] == 4
    assert 0 < whole["alpha"] < 1

    # One spelling for all: a new annotation by the workbench's account beside the labeller's own, and back again.
    before = labelling.annotations(of_people=True)
    assert len(before) == 24
    printed = labelling.run("conventions apply spelling.okay --form okay --all --reason", "guideline 3")
    here = printed.split("workbench conventions undo ")[1].split()[0]
    assert "1 can be sent with workbench sync fixes push" in labelling.run("sync fixes")
    printed = labelling.run("sync fixes push --reason", "guideline 3")
    there = printed.split("workbench sync fixes undo ")[1].split()[0]
    (sent,) = labelling.annotations(of_people=False).values()
    assert f"okay {said[both[2]]}" in sent
    assert "guideline 3" in sent
    assert labelling.annotations(of_people=True) == before
    labelling.run("sync pull")
    assert "24 unchanged, 1 ours" in labelling.printed
    assert [request.split()[0] for request in labelling.writes()] == ["POST"]

    assert "1 is not on the server any more" in labelling.run("sync fixes undo", there)
    assert [request.split()[0] for request in labelling.writes()] == ["DELETE"]
    assert labelling.annotations(of_people=False) == {}
    assert labelling.annotations(of_people=True) == before

    # Nothing new comes, and here too the labeller's text stands again.
    fixed = labelling.texts()
    assert "24 unchanged" in labelling.run("sync pull")
    assert labelling.texts() == fixed
    assert fixed[both[2], B] == f"okay {said[both[2]]}"
    labelling.run("conventions undo", here)
    assert {key: text for key, text in labelling.texts().items() if key[1] != "reference"} == texts
    assert "24 unchanged" in labelling.run("sync pull")
    assert labelling.writes() == []
