"""Recordings that begin or end within speech."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from label_rules.audio.thresholds import EDGE_LEVEL, EDGE_SECONDS
from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule

_RANGE = 20.0  # dB over the threshold at which it is as sure as it gets
_OVER_NOISE = 10.0  # dB; a room's noise comes and goes by several
_SURE, _SUREST = 0.5, 0.9


def _truncated(corpus: Corpus) -> Iterator[Outcome]:
    duration, speech_end = corpus.number("duration"), corpus.number("speech_end")
    near_edge = corpus.number("speech_start") < EDGE_SECONDS / 2, duration - speech_end < EDGE_SECONDS
    levels = corpus.number("start_level"), corpus.number("end_level")
    # Where the recording goes on, what lies outside the span says more; that is for `timing.speech_outside`.
    inside = np.isnan(corpus.number("speech_before")), np.isnan(corpus.number("speech_after"))
    yield Abstention(np.flatnonzero(np.isnan(levels[0]) & np.isnan(levels[1])).tolist())
    # In noise the edge must stand over the noise too; the speech's level lies about the SNR over it.
    snr = corpus.number("snr")
    least = np.maximum(EDGE_LEVEL, np.where(np.isnan(snr), -np.inf, _OVER_NOISE - snr))
    cut = [near & within & (level > least) for near, within, level in zip(near_edge, inside, levels, strict=True)]
    judged = int((np.isfinite(levels[0]) | np.isfinite(levels[1])).sum())
    either = cut[0] | cut[1]
    # Where many recordings have it, it is how the corpus was trimmed, and says little of each.
    usual = float(either.sum()) / judged if judged > _FEW else 0.0
    for row in map(int, np.flatnonzero(either)):
        where = [name for name, edge in zip(("begins", "ends"), cut, strict=True) if edge[row]]
        loudest = max(float(level[row]) for level, edge in zip(levels, cut, strict=True) if edge[row])
        sure = _SURE + (_SUREST - _SURE) * min(1.0, (loudest - EDGE_LEVEL) / _RANGE)
        line = f"the recording {' and '.join(where)} within speech, at {loudest:+.0f} dB of its level"
        yield Finding([row], 0, 0, sure * (1 - usual), line)


_FEW = 20

TRUNCATED_RULES = (
    Rule(
        "audio.truncated",
        "A recording that begins or ends within speech lacks sounds that its label has words for.",
        "harmful",
        _truncated,
        fires=(
            Example(
                ("yes", "no", "no"),
                (0, 1),
                columns={
                    "duration": (2.0,) * 3,
                    "speech_start": (0.0, 0.2, 0.2),
                    "speech_end": (1.5, 1.984, 1.8),
                    "start_level": (-2.0, -40.0, -40.0),
                    "end_level": (-40.0, 1.0, -40.0),
                },
            ),
        ),
        passes=(
            Example(
                ("breath at the start", "loud noise before speech", "a span that goes on outside"),
                columns={
                    "duration": (2.0,) * 3,
                    "speech_start": (0.0, 0.3, 0.0),
                    "speech_end": (1.5,) * 3,
                    "start_level": (-15.0, -5.0, 0.0),
                    "end_level": (-40.0,) * 3,
                    "speech_before": (None, None, 0.0),
                },
            ),
            Example(
                ("as loud as the noise",),
                columns={
                    "duration": (2.0,),
                    "speech_start": (0.0,),
                    "speech_end": (1.5,),
                    "start_level": (-4.0,),
                    "end_level": (-4.0,),
                    "snr": (5.0,),
                },
            ),
            Example(("yes",)),
        ),
        about="audio",
    ),
)
