"""Words that are written as one, apart or with a hyphen: `ice cream`, `icecream` and `ice-cream`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import add
from typing import NamedTuple

from analysis.alternatives.source import Alternative, Heard

_MOST_PARTS = 4
# Not at the ends of a word, where a hyphen marks a fragment, nor between digits.
_HYPHEN = re.compile(r"(?<=[^\W_])-(?=[^\W\d_])|(?<=[^\W\d_])-(?=[^\W_])")


class _Joined(NamedTuple):
    """The texts of the hypothesis's runs of one word, two and so on, and its words with a hyphen by their letters."""

    texts: list[list[str]]
    hyphenated: dict[str, dict[str, None]]


@dataclass(frozen=True)
class Compounds:
    """One word for two to four, or two to four for one, where the letters are the same, in any language.

    What merges or splits between two digits is left to the sources of numbers: `4 5` can be 4.5, and is not 45.

    >>> list(Compounds().find(("ice", "cream"), Heard(["icecream"])))
    [Alternative(start=0, end=2, words=('icecream',))]
    """

    name: str = "compounds"
    version: int = 1

    def find(self, reference: tuple[str, ...], heard: Heard) -> Iterator[Alternative]:
        """The reference's words that were heard as one word, then those that were heard apart."""
        joined = heard.memo("compounds", _joined)
        letters = _letters(reference)
        no_hyphens = letters is reference and not joined.hyphenated
        for parts, texts in enumerate(_joined_runs(letters), start=1):
            if parts == 1 and no_hyphens:
                continue
            if heard.vocabulary.isdisjoint(texts) and joined.hyphenated.keys().isdisjoint(texts):
                continue
            for start, text in enumerate(texts):
                one_word = (text,) if text in heard.vocabulary else ()
                for word in (*one_word, *joined.hyphenated.get(text, ())):
                    run = reference[start : start + parts]
                    if run != (word,) and _only_letters_meet(run):
                        yield Alternative(start, start + parts, (word,))
        written = frozenset(letters)
        for parts, texts in enumerate(joined.texts[1:], start=2):
            if written.isdisjoint(texts):
                continue
            found: dict[str, dict[tuple[str, ...], None]] = {}
            for at, text in enumerate(texts):
                run = heard.words[at : at + parts]
                if text in written and _only_letters_meet(run):
                    found.setdefault(text, {})[run] = None
            for start, text in enumerate(letters):
                for run in found.get(text, ()):
                    yield Alternative(start, start + 1, run)


def _joined_runs(words: Sequence[str]) -> Iterator[list[str]]:
    """The texts of each word, of each two neighbours, of each three, and of each four."""
    texts = list(words)
    yield texts
    for parts in range(1, _MOST_PARTS):
        texts = list(map(add, texts, words[parts:]))
        yield texts


def _letters(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without the hyphens inside them."""
    if not any("-" in word for word in words):
        return words
    return tuple(_HYPHEN.sub("", word) for word in words)


def _joined(heard: Heard) -> _Joined:
    letters = _letters(heard.words)
    hyphenated: dict[str, dict[str, None]] = {}
    if letters is not heard.words:
        for word, text in zip(heard.words, letters, strict=True):
            if word != text:
                hyphenated.setdefault(text, {})[word] = None
    return _Joined(list(_joined_runs(letters)), hyphenated)


def _only_letters_meet(words: Sequence[str]) -> bool:
    return not any(before[-1:].isdecimal() and after[:1].isdecimal() for before, after in pairwise(words))
