"""Where a recogniser heard something else than the label says: stretches between words on which both agree.

What is only written in another way is no such place: fillers, marks and case, digits for number words, contractions,
spellings, and words joined or taken apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from analysis.align import align_many
from analysis.language.numbers import is_numberish
from label_rules.conflicts.explanations import decompose, explain
from label_rules.consensus.said import said

_LONGEST = 7


class Spoken(NamedTuple):
    """The words of a text by what they say, with the characters that each comes from."""

    keys: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


class Place(NamedTuple):
    """Words label[start:end] stand against words hypothesis[heard_start:heard_end], with no word alike."""

    start: int
    end: int
    heard_start: int
    heard_end: int


class Heard(NamedTuple):
    """A label against one hypothesis: the places, and for each label word where it stands in the hypothesis, or -1."""

    places: tuple[Place, ...]
    matched: tuple[int, ...]


@lru_cache(maxsize=200_000)
def spoken(text: str) -> Spoken:
    """The words of a text as they are compared; Korean by syllables, so that spaces do not count.

    >>> spoken("Um, it's 20").keys
    ('it', 'is', 'twenty')
    """
    keys: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for piece in said(text):
        keys += piece.keys
        starts += [piece.start] * len(piece.keys)
        ends += [piece.end] * len(piece.keys)
    return Spoken(tuple(keys), tuple(starts), tuple(ends))


def heard(labels: Sequence[tuple[str, ...]], hypotheses: Sequence[tuple[str, ...]]) -> list[Heard]:
    """Each label's words against those of its hypothesis.

    >>> heard([("the", "big", "dog", "ran")], [("the", "dog", "ran", "off")])[0].places
    (Place(start=1, end=2, heard_start=1, heard_end=1), Place(start=4, end=4, heard_start=3, heard_end=4))
    """
    unequal = [n for n, (one, other) in enumerate(zip(labels, hypotheses, strict=True)) if one != other]
    steps = align_many([" ".join(labels[n]) for n in unequal], [" ".join(hypotheses[n]) for n in unequal])
    result = [Heard((), tuple(range(len(label)))) for label in labels]
    for n, alignment in zip(unequal, steps, strict=True):
        places: list[Place] = []
        matched: list[int] = []
        i = j = 0
        for is_equal, run in groupby(alignment, key=_is_equal):
            kinds = [step.op for step in run]
            ours = sum(kind != "insert" for kind in kinds)
            theirs = sum(kind != "delete" for kind in kinds)
            if is_equal:
                matched += range(j, j + ours)
            elif _says_the_same(labels[n][i : i + ours], hypotheses[n][j : j + theirs]):
                matched += [j] * ours
            else:
                places.append(Place(i, i + ours, j, j + theirs))
                matched += [-1] * ours
            i, j = i + ours, j + theirs
        result[n] = Heard(tuple(places), tuple(matched))
    return result


def _is_equal(step: tuple[str, ...]) -> bool:
    return step[0] == "equal"


@lru_cache(maxsize=200_000)
def _says_the_same(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether two runs of words are the same, written in two ways."""
    if not ours or not theirs or max(len(ours), len(theirs)) > _LONGEST:
        return False
    if letters(ours) == letters(theirs) or explain(ours, theirs):
        return True
    if not any("'" in word or is_numberish(word) for word in ours + theirs):
        return False
    pieces = decompose(ours, theirs)
    covered = sum(p.a_end - p.a_start + p.b_end - p.b_start for p in pieces if p.kind != "content")
    return covered == len(ours) + len(theirs)


def in_words(keys: Sequence[str]) -> str:
    """Keys as text; Korean syllables, which no longer tell where words end, without spaces.

    >>> in_words(["the", "dog"]), in_words(["서", "울"])
    ('the dog', '서울')
    """
    return ("" if any("가" <= key[0] <= "힣" for key in keys) else " ").join(keys)


def letters(words: Sequence[str]) -> str:
    """The words as one string without apostrophes."""
    return "".join(words).replace("'", "")
