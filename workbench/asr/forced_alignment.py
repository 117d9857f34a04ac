"""Labels aligned with a CTC model's frames: how well the audio carries the label, each of its words, and what it lacks.

Every score is a difference of log-likelihoods over all alignments, in nats, 0 at best: the label's own, less that of
what the model would rather have. For the label that is the text which the model heard; for a word, the label with that
word left open, to hold whatever the model hears there, or nothing; for a gap, the label with something more between
two words. So a deleted word shows, which the alignment's blanks would absorb, and a word is not blamed for frames that
the one best path happens to give it. Times are those of the best path (`torchaudio.functional.forced_align`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.asr.ctc import Token, greedy_tokens
from workbench.asr.ctc_lattice import Lattice, Opened, lattices
from workbench.asr.label_tokens import ANYTHING, LabelTokens

Frames = NDArray[np.float32]

LEAST_GAP = 1.0
"""Nats that something more between two words must be worth to be listed."""
_MOST_CELLS = 20_000_000  # 0.3 GB of forward and backward probabilities

ALIGNED, EMPTY, TOO_LONG = "aligned", "empty", "too_long"
OUTCOMES = {
    ALIGNED: "the label was aligned",
    EMPTY: "the label has no word that the model can write; the score says whether the model heard any",
    TOO_LONG: "the label has more letters than the audio has frames; it was aligned with every frame several times",
}


class AlignedWord(NamedTuple):
    """A label's word: its characters, its time (s), its score, and what the model heard in its place.

    The score is None where the model cannot write the word.
    """

    start: int
    end: int
    start_seconds: float
    end_seconds: float
    score: float | None
    heard: str


class Gap(NamedTuple):
    """A place between words, or at an end: the character before which the label lacks what was heard, and its time."""

    at: int
    start_seconds: float
    end_seconds: float
    score: float
    heard: str


@dataclass(frozen=True)
class Alignment:
    """A label's alignment; `outcome` is one of `OUTCOMES`, and `least_frame` the lowest log-probability on its path."""

    outcome: str
    score: float
    heard: str
    words: tuple[AlignedWord, ...]
    gaps: tuple[Gap, ...]
    least_frame: float


class Spoken(NamedTuple):
    """An utterance for its label: frames of log-probabilities, shape (frames, vocabulary), and its duration (s)."""

    frames: Frames
    duration: float


def align_labels(
    spoken: Sequence[Spoken],
    labels: Sequence[LabelTokens],
    blank: int,
    seconds_per_frame: float,
    text_of: Callable[[list[int]], str],
) -> list[Alignment]:
    """The alignment of each label with its utterance, whatever they are aligned together with.

    Args:
        spoken: utterances of at least one frame each.
        labels: their labels as tokens.
        blank: id of the blank token.
        seconds_per_frame: s from one frame to the next.
        text_of: a text from tokens, repetitions merged already.

    Raises:
        ValueError: an utterance is too long to be aligned as a whole.
    """
    if not spoken:
        return []
    times = [_times_needed(len(one.frames), label.tokens) for one, label in zip(spoken, labels, strict=True)]
    for one, label, several in zip(spoken, labels, times, strict=True):
        if len(one.frames) * several * max(1, len(label.words)) > _MOST_CELLS:
            raise ValueError(
                f"{one.duration:.0f} s with {len(label.words)} words are too much to align at once; cut the recording "
                "into utterances of some minutes at most"
            )
    frames = [_several_times(one.frames, several) for one, several in zip(spoken, times, strict=True)]
    greedy = [greedy_tokens(part, blank) for part in frames]
    best = _likelihoods(frames, [[token.id for token in path] for path in greedy], blank)
    alignments = []
    for i, lattice in enumerate(lattices(frames, labels, blank)):
        seconds = seconds_per_frame / times[i]
        utterance = _Utterance(frames[i], spoken[i].duration, labels[i], lattice, greedy[i], blank, seconds, text_of)
        alignments.append(utterance.alignment(best[i], stretched=times[i] > 1))
    return alignments


def _times_needed(frames: int, tokens: Sequence[int]) -> int:
    """How often every frame must stand so that the tokens fit: one frame each, and one between equal neighbours."""
    needed = len(tokens) + sum(one == other for one, other in pairwise(tokens))
    return max(1, -(-needed // frames))


def _several_times(frames: Frames, times: int) -> Frames:
    """Every frame so often, each counting for its part: what the model heard costs as much as before."""
    return frames if times == 1 else np.repeat(frames, times, axis=0) / np.float32(times)


def forced_path(frames: Frames, tokens: Sequence[int], blank: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The most probable alignment: for each frame the number of the label's token in it (-1: blank), and its score.

    Args:
        frames: log-probabilities, shape (frames, vocabulary).
        tokens: the label's; it must fit the frames.
        blank: id of the blank token.
    """
    if not len(tokens):
        return np.full(len(frames), -1), frames[:, blank]
    import torch
    from torchaudio.functional import forced_align

    vocabulary = frames.shape[1]
    extended = np.concatenate([frames, *[frames.max(axis=1, keepdims=True)] * 2], axis=1)
    # Two columns by turns for what may be anything: equal neighbours would want a blank between them.
    targets = [vocabulary + n % 2 if token == ANYTHING else token for n, token in enumerate(tokens)]
    path, scores = forced_align(
        torch.from_numpy(np.ascontiguousarray(extended))[None], torch.tensor([targets], dtype=torch.int64), blank=blank
    )
    ids = path[0].numpy()
    begins = (ids != blank) & np.r_[True, ids[1:] != ids[:-1]]
    return np.where(ids == blank, -1, np.cumsum(begins) - 1), scores[0].numpy()


def _likelihoods(frames: Sequence[Frames], paths: Sequence[Sequence[int]], blank: int) -> list[float]:
    """The log-likelihood of each token sequence over all alignments."""
    import torch

    rows = [torch.from_numpy(np.ascontiguousarray(part)) for part in frames]
    targets = [torch.tensor(path, dtype=torch.int64) for path in paths]
    losses = torch.nn.functional.ctc_loss(
        torch.nn.utils.rnn.pad_sequence(rows).double(),
        torch.cat(targets),
        torch.tensor([len(row) for row in rows]),
        torch.tensor([len(target) for target in targets]),
        blank=blank,
        reduction="none",
    )
    return [-float(loss) for loss in losses]


@dataclass(frozen=True)
class _Utterance:
    """One utterance with everything that its alignment is made from."""

    frames: Frames
    duration: float
    label: LabelTokens
    lattice: Lattice
    greedy: Sequence[Token]
    blank: int
    seconds_per_frame: float
    text_of: Callable[[list[int]], str]

    def alignment(self, best: float, stretched: bool) -> Alignment:
        """The alignment, where the text that the model heard has the log-likelihood `best`."""
        path, scores = forced_path(self.frames, self.label.tokens, self.blank)
        count = len(self.label.words)
        known = any(word.is_known for word in self.label.words)
        return Alignment(
            TOO_LONG if stretched else ALIGNED if known else EMPTY,
            min(0.0, self.lattice.log_likelihood - best),
            self._heard(0, len(self.frames)),
            tuple(self._word(number, path) for number in range(count)),
            tuple(gap for number in range(count + 1) if (gap := self._gap(number)) is not None),
            float(scores.min()),
        )

    def _word(self, number: int, path: NDArray[np.int64]) -> AlignedWord:
        word = self.label.words[number]
        own = np.flatnonzero((path >= word.first) & (path < word.first + len(word.tokens)))
        opened = self.lattice.opened(number - 1, number + 1)
        score = self._loss(opened) if word.is_known else None
        seconds = self._seconds(int(own[0]), int(own[-1]) + 1)
        return AlignedWord(word.start, word.end, *seconds, score, self._heard(opened.start, opened.end))

    def _gap(self, number: int) -> Gap | None:
        """What the label lacks before its word of that number; None where the model heard nothing more."""
        words = self.label.words
        opened = self.lattice.opened(number - 1, number)
        score, heard = self._loss(opened), self._heard(opened.start, opened.end)
        beside = words[max(0, number - 1) : number + 1]
        # A word that may be anything leaves no gap beside it.
        if score > -LEAST_GAP or not heard or (beside and not all(word.is_known for word in beside)):
            return None
        at = words[number - 1].end if number else 0
        return Gap(at, *self._seconds(opened.start, opened.end), score, heard)

    def _loss(self, opened: Opened) -> float:
        return min(0.0, self.lattice.log_likelihood - opened.log_likelihood)

    def _heard(self, start: int, end: int) -> str:
        inside = [token.id for token in self.greedy if start <= (token.start + token.end - 1) / 2 < end]
        return self.text_of(inside)

    def _seconds(self, start: int, end: int) -> tuple[float, float]:
        return min(start * self.seconds_per_frame, self.duration), min(end * self.seconds_per_frame, self.duration)
