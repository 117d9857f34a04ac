"""A workspace with hypotheses of two runs, and the project that it is pushed to through a proxy."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from tests.fault_proxy import FaultProxy
from tests.label_studio_server import RealServer
from workbench.config import config_text
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.secret import Secret
from workbench.stages.stage import Outcome
from workbench.stages.sync.binding import known_binding
from workbench.stages.sync.choice import parse_only
from workbench.stages.sync.push import push
from workbench.workspace import Workspace

RUNS = ("first-run", "second-run")
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def workspace_of(root: Path, utterances: int) -> Workspace:
    """Utterances utt00000, … with a reference and a hypothesis of each run; the audio is behind addresses."""
    toml = config_text(f"pushed {root.name}", "en", 0.2)
    toml = toml.replace('audio = "upload"', 'audio = "url"')
    toml = toml.replace('url_template = ""', 'url_template = "https://audio.example.com/{utterance_id}.wav"')
    workspace = Workspace.create(root, toml)
    names = pd.Series([f"utt{number:05}" for number in range(utterances)])
    known = {"recording": names + ".wav", "duration": 2.5, "speaker": "spk1", "source": "manifest.csv:2"}
    workspace.append("utterances", pd.DataFrame({"utterance_id": names, **known}))
    written = {"annotator": "reference", "revision": 1, "text": "one " + names, "created_at": BEGUN, "source": "import"}
    workspace.append("transcripts", pd.DataFrame({"utterance_id": names, **written}))
    for number, run in enumerate(RUNS):
        row = {"run_id": run, "backend": "imported", "model": f"model {number}", "parameters": "{}", "finished": True}
        row |= {"started_at": BEGUN + timedelta(days=number), "utterances": utterances}
        workspace.append("runs", pd.DataFrame([row]))
        heard = {"run_id": run, "text": "won " + names, "confidence": 0.5, "audio": ""}
        workspace.append("hypotheses", pd.DataFrame({"utterance_id": names, **heard}))
    return workspace


def transcript_result(text: str) -> list[dict[str, Any]]:
    """What the server's editor makes of a text."""
    value = {"text": [text]}
    return [{"id": "typed", "from_name": "transcript", "to_name": "audio", "type": "textarea", "value": value}]


class PushedProject:
    """A workspace, the server, and the proxy between them, which sees every request."""

    def __init__(self, workspace: Workspace, server: RealServer, proxy: FaultProxy) -> None:
        self.workspace, self.server, self.proxy = workspace, server, proxy

    def connection(self) -> Connection:
        return Connection(Credentials(self.proxy.url, Secret(self.server.token)), pause=0.05)

    def push(self, only: list[str] | None = None, **options: Any) -> Outcome:
        with self.connection() as connection:
            return push(self.workspace, connection, parse_only(only or []), **options)

    @property
    def project(self) -> int:
        with self.connection() as connection:
            binding = known_binding(self.workspace, connection)
        assert binding is not None
        return binding.project_id

    @property
    def mark(self) -> str:
        return str(self.workspace.read("sync_project")["mark"].iloc[-1])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the server answers to somebody else."""
        return self.server.ask(method, path, body)

    def all_tasks(self) -> list[dict[str, Any]]:
        """The tasks as the server exports them, with annotations and drafts."""
        tasks: list[dict[str, Any]] = self.ask(
            "GET", f"/api/projects/{self.project}/export?exportType=JSON&download_all_tasks=true"
        )
        return tasks

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The tasks by utterance; each exists once."""
        tasks = self.all_tasks()
        assert len({task["data"]["utterance_id"] for task in tasks}) == len(tasks)
        return {task["data"]["utterance_id"]: task for task in tasks}

    def predictions(self) -> list[dict[str, Any]]:
        several: list[dict[str, Any]] = self.ask("GET", f"/api/predictions/?project={self.project}")
        return several

    def add_task(self, data: Any) -> int:
        """The number of a task that a person imports."""
        made = self.ask("POST", f"/api/projects/{self.project}/import?return_task_ids=true", [{"data": data}])
        return int(made["task_ids"][0])

    def annotate(self, task: int, text: str = "hello") -> None:
        self.ask("POST", f"/api/tasks/{task}/annotations/", {"result": transcript_result(text)})

    def begin(self, task: int, text: str = "hm") -> None:
        """Leave a draft."""
        self.ask("POST", f"/api/tasks/{task}/drafts", {"result": transcript_result(text)})

    def writes(self) -> list[tuple[str, str, str]]:
        """The requests seen that could change something."""
        return [one for one in self.proxy.seen if one[0] != "GET"]

    def choose(self, number: int) -> None:
        """Name a project in workbench.toml."""
        self.configure("project = 0 ", f"project = {number} ")

    def configure(self, old: str, new: str) -> None:
        file = self.workspace.root / "workbench.toml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        self.workspace = Workspace.open(self.workspace.root)

    def remove(self, *names: str) -> None:
        """Take utterances out of the workspace, as a new import into an empty one would."""
        for table in ("utterances", "transcripts", "hypotheses"):
            frame = self.workspace.read(table)
            self.forget(table)
            self.workspace.append(table, frame[~frame["utterance_id"].isin(names)])

    def forget(self, table: str) -> None:
        """Take everything out of a table."""
        for part in (self.workspace.root / "tables" / table).iterdir():
            part.unlink()

    def check_whole(self) -> None:
        """Every task and prediction is there, and exactly once."""
        tasks = self.all_tasks()
        names = self.workspace.read("utterances")["utterance_id"].tolist()
        assert Counter(task["data"]["utterance_id"] for task in tasks) == dict.fromkeys(names, 1)
        runs = Counter((one["task"], one["model_version"]) for one in self.predictions())
        assert runs == {(task["id"], run): 1 for task in tasks for run in RUNS}
