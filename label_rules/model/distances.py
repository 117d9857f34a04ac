"""How far each transcript is from what a recogniser heard, and how far right and wrong labels usually are.

A wrong label is as far from the hypothesis as another utterance's label of about the same length, which is measured
on the corpus itself; a right one is as far as most of this corpus's labels are from this model's hypotheses. With a
weak model the two overlap, and then no transcript is told to be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.align import count_char_errors
from analysis.language.numbers import MOST_IN_WORDS, words_of
from label_rules.corpus import Corpus
from label_rules.once import once_per_corpus
from label_rules.tokens import tokens

LEAST_ROWS = 30
_ROWS_A_BIN = 100
_MOST_BINS = 5
# How much is wrong in labels that are worth checking, before anything is known of a single one.
_PRIOR_WRONG = 0.02
_SHIFTS = (1, 2, 3, 5, 7)
_MOST_PAIRS = 200_000
_NORMAL, _NORMAL_90 = 1.4826, 1.2816
_LEAST_SPREAD = 0.08
# How often a recogniser is off for reasons of its own, at any distance.
_OFF = 0.03
# A hypothesis much shorter than the label is most often a recogniser that gave up, and then tells little.
_GAVE_UP, _GAVE_UP_ODDS = 0.6, 0.1
# Of fewer letters nobody can tell what they are far from.
_LEAST_LETTERS = 8
_LEAST_WRONG_SPREAD = 0.03


@dataclass(frozen=True)
class Distances:
    """Rows with a hypothesis to judge them by; arrays hold one value for each of these rows."""

    rows: np.ndarray
    "Their numbers in the corpus."
    labels: list[str]
    "Their words as they are compared."
    hypotheses: list[str]
    distance: np.ndarray
    "Character edits, as a share of the longer text."
    usual: np.ndarray
    "The distance that half of the labels of this length do not reach."
    spread: np.ndarray
    chance_wrong: np.ndarray
    "How likely the label is another utterance's, in [0, 1]."
    trust: np.ndarray
    """How much the hypothesis may say against the label: 1 at ordinary confidence, up to 2 above it, down to 0 below
    it, less where the recogniser seems to have given up, 0 where there are too few letters."""


@once_per_corpus
def distances(corpus: Corpus) -> Distances:
    """The distances of all rows that have words and a hypothesis with words."""
    return _measure(corpus)


def judged_rows(corpus: Corpus) -> np.ndarray:
    """A boolean for each row: whether it can be judged. None can where there are too few to know what is usual."""
    known = distances(corpus)
    judged = np.zeros(len(corpus), dtype=bool)
    if len(known.rows) >= LEAST_ROWS:
        judged[known.rows] = True
    return judged


def compared(text: str) -> str:
    """The words of a text as they are compared with a hypothesis: no fillers, marks or case; Korean without spaces.

    Numbers stand in words, so that digits on one side count as no disagreement.

    >>> compared("Um, [noise] it’s 11:30."), compared("오늘 날씨")
    ("it's eleven thirty", '오늘날씨')
    """
    keys = [_in_words(token.key) if token.kind == "number" else token.key for token in tokens(text) if token.is_spoken]
    return ("" if any("가" <= key[0] <= "힣" for key in keys) else " ").join(keys)


def _in_words(number: str) -> str:
    parts = number.split(":")
    if not all(part.isdecimal() and int(part) <= MOST_IN_WORDS for part in parts):
        return number
    return " ".join(words_of(int(part)).replace("-", " ") for part in parts)


def _measure(corpus: Corpus) -> Distances:
    heard_of = set(corpus.text_of_row[[text is not None for text in corpus.hypotheses]].tolist())
    labels = [compared(text) if number in heard_of else "" for number, text in enumerate(corpus.texts)]
    heard = [None if text is None else compared(text) for text in corpus.hypotheses]
    rows = np.array([row for row, text in enumerate(heard) if text and labels[corpus.text_of_row[row]]], dtype=np.int64)
    own = [labels[corpus.text_of_row[row]] for row in rows]
    hypotheses = [heard[row] or "" for row in rows]
    distance = edit_share(own, hypotheses)
    usual, spread = np.zeros(len(rows)), np.full(len(rows), np.inf)
    wrong = np.zeros(len(rows))
    trust = _trust(corpus.number("confidence")[rows])
    if len(rows) >= LEAST_ROWS:
        pairs = list(zip(own, hypotheses, strict=True))
        lengths = np.array([max(len(label), len(text)) for label, text in pairs])
        gave_up = np.array([len(text) < _GAVE_UP * len(label) for label, text in pairs])
        trust = np.where(lengths < _LEAST_LETTERS, 0.0, trust * np.where(gave_up, _GAVE_UP_ODDS, 1.0))
        utterance = corpus.group_of_row[rows]
        for members in _bins(lengths):
            usual[members], spread[members], wrong[members] = _judge(
                distance[members], _of_others(members, own, hypotheses, utterance), trust[members]
            )
    return Distances(rows, own, hypotheses, distance, usual, spread, wrong, trust)


def edit_share(labels: list[str], hypotheses: list[str]) -> np.ndarray:
    """The character edits of each pair as a share of its longer text, 0 to 1."""
    counts = count_char_errors(labels, hypotheses)
    edits = counts[["char_substitutions", "char_deletions", "char_insertions"]].sum(axis=1).to_numpy(dtype=float)
    longer = [max(len(a), len(b), 1) for a, b in zip(labels, hypotheses, strict=True)]
    return np.minimum(edits / np.array(longer, dtype=float), 1.0) if longer else edits


def _trust(confidence: np.ndarray) -> np.ndarray:
    known = np.isfinite(confidence)
    trust = np.ones(len(confidence))
    if known.sum() >= LEAST_ROWS:
        order = np.argsort(np.argsort(confidence[known], kind="stable"), kind="stable")
        trust[known] = 2 * (order + 0.5) / known.sum()
    return trust


def _bins(lengths: np.ndarray) -> list[np.ndarray]:
    """The rows in bins of like length: short texts scatter more."""
    several = int(np.clip(len(lengths) // _ROWS_A_BIN, 1, _MOST_BINS))
    return np.array_split(np.argsort(lengths, kind="stable"), several)


def _of_others(members: np.ndarray, labels: list[str], hypotheses: list[str], utterance: np.ndarray) -> np.ndarray:
    """Distances from hypotheses to other utterances' labels of about the same length."""
    shifted = [(i, j) for shift in _SHIFTS for i, j in zip(members, np.roll(members, shift), strict=True)]
    pairs = [(i, j) for i, j in shifted if utterance[i] != utterance[j] and labels[i] != labels[j]]
    pairs = pairs[:: max(1, len(pairs) // _MOST_PAIRS)]
    return edit_share([labels[j] for _, j in pairs], [hypotheses[i] for i, _ in pairs])


def _judge(distance: np.ndarray, of_others: np.ndarray, trust: np.ndarray) -> tuple[float, float, np.ndarray]:
    """The usual distance, its spread, and for each row the chance that it is a label of another utterance.

    Right labels scatter about the usual distance with the heavy tail of Student's t with 4 degrees of freedom.
    """
    usual = float(np.median(distance))
    spread = max((float(np.quantile(distance, 0.9)) - usual) / _NORMAL_90, _LEAST_SPREAD)
    if len(of_others) < LEAST_ROWS:
        return usual, spread, np.zeros(len(distance))
    centre = float(np.median(of_others))
    wrong_spread = max(float(np.median(np.abs(of_others - centre))) * _NORMAL, _LEAST_WRONG_SPREAD)
    # Farther than another utterance's label is no less wrong.
    from_wrong = np.minimum(distance - centre, 0.0) / wrong_spread
    as_wrong = np.exp(-0.5 * from_wrong**2) / (wrong_spread * np.sqrt(2 * np.pi))
    from_right = np.maximum(distance - usual, 0.0) / spread
    as_right = (1 - _OFF) * 0.375 * (1 + from_right**2 / 4) ** -2.5 / spread + _OFF
    odds = _PRIOR_WRONG * trust * as_wrong / ((1 - _PRIOR_WRONG) * as_right)
    return usual, spread, odds / (1 + odds)
