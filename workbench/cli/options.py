"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workbench.workspace import Workspace

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace, or a directory in it.", show_default="here")
]
RunOption = Annotated[str | None, typer.Option("--run", help="The run, by its id.", show_default="the newest")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Processes to use.", show_default="one a processor")]


def open_workspace(path: Path) -> Workspace:
    from workbench.workspace import Workspace

    return Workspace.open(path)
