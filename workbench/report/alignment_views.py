"""Alignments to look at: lines for a terminal, sclite's `pra` listing, and objects for JSON.

Words are made safe to print (`workbench.report.characters`), and columns are as wide as a terminal shows them, so that
Hangul and Latin letters line up. Nothing is computed here: the steps and counts are those of table `scores`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from analysis.network_align import Forgiven
from analysis.steps import Step
from workbench.report.characters import plain

COUNTS = ("ref_words", "hits", "substitutions", "deletions", "insertions")
LETTERS = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}
FORGIVEN = "forgiven"
"The kind of a word that an alternative made right; the other kinds are the operations."
_FORGIVEN_LETTER = "~"
_PRA_WIDTH = 1000
"Columns of a line of sclite's listing, whatever its -l says."


class AlignedUtterance(NamedTuple):
    """An utterance of table `scores`: its id, its counts by name, its steps, and what alternatives forgave."""

    utterance_id: str
    counts: dict[str, int]
    steps: list[Step]
    forgiven: list[Forgiven]

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.counts["substitutions"] + self.counts["deletions"] + self.counts["insertions"]


class Span(NamedTuple):
    """Text of one kind: an operation, `forgiven`, or nothing where there is nothing to see."""

    text: str
    kind: str = ""


def aligned_utterances(scores: pd.DataFrame) -> Iterator[AlignedUtterance]:
    """Each row of table `scores` (of one run and scoring) with the steps of its alignment, in order."""
    for start in range(0, len(scores), 1000):
        part = scores.iloc[start : start + 1000]
        alignments = _lists(part["alignment"])
        forgiven = _lists(part["forgiven"]) if "forgiven" in part.columns else [[] for _ in alignments]
        columns = [part[name].tolist() for name in ("utterance_id", *COUNTS)]
        for utterance_id, *counts, steps, taken in zip(*columns, alignments, forgiven, strict=True):
            yield AlignedUtterance(
                str(utterance_id),
                dict(zip(COUNTS, map(int, counts), strict=True)),
                [Step(step["op"], step["reference"], step["hypothesis"]) for step in steps],
                [Forgiven(**one) for one in taken],
            )


def _lists(column: pd.Series) -> list[list[dict[str, Any]]]:
    return [rows or [] for rows in pa.array(column).to_pylist()]


def display_width(text: str) -> int:
    """The columns that the text takes in a terminal: two for wide characters, none for combining ones.

    >>> display_width("ok"), display_width("날씨"), display_width("e\\u0301")
    (2, 4, 1)
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    # Vowels and final consonants of decomposed Hangul are drawn inside the syllable that their lead opens.
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _safe(word: str) -> str:
    return plain(word).replace("\n", "[U+000A]")


def _padded(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))


def terminal_lines(utterance: AlignedUtterance, width: int) -> list[list[Span]]:
    """The utterance for a terminal of so many columns: a heading, then lines of reference, hypothesis and marks.

    Absent words are padded with asterisks, and the marks `S`, `D`, `I` and, for what an alternative forgave, `~` stand
    below, so that the lines can be read without colours, too.
    """
    lines = [[Span(_heading(utterance))]]
    for chunk in _chunks(_terminal_cells(utterance), 6, width):
        for label, side in (("REF:  ", 0), ("HYP:  ", 1), ("Eval: ", 2)):
            if side < 2 or any(cell.texts[2] for cell in chunk):
                spans = [Span(_padded(cell.texts[side], cell.width), cell.kind) for cell in chunk]
                lines.append(_spaced([Span(label), *spans]))
    names = dict.fromkeys(one.alternative for one in utterance.forgiven)
    if names:
        lines.append([Span(f"{_FORGIVEN_LETTER} forgiven by {', '.join(map(_safe, names))}", FORGIVEN)])
    return lines


def _heading(utterance: AlignedUtterance) -> str:
    counts = utterance.counts
    rate = f"{100 * utterance.errors / counts['ref_words']:.1f} %" if counts["ref_words"] else "–"
    parts = [_counted(counts[f"{name}s"], name) for name in ("substitution", "deletion", "insertion")]
    errors = ", ".join(filter(None, parts)) or "no errors"
    return (
        f"{_safe(utterance.utterance_id)}: {_counted(counts['ref_words'], 'word') or 'no words'}, {errors}; WER {rate}"
    )


def _counted(number: int, name: str) -> str:
    """The number and the name; nothing for none."""
    return "" if not number else f"{number} {name}" + ("s" if number > 1 else "")


def _spaced(line: list[Span]) -> list[Span]:
    """The label and the cells, with a plain space between cells and none at the end."""
    spaced = [line[0]]
    for i, span in enumerate(line[1:]):
        spaced += [Span(" "), span] if i else [span]
    while spaced and not spaced[-1].text.strip():
        spaced.pop()
    if spaced:
        spaced[-1] = Span(spaced[-1].text.rstrip(" "), spaced[-1].kind)
    return spaced


class _Cell(NamedTuple):
    texts: tuple[str, str, str]
    width: int
    kind: str


def _cell(reference: str, hypothesis: str, letter: str, kind: str, absent: str = "*") -> _Cell:
    width = max(display_width(reference), display_width(hypothesis), len(letter))
    texts = reference or absent * width, hypothesis or absent * width, letter
    return _Cell(texts, width, kind)


def _terminal_cells(utterance: AlignedUtterance) -> list[_Cell]:
    """The steps' cells, with one of its own for each word that was left out, which is no step."""
    left_out = [one.step for one in utterance.forgiven if not one.steps]
    taken = {step for one in utterance.forgiven for step in range(one.step, one.step + one.steps)}
    cells: list[_Cell] = []
    for i, step in enumerate([*utterance.steps, None]):
        cells += [_Cell(("", "", _FORGIVEN_LETTER), 1, FORGIVEN)] * left_out.count(i)
        if step is None:
            continue
        kind = step.op if step.op != "equal" else FORGIVEN if i in taken else ""
        letter = LETTERS[step.op] or (_FORGIVEN_LETTER if i in taken else "")
        cells.append(_cell(_safe(step.reference), _safe(step.hypothesis), letter, kind))
    return cells


def _chunks(cells: Sequence[_Cell], label: int, width: int, keep_last: bool = False) -> Iterator[list[_Cell]]:
    """The cells in lines of less than `width` columns, each after a label; a cell that is too wide stands alone.

    Args:
        keep_last: the last cell stays on its line whatever its width, as in sclite.
    """
    chunk: list[_Cell] = []
    used = label
    for place, cell in enumerate(cells, start=1):
        if chunk and used + cell.width + 1 >= width and not (keep_last and place == len(cells)):
            yield chunk
            chunk, used = [], label
        chunk.append(cell)
        used += cell.width + 1
    if chunk:
        yield chunk


def pra_lines(
    utterances: Iterable[AlignedUtterance], speakers: Mapping[str, str], system: str, case_sensitive: bool = False
) -> Iterator[str]:
    """The lines of a listing like that of `sclite -o pra`, speaker by speaker.

    The lines `id`, `Scores`, `REF`, `HYP` and `Eval` are sclite's own for ASCII text; other text is padded by what a
    terminal shows, where sclite counts bytes. Wrong words are in capitals unless the scoring minds case, as in sclite.

    Args:
        speakers: the speaker of each utterance, by its id.
    """
    of_speaker: dict[str, list[AlignedUtterance]] = {}
    for utterance in utterances:
        of_speaker.setdefault(speakers[utterance.utterance_id], []).append(utterance)
    yield from ("\t\tDUMP OF SYSTEM ALIGNMENT STRUCTURE", "", f"System name:   {_safe(system)}", "", "Speakers: ")
    yield from (f"   {i:2d}:  {_safe(speaker)}" for i, speaker in enumerate(of_speaker))
    yield ""
    for i, (speaker, spoken) in enumerate(of_speaker.items()):
        yield f"Speaker sentences  {i:2d}:  {_safe(speaker)}   #utts: {len(spoken)}"
        for utterance in spoken:
            yield from _pra_utterance(utterance, case_sensitive)


def _pra_utterance(utterance: AlignedUtterance, case_sensitive: bool) -> Iterator[str]:
    counts = utterance.counts
    yield f"id: ({_safe(utterance.utterance_id)})"
    figures = " ".join(str(counts[name]) for name in ("hits", "substitutions", "deletions", "insertions"))
    yield f"Scores: (#C #S #D #I) {figures}"
    if case_sensitive:
        yield "Attributes: Case_sensitve "  # sclite's own spelling, which its readers look for
    cells = [_pra_cell(step, case_sensitive) for step in utterance.steps]
    if not cells:
        yield ""
    prefix = ""
    remaining = cells
    while remaining:
        chunk = next(_chunks(remaining, len(prefix) + 6, _PRA_WIDTH, keep_last=True))
        for label, side in (("REF:  ", 0), ("HYP:  ", 1), ("Eval: ", 2)):
            yield prefix + label + "".join(_padded(cell.texts[side], cell.width) + " " for cell in chunk)
        yield ""
        remaining = remaining[len(chunk) :]
        prefix = ">> "
    if not cells:
        yield ""


def _pra_cell(step: Step, case_sensitive: bool) -> _Cell:
    reference, hypothesis = _safe(step.reference), _safe(step.hypothesis)
    if step.op != "equal":
        if not case_sensitive:
            reference, hypothesis = reference.upper(), hypothesis.upper()
        return _cell(reference, hypothesis, LETTERS[step.op], step.op)
    # An optional word that was left out.
    reference = reference if hypothesis else f"({reference})"
    hypothesis = hypothesis if reference else f"({hypothesis})"
    return _cell(reference, hypothesis, "", "", absent=" ")


def alignment_objects(utterances: Iterable[AlignedUtterance]) -> Iterator[dict[str, Any]]:
    """Each utterance as JSON holds it: utterance_id, the counts, wer, and lists `alignment` and `forgiven`."""
    for utterance in utterances:
        words = utterance.counts["ref_words"]
        yield {
            "utterance_id": utterance.utterance_id,
            **utterance.counts,
            "wer": utterance.errors / words if words else None,
            "alignment": [step._asdict() for step in utterance.steps],
            "forgiven": [one._asdict() for one in utterance.forgiven],
        }


def alignment_rows(utterances: Iterable[AlignedUtterance]) -> pd.DataFrame:
    """One row a step: utterance_id, step (from 0), op, reference, hypothesis."""
    rows = [(utterance.utterance_id, i, *step) for utterance in utterances for i, step in enumerate(utterance.steps)]
    return pd.DataFrame(rows, columns=["utterance_id", "step", "op", "reference", "hypothesis"])
