"""A Korean hypothesis with its spacing moved to the reference's, for the space-normalised word error rate (sWER).

Korean spacing varies from writer to writer, and WER counts each difference as two or three wrong words. The sWER of
Bang et al., "KsponSpeech: Korean Spontaneous Speech Corpus for Automatic Speech Recognition", Applied Sciences 10
(2020) 6936, counts only words with wrong letters. The algorithm here is that of the authors' script in ESPnet,
`egs/ksponspeech/asr1/local/get_space_normalized_hyps.py`:

1. Each text is its characters without spaces; each character knows whether a space stands before it, and the first one
   of a text always has one.
2. The characters are aligned with the fewest substitutions, insertions and deletions, at a cost of one each. Of several
   such alignments it is the one found from the end backwards that takes a match or a substitution wherever one is on a
   cheapest path, then a deletion (of a reference character), then an insertion (the order of Kaldi's `align-text`).
3. A hypothesis character aligned with an equal one takes over whether a space stands before it. Substituted and
   inserted characters keep their own spaces; the reference stays as it is.

The recipe then counts words with NIST sclite, whose alignment has other costs. It marks spaces by `▁`, and so takes a
`▁` of the text for a space; here it is a character like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from analysis.coded_words import Integers, check_lengths
from analysis.sequences import Costs, align_sequences
from analysis.steps import EQUAL

# Keeps the memory of a block at some ten megabytes.
_BLOCK = 25_000
_SPACE = ord(" ")


def space_normalised(reference: str, hypothesis: str) -> str:
    """The hypothesis with the reference's spacing wherever their characters agree.

    >>> space_normalised("오늘 날씨가 좋다", "오늘날 씨가 좋네")
    '오늘 날씨가 좋네'
    """
    return space_normalise_all([reference], [hypothesis])[0]


def space_normalise_all(references: Sequence[str], hypotheses: Sequence[str]) -> list[str]:
    """Each hypothesis as `space_normalised` has it.

    Raises:
        InvalidInput: the sides differ in length.
    """
    check_lengths(references, hypotheses)
    made: list[str] = []
    for start in range(0, len(references), _BLOCK):
        made += _normalised(*(_coded(side[start : start + _BLOCK]) for side in (references, hypotheses)))
    return made


class _Letters(NamedTuple):
    """Texts as their characters without white space, text after text."""

    codes: Integers
    starts: np.ndarray[tuple[int], np.dtype[np.bool_]]
    "Whether a space, or the begin of its text, stands before each character."
    ends: Integers
    "Where each text begins and, last, where they all end."


def _coded(texts: Sequence[str]) -> _Letters:
    spaced = [f" {' '.join(text.split())}" for text in texts]
    codes = np.frombuffer("".join(spaced).encode("utf-32-le", "surrogatepass"), "<i4")
    spaces = codes == _SPACE
    lengths = np.fromiter((len(text) - text.count(" ") for text in spaced), np.int64, len(texts))
    kept = np.flatnonzero(~spaces)
    return _Letters(codes[kept], spaces[kept - 1], np.concatenate([[0], np.cumsum(lengths)]))


def _normalised(reference: _Letters, hypothesis: _Letters) -> list[str]:
    heard, spoken = _matches(reference, hypothesis)
    starts = hypothesis.starts.copy()
    starts[heard] = reference.starts[spoken]
    nonempty = hypothesis.ends[:-1] < hypothesis.ends[1:]
    starts[hypothesis.ends[:-1][nonempty]] = False

    places = np.arange(len(starts)) + np.cumsum(starts)
    spaced = np.full(len(starts) + np.count_nonzero(starts), _SPACE, "<i4")
    spaced[places] = hypothesis.codes
    joined = spaced.tobytes().decode("utf-32-le", "surrogatepass")
    bounds = hypothesis.ends + np.concatenate([[0], np.cumsum(starts)])[hypothesis.ends]
    return [joined[begin:end] for begin, end in pairwise(bounds.tolist())]


def _matches(reference: _Letters, hypothesis: _Letters) -> tuple[Integers, Integers]:
    """Which hypothesis characters are aligned with equal ones, and with which."""
    # The kernel prefers an insertion to a deletion and the recipe a deletion to an insertion, so they change places:
    # the hypothesis is the kernel's reference.
    moves, arcs, words, begins = align_sequences(
        hypothesis.codes, hypothesis.ends, reference.codes, reference.ends, Costs(substitution=1, gap=1)
    )
    steps = np.diff(begins)
    matched = moves == EQUAL
    heard = (arcs + np.repeat(hypothesis.ends[:-1], steps))[matched]
    return heard, (words + np.repeat(reference.ends[:-1], steps))[matched]
