"""Wrong labels made from a corpus's own: what an unsupervised judge learns to tell from the labels as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# A whole label that is cut short loses up to half of its words.
_MOST_CUT = 0.5


class Wrong(NamedTuple):
    """A label made wrong: which one it was, its words now, and where; `start == end` where words are gone."""

    source: int
    keys: tuple[str, ...]
    start: int
    end: int
    kind: str


KINDS = ("deleted", "substituted", "swapped", "truncated")


def wrong_labels(
    labels: Sequence[tuple[tuple[str, ...], ...]], sources: Sequence[int], rng: np.random.Generator
) -> list[Wrong]:
    """One wrong label for each source: a word or two left out, a word exchanged, another label, an end cut off.

    A label is a sequence of words, and a word is a sequence of keys (one, but for contractions, numbers, and Korean).
    Exchanged words are drawn as often as they stand in the labels. Nothing is made of labels too short for the kind.
    """
    words = [word for label in labels for word in label]
    by_letters: dict[int, list[tuple[str, ...]]] = {}
    for word in words:
        by_letters.setdefault(_letters(word), []).append(word)
    made = []
    for number, source in enumerate(sources):
        wrong = _MAKERS[number % len(_MAKERS)](labels[source], labels, words, by_letters, rng)
        if wrong is not None:
            kept, start, end = wrong
            keys = tuple(key for word in kept for key in word)
            first = sum(len(word) for word in kept[:start])
            last = first + sum(len(word) for word in kept[start:end])
            made.append(Wrong(source, keys, first, last, KINDS[number % len(_MAKERS)]))
    return made


Words = tuple[tuple[str, ...], ...]
_Made = tuple[Words, int, int] | None


def _letters(word: tuple[str, ...]) -> int:
    return sum(map(len, word))


def _deleted(label: Words, *others: object) -> _Made:
    rng = others[-1]
    assert isinstance(rng, np.random.Generator)
    if len(label) < 2:
        return None
    several = 1 if len(label) < 5 or rng.random() < 0.6 else 2
    at = int(rng.integers(len(label) - several + 1))
    return label[:at] + label[at + several :], at, at


def _substituted(
    label: Words, labels: object, words: Sequence[tuple[str, ...]], by_letters: dict[int, list[tuple[str, ...]]],
    rng: np.random.Generator,
) -> _Made:  # fmt: skip
    if not label:
        return None
    at = int(rng.integers(len(label)))
    alike = by_letters.get(_letters(label[at]) + int(rng.integers(-2, 3)), words)
    word = alike[int(rng.integers(len(alike)))]
    return None if word == label[at] else ((*label[:at], word, *label[at + 1 :]), at, at + 1)


def _swapped(label: Words, labels: Sequence[Words], words: object, _: object, rng: np.random.Generator) -> _Made:
    other = labels[int(rng.integers(len(labels)))]
    return None if other == label or not other else (other, 0, len(other))


def _truncated(label: Words, *others: object) -> _Made:
    rng = others[-1]
    assert isinstance(rng, np.random.Generator)
    if len(label) < 4:
        return None
    gone = max(2, round(len(label) * rng.uniform(0.15, _MOST_CUT)))
    kept = label[gone:] if rng.random() < 0.5 else label[:-gone]
    at = 0 if kept == label[gone:] else len(kept)
    return kept, at, at


_MAKERS = (_deleted, _substituted, _swapped, _truncated)
