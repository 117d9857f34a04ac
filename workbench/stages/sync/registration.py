"""What the project knows of a service of this workspace as long as it runs: its webhook, its ML backend."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from workbench.errors import BadInput
from workbench.label_studio.errors import Refused, ServerError
from workbench.label_studio.live import (
    BACKEND_TITLE,
    has_webhook,
    register_backend,
    register_webhook,
    remove_webhook,
)
from workbench.label_studio.project import Project, read_project, show_version
from workbench.stages.sync.binding import Binding, bound_project
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

Say = Callable[[str], None]


def present_project(workspace: Workspace, connection: Connection) -> Binding:
    """The workspace's project, which the server has.

    Raises:
        BadInput: the workspace has none, or the server has it no more.
        ServerError: the server does not answer.
    """
    binding = bound_project(workspace, connection)
    _project(connection, binding)
    return binding


def _project(connection: Connection, binding: Binding) -> Project:
    project = read_project(connection, binding.project_id)
    if project is None:
        raise BadInput(
            f"project {binding.project_id} is not on {connection.server} any more; `workbench sync push --again` makes "
            "another"
        )
    return project


class Webhook:
    """The project's webhook to a service, removed at the end of the block.

    Args:
        url: of the service, as the server reaches it.
        secret: that the server sends with every hint.
        say: gets one line about each change.
    """

    def __init__(self, connection: Connection, binding: Binding, url: str, secret: str, say: Say) -> None:
        self._connection, self._binding, self._url, self._secret, self._say = connection, binding, url, secret, say
        self._number: int | None = None

    def __enter__(self) -> Webhook:
        self.check()
        return self

    def __exit__(self, *_: object) -> None:
        if self._number is None:
            return
        try:
            remove_webhook(self._connection, self._number)
        except ServerError as problem:
            self._say(
                f"{problem}; webhook {self._number} is still there: the next watch on this port takes it over, "
                "or remove it in the project's settings"
            )

    def check(self) -> None:
        """Register it, unless it stands as it was registered."""
        connection, project_id = self._connection, self._binding.project_id
        is_first = self._number is None
        if self._number is not None and has_webhook(connection, project_id, self._number, self._secret):
            return
        self._number, others = register_webhook(connection, project_id, self._binding.mark, self._url, self._secret)
        self._say(f"webhook {self._number} sends hints to {self._url}" + ("" if is_first else ", again"))
        for other in others if is_first else []:
            self._say(
                f"another webhook of this workspace goes to {other}; if no watch listens there any more, remove it "
                "in the project's settings"
            )


@contextlib.contextmanager
def ml_backend(
    workspace: Workspace,
    connection: Connection,
    binding: Binding,
    url: str,
    user: str,
    password: str,
    run_id: str,
    say: Say,
) -> Iterator[None]:
    """As long as the block lasts, labellers get what the service hears; afterwards predictions that are stored.

    The ML backend stays registered, and is asked again when the service runs again.

    Raises:
        BadInput: the server does not reach the service.
        ServerError: the server does not answer, or refuses.
    """
    runs = set(workspace.read("runs")["run_id"]) | {run_id}
    before = _project(connection, binding).model_version
    registered = register_backend(connection, binding.project_id, binding.mark, url, user, password)
    say(f"project {binding.project_id} on {connection.server} asks it (ML backend {registered.backend_id})")
    if registered.others:
        say(
            f"the project has another ML backend, {', '.join(registered.others)}, which Label Studio asks instead; "
            "remove it in the project's settings"
        )
    show_version(connection, _project(connection, binding), BACKEND_TITLE, runs)
    if _project(connection, binding).model_version != BACKEND_TITLE:
        say(
            f"the project's settings show labellers other predictions or none: it is asked only for tasks without any; "
            f"to change that, choose {BACKEND_TITLE} in the project's settings under Annotation"
        )
    try:
        yield
    finally:
        try:
            _show_stored(connection, binding, [before if before in runs else run_id, ""])
        except (ServerError, BadInput) as problem:
            say(f"{problem}; choose {run_id} in the project's settings, so that labellers see stored predictions")


def _show_stored(connection: Connection, binding: Binding, versions: list[str]) -> None:
    """Show the first of the versions that the server knows."""
    for version in versions:
        try:
            show_version(connection, _project(connection, binding), version, {BACKEND_TITLE})
            return
        except Refused as refused:
            if refused.status != 400:
                raise
