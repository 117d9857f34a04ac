"""`workbench sync fixes`: decisions to the server, and back."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.default_command import group_with_default
from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import Format, FormatOption, finish, progress_bar
from workbench.cli.sync.connect import CredentialsOption, connected

if TYPE_CHECKING:
    from workbench.stages.sync.fixes import Choice

fixes = typer.Typer(
    cls=group_with_default("list"),
    help="Decisions of this workspace that the server does not know yet, and those that were sent.\n\n"
    "Example: workbench sync fixes",
    rich_markup_mode=None,
)


class Kind(enum.StrEnum):
    annotation = "annotation"
    prediction = "prediction"


RuleOption = Annotated[str | None, typer.Option(help="Only what this rule changed.")]
ConventionOption = Annotated[str | None, typer.Option(help="Only what this convention changed.")]
BatchOption = Annotated[str | None, typer.Option(help="Only this batch of `workbench conventions apply`.")]
AnnotatorOption = Annotated[str | None, typer.Option(help="Only this annotator's; `reference` for the consensus.")]
LimitOption = Annotated[int | None, typer.Option(min=1, help="Only so many.", show_default="all")]
EditsOption = Annotated[bool, typer.Option("--edits", help="Edits of single labels too.")]


@fixes.command("list")
def list_(
    rule: RuleOption = None,
    convention: ConventionOption = None,
    batch: BatchOption = None,
    annotator: AnnotatorOption = None,
    limit: LimitOption = None,
    edits: EditsOption = False,
    everything: Annotated[bool, typer.Option("--all", help="Also those that the server has as they are.")] = False,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Texts that rules, conventions or a consensus have changed here, and what the server has of them.

    The word `list` may be left out. Nothing is asked of the server: it is what the last pull saw. The states: pending
    (to be sent), conflict (the annotator changed the text too; decide first), intended (a push broke off; push again),
    changed (somebody changed what was sent), taken back here and overtaken here (the server has a text that is not the
    one here any more), deleted there, undone, sent. The batch is that of `workbench conventions apply`; sent is that of
    `workbench sync fixes push`, which `workbench sync fixes undo` takes.

    Example: workbench sync fixes list --convention spelling.okay
    """
    from workbench.stages.sync.fixes import listed_fixes

    choice = _choice(rule, convention, batch, annotator, limit)
    finish(listed_fixes(open_workspace(workspace), choice, edits, everything), format)


@fixes.command()
def push(
    reason: Annotated[str, typer.Option(help="Why; kept with the annotation and in the workspace.")],
    kind: Annotated[Kind, typer.Option("--as", help="What they become there.")] = Kind.annotation,
    rule: RuleOption = None,
    convention: ConventionOption = None,
    batch: BatchOption = None,
    annotator: AnnotatorOption = None,
    limit: LimitOption = None,
    edits: EditsOption = False,
    again: Annotated[bool, typer.Option("--again", help="Also what was undone or deleted there before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at the tasks, report, send nothing.")] = False,
    credentials: CredentialsOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Send them: each text, as it stands here, becomes a new annotation by the token's account, and is reported.

    Nobody's annotation is changed: where a person's is fixed, it is the parent of the new one. People see the account's
    name on it, so an account of the workbench's own is best; rule, reason and batch stand in what the server exports.
    A task that people have worked on since the last pull is left, and named. Broken off and run again, nothing is sent
    twice.

    The server counts an annotation as one more annotator's: with one annotation per task, which is its default, a task
    that nobody has labelled yet leaves the label stream, and the token's account is not given the task any more. With
    --as prediction the task stays open for people; they see the prediction when they open the task from the Data
    Manager, and in the label stream only where the project's settings choose its model version, which is
    `workbench fixes` with the batch.

    Example: workbench sync fixes push --convention spelling.okay --reason "guideline 3"
    """
    from workbench.stages.sync.fixes import push_fixes

    opened = open_workspace(workspace)
    choice = _choice(rule, convention, batch, annotator, limit)
    with connected(credentials) as connection, progress_bar("sync fixes push") as progress:
        outcome = push_fixes(opened, connection, reason, kind.value, choice, edits, again, dry_run, progress)
    finish(outcome, format)


@fixes.command()
def undo(
    batch: Annotated[str, typer.Argument(help="The batch, as `workbench sync fixes push` said it.")],
    credentials: CredentialsOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Delete from the server what one push of fixes sent, and nothing else.

    What somebody has changed there, or is editing, stays and is listed. The texts here stay; how to take them back here
    too is said at the end.

    Example: workbench sync fixes undo 1f2e3d4c
    """
    from workbench.stages.sync.fixes import undo_fixes

    opened = open_workspace(workspace)
    with connected(credentials) as connection, progress_bar("sync fixes undo") as progress:
        outcome = undo_fixes(opened, connection, batch, progress)
    finish(outcome, format)


def _choice(
    rule: str | None, convention: str | None, batch: str | None, annotator: str | None, limit: int | None
) -> Choice:
    from workbench.stages.sync.fixes import Choice

    return Choice(rule, convention, batch, annotator, limit)


def add_to(app: typer.Typer) -> None:
    app.add_typer(fixes, name="fixes")
