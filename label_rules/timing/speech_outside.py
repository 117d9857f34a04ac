"""Utterances whose span of the recording begins or ends within speech."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule

# A last sound dies away, and the breath before the first one is heard, for up to about this long.
_LEAST = 0.15
# As sure as it gets: half a second is a word or two.
_SURE_SECONDS = 0.5


def _speech_outside(corpus: Corpus) -> Iterator[Outcome]:
    before, after = corpus.number("speech_before"), corpus.number("speech_after")
    yield Abstention(np.flatnonzero(np.isnan(before) & np.isnan(after)).tolist())
    with np.errstate(invalid="ignore"):
        beyond = (before >= _LEAST) | (after >= _LEAST)
    for row in map(int, np.flatnonzero(beyond)):
        sides = ((before[row], "before its start"), (after[row], "behind its end"))
        parts = [f"{seconds:.1f} s {where}" for seconds, where in sides if seconds >= _LEAST]
        longest = max(seconds for seconds, _ in sides if seconds >= _LEAST)
        line = f"speech goes on outside the span: {', '.join(parts)}"
        yield Finding([row], 0, 0, 0.5 + 0.4 * min(1.0, float(longest) / _SURE_SECONDS), line)


OUTSIDE_RULES = (
    Rule(
        "timing.speech_outside",
        "A span that begins or ends within speech cuts words, or leaves out words that the label may have.",
        "harmful",
        _speech_outside,
        fires=(
            Example(
                ("yes", "no", "no"),
                (0, 1),
                columns={"speech_before": (0.4, 0.0, 0.0), "speech_after": (0.0, 0.9, None)},
            ),
        ),
        passes=(
            Example(("yes", "no"), columns={"speech_before": (0.1, None), "speech_after": (0.0, 0.1)}),
            Example(("yes",)),
        ),
        about="audio",
    ),
)
