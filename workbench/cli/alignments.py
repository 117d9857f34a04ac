"""How alignments are printed: coloured where standard output is a terminal, as plain text elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workbench.cli.output import Format, print_frame, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from workbench.report.alignment_views import Span
    from workbench.stages.rates import Scored

_WIDTH = 100  # columns of a line where there is no terminal
_STYLES = {"substitute": "yellow", "delete": "red", "insert": "cyan", "forgiven": "green"}


def print_alignments(scored: Scored, format: Format) -> None:
    """Print every utterance's alignment: lines to read, a JSON list, or a row for each step."""
    from workbench.report.alignment_views import (
        aligned_utterances,
        alignment_objects,
        alignment_rows,
        terminal_lines,
    )

    utterances = aligned_utterances(scored.scores)
    if format is Format.json:
        print_json(list(alignment_objects(utterances)))
        return
    if format is not Format.table:
        print_frame(alignment_rows(utterances), format, "alignments")
        return
    from rich.console import Console

    console = Console(highlight=False)
    width = console.width if console.is_terminal else _WIDTH
    for utterance in utterances:
        for line in terminal_lines(utterance, width):
            _print_line(console, line)
        print()


def _print_line(console: Console, line: list[Span]) -> None:
    if console.color_system is None:
        sys.stdout.write("".join(span.text for span in line) + "\n")
        return
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ignore")
    for span in line:
        text.append(span.text, _STYLES.get(span.kind))
    console.print(text, soft_wrap=True)


def print_pra(scored: Scored, system: str) -> None:
    """Print the alignments as `sclite -o pra` lists them; without known speakers as ids name them for sclite."""
    from workbench.report.alignment_views import aligned_utterances, pra_lines
    from workbench.stages.rates import speakers_or_spu_ids

    case_sensitive = scored.scoring.normalizer.name == "none"
    lines = pra_lines(aligned_utterances(scored.scores), speakers_or_spu_ids(scored), system, case_sensitive)
    sys.stdout.writelines(line + "\n" for line in lines)
