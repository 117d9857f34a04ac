"""Words with two spellings: American and British, and fixed variants such as `ok` and `okay`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from analysis.alternatives.source import Alternative, Heard
from analysis.language.spellings import AMERICAN, BRITISH, VARIANTS

_MORE_VARIANTS = (
    ("alright", "all right"), ("etc", "et cetera", "etcetera"), ("saint", "st"), ("professor", "prof"),
    ("ms", "miz"), ("ok", "o k"), ("cooperate", "co-operate"), ("percent", "per cent", "pct"),
)  # fmt: skip
# `organise` and `organize`: the rest of the word tells whether it is this ending. Prise and prize are too short.
_IZE = re.compile("(.{4,})([iy])([sz])(e|ed|es|er|ers|ing|ation|ations|able)")
_OTHER_LETTER = {"s": "z", "z": "s"}


def _table() -> dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    """The spellings by the first word of each: its words, and the words of another."""
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    groups: list[tuple[str, ...]] = [*VARIANTS, *_MORE_VARIANTS, *AMERICAN.items(), *BRITISH.items()]
    for group in groups:
        # A normalizer may have made spaces of the marks inside a spelling: `e-mail`, `o.k`.
        forms = dict.fromkeys(form for text in group for form in (tuple(text.split()), _without_marks(text)) if form)
        for one, other in permutations(forms, 2):
            known = found.setdefault(one[0], [])
            if (one, other) not in known:
                known.append((one, other))
    return found


def _without_marks(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[\w']+", text))


_TABLE = _table()


@dataclass(frozen=True)
class Spellings:
    """The other listed spellings of a word, and `-ise` for `-ize`.

    >>> list(Spellings().find(("the", "colour"), Heard(["the", "color"])))
    [Alternative(start=1, end=2, words=('color',))]
    """

    name: str = "spellings"
    version: int = 1

    def find(self, reference: tuple[str, ...], heard: Heard) -> Iterator[Alternative]:
        """The spellings that were heard instead of what is written, in the order of the reference."""
        for start, word in enumerate(reference):
            if word in _TABLE:
                for written, other in _TABLE[word]:
                    end = start + len(written)
                    if reference[start:end] == written and heard.holds(other):
                        yield Alternative(start, end, other)
            elif len(word) > 6 and ("is" in word or "iz" in word or "ys" in word or "yz" in word):
                other_word = _other_ize(word)
                if other_word in heard.vocabulary:
                    yield Alternative(start, start + 1, (other_word,))


def _other_ize(word: str) -> str:
    match = _IZE.fullmatch(word)
    if not match:
        return ""
    return f"{match[1]}{match[2]}{_OTHER_LETTER[match[3]]}{match[4]}"
