"""One score for every transcript of how likely it is wrong, from whatever there is to judge it by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from label_rules.corpus import Corpus
from label_rules.suspects.peers import peer_evidence

COLUMNS = ["utterance_id", "annotator", "score", "basis", "evidence"]


def suspects(corpus: Corpus, models_vote: bool = True) -> pd.DataFrame:
    """The transcripts, the most suspect first: utterance_id, annotator, score, basis and evidence.

    `score`, in [0, 1], is of harmful errors: words left out or put in, other words, another clip's text, a missing
    start or end; it is NaN where there is nothing to judge by. `basis` says what the score was made of: `peers` (other
    people's transcripts of the audio, and hypotheses that vote with them), `model` (hypotheses alone), `annotator`
    (nothing but how reliable the annotator is elsewhere), `none`.

    Args:
        models_vote: among peers, the recognisers' hypotheses are peers too.
    """
    peers = peer_evidence(corpus, models_vote)
    frame = pd.DataFrame(
        {
            "utterance_id": pd.Series(corpus.utterance_ids, dtype="str"),
            "annotator": pd.Series(corpus.annotators, dtype="str"),
            "score": peers["score"].to_numpy(),
            "basis": np.where(peers["score"].notna(), peers["basis"], "none"),
            "evidence": peers["evidence"].to_numpy(),
        },
        columns=COLUMNS,
    )
    order = np.argsort(-frame["score"].fillna(-1.0).to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)
