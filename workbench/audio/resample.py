"""Samples from one sampling rate to another."""

from __future__ import annotations

import math
import multiprocessing
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WIDTH = 32  # zero crossings of the sinc on each side; torchaudio's default of 6 lets images through at -30 dB
_LARGEST_KERNEL = 1 << 23  # values; beyond it (rates with hardly a common divisor) the kernel would not fit memory


def resample(samples: NDArray[np.float32], rate: int, to: int) -> NDArray[np.float32]:
    """The samples at another sampling rate (Hz), band-limited; the very same array where the rate is the same.

    torchaudio resamples. It is imported here only when the rates differ, because that takes seconds. Rates whose
    quotient is no ratio of small numbers (22,051 to 16,000 Hz) go through one Fourier transform of the whole instead.

    Args:
        samples: float32, shape (channels, samples).
        rate: their rate (Hz).
        to: the rate wanted (Hz).

    Returns:
        float32, shape (channels, ceil(samples · to / rate)).
    """
    if rate == to or samples.shape[1] == 0:
        return samples
    divisor = math.gcd(rate, to)
    old, new = rate // divisor, to // divisor
    if new * (old + 2 * _WIDTH * max(1, old // new)) > _LARGEST_KERNEL:
        return _resample_spectrum(samples, rate, to)
    torch, functional = _torch()
    tensor = torch.from_numpy(np.ascontiguousarray(samples))
    result: NDArray[np.float32] = functional.resample(tensor, rate, to, lowpass_filter_width=_WIDTH).numpy()
    return result


@lru_cache(maxsize=1)
def _torch() -> tuple[Any, Any]:
    import torch
    import torchaudio.functional as functional

    if multiprocessing.parent_process() is not None:
        torch.set_num_threads(1)  # the other cores have workers of their own
    return torch, functional


def _resample_spectrum(samples: NDArray[np.float32], rate: int, to: int) -> NDArray[np.float32]:
    n = samples.shape[1]
    wanted = -(-n * to // rate)
    # Whole seconds, so that both lengths are whole numbers of samples and a second of silence keeps the ends apart.
    seconds = -(-n // rate) + 1
    spectrum = np.fft.rfft(samples, n=seconds * rate, axis=1)
    bins = seconds * min(rate, to) // 2 + 1
    spectrum = spectrum[:, :bins]
    # Fade out the last 5 % below the Nyquist frequency: a cliff would ring.
    fade = bins // 20
    spectrum[:, bins - fade :] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 1) / fade)
    return (np.fft.irfft(spectrum, n=seconds * to, axis=1)[:, :wanted] * (to / rate)).astype(np.float32)
