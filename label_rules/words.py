"""The words of many texts, each different word once: what is decided about a word is decided for all texts at once."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from label_rules.tokens import BRACKETS

Trigger = re.Pattern[str] | Callable[[str], object]
"""Tells, of a word, whether a text with it is worth a look: a pattern that is found in it, or a function."""

Integers = npt.NDArray[np.integer]


class Words:
    """The words of texts; a word is a piece between white space.

    Attributes:
        vocabulary: every different word.
        codes: the number of each word of each text, text after text.
        starts: where each text's words begin in `codes`, and, last, where they all end.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        number = numbers.__getitem__
        codes = array("i")
        ends = array("q", [0])
        for text in texts:
            codes.extend(map(number, text.split()))
            ends.append(len(codes))
        self.vocabulary: list[str] = list(numbers)
        self.codes: npt.NDArray[np.int32] = np.frombuffer(codes, np.int32) if codes else np.zeros(0, np.int32)
        self.starts: npt.NDArray[np.int64] = np.frombuffer(ends, np.int64)

    def that(self, trigger: Trigger) -> npt.NDArray[np.bool_]:
        """For each word of the vocabulary whether the pattern is found in it, or the function says so.

        >>> Words(["at 3 pm", "at three"]).that(re.compile(r"[0-9]")).tolist()
        [False, True, False, False]
        """
        decide = trigger.search if isinstance(trigger, re.Pattern) else trigger
        return np.fromiter((bool(decide(word)) for word in self.vocabulary), bool, len(self.vocabulary))

    def texts_with(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """The numbers, ascending, of the texts that hold a word of those chosen from the vocabulary.

        >>> words = Words(["at 3 pm", "at three", ""])
        >>> words.texts_with(words.that(re.compile("three"))).tolist()
        [1]
        """
        places = np.flatnonzero(chosen[self.codes])
        found = np.searchsorted(self.starts, places, "right") - 1
        return found[np.flatnonzero(np.diff(found, prepend=-1))]

    def summed(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """For each text the sum of its words' values, which are given for the vocabulary."""
        sums = np.concatenate([[0.0], np.cumsum(values[self.codes])])
        return sums[self.starts[1:]] - sums[self.starts[:-1]]

    @cached_property
    def with_brackets(self) -> npt.NDArray[np.int64]:
        """The numbers of the texts whose tokens may differ from those of their words, one by one."""
        return self.texts_with(self.that(lambda word: not BRACKETS.isdisjoint(word)))
