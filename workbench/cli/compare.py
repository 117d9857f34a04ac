"""`workbench compare`: which of several recognisers is better, where, and how sure that is."""

from __future__ import annotations

import enum
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import (
    AlignmentOption,
    AlternativesOption,
    FillersOption,
    NormalizerOption,
    NotationOption,
    PartialOption,
    ScoringOptions,
    end_of_files,
    open_workspace,
)
from workbench.cli.output import Format, FormatOption, console_width, print_frame, print_json, printable, records, say

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stages.compare import Comparison

_OVERALL, _UTTERANCE = "overall", "utterance"
_SYSTEM_COLUMNS = ["system", "ref_words", "sub", "del", "ins", "wer", "wer_low", "wer_high", "cer"]
_SHORT = {"substitutions": "sub", "deletions": "del", "insertions": "ins"}
_UNITS = {"cer": "ref_chars", "cer_with_spaces": "ref_chars", "jer": "ref_jamo"}
_WIDE = 92
"""Columns that a table of pairs takes up with everything that it has."""
_MOST_CHANGES = 20
_MOST_SLICES = 15
_LEGEND = "{} in %; B less A in points of it, with the 95 % interval; P(B) that B is better; p corrected"


class Correction(enum.StrEnum):
    holm = "holm"
    bh = "bh"


_CORRECTIONS = {Correction.holm: "holm", Correction.bh: "benjamini-hochberg"}


def compare(
    systems: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|RUN",
            help="REF HYP_A HYP_B ...: references, then each system's hypotheses; or RUN_A RUN_B ...: ids of runs.",
        ),
    ],
    normalizer: NormalizerOption = None,
    alignment: AlignmentOption = None,
    alternatives: AlternativesOption = None,
    fillers: FillersOption = None,
    notation: NotationOption = None,
    by: Annotated[
        str,
        typer.Option(
            help="overall, utterance (the largest changes), speaker, recording, or a column of the references."
        ),
    ] = _OVERALL,
    correction: Annotated[
        Correction, typer.Option(help="For many tests: holm, or bh (Benjamini and Hochberg).")
    ] = Correction.holm,
    measure: Annotated[
        str | None,
        typer.Option(
            help="The rate to compare: wer or cer; with normalizer korean also cer_with_spaces, jer or swer.",
            show_default="wer; cer with normalizer korean",
        ),
    ] = None,
    partial: PartialOption = False,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="The workspace whose runs are compared.", show_default="here"),
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """Which recogniser is better, where, and how sure that is.

    The first system, A, is what the others are compared with. Given are files where the first argument is one,
    and else runs of the workspace. Differences are B less A, in points of WER: below 0 B is better.

    Example: workbench compare reference.trn old.trn new.trn --by age_group
    """
    options = ScoringOptions(normalizer, alignment, alternatives, fillers, notation, partial)
    comparison = _compared(systems, workspace, options, measure)
    if by == _UTTERANCE:
        _print_changes(comparison, format)
    elif by != _OVERALL:
        _print_slices(comparison, by, correction, format)
    else:
        _print_overall(comparison, correction, format)
    end_of_files(comparison.notes, comparison.faults)


def _compared(systems: list[str], workspace: Path | None, options: ScoringOptions, measure: str | None) -> Comparison:
    from workbench.errors import BadInput
    from workbench.manifests.text_columns import split_column
    from workbench.stages.compare import compare_files, compare_runs

    paths = [Path(name) for name in systems]
    if workspace is None and _is_data(split_column(paths[0])[0]):
        return compare_files(paths[0], paths[1:], options.of_files(), options.partial, measure)
    try:
        opened = open_workspace(workspace or Path("."))
    except BadInput as problem:
        raise BadInput(f"{systems[0]!r} is no file, and there are no runs to compare: {problem}") from problem
    options.refuse_in_workspace(but_partial=True)
    known = list(opened.read("runs")["run_id"])
    unknown = next((name for name in systems if name not in known), None)
    if unknown is not None:
        raise BadInput(f"{unknown!r} is no file here and no run; the runs are {', '.join(known) or 'none yet'}")
    return compare_runs(opened, systems, options.partial, measure)


def _is_data(path: Path) -> bool:
    """Whether it is a file, or a directory of `.nlp` files, and so no run's id."""
    return path.is_file() or (path / "nlp_references").is_dir() or any(path.glob("*.nlp"))


def _print_overall(comparison: Comparison, correction: Correction, format: Format) -> None:
    from workbench.stages.compare import contradictions, contrary_first, pairs, slice_changes, systems

    chosen = _CORRECTIONS[correction]
    rates, compared = systems(comparison), pairs(comparison, chosen)
    sliced = slice_changes(comparison, chosen)
    if format is Format.json:
        tables = {"systems": rates, "pairs": compared, "slices": sliced}
        tables = {name: _in_measure(frame, comparison.measure) for name, frame in tables.items()}
        head = {"scoring": comparison.scoring.label, "measure": comparison.measure, "correction": chosen}
        print_json(head | {name: records(frame) for name, frame in tables.items()})
    elif format is Format.csv:
        print_frame(_in_measure(compared, comparison.measure), format)
    else:
        known = sliced[sliced["verdict"].isin(["A better", "B better"])]
        shown = contrary_first(known, compared).head(_MOST_SLICES)
        columns = _SYSTEM_COLUMNS if comparison.measure == "wer" else _SYSTEM_COLUMNS[:-1]
        _titled(_in_measure(rates.rename(columns=_SHORT)[columns], comparison.measure), "systems", format)
        readable = _readable_pairs(compared, comparison.measure)
        if format is Format.table and console_width() < _WIDE:
            readable = readable.drop(columns="P(B)")
        _titled(readable, "pairs", format)
        if len(shown):
            title = f"slices with a difference shown, {_named(comparison)}"
            _titled(_readable_slices(shown, comparison), title, format)
        if len(known) > len(shown):
            say(f"{len(known) - len(shown)} more slices show a difference; --by TAG lists those of a tag")
        if len(sliced) > len(known):
            say(f"{len(sliced) - len(known)} slices show no difference or hold too little data")
        say(_LEGEND.format(comparison.measure.upper()))
    _say_how(comparison, rates, compared, chosen)
    for sentence in contradictions(compared, sliced):
        say(sentence)


def _named(comparison: Comparison) -> str:
    """Which systems the letters of a table stand for, as far as it does not say so."""
    first, *others = map(_one_line, comparison.scores)
    return f"A is {first}" if len(others) > 1 else f"A is {first}, B is {others[0]}"


def _titled(frame: pd.DataFrame, title: str, format: Format) -> None:
    if format is Format.markdown:
        print(f"## {title}\n")
    print_frame(frame, format, title)
    if format is Format.markdown or len(frame) == 1:
        print()


def _say_how(comparison: Comparison, rates: pd.DataFrame, compared: pd.DataFrame, correction: str) -> None:
    from workbench.stages.compare import best_system
    from workbench.stages.rates import how_resampled

    first = compared.iloc[0]
    whose = "MAPSSWE's" if comparison.measure == "wer" else "a randomization test's"
    say(
        f"scored with {comparison.scoring.label}; {how_resampled(int(first['groups']), first['resampled'])}; the "
        f"verdict on a pair is {whose}, that on a slice a randomization test's over {first['resampled']}; "
        f"p, unlike the intervals, is corrected, by {correction}"
    )
    best = best_system(rates, compared, comparison.measure)
    if best is not None:
        say(best)
    for row in rates[rates["wer"] == 0].itertuples():
        say(f"{row.system} has no error at all: are these its own texts, and not the references?")
    for pair in compared.itertuples():
        if pair.note:
            say(f"* {pair.system_a} and {pair.system_b}: {pair.note}")


def _print_slices(comparison: Comparison, tag: str, correction: Correction, format: Format) -> None:
    from workbench.stages.compare import slice_changes

    chosen = _CORRECTIONS[correction]
    frame = slice_changes(comparison, chosen, tag)
    if format in (Format.json, Format.csv):
        print_frame(_in_measure(frame, comparison.measure), format)
    else:
        _titled(_readable_slices(frame, comparison), f"compared by {tag}, {_named(comparison)}", format)
    say(
        f"scored with {comparison.scoring.label}; intervals and the randomization test are over "
        f"{frame['resampled'].iloc[0]}; p, unlike the intervals, is corrected, by {chosen}, over all slices of a pair"
    )


def _print_changes(comparison: Comparison, format: Format) -> None:
    from workbench.stages.compare import utterance_changes

    frame = utterance_changes(comparison)
    if format is not Format.table:
        print_frame(frame, format)
    else:
        changed = frame[frame["change"] != 0]
        for row in changed.head(_MOST_CHANGES).itertuples():
            print(_one_line(f"{row.utterance_id}: {row.errors_a} to {row.errors_b} errors in {row.ref_words} words"))
            for name, text in (
                ("REF", row.reference),
                (row.system_a, row.hypothesis_a),
                (row.system_b, row.hypothesis_b),
            ):
                print(f"  {_one_line(name)}: {_one_line(text)}")
        rest = len(changed) - _MOST_CHANGES
        if changed.empty:
            print("no utterance has another number of errors")
        elif rest > 0:
            say(f"… and {rest} more; --format csv or json has all of them")
    say(f"scored with {comparison.scoring.label}; the largest changes first, and of equal ones regressions")


def _one_line(text: str) -> str:
    return printable(text).replace("\n", "[U+000A]")


def _in_measure(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The columns named after the rate that they hold."""
    if measure == "wer":
        return frame
    frame = frame.drop(columns=measure, errors="ignore")
    names = {name: name.replace("wer", measure) for name in frame.columns if "wer" in name}
    return frame.rename(columns=names | {"ref_words": _UNITS.get(measure, "ref_words")})


def _readable_pairs(compared: pd.DataFrame, measure: str) -> pd.DataFrame:
    import pandas as pd

    rate = measure.upper()
    rows = [
        {
            "A": row.system_a,
            "B": row.system_b,
            f"{rate} A": _percent(row.wer_a),
            f"{rate} B": _percent(row.wer_b),
            "B less A": _points(row),
            "P(B)": _share(row.probability_b_better),
            # A test that the verdict does not rest on shows nothing.
            "p": "–" if row.verdict == "too little data" else _p(row.p_corrected),
            "verdict": row.verdict + " *" * bool(row.note),
        }
        for row in compared.itertuples()
    ]
    return pd.DataFrame(rows)


def _readable_slices(sliced: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    import pandas as pd

    several, rate = len(comparison.scores) > 2, comparison.measure.upper()
    rows = [
        {
            **({"B": row.system_b} if several else {}),
            "slice": row.slice,
            "utts": row.utterances,
            f"{rate} A": _percent(row.wer_a),
            f"{rate} B": _percent(row.wer_b),
            "B less A": _points(row),
            "p": _p(row.p_corrected),
            "verdict": row.verdict,
        }
        for row in sliced.itertuples()
    ]
    return pd.DataFrame(rows)


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.1f}"


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _points(row: object) -> str:
    """The difference in points of WER with its interval."""
    values = [getattr(row, name) for name in ("difference", "difference_low", "difference_high")]
    if math.isnan(values[0]):
        return "–"
    difference, low, high = (f"{100 * value:+.1f}" for value in values)
    return difference if math.isnan(values[1]) else f"{difference} ({low}…{high})"


def _p(value: float) -> str:
    return "–" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
