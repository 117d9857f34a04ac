"""Commands on several transcripts of the same audio: what they agree on, and which are likely wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import RunOption, WorkspaceOption, open_workspace
from workbench.cli.output import EXIT_FAULTS, Format, FormatOption, finish, print_frame, say_faults

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        help="CSV, TSV or JSONL with utterance_id, annotator and text; without it, the workspace's.", show_default=False
    ),
]
ModelsOption = Annotated[
    bool,
    typer.Option(
        "--models/--no-models",
        help="A file's columns hypothesis and hypothesis_NAME vote like annotators; for suspects, runs do too.",
    ),
]


def suspects(
    transcripts: FileArgument = None,
    models: ModelsOption = True,
    run: RunOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many.", show_default="all")] = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """How likely each transcript is wrong.

    The most suspect come first. The score, 0 to 1, is of words left out, added or replaced, of another clip's text and
    of missing ends; how things are written does not count. It is made from the other transcripts of the audio, how
    reliable their annotators are, and what recognisers heard; nothing needs to be known to be right. In a workspace the
    scores are kept too (workbench show suspects).

    Example: workbench suspects transcripts.csv --format csv > suspects.csv
    """
    from workbench.errors import BadInput
    from workbench.stages.suspects import suspects as stage
    from workbench.stages.suspects import suspects_of_file

    if transcripts is not None and run is not None:
        raise BadInput("--run is for a workspace; leave it out when scoring a file")
    outcome = (
        stage(open_workspace(workspace), run, models) if transcripts is None else suspects_of_file(transcripts, models)
    )
    if limit is not None:
        outcome.table = outcome.table.head(limit)
    finish(outcome, format, ["utterance_id", "annotator", "score", "evidence"])


def consensus(
    transcripts: FileArgument = None,
    models: ModelsOption = True,
    annotators: Annotated[bool, typer.Option(help="How reliable each annotator is instead.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Make it the reference where nobody has decided.")] = False,
    least: Annotated[
        float, typer.Option("--min-score", min=0, max=1, help="Accept those with this score or more.")
    ] = 0,
    author: Annotated[str, typer.Option(help="Who accepts; kept with the revisions.", envvar="USER")] = "unknown",
    reason: Annotated[str, typer.Option(help="Why; kept with the revisions.")] = "consensus of the transcripts",
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """One text from several transcripts of the same audio.

    The transcripts are aligned into one network and each word is voted on. A vote counts by the annotator's
    reliability, which is estimated from all the transcripts. The score is the share of the votes that the words have.
    With --accept the workspace's references become the consensus, as new revisions that can be undone.

    Example: workbench consensus transcripts.csv --format csv > consensus.csv
    """
    from workbench.errors import BadInput
    from workbench.stages import consensus as stage

    if accept and transcripts is not None:
        raise BadInput("--accept writes to a workspace; leave the file out, or redirect its consensus to a file")
    if accept:
        finish(stage.accept_consensus(open_workspace(workspace), author, reason, least, models), format, _COLUMNS)
        return
    if transcripts is None:
        outcome, reliability = stage.consensus(open_workspace(workspace), models)
    else:
        outcome, reliability = stage.consensus_of_file(transcripts, models)
    if not annotators:
        finish(outcome, format, _COLUMNS)
        return
    print_frame(reliability, format, "annotators")
    say_faults(outcome)
    if len(outcome.faults):
        raise typer.Exit(EXIT_FAULTS)


_COLUMNS = ["utterance_id", "text", "score", "transcripts"]


def add_to(app: typer.Typer) -> None:
    for command in (suspects, consensus):
        app.command()(command)
