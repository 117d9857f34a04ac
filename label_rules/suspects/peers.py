"""How likely a transcript is wrong, by the other transcripts of its audio and by who wrote it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from label_rules.consensus.estimate import estimate
from label_rules.corpus import Corpus

WRONG = 0.1
"""A transcript is wrong from so many errors a word on: the threshold of CrowdSpeech's published comparisons."""

# Two errors of one transcript are not independent of each other.
_MORE_VARIANCE = 0.25


def peer_evidence(corpus: Corpus, models_vote: bool = True) -> pd.DataFrame:
    """For each row of the corpus what its peers say of it: score, chance_wrong, expected_wer and peers.

    `expected_wer` is the share of its words that are expected to be wrong, in [0, 1], given all votes and how far each
    annotator is to be believed; `chance_wrong` the chance that more than one in ten are (a normal approximation to the
    sum of the words' chances); `score`, in [0, 1], the mean of the two, so that among transcripts that are surely wrong
    the worst come first. `peers` counts the other texts of the clip; where there are none all but it is NaN.

    Args:
        models_vote: the recognisers' hypotheses are peers too.
    """
    known = estimate(corpus, models_vote)
    several = np.diff(known.clip_texts)
    too_long = np.array([known.is_too_long(clip) for clip in range(known.clips)], dtype=bool)
    peers = np.repeat(several - 1, several)
    words = np.maximum(known.words, 1)
    expected = np.clip(known.wrong / words, 0.0, 1.0)
    deviations = (np.floor(WRONG * words) + 0.5 - known.wrong) / np.sqrt(known.variance + _MORE_VARIANCE)
    chance = np.array([math.erfc(z / math.sqrt(2)) / 2 for z in deviations.tolist()])
    frame = pd.DataFrame({"score": (expected + chance) / 2, "chance_wrong": chance, "expected_wer": expected})
    frame[(peers == 0) | np.repeat(too_long, several)] = np.nan
    frame["peers"] = peers
    people = known.rows >= 0
    return frame[people].set_index(known.rows[people]).sort_index()
