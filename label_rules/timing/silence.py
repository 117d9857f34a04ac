"""Labels with words where the audio has hardly any speech."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule
from label_rules.timing.rules import DIGIT_LETTERS, FASTEST, letters_spoken
from label_rules.tokens import tokens

# A detector of speech misses quiet speech: only what is twice as fast as anybody talks in what it found is silence.
# In 250 utterances read by learners the fastest is 15 letters a second.
_TOO_FAST = 2 * FASTEST
# s; in a shorter clip there are no pauses, and without pauses noise and speech are not told apart by their levels.
_SHORTEST_CLIP = 0.5


def _silence(corpus: Corpus) -> Iterator[Outcome]:
    speech, duration = corpus.number("speech_seconds"), corpus.number("duration")
    judged = (speech >= 0) & ~(duration < _SHORTEST_CLIP)
    yield Abstention(np.flatnonzero(~judged).tolist())
    # No character stands for more letters than a digit, so most texts need no look.
    most = np.array([len(text) * DIGIT_LETTERS for text in corpus.texts], dtype=float)
    suspected = np.flatnonzero(judged & (most[corpus.text_of_row] > speech * _TOO_FAST))
    letters = {int(row): _letters(corpus.text(int(row))) for row in suspected}
    for row in (row for row in letters if letters[row] > speech[row] * _TOO_FAST):
        found = f"{speech[row]:.1f} s of speech" if speech[row] >= 0.05 else "no speech"
        score = 0.9 - 0.3 * float(speech[row] * _TOO_FAST / letters[row])
        line = f"{letters[row]:.0f} letters in the transcript, {found} in the audio"
        yield Finding([row], 0, len(corpus.text(row)), score, line)


def _letters(text: str) -> float:
    """The letters spoken where there are words: fillers may be too short to find, and markup says the opposite."""
    return letters_spoken(text) if any(token.is_spoken for token in tokens(text)) else 0.0


SILENCE_RULES = (
    Rule(
        "timing.silence",
        "Words for audio without speech teach the model to hear what is not there.",
        "harmful",
        _silence,
        fires=(
            Example(("turn it on", "turn it on"), (0,), columns={"speech_seconds": (0.0, 0.9)}),
            Example(
                ("turn the kitchen light on please",), (0,), columns={"speech_seconds": (0.2,), "duration": (4.0,)}
            ),
        ),
        passes=(
            Example(("", "[noise]", "um", "yes"), columns={"speech_seconds": (0.0, 0.0, 0.0, 0.06)}),
            Example(("yes",), columns={"speech_seconds": (0.0,), "duration": (0.4,)}),
            Example(("", "yes"), columns={"speech_seconds": (-1.0, -1.0)}),
            Example(("yes",)),
        ),
    ),
)
