"""A project on the real server, a workspace bound to it, and people who annotate there."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from tests.label_studio_server import RealServer
from workbench.config import config_text
from workbench.jobs.local import silent
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.labelling_config import labelling_config
from workbench.label_studio.secret import Secret
from workbench.stages.stage import Outcome
from workbench.stages.sync.binding import Binding, remember
from workbench.stages.sync.pull import pull
from workbench.transcripts import current_transcripts
from workbench.workspace import Workspace


def result(text: str | None, *remarks: str) -> list[dict[str, Any]]:
    """What a labeller's work is stored as."""
    parts: list[dict[str, Any]] = []
    if text is not None:
        parts.append({"id": "t", "from_name": "transcript", "to_name": "audio", "type": "textarea"})
        parts[-1]["value"] = {"text": [text]}
    if remarks:
        parts.append({"id": "r", "from_name": "remarks", "to_name": "audio", "type": "choices"})
        parts[-1]["value"] = {"choices": list(remarks)}
    return parts


def email_of(who: str) -> str:
    return f"{who}@example.com"


def name_of(email: str) -> str:
    return email.removesuffix("@example.com")


def workspace_of(root: Path, utterances: list[str], toml: str = "") -> Workspace:
    workspace = Workspace.create(root, config_text("w", "en", 0.2) + toml)
    rows = [{"utterance_id": name, "recording": f"{name}.wav", "source": "m.csv:1"} for name in utterances]
    workspace.append("utterances", pd.DataFrame(rows))
    return workspace


class LabelledProject:
    """Tasks u1, u2, … of a workspace, each with a prediction; people are known by their emails."""

    def __init__(self, server: RealServer, root: Path, tasks: int = 3, toml: str = "") -> None:
        self.server = server
        self.utterances = [f"u{number}" for number in range(1, tasks + 1)]
        self.workspace = workspace_of(root, self.utterances, toml)
        body = {"title": "labelled", "label_config": labelling_config("en", True)}
        self.project = int(server.ask("POST", "/api/projects/", body)["id"])
        self.mark = uuid.uuid4().hex[:16]
        self.task = self.import_tasks(self.utterances)
        with self.connected() as connection:
            remember(self.workspace, connection, Binding(self.project, self.mark, "labelled"))

    def import_tasks(self, utterances: list[str], mark: str | None = None) -> dict[str, int]:
        tasks = [
            {
                "data": {
                    "audio": f"http://127.0.0.1:9/{name}.wav",
                    "utterance_id": name,
                    "workspace": mark or self.mark,
                }
                | dict.fromkeys(("reference", "suggestion", "why"), ""),
                "predictions": [{"model_version": "run-1", "score": 0.5, "result": result(f"heard in {name}")}],
            }
            for name in utterances
        ]
        reply = self.ask("POST", f"/api/projects/{self.project}/import?return_task_ids=true", tasks)
        return dict(zip(utterances, reply["task_ids"], strict=True))

    def ask(self, method: str, path: str, body: Any = None, who: str | None = None) -> Any:
        return self.server.ask(method, path, body, self.token(who) if who else None)

    def token(self, who: str) -> str:
        return self.server.new_user(email_of(who))

    def annotate(self, utterance: str, who: str, text: str | None, *remarks: str, **more: Any) -> int:
        """Submit an annotation; its number."""
        body = {"result": result(text, *remarks), "lead_time": 3.5} | more
        return int(self.ask("POST", f"/api/tasks/{self.task[utterance]}/annotations/", body, who)["id"])

    def change(self, annotation: int, who: str, text: str | None, *remarks: str, **more: Any) -> None:
        self.ask("PATCH", f"/api/annotations/{annotation}/", {"result": result(text, *remarks)} | more, who)

    def delete(self, annotation: int, who: str) -> None:
        self.ask("DELETE", f"/api/annotations/{annotation}/", who=who)

    def draft(self, utterance: str, who: str, text: str) -> int:
        body = {"result": result(text), "lead_time": 1.0}
        return int(self.ask("POST", f"/api/tasks/{self.task[utterance]}/drafts", body, who)["id"])

    def act(self, action: str, *utterances: str) -> None:
        """A bulk action of the Data Manager."""
        selected = {"all": False, "included": [self.task[name] for name in utterances]}
        query = urlencode({"id": action, "project": self.project})
        self.ask("POST", f"/api/dm/actions/?{query}", {"selectedItems": selected})

    def connected(self) -> Connection:
        return Connection(Credentials(self.server.url, Secret(self.server.token), True))

    def pull(self, **options: bool) -> Outcome:
        with self.connected() as connection:
            return pull(self.workspace, connection, silent, **options)

    def texts(self) -> dict[tuple[str, str], str]:
        """The current texts by utterance and annotator."""
        current = current_transcripts(self.workspace.read("transcripts"))
        rows = zip(current["utterance_id"], current["annotator"], current["text"], strict=True)
        return {(utterance, name_of(annotator)): text for utterance, annotator, text in rows}

    def revisions(self, utterance: str, who: str) -> pd.DataFrame:
        rows = self.workspace.read("transcripts", history=True)
        return rows[(rows["utterance_id"] == utterance) & (rows["annotator"] == email_of(who))]

    def mirrored(self) -> pd.DataFrame:
        """The table `annotations` with short names, by utterance and time."""
        rows = self.workspace.read("annotations")
        rows = rows.assign(annotator=rows["annotator"].map(name_of))
        return rows.sort_values(["utterance_id", "updated_at"], kind="stable").reset_index(drop=True)

    def states(self) -> list[tuple[str, str, str, str]]:
        rows = self.mirrored()
        return list(zip(rows["utterance_id"], rows["annotator"], rows["state"], rows["text"], strict=True))


def imported(utterance: str, annotator: str, text: str) -> pd.DataFrame:
    row = {"utterance_id": utterance, "annotator": annotator, "revision": 1, "text": text, "source": "import"}
    return pd.DataFrame([row | {"created_at": datetime(2026, 1, 1, tzinfo=UTC)}])
