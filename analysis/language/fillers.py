"""The hesitations that some annotators write down and others leave out, and how each is spelled."""

from __future__ import annotations

import re
from functools import lru_cache

# Each family with the spellings that it goes by. Words that also mean something (`like`, `well`, `oh`) are none.
_FAMILIES = {
    "um": re.compile("u+h*m+"),
    "uh": re.compile("u+h+"),
    "er": re.compile("er+"),
    "erm": re.compile("er+m+"),
    "hmm": re.compile("h+m+"),
    "mm": re.compile("m{2,}"),
    "ah": re.compile("a+h+"),
    "음": re.compile("(?:으|음)*음"),
    "어": re.compile("어+"),
    "아": re.compile("아+"),
    "그": re.compile("그"),
}
# They are words of their own as well, so they can be what another annotator heard as a word.
AMBIGUOUS = frozenset({"er", "ah", "어", "아", "그"})


@lru_cache(maxsize=100_000)
def filler_family(key: str) -> str | None:
    """The family of a case-folded word, None when it is no filler.

    >>> filler_family("umm"), filler_family("uhh"), filler_family("음음"), filler_family("like")
    ('um', 'uh', '음', None)
    """
    if len(key) > 12:
        return None
    return next((name for name, pattern in _FAMILIES.items() if pattern.fullmatch(key)), None)


def is_filler(key: str) -> bool:
    """Whether a case-folded word is a filler."""
    return filler_family(key) is not None
