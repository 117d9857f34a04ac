"""In step with the server while people label: pull again and again, sooner after a hint, and tell what is new."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkspaceLocked
from workbench.label_studio.errors import Refused, ServerError
from workbench.stages.sync.pull import pull
from workbench.stages.sync.push import push
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection
    from workbench.stages.stage import Outcome

Change = dict[str, Any]
"""What is new of an annotation, or a conflict: time, annotator, utterance_id, what, text, and the ids."""

_BURST_SECONDS, _LONGEST_BURST = 0.4, 3.0
_AFTER_EMPTY_HINT = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
_LOCKED_SECONDS, _WORTH_SAYING = 0.5, 2.0
# A pull lists all tasks: watching takes no more than this share of the server's time, however many hints there are.
_MOST_OF_THE_TIME = 0.25
_FINAL = (401, 403, 404)
_CHANGES = ("annotations", "sync_conflicts")
_PUSHED = (
    "utterances", "audio_quality", "transcripts", "hypotheses", "runs", "scores", "flags", "verdicts", "rule_summary",
    "suspects", "backlog",
)  # fmt: skip


class Hints:
    """Where other threads say that something may be new."""

    def __init__(self) -> None:
        self._given = threading.Event()

    def give(self) -> None:
        self._given.set()

    def wait(self, seconds: float) -> bool:
        """Whether there was a hint within so many seconds; hints in quick succession are one."""
        if not self._given.wait(max(0.0, seconds)):
            return False
        until = time.monotonic() + _LONGEST_BURST
        while True:
            self._given.clear()
            if time.monotonic() > until or not self._given.wait(_BURST_SECONDS):
                return True


class Watch:
    """Pulls that follow each other until somebody interrupts them.

    Args:
        every: seconds between two pulls without a hint.
        hints: what asks for a pull sooner. A hint is never believed: what is new is what the server holds.
        tell: gets each change.
        say: gets one line about whatever else happens.
        check: called before each pull that no hint asked for: whether hints can still come.
        pushes: send what has changed here, too.
    """

    def __init__(
        self,
        workspace: Workspace,
        connection: Connection,
        every: float,
        hints: Hints,
        tell: Callable[[Change], None],
        say: Callable[[str], None],
        check: Callable[[], None] | None = None,
        pushes: bool = False,
    ) -> None:
        self._workspace, self._connection = workspace, connection
        self._every, self._hints = every, hints
        self._tell, self._say, self._check = tell, say, check
        self._pushes = pushes
        self._pushed: dict[str, frozenset[str]] | None = None
        self._seen: dict[str, set[str]] = {}
        for table in _CHANGES:
            self._seen[table] = set(workspace.parts(table))
        self._told: set[tuple[str, str, str]] = set()
        self._faults: set[tuple[str, str]] = set()
        self._locked_at: float | None = None
        self._is_waiting = False

    def run(self) -> None:
        """Pull until interrupted.

        Raises:
            BadInput: the workspace has no project, or something here is not as it must be.
            Refused: the server does not let this account in any more, or the project is gone.
        """
        pause, hinted = _FIRST_PAUSE, False
        in_trouble = False
        while True:
            began = time.monotonic()
            try:
                if self._check is not None and not hinted:
                    self._check()
                news = self._pull()
                self._push()
            except WorkspaceLocked as problem:
                self._wait_for(problem)
                continue
            except ServerError as problem:
                if isinstance(problem, Refused) and problem.status in _FINAL:
                    raise
                self._say(f"{problem}; the next try is in {pause:.0f} s")
                in_trouble = True
                hinted = self._hints.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if in_trouble:
                self._say(f"{self._connection.server} answers again")
            self._locked_at, self._is_waiting = None, False
            in_trouble, pause = False, _FIRST_PAUSE
            took = time.monotonic() - began
            # A hint may come before the server has written down what it is about.
            until_next = _AFTER_EMPTY_HINT if hinted and not news else self._every
            time.sleep(min(took * (1 / _MOST_OF_THE_TIME - 1), self._every))
            hinted = self._hints.wait(until_next)

    def _wait_for(self, locked: WorkspaceLocked) -> None:
        """Wait a little for another writer, and name one that takes its time."""
        self._locked_at = self._locked_at or time.monotonic()
        if not self._is_waiting and time.monotonic() - self._locked_at >= _WORTH_SAYING:
            self._say(f"waiting: {locked}")
            self._is_waiting = True
        time.sleep(_LOCKED_SECONDS)

    def _pull(self) -> int:
        """How many changes there were."""
        with self._workspace.lock():
            pass  # so that another writer is named at once, and not when a pull has lost its patience
        outcome = pull(self._workspace, self._connection)
        changes = [change for table in _CHANGES for change in self._new(table)]
        for change in changes:
            self._tell(change)
        self._say_faults(outcome)
        return len(changes)

    def _new(self, table: str) -> Iterator[Change]:
        """What has been written to the table since the time before, by whomever."""
        for part in self._workspace.read_new(table, self._seen[table]):
            for row in part.to_pylist():
                # The same version is written down again where only something about it has changed here.
                what = (row["uid"], row["version"], row["state"] if table == "annotations" else row["decision"])
                if what in self._told:
                    continue
                self._told.add(what)
                if table == "annotations" and not row["is_ours"]:
                    yield _annotation(row)
                elif table == "sync_conflicts" and row["decision"] == "open":
                    yield _conflict(row)

    def _push(self) -> None:
        if not self._pushes:
            return
        parts = {table: self._workspace.parts(table) for table in _PUSHED}
        if parts == self._pushed:
            return
        outcome = push(self._workspace, self._connection)
        self._pushed = parts
        changed = {name: count for name, count in outcome.counts.items() if isinstance(count, int) and count}
        self._say("push: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in changed.items()))
        self._say_faults(outcome)

    def _say_faults(self, outcome: Outcome) -> None:
        """Name what went wrong, each thing once."""
        for fault in outcome.faults.itertuples():
            key = str(fault.item), str(fault.reason)
            if key not in self._faults:
                self._faults.add(key)
                self._say(f"{fault.item}: {fault.location}: {fault.reason}")


def _annotation(row: dict[str, Any]) -> Change:
    names = ("remarks", "prelabel", "lead_time", "revision", "task_id", "annotation_id", "uid", "version")
    return _first(row["updated_at"], row["updated_by"] or row["annotator"], row, row["state"], row["text"]) | {
        name: row[name] for name in names
    }


def _conflict(row: dict[str, Any]) -> Change:
    found = _first(row["at"], row["annotator"], row, "conflict", row["server_text"])
    return found | {name: row[name] for name in ("conflict_id", "workspace_text", "base_text", "uid", "version")}


def _first(at: Any, annotator: str, row: dict[str, Any], what: str, text: str) -> Change:
    time_of = at.isoformat(timespec="seconds")
    return {
        "time": time_of,
        "annotator": annotator,
        "utterance_id": row["utterance_id"],
        "what": what,
        "text": text,
    }
