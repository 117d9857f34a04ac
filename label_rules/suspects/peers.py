"""How likely a transcript is wrong, by the other transcripts of its audio and by who wrote it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from label_rules.consensus.estimate import Estimate, estimate
from label_rules.corpus import Corpus

WRONG = 0.1
"""A transcript is wrong from so many errors a word on: the threshold of CrowdSpeech's published comparisons."""
CONVENTIONS_WEIGH = 0.2
"""The share of the score that counts another convention as an error, 0 to 1."""

# Two errors of one transcript are not independent of each other.
_MORE_VARIANCE = 0.25
# Of fewer judged words an annotator's reliability says nothing of other clips.
_LEAST_WORDS = 100
# What would be shown as 0.0.
_FEW_ERRORS = 0.05


def peer_evidence(corpus: Corpus, models_vote: bool = True) -> pd.DataFrame:
    """For each row of the corpus what its peers say of it: score, basis, evidence, chance_wrong and expected_wer.

    `expected_wer` is the share of its words that are expected to be wrong, in [0, 1], given all votes and how far each
    annotator is to be believed; `chance_wrong` the chance that more than one in ten are (a normal approximation to the
    sum of the words' chances). Both are of what is said, whatever convention it is written by. `score`, in [0, 1], is
    the mean of the two, so that among transcripts that are surely wrong the worst come first; a fifth of it is made
    from the texts as they are written, so that of two transcripts that say the same the odd one comes first.
    `basis` is `peers` where other people have transcribed the audio, `annotator` where nobody has but the annotator's
    other clips were judged, and else `none`: then the numbers are NaN.

    Args:
        models_vote: where there are other people's transcripts, the recognisers' hypotheses are peers too.
    """
    frame = _judged(estimate(corpus, models_vote, as_said=True))
    written = _judged(estimate(corpus, models_vote))["score"]
    frame["score"] = (1 - CONVENTIONS_WEIGH) * frame["score"] + CONVENTIONS_WEIGH * written
    return frame


def _judged(known: Estimate) -> pd.DataFrame:
    several = np.diff(known.clip_texts)
    is_person = known.rows >= 0
    people = np.repeat(_sums(is_person, known.clip_texts), several)
    peers = np.repeat(several, several) - 1
    too_long = np.repeat([known.is_too_long(clip) for clip in range(known.clips)], several).astype(bool)
    words = np.maximum(known.words, 1)
    by_peers = (people > 1) & ~too_long
    by_annotator = ~by_peers & _is_judged(known, by_peers)[known.annotators]
    usual = np.clip(known.reliability[known.annotators] * known.mean_error, 0.0, 1.0)
    wrong = np.where(by_peers, known.wrong, usual * words)
    variance = np.where(by_peers, known.variance, usual * (1 - usual) * words)
    chance = _upper_tail((np.floor(WRONG * words) + 0.5 - wrong) / np.sqrt(variance + _MORE_VARIANCE))
    expected = np.clip(wrong / words, 0.0, 1.0)
    frame = pd.DataFrame({"score": (expected + chance) / 2, "chance_wrong": chance, "expected_wer": expected})
    frame[~by_peers & ~by_annotator] = np.nan
    frame["basis"] = np.select([by_peers, by_annotator], ["peers", "annotator"], "none")
    frame["evidence"] = [
        _said(basis, *figures)
        for basis, *figures in zip(frame["basis"], wrong.tolist(), known.words.tolist(), peers.tolist(), strict=True)
    ]
    return frame[is_person].set_index(known.rows[is_person]).sort_index()


def _sums(values: np.ndarray, begins: np.ndarray) -> np.ndarray:
    counted = np.concatenate([[0], np.cumsum(values)])
    return counted[begins[1:]] - counted[begins[:-1]]


def _is_judged(known: Estimate, by_peers: np.ndarray) -> np.ndarray:
    """For each annotator whether enough of their words stand beside other people's."""
    words = np.bincount(known.annotators, known.words * by_peers, len(known.names))
    return words >= _LEAST_WORDS


def _upper_tail(deviations: np.ndarray) -> np.ndarray:
    """The chance that a normal variable is so many standard deviations above its mean, or more."""
    return np.array([math.erfc(z / math.sqrt(2)) / 2 for z in deviations.tolist()])


def _said(basis: str, wrong: float, words: int, peers: int) -> str | None:
    if basis == "none":
        return None
    if basis == "annotator":
        return f"nothing to compare with; of {words} words of this annotator {wrong:.1f} are usually wrong"
    if words == 0:
        return (
            "no words, where other texts of the audio have some"
            if wrong
            else "no words, as the other texts of the audio"
        )
    others = "another text" if peers == 1 else f"{peers} other texts"
    in_words = "in its one word" if words == 1 else f"in its {words} words"
    if wrong < _FEW_ERRORS:
        return f"hardly an error {in_words}, judging by {others} of the audio"
    return f"about {wrong:.1f} word errors {in_words}, judging by {others} of the audio"
