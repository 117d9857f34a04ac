"""Commands that do the whole job in one go."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.analyse import BACKLOG_COLUMNS
from workbench.cli.options import WorkersOption, WorkspaceOption, open_workspace
from workbench.cli.output import EXIT_FAULTS, Format, FormatOption, print_frame, progress_bar, say, say_faults, shown

if TYPE_CHECKING:
    from workbench.stages.stage import Outcome
    from workbench.workspace import Workspace


class _Narrator:
    """Says what each stage did as it ends, and remembers whether there were faults."""

    def __init__(self) -> None:
        self.faults = 0
        self.began = time.monotonic()

    def __call__(self, outcome: Outcome) -> None:
        counts = ", ".join(f"{name.replace('_', ' ')} {shown(name, value)}" for name, value in outcome.counts.items())
        say(f"{outcome.stage}: {counts}")
        for note in outcome.notes:
            say(f"  {note}")
        say_faults(outcome)
        self.faults += len(outcome.faults)


def _finish(workspace: Workspace, run_id: str, narrator: _Narrator, format: Format) -> None:
    from workbench.stages.report import write_current
    from workbench.stages.score import scoring_name

    files = write_current(workspace, run_id)
    scope = {"run_id": run_id, "scoring": scoring_name(workspace)}
    print_frame(workspace.read("backlog", False, **scope), format, "what to fix next", BACKLOG_COLUMNS)
    say(f"done in {time.monotonic() - narrator.began:.0f} s; the report: {files['report.html']}")
    if narrator.faults:
        raise typer.Exit(EXIT_FAULTS)


def run(
    workers: WorkersOption = None, workspace: WorkspaceOption = Path("."), format: FormatOption = Format.table
) -> None:
    """Do the whole job, from audio to report.

    In order: normalize, duplicates, transcribe, score, check, suspects, slices, backlog, report. Run again, it does
    only what is new.

    Example: workbench run
    """
    from workbench.stages.whole import run_stages

    opened = open_workspace(workspace)
    narrator = _Narrator()
    run_id = run_stages(opened, workers, progress_bar, narrator)
    _finish(opened, run_id, narrator, format)


def demo(
    directory: Annotated[Path, typer.Argument(help="A new directory for the demo's workspace.")] = Path(
        "demo-workspace"
    ),
    workers: WorkersOption = None,
    format: FormatOption = Format.table,
) -> None:
    """Do the whole job on a bundled corpus.

    The corpus is synthetic: voice-search queries with problems planted in them, and a list of what was planted.

    Example: workbench demo demo-workspace
    """
    from workbench.stages.demo import demo as stage

    narrator = _Narrator()
    opened, run_id = stage(directory, workers, progress_bar, narrator)
    _finish(opened, run_id, narrator, format)


def add_to(app: typer.Typer) -> None:
    for command in (run, demo):
        app.command()(command)
