"""What a rule needs beside the transcripts, and whether a corpus has it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from label_rules.corpus import Corpus

_MEASURES = ("speech_seconds", "speech_start", "speech_end", "silence_share", "clipped_share", "loudness", "snr")


def _has_label_scores(corpus: Corpus) -> bool:
    scored = bool(np.isfinite(corpus.number("label_score")).any())
    return scored or any(words is not None for words in corpus.word_scores)


NEEDS: dict[str, Callable[[Corpus], bool]] = {
    "transcripts": lambda corpus: True,
    "hypotheses": lambda corpus: any(text is not None for model in corpus.models for text in model.hypotheses),
    "audio_quality": lambda corpus: any(np.isfinite(corpus.number(name)).any() for name in _MEASURES),
    "label_scores": _has_label_scores,
    "remarks": lambda corpus: any(corpus.remarks) or any(corpus.called_bad_by),
}
"""By the names of the tables: whether anything of it is known for any transcript."""


def missing_needs(needs: tuple[str, ...], corpus: Corpus) -> list[str]:
    """Those of the needs of which the corpus has nothing at all.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"utterance_id": ["u"], "annotator": ["ann_a"], "text": ["yes"]})
    >>> missing_needs(("transcripts", "hypotheses"), Corpus(frame))
    ['hypotheses']
    """
    return [need for need in needs if not NEEDS[need](corpus)]
