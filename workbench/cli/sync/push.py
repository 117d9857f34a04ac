"""`workbench sync push`: utterances to tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import Format, FormatOption, finish, progress_bar
from workbench.cli.sync.connect import CredentialsOption, connected


def push(
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these utterances, again for each: a slice, a rule, a backlog item or an utterance's id.",
            show_default="all",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and change nothing.")] = False,
    delete_removed: Annotated[
        bool,
        typer.Option(
            "--delete-removed",
            help="Delete the tasks of utterances that the workspace has no longer, where nobody has worked.",
        ),
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Send once more what was deleted on the server.")] = False,
    credentials: CredentialsOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Send utterances, their audio and hypotheses to a Label Studio project, which is made where there is none.

    Doing it again sends what has changed since, and nothing twice; interrupted, it goes on where it was. Annotations,
    other people's tasks and the fields that they added are never changed. [label_studio] in workbench.toml says which
    project, and how the server gets at the audio.

    Example: workbench sync push --only "age_group = child"
    """
    from workbench.errors import BadInput
    from workbench.stages.sync.choice import parse_only
    from workbench.stages.sync.push import push as stage

    chosen = parse_only(only or [])
    if chosen is not None and delete_removed:
        raise BadInput("--delete-removed looks at all utterances, and --only at some; ask for one at a time")
    opened = open_workspace(workspace)
    with connected(credentials) as connection, progress_bar("sending") as progress:
        outcome = stage(opened, connection, chosen, dry_run, delete_removed, again, progress)
    finish(outcome, format)


def add_to(app: typer.Typer) -> None:
    app.command()(push)
