"""How commands print: tables in four formats on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import csv
import enum
import io
import json
import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from workbench.jobs.local import Progress
    from workbench.stages.stage import Outcome

EXIT_FAULTS = 1


class Format(enum.StrEnum):
    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print the table.")]

_RATES = {"wer", "cer", "wer_low", "wer_high", "rest_wer", "word_share", "share", "coverage"}
_SHORT = {"utterances": "utts", "ref_words": "words", "cost_hours": "hours", "run_id": "run"}
_ENDS = ("_low", "_high")
_POINTS = {"gap", "gain", "gain_low", "gain_high", "gain_per_hour"}


def say(text: str) -> None:
    """A line for people, on standard error, so that standard output holds the data only."""
    print(text, file=sys.stderr)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON can hold them: a missing value is None, a time its ISO form."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if str(value) in ("<NA>", "NaT") else str(value)


def print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))


def print_frame(frame: pd.DataFrame, format: Format, title: str = "", columns: list[str] | None = None) -> None:
    """Print a table; `columns` names those that fit a screen, the other formats always hold all of them."""
    if format is Format.json:
        print_json(records(frame))
    elif format is Format.csv:
        print(as_csv(frame), end="")
    elif format is Format.markdown:
        print(as_markdown(frame[columns] if columns else frame))
    else:
        _print_rich(frame[columns] if columns else frame, title)


def as_csv(frame: pd.DataFrame) -> str:
    """The table as CSV; a text cell that a spreadsheet would run as a formula gets a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in records(frame):
        writer.writerow([_cell(value) for value in row.values()])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value


def as_markdown(frame: pd.DataFrame) -> str:
    """The table as Markdown, numbers as people read them."""
    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|" + " --- |" * len(frame.columns)]
    for row in records(frame):
        cells = [shown(name, value).replace("|", "\\|").replace("\n", " ") for name, value in row.items()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shown(name: str, value: Any) -> str:
    """A value as people read it: rates in per cent, gains in WER points."""
    if value is None:
        return "–"
    if name in _RATES:
        return f"{100 * value:.1f} %"
    if name in _POINTS:
        return f"{100 * value:+.2f}" if name == "gap" else f"{100 * value:.2f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    text = str(value)
    return "".join(c if c.isprintable() else "�" for c in text)


def _print_rich(frame: pd.DataFrame, title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    if len(frame) == 1:
        _print_record(frame, title)
        return
    points = "; gap and gain in WER points" if _POINTS & set(frame.columns) else ""
    heading = escape(title + points) if title else None
    table = Table(title=heading, title_justify="left", header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    rows = records(frame)
    names = [str(name) for name in frame.columns if not str(name).endswith(_ENDS)]
    for name in names:
        numeric = any(isinstance(row[name], int | float) for row in rows)
        table.add_column(escape(_heading(name)), justify="right" if numeric else "left", overflow="fold")
        if name + "_low" in frame.columns:
            table.add_column("95 %", justify="right", no_wrap=True)
    for row in rows:
        cells = []
        for name in names:
            cells.append(Text(shown(name, row[name])))
            if name + "_low" in frame.columns:
                cells.append(Text(_interval(name, row[name + "_low"], row[name + "_high"])))
        table.add_row(*cells)
    console = Console(soft_wrap=False)
    if not rows:
        console.print(f"{title or 'table'}: no rows", highlight=False)
        return
    console.print(table)


def _print_record(frame: pd.DataFrame, title: str) -> None:
    """One row reads best as a list of names and values."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table(title=escape(title) if title else None, title_justify="left", show_header=False, box=None)
    for name, value in records(frame)[0].items():
        table.add_row(Text(_heading(name), style="bold"), Text(shown(name, value)))
    Console().print(table)


def _interval(name: str, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    return f"{shown(name, low).removesuffix(' %')} … {shown(name, high)}"


def _heading(name: str) -> str:
    return _SHORT.get(name, name.replace("_", " "))


def finish(outcome: Outcome, format: Format, columns: list[str] | None = None) -> None:
    """Print a stage's table and notes, name its faults, and exit with 1 when there are any."""
    if outcome.table is not None:
        print_frame(outcome.table, format, outcome.stage, columns)
    for note in outcome.notes:
        say(note)
    say_faults(outcome)
    if len(outcome.faults):
        raise typer.Exit(EXIT_FAULTS)


def say_faults(outcome: Outcome, most: int = 5) -> None:
    """Name the first faults and where all of them stand."""
    if outcome.faults.empty:
        return
    number = len(outcome.faults)
    say(f"{outcome.stage}: {number} {'fault' if number == 1 else 'faults'}:")
    for fault in outcome.faults.head(most).itertuples():
        prefix = "" if str(fault.location) in str(fault.reason) else f"{fault.location}: "
        say(f"  {shown('', fault.item)}: {shown('', prefix + fault.reason)}")
    if number > most:
        say(f"  … and {number - most} more; all of them: workbench show faults")


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

        yield update
