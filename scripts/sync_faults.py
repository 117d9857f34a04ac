"""Whether sync loses or doubles anything when requests are dropped, delayed, doubled, or answered 502, 504 and 404.

    python scripts/sync_faults.py [--seeds N] [--first SEED] [--tasks M] [--rate R] [--kills N] [--keep DIRECTORY]

Each run is a workspace of its own and a project on a real Label Studio server, with a proxy between them that brings
faults by a seed (`tests/fault_proxy.py`): push until it ends well, annotate as two users on the server itself, pull
until it ends well, push again, push what has changed here since, let users correct and delete, pull again. Then the
server is asked directly: every task and every prediction is there exactly once, every annotation is in the workspace
exactly once, and nobody's work is lost or changed. In further runs the server, or the client, is killed in the middle
of push and of pull. Prints a Markdown table; exits with 1 where anything is not as it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.sync_round import ANNOTATORS, People, change_workspace, email, make_workspace, problems, project_of, there
from tests.fault_proxy import KINDS, FaultProxy, Request, evenly

if TYPE_CHECKING:
    from tests.label_studio_server import RealServer
    from workbench.label_studio.connection import Connection
    from workbench.workspace import Workspace

MOST_TRIES = 40
SHARES = {"ann_a": 0.5, "ann_b": 0.25}
WRITES = ("POST", "PUT", "PATCH", "DELETE")
SERVER, CLIENT = "server", "client"


@dataclass
class Result:
    """What became of a run."""

    what: str
    seed: int
    requests: int
    faults: Counter[str]
    tries: list[int]
    tasks: int
    predictions: int
    annotations: int
    seconds: float
    problems: list[str] = field(default_factory=list)

    HEAD = (
        "| run | seed | requests | faults | tries | tasks | predictions | annotations | s "
        "| verdict |\n|---|---|---|---|---|---|---|---|---|---|"
    )

    def row(self) -> str:
        faults = ", ".join(f"{kind} {number}" for kind, number in sorted(self.faults.items())) or "none"
        verdict = "; ".join(self.problems) or "all exactly once"
        cells: tuple[object, ...] = (
            self.what,
            self.seed,
            self.requests,
            faults,
            ", ".join(map(str, self.tries)),
            self.tasks,
        )
        cells += (self.predictions, self.annotations, f"{self.seconds:.0f}", verdict)
        return f"| {' | '.join(map(str, cells))} |"


def tokens(server: RealServer) -> dict[str, str]:
    """The token of each annotator, who has an account from then on."""
    return {annotator: server.new_user(email(annotator)) for annotator in ANNOTATORS}


class Round:
    """One workspace and its project, with the proxy between them."""

    def __init__(self, workspace: Workspace, proxy: FaultProxy, people: People, token: str) -> None:
        self.workspace, self.proxy, self.people, self._token = workspace, proxy, people, token
        self.tries: list[int] = []

    def push(self) -> None:
        """Push in this process, again and again until it ends well."""
        from workbench.stages.sync.push import push

        self._until_done(lambda connection: len(push(self.workspace, connection).faults))

    def pull(self) -> None:
        """Pull in the same way."""
        from workbench.stages.sync.pull import pull

        self._until_done(lambda connection: len(pull(self.workspace, connection).faults))

    def _until_done(self, work: Callable[[Connection], int]) -> None:
        from workbench.label_studio.connection import Connection
        from workbench.label_studio.credentials import Credentials
        from workbench.label_studio.errors import ServerError
        from workbench.label_studio.secret import Secret

        credentials = Credentials(self.proxy.url, Secret(self._token))
        self.tries.append(0)
        while True:
            self.tries[-1] += 1
            try:
                with Connection(credentials, pause=0.1) as connection:
                    if work(connection) == 0:
                        return
                    reason = "it ended with faults"
            except ServerError as problem:
                reason = str(problem)
            if self.tries[-1] >= MOST_TRIES:
                raise RuntimeError(f"not done after {MOST_TRIES} tries: {reason}")

    def command(self, name: str, started: Callable[[subprocess.Popen[bytes]], None] = lambda _: None) -> None:
        """`workbench sync NAME` in a process of its own, again and again until it ends well."""
        environment = os.environ | {"LABEL_STUDIO_URL": self.proxy.url, "LABEL_STUDIO_API_KEY": self._token}
        environment["PYTHONPATH"] = str(Path(__file__).parents[1])
        self.tries.append(0)
        while True:
            self.tries[-1] += 1
            log = self.workspace.root / f"{name}-{self.tries[-1]}.log"
            with log.open("wb") as said:
                process = subprocess.Popen(
                    [sys.executable, "-m", "workbench", "sync", name],
                    cwd=self.workspace.root,
                    env=environment,
                    stdout=said,
                    stderr=said,
                )
                started(process)
                status = process.wait()
            if status == 0:
                return
            if self.tries[-1] >= MOST_TRIES:
                end = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
                raise RuntimeError(f"exit status {status} after {MOST_TRIES} tries: {''.join(end)}")

    def second_push(self) -> list[str]:
        """Push what has been pushed, and say whether that sent anything."""
        before = len(self.proxy.seen)
        self.push()
        # Access tokens are bought with a POST, which changes nothing.
        sent = [f"{method} {path}" for method, path, _ in self.proxy.seen[before:] if method in WRITES]
        sent = [one for one in sent if "/api/token/" not in one]
        return [f"the second push sent {len(sent)} changes, as {sent[0]}"] if sent else []

    def check(self, pulled: bool = True) -> list[str]:
        """What is not as it must be, asked of the server directly."""
        return problems(self.workspace, there(self.people.server, project_of(self.workspace)), self.people, pulled)

    def annotate(self, chance: random.Random) -> None:
        held = there(self.people.server, project_of(self.workspace))
        self.people.annotate(held.task_ids(), chance, SHARES)


@contextlib.contextmanager
def begun(
    server: RealServer, people: Mapping[str, str], directory: Path, tasks: int, seed: int, rate: float
) -> Iterator[Round]:
    workspace = make_workspace(directory, tasks, seed)
    # Every other run with a personal access token, whose access tokens are got through the faults as well.
    token = server.personal_token() if seed % 2 else server.token
    with FaultProxy(server.url, seed, evenly(rate)) as proxy:
        yield Round(workspace, proxy, People(server, people), token)


def with_faults(
    server: RealServer, people: Mapping[str, str], directory: Path, tasks: int, seed: int, rate: float
) -> Result:
    """The whole round through a proxy that brings faults to a share `rate` of the requests."""

    def steps(run: Round, chance: random.Random) -> list[str]:
        run.push()
        run.annotate(chance)
        run.pull()
        return run.check() + _rest(run, chance, tasks)

    with begun(server, people, directory, tasks, seed, rate) as run:
        return _result("faults", run, seed, steps)


class Strikes:
    """Does something soon after certain requests have come in: one after the other, each once."""

    def __init__(self, at: list[tuple[str, str, float]], action: Callable[[], None]) -> None:
        """
        Args:
            at: method, a part of the path, and seconds from the request to the action.
        """
        self._left, self._action, self._lock = list(at), action, threading.Lock()
        self._under_way: list[threading.Timer] = []

    def __call__(self, request: Request) -> None:
        with self._lock:
            if not self._left or any(timer.is_alive() for timer in self._under_way):
                return
            if request.method == self._left[0][0] and self._left[0][1] in request.path:
                timer = threading.Timer(self._left.pop(0)[2], self._action)
                self._under_way.append(timer)
                timer.start()

    def end(self) -> int:
        """Wait for what is under way, and say how many strikes came."""
        for timer in self._under_way:
            timer.join()
        return len(self._under_way)


# In the middle of what the server, or the client, is killed: method and a part of the path, in the order of requests.
_IN_PUSH = (("POST", "/import"), ("GET", "/api/predictions"), ("POST", "/import"))
_IN_PULL = (("GET", "/export"), ("GET", "/api/tasks"))


def _moments(
    requests: tuple[tuple[str, str], ...], kills: int, tasks: int, chance: random.Random
) -> list[tuple[str, str, float]]:
    """Each within about the time that the server, or the client after its answer, is busy with so many tasks."""
    return [(method, path, chance.uniform(0.005, tasks / 1000)) for method, path in requests[:kills]]


def with_kills(
    server: RealServer, people: Mapping[str, str], directory: Path, tasks: int, seed: int, who: str, kills: int
) -> Result:
    """The whole round, with the server or the client killed in the middle of the first push and the first pull."""

    def again() -> None:
        server.kill()
        server.start()

    def struck(run: Round, name: str, moments: list[tuple[str, str, float]]) -> list[str]:
        running: list[subprocess.Popen[bytes]] = []
        strikes = Strikes(moments, again if who == SERVER else lambda: running[-1].kill())
        run.proxy.on_request = strikes
        if who == CLIENT:
            run.command(name, running.append)
        elif name == "push":
            run.push()
        else:
            run.pull()
        run.proxy.on_request = None
        killed = strikes.end()
        run.proxy.counts[f"killed in {name}"] += killed
        return [] if killed else [f"nothing was killed in {name}"]

    def steps(run: Round, chance: random.Random) -> list[str]:
        found = struck(run, "push", _moments(_IN_PUSH, kills, tasks, chance))
        found += run.check(pulled=False)
        run.annotate(chance)
        found += struck(run, "pull", _moments(_IN_PULL, kills, tasks, chance))
        found += run.check()
        return found + _rest(run, chance, tasks)

    with begun(server, people, directory, tasks, seed, 0.0) as run:
        return _result(f"{who} killed", run, seed, steps)


def _rest(run: Round, chance: random.Random, tasks: int) -> list[str]:
    """Push again, push what has changed, have people change their minds, and pull again."""
    found = run.second_push()
    change_workspace(run.workspace, chance)
    run.push()
    run.people.reconsider(chance, edits=max(1, tasks // 20), deletions=max(1, tasks // 50))
    run.pull()
    return found + run.check()


def _result(what: str, run: Round, seed: int, steps: Callable[[Round, random.Random], list[str]]) -> Result:
    started = time.perf_counter()
    try:
        found = steps(run, random.Random(seed))
        run.proxy.is_on = False
        held = there(run.people.server, project_of(run.workspace))
        counts = (len(held.tasks), len(held.predictions), held.annotations)
    except RuntimeError as problem:
        found, counts = [str(problem)], (0, 0, 0)
    seconds = time.perf_counter() - started
    proxy = run.proxy
    return Result(what, seed, proxy.requests, proxy.counts, run.tries, *counts, seconds, list(dict.fromkeys(found)))


def _runs(
    server: RealServer, place: Path, arguments: argparse.Namespace, people: Mapping[str, str]
) -> Iterator[Result]:
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        yield with_faults(server, people, place / f"faults-{seed}", arguments.tasks, seed, arguments.rate)
    for seed in range(1, arguments.kills + 1):
        for who in (SERVER, CLIENT):
            yield with_kills(server, people, place / f"{who}-{seed}", arguments.tasks, seed, who, len(_IN_PUSH))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="runs with faults (default 20)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--tasks", type=int, default=500, help="tasks of each run (default 500)")
    parser.add_argument("--rate", type=float, default=0.3, help="share of requests with a fault (default 0.3)")
    parser.add_argument("--kills", type=int, default=3, help="runs in which server, and client, are killed (default 3)")
    parser.add_argument("--keep", type=Path, help="leave workspaces and the server's data in this directory")
    arguments = parser.parse_args()

    from tests.label_studio_server import RealServer

    with tempfile.TemporaryDirectory() as temporary:
        place = arguments.keep or Path(temporary)
        server = RealServer(place / "server")
        server.start()
        try:
            people = tokens(server)
            print(f"{arguments.tasks} tasks a run, faults to {arguments.rate:.0%} of the requests.\n\n{Result.HEAD}")
            results = []
            for result in _runs(server, place, arguments, people):
                print(result.row(), flush=True)
                results.append(result)
        finally:
            server.kill()
    total: Counter[str] = sum((result.faults for result in results), Counter())
    print(f"\n{sum(result.requests for result in results)} requests; " + ", ".join(f"{k} {total[k]}" for k in KINDS))
    bad = sum(bool(result.problems) for result in results)
    print(f"{len(results)} runs, {bad} with something not as it must be.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
