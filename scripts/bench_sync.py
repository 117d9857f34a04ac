"""Time of `workbench sync` on a real server beside the plainest loops over label-studio-sdk that do the same.

    python scripts/bench_sync.py [--tasks N] [--annotated N] [--repeats N]

A Label Studio server of its own with a SQLite database, on this machine. Push: a new project, its tasks, the
predictions of two runs, saved tabs and the run that labellers begin with, beside `projects.create`, one
`projects.import_tasks`, `views.create` and `projects.update`; and beside the first two alone, which is less. Second
push: beside listing the tasks and importing what is missing, which is nothing. Full pull: beside
`tasks.list(fields="all")` read to its end, with pages as they come and of a thousand, and beside
`projects.exports.as_json`; these only read, and write nothing down. Pull of ten changed tasks: beside the same list
with a filter on `updated_at`, which sees no deletion, beside the whole list, which does, and against one listing of
ours. Each repeat runs all of them in turn, in another order each time. Prints a Markdown table of medians.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.sync_faults import tokens
from scripts.sync_round import People, make_workspace, problems, project_of, there

if TYPE_CHECKING:
    from tests.label_studio_server import RealServer
    from workbench.label_studio.connection import Connection
    from workbench.label_studio.records import WantedTask
    from workbench.workspace import Workspace

OURS = "workbench"
_CHANGED = 10
_GOAL_SECONDS = 1.0

Times = dict[str, dict[str, list[float]]]
"""Seconds of each repeat, by what was done and by whom."""


@contextmanager
def _connected(server: RealServer) -> Iterator[Connection]:
    from workbench.label_studio.connection import Connection
    from workbench.label_studio.credentials import Credentials
    from workbench.label_studio.secret import Secret

    with Connection(Credentials(server.url, Secret(server.token))) as connection:
        yield connection


def _push(server: RealServer, workspace: Workspace) -> dict[str, Any]:
    from workbench.stages.sync.push import push

    with _connected(server) as connection:
        return push(workspace, connection).counts


def _pull(server: RealServer, workspace: Workspace) -> dict[str, Any]:
    from workbench.stages.sync.pull import pull

    with _connected(server) as connection:
        return pull(workspace, connection).counts


def _sdk(server: RealServer) -> Any:
    from label_studio_sdk import LabelStudio

    return LabelStudio(base_url=server.url, api_key=server.token)


class _Competitor:
    """What a script of a few lines over the SDK does."""

    def __init__(self, server: RealServer, tasks: list[WantedTask]) -> None:
        self._server = server
        self._tasks: list[dict[str, Any]] = [
            {
                "data": task.data,
                "predictions": [
                    {"model_version": one.model_version, "score": one.score, "result": one.result}
                    for one in task.predictions
                ],
            }
            for task in tasks
        ]

    def push(self, tabs: bool = True) -> int:
        """A new project with all tasks, and with tabs."""
        from workbench.label_studio.labelling_config import labelling_config
        from workbench.label_studio.tabs import wanted_tabs

        client = _sdk(self._server)
        project = client.projects.create(title="by the SDK", label_config=labelling_config("en", False))
        client.projects.import_tasks(id=project.id, request=self._tasks)
        if tabs:
            client.views.create(project=project.id, data={"title": "Default"})
            for tab in wanted_tabs([]):
                filters = {"conjunction": "and", "items": list(tab.filters)}
                client.views.create(project=project.id, data={"title": tab.title, "filters": filters})
            version = self._tasks[0]["predictions"][-1]["model_version"]
            client.projects.update(id=project.id, model_version=version)
        return int(project.id)

    def push_again(self, project: int) -> None:
        client = _sdk(self._server)
        held = {task.data["utterance_id"] for task in client.tasks.list(project=project, fields="task_only")}
        lacking = [task for task in self._tasks if task["data"]["utterance_id"] not in held]
        assert not lacking, f"{len(lacking)} tasks are not in the SDK's list"

    def pull(self, project: int, **options: Any) -> int:
        """How many annotations there are."""
        tasks = _sdk(self._server).tasks.list(project=project, fields="all", **options)
        return sum(1 for task in tasks for one in task.annotations if one["result"] is not None)

    def export(self, project: int) -> int:
        """The same from one export."""
        tasks = _sdk(self._server).projects.exports.as_json(project)
        return sum(1 for task in tasks for one in task["annotations"] if one["result"] is not None)


def _timed(times: dict[str, list[float]], who: str, work: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    result = work()
    times.setdefault(who, []).append(time.perf_counter() - started)
    return result


def _in_turn(times: dict[str, list[float]], repeat: int, ways: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """Do all of it, begun with another one each time."""
    names = list(ways)
    turn = repeat % len(names)
    return {name: _timed(times, name, ways[name]) for name in (*names[turn:], *names[:turn])}


def _bench_push(server: RealServer, place: Path, tasks: int, repeats: int, times: Times) -> Workspace:
    """The last workspace, pushed."""
    from workbench.stages.sync.wanted import wanted_tasks

    pushed = None
    for repeat in range(-1, repeats):
        # The first, small one is not counted: it loads what is needed.
        size = tasks if repeat >= 0 else 5
        workspace = make_workspace(place / f"push-{repeat}", size, seed=repeat)
        competitor = _Competitor(server, _with_audio(wanted_tasks(workspace, "bench").tasks))
        into: Times = times if repeat >= 0 else {"push": {}, "second push": {}}
        ways = {OURS: partial(_push, server, workspace), "SDK": competitor.push}
        made = _in_turn(into["push"], repeat, ways | {"SDK, tasks only": partial(competitor.push, False)})
        theirs = made["SDK"]
        _in_turn(
            into["second push"],
            repeat,
            {
                OURS: partial(_push, server, workspace),
                "SDK": partial(competitor.push_again, theirs),
            },
        )
        for project in (theirs, made["SDK, tasks only"]):
            server.ask("DELETE", f"/api/projects/{project}/")
        if pushed is not None:
            server.ask("DELETE", f"/api/projects/{project_of(pushed)}/")
        pushed = workspace
    assert pushed is not None
    return pushed


def _with_audio(tasks: list[WantedTask]) -> list[WantedTask]:
    for task in tasks:
        task.data.setdefault("audio", f"https://audio.example.com/{task.utterance_id}.wav")
    return tasks


def _bench_pull(
    server: RealServer, place: Path, workspace: Workspace, annotated: int, repeats: int, times: Times
) -> None:
    from workbench.workspace import Workspace

    project, chance = project_of(workspace), random.Random(0)
    people = People(server, tokens(server))
    held = there(server, project)
    names = workspace.read("utterances")["utterance_id"]
    people.annotate(held.task_ids(), chance, {"ann_a": annotated / len(names)})
    competitor, numbers = _Competitor(server, []), count()

    def full_pull() -> dict[str, Any]:
        return _pull(server, copies.pop())

    for repeat in range(repeats):
        copies = [Workspace.open(shutil.copytree(workspace.root, place / f"pull-{next(numbers)}"))]
        pulled = copies[0]
        found = _in_turn(
            times["full pull"],
            repeat,
            {
                OURS: full_pull,
                "SDK": lambda: competitor.pull(project),
                "SDK, pages of 1,000": lambda: competitor.pull(project, page_size=1000),
                "SDK, export": lambda: competitor.export(project),
            },
        )
        assert len({found[way] for way in found if way != OURS}) == 1, found
        _expect_none(problems(pulled, there(server, project), people))
    for repeat in range(repeats):
        since = datetime.now(UTC)
        people.reconsider(chance, edits=_CHANGED, deletions=0)
        item = {
            "filter": "filter:tasks:updated_at",
            "operator": "greater",
            "type": "Datetime",
            "value": since.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        query = json.dumps({"filters": {"conjunction": "and", "items": [item]}})
        found = _in_turn(
            times[f"pull of {_CHANGED} changed tasks"],
            repeat,
            {
                OURS: lambda: _pull(server, pulled),
                "SDK": partial(competitor.pull, project),
                "SDK, filter (no deletions)": partial(competitor.pull, project, query=query),
                "one listing": lambda: _listing(server, pulled),
            },
        )
        assert found["SDK, filter (no deletions)"] == _CHANGED, f"the SDK's filtered list gives {found}"
        _expect_none(problems(pulled, there(server, project), people))


def _listing(server: RealServer, workspace: Workspace) -> int:
    from workbench.label_studio.listing import found_tasks

    mark = str(workspace.read("sync_project")["mark"].iloc[-1])
    with _connected(server) as connection:
        return len(found_tasks(connection, project_of(workspace), mark, with_data=False))


def _expect_none(found: list[str]) -> None:
    assert not found, "; ".join(found)


def _report(times: Times, repeats: int) -> None:
    print("| what | who | median s | lowest to highest | times ours |\n|---|---|---|---|---|")
    for what, by in times.items():
        ours = statistics.median(by[OURS])
        for who, seconds in by.items():
            median = statistics.median(seconds)
            ratio = f"{median / ours:.2f}" if who.startswith("SDK") else ""
            print(f"| {what} | {who} | {median:.2f} | {min(seconds):.2f} to {max(seconds):.2f} | {ratio} |")
    by = times[f"pull of {_CHANGED} changed tasks"]
    beyond = statistics.median(by[OURS]) - statistics.median(by["one listing"])
    met = "met" if beyond < _GOAL_SECONDS else "not met"
    print(
        f"\nMedians of {repeats}. Beyond one listing the pull of {_CHANGED} changed tasks takes {beyond:.2f} s; ",
        end="",
    )
    print(f"goal: under {_GOAL_SECONDS:g} s: {met}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--annotated", type=int, help="tasks with an annotation, for the pulls (default: all)")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    from tests.label_studio_server import RealServer

    times: Times = {"push": {}, "second push": {}, "full pull": {}, f"pull of {_CHANGED} changed tasks": {}}
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        server = RealServer(place / "server")
        server.start()
        try:
            print(
                f"Python {platform.python_version()}, label-studio-sdk {version('label-studio-sdk')}, Label Studio "
                f"{server.ask('GET', '/api/version')['release']} with SQLite; {arguments.tasks:,} tasks.\n",
                flush=True,
            )
            workspace = _bench_push(server, place, arguments.tasks, arguments.repeats, times)
            annotated = arguments.tasks if arguments.annotated is None else arguments.annotated
            _bench_pull(server, place, workspace, annotated, arguments.repeats, times)
        finally:
            server.kill()
    _report(times, arguments.repeats)


if __name__ == "__main__":
    main()
