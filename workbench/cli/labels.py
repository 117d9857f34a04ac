"""Commands on one label: its history, an edit, an undo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import Format, FormatOption, print_frame, say

if TYPE_CHECKING:
    from workbench.workspace import Workspace

app = typer.Typer(help="One label: its history, an edit, an undo.", no_args_is_help=True, rich_markup_mode=None)

Utterance = Annotated[str, typer.Argument(help="The utterance's id.")]
Annotator = Annotated[str, typer.Option(help="Whose transcript.")]
Author = Annotated[str, typer.Option(help="Who asks for it; kept with the revision.", envvar="USER")]


@app.command()
def history(utterance: Utterance, workspace: WorkspaceOption = Path("."), format: FormatOption = Format.table) -> None:
    """Every revision of an utterance's transcripts.

    Example: workbench labels history utt-017
    """
    from workbench.errors import BadInput

    rows = open_workspace(workspace).read("transcripts", history=True)
    rows = rows[rows["utterance_id"] == utterance]
    if rows.empty:
        raise BadInput(f"no transcript of utterance {utterance!r}; `workbench show transcripts` lists them")
    print_frame(rows, format, utterance, ["annotator", "revision", "text", "source", "author", "reason", "created_at"])


def known_utterance(workspace: Workspace, utterance: str) -> None:
    """Nothing.

    Raises:
        BadInput: the workspace has no such utterance.
    """
    from workbench.errors import BadInput

    if utterance not in set(workspace.read("utterances")["utterance_id"]):
        raise BadInput(f"no utterance {utterance!r}; `workbench show utterances` lists them")


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
    import pandas as pd

    from workbench.errors import BadInput
    from workbench.transcripts import edit

    opened = open_workspace(workspace)
    with opened.lock():
        known_utterance(opened, utterance)
        if not reason.strip():
            raise BadInput("--reason must say why; it is kept with the revision")
        row = edit(opened.read("transcripts", history=True), utterance, annotator, text, author, reason)
        opened.append("transcripts", pd.DataFrame([row]))
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
    import pandas as pd

    from workbench.transcripts import undo as undone

    opened = open_workspace(workspace)
    with opened.lock():
        row = undone(opened.read("transcripts", history=True), utterance, annotator, author)
        opened.append("transcripts", pd.DataFrame([row]))
    reads = "has no text again" if row["source"] == "retract" else f"reads {row['text']!r} again"
    say(f"{utterance} by {annotator} {reads}, as revision {row['revision']}")
