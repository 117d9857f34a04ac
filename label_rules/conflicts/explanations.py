"""What kind of difference lies between two runs of words: another way to write the same, or other words."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from analysis.language import korean_numbers, numbers
from analysis.language.contractions import dropped_g, full_forms, same_in_full
from analysis.language.spellings import same_word

# The longest runs that one difference may hold on a side: seven words make a number such as 120,345.
_LONGEST_NUMBER = 7
_LONGEST = 3
_EXPLAINED, _CONTENT = 0.5, 1.0
# Beyond so many pairs of words a stretch is other words throughout; the cost of finding out grows with them.
_MOST_PAIRS = 400
_KOREAN_NUMERALS = frozenset("영공일이삼사오육칠팔구십백천만하둘셋넷한두세네다여일아열스서마쉰")


class Piece(NamedTuple):
    """Words a[a_start:a_end] stand against words b[b_start:b_end]; no kind: they are equal."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    kind: str | None


@lru_cache(maxsize=200_000)
def explain(a: tuple[str, ...], b: tuple[str, ...]) -> str | None:
    """The kind by which two runs of case-folded words say the same; None when they do not, or are equal.

    >>> explain(("twenty",), ("20",)), explain(("ice", "cream"), ("icecream",)), explain(("sea",), ("see",))
    ('number', 'spacing', None)
    """
    if a == b or not a or not b:
        return None
    if len(a) == len(b) == 1:
        return _explain_words(a[0], b[0])
    if len(a) <= _LONGEST and len(b) <= _LONGEST:
        if "".join(a) == "".join(b):
            return "spacing"
        if same_in_full(a, b):
            return "contraction"
    return "number" if _same_number(a, b) else None


def _explain_words(one: str, other: str) -> str | None:
    if one == other:
        return None
    if (full_forms(one) or full_forms(other) or dropped_g(one, other)) and same_in_full((one,), (other,)):
        return "contraction"
    if same_word(one, other):
        return "spelling"
    return "number" if _same_number((one,), (other,)) else None


def _same_number(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    if all(map(numbers.is_numberish, a + b)):
        return not numbers.readings(a).isdisjoint(numbers.readings(b))
    if len(a) > _LONGEST or len(b) > _LONGEST or not (_korean_number(a) and _korean_number(b)):
        return False
    return not korean_numbers.readings(a).isdisjoint(korean_numbers.readings(b))


def _korean_number(words: tuple[str, ...]) -> bool:
    return words[0][0].isdecimal() or words[0][0] in _KOREAN_NUMERALS


@lru_cache(maxsize=200_000)
def decompose(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[Piece, ...]:
    """The pieces that two runs of words fall into, with as few other words as can be.

    Words that stand on one side alone are in no piece.

    >>> decompose(("it's", "twenty"), ("it", "is", "20"))
    (Piece(a_start=0, a_end=1, b_start=0, b_end=2, kind='contraction'), \
Piece(a_start=1, a_end=2, b_start=2, b_end=3, kind='number'))
    """
    if not a or not b:
        return ()
    if len(a) == len(b) == 1:
        return (Piece(0, 1, 0, 1, None if a == b else explain(a, b) or "content"),)
    if len(a) * len(b) > _MOST_PAIRS:
        return tuple(Piece(i, i + 1, i, i + 1, _single(a[i], b[i])) for i in range(min(len(a), len(b))))
    explained = _explained_pieces(a, b)
    if not explained and set(a).isdisjoint(b):
        several = min(len(a), len(b))
        i, j = len(a) - several, len(b) - several
        return tuple(Piece(i + k, i + k + 1, j + k, j + k + 1, "content") for k in range(several))
    cost: list[list[float]] = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    came: list[list[Piece | None]] = [[None] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if i == j == 0:
                continue
            best, by = float("inf"), None
            if i and j:
                equal = a[i - 1] == b[j - 1]
                best = cost[i - 1][j - 1] + (0.0 if equal else _CONTENT)
                by = Piece(i - 1, i, j - 1, j, None if equal else "content")
            for piece in explained.get((i, j), ()):
                through = cost[piece.a_start][piece.b_start] + _EXPLAINED
                if through < best:
                    best, by = through, piece
            if i and cost[i - 1][j] + _CONTENT < best:
                best, by = cost[i - 1][j] + _CONTENT, Piece(i - 1, i, j, j, "content")
            if j and cost[i][j - 1] + _CONTENT < best:
                best, by = cost[i][j - 1] + _CONTENT, Piece(i, i, j - 1, j, "content")
            cost[i][j], came[i][j] = best, by
    return _trace(came, len(a), len(b))


def _trace(came: list[list[Piece | None]], i: int, j: int) -> tuple[Piece, ...]:
    pieces = []
    while (piece := came[i][j]) is not None:
        if piece.a_end > piece.a_start and piece.b_end > piece.b_start:
            pieces.append(piece)
        i, j = piece.a_start, piece.b_start
    return tuple(reversed(pieces))


def _single(one: str, other: str) -> str | None:
    return None if one == other else explain((one,), (other,)) or "content"


def _explained_pieces(a: tuple[str, ...], b: tuple[str, ...]) -> dict[tuple[int, int], list[Piece]]:
    """The explained pieces by where they end."""
    found: dict[tuple[int, int], list[Piece]] = {}
    for i in range(len(a)):
        for j in range(len(b)):
            for run_a, run_b in _runs(a, b, i, j):
                kind = (
                    _explain_words(a[i], b[j]) if run_a == run_b == 1 else explain(a[i : i + run_a], b[j : j + run_b])
                )
                if kind:
                    piece = Piece(i, i + run_a, j, j + run_b, kind)
                    found.setdefault((i + run_a, j + run_b), []).append(piece)
    return found


def _runs(a: tuple[str, ...], b: tuple[str, ...], i: int, j: int) -> list[tuple[int, int]]:
    """How long the runs from a[i] and b[j] may be that are worth a look: nearly all pairs of words are not."""
    runs = []
    in_numbers = numbers.is_numberish(a[i]) and numbers.is_numberish(b[j])
    longest = _LONGEST_NUMBER if in_numbers else _LONGEST
    alike = a[i][0] == b[j][0] or "'" in a[i] + b[j]
    if not in_numbers and not alike and not (_korean_number(a[i : i + 1]) and _korean_number(b[j : j + 1])):
        return [(1, 1)]
    for run_a in range(1, min(longest, len(a) - i) + 1):
        runs += [(run_a, run_b) for run_b in range(1, min(longest, len(b) - j) + 1)]
    return runs
