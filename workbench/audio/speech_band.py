"""The part of a signal that nearly every copy of a recording has, whatever its codec and sampling rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

RATE = 8000
"""Hz; the sampling rate of what `speech_band` returns."""
LOWEST_HZ, HIGHEST_HZ = 200.0, 2800.0

_EDGE_HZ = 50.0  # over which the band is faded in and out
_BLOCK_SECONDS, _MARGIN_SECONDS = 20, 1  # filtered at once; whole, so that blocks begin at samples of both rates


def speech_band(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The mean of the channels, limited to 200 to 2,800 Hz, tilted, at 8 kHz: shape (samples,).

    Args:
        samples: float32, shape (channels, samples).
        rate: sampling rate (Hz).
    """
    mono = samples[0] if len(samples) == 1 else samples.mean(axis=0, dtype=np.float32)
    seconds = -(-len(mono) // rate)
    parts = []
    for begin in range(0, seconds, _BLOCK_SECONDS):
        first = max(0, begin - _MARGIN_SECONDS)
        last = min(seconds, begin + _BLOCK_SECONDS + _MARGIN_SECONDS)
        part = _filtered(mono[first * rate : last * rate], rate, last - first + 1)
        parts.append(part[(begin - first) * RATE : (begin - first + _BLOCK_SECONDS) * RATE])
    return np.concatenate(parts)[: -(-len(mono) * RATE // rate)]


def _filtered(mono: NDArray[np.float32], rate: int, seconds: int) -> NDArray[np.float32]:
    """The samples in the band and at the rate of comparison, followed by silence up to `seconds`."""
    # Whole seconds make the lengths at both rates whole, and every bin the same frequency.
    spectrum = rfft(mono, seconds * rate)[: int(HIGHEST_HZ + _EDGE_HZ) * seconds + 1]
    hertz = np.arange(len(spectrum)) / seconds
    fade = np.clip(np.minimum(hertz - LOWEST_HZ, HIGHEST_HZ - hertz) / _EDGE_HZ + 0.5, 0, 1)
    weight = (fade * hertz / 1000 * (RATE / rate)).astype(np.float32)
    result: NDArray[np.float32] = irfft(spectrum * weight, seconds * RATE)
    return result
