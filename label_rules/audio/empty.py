"""Recordings with nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule

_SHORTEST = 0.1
"""Seconds; no word is shorter."""


def _empty(corpus: Corpus) -> Iterator[Outcome]:
    duration, silence, loudness = (corpus.number(name) for name in ("duration", "silence_share", "loudness"))
    yield Abstention(np.flatnonzero(np.isnan(duration) & np.isnan(silence)).tolist())
    # Loudness is not defined for digital silence only; a room's noise has one, and belongs to `timing.silence`.
    silent = (silence >= 1) & np.isnan(loudness)
    for row in map(int, np.flatnonzero(silent)):
        yield Finding([row], 0, 0, 0.95, "nothing but digital silence")
    for row in map(int, np.flatnonzero(~silent & (duration < _SHORTEST))):
        yield Finding([row], 0, 0, 0.9, f"{duration[row]:.3f} s long; no word is shorter than {_SHORTEST:g} s")


EMPTY_RULES = (
    Rule(
        "audio.empty",
        "A recording with nothing in it has nothing to teach, whatever its label says.",
        "harmful",
        _empty,
        fires=(
            Example(
                ("yes", "no", ""),
                (0, 2),
                columns={"silence_share": (1.0, 0.4, 1.0), "loudness": (None, -23.0, None), "duration": (2.0,) * 3},
            ),
            Example(("yes", "no"), (1,), columns={"duration": (0.5, 0.04)}),
        ),
        passes=(
            Example(("yes",), columns={"silence_share": (1.0,), "loudness": (-70.0,)}),
            Example(("yes",), columns={"duration": (0.3,)}),
            Example(("yes",)),
        ),
        about="audio",
    ),
)
