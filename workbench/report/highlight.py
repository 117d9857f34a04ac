"""Where the transcripts of one clip differ, for the eye: which characters to mark, and where something is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\s+|\w+(?:['’]\w+)*|[^\w\s]")
MOST_TEXTS, MOST_TOKENS = 8, 400
"Beyond these, comparing every pair costs more than the marks are worth."


@dataclass(frozen=True)
class Piece:
    """A stretch of a transcript: `same` in all, `differs`, or a `gap` (no text, but others have some here)."""

    kind: str
    text: str


def highlight(texts: Sequence[str]) -> list[list[Piece]]:
    """The pieces of each text; a token is the same when every other text has it in the same place.

    >>> [[(piece.kind, piece.text) for piece in one] for one in highlight(["a b", "a"])]
    [[('same', 'a'), ('differs', ' b')], [('same', 'a'), ('gap', '')]]
    """
    tokens = [_TOKEN.findall(text) for text in texts]
    if len(texts) > MOST_TEXTS or any(len(one) > MOST_TOKENS for one in tokens):
        return [[Piece("same", text)] for text in texts]
    marks = [[False] * len(one) for one in tokens]
    gaps: list[set[int]] = [set() for _ in tokens]
    for a in range(len(tokens)):
        for b in range(a + 1, len(tokens)):
            _compare(tokens[a], tokens[b], marks[a], marks[b], gaps[a], gaps[b])
    return [_pieces(*one) for one in zip(tokens, marks, gaps, strict=True)]


def _compare(
    a: list[str], b: list[str], marks_a: list[bool], marks_b: list[bool], gaps_a: set[int], gaps_b: set[int]
) -> None:
    for op, a_start, a_end, b_start, b_end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if op == "equal":
            continue
        only_spacing = op == "replace" and _squeezed(a[a_start:a_end]) == _squeezed(b[b_start:b_end])
        for tokens, marks, gaps, start, end in (
            (a, marks_a, gaps_a, a_start, a_end),
            (b, marks_b, gaps_b, b_start, b_end),
        ):
            if start == end:
                gaps.add(start)
            for i in range(start, end):
                marks[i] = marks[i] or not only_spacing or tokens[i].isspace()
            if only_spacing and not any(tokens[i].isspace() for i in range(start, end)):
                marks[start:end] = [True] * (end - start)


def _squeezed(tokens: list[str]) -> str:
    return "".join(token for token in tokens if not token.isspace())


def _pieces(tokens: list[str], marks: list[bool], gaps: set[int]) -> list[Piece]:
    pieces: list[Piece] = []
    if not tokens:
        return pieces
    for i, (token, mark) in enumerate(zip(tokens, marks, strict=True)):
        beside_a_mark = mark or (i > 0 and marks[i - 1])
        if i in gaps and not beside_a_mark:
            pieces.append(Piece("gap", ""))
        kind = "differs" if mark else "same"
        if pieces and pieces[-1].kind == kind:
            pieces[-1] = Piece(kind, pieces[-1].text + token)
        else:
            pieces.append(Piece(kind, token))
    if len(tokens) in gaps and not marks[-1]:
        pieces.append(Piece("gap", ""))
    return pieces
