"""A round of labelling on a real server, for `sync_faults.py` and `bench_sync.py`: a workspace, people, and the proof.

`make_workspace` gives utterances with two runs of hypotheses, `People` work on the server directly, and `problems`
compares what they did with what the server holds and with what the workspace holds.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.label_studio_server import RealServer
    from workbench.workspace import Workspace

_RUNS = 2
ANNOTATORS = ("ann_a", "ann_b")
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
_SENTENCE = "the weather today is warm and tomorrow it rains in the north of the country until the evening"


def make_workspace(root: Path, utterances: int, seed: int = 0) -> Workspace:
    """A workspace of utterances with references and the hypotheses of two runs; the audio is behind addresses."""
    import pandas as pd

    from workbench.config import config_text
    from workbench.workspace import Workspace

    toml = config_text(f"faults {seed}", "en", 0.2)
    for name, value in {
        'audio = "upload"': 'audio = "url"',
        'url_template = ""': 'url_template = "https://audio.example.com/{utterance_id}.wav"',
        "[label_studio.annotators]": "[label_studio.annotators]\n"
        + "\n".join(f'"{email(annotator)}" = "{annotator}"' for annotator in ANNOTATORS)
        + "\n#",
    }.items():
        assert name in toml, f"workbench.toml has no {name!r} to set"
        toml = toml.replace(name, value)
    workspace = Workspace.create(root, toml)
    chance = random.Random(seed)
    names = [f"utt{number:05}" for number in range(utterances)]
    words = _SENTENCE.split()
    texts = [" ".join(chance.choices(words, k=chance.randint(3, 12))) for _ in names]
    workspace.append(
        "utterances",
        pd.DataFrame(
            {
                "utterance_id": names,
                "recording": [f"{name}.wav" for name in names],
                "duration": [round(chance.uniform(1, 9), 2) for _ in names],
                "speaker": [f"spk{chance.randint(1, 9)}" for _ in names],
                "source": [f"manifest.csv:{line}" for line in range(2, utterances + 2)],
            }
        ),
    )
    workspace.append(
        "transcripts",
        pd.DataFrame(
            {
                "utterance_id": names,
                "annotator": "reference",
                "revision": 1,
                "text": texts,
                "created_at": _BEGUN,
                "source": "import",
            }
        ),
    )
    for _ in range(_RUNS):
        _add_run(workspace, chance)
    return workspace


def _add_run(workspace: Workspace, chance: random.Random) -> None:
    """The hypotheses of one more model."""
    import pandas as pd

    texts = workspace.read("transcripts").query("source == 'import'")
    number, count = len(workspace.read("runs")) + 1, len(texts)
    run = {"run_id": f"run-{number}", "backend": "imported", "model": f"model {number}", "parameters": "{}"}
    begun = _BEGUN + timedelta(days=number)
    workspace.append("runs", pd.DataFrame([run | {"started_at": begun, "utterances": count, "finished": True}]))
    heard = {
        "utterance_id": texts["utterance_id"],
        "run_id": run["run_id"],
        "text": [" ".join(word for word in text.split() if chance.random() > 0.2) or "the" for text in texts["text"]],
        "confidence": [round(chance.random(), 3) for _ in range(count)],
        "audio": "",
    }
    workspace.append("hypotheses", pd.DataFrame(heard))


def change_workspace(workspace: Workspace, chance: random.Random) -> None:
    """Add a run, and have a tenth of the utterances spoken by somebody else."""
    utterances = workspace.read("utterances")
    some = utterances.iloc[sorted(chance.sample(range(len(utterances)), max(1, len(utterances) // 10)))]
    workspace.append("utterances", some.assign(speaker=some["speaker"] + "0"))
    _add_run(workspace, chance)


def email(annotator: str) -> str:
    """The address that an annotator has on the server."""
    return f"{annotator}@example.com"


def project_of(workspace: Workspace) -> int:
    """The project that a workspace was pushed to."""
    return int(workspace.read("sync_project")["project_id"].iloc[-1])


def transcript_result(text: str) -> list[dict[str, Any]]:
    """What the server's editor makes of a text typed into the field; nothing of none."""
    value = {"text": [text]}
    part = {"id": "typed", "from_name": "transcript", "to_name": "audio", "type": "textarea", "value": value}
    return [part] if text else []


@dataclass(frozen=True)
class Said:
    """What a person did in a task, as the server stored it last.

    Attributes:
        uid: of the annotation; of a draft `draft-` and its number.
        number: the annotation's number on the server.
        versions: its times of change, the last one first; a submitted text each.
    """

    uid: str
    number: int
    utterance_id: str
    annotator: str
    state: str
    text: str
    versions: tuple[str, ...] = ()


@dataclass
class People:
    """Annotators at work on the server itself, who leave nothing that is not written down here."""

    server: RealServer
    tokens: Mapping[str, str]
    said: dict[str, Said] = field(default_factory=dict)

    def annotate(self, tasks: Mapping[str, int], chance: random.Random, shares: Mapping[str, float]) -> None:
        """Have each annotator work on a share of the tasks: most submit a text, some skip, empty, or only begin."""
        for annotator, share in shares.items():
            names = sorted(tasks)
            for name in chance.sample(names, round(share * len(names))):
                state = chance.choices(
                    ("submitted", "skipped", "cancelled", "empty", "draft"), (0.84, 0.04, 0.04, 0.04, 0.04)
                )[0]
                self._work(annotator, name, tasks[name], state, chance)

    def _work(self, annotator: str, name: str, task: int, state: str, chance: random.Random) -> None:
        uid = str(uuid.uuid4())
        text = "" if state in ("skipped", "empty") else f"{annotator} heard {uid[:8]} in {name}"
        body: dict[str, Any] = {"result": transcript_result(text), "lead_time": round(chance.uniform(2, 90), 1)}
        token = self.tokens[annotator]
        if state == "draft":
            made = self.server.ask("POST", f"/api/tasks/{task}/drafts", body, token=token)
            uid = f"draft-{made['id']}"
        else:
            body |= {"unique_id": uid, "was_cancelled": state in ("skipped", "cancelled")}
            made = self.server.ask("POST", f"/api/tasks/{task}/annotations/", body, token=token)
        self.said[uid] = Said(uid, made["id"], name, annotator, state, text, (made["updated_at"],))

    def reconsider(self, chance: random.Random, edits: int, deletions: int) -> None:
        """Have annotators correct some of their submitted texts, and delete some."""
        submitted = [one for one in self.said.values() if one.state == "submitted"]
        chosen = chance.sample(submitted, min(edits + deletions, len(submitted)))
        for number, one in enumerate(chosen):
            path, token = f"/api/annotations/{one.number}/", self.tokens[one.annotator]
            if number < deletions:
                self.server.ask("DELETE", path, token=token)
                self.said[one.uid] = replace(one, state="deleted")
            else:
                text = f"{one.text}, or so"
                made = self.server.ask("PATCH", path, {"result": transcript_result(text)}, token=token)
                self.said[one.uid] = replace(one, text=text, versions=(made["updated_at"], *one.versions))


@dataclass(frozen=True)
class There:
    """What a server holds of a project, as it says itself."""

    tasks: list[dict[str, Any]]
    predictions: list[dict[str, Any]]

    def task_ids(self) -> dict[str, int]:
        """The task of each utterance; the last one of several."""
        return {task["data"]["utterance_id"]: task["id"] for task in self.tasks}

    @property
    def annotations(self) -> int:
        return sum(len(task["annotations"]) for task in self.tasks)


def there(server: RealServer, project: int) -> There:
    """Ask the server directly: its export of every task, and its predictions."""
    tasks = server.ask("GET", f"/api/projects/{project}/export?exportType=JSON&download_all_tasks=true")
    return There(tasks, server.ask("GET", f"/api/predictions/?project={project}"))


def problems(workspace: Workspace, held: There, people: People, pulled: bool = True) -> list[str]:
    """What is not as it must be, each in a sentence; empty: every thing exists exactly once and nothing is lost.

    Args:
        held: what the server holds now.
        pulled: whether a pull has ended since people did anything.
    """
    found = [*_task_problems(workspace, held), *_server_problems(held, people)]
    return found + (_workspace_problems(workspace, people) if pulled else [])


def _once(what: str, wanted: list[Any], counts: Counter[Any]) -> list[str]:
    missing = [one for one in wanted if not counts[one]]
    twice = [one for one in counts if counts[one] > 1]
    other = sorted(set(counts) - set(wanted), key=str)
    return [
        f"{len(some)} {what} {how}, as {some[0]}"
        for some, how in ((missing, "missing"), (twice, "more than once"), (other, "that nobody asked for"))
        if some
    ]


def _task_problems(workspace: Workspace, held: There) -> list[str]:
    """Whether every utterance is one task, with its data, and every hypothesis one prediction."""
    utterances = workspace.read("utterances")
    names = utterances["utterance_id"].tolist()
    tasks = {task["id"]: task["data"].get("utterance_id") for task in held.tasks}
    hypotheses = workspace.read("hypotheses")
    heard = dict(
        zip(zip(hypotheses["utterance_id"], hypotheses["run_id"], strict=True), hypotheses["text"], strict=True)
    )
    predicted = [(tasks.get(one["task"]), one["model_version"], _text(one["result"])) for one in held.predictions]
    found = _once("tasks", names, Counter(tasks.values()))
    found += _once("predictions", list(heard), Counter((name, run) for name, run, _ in predicted))
    speakers = dict(zip(names, utterances["speaker"], strict=True))
    data = {task["data"].get("utterance_id"): task["data"] for task in held.tasks}
    other = [name for name in names if name in data and data[name].get("speaker") != speakers[name]]
    other += [str(name) for name, run, text in predicted if heard.get((str(name), run), text) != text]
    return found + ([f"{len(other)} tasks and predictions are not as here, as of {other[0]}"] if other else [])


def _text(result: list[dict[str, Any]]) -> str:
    return " ".join(text for part in result if part["from_name"] == "transcript" for text in part["value"]["text"])


def _server_problems(held: There, people: People) -> list[str]:
    """Whether the server has what people did, as they did it, and nothing else."""
    found = []
    annotations = [(task, one) for task in held.tasks for one in task["annotations"]]
    wanted = [one.uid for one in people.said.values() if one.state not in ("deleted", "draft")]
    found += _once("annotations on the server", wanted, Counter(one["unique_id"] for _, one in annotations))
    drafts = Counter(f"draft-{draft['id']}" for task in held.tasks for draft in task["drafts"])
    found += _once("drafts", [one.uid for one in people.said.values() if one.state == "draft"], drafts)
    for task, one in annotations:
        said = people.said.get(one["unique_id"])
        if said is None:
            continue
        is_skip = said.state in ("skipped", "cancelled")
        as_said = (said.utterance_id, said.text, is_skip, said.versions[0])
        if as_said != (task["data"]["utterance_id"], _text(one["result"]), one["was_cancelled"], one["updated_at"]):
            found.append(f"annotation {said.uid} is not as {said.annotator} left it")
    return found


def _workspace_problems(workspace: Workspace, people: People) -> list[str]:
    """Whether the workspace has every annotation once, as it stands now, and each text of it as one revision."""
    found = []
    seen = workspace.read("annotations").to_dict("records")
    found += _once("annotations in the workspace", list(people.said), Counter(row["uid"] for row in seen))
    for row in seen:
        said = people.said.get(row["uid"])
        if said and (said.utterance_id, said.annotator, said.state, said.text) != (
            row["utterance_id"],
            row["annotator"],
            row["state"],
            row["text"],
        ):
            found.append(
                f"annotation {said.uid} of {said.annotator} is {row['state']} {row['text']!r} here and "
                f"{said.state} {said.text!r} there"
            )
    revisions = workspace.read("transcripts", history=True)
    pulled = revisions[revisions["source"] == "label_studio"]
    versions = Counter(tuple(detail.split()[-2:]) for detail in pulled["source_detail"])
    wanted = [
        (version, one.uid)
        for one in people.said.values()
        if one.state == "submitted" or (one.state == "deleted" and one.text)
        for version in one.versions
    ]
    found += _once("submitted texts in the transcripts", wanted, versions)
    latest = revisions.sort_values("revision").groupby(["utterance_id", "annotator"])["text"].last()
    for said in people.said.values():
        if said.state == "submitted" and latest.get((said.utterance_id, said.annotator)) != said.text:
            found.append(f"{said.annotator}'s transcript of {said.utterance_id} is not {said.text!r}")
    untouched = revisions[revisions["source"] == "import"]
    if len(untouched) != workspace.read("utterances").shape[0]:
        found.append(f"{len(untouched)} imported transcripts are left")
    return found
