"""NIST's time-marked words (ctm), what a recogniser heard in whole recordings.

    recording channel start duration word [confidence [type [speaker]]]

Fields are parted by blanks, times are seconds, the confidence is a number or NA; type and speaker, of later NIST
evaluations, are not used.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pandas as pd

from workbench.manifests.faults import UnusableRow, shown
from workbench.manifests.nist_lines import fields_of, name, parsed_lines, seconds
from workbench.manifests.text_file import read_lines

COLUMNS = ("recording", "channel", "start", "duration", "word", "confidence", "line")
_FIELDS = range(5, 9)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ALTERNATION = re.compile(r"<ALT(?:_BEGIN|_END)?>", re.IGNORECASE)


def read_ctm(path: Path | str) -> pd.DataFrame:
    """The words of a ctm file in its order: COLUMNS; times in seconds, no confidence is NaN, `line` counts from 1.

    Raises:
        BadInput: the file cannot be read, or lines of it cannot be used: how many, and the first five with what was
            expected. Alternations (`<ALT_BEGIN>`) are among them: what was heard is one sequence of words.
    """
    path = Path(path)
    # sclite takes one semicolon for a comment here, and wants two in an stm file.
    parsed = parsed_lines(path, read_lines(path), _word, comment=";")
    frame = pd.DataFrame([(*word, number) for number, word in parsed], columns=list(COLUMNS))
    return frame.astype(
        {"recording": "str", "channel": "str", "start": "float64", "duration": "float64", "word": "str",
         "confidence": "float64", "line": "int64"}
    )  # fmt: skip


def _word(line: str) -> tuple[str, str, float, float, str, float]:
    fields = fields_of(line, _FIELDS.stop)
    if len(fields) not in _FIELDS:
        raise UnusableRow(
            shown(line), "`recording channel start duration word [confidence]`", "correct or remove the line"
        )
    if _ALTERNATION.fullmatch(fields[4]):
        raise UnusableRow(
            f"the mark {shown(fields[4])} of an alternation",
            "one sequence of words",
            "keep what was recognised and remove the alternatives",
        )
    if "\0" in fields[4]:
        raise UnusableRow("the character NUL in the word", "text without it", "remove it")
    return (
        name("recording", fields[0]), name("channel", fields[1]), seconds("start", fields[2]),
        seconds("duration", fields[3]), fields[4], _confidence(fields[5]) if len(fields) > 5 else math.nan,
    )  # fmt: skip


def _confidence(value: str) -> float:
    if value.upper() == "NA":
        return math.nan
    number = float(value) if _NUMBER.fullmatch(value) else math.inf
    if math.isinf(number):
        raise UnusableRow(f"confidence {shown(value)}", "a number or NA", "correct it; a word cannot hold a blank")
    return number
