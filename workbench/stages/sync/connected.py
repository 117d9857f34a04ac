"""What there is to say of a connection: the server, the token's account, the project of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workbench.errors import BadInput
from workbench.label_studio.connection import Connection
from workbench.workspace import Workspace

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def described(connection: Connection, directory: Path) -> tuple[dict[str, Any], list[str]]:
    """The server, its version, account, kind of token, people and this workspace's project, and notes on them.

    Args:
        directory: a workspace or a directory in it; one without a workspace has no project.

    Raises:
        ServerError: the server does not answer, or not to this token.
    """
    server = connection.describe()
    row: dict[str, Any] = {
        "server": connection.server,
        "version": server.version,
        "account": server.account.email,
        "token": connection.kind,
        "people": len(server.accounts),
        "project": None,
        "title": None,
    }
    notes = []
    parts = urlsplit(connection.server)
    if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
        notes.append(f"{connection.server} is not encrypted: whoever is on the way can read the token; use https://")
    try:
        workspace = Workspace.open(directory)
    except BadInput:
        return row, [*notes, f"no workspace at {directory}, so there is no project to name"]
    bound = workspace.read("sync_project")
    bound = bound[(bound["server"] == connection.server) & (bound["project_id"] > 0)]
    if bound.empty:
        return row, [*notes, "no project there is this workspace's yet; workbench sync push makes one"]
    project = int(bound["project_id"].iloc[-1])
    found = connection.get(f"api/projects/{project}", missing_ok=True)
    if not isinstance(found, dict):
        return row, [*notes, f"project {project} of this workspace is not on the server any more"]
    return row | {"project": project, "title": str(found.get("title") or "")}, notes
