"""`workbench sync pull`, `conflicts` and `resolve`: people's work back."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import Format, FormatOption, finish, progress_bar, say
from workbench.cli.sync.connect import CredentialsOption, connected

_MOST_ROWS = 20


class Side(enum.StrEnum):
    server = "server"
    workspace = "workspace"


def pull(
    retract_deleted: Annotated[
        bool, typer.Option("--retract-deleted", help="Take back the texts of annotations that were deleted there.")
    ] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Believe it when most of what was pulled is gone from there.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Read every task with an annotation, not only those that have changed.")
    ] = False,
    credentials: CredentialsOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Bring every annotation of every annotator into the workspace: each text becomes a revision of its transcript.

    Drafts, skipped and empty ones stand in the table annotations. Nothing comes twice, and nothing is lost where a
    pull is interrupted. A text that was changed on both sides is a conflict, and nothing is written until somebody
    decides. What was deleted there is shown, and its text stays unless --retract-deleted is given.

    Example: workbench sync pull
    """
    from workbench.stages.sync.pull import pull as run

    opened = open_workspace(workspace)
    with connected(credentials) as connection, progress_bar("pull") as progress:
        outcome = run(opened, connection, progress, retract_deleted, accept_deletions, everything)
    more = len(outcome.table) - _MOST_ROWS
    if format is Format.table and more > 0:
        outcome.table = outcome.table.head(_MOST_ROWS)
        outcome.notes.insert(0, f"… and {more} more; all of them: workbench show annotations")
    finish(outcome, format)


def conflicts(
    everything: Annotated[bool, typer.Option("--all", help="Those that were decided or are outdated too.")] = False,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """The texts that were changed here and on the server, newest first, with the words in which they differ.

    Example: workbench sync conflicts
    """
    from workbench.stages.sync.conflicts import open_conflicts

    columns = ["id", "utterance_id", "annotator", "differs", "base", "here", "there", "found_at"]
    if everything:
        columns[-1:] = ["decision", "found_at"]
    finish(open_conflicts(open_workspace(workspace), everything), format, columns)


def resolve(
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")],
    ids: Annotated[
        list[str] | None, typer.Argument(help="Conflicts, by their ids or the first letters of them.")
    ] = None,
    take: Annotated[Side | None, typer.Option(help="Whose text shall stand.")] = None,
    text: Annotated[str | None, typer.Option(help="Another text that shall stand.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All open conflicts.")] = False,
    author: Annotated[str, typer.Option(help="Who decides; kept with the decision.", envvar="USER")] = "unknown",
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Decide conflicts: the server's text, the workspace's, or another one stands, as a revision of the transcript.

    What was written is taken back with workbench labels undo.

    Example: workbench sync resolve 2xyk4t47 --take server --reason "heard again"
    """
    from workbench.errors import BadInput
    from workbench.stages.sync.conflicts import TEXT
    from workbench.stages.sync.conflicts import resolve as run

    if (take is None) == (text is None):
        raise BadInput("a decision is either --take server, --take workspace or --text TEXT; give one of them")
    if everything == bool(ids):
        raise BadInput("give the ids of conflicts, as `workbench sync conflicts` lists them, or --all")
    if everything and text is not None:
        raise BadInput("--text is one conflict's text; name the conflict instead of --all")
    decision = take.value if take is not None else TEXT
    outcome = run(open_workspace(workspace), ids or [], decision, author, reason, text, everything)
    finish(outcome, format)
    say(f"{outcome.counts['decided']} decided, {outcome.counts['open']} left to decide")


def add_to(app: typer.Typer) -> None:
    for command in (pull, conflicts, resolve):
        app.command()(command)
