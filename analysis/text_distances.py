"""Named distances between texts, from 0 (the same) to 1: what agreement between transcribers is stated on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.align import edit_distances, edit_shares
from analysis.coded_words import Tokens, code_words
from analysis.errors import InvalidInput
from analysis.korean_units import syllables

Numbers = np.ndarray[Any, np.dtype[Any]]

_BLOCK_CELLS = 4_000_000
# An edit distance takes about as long as this many cells, however short the texts are.
_LEAST_CELLS = 256


@dataclass(frozen=True)
class Distance:
    """A distance between two texts, with its name and a sentence that says what it is.

    Args:
        split: the units of each text, in which its length is measured and edits are counted; None where texts are
            either the same or not.
    """

    name: str
    says: str
    split: Callable[[Sequence[str]], list[Tokens]] | None


def _words(texts: Sequence[str]) -> list[Tokens]:
    return code_words(pa.array(texts, pa.large_string())).tokens


def _characters(texts: Sequence[str]) -> list[Tokens]:
    return [text.strip() for text in texts]


def _syllables(texts: Sequence[str]) -> list[Tokens]:
    return [syllables(text) for text in texts]


DISTANCES: dict[str, Distance] = {
    distance.name: distance
    for distance in (
        Distance("exact", "0 where two texts are the same to the letter, and else 1", None),
        Distance("word", "edits between the words, over the number of words of the longer text", _words),
        Distance("char", "edits between the characters, spaces included, over those of the longer text", _characters),
        Distance("syllable", "edits between the characters without spaces, over those of the longer text", _syllables),
    )
}


def get_distance(name: str) -> Distance:
    """The distance of this name.

    Raises:
        InvalidInput: there is none of this name; the message names those that there are.
    """
    if name not in DISTANCES:
        raise InvalidInput(f"there is no distance {name!r}; choose one of {', '.join(DISTANCES)}")
    return DISTANCES[name]


class DistinctTexts:
    """Texts that all differ, and the distances between them.

    >>> DistinctTexts(["a b", "a c d"], get_distance("word")).between(np.array([0, 0]), np.array([0, 1]))
    array([0.        , 0.66666667])
    """

    def __init__(self, texts: Sequence[str], distance: Distance) -> None:
        self._tokens = None if distance.split is None else distance.split(texts)
        self._number = len(texts)
        self.lengths = np.fromiter(map(len, self._tokens or [()] * self._number), np.int64, self._number)
        "How many units each text has; 0 where the distance knows none."

    def between(self, ours: Numbers, theirs: Numbers) -> Numbers:
        """The distance of each pair of texts, which are given by their numbers."""
        longer = np.maximum(self.lengths[ours], self.lengths[theirs])
        return self.edits(ours, theirs) / np.maximum(longer, 1)

    def edits(self, ours: Numbers, theirs: Numbers) -> Numbers:
        """The edits between the texts of each pair; 1 between any two where the distance knows no units."""
        edits = (ours != theirs).astype(np.int64)
        if self._tokens is not None:
            rows = np.flatnonzero(edits)
            sides = [[self._tokens[number] for number in side[rows].tolist()] for side in (ours, theirs)]
            edits[rows] = edit_distances(*sides)
        return edits

    @property
    def cells(self) -> float:
        """How much work the distances between all of them are, in cells of the tables that edit distances fill."""
        if self._tokens is None or not self._number:
            return 0.0
        return self._number**2 / 2 * max(_LEAST_CELLS, float(self.lengths.mean()) ** 2)

    def sums_to_all(self, counts: Numbers) -> Numbers:
        """Each text's distances to all, summed, where every text counts as often as `counts` says."""
        if self._tokens is None:
            return float(counts.sum()) - counts
        sums = np.zeros(self._number)
        rows = max(1, _BLOCK_CELLS // max(self._number, 1))
        for start in range(0, self._number, rows):
            end = min(start + rows, self._number)
            shares = edit_shares(self._tokens[start:end], self._tokens[start:])
            sums[start:end] += shares @ counts[start:]
            # The other half of the table mirrors what stands beyond the block.
            sums[end:] += counts[start:end] @ shares[:, end - start :]
        return sums

    def table(self) -> Numbers:
        """The distances between all of them, of shape (texts, texts); for few texts."""
        if self._tokens is None:
            return 1.0 - np.eye(self._number)
        return edit_shares(self._tokens, self._tokens)
