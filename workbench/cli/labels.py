"""Commands on one label: its history, an edit, an undo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import Format, FormatOption, print_frame, say

app = typer.Typer(help="One label: its history, an edit, an undo.", no_args_is_help=True, rich_markup_mode=None)

Utterance = Annotated[str, typer.Argument(help="The utterance's id.")]
Annotator = Annotated[str, typer.Option(help="Whose transcript.")]
Author = Annotated[str, typer.Option(help="Who asks for it; kept with the revision.", envvar="USER")]


@app.command()
def history(utterance: Utterance, workspace: WorkspaceOption = Path("."), format: FormatOption = Format.table) -> None:
    """Every revision of an utterance's transcripts.

    Example: workbench labels history utt-017
    """
    from workbench.stages.labels import label_history

    rows = label_history(open_workspace(workspace), utterance)
    print_frame(rows, format, utterance, ["annotator", "revision", "text", "source", "author", "reason", "created_at"])


@app.command("set")
def set_(
    utterance: Utterance,
    text: Annotated[str, typer.Argument(help="The text that it gets.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the revision.")],
    author: Author = "unknown",
    annotator: Annotator = "reference",
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Give a transcript another text, as a new revision.

    The annotator `reference`, which is the default, decides between others: its text is what is scored against.

    Example: workbench labels set utt-017 "today's weather" --reason "filler not spoken"
    """
    from workbench.stages.labels import set_label

    row = set_label(open_workspace(workspace), utterance, annotator, text, author, reason)
    say(f"{utterance} by {annotator} is at revision {row['revision']}; take it back with workbench labels undo")


@app.command()
def undo(
    utterance: Utterance,
    author: Author = "unknown",
    annotator: Annotator = "reference",
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Take the latest change of a transcript back, as a new revision.

    Example: workbench labels undo utt-017
    """
    from workbench.stages.labels import undo_label

    row = undo_label(open_workspace(workspace), utterance, annotator, author)
    reads = "has no text again" if row["source"] == "retract" else f"reads {row['text']!r} again"
    say(f"{utterance} by {annotator} {reads}, as revision {row['revision']}")
