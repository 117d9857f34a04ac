"""Error counts that can be summed, the rate derived from them, and the scoring of a frame of pairs."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from numbers import Integral

import pandas as pd

from analysis.aligned_texts import align_texts
from analysis.errors import InvalidInput
from analysis.network_align import FORGIVEN_TYPE
from analysis.normalizers import Normalizer
from analysis.scoring import Scoring
from analysis.steps import ALIGNMENT_TYPE

_PAIR = ["utterance_id", "reference", "hypothesis"]


def error_rate(errors: float, ref_words: float) -> float | None:
    """Errors for each reference word; None where there are no reference words.

    >>> error_rate(1, 4)
    0.25
    >>> error_rate(3, 0) is None
    True
    """
    return errors / ref_words if ref_words else None


@dataclass(frozen=True)
class ErrorCounts:
    """Counts of hits and errors against reference words. Summed, never averaged; the rate comes from the sum.

    Raises:
        InvalidInput: a count is negative or no whole number, or hits, substitutions and deletions do not make up
            the reference words.

    >>> total = ErrorCounts(4, 3, 1, 0, 0) + ErrorCounts(0, 0, 0, 0, 2)
    >>> total.errors, total.rate
    (3, 0.75)
    >>> ErrorCounts(0, 0, 0, 0, 2).rate is None
    True
    """

    ref_words: int
    hits: int
    substitutions: int
    deletions: int
    insertions: int

    def __post_init__(self) -> None:
        for name, count in vars(self).items():
            if not isinstance(count, Integral) or count < 0:
                raise InvalidInput(f"{name} is {count!r}; a count is a whole number from 0 up")
        if self.hits + self.substitutions + self.deletions != self.ref_words:
            raise InvalidInput(
                f"{self.hits} hits, {self.substitutions} substitutions and {self.deletions} deletions "
                f"do not make up {self.ref_words} reference words"
            )

    @classmethod
    def zero(cls) -> ErrorCounts:
        """Counts of nothing: what a sum begins with."""
        return cls(0, 0, 0, 0, 0)

    def __add__(self, other: ErrorCounts) -> ErrorCounts:
        return ErrorCounts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Errors for each reference word; None where there are no reference words."""
        return error_rate(self.errors, self.ref_words)


def score(pairs: pd.DataFrame, scoring: Scoring | Normalizer) -> pd.DataFrame:
    """Counts over words and characters and the word alignment of each pair: table `scores` without `run_id`.

    `reference` and `hypothesis` stay as they were. The alignment column is Arrow-backed: lists of steps `{op,
    reference, hypothesis}`; so is `forgiven`: lists of `{step, alternative, words}`, the alternatives taken.

    Args:
        pairs: one row an utterance, with columns utterance_id, reference, hypothesis.
        scoring: how; a normalizer alone stands for plain words at unit costs.

    Raises:
        InvalidInput: a column or a text is missing, an utterance stands twice, or a reference's notation is faulty.
    """
    if isinstance(scoring, Normalizer):
        scoring = Scoring(scoring)
    _check_pairs(pairs)
    references, hypotheses = pairs["reference"].tolist(), pairs["hypothesis"].tolist()
    aligned = align_texts(references, hypotheses, scoring, pairs["utterance_id"].tolist())
    scored = pd.DataFrame({"utterance_id": pairs["utterance_id"].to_numpy(), "scoring": scoring.label})
    scored = pd.concat([scored, aligned.words, aligned.chars], axis="columns")
    scored["reference"], scored["hypothesis"] = references, hypotheses
    scored["alignment"] = pd.array(aligned.alignments, dtype=pd.ArrowDtype(ALIGNMENT_TYPE))
    scored["forgiven"] = pd.array(aligned.forgiven, dtype=pd.ArrowDtype(FORGIVEN_TYPE))
    return scored


def _check_pairs(pairs: pd.DataFrame) -> None:
    for name in _PAIR:
        if name not in pairs.columns:
            raise InvalidInput(f"the pairs have no column {name!r}; they need {', '.join(_PAIR)}")
    for name in _PAIR[1:]:
        wrong = [row for row, text in enumerate(pairs[name].tolist()) if not isinstance(text, str)]
        if wrong:
            first = pairs["utterance_id"].iloc[wrong[0]]
            raise InvalidInput(
                f"{len(wrong)} of {len(pairs)} pairs have no {name}, the first is utterance {first!r}; "
                "leave them out, or give empty text for silence"
            )
    repeated = pairs["utterance_id"].duplicated()
    if repeated.any():
        raise InvalidInput(f"utterance {pairs['utterance_id'][repeated].iloc[0]!r} stands twice among the pairs")
