"""Two changes of one text brought together, word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(r"\s+|\S+")


class _Edit(NamedTuple):
    """Tokens `start` to `end` of the base are replaced."""

    start: int
    end: int
    tokens: tuple[str, ...]


def merge_edits(base: str, one: str, other: str) -> str | None:
    """The base with what both texts change in it; None where they change the same words in different ways.

    >>> merge_edits("um the colour of it", "the colour of it", "um the color of it")
    'the color of it'
    >>> merge_edits("um the colour", "the colour", "the colour")
    'the colour'
    >>> merge_edits("two cats", "three cats", "a few cats") is None
    True
    """
    tokens = _TOKEN.findall(base)
    edits = sorted({*_edits(tokens, one), *_edits(tokens, other)})
    for before, after in pairwise(edits):
        # What is put in at one place stands before or after what is put in there by the other: nobody can say.
        at_one_place = before.end == after.start and (before.start == before.end or after.start == after.end)
        if after.start < before.end or at_one_place:
            return None
    merged: list[str] = []
    done = 0
    for edit in edits:
        merged += [*tokens[done : edit.start], *edit.tokens]
        done = edit.end
    return "".join([*merged, *tokens[done:]])


def _edits(tokens: list[str], changed: str) -> list[_Edit]:
    to = _TOKEN.findall(changed)
    steps = SequenceMatcher(None, tokens, to, autojunk=False).get_opcodes()
    return [_Edit(i1, i2, tuple(to[j1:j2])) for op, i1, i2, j1, j2 in steps if op != "equal"]
