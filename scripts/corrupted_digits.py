"""Strings of spoken digits with a tenth of their labels made wrong, in four ways, each known by its place."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.train_tiny_ctc import DIGITS, Digit, Draw, Samples, digit_strings

KINDS = ("substituted", "deleted", "inserted", "swapped")
WRONG_SHARE = 0.1


@dataclass(frozen=True)
class LabelledString:
    """A spoken string: samples (8 kHz, mono), what was said, the label, and how that is wrong (empty: it is not)."""

    samples: Samples
    truth: str
    label: str
    kind: str = ""


def corrupted_strings(digits: list[Digit], count: int, seed: int, share: float = WRONG_SHARE) -> list[LabelledString]:
    """`count` strings of 1 to 6 digits, `share` of them with a wrong label, the kinds in equal numbers.

    No digit is deleted from a string of one, and a swapped label is that of another string with another text.
    """
    spoken = digit_strings(digits, count, seed)
    rng = np.random.default_rng([seed, 1])
    left = rng.permutation(count).tolist()
    kinds: dict[int, str] = {}
    for number in range(round(share * count)):
        kind = KINDS[number % len(KINDS)]
        chosen = next(i for i in left if kind != "deleted" or " " in spoken[i][1])
        left.remove(chosen)
        kinds[chosen] = kind
    texts = [text for _, text in spoken]
    return [
        LabelledString(samples, text, corrupted(rng, text, kinds[i], texts) if i in kinds else text, kinds.get(i, ""))
        for i, (samples, text) in enumerate(spoken)
    ]


def corrupted(rng: np.random.Generator, text: str, kind: str, others: Sequence[str]) -> str:
    """The text made wrong in the way that `kind` names; `others` are the texts that a swapped label may be."""
    words = text.split()
    if kind == "swapped":
        while (other := others[int(rng.integers(len(others)))]) == text:
            pass
        return other
    at = int(rng.integers(len(words) + (kind == "inserted")))
    if kind == "deleted":
        return " ".join(words[:at] + words[at + 1 :])
    wrong = [digit for digit in DIGITS if kind == "inserted" or digit != words[at]]
    put = wrong[int(rng.integers(len(wrong)))]
    return " ".join([*words[:at], put, *words[at + (kind == "substituted") :]])


def wrong_places(string: LabelledString) -> set[int]:
    """Where the label is wrong: numbers of its words, or, for a deleted one, how many words stand before the gap.

    Several, where it cannot be told which of two equal digits was added or left out; none for a swapped label.

    >>> wrong_places(LabelledString(np.zeros(0), "one two two", "one two", "deleted"))
    {1, 2}
    >>> wrong_places(LabelledString(np.zeros(0), "one two", "one six two", "inserted"))
    {1}
    """
    label, truth = string.label.split(), string.truth.split()
    if string.kind == "substituted":
        return {i for i, (one, other) in enumerate(zip(label, truth, strict=True)) if one != other}
    if string.kind == "inserted":
        return {i for i in range(len(label)) if label[:i] + label[i + 1 :] == truth}
    if string.kind == "deleted":
        return {i for i in range(len(truth)) if truth[:i] + truth[i + 1 :] == label}
    return set()


def drawn_from(strings: Sequence[LabelledString], labels: Sequence[str]) -> Draw:
    """A draw for training from these strings again and again, with these labels."""
    lengths = np.array([len(string.truth.split()) for string in strings])

    def draw(rng: np.random.Generator, longest: int, count: int) -> list[tuple[Samples, str]]:
        chosen = rng.choice(np.flatnonzero(lengths <= longest), size=count)
        return [(strings[i].samples, labels[i]) for i in chosen]

    return draw
