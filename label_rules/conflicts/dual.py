"""Korean dual transcriptions `(spelled)/(spoken)` against a transcript that writes one of their sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analysis.dual_transcription import Dual, find_duals
from label_rules.conflicts.explanations import decompose, explain
from label_rules.tokens import Token, tokens

# A number written in a third way, such as 70 퍼센트 against (70%)/(칠십 퍼센트), takes few words.
_LONGEST_NUMBER = 4


class _Found(NamedTuple):
    """A dual transcription: where its tokens stand, and the keys of its sides."""

    first: int
    end: int
    start: int
    stop: int
    sides: tuple[tuple[str, ...], tuple[str, ...]]


def has_dual(text: str) -> bool:
    """Whether the text holds a well-formed dual transcription.

    >>> has_dual("(TV)/(티비) 켜 줘"), has_dual("(TV) 켜 줘")
    (True, False)
    """
    return bool(find_duals(text))


def dual_kind(a: str, b: str) -> str | None:
    """The kind of difference of two writings of one dual transcription, one at least dual; None if neither is.

    >>> dual_kind("(70%)/(칠십 퍼센트)", "70%"), dual_kind("티비", "(TV)/(티비)"), dual_kind("TV", "tv")
    ('number', 'spelling', None)
    """
    dual = _only_dual(a) or _only_dual(b)
    if dual is None:
        return None
    spelled, spoken = _keys(dual.spelled), _keys(dual.spoken)
    pieces = decompose(spelled, spoken)
    whole = sum(p.a_end - p.a_start for p in pieces) == len(spelled)
    whole = whole and sum(p.b_end - p.b_start for p in pieces) == len(spoken)
    kinds = {piece.kind for piece in pieces}
    return "number" if whole and "number" in kinds and kinds <= {None, "number", "spacing"} else "spelling"


def _only_dual(text: str) -> Dual | None:
    """The dual transcription that is all of the text."""
    duals = find_duals(text)
    return duals[0] if duals and (duals[0].start, duals[0].end) == (0, len(text)) else None


def fold_duals(
    a: str, a_tokens: tuple[Token, ...], b: str, b_tokens: tuple[Token, ...]
) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
    """The tokens of both texts, with each dual transcription that the other text writes on one side made one word.

    That word and what stands for it in the other text get the same key; other dual transcriptions are left alone.
    """
    if has_dual(a):
        a_tokens, b_tokens = _fold(a, a_tokens, b_tokens)
    if has_dual(b):
        b_tokens, a_tokens = _fold(b, b_tokens, a_tokens)
    return a_tokens, b_tokens


def _fold(text: str, own: tuple[Token, ...], other: tuple[Token, ...]) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
    done = 0
    for found in find_duals(text):
        dual = _located(found, own)
        if dual is None:
            continue
        if (run := _written(dual, own, other, done)) is None:
            continue
        first, end, rest = run
        written = text[found.start : found.end]
        key = "".join(written.split()).casefold()
        word = Token("word", written, found.start, found.end, key)
        last = other[end - 1]
        stop = rest.start if rest else last.end
        # The spaces between the tokens of the run belong to it, which is why its text is put together by place.
        there = Token("word", _between(other[first:end], stop), other[first].start, stop, key)
        own = (*own[: dual.first], word, *own[dual.end :])
        other = (*other[:first], there, *((rest,) if rest else ()), *other[end:])
        done = first + 1
    return own, other


def _between(run: Sequence[Token], stop: int) -> str:
    made = ""
    for token in run:
        made = made.ljust(token.start - run[0].start) + token.text
    return made[: stop - run[0].start]


def _located(found: Dual, own: Sequence[Token]) -> _Found | None:
    """The dual transcription among the tokens; None where a token crosses its ends or a side has no words."""
    inside = [i for i, token in enumerate(own) if found.start <= token.start and token.end <= found.end]
    sides = _keys(found.spelled), _keys(found.spoken)
    if not inside or not all(sides):
        return None
    if own[inside[0]].start != found.start or own[inside[-1]].end != found.end:
        return None
    return _Found(inside[0], inside[-1] + 1, found.start, found.end, sides)


def _written(
    dual: _Found, own: Sequence[Token], other: Sequence[Token], done: int
) -> tuple[int, int, Token | None] | None:
    """Where the other tokens, from `done` on, write a side: first, end, and the rest of a word that goes on."""
    ending = own[dual.end] if dual.end < len(own) and own[dual.end].start == dual.stop else None
    before = own[dual.first - 1].key if dual.first else None
    after = own[dual.end].key if dual.end < len(own) else None
    best: tuple[tuple[float, ...], tuple[int, int, Token | None]] | None = None
    for first, end, rest, exact in _runs(dual, ending, other, done):
        there_before = other[first - 1].key if first else None
        there_after = rest.key if rest else other[end].key if end < len(other) else None
        apart = abs(first / len(other) - dual.first / len(own))
        standing = (-exact, -(there_before == before) - (there_after == after), apart)
        if best is None or standing < best[0]:
            best = standing, (first, end, rest)
    return best[1] if best else None


def _runs(
    dual: _Found, ending: Token | None, other: Sequence[Token], done: int
) -> Iterator[tuple[int, int, Token | None, bool]]:
    sides = {"".join(side) for side in dual.sides}
    longest = max(map(len, sides))
    for first in range(done, len(other)):
        made = ""
        for end in range(first + 1, len(other) + 1):
            made += other[end - 1].key
            keys = tuple(token.key for token in other[first:end])
            if made in sides:
                yield first, end, None, True
            elif end - first <= _LONGEST_NUMBER and any(explain(keys, side) == "number" for side in dual.sides):
                yield first, end, None, False
            elif ending and made.endswith(ending.key) and made[: -len(ending.key)] in sides:
                rest = _rest(other[end - 1], ending.key)
                if rest:
                    yield first, end, rest, True
            if len(made) > longest + (len(ending.key) if ending else 0) and end - first >= _LONGEST_NUMBER:
                break


def _rest(token: Token, ending: str) -> Token | None:
    """The end of the word that is this ending."""
    for at in range(1, len(token.text)):
        found = tokens(token.text[at:])
        if len(found) == 1 and found[0].key == ending and found[0].start == 0:
            return found[0]._replace(start=token.start + at, end=token.end)
    return None


def _keys(side: str) -> tuple[str, ...]:
    found = tokens(side)
    return tuple(token.key for token in found) if any(token.is_spoken for token in found) else ()
