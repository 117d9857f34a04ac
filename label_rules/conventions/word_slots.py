"""All words of a corpus as numbers, and the places in which given forms stand: what discovery works on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from label_rules.corpus import Corpus
from label_rules.tokens import APOSTROPHES, plain_apostrophes

Integers = npt.NDArray[np.int64]
WORD = re.compile(rf"[^\W_]+(?:[{APOSTROPHES}][^\W_]+)*")
"A word, as discovery reads it: letters and digits, with apostrophes inside."


class Slots(NamedTuple):
    """Where forms stand, one value a use: the form's number, the cell (what surrounds it), and how many rows say so."""

    form: Integers
    cell: Integers
    weight: Integers

    def summed(self) -> Slots:
        """The uses of a form in a cell as one, ordered by form and then by cell."""
        if not len(self.form):
            return self
        order = np.lexsort((self.cell, self.form))
        form, cell, weight = self.form[order], self.cell[order], self.weight[order]
        first = np.flatnonzero(np.r_[True, (form[1:] != form[:-1]) | (cell[1:] != cell[:-1])])
        return Slots(form[first], cell[first], np.add.reduceat(weight, first))


class WordNumbers:
    """The corpus as one array of word numbers, 0 between texts; each different text of a clip stands once.

    Attributes:
        vocabulary: the word of each number; 0 is no word.
        words: the number of each word of the corpus.
        counts: for each word of the vocabulary how often it is written.
    """

    def __init__(self, corpus: Corpus) -> None:
        several = np.bincount(corpus.group_of_row)[corpus.group_of_row] > 1 if len(corpus) else np.zeros(0, bool)
        clips = np.where(several, corpus.group_of_row, -1).astype(np.int64)
        several_texts = len(corpus.texts)
        entries, copies = np.unique((clips + 1) * several_texts + corpus.text_of_row, return_counts=True)
        self.vocabulary, of_text = _numbered(corpus)
        words, lengths = of_text.of(entries % max(several_texts, 1))
        # A boundary stands before the first text and behind each.
        ends = np.cumsum(lengths)
        self.words: Integers = np.concatenate([np.zeros(1, np.int64), np.insert(words, ends, 0)])
        self._clip, self._copies = np.r_[-1, entries // max(several_texts, 1) - 1], np.r_[0, copies]
        self._entry = np.repeat(np.arange(len(entries) + 1, dtype=np.int32), np.r_[1, lengths + 1])
        weights = self._copies[self._entry]
        self.counts: Integers = np.bincount(self.words, weights, len(self.vocabulary)).astype(np.int64)

    @cached_property
    def neighbours(self) -> tuple[Integers, Integers, Integers]:
        """Each two different words that follow one another somewhere: the first, the second, and how often."""
        size = len(self.vocabulary)
        one, other = self.words[:-1], self.words[1:]
        both = (one > 0) & (other > 0)
        codes, inverse = np.unique(one[both] * size + other[both], return_inverse=True)
        counts = np.bincount(inverse, self._copies[self._entry[:-1][both]], len(codes)).astype(np.int64)
        return codes // size, codes % size, counts

    def slots(self, forms: Sequence[tuple[int, ...]], within_clips: bool) -> Slots:
        """The uses of forms (one word or two), each in the cell of the words before and behind it.

        With `within_clips` a cell is a clip as well, and only clips with several transcripts count; without, a use
        counts once a clip, and the words before and behind are cells of their own.
        """
        form, at, end = self._uses(forms)
        size = len(self.vocabulary)
        before, behind = self.words[at - 1], self.words[np.minimum(end, len(self.words) - 1)]
        clip, weight = self._clip[self._entry[at]], self._copies[self._entry[at]]
        if within_clips:
            kept = clip >= 0
            cell = _codes(clip[kept], before[kept] * size + behind[kept])
            return Slots(form[kept], cell, weight[kept]).summed()
        # Seven transcripts of one clip are one context, and a text of its own is one as well.
        clip = np.where(clip >= 0, clip, len(self.words) + at)
        parts = []
        for side, neighbour in ((0, before), (1, behind)):
            kept = neighbour > 0
            context = _codes(form[kept], neighbour[kept] * 2 + side)
            first = np.unique(_codes(clip[kept], context), return_index=True)[1]
            parts.append(np.stack([form[kept][first], neighbour[kept][first] * 2 + side]))
        forms_of, cells = np.concatenate(parts, axis=1)
        return Slots(forms_of, cells, np.ones(len(cells), np.int64)).summed()

    def _uses(self, forms: Sequence[tuple[int, ...]]) -> tuple[Integers, Integers, Integers]:
        """The form, the place and the end of each use."""
        size = len(self.vocabulary)
        single = np.full(size, -1)
        pairs: dict[int, int] = {}
        for number, words in enumerate(forms):
            if len(words) == 1:
                single[words[0]] = number
            else:
                pairs[words[0] * size + words[1]] = number
        of_word = single[self.words]
        at = np.flatnonzero(of_word >= 0)
        form: Integers = of_word[at].astype(np.int64)
        end = at + 1
        if pairs:
            codes = np.array(sorted(pairs), dtype=np.int64)
            numbers = np.array([pairs[code] for code in codes.tolist()], dtype=np.int64)
            both = self.words[:-1] * size + self.words[1:]
            where = np.minimum(np.searchsorted(codes, both), len(codes) - 1)
            places = np.flatnonzero(codes[where] == both)
            form = np.concatenate([form, numbers[where[places]]])
            at = np.concatenate([at, places])
            end = np.concatenate([end, places + 2])
        return form, at, end


class _Lists(NamedTuple):
    """Lists of numbers: list after list, and where each begins and the last one ends."""

    values: Integers
    starts: Integers

    def of(self, chosen: Integers) -> tuple[Integers, Integers]:
        """The numbers of the chosen lists, list after list, and how many each has."""
        lengths = self.starts[chosen + 1] - self.starts[chosen]
        ends = np.cumsum(lengths)
        within = np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)
        return self.values[np.repeat(self.starts[chosen], lengths) + within], lengths


def _numbered(corpus: Corpus) -> tuple[list[str], _Lists]:
    """The vocabulary, which begins with no word, and the numbers of the words of each text."""
    numbers: dict[str, int] = {"": 0}
    values: list[int] = []
    starts = [0]
    for piece in corpus.words.vocabulary:
        for word in WORD.findall(plain_apostrophes(piece).lower()):
            values.append(numbers.setdefault(word, len(numbers)))
        starts.append(len(values))
    pieces = _Lists(np.array(values, dtype=np.int64), np.array(starts, dtype=np.int64))
    words, lengths = pieces.of(corpus.words.codes.astype(np.int64))
    begins = np.concatenate([[0], np.cumsum(lengths)])[corpus.words.starts]
    return list(numbers), _Lists(words, begins)


def _codes(one: Integers, other: Integers) -> Integers:
    """A number for each different pair."""
    if not len(one):
        return one
    ones = np.unique(one, return_inverse=True)[1]
    seconds, others = np.unique(other, return_inverse=True)
    both = ones.reshape(-1).astype(np.int64) * len(seconds) + others.reshape(-1)
    return np.unique(both, return_inverse=True)[1].reshape(-1).astype(np.int64)
