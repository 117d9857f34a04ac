"""Whether two clips are the same recording: their waveforms are laid over each other and correlated.

Codecs, filters for other sampling rates and gains keep a waveform between 200 and 2,800 Hz nearly as it was; another
take of the same word has the same spectrum, but never the same waveform. So this decides, where a fingerprint of
spectra can only propose. What is correlated is the speech band, tilted against the slope of speech, so that it is not
a voice's pitch alone that is compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from workbench.audio.speech_band import RATE

_NEAR = 0.02  # s around the offset that the fingerprints give
_FINER = 4  # positions a sample: at 2.8 kHz an eighth of a sample costs 4 % of the correlation
_PIECE = 0.25  # s
_QUIET = 0.05  # of the mean energy of a piece: quieter pieces do not decide
_QUIETEST, _MOST_NOISE = 0.001, 0.2  # of the mean power of what is shared: sound outside of it is over the one
_NOISE_PERCENT, _OVER_NOISE = 10, 4  # the percentile of its frames' powers that is a clip's noise, and over it by 6 dB
_FRAME = RATE // 50  # samples
_NOTHING = 1e-12


@dataclass(frozen=True)
class Match:
    """How two clips lie over each other.

    Attributes:
        similarity: correlation of the waveforms over what they share, 0 to 1; a turned polarity counts as equal.
        weakest: the same of the piece of 0.25 s that is least alike, quiet ones left out; a word that was spliced in
            shows here.
        offset: where the first begins in the second (s).
        shared: seconds of sound in what they share; pauses do not count.
        first_outside, second_outside: seconds of each that lie outside of it and are as loud.
    """

    similarity: float
    weakest: float
    offset: float
    shared: float = 0.0
    first_outside: float = 0.0
    second_outside: float = 0.0


def compare(first: NDArray[np.float32], second: NDArray[np.float32], offset: float) -> Match:
    """How two waveforms agree where the fingerprints say that they lie over each other.

    Args:
        first, second: as `speech_band` gives them.
        offset: where the first begins in the second (s); within 20 ms of it the best place is sought.
    """
    near, shift = round(_NEAR * RATE), round(offset * RATE)
    begin, end = max(0, -shift), min(len(first), len(second) - shift)
    if end - begin < near:
        return Match(0.0, 0.0, offset)
    pieces = max(1, round((end - begin) / (_PIECE * RATE)))
    length = -(-(end - begin) // pieces)
    # Each piece of the first is laid over the same one of the second, which reaches `near` further on both sides.
    one = _cut(first, begin, end, pieces * length).reshape(pieces, length)
    from_second = begin + shift - near
    other = _cut(second, from_second, len(second), pieces * length + 2 * near)
    wide = np.lib.stride_tricks.sliding_window_view(other, length + 2 * near)[::length]
    size = next_fast_len(length + 2 * near, real=True)
    spectra = rfft(wide, size, axis=1) * np.conj(rfft(one, size, axis=1))
    products = irfft(spectra, size, axis=1)[:, : 2 * near + 1].astype(np.float64)
    summed = np.concatenate([[0.0], np.cumsum(np.square(other, dtype=np.float64))])
    at = np.arange(pieces)[:, None] * length + np.arange(2 * near + 1)
    energies = summed[at + length] - summed[at]
    energy_of_one = np.square(one, dtype=np.float64).sum(axis=1)
    # Energies change slowly enough with the lag to be taken between its samples as they are at them.
    whole = np.repeat(np.sqrt(energy_of_one.sum() * energies.sum(axis=0)), _FINER)[: 2 * near * _FINER + 1]
    correlation = _finer(products.sum(axis=0)) / np.maximum(whole, _NOTHING)
    best = int(np.abs(correlation).argmax())
    sign = math.copysign(1.0, correlation[best])
    by_piece = np.sqrt(energy_of_one * energies[:, best // _FINER])
    loud = by_piece > max(_QUIET * by_piece.mean(), _NOTHING)
    agreeing = [sign * _finer(row)[best] for row in products[loud]] / by_piece[loud]
    lag = best / _FINER - near
    shared = first[begin:end], second[begin + shift : end + shift]
    over = [_sound_power(*signals) for signals in zip((first, second), shared, strict=True)]
    return Match(
        similarity=float(np.clip(sign * correlation[best], 0, 1)),
        weakest=float(np.clip(agreeing.min(initial=1.0), 0, 1)) if loud.any() else 0.0,
        offset=(shift + lag) / RATE,
        shared=min(_sound(shared[0], over[0]), _sound(shared[1], over[1])),
        first_outside=_sound(first[:begin], over[0]) + _sound(first[end:], over[0]),
        second_outside=_sound(second[: begin + shift], over[1]) + _sound(second[end + shift :], over[1]),
    )


def _sound_power(signal: NDArray[np.float32], shared: NDArray[np.float32]) -> float:
    """The power over which a frame is sound and no pause: over the clip's noise, and not far under what is shared."""
    mean = float(np.square(shared).mean(dtype=np.float64))
    powers = _frame_powers(signal)
    noise = float(np.percentile(powers, _NOISE_PERCENT)) if len(powers) else 0.0
    return max(min(_OVER_NOISE * noise, _MOST_NOISE * mean), _QUIETEST * mean, _NOTHING)


def _sound(signal: NDArray[np.float32], power: float) -> float:
    """Seconds of a signal in frames of more than a power."""
    return float((_frame_powers(signal) > power).sum()) * _FRAME / RATE


def _frame_powers(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    powers: NDArray[np.float32] = np.square(signal[: len(signal) // _FRAME * _FRAME].reshape(-1, _FRAME)).mean(axis=1)
    return powers


def _cut(signal: NDArray[np.float32], begin: int, end: int, length: int) -> NDArray[np.float32]:
    """The samples from begin to end, in an array of `length`; silence where there are none."""
    result = np.zeros(length, np.float32)
    first, last = max(begin, 0), min(end, len(signal), begin + length)
    if last > first:
        result[first - begin : last - begin] = signal[first:last]
    return result


def _finer(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Band-limited values at `_FINER` places a sample, up to the last."""
    # Mirrored, so that the ends meet and nothing rings.
    mirrored = np.concatenate([values, values[-2:0:-1]])
    finer: NDArray[np.float64] = irfft(rfft(mirrored), len(mirrored) * _FINER) * _FINER
    return finer[: (len(values) - 1) * _FINER + 1]
