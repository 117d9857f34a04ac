"""Loudness and true peak of audio as in ITU-R BS.1770-4 and EBU Tech 3341."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.audio.k_weighting import step_energies

LoudnessMethod = Literal["integrated", "ungated", "silence"]

ABSOLUTE_GATE = -70.0
"""LUFS; quieter blocks, and clips with none louder, are silence."""
RELATIVE_GATE = -10.0
"""LU below the mean of the blocks over the absolute gate."""
_OFFSET = -0.691  # dB; a full-scale 997 Hz sine in one front channel reads -3.01 LUFS
_STEPS_IN_BLOCK = 4  # blocks of 400 ms overlap by 75 %: one begins every 100 ms
_SURROUND = 1.41
# Channel weights by channel count: L R C Ls Rs, and the same with LFE (not measured) in fourth place.
_WEIGHTS = {5: (1.0, 1.0, 1.0, _SURROUND, _SURROUND), 6: (1.0, 1.0, 1.0, 0.0, _SURROUND, _SURROUND)}

OVERSAMPLING = 4
_HALF = 16  # input samples on each side of an interpolated one
_KAISER = 6.0  # flat within 0.01 dB up to 0.43 of the sampling rate
_ROW = 32  # input samples in one row of a matrix product
_STACK = 32  # rows in one product: few enough that BLAS starts no threads, as in k_weighting


@dataclass(frozen=True)
class Loudness:
    """A loudness (LUFS) and how it was found; the value is None exactly where the method is 'silence'."""

    value: float | None
    method: LoudnessMethod


@dataclass(frozen=True)
class BlockPowers:
    """What the gates of BS.1770-4 decide on: the K-weighted power of each 400 ms block and of the whole clip."""

    powers: NDArray[np.float64]
    whole: float

    def loudness(self, gain: float = 0.0) -> Loudness:
        """The loudness of the clip once it has been amplified by a gain (dB).

        Amplifying is not always adding the gain to the loudness: quiet blocks can rise over the absolute gate.
        """
        scale = 10 ** (gain / 10)
        if len(self.powers) == 0:
            value = to_loudness(self.whole * scale)
            return Loudness(value, "ungated") if value >= ABSOLUTE_GATE else Loudness(None, "silence")
        powers = self.powers * scale
        audible = powers[powers >= _to_power(ABSOLUTE_GATE)]
        if len(audible) == 0:
            return Loudness(None, "silence")
        relative = float(audible.mean()) * 10 ** (RELATIVE_GATE / 10)
        return Loudness(to_loudness(float(audible[audible >= relative].mean())), "integrated")

    def gain_to(self, target: float) -> float:
        """The gain (dB) after which the clip's loudness is the target (LUFS); 0 for silence."""
        best, best_error, gain = 0.0, np.inf, 0.0
        for _ in range(12):
            value = self.loudness(gain).value
            if value is None:
                break
            if abs(target - value) < best_error:
                best, best_error = gain, abs(target - value)
            if best_error < 1e-6:
                break
            gain += target - value
        return best


def block_powers(samples: NDArray[np.float32], rate: int) -> BlockPowers:
    """The K-weighted powers, summed over channels with the standard's weights.

    Args:
        samples: float32, shape (channels, samples), full scale 1. Five channels are L R C Ls Rs, six L R C LFE Ls Rs
            (LFE is not measured); in any other number all weigh the same.
        rate: sampling rate (Hz).
    """
    channels, n = samples.shape
    steps, totals = step_energies(samples, rate)
    weights = np.array(_WEIGHTS.get(channels, (1.0,) * channels))
    summed = weights @ steps
    blocks = max(0, steps.shape[1] - _STEPS_IN_BLOCK + 1)
    powers = sum((summed[i : i + blocks] for i in range(_STEPS_IN_BLOCK)), np.zeros(blocks))
    powers = powers / (_STEPS_IN_BLOCK * rate / 10)
    return BlockPowers(powers, float(weights @ totals) / n if n else 0.0)


def integrated_loudness(samples: NDArray[np.float32], rate: int) -> Loudness:
    """The integrated loudness (LUFS) of BS.1770-4: K-weighted 400 ms blocks, gated at -70 LUFS and at -10 LU.

    A clip under 400 ms has no such loudness: it gets the ungated loudness of the whole of it (method 'ungated').
    A clip with nothing over -70 LUFS has no loudness at all (method 'silence').

    Args:
        samples: float32, shape (channels, samples), full scale 1; for the channels' weights see `block_powers`.
        rate: sampling rate (Hz).
    """
    return block_powers(samples, rate).loudness()


def to_loudness(power: float) -> float:
    """A K-weighted power as LUFS; -inf for 0.

    >>> round(to_loudness(1.0), 3)
    -0.691
    """
    return _OFFSET + 10 * float(np.log10(power)) if power > 0 else -np.inf


def _to_power(loudness: float) -> float:
    return float(10 ** ((loudness - _OFFSET) / 10))


def true_peak(samples: NDArray[np.float32], rate: int) -> float | None:
    """The largest true peak of all channels (dBTP), None for digital silence.

    BS.1770-4, Annex 2: four times oversampled. Its example interpolator reads up to 0.6 dB too much at high
    frequencies, so this is a Kaiser-windowed sinc with 32 taps a phase, flat within 0.01 dB up to 0.43 of the rate.
    (The rate does not matter to it: four-fold is also kept at 96 kHz, where the standard would be content with two.)

    Args:
        samples: float32, shape (channels, samples), full scale 1.
        rate: sampling rate (Hz).
    """
    peak = max((linear_true_peak(channel) for channel in samples), default=0.0)
    return 20 * float(np.log10(peak)) if peak > 0 else None


def linear_true_peak(channel: NDArray[np.float32]) -> float:
    """The true peak of one channel, shape (samples,), full scale 1.

    Only stretches that can hold the peak are interpolated: no interpolated value exceeds the largest sample near it
    times the sum of the interpolator's magnitudes.
    """
    n = len(channel)
    if n == 0:
        return 0.0
    matrix, bound = _interpolator()
    rows = -(-n // _ROW)
    padded = np.zeros((rows + 2) * _ROW, dtype=np.float32)
    padded[_ROW : _ROW + n] = channel
    highest = np.abs(padded).reshape(rows + 2, _ROW).max(axis=1)
    best = float(highest.max())
    near = np.maximum(np.maximum(highest[:-2], highest[1:-1]), highest[2:])
    # First where the peak most likely is, which leaves less to look at afterwards.
    likely = highest[1:-1] >= 0.9 * best
    best = _interpolated_peak(padded, np.flatnonzero(likely), matrix, best)
    return _interpolated_peak(padded, np.flatnonzero(~likely & (near * bound > best)), matrix, best)


def _interpolated_peak(
    padded: NDArray[np.float32], rows: NDArray[np.intp], matrix: NDArray[np.float32], best: float
) -> float:
    # Row k begins at sample (k + 1)·_ROW of the padded signal, and needs _HALF - 1 samples before and _HALF after.
    window = np.arange(len(matrix)) + (_ROW - _HALF + 1)
    for begin in range(0, len(rows), 128 * _STACK):
        chosen = rows[begin : begin + 128 * _STACK]
        chosen = np.append(chosen, np.repeat(chosen[-1:], -len(chosen) % _STACK))
        values = padded[chosen[:, None] * _ROW + window].reshape(-1, _STACK, len(matrix)) @ matrix
        best = max(best, float(values.max()), -float(values.min()))
    return best


@lru_cache(maxsize=1)
def _interpolator() -> tuple[NDArray[np.float32], float]:
    """A matrix (_ROW + 2·_HALF - 1, 3·_ROW) from samples to the values between them, and its largest amplification."""
    taps = np.arange(-_HALF + 1, _HALF + 1)
    matrix = np.zeros((_ROW + 2 * _HALF - 1, (OVERSAMPLING - 1) * _ROW), dtype=np.float32)
    for phase in range(1, OVERSAMPLING):
        distance = phase / OVERSAMPLING - taps
        window = np.i0(_KAISER * np.sqrt(1 - (distance / _HALF) ** 2)) / np.i0(_KAISER)
        for i in range(_ROW):
            matrix[i : i + len(taps), (phase - 1) * _ROW + i] = np.sinc(distance) * window
    return matrix, float(np.abs(matrix).sum(axis=0).max())
