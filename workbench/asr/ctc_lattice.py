"""All CTC alignments of a label with frames, summed; and what is gained where a stretch of the label is left open.

The sums are those of the forward-backward algorithm (Graves et al., ICML 2006, section 4.1), in float64, for many
labels at a time. Leaving a stretch open means: everything up to one word and from another one on stays as it is, and
the frames between them may hold whatever the model hears in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.asr.label_tokens import ANYTHING, LabelTokens

Frames = NDArray[np.float32]
Reals = NDArray[np.float64]


class Opened(NamedTuple):
    """The label with a stretch left open: its log-likelihood, and the frames `start` to `end` (exclusive) between."""

    log_likelihood: float
    start: int
    end: int


@dataclass(frozen=True)
class Lattice:
    """The alignments of one label with its frames.

    `before[t, k]` is the log-probability of all beginnings that are at frame t in the last token of word k, and
    `after[t, k]` that of all endings that are there in its first token; both hold frame t itself.
    """

    log_likelihood: float
    "Over all alignments, in nats; -inf where the frames are too few for the tokens."
    best: Reals
    "The highest log-probability of each frame, whatever the token; shape (frames,)."
    before: Reals
    after: Reals

    def opened(self, left: int, right: int) -> Opened:
        """The label with everything open between its words `left` and `right`; -1 and len(words): its two ends."""
        frames = len(self.best)
        begins = self._begins[left]
        if right == self.after.shape[1]:
            ends = np.full(frames + 1, -np.inf)
            ends[frames] = self._sums[frames]
        else:
            ends = np.append(self.after[:, right] + self._sums[:frames], -np.inf)
        # The open frames are start to end - 1: start is one past a frame of the left word, end one of the right.
        highest = np.maximum.accumulate(begins)
        end = int(np.argmax(highest + ends))
        value = float(highest[end] + ends[end])
        return Opened(value, int(np.argmax(begins[: end + 1])), end)

    @cached_property
    def _sums(self) -> Reals:
        return np.append(0.0, np.cumsum(self.best))

    @cached_property
    def _begins(self) -> dict[int, Reals]:
        """By word: what the beginning is worth if the open frames start at 0, 1, …, less the best of all before."""
        begins = {k: np.append(-np.inf, self.before[:, k]) - self._sums for k in range(self.before.shape[1])}
        begins[-1] = np.full(len(self.best) + 1, -np.inf)
        begins[-1][0] = 0.0
        return begins


def lattices(frames: Sequence[Frames], labels: Sequence[LabelTokens], blank: int) -> list[Lattice]:
    """The lattice of each label with its frames, shape (frames, vocabulary), log-probabilities.

    A frame costs a word that cannot be written no more than the token that is most probable in it.
    """
    if not labels:
        return []
    lasts = [[2 * (word.first + len(word.tokens) - 1) + 1 for word in label.words] for label in labels]
    firsts = [[2 * word.first + 1 for word in label.words] for label in labels]
    states = [2 * len(label.tokens) + 1 for label in labels]
    # Backwards in time is forwards through the label turned around.
    turned = [[count - 1 - first for first in own] for count, own in zip(states, firsts, strict=True)]
    tokens = [label.tokens for label in labels]
    forward, likelihoods = _forward(frames, tokens, blank, lasts)
    backward, _ = _forward([part[::-1] for part in frames], [label[::-1] for label in tokens], blank, turned)
    return [
        Lattice(float(likelihood), part.max(axis=1).astype(float), before, after[::-1])
        for likelihood, part, before, after in zip(likelihoods, frames, forward, backward, strict=True)
    ]


def _forward(
    frames: Sequence[Frames], labels: Sequence[Sequence[int]], blank: int, kept: Sequence[Sequence[int]]
) -> tuple[list[Reals], Reals]:
    """For each label the forward log-probabilities of the kept states, shape (frames, kept), and the likelihoods."""
    lengths = np.array([len(part) for part in frames])
    sizes = np.array([2 * len(label) + 1 for label in labels])
    items, longest, widest = len(labels), int(lengths.max()), int(sizes.max())
    tokens = np.full((items, widest), blank)
    for i, label in enumerate(labels):
        tokens[i, 1 : 2 * len(label) : 2] = label
    anything = tokens == ANYTHING
    skips = np.full((items, widest), -np.inf)
    skips[:, 2:][(tokens[:, 2:] != blank) & ((tokens[:, 2:] != tokens[:, :-2]) | anything[:, 2:])] = 0.0
    columns = np.zeros((items, max(map(len, kept))), dtype=np.int64)
    for i, own in enumerate(kept):
        columns[i, : len(own)] = own
    rows = np.arange(items)[:, None]
    padded = np.zeros((longest, items, frames[0].shape[1]), dtype=np.float32)
    for i, part in enumerate(frames):
        padded[: len(part), i] = part
    alpha = np.full((items, widest + 2), -np.inf)  # two columns before the first state, for the steps from them
    reached = np.full((items, widest), -np.inf)
    reached[:, :2] = 0.0  # an alignment begins with the blank or with the first token
    out = np.full((longest, *columns.shape), -np.inf)
    for t in range(longest):
        if t:
            reached = np.logaddexp(np.logaddexp(alpha[:, 2:], alpha[:, 1:-1]), alpha[:, :-2] + skips)
        emitted = padded[t][rows, tokens]
        if anything.any():
            emitted = np.where(anything, padded[t].max(axis=1, keepdims=True), emitted)
        going = t < lengths
        alpha[going, 2:] = reached[going] + emitted[going]
        out[t] = np.take_along_axis(alpha[:, 2:], columns, axis=1)
    last = alpha[np.arange(items), sizes + 1]
    before_last = np.where(sizes > 1, alpha[np.arange(items), sizes], -np.inf)
    parts = [out[:length, i, : len(own)] for i, (length, own) in enumerate(zip(lengths, kept, strict=True))]
    return parts, np.logaddexp(last, before_last)
