"""The lines of NIST's segment and word files: fields between blanks, `;;` comments, every bad line named at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from workbench.errors import BadInput
from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.manifests.fields import as_label, as_seconds

COMMENT = ";;"
_BLANKS = re.compile(r"[ \t]+")
_MOST_NAMED = 5

T = TypeVar("T")


def parsed_lines(
    path: Path, lines: Sequence[str], parse: Callable[[str], T], comment: str = COMMENT
) -> list[tuple[int, T]]:
    """What `parse` makes of each line that is not blank and no comment, with the line's number (from 1).

    Raises:
        BadInput: `parse` raised UnusableRow; how many lines cannot be used, with the reasons of the first five.
    """
    faults = Faults()
    made = []
    for number, line in enumerate(lines, start=1):
        content = line.strip(" \t")
        if not content or content.startswith(comment):
            continue
        try:
            made.append((number, parse(content)))
        except UnusableRow as problem:
            faults.add(f"line {number}", path, number, problem)
    if faults.rows:
        named = [f"{row['location']}: {row['reason']}" for row in faults.rows[:_MOST_NAMED]]
        more = len(faults.rows) - len(named)
        raise BadInput(
            f"{path}: {len(faults.rows)} of {len(made) + len(faults.rows)} lines cannot be used:\n  "
            + "\n  ".join(named)
            + (f"\n  … and {more} more" if more else "")
        )
    return made


def fields_of(line: str, most: int) -> list[str]:
    """The line's fields between runs of blanks and tabs, the last of `most` being the rest of the line.

    >>> fields_of("a  b\\tc  d", 3)
    ['a', 'b', 'c  d']
    """
    return _BLANKS.split(line, maxsplit=most - 1)


def name(what: str, value: str) -> str:
    """A recording's, channel's or speaker's name.

    Raises:
        UnusableRow: it holds control characters.
    """
    return as_label(what, value) or ""


def seconds(what: str, value: str) -> float:
    """A time in seconds.

    Raises:
        UnusableRow: it is not a number, negative, or longer than any recording.
    """
    try:
        number = as_seconds(what, value)
    except UnusableRow:
        number = None
    if number is None:
        raise UnusableRow(f"{what} {shown(value)}", "seconds from 0 on, as 1.25", "correct the line")
    return number
