"""`workbench score`: error rates of two files or of a workspace's runs, and what stands behind them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.alignments import print_alignments, print_pra
from workbench.cli.options import (
    AlignmentOption,
    AlternativesOption,
    FillersOption,
    NormalizerOption,
    NotationOption,
    PartialOption,
    RunOption,
    ScoringOptions,
    WorkspaceOption,
    end_of_files,
    open_workspace,
)
from workbench.cli.output import (
    EXIT_FAULTS,
    Format,
    FormatOption,
    finish,
    print_frame,
    print_json,
    records,
    say,
    say_faults,
)

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stages.rates import Scored
    from workbench.workspace import Workspace

RUN_COLUMNS = ["run_id", "ref_words", "substitutions", "deletions", "insertions", "wer", "wer_low", "wer_high", "cer"]
_GROUP_COLUMNS = ["utterances", *RUN_COLUMNS[1:-1]]
_SHORT = {"substitutions": "sub", "deletions": "del", "insertions": "ins"}
_OVERALL, _UTTERANCE = "overall", "utterance"


class Show(enum.StrEnum):
    rates = "rates"
    alignments = "alignments"
    pra = "pra"
    confusions = "confusions"
    forgiven = "forgiven"


def score(
    reference: Annotated[
        Path | None,
        typer.Argument(help="CSV, TSV, JSONL, trn, STM, NLP, Kaldi's text or txt; else the workspace's."),
    ] = None,
    hypothesis: Annotated[
        Path | None, typer.Argument(help="Hypotheses, matched by id; for an STM a CTM, matched by time.")
    ] = None,
    normalizer: NormalizerOption = None,
    alignment: AlignmentOption = None,
    alternatives: AlternativesOption = None,
    fillers: FillersOption = None,
    notation: NotationOption = None,
    by: Annotated[
        str, typer.Option(help="overall, utterance, speaker, recording, or a tag: a column of the references.")
    ] = _OVERALL,
    show: Annotated[
        Show,
        typer.Option(help="Rates; alignments, or those as sclite's pra; most frequent errors; what was forgiven."),
    ] = Show.rates,
    partial: PartialOption = False,
    run: RunOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Word and character error rates.

    They are those of two files, or of the workspace's runs. For files the options say how to score, in a workspace
    [scoring] in workbench.toml does. Alternatives count only where the hypothesis holds them, and rewrite no text.

    Example: workbench score reference.csv hypothesis.csv --normalizer basic --by utterance --format json
    """
    from workbench.errors import BadInput

    _check_views(by, show, format)
    options = ScoringOptions(normalizer, alignment, alternatives, fillers, notation, partial)
    if (reference is None) != (hypothesis is None):
        raise BadInput("give two files, as workbench score REF HYP, or none to score the workspace's runs")
    if reference is not None and run is not None:
        raise BadInput("--run is for the workspace's runs; leave it out when scoring two files")
    if reference is None or hypothesis is None:
        options.refuse_in_workspace()
        try:
            opened = open_workspace(workspace)
        except BadInput as problem:
            raise BadInput(f"{problem}; or give two files, as workbench score REF HYP") from problem
        _score_workspace(opened, run, by, show, format)
        return
    from workbench.stages.bare import score_files
    from workbench.stages.rates import how_made, overall_rates

    scored = score_files(reference, hypothesis, options.of_files(), partial)
    say(f"references: {reference}; hypotheses: {hypothesis}")
    if by == _OVERALL and show is Show.rates:
        rates = overall_rates(scored)
        _print_overall(rates, format)
        say(how_made(rates))
    else:
        _print_scored(scored, hypothesis.name, by, show, format)
    end_of_files(scored.notes, scored.faults)


def _score_workspace(workspace: Workspace, run: str | None, by: str, show: Show, format: Format) -> None:
    from workbench.stages.score import choose_run, score_runs, scored_run

    if by == _OVERALL and show is Show.rates:
        outcome = score_runs(workspace, run)
        if format is Format.table and len(outcome.table) > 1:
            outcome.table = outcome.table[RUN_COLUMNS].rename(columns=_SHORT)
        finish(outcome, format)
        return
    run_id = str(choose_run(workspace, run)["run_id"])
    outcome = score_runs(workspace, run_id)
    _print_scored(scored_run(workspace, run_id), run_id, by, show, format)
    say_faults(outcome)
    if len(outcome.faults):
        raise typer.Exit(EXIT_FAULTS)


def _check_views(by: str, show: Show, format: Format) -> None:
    """Refuse what cannot be shown together, before anything is scored."""
    from workbench.errors import BadInput

    if show in (Show.alignments, Show.pra) and by not in (_OVERALL, _UTTERANCE):
        raise BadInput(f"--show {show} is utterance by utterance; leave out --by {by}")
    if show is Show.confusions and by == _UTTERANCE:
        raise BadInput("--show confusions counts over many utterances; use --show alignments for single ones")
    if show is Show.pra and format is not Format.table:
        raise BadInput(f"--show pra is a text as sclite writes it; use --show alignments for --format {format}")


def _print_overall(rates: dict[str, Any], format: Format) -> None:
    import pandas as pd

    frame = pd.DataFrame([rates])
    if format is Format.json:
        print_json({"overall": records(frame)[0]})
    else:
        print_frame(frame, format, "score")


def _print_scored(scored: Scored, system: str, by: str, show: Show, format: Format) -> None:
    from workbench.stages.rates import by_utterance, confusions_by, forgiven_words, has, how_grouped, rates_by

    if show is Show.alignments:
        print_alignments(scored, format)
    elif show is Show.pra:
        print_pra(scored, system)
    elif show is Show.confusions:
        print_frame(confusions_by(scored, by), format, "confusions")
    elif show is Show.forgiven:
        print_frame(forgiven_words(scored, by), format, "forgiven")
    elif by == _UTTERANCE:
        print_frame(_on_screen(by_utterance(scored.scores), format), format, "score")
    else:
        frame = rates_by(scored, by)
        columns = [str(frame.columns[0]), *_GROUP_COLUMNS]
        print_frame(_on_screen(frame[columns] if format is Format.table else frame, format), format, f"score by {by}")
    if (show is Show.pra or by == "speaker") and not has(scored, "speaker"):
        say("no speakers are known: the ids were read as sclite's spu_id, the speaker before the first - or _")
    say(how_grouped(scored, by if show is Show.rates else _OVERALL))


def _on_screen(frame: pd.DataFrame, format: Format) -> pd.DataFrame:
    return frame.rename(columns=_SHORT) if format is Format.table else frame
