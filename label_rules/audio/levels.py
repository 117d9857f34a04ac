"""Recordings too quiet, clipped or noisy, by the thresholds that the tags of slices have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from label_rules.audio.thresholds import CLIPPED, NOISY, TOO_QUIET
from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Check, Example, Finding, Outcome, Rule

# s; noise is told from pauses. Of clean clips cut to 0.5 s out of their midst 16 % look noisy, to 1 s 7 %, to 2 s 2 %.
_SHORTEST_NOISY = 1.0


def _beyond(
    measure: str,
    far: Callable[[np.ndarray], np.ndarray],
    evidence: Callable[[float], str],
    shortest: float = 0.0,
) -> Check:
    """The check that flags a measure which lies beyond its threshold: `far` says how far, in (0, 1] where it does.

    It has no opinion on recordings shorter than `shortest` (s).
    """

    def check(corpus: Corpus) -> Iterator[Outcome]:
        values = np.where(corpus.number("duration") < shortest, np.nan, corpus.number(measure))
        yield Abstention(np.flatnonzero(np.isnan(values)).tolist())
        with np.errstate(invalid="ignore"):
            beyond = far(values)
        for row in map(int, np.flatnonzero(beyond > 0)):
            # Half sure at the threshold, which is a choice, and surer the further beyond it.
            yield Finding([row], 0, 0, 0.5 + 0.5 * min(1.0, float(beyond[row])), evidence(float(values[row])))

    return check


def _under(threshold: float, by: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: np.where(values < threshold, np.maximum((threshold - values) / by, 1e-9), 0)


def _rate_of(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else f"{share:.3%}"


LEVEL_RULES = (
    Rule(
        "audio.too_quiet",
        "Speech as quiet as the noise of its own recording is lost to the model.",
        "style",
        _beyond("loudness", _under(TOO_QUIET, 20.0), lambda lufs: f"{lufs:.1f} LUFS; under {TOO_QUIET:g} is too quiet"),
        fires=(Example(("yes", "no"), (0,), columns={"loudness": (-45.0, -23.0)}),),
        passes=(Example(("yes", "no"), columns={"loudness": (-40.0, None)}), Example(("yes",))),
        about="audio",
    ),
    Rule(
        "audio.clipped",
        "Clipped samples are not what was said, and no later gain brings them back.",
        "style",
        _beyond(
            "clipped_share",
            lambda shares: np.where(shares >= CLIPPED, np.log10(np.maximum(shares, 1e-12) / CLIPPED) / 3 + 1e-9, 0),
            lambda share: f"{_rate_of(share)} of the samples are clipped",
        ),
        fires=(Example(("yes", "no"), (1,), columns={"clipped_share": (0.0, 0.02)}),),
        passes=(Example(("yes", "no"), columns={"clipped_share": (0.00005, None)}), Example(("yes",))),
        about="audio",
    ),
    Rule(
        "audio.noisy",
        "Words drowned in noise cannot be labelled with care, nor learnt.",
        "style",
        _beyond(
            "snr",
            _under(NOISY, 10.0),
            lambda snr: f"signal {snr:.1f} dB over the noise; under {NOISY:g} is noisy",
            _SHORTEST_NOISY,
        ),
        fires=(Example(("yes", "no"), (0,), columns={"snr": (3.0, 30.0)}),),
        passes=(
            Example(("yes", "no"), columns={"snr": (10.0, None)}),
            Example(("yes",), columns={"snr": (3.0,), "duration": (0.4,)}),
            Example(("yes",)),
        ),
        about="audio",
    ),
)
