"""What a text says, however it is written: one key for each word, whatever convention its annotator follows."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from analysis.language.contractions import full_forms
from analysis.language.numbers import MOST_IN_WORDS, words_of
from analysis.language.spellings import BRITISH, VARIANTS
from label_rules.consensus.units import units_of
from label_rules.tokens import tokens

_VARIANT = {spelling: spellings[0] for spellings in VARIANTS for spelling in spellings}
_LEAST_COMPOUND = 5
_HANGUL = ("가", "힣")
# Of other words an 's is more often a possessive.
_TAKE_IS = frozenset(("it's", "he's", "she's", "that's", "there's", "what's", "who's", "where's", "here's", "how's"))


def said_keys(text: str) -> list[str]:
    """The keys of what the text says: fillers, marks and markup say nothing; numbers are words; contractions are full.

    >>> said_keys("Um, it's 20 colours"), said_keys("It is twenty colors...")
    (['it', 'is', 'twenty', 'colors'], ['it', 'is', 'twenty', 'colors'])
    >>> said_keys("음 날씨")
    ['날', '씨']
    """
    return [key for token in tokens(text) if token.is_spoken for key in _keys(token.kind, token.key)]


@lru_cache(maxsize=200_000)
def _keys(kind: str, key: str) -> tuple[str, ...]:
    if kind == "number":
        parts = key.split(":")
        if all(part.isdecimal() and int(part) <= MOST_IN_WORDS for part in parts):
            return tuple(word for part in parts for word in words_of(int(part)).replace("-", " ").split())
        return (key,)
    if _HANGUL[0] <= key[0] <= _HANGUL[1]:
        return tuple(unit.key for unit in units_of(key).units)
    key = _VARIANT.get(key, key)
    full = full_forms(key) if not key.endswith("'s") or key in _TAKE_IS else ()
    return tuple(full[0].split()) if full else (BRITISH.get(key, key),)


def compounds_joined(texts: list[list[str]]) -> list[list[str]]:
    """The keys of texts of the same audio, with neighbours made one where another text has them as one word.

    >>> compounds_joined([["my", "ice", "cream"], ["my", "icecream"]])
    [['my', 'icecream'], ['my', 'icecream']]
    """
    if len(texts) == 1:
        return texts
    whole = {key for keys in texts for key in keys if len(key) >= _LEAST_COMPOUND}
    return [_joined(keys, whole) for keys in texts] if whole else texts


def _joined(keys: list[str], whole: set[str]) -> list[str]:
    if not any(one + other in whole for one, other in pairwise(keys)):
        return keys
    made: list[str] = []
    for key in keys:
        if made and made[-1] + key in whole:
            made[-1] += key
        else:
            made.append(key)
    return made
