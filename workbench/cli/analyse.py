"""Commands that look for what is wrong and what it would buy to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.compare import compare
from workbench.cli.options import RunOption, WorkspaceOption, open_workspace
from workbench.cli.output import EXIT_FAULTS, Format, FormatOption, finish, print_frame, say, say_faults
from workbench.cli.score import score

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stages.stage import Outcome

SLICE_COLUMNS = ["slice", "utterances", "ref_words", "wer", "wer_low", "wer_high", "gap", "gain"]
BACKLOG_COLUMNS = ["rank", "kind", "title", "gain", "gain_low", "gain_high", "cost_hours"]
RULE_COLUMNS = ["rule_id", "flags", "coverage", "overlaps", "conflicts"]
JUDGED_COLUMNS = ["rule_id", "flags", "coverage", "conflicts", "precision"]


def check(
    transcripts: Annotated[
        Path | None, typer.Argument(help="CSV, TSV or JSONL of transcripts; without it, the workspace's.")
    ] = None,
    run: RunOption = None,
    summary: Annotated[bool, typer.Option("--summary", help="For a file: the summary by rule, not the flags.")] = False,
    limit: Annotated[
        int, typer.Option(min=1, help="For a file: how many flags a table shows; other formats hold all.")
    ] = 100,
    no_team_rules: Annotated[
        bool, typer.Option("--no-team-rules", help="Do not run the Python files that [check] rules names.")
    ] = False,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Find labels that contradict something.

    Each other, the corpus's conventions, the audio or the model. For a file the flags are printed; it needs the
    columns utterance_id and text, and annotator for conflicts.
    In a workspace the flags are a table (workbench flags) and a summary by rule is printed. The team's own rules, which
    [check] rules in workbench.toml names, are code and run with your rights.

    Example: workbench check transcripts.csv --format csv > flags.csv
    """
    from workbench.errors import BadInput

    if transcripts is None:
        from workbench.stages.check import check as stage

        outcome = stage(open_workspace(workspace), run, team=not no_team_rules)
        if format is Format.table:
            quiet = _quiet(outcome)
            say(f"{outcome.counts['flags']} flags (workbench flags); {quiet.sum()} rules found nothing")
            outcome.table = outcome.table[~quiet]
        judged = (outcome.table["accepted"] + outcome.table["rejected"]).any()
        finish(outcome, format, JUDGED_COLUMNS if judged else RULE_COLUMNS)
        return
    if run is not None:
        raise BadInput("--run is for a workspace; leave it out when checking a file")
    from workbench.stages.bare import check_file

    checked = check_file(transcripts)
    outcome = checked.summary if summary else checked.flags
    if summary and format is Format.table:
        outcome.table = outcome.table[~_quiet(outcome)]
    columns = RULE_COLUMNS if summary else ["utterance_id", "annotator", "rule_id", "evidence", "suggestion"]
    cut = format is Format.table and not summary and len(outcome.table) > limit
    shown = outcome.table.head(limit) if cut else outcome.table
    print_frame(shown, format, "rules" if summary else "flags", columns)
    if cut:
        say(f"{len(outcome.table) - limit:,} more flags; --limit {len(outcome.table)} shows all, --summary their rules")
    for note in outcome.notes:
        say(note)
    say_faults(outcome)
    if len(outcome.faults):
        raise typer.Exit(EXIT_FAULTS)


def _quiet(outcome: Outcome) -> pd.Series:
    """Whether a rule of a summary found nothing and did not crash."""
    return (outcome.table["flags"] == 0) & (outcome.table["faults"] == 0)


def slices(
    tag: Annotated[str | None, typer.Option(help="Only the slices of this tag.")] = None,
    confusions: Annotated[bool, typer.Option(help="The most frequent confusions of each slice instead.")] = False,
    run: RunOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Error rates by every tag.

    With 95 % intervals, the gap to the rest, and what closing it would buy.

    Example: workbench slices --tag age_group --format markdown
    """
    from workbench.errors import BadInput
    from workbench.stages.score import choose_run, scoring_name
    from workbench.stages.slices import slices as stage

    opened = open_workspace(workspace)
    outcome = stage(opened, run)
    table = outcome.table
    if tag is not None:
        if tag not in set(table["tag"]):
            raise BadInput(f"no tag {tag!r}; the tags are {', '.join(table['tag'].unique())}")
        table = table[table["tag"] == tag].reset_index(drop=True)
    if confusions:
        run_id = str(choose_run(opened, run)["run_id"])
        found = opened.read("confusions", run_id=run_id, scoring=scoring_name(opened))
        found = found[found["slice"].isin(["all", *table["slice"]])]
        print_frame(found, format, "confusions", ["slice", "op", "reference", "hypothesis", "count"])
    else:
        whole = table["rest_wer"].isna() if format is Format.table else table["rest_wer"].isna() & False
        print_frame(table[~whole], format, "slices", SLICE_COLUMNS)
        if whole.any():
            say(f"not shown, for they hold every utterance: {', '.join(table['slice'][whole])}")
    for note in outcome.notes:
        say(note)


def backlog(run: RunOption = None, workspace: WorkspaceOption = Path("."), format: FormatOption = Format.table) -> None:
    """What to fix next, by expected gain.

    Label fixes, audio fixes, new data and tuning stand side by side, each with its interval and cost.

    Example: workbench backlog --format markdown
    """
    from workbench.stages.backlog import backlog as stage

    finish(stage(open_workspace(workspace), run), format, BACKLOG_COLUMNS)


def report(
    out: Annotated[Path | None, typer.Option(help="Directory to write to.", show_default="reports/RUN")] = None,
    run: RunOption = None,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Write the report.

    One HTML page that needs no network, with Markdown, JSON and CSV of the same tables.

    Example: workbench report --out report
    """
    from workbench.stages.report import report as stage

    print(stage(open_workspace(workspace), run, out)["report.html"])


def add_to(app: typer.Typer) -> None:
    for command in (score, compare, check, slices, backlog, report):
        app.command()(command)
