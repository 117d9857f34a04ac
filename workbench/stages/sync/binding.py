"""Which project of a server is this workspace's, and that one process at a time writes there."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import pandas as pd

from workbench.errors import BadInput, WorkspaceLocked
from workbench.process_lock import process_lock
from workbench.workspace import Workspace

_PATIENCE = 60.0  # seconds that another command may take to write


class HasServer(Protocol):
    """A connection, as far as it matters here."""

    server: str


@dataclass(frozen=True)
class Binding:
    """A workspace's project; number 0: it has none yet."""

    project_id: int
    mark: str
    title: str = ""


def known_binding(workspace: Workspace, connection: HasServer) -> Binding | None:
    """What the workspace knows of its project on this server."""
    rows = workspace.read("sync_project")
    rows = rows[rows["server"] == connection.server]
    if rows.empty:
        return None
    row = rows.iloc[-1]
    return Binding(int(row["project_id"]), str(row["mark"]), "" if pd.isna(row["title"]) else str(row["title"]))


def bound_project(workspace: Workspace, connection: HasServer) -> Binding:
    """The workspace's project on this server.

    Raises:
        BadInput: it has none yet.
    """
    binding = known_binding(workspace, connection)
    if binding is None or not binding.project_id:
        raise BadInput(
            f"this workspace has no project on {connection.server} yet; `workbench sync push` makes one and sends the "
            "utterances"
        )
    return binding


def workspace_mark(workspace: Workspace, connection: HasServer, store: bool = True) -> str:
    """The mark of the workspace, which its tasks and its project carry; made and written down where there is none.

    It is written down before anything carries it, so that a project whose creation is interrupted is found again.
    """
    known = known_binding(workspace, connection)
    if known is not None:
        return known.mark
    others = workspace.read("sync_project")
    mark = str(others["mark"].iloc[0]) if len(others) else secrets.token_hex(8)
    if store:
        remember(workspace, connection, Binding(0, mark))
    return mark


def remember(workspace: Workspace, connection: HasServer, binding: Binding) -> None:
    """Write down which project it is, unless that is known."""
    if known_binding(workspace, connection) == binding:
        return
    row = {"server": connection.server, "project_id": binding.project_id, "title": binding.title or None}
    row |= {"mark": binding.mark, "bound_at": datetime.now(UTC)}
    with patient_lock(workspace):
        workspace.append("sync_project", pd.DataFrame([row]))


@contextlib.contextmanager
def patient_lock(workspace: Workspace, seconds: float = _PATIENCE) -> Iterator[None]:
    """The workspace's lock, waited for: a command that writes for a moment does not end an upload of an hour.

    Raises:
        WorkspaceLocked: another process has held it all the time.
    """
    until = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(workspace.lock())
                break
            except WorkspaceLocked:
                if time.monotonic() >= until:
                    raise
                time.sleep(0.1)
        yield


@contextlib.contextmanager
def one_writer(workspace: Workspace) -> Iterator[None]:
    """Keep other processes from writing to this workspace's project until the block ends.

    It is not the workspace's lock: labels can be edited and pulled while files are uploaded.

    Raises:
        WorkspaceLocked: another process is writing there.
    """
    with process_lock(workspace.root / ".sync-lock", f"sending {workspace.root} to its server"):
        yield
