"""Commands on what the transcripts write in several ways: the table, the guideline page, one form for all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.default_command import group_with_default
from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import EXIT_FAULTS, Format, FormatOption, finish, say, say_faults

if TYPE_CHECKING:
    from workbench.workspace import Workspace

COLUMNS = ["convention", "form", "count", "share", "majority", "annotators"]
_MOST_NAMES = 3


app = typer.Typer(
    cls=group_with_default("show"),
    help="What is written in several ways, and by whom.",
    rich_markup_mode=None,
)

Author = Annotated[str, typer.Option(help="Who asks for it; kept with the revisions.", envvar="USER")]


@app.command()
def show(
    transcripts: Annotated[
        Path | None, typer.Argument(help="CSV, TSV or JSONL of transcripts; without it, the workspace's.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write a guideline page for transcribers here, .md or .html.")
    ] = None,
    departures: Annotated[str | None, typer.Option(help="List who departs from this convention instead.")] = None,
    form: Annotated[
        str | None, typer.Option(help="With --departures: the form to write.", show_default="the majority's")
    ] = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """The forms of every convention, their shares, and who writes which.

    The word `show` may be left out: workbench conventions transcripts.csv

    Example: workbench conventions show --page GUIDELINES.md
    """
    from workbench.errors import BadInput
    from workbench.stages import conventions as stage

    source: Workspace | Path = transcripts if transcripts is not None else open_workspace(workspace)
    if page is not None and departures is not None:
        raise BadInput("--page and --departures are two things; ask for one at a time")
    if form is not None and departures is None:
        raise BadInput("--form goes with --departures; to write a form, `workbench conventions apply`")
    if page is not None:
        from workbench.stages.guidelines import write_guidelines

        outcome = write_guidelines(source, page)
        print(page)
        for note in outcome.notes:
            say(note)
        say_faults(outcome)
        if len(outcome.faults):
            raise typer.Exit(EXIT_FAULTS)
    elif departures is not None:
        outcome = stage.departures(source, departures, form)
        finish(outcome, format, ["utterance_id", "annotator", "written", "text", "suggestion"])
    else:
        outcome = stage.conventions(source)
        if format is Format.table:
            outcome.table = outcome.table.assign(annotators=outcome.table["annotators"].map(_first_names))
        finish(outcome, format, COLUMNS)


def _first_names(names: str) -> str:
    """The first names of a list of many, which would fill the screen."""
    several = names.split(", ")
    more = f" and {len(several) - _MOST_NAMES} more" if len(several) > _MOST_NAMES else ""
    return ", ".join(several[:_MOST_NAMES]) + more


@app.command()
def apply(
    convention: Annotated[str, typer.Argument(help="The convention, as the table names it.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the revisions.")],
    form: Annotated[
        str | None, typer.Option(help="The form that everything gets.", show_default="the clear majority's")
    ] = None,
    annotator: Annotated[str | None, typer.Option(help="Only this annotator's transcripts.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's transcripts.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    author: Author = "unknown",
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Write one form of a convention everywhere, as new revisions that can be taken back together.

    Transcripts that cannot be rewritten safely are listed and left.

    Example: workbench conventions apply spelling.okay --form okay --all --reason "guideline 3"
    """
    from workbench.errors import BadInput
    from workbench.stages.conventions import apply_convention

    if everybody == (annotator is not None):
        raise BadInput("say whose transcripts: --annotator NAME or --all")
    opened = open_workspace(workspace)
    finish(apply_convention(opened, convention, form, annotator, author, reason, dry_run), format)


@app.command()
def undo(
    batch: Annotated[str, typer.Argument(help="The batch, as `workbench conventions apply` said it.")],
    author: Author = "unknown",
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Take everything back that one `apply` changed, as new revisions.

    Transcripts that somebody changed since are listed and left.

    Example: workbench conventions undo 1f2e3d4c
    """
    from workbench.stages.conventions import undo_conventions

    finish(undo_conventions(open_workspace(workspace), batch, author), format)
