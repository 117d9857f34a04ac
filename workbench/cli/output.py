"""How commands print: tables in four formats on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import enum
import json
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from workbench.cli.stacked import ShownColumn
    from workbench.jobs.local import Progress
    from workbench.stages.stage import Outcome

EXIT_FAULTS = 1


class Format(enum.StrEnum):
    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print the table.")]

_RATES = {
    "wer",
    "cer",
    "cer_low",
    "cer_high",
    "cer_with_spaces",
    "jer",
    "swer",
    "wer_low",
    "wer_high",
    "rest_wer",
    "word_share",
    "share",
    "coverage",
    "precision",
    "expected_wer",
}
_OF_ONE = {"score", "rank", "posterior", "similarity", "confidence"}
_SHORT = {"utterances": "utts", "ref_words": "words", "cost_hours": "hours", "run_id": "run"}
_FIGURES = re.compile(r"[-+–<>\d\s.,%…()]*")
_SHORT_WORD = 10
_MOST_FAULTS = 100  # of those that no table keeps
_TO_THE_SECOND = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\S*$")  # the workbench writes UTC
_WIDEST = 9  # columns that a terminal can show side by side
_INTERVALS = ("wer", "cer", "gain")
_POINTS = {"gap", "gain", "gain_low", "gain_high", "gain_per_hour"}


def say(text: str) -> None:
    """A line for people, on standard error, so that standard output holds the data only."""
    print(printable(text), file=sys.stderr)


def printable(text: str) -> str:
    """The text with every character that could steer the terminal written as its code point."""
    from workbench.report.characters import plain

    return "\n".join(plain(line) for line in text.split("\n"))


def print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))


def print_frame(frame: pd.DataFrame, format: Format, title: str = "", columns: list[str] | None = None) -> None:
    """Print a table; `columns` names those that fit a screen, JSON and CSV always hold all of them."""
    if format is Format.json:
        print_json(records(frame))
    elif format is Format.csv:
        from workbench.report.csv_tables import csv_text

        sys.stdout.write(csv_text(frame))
    elif format is Format.markdown:
        print(as_markdown(frame[columns] if columns else frame))
    else:
        _print_rich(frame[columns] if columns else frame, title)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON can hold them."""
    from workbench.report.json_document import json_rows

    return json_rows(frame)


def as_markdown(frame: pd.DataFrame) -> str:
    """The table as Markdown, numbers as people read them."""
    from workbench.report.markdown import escaped

    lines = ["| " + " | ".join(escaped(name) for name in frame.columns) + " |", "|" + " --- |" * len(frame.columns)]
    for row in records(frame):
        lines.append("| " + " | ".join(escaped(shown(name, value)) for name, value in row.items()) + " |")
    return "\n".join(lines)


def shown(name: str, value: Any) -> str:
    """A value as people read it: rates in per cent, gains in WER points."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and name in _RATES:
        return f"{100 * value:.1f} %"
    if isinstance(value, float) and name in _POINTS:
        return f"{100 * value:+.2f}" if name == "gap" else f"{100 * value:.2f}"
    if isinstance(value, float) and name in _OF_ONE:
        return f"{value:.3f}"
    if name.endswith("_at"):
        return printable(_TO_THE_SECOND.sub(r"\1 \2", str(value)))
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return printable(str(value))


def _print_rich(frame: pd.DataFrame, title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    from workbench.cli.stacked import broken_width, least_width, stacked

    if len(frame) == 1 or (len(frame) and len(frame.columns) > _WIDEST):
        _print_records(frame, title)
        return
    points = "; gap and gain in WER points" if _POINTS & set(frame.columns) else ""
    heading = escape(title + points) if title else None
    table = Table(title=heading, title_justify="left", header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    rows = records(frame)
    names, with_interval = _without_ends([str(name) for name in frame.columns])
    console = _console()
    columns = [_shown_column(name, rows) for name in names]
    words_fit = not with_interval and broken_width(columns) <= console.width
    fits = not with_interval and least_width(columns) <= console.width
    if rows and not with_interval and not fits and any(column.is_long for column in columns):
        if heading:
            console.print(heading, style="italic")
        for line in stacked(columns, console.width):
            console.print(line)
        return
    for name, column in zip(names, columns, strict=True):
        # A number that is broken in two is read as another one, and a short word is not read at all.
        whole = all(_FIGURES.fullmatch(cell) or len(cell) <= _SHORT_WORD for cell in column.cells)
        whole = whole or (fits and not column.is_long) or (words_fit and not any(" " in cell for cell in column.cells))
        justify: Literal["right", "left"] = "right" if column.right else "left"
        least = column.longest_word if words_fit else None
        table.add_column(escape(_heading(name)), justify=justify, overflow="fold", no_wrap=whole, min_width=least)
        if name in with_interval:
            table.add_column("95 %", justify="right", no_wrap=True)
    for row in rows:
        shown_cells = []
        for name in names:
            shown_cells.append(Text(shown(name, row[name])))
            if name in with_interval:
                shown_cells.append(Text(_interval(name, row[name + "_low"], row[name + "_high"])))
        table.add_row(*shown_cells)
    if rows:
        console.print(table)
    else:
        print(f"{title or 'table'}: no rows")


def _shown_column(name: str, rows: list[dict[str, Any]]) -> ShownColumn:
    from workbench.cli.stacked import ShownColumn

    numeric = any(isinstance(row[name], int | float) for row in rows)
    return ShownColumn(_heading(name), [shown(name, row[name]).replace("\n", " ") for row in rows], numeric)


def _console() -> Console:
    """As wide as the terminal; a pipe or a file has no width, and gets one that breaks few words."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=160)


def console_width() -> int:
    """How many columns a table may take up."""
    return _console().width


def _print_records(frame: pd.DataFrame, title: str) -> None:
    """One row, or rows of many columns, read best as lists of names and values."""
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    if title:
        _console().print(escape(title), style="italic")
    for row in records(frame):
        table = Table(show_header=False, box=None)
        names, with_interval = _without_ends(list(row))
        for name in names:
            value = shown(name, row[name])
            if name in with_interval:
                value += f"  (95 %: {_interval(name, row[name + '_low'], row[name + '_high'])})"
            table.add_row(Text(_heading(name), style="bold"), Text(value))
        _console().print(table)
        if len(frame) > 1:
            print()


def _without_ends(names: list[str]) -> tuple[list[str], set[str]]:
    """The columns that are shown by themselves, and those of them that are shown with their interval."""
    with_interval = {name for name in _INTERVALS if {name, f"{name}_low", f"{name}_high"} <= set(names)}
    ends = {name + end for name in with_interval for end in ("_low", "_high")}
    return [name for name in names if name not in ends], with_interval


def _interval(name: str, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    return f"{shown(name, low).removesuffix(' %')} … {shown(name, high)}"


def _heading(name: str) -> str:
    return _SHORT.get(name, name.replace("_", " "))


def finish(outcome: Outcome, format: Format, columns: list[str] | None = None) -> None:
    """Print a stage's table and notes, name its faults, and exit with 1 when there are any."""
    print_frame(outcome.table, format, outcome.stage, columns)
    for note in outcome.notes:
        say(note)
    say_faults(outcome)
    if len(outcome.faults):
        raise typer.Exit(EXIT_FAULTS)


def say_faults(outcome: Outcome, most: int = 5) -> None:
    """Name the first faults, and where all of them stand if there are more; many where no table keeps them."""
    if outcome.faults.empty:
        return
    number, most = len(outcome.faults), most if outcome.kept else max(most, _MOST_FAULTS)
    say(f"{outcome.stage}: {number} {'fault' if number == 1 else 'faults'}:")
    for fault in outcome.faults.head(most).itertuples():
        prefix = "" if str(fault.location) in str(fault.reason) else f"{fault.location}: "
        say(f"  {fault.item}: {prefix}{fault.reason}")
    if number > most:
        where = "; all of them: workbench show faults" if outcome.kept else ", once these are corrected"
        say(f"  … and {number - most} more{where}")


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A progress bar on standard error, drawn only where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        try:
            yield update
        except KeyboardInterrupt:
            say("interrupted; what was finished is kept, run the command again to go on")
            raise
