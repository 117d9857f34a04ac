"""What a clip sounds like, as bits that stay nearly the same when it is re-encoded, resampled, turned down or shifted.

The method is Haitsma and Kalker's ("A Highly Robust Audio Fingerprinting System", ISMIR 2002): every few milliseconds
one bit for each pair of neighbouring bands says whether the difference of their levels grows or falls. Three things are
made for short speech: levels are logarithmic, so that a filter changes nothing; frames are short against theirs, so
that clips of a few tenths of a second have some; and only the frames whose bits are surest are looked up, with their
least sure bits turned too (the paper's soft decoding).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from workbench.audio.speech_band import HIGHEST_HZ, LOWEST_HZ, RATE

VERSION = 1
"""Raised when the same samples give other bits: fingerprints of different versions are never compared."""
HOP = 0.008
"""Seconds between frames."""
BITS = 24
"""Bits of a frame's code, one for each pair of neighbouring bands."""
ACTIVE = np.uint32(1 << BITS)
"""Set in the code of a frame that carries sound; the other frames' bits mean nothing."""
WEAK_BITS = 4
"""Bits of a frame to look up that are turned: each adds as many look-ups again."""
SHORTEST = 0.05
"""Seconds; what is shorter has no fingerprint."""

_WINDOW = 0.128  # s
_LAG = 8  # frames over which a difference grows or falls: 64 ms
_FLOOR = 1e-5  # of the loudest band's power: under it levels are noise that a codec makes its own
_UNDER_LOUDEST = 1e-3  # of the loudest frame's power: quieter frames are inactive
_SILENCE = 1e-9  # power (full scale 1): frames under it, -90 dB, are inactive, as they hold 16-bit rounding at most
_NEAR, _FAR = 1, 2  # frames on either side that a key is the surest of, in short and in long clips
_LONG = 1.0  # s of sound
_BATCH = 4096  # frames transformed at once


@dataclass(frozen=True)
class Fingerprint:
    """The codes of all frames, and the frames to look up.

    Attributes:
        codes: uint32, shape (frames,): bits, and `ACTIVE` where they mean something. Frame k lies at k times `HOP` s.
        keys: int32, shape (keys, 1 + WEAK_BITS): the number of a frame, and its least sure bits, the weakest first.
    """

    codes: NDArray[np.uint32]
    keys: NDArray[np.int32]

    @property
    def active(self) -> NDArray[np.bool_]:
        """Which frames carry sound, shape (frames,)."""
        result: NDArray[np.bool_] = (self.codes & ACTIVE) != 0
        return result

    def to_texts(self) -> tuple[str, str]:
        """The codes and the keys as base64 of little-endian numbers, as the table `fingerprints` holds them."""
        return _text(self.codes.astype("<u4")), _text(self.keys.astype("<i4"))

    @classmethod
    def from_texts(cls, codes: str, keys: str) -> Fingerprint:
        """What `to_texts` was made from."""
        numbers = np.frombuffer(base64.b64decode(keys), "<i4")
        return cls(np.frombuffer(base64.b64decode(codes), "<u4"), numbers.reshape(-1, 1 + WEAK_BITS))


def _text(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def fingerprint(speech: NDArray[np.float32]) -> Fingerprint:
    """The fingerprint of a clip.

    A silent clip, and one under 50 ms, has no active frames and no keys. A clip sampled under 5.6 kHz lacks bands
    that copies at higher rates have, and is found among its like only.

    Args:
        speech: as `speech_band` gives it.
    """
    if len(speech) < SHORTEST * RATE:
        return Fingerprint(np.zeros(0, np.uint32), np.zeros((0, 1 + WEAK_BITS), np.int32))
    powers = _band_powers(speech)
    levels = np.log(powers + max(float(powers.max()) * _FLOOR, _SILENCE * _FLOOR))
    half = _LAG // 2
    # A change stands in the middle of its lag; at the ends there is none to see beyond the clip.
    slopes = np.pad(np.diff(levels, axis=1), ((half, half), (0, 0)), mode="edge")
    changes = slopes[_LAG:] - slopes[:-_LAG]
    codes = np.packbits(changes > 0, axis=1, bitorder="little")
    words = np.ascontiguousarray(np.pad(codes, ((0, 0), (0, 1)))).view("<u4")[:, 0].astype(np.uint32)
    total = np.pad(powers.sum(axis=1), half, mode="edge")
    loudest = np.maximum(total[_LAG:], total[:-_LAG])
    active = loudest > max(float(total.max()) * _UNDER_LOUDEST, _SILENCE)
    words[active] |= ACTIVE
    return Fingerprint(words, _keys(np.abs(changes), active))


def _keys(sureness: NDArray[np.float32], active: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The active frames that are surer than those around them, with their weakest bits."""
    # How sure a frame is, is how sure its least sure bit is that will not be turned.
    margin = np.where(active, np.partition(sureness, WEAK_BITS, axis=1)[:, WEAK_BITS], np.float32(-1))
    reach = _FAR if active.sum() * HOP > _LONG else _NEAR
    around = np.lib.stride_tricks.sliding_window_view(np.pad(margin, reach, constant_values=-1), 2 * reach + 1)
    frames = np.flatnonzero(active & (margin >= around.max(axis=1)))
    weakest = np.argsort(sureness[frames], axis=1)[:, :WEAK_BITS]
    return np.column_stack([frames, weakest]).astype(np.int32)


def _band_powers(speech: NDArray[np.float32]) -> NDArray[np.float32]:
    """The power of each frame in each band, shape (frames, BITS + 1), full scale 1; frames lie around their time."""
    window, bands = _analysis()
    hop = round(HOP * RATE)
    padded = np.pad(speech, len(window) // 2)
    framed = np.lib.stride_tricks.sliding_window_view(padded, len(window))[::hop]
    powers = np.empty((len(framed), BITS + 1), np.float32)
    for begin in range(0, len(framed), _BATCH):
        spectrum = rfft(framed[begin : begin + _BATCH] * window, axis=1)[:, : len(bands)]
        powers[begin : begin + _BATCH] = (np.square(spectrum.real) + np.square(spectrum.imag)) @ bands
    return powers


@lru_cache(maxsize=1)
def _analysis() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A window that keeps power, and how much of each bin belongs to each band, shape (bins, bands)."""
    size = round(_WINDOW * RATE)
    window = np.hanning(size)
    window *= np.sqrt(2 / (size * np.square(window).sum()))
    low, high = np.log1p(np.array([LOWEST_HZ, HIGHEST_HZ]) / 700)
    edges = 700 * np.expm1(np.linspace(low, high, BITS + 2)) * size / RATE
    bins = np.arange(int(edges[-1]) + 2)[:, None]
    bands = np.clip(bins + 0.5, edges[:-1], edges[1:]) - np.clip(bins - 0.5, edges[:-1], edges[1:])
    return window.astype(np.float32), bands.astype(np.float32)
