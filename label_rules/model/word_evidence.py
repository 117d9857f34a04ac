"""How unusual the scores of words and gaps are in this corpus, from the forced alignment of the labels.

A score says how many nats likelier the label would be with the word left open. What is usual depends on the model and
on the word: one that a model mishears whenever an accent says it scores low in labels that are right. So each score is
compared with those of the same word in the corpus, and those of a rare word with the whole corpus's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from label_rules.corpus import Corpus, WordScore
from label_rules.once import once_per_corpus
from label_rules.tokens import tokens

LEAST_ROWS = 30
# The constants were chosen on digit strings of two speakers that the models did not know, and on new recordings of five
# that they knew, with a tenth of the labels wrong; scripts/label_scores.py measures them on other strings.
_LEAST_SPREAD = 6.0  # nats
_USUAL_SHARE = 0.9
_OF_OTHER_WORDS = 20  # labels that a word must stand in for its own scores to count for half
_GAP_SHARE = 0.6


@dataclass(frozen=True)
class Evidence:
    """What the alignment says against the labels: `pieces` has one row for each word and gap that has a score.

    Its columns: `row` of the corpus, `start` and `end` (characters; equal for a gap), `heard` (None: not known),
    `nats` (how much likelier the label would be with the piece left open), `usual` (what nine in ten words of this
    kind do not exceed), `unusual` (nats by what is usual: 1 is hardly so), `is_gap`, and `place`, true for the one
    piece of each row that explains its scores best. Sorted by row, then in the order of the text.
    """

    pieces: pd.DataFrame
    unusual: np.ndarray
    "Of each row of the corpus that of its most unusual piece, or of the label as a whole; NaN without scores."


@once_per_corpus
def evidence(corpus: Corpus) -> Evidence:
    """The evidence of the alignment, for every row that has scores."""
    return _measure(corpus)


def _measure(corpus: Corpus) -> Evidence:
    pieces = _pieces(corpus)
    # A label that repeats a word is one witness, not several.
    words = pieces[~pieces["is_gap"]].groupby(["key", "row"], sort=False)["nats"].mean()
    of_word = words.groupby(level="key", sort=False)
    weight = of_word.size() / (of_word.size() + _OF_OTHER_WORDS)
    usual, middle = (
        pieces["key"].where(~pieces["is_gap"]).map(weight * of_word.quantile(share) + (1 - weight) * whole)
        for share, whole in ((share, _quantile(words, share)) for share in (_USUAL_SHARE, 0.5))
    )
    gaps = pieces["is_gap"].to_numpy()
    # Most gaps have no score worth a row: every row has one more place for them than words.
    places = int((~gaps).sum()) + pieces["row"].nunique()
    usual_gap = _quantile(np.append(pieces["nats"][gaps], np.zeros(max(0, places - int(gaps.sum())))), _USUAL_SHARE)
    pieces["usual"] = usual.fillna(usual_gap)
    pieces["unusual"] = pieces["nats"] / (_LEAST_SPREAD + pieces["usual"])
    excess = (pieces["nats"] - middle.fillna(0.0)).clip(lower=0.0)
    pieces["place"] = _places(pieces, excess)
    unusual = _of_whole_labels(corpus)
    highest = pieces.groupby("row")["unusual"].max()
    unusual[highest.index] = highest
    return Evidence(pieces.drop(columns="key"), unusual)


def _pieces(corpus: Corpus) -> pd.DataFrame:
    keys: dict[str, str] = {}
    rows: list[tuple[int, int, int, float, str | None, str]] = []
    for row, scores in enumerate(corpus.word_scores):
        text = corpus.text(row) if scores else ""
        for score in sorted(scores or (), key=_in_the_text):
            piece = text[score.start : score.end]
            if piece not in keys:
                keys[piece] = " ".join(token.key for token in tokens(piece) if token.is_spoken) or piece
            rows.append((row, score.start, score.end, max(0.0, -score.score), score.heard, keys[piece]))
    pieces = pd.DataFrame(rows, columns=["row", "start", "end", "nats", "heard", "key"])
    pieces = pieces.astype({"row": int, "start": int, "end": int, "nats": float})
    return pieces.assign(is_gap=pieces["start"] == pieces["end"])


def _in_the_text(score: WordScore) -> tuple[int, int]:
    return score.start, score.end


def _places(pieces: pd.DataFrame, excess: pd.Series) -> np.ndarray:
    """A boolean for each piece: whether it is the place where its label is most likely wrong.

    A word next to a gap, left open, takes in what the gap lacks, and gains by its own weakness as well: a gap need
    not gain as much as the best word to be the better explanation.
    """
    row = pieces["row"]
    is_gap = pieces["is_gap"]
    word_nats = pieces["nats"].where(~is_gap, 0.0).groupby(row).transform("max")
    gap_nats = pieces["nats"].where(is_gap, 0.0).groupby(row).transform("max")
    gap_explains = (gap_nats > 0) & (gap_nats >= _GAP_SHARE * word_nats)
    candidate = is_gap == gap_explains
    worth = pieces["nats"].where(is_gap, excess).where(candidate, -1.0)
    chosen = np.zeros(len(pieces), dtype=bool)
    if len(pieces):
        chosen[worth.groupby(row).idxmax()] = True
    return chosen


def _of_whole_labels(corpus: Corpus) -> np.ndarray:
    """How unusual each row's label score is, by the root of its number of words, over which errors add up."""
    words = np.array([max(1, len(text.split())) for text in corpus.texts])[corpus.text_of_row]
    nats = np.maximum(0.0, -corpus.number("label_score")) / np.sqrt(words)
    known = nats[np.isfinite(nats)]
    return np.asarray(nats / (_LEAST_SPREAD + _quantile(known, _USUAL_SHARE)), dtype=float)


def _quantile(values: pd.Series | np.ndarray, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 0.0
