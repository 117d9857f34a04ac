"""Text to the units that are voted on: words; of scripts that are written in syllables or ideograms, characters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from label_rules.tokens import APOSTROPHES, combining_marks, plain_apostrophes

_BLOCKS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"


class Unit(NamedTuple):
    """A unit of a text: what it is compared by, as it is written, and what stands between it and the next one."""

    key: str
    written: str
    behind: str


class Units(NamedTuple):
    """A text taken apart: what stands before the first unit, and the units."""

    before: str
    units: list[Unit]


def units_of(text: str) -> Units:
    """The units of a text; case and punctuation other than apostrophes are no part of their keys.

    Korean is compared by syllables, so that a space more or less is no other word; the spaces are voted on with them.

    >>> [unit.key for unit in units_of("Um, it’s well-known!").units]
    ['um', "it's", 'well', 'known']
    >>> units_of("날 씨").units[0]
    Unit(key='날', written='날', behind=' ')
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    found = list(_unit().finditer(text))
    ends = [*(match.start() for match in found[1:]), *([len(text)] if found else [])]
    return Units(
        text[: found[0].start()] if found else text,
        [
            Unit(plain_apostrophes(match.group()).casefold(), match.group(), text[match.end() : end])
            for match, end in zip(found, ends, strict=True)
        ],
    )


@lru_cache(maxsize=1)
def _unit() -> re.Pattern[str]:
    # Vowels of many scripts are marks on the letter before them, and no letters to the `re` module.
    word = rf"[^\W{_BLOCKS}_](?:[^\W{_BLOCKS}_]|[{combining_marks()}])*"
    return re.compile(rf"[{_BLOCKS}]|{word}(?:[{APOSTROPHES}]{word})*(?:(?<=[sS])[{APOSTROPHES}])?")


def written_keys(text: str) -> list[str]:
    """The keys of a text's units."""
    return [unit.key for unit in units_of(text).units]
