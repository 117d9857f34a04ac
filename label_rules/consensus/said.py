"""What a text says, however it is written: one key for each word, whatever convention its annotator follows."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from analysis.dual_transcription import find_duals
from analysis.language.contractions import full_forms
from analysis.language.numbers import MOST_IN_WORDS, words_of
from analysis.language.spellings import BRITISH, VARIANTS
from label_rules.consensus.units import units_of
from label_rules.tokens import tokens

_VARIANT = {spelling: spellings[0] for spellings in VARIANTS for spelling in spellings}
_LEAST_COMPOUND = 5
_HANGUL = ("가", "힣")
_A_HANGUL = re.compile("[가-힣]")
# Of other words an 's is more often a possessive.
_TAKE_IS = frozenset(("it's", "he's", "she's", "that's", "there's", "what's", "who's", "where's", "here's", "how's"))


def said_keys(text: str) -> list[str]:
    """The keys of what the text says: fillers, marks and markup say nothing; numbers are words; contractions are full.

    >>> said_keys("Um, it's 20 colours"), said_keys("It is twenty colors...")
    (['it', 'is', 'twenty', 'colors'], ['it', 'is', 'twenty', 'colors'])
    >>> said_keys("음 날씨")
    ['날', '씨']
    """
    return [key for piece in said(text) for key in piece.keys]


class Piece(NamedTuple):
    """Keys of what is said, and the characters that say it."""

    keys: tuple[str, ...]
    start: int
    end: int


def said(text: str) -> list[Piece]:
    """What the text says, word by word; of a dual transcription the spoken side, which stands for the whole of it.

    >>> said("(3시)/(세 시)에")
    [Piece(keys=('세',), start=0, end=10), Piece(keys=('시',), start=0, end=10), Piece(keys=('에',), start=10, end=11)]
    """
    pieces: list[Piece] = []
    done = 0
    for dual in find_duals(text):
        pieces += _said(text, done, dual.start)
        pieces += [piece._replace(start=dual.start, end=dual.end) for piece in _said(dual.spoken, 0, len(dual.spoken))]
        done = dual.end
    return pieces + _said(text, done, len(text))


def _said(text: str, start: int, end: int) -> list[Piece]:
    found = (token for token in tokens(text[start:end]) if token.is_spoken)
    if not text.isascii() and _A_HANGUL.search(text):
        return [
            Piece(_keys_in_korean(token.kind, token.key), start + token.start, start + token.end) for token in found
        ]
    return [Piece(_keys(token.kind, token.key), start + token.start, start + token.end) for token in found]


def _keys_in_korean(kind: str, key: str) -> tuple[str, ...]:
    # A number is read in one of two ways, by what it counts, so that it stays as it is.
    if kind == "number":
        return (key,)
    return _keys("word", "퍼센트") if key == "%" else _keys(kind, key)


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
