"""Transcripts too long or too short for the speech that there is, and empty ones where there is speech."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule
from label_rules.tokens import tokens

# In letters of an alphabet: a syllable block stands for two to three of them, a digit for a word of about four.
_BLOCK_LETTERS, DIGIT_LETTERS = 2.5, 4.0
_BLOCKS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_DIGITS = re.compile(r"\d")
# The fastest talkers reach 10 to 11 syllables a second, of about three letters each; nobody dictates below one
# letter a second for longer than a pause.
FASTEST = 35.0
"""Letters a second, faster than anybody speaks."""
_SLOWEST = 1.0
_LONG_SPEECH = 5.0
# A letter or two, and the edges of a clip, must not decide about very short ones.
_LETTERS_MORE, _SECONDS_MORE = 2.0, 0.3
_LEAST_ROWS = 20
# No sound of speech is shorter; less is no measurement.
_LEAST_SECONDS = 0.02
_FAR = 6.0
# Below, a corpus of one careful speaker would call its own ordinary variation implausible.
_LEAST_SPREAD = 0.15
_NORMAL = 1.4826
_SPEECH = 0.7


def letters_spoken(text: str) -> float:
    """About how many letters of an alphabet it takes to write what is said: markup, marks and spaces do not count.

    >>> letters_spoken("hello, [noise]"), letters_spoken("오늘"), letters_spoken("3")
    (5.0, 5.0, 4.0)
    """
    letters = 0.0
    for token in tokens(text):
        if token.kind not in ("mark", "markup"):
            blocks, digits = len(_BLOCKS.findall(token.text)), len(_DIGITS.findall(token.text))
            letters += len(token.key) + blocks * (_BLOCK_LETTERS - 1) + digits * (DIGIT_LETTERS - 1)
    return letters


def _rate(corpus: Corpus) -> Iterator[Outcome]:
    duration, speech = corpus.number("duration"), corpus.number("speech_seconds")
    duration = np.where(duration >= _LEAST_SECONDS, duration, np.nan)
    speech = np.where(speech >= _LEAST_SECONDS, speech, np.nan)
    known = np.isfinite(duration) | np.isfinite(speech)
    yield Abstention(np.flatnonzero(~known).tolist())
    if not known.any():
        return  # before every text is looked at
    letters = np.array([letters_spoken(text) for text in corpus.texts])[corpus.text_of_row]
    judged = np.flatnonzero(known & (letters > 0))
    if not len(judged):
        return
    # A voice detector misses quiet speech, so the upper bound counts every second that there is.
    longest = np.where(np.isfinite(duration), duration, speech)
    shortest = np.where(np.isfinite(speech), np.minimum(speech, longest), longest)
    fast, slow = letters / longest, letters / shortest
    enough = len(judged) >= _LEAST_ROWS
    usual_fast, far_above = _far_from_usual(letters, longest, judged)
    usual_slow, far_below = _far_from_usual(letters, shortest, judged)
    for row in map(int, judged):
        is_long = shortest[row] >= _LONG_SPEECH and np.isfinite(speech[row])
        if fast[row] > FASTEST and letters[row] > 10:
            why, score = f"{fast[row]:.0f} letters a second; nobody speaks more than {FASTEST:.0f}", 0.95
        elif is_long and slow[row] < _SLOWEST:
            why, score = f"{letters[row]:.0f} letters in {shortest[row]:.1f} s of speech", 0.9
        elif enough and far_above[row] > _FAR:
            why = f"{fast[row]:.1f} letters a second where this corpus has {usual_fast:.1f}"
            score = 1 - _FAR / (2 * far_above[row])
        elif enough and is_long and far_below[row] < -_FAR:
            why = f"{slow[row]:.1f} letters a second of speech where this corpus has {usual_slow:.1f}"
            score = 1 - _FAR / (2 * -far_below[row])
        else:
            continue
        words = sum(token.is_spoken for token in tokens(corpus.text(row)))
        seconds = longest[row] if fast[row] > usual_fast else shortest[row]
        why += f" ({words} words in {seconds:.1f} s)"
        yield Finding([row], 0, len(corpus.text(row)), float(score), why)


def _far_from_usual(letters: np.ndarray, seconds: np.ndarray, judged: np.ndarray) -> tuple[float, np.ndarray]:
    """The corpus's usual letters a second, and how many spreads above it each row is, on the scale of logarithms."""
    rate = np.log((letters + _LETTERS_MORE) / (seconds + _SECONDS_MORE))
    median = float(np.median(rate[judged]))
    spread = max(float(np.median(np.abs(rate[judged] - median))) * _NORMAL, _LEAST_SPREAD)
    return float(np.exp(median)), (rate - median) / spread


def _empty(corpus: Corpus) -> Iterator[Outcome]:
    speech = corpus.number("speech_seconds")
    yield Abstention(np.flatnonzero(np.isnan(speech)).tolist())
    if not np.isfinite(speech).any():
        return
    empty = np.array([not any(t.kind != "mark" for t in tokens(text)) for text in corpus.texts], dtype=bool)
    silent = empty[corpus.text_of_row]
    for row in map(int, np.flatnonzero(silent & (speech >= _SPEECH))):
        seconds = float(speech[row])
        score = min(0.95, 0.5 + seconds / 10)
        line = f"the transcript has no words, the audio {seconds:.1f} s of speech"
        yield Finding([row], 0, len(corpus.text(row)), score, line)


_ORDINARY = tuple(f"this is the ordinary sentence number {number}" for number in "abcdefghijklmnopqrstuvwxyz")

TIMING_RULES = (
    Rule(
        "timing.rate",
        "A transcript that nobody could speak in the time, or that leaves most of it empty, belongs to other audio.",
        "harmful",
        _rate,
        fires=(
            Example(("x" * 100, "hello there", "hello"), (0, 2), columns={"speech_seconds": (1.0, 1.0, 20.0)}),
            Example(
                (*_ORDINARY, _ORDINARY[0] * 2 + " in too short a time"),
                (26,),
                columns={"duration": (6.0,) * 26 + (3.1,)},
            ),
            Example((*_ORDINARY, "a word"), (26,), columns={"speech_seconds": (3.0,) * 26 + (6.0,)}),
        ),
        passes=(
            Example(_ORDINARY, columns={"duration": tuple(2.0 + 0.1 * n for n in range(26))}),
            Example(("오늘 날씨 어때요", "yes", ""), columns={"duration": (1.2, 0.4, 3.0)}),
            Example(("x" * 100,)),
        ),
    ),
    Rule(
        "timing.empty",
        "An empty transcript of speech teaches the model to hear nothing.",
        "harmful",
        _empty,
        fires=(Example(("", " . ", "yes"), (0, 1), columns={"speech_seconds": (2.0, 2.0, 2.0)}),),
        passes=(Example(("", "[noise]", "yes"), columns={"speech_seconds": (0.2, 2.0, 2.0)}), Example(("",))),
    ),
)
