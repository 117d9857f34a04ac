"""Which words the scoring's `fillers` is about: hesitations, as normalised words."""

from __future__ import annotations

from analysis.language.fillers import filler_family

# In Korean `그` is "that" far more often than a hesitation; the others are nothing else when they stand alone, or an
# interjection that is lost as cheaply: NIST's English mapping rules make %HESITATION of `er` and `ah` too.
_WORDS = frozenset({"그"})


def is_filler(word: str) -> bool:
    """Whether a normalised word is a hesitation that `fillers` may let be optional or remove.

    English: um, uh, er, erm, hmm, mm and ah, however long; Korean: 음, 어 and 아. `er` is one although it may be an
    emergency room, and `ah`, `어` and `아` are, although they may be interjections; `그` is none. Answers (`mhm`,
    `uh huh`, `네`) and words with a meaning (`like`, `well`, `oh`) are none.

    >>> [word for word in "um er ah mhm oh 음 어 그 like ummm".split() if is_filler(word)]
    ['um', 'er', 'ah', '음', '어', 'ummm']
    """
    return word not in _WORDS and filler_family(word.casefold()) is not None
