"""Which error rate is looked at: that over words, over characters, or one of those that Korean teams state."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from analysis.scoring import Scoring
from workbench.errors import BadInput

WORDS = ["ref_words", "hits", "substitutions", "deletions", "insertions"]
CHARS = ["ref_chars", "char_hits", "char_substitutions", "char_deletions", "char_insertions"]
_OF_KOREAN = ("cer_with_spaces", "jer", "swer")


def measures(scoring: Scoring) -> list[str]:
    """The rates that a scoring has, its headline first: CER for Korean, where spacing varies, and else WER."""
    return ["cer", "wer", *_OF_KOREAN] if is_korean(scoring) else ["wer", "cer"]


def is_korean(scoring: Scoring) -> bool:
    """Whether a scoring has the rates of Korean."""
    return scoring.normalizer.name == "korean"


def checked_measure(measure: str | None, scoring: Scoring) -> str:
    """The measure that is asked for, or the scoring's headline.

    Raises:
        BadInput: the scoring has no such measure.
    """
    if measure is not None and measure not in measures(scoring):
        korean = "; those of Korean come with --normalizer korean" if measure in _OF_KOREAN else ""
        raise BadInput(f"there is no measure {measure!r} here; choose one of {', '.join(measures(scoring))}{korean}")
    return measure or measures(scoring)[0]


def scores_in(scores: pd.DataFrame, measure: str, scoring: Scoring) -> pd.DataFrame:
    """The scores with the counts of another measure in the place of the counts of words."""
    if measure == "wer":
        return scores
    if measure == "cer":
        counts = scores[CHARS]
    else:
        counts = korean_counts_of(scores, scoring)
        names = ("ref", "hits", "substitutions", "deletions", "insertions")
        counts = counts[[f"{measure}_{name}" for name in names]]
    return scores.assign(**{name: counts.iloc[:, column].to_numpy() for column, name in enumerate(WORDS)})


def korean_counts_of(scores: pd.DataFrame, scoring: Scoring) -> pd.DataFrame:
    """The counts of `analysis.korean_metrics.korean_counts`, over the words of the alignments.

    That is over the reference with the alternatives that were taken.
    """
    from analysis.korean_metrics import korean_counts

    sides: tuple[list[str], list[str]] = [], []
    for steps in pa.array(scores["alignment"]).to_pylist():
        for texts, side in zip(sides, ("reference", "hypothesis"), strict=True):
            texts.append(" ".join(step[side] for step in steps if step[side]))
    return korean_counts(*sides, scoring.alignment)
