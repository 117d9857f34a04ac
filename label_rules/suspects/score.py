"""One score for every transcript of how likely it is wrong, from whatever there is to judge it by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from label_rules.corpus import Corpus
from label_rules.model.word_evidence import evidence as audio_evidence
from label_rules.suspects.model import model_evidence
from label_rules.suspects.peers import peer_evidence

COLUMNS = ["utterance_id", "annotator", "score", "basis", "evidence"]

# What is so many times as unusual as what nine in ten labels of the corpus do not exceed is as likely wrong as right.
_EVEN_UNUSUAL = 2.0
_TELLING = 0.1


def suspects(corpus: Corpus, models_vote: bool = True) -> pd.DataFrame:
    """The transcripts, the most suspect first: utterance_id, annotator, score, basis and evidence.

    `score`, in [0, 1], is of harmful errors: words left out or put in, other words, another clip's text, a missing
    start or end; it is NaN where there is nothing to judge by. `basis` says what the score was made of: `peers` (other
    people's transcripts of the audio, and hypotheses that vote with them), `model` (hypotheses, where nobody else has
    transcribed the audio), `annotator` (nothing but how reliable the annotator is elsewhere), with `audio` beside it
    where the label was aligned with the audio: then it may be wrong for either reason, 1 - (1 - one) * (1 - other).

    Args:
        models_vote: among peers, the recognisers' hypotheses are peers too.
    """
    peers = peer_evidence(corpus, models_vote)
    heard = model_evidence(corpus)
    by_model = (peers["basis"] != "peers").to_numpy() & np.isfinite(heard.score)
    base = np.where(by_model, heard.score, peers["score"])
    basis = np.where(by_model, "model", peers["basis"].to_numpy(dtype=object))
    said = np.where(by_model, np.array(heard.evidence, dtype=object), peers["evidence"].to_numpy(dtype=object))
    unusual = audio_evidence(corpus).unusual
    aligned = np.isfinite(unusual)
    by_audio = np.where(aligned, unusual**2 / (unusual**2 + _EVEN_UNUSUAL**2), 0.0)
    score = np.where(aligned, 1 - (1 - np.nan_to_num(base)) * (1 - by_audio), base)
    frame = pd.DataFrame(
        {
            "utterance_id": pd.Series(corpus.utterance_ids, dtype="str"),
            "annotator": pd.Series(corpus.annotators, dtype="str"),
            "score": score,
            "basis": [_joined(one, has) for one, has in zip(basis.tolist(), aligned.tolist(), strict=True)],
            "evidence": [_evidence(text, sure) for text, sure in zip(said.tolist(), by_audio.tolist(), strict=True)],
        },
        columns=COLUMNS,
    )
    order = np.argsort(-frame["score"].fillna(-1.0).to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def _joined(basis: str, aligned: bool) -> str:
    if not aligned:
        return basis
    return "audio" if basis == "none" else f"{basis}, audio"


def _evidence(said: str | None, by_audio: float) -> str | None:
    if by_audio < _TELLING:
        return said
    audio = "the audio does not carry all of its words"
    return f"{said}; {audio}" if said else audio
