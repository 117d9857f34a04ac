"""Greedy decoding of CTC frames: tokens with their frames, words with their times, and a confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.asr.backend import Word

WORD_STARTS = ("▁", "Ġ")  # how SentencePiece and byte-level BPE write the space before a word


class Token(NamedTuple):
    """A token of the greedy path, the frames `start` to `end` (exclusive) that it fills, and its log-probability."""

    id: int
    start: int
    end: int
    log_probability: float


def greedy_tokens(log_probabilities: NDArray[np.float32], blank: int) -> list[Token]:
    """The most probable token of each frame, repetitions merged and blanks dropped (Graves et al., ICML 2006).

    Args:
        log_probabilities: shape (frames, vocabulary).
        blank: id of the blank token.

    >>> frames = np.log(np.array([[.9, .1, .0], [.2, .8, .0], [.4, .6, .0], [.9, .1, .0], [.1, .9, .0]]) + 1e-9)
    >>> [token[:3] for token in greedy_tokens(frames, blank=0)]
    [(1, 1, 3), (1, 4, 5)]
    """
    if len(log_probabilities) == 0:
        return []
    best = log_probabilities.argmax(axis=1)
    starts = np.flatnonzero(np.r_[True, best[1:] != best[:-1]])
    ends = np.r_[starts[1:], len(best)]
    return [
        Token(int(best[start]), int(start), int(end), float(log_probabilities[start:end, best[start]].max()))
        for start, end in zip(starts, ends, strict=True)
        if best[start] != blank
    ]


def word_tokens(tokens: Sequence[Token], pieces: Sequence[str], delimiter: str | None) -> list[list[Token]]:
    """The tokens of each word, in order.

    Args:
        tokens: the greedy tokens without special ones.
        pieces: each token as the vocabulary writes it.
        delimiter: the token that stands between words (`|`), or None where a token's first character begins a word.

    >>> a = [Token(1, 0, 1, 0.0), Token(2, 1, 2, 0.0), Token(3, 2, 3, 0.0)]
    >>> [len(word) for word in word_tokens(a, ["▁so", "▁th", "ere"], None)]
    [1, 2]
    """
    words: list[list[Token]] = [[]]
    for token, piece in zip(tokens, pieces, strict=True):
        if piece == delimiter or piece == " ":
            words.append([])
        elif delimiter is None and piece.startswith(WORD_STARTS):
            words.append([token])
        else:
            words[-1].append(token)
    return [word for word in words if word]


def timed_words(
    texts: Sequence[str], groups: Sequence[Sequence[Token]], seconds_per_frame: float, duration: float
) -> tuple[Word, ...] | None:
    """The words with start and end (s) and the geometric mean of their tokens' probabilities.

    CTC says when a token is recognised, not when it sounds: the times are good to a frame or two at best, and a
    word's end is that of its last token's frames. None where texts and groups differ in number.
    """
    if len(texts) != len(groups):
        return None
    words = []
    for text, group in zip(texts, groups, strict=True):
        start = min(group[0].start * seconds_per_frame, duration)
        end = min(group[-1].end * seconds_per_frame, duration)
        mean = sum(token.log_probability for token in group) / len(group)
        words.append(Word(text, start, end, min(1.0, math.exp(mean))))
    return tuple(words)


def confidence(negative_log_likelihood: float, tokens: int) -> float:
    """The confidence in [0, 1] of a text: its probability over all alignments, as a geometric mean over its tokens.

    >>> round(confidence(2 * math.log(2), tokens=2), 3)
    0.5
    """
    return min(1.0, math.exp(-max(0.0, negative_log_likelihood) / max(1, tokens)))
