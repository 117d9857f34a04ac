"""English numbers said or written in another way: `twenty twenty`, `2020`, `two thousand and twenty`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple, TypeAlias

from analysis.alternatives.source import Alternative, Heard
from analysis.language.number_readings import BEGINS, INSIDE, MOST_WORDS, number_readings

_DIGITS = re.compile(
    r"([^\W\d_]{1,6}|[$€£#])?"
    r"([0-9]+(?:[,.:/][0-9]+)*[½¼¾⅓⅔]?|\.[0-9]+)"
    r"((?:st|nd|rd|th|'?s)(?![^\W_]))?"
    r"([^\W\d_]{1,6}|[%°])?"
)
_LONGEST_WORD = 40
_CURRENCIES = frozenset("$€£")
# How a sign or an abbreviation behind a number is said; any other is itself, or its letters.
_SAID: dict[str, tuple[str, ...]] = {
    "$": ("dollars", "dollar", "$"), "€": ("euros", "euro", "€"), "£": ("pounds", "pound", "£"),
    "%": ("percent", "per cent", "%"), "°": ("degrees", "degree", "°"), "k": ("thousand",), "m": ("million", "meters"),
    "mm": ("million", "millimeters"), "b": ("billion",), "bn": ("billion",), "x": ("times",), "am": ("in the morning",),
    "km": ("kilometers", "kilometer", "kilometres", "kilometre"), "kg": ("kilograms", "kilogram", "kilos"),
    "cm": ("centimeters", "centimetres"), "ft": ("feet", "foot"), "lbs": ("pounds",), "hrs": ("hours",),
    "min": ("minutes",), "mph": ("miles an hour", "miles per hour"), "bps": ("basis points",),
}  # fmt: skip
_SAID_BEFORE: dict[str, tuple[str, ...]] = {"#": ("number", "hashtag", "#")}
_MONTHS = frozenset((
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
))  # fmt: skip
_DAY = re.compile(r"[=+]([1-9]|[12][0-9]|3[01])(?:th)?")
_BEHIND_A = frozenset(
    ("hundred", "thousand", "million", "billion", "trillion", "half", "third", "quarter", "fifth", "tenth")
)


class _Piece(NamedTuple):
    """A word that is a number or a part of one: its words, and the letters or signs that are written on to it."""

    words: tuple[str, ...]
    before: str
    behind: tuple[str, ...]


class _Number(NamedTuple):
    """The words `start:end`, which may be a number."""

    start: int
    end: int
    before: str
    behind: tuple[str, ...]
    readings: tuple[str, ...]


_Form: TypeAlias = tuple[tuple[str, ...], str, tuple[str, ...]]
"""How a number is written in the hypothesis: its words, what is written on to it before and behind."""


@dataclass(frozen=True)
class Numbers:
    """The same number in digits or in words, in either direction and as a normalizer leaves it.

    Cardinals, ordinals, years, decades, decimals, fractions, digits one by one, times of day, days of a month, and
    what is written on to digits (`$5`, `20%`, `q3`, `5k`, `3pm`). Two numbers in words are equal when their value is
    (`twenty twenty`, `two thousand and twenty`); digits that stand apart are no other number (`4 5` is not 45). A unit
    that the normalizer has taken is not made up for: `20` never stands for `twenty dollars`.

    >>> list(Numbers().find(("in", "twenty", "twenty"), Heard(["in", "2020"])))
    [Alternative(start=1, end=3, words=('2020',))]
    """

    name: str = "numbers"
    version: int = 1

    def find(self, reference: tuple[str, ...], heard: Heard) -> Iterator[Alternative]:
        """The other forms that were heard of each number in the reference, in the order of where they begin."""
        if not any(map(_piece, reference)):
            return
        forms = heard.memo("numbers", _forms)
        if not forms:
            return
        for number in _numbers(reference):
            found: dict[Alternative, None] = {}
            for reading in number.readings:
                for form in forms.get(reading, ()):
                    found.update(dict.fromkeys(_matches(number, form, reference, heard)))
            for alternative in found:
                if alternative.words != reference[alternative.start : alternative.end]:
                    yield alternative


@lru_cache(maxsize=200_000)
def _piece(word: str) -> _Piece | None:
    if word in BEGINS:
        return _Piece((word,), "", ())
    if len(word) > _LONGEST_WORD:
        return None
    match = _DIGITS.fullmatch(word)
    if match:
        before, digits, ending, behind = match.groups(default="")
        units = (behind,) if behind else ()
        if before in _CURRENCIES:
            before, units = "", (*units, before)
        return _Piece((digits + ending,), before, units)
    parts = tuple(word.split("-"))
    if len(parts) > 1 and parts[0] in BEGINS and all(part in BEGINS or part in INSIDE for part in parts):
        return _Piece(parts, "", ())
    return None


def _numbers(words: tuple[str, ...]) -> Iterator[_Number]:
    """Every run of words that may be a number, with what stands about it."""
    for start, word in enumerate(words):
        if _piece(word) or (word == "a" and words[start + 1 : start + 2] and words[start + 1] in _BEHIND_A):
            yield from _numbers_from(words, start)


def _numbers_from(words: tuple[str, ...], start: int) -> Iterator[_Number]:
    before, read = "", []
    for end in range(start + 1, min(start + MOST_WORDS, len(words)) + 1):
        word = words[end - 1]
        piece = _piece(word)
        if piece is None and word not in INSIDE:
            return
        if piece is None:
            read.append(word)
            continue
        if piece.before and end - 1 > start:
            return
        read += piece.words
        before = before or piece.before
        readings = _sorted_readings(tuple(read))
        if readings:
            yield _Number(start, end, before, piece.behind, readings)
            if not before and not piece.behind:
                yield from _with_signs(words, start, end, readings)
                yield from _days(words, start, end, readings)
        if piece.behind:
            # What is written behind a number ends it, but a currency's sign: $4.5 million.
            if piece.behind[0] not in _CURRENCIES:
                return
            yield from _scaled(words, start, end, tuple(read), piece.behind)
            return


@lru_cache(maxsize=200_000)
def _sorted_readings(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(number_readings(words)))


def _scaled(
    words: tuple[str, ...], start: int, end: int, read: tuple[str, ...], behind: tuple[str, ...]
) -> Iterator[_Number]:
    """The rest of a number whose currency stands before it."""
    for after in range(end + 1, min(end + 3, len(words)) + 1):
        piece = _piece(words[after - 1])
        if piece is None or piece.before or piece.behind:
            return
        read = (*read, *piece.words)
        readings = _sorted_readings(read)
        if readings:
            yield _Number(start, after, "", behind, readings)


def _with_signs(words: tuple[str, ...], start: int, end: int, readings: tuple[str, ...]) -> Iterator[_Number]:
    """The number with a sign that stands apart: `$ 5`, `5 %`."""
    if start and words[start - 1] in _CURRENCIES:
        yield _Number(start - 1, end, "", (words[start - 1],), readings)
    if end < len(words) and words[end] in "%°":
        yield _Number(start, end + 1, "", (words[end],), readings)


def _days(words: tuple[str, ...], start: int, end: int, readings: tuple[str, ...]) -> Iterator[_Number]:
    """The number as a day of a month, where `may 5` and `may the fifth` are the same."""
    days = tuple(dict.fromkeys(f"day {match[1]}" for match in map(_DAY.fullmatch, readings) if match))
    if not days:
        return
    first = start - 1 if start and words[start - 1] == "the" else start
    behind = end + 1 if words[end : end + 1] == ("of",) else end
    if first and words[first - 1] in _MONTHS:
        yield _Number(first, end, "", (), days)
    elif behind < len(words) and words[behind] in _MONTHS:
        for begin in sorted({first, start}):
            yield _Number(begin, behind, "", (), days)


def _forms(heard: Heard) -> dict[str, list[_Form]]:
    """How each reading is written in the hypothesis, each way once."""
    found: dict[str, dict[_Form, None]] = {}
    if any(map(_piece, heard.vocabulary)):
        for number in _numbers(heard.words):
            form = (heard.words[number.start : number.end], number.before, number.behind)
            for reading in number.readings:
                found.setdefault(reading, {})[form] = None
    return {reading: list(forms) for reading, forms in found.items()}


def _matches(number: _Number, form: _Form, reference: tuple[str, ...], heard: Heard) -> Iterator[Alternative]:
    """The alternatives of a number and a form that have a reading in common, by what is written on to either."""
    words, before, behind = form
    if (number.before, number.behind) == (before, behind):
        yield Alternative(number.start, number.end, words)
    elif not before and not behind:
        for head, tail in _said(number.before, number.behind):
            if heard.holds((*head, *words, *tail)):
                yield Alternative(number.start, number.end, (*head, *words, *tail))
    elif not number.before and not number.behind:
        for head, tail in _said(before, behind):
            start, end = number.start - len(head), number.end + len(tail)
            if start >= 0 and reference[start : number.start] == head and reference[number.end : end] == tail:
                yield Alternative(start, end, words)


@lru_cache(maxsize=10_000)
def _said(before: str, behind: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The words that may be said before and behind a number for what is written on to it."""
    heads = _ways(before, _SAID_BEFORE) if before else [()]
    tails = [tuple(word for way in ways for word in way) for ways in product(*(_ways(sign, _SAID) for sign in behind))]
    return tuple(product(heads, tails))


def _ways(sign: str, said: dict[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    ways = [tuple(text.split()) for text in (*said.get(sign, ()), sign)]
    return list(dict.fromkeys([*ways, tuple(sign)]))
