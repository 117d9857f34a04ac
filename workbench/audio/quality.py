"""Measures of how good a recording is, from its samples alone, and the tags made from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from label_rules.audio.thresholds import CLIPPED, NOISY, TOO_QUIET

if TYPE_CHECKING:
    import pandas as pd

FULL_SCALE = 0.985
"""A clip whose extreme is beyond this may be clipped by the converter; below it only a tell-tale shape says so."""
_LSB = 1 / 32768
_RAIL_WIDTH = 2 * _LSB  # samples this near the extreme are at it
_RUN = 3  # consecutive samples at the extreme
_SHARP = 16 * _LSB  # a rounded top falls away slower than this next to a run, a cut one faster
_FEWEST_CUT = 10  # samples: less is chance where the level is under full scale

_FRAME_SECONDS = 0.032
_BAND_HZ = 250.0
_LOWEST_HZ, _HIGHEST_HZ = 62.0, 8000.0  # where noise and speech are compared
_LOW, _LOWER = 10.0, 2.5  # percentiles of a band's level over time that describe its noise
_NOISE_SPREAD = 3.0  # dB; the standard deviation of a band's noise level is taken to be no more
_DIGITAL_SILENCE = 1e-11  # frame power (full scale 1) under that of 16-bit rounding
_OVER_NOISE = 3.0  # dB that speech stands over the noise
_UNDER_LOUD = 35.0  # dB that speech may lie under the clip's loud frames
_FLOOR = -65.0  # dBFS; quieter frames are no speech
_LONGEST_GAP = 0.2  # s; shorter pauses are within speech
_SHORTEST_BURST = 0.06  # s; shorter sounds are no speech

SURROUNDINGS = 0.5
"""Seconds of a longer recording that are looked at on each side of an utterance: a word or two."""
_EDGE = 0.01  # s whose level says whether a clip begins or ends within speech

_BANDWIDTH_RANGE = 55.0  # dB under the strongest frequency
_OVER_ROUNDING = 10.0  # dB over the noise of rounding to 16 bits
_SNR_BANDS = ["noisy (<10 dB)", "fair (10-20 dB)", "good (20-30 dB)", "clean (>=30 dB)"]

_BATCH = 4096  # frames transformed at once


@dataclass(frozen=True)
class Quality:
    """Measures of one clip; the fields are columns of the table `audio_quality`, which says what they hold."""

    clipped_share: float
    snr: float | None
    silence_share: float
    speech_seconds: float
    bandwidth: float | None
    dc_offset: float
    speech_start: float | None = None
    speech_end: float | None = None
    speech_before: float | None = None
    speech_after: float | None = None
    start_level: float | None = None
    end_level: float | None = None


def measure(
    samples: NDArray[np.float32],
    rate: int,
    before: NDArray[np.float32] | None = None,
    after: NDArray[np.float32] | None = None,
) -> Quality:
    """The quality measures of a clip; all but clipping are measured on the mean of its channels.

    - clipped_share: samples in runs of 3 or more at the channel's own extreme, where that is near full scale, or
      where the runs have the sharp corners of a signal that was clipped first and turned down later.
    - snr (dB): mean power over noise power, less the noise. The noise of each 250 Hz band is told from how low its
      level goes and how much it varies there, so that it is also found where the speaker hardly pauses. None where
      there is no speech, or the pauses are digital silence.
    - speech: frames of 32 ms that stand 3 dB over the noise and less than 35 dB under the loud frames, pauses under
      0.2 s included. It is energy that decides: clatter counts as speech, and a steady tone does not.
    - speech_start, speech_end (s): where the first of these frames starts and the last ends. None without speech.
    - speech_before, speech_after (s): how long speech that stands at the clip's start, or end, goes on outside it, as
      far as samples are given. None where there are none.
    - start_level, end_level (dB): of the first and last 10 ms against the mean of the frames with speech.
    - bandwidth (Hz): the highest frequency within 55 dB of the strongest in the mean spectrum, and over the noise
      of 16-bit rounding. None for digital silence.

    Args:
        samples: float32, shape (channels, samples), full scale 1, at least one sample.
        rate: sampling rate (Hz).
        before: what the recording has before the clip, of the same channels; None where it begins with the clip.
        after: what it has after the clip.
    """
    channels, n = samples.shape
    duration = n / rate
    mono = _mono(samples)
    clipped = sum(_clipped_samples(channel) for channel in samples) / (channels * n)
    offset = float(mono.mean(dtype=np.float64))
    spectra = _spectra(mono, rate)
    frame_powers = spectra.bands.sum(axis=1)
    audible = spectra.bands[frame_powers > _DIGITAL_SILENCE]
    if len(audible) == 0:
        return Quality(clipped, None, 1.0, 0.0, _bandwidth(spectra), offset)
    noise = _noise_power(audible)
    threshold = _speech_threshold(frame_powers, noise)
    speech = _speech_frames(frame_powers > threshold, spectra.frame_seconds)
    speech_seconds = min(float(speech.sum()) * spectra.frame_seconds, duration)
    measurable = speech.any() and len(audible) > (1 - _LOW / 100) * len(frame_powers)
    snr = _snr(float(frame_powers.mean()), noise) if measurable else None
    beyond = [
        None if outside is None else _seconds_beyond(frame_powers[::way], _mono(outside)[::way], rate, threshold)
        for outside, way in ((before, -1), (after, 1))
    ]
    first, last, *levels = _edges(mono - np.float32(offset), speech, frame_powers, rate, spectra.frame_seconds)
    return Quality(
        clipped, snr, 1 - speech_seconds / duration, speech_seconds, _bandwidth(spectra), offset,
        first, None if last is None else min(last, duration), *beyond, *levels,
    )  # fmt: skip


def _mono(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    mono: NDArray[np.float32] = samples[0] if len(samples) == 1 else samples.mean(axis=0, dtype=np.float32)
    return mono


def _edges(
    mono: NDArray[np.float32],
    speech: NDArray[np.bool_],
    powers: NDArray[np.float32],
    rate: int,
    frame_seconds: float,
) -> tuple[float | None, float | None, float | None, float | None]:
    """Where speech starts and ends (s), and the levels (dB) of the clip's own start and end against the speech's."""
    frames = np.flatnonzero(speech)
    if len(frames) == 0:
        return (None, None, None, None)
    level = float(powers[frames].mean(dtype=np.float64))
    edge = max(1, round(_EDGE * rate))
    start, end = (float(np.square(part, dtype=np.float64).mean()) / level for part in (mono[:edge], mono[-edge:]))
    quietest = 1e-12  # digital silence gets a level too
    return (
        float(frames[0]) * frame_seconds,
        float(frames[-1] + 1) * frame_seconds,
        float(10 * np.log10(start + quietest)),
        float(10 * np.log10(end + quietest)),
    )


def _seconds_beyond(inside: NDArray[np.float32], outside: NDArray[np.float32], rate: int, threshold: float) -> float:
    """How long speech goes on outside a clip (s), given the clip's frame powers and the samples that follow it."""
    size, frame_seconds = _frame(rate)
    near_edge = inside[-int(_LONGEST_GAP / frame_seconds) - 1 :]
    if len(outside) < size or not (near_edge > threshold).any():
        return 0.0
    spectra = _spectra(outside, rate)
    joined = np.concatenate([inside, spectra.bands.sum(axis=1)]) > threshold
    speech = _speech_frames(joined, frame_seconds)
    here = len(inside)
    if not speech[here - 1]:
        return 0.0
    pauses = np.flatnonzero(~speech[here:])
    return float(pauses[0] if len(pauses) else len(speech) - here) * frame_seconds


@dataclass(frozen=True)
class _Spectra:
    """Power of each frame in each band (frames, bands), mean power of each bin (bins,), full scale 1."""

    bands: NDArray[np.float32]
    mean: NDArray[np.float64]
    bin_hz: float
    frame_seconds: float


@lru_cache(maxsize=32)
def _window(size: int) -> NDArray[np.float32]:
    """A Hann window that keeps the power of noise: its squares' sum is 1/2 the frame, for a one-sided spectrum."""
    window = np.hanning(size + 1)[:size]
    return (window * np.sqrt(2 / (size * np.square(window).sum()))).astype(np.float32)


def _spectra(mono: NDArray[np.float32], rate: int) -> _Spectra:
    size, frame_seconds = _frame(rate)
    bin_hz = rate / size
    width = max(1, round(_BAND_HZ / bin_hz))
    first = max(1, round(_LOWEST_HZ / bin_hz))
    bands = max(1, int((min(_HIGHEST_HZ, rate / 2) / bin_hz - first) // width))
    if len(mono) < size:
        mono = np.concatenate([mono, np.zeros(size - len(mono), dtype=np.float32)])
    frames = mono[: len(mono) // size * size].reshape(-1, size)
    by_band = np.empty((len(frames), bands), dtype=np.float32)
    total = np.zeros(size // 2 + 1)
    for begin in range(0, len(frames), _BATCH):
        spectrum = np.fft.rfft(frames[begin : begin + _BATCH] * _window(size), axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        total += power.sum(axis=0)
        part = power[:, first : first + bands * width].reshape(len(power), bands, width)
        by_band[begin : begin + len(power)] = np.einsum("ijk->ij", part)
    return _Spectra(by_band, total / len(frames), bin_hz, frame_seconds)


def _frame(rate: int) -> tuple[int, float]:
    """A frame's samples, a power of two, and seconds."""
    size = 1 << round(np.log2(_FRAME_SECONDS * rate))
    return size, size / rate


def _noise_power(audible: NDArray[np.float32]) -> float:
    """The mean power of the noise: for each band from the low end of its levels (dB), taken as a normal's tail."""
    levels = np.sort(10 * np.log10(audible + np.float32(1e-14)), axis=0)
    lower, low = (_percentile(levels, q) for q in (_LOWER, _LOW))
    z_lower, z_low = (NormalDist().inv_cdf(q / 100) for q in (_LOWER, _LOW))
    spread = np.clip((low - lower) / (z_low - z_lower), 0, _NOISE_SPREAD)
    # The mean of a power whose level is normal lies ln(10)/20 times the variance over its median.
    return float((10 ** ((low - z_low * spread + np.log(10) / 20 * spread**2) / 10)).sum())


def _percentile(ordered: NDArray[np.float32], percent: float) -> NDArray[np.float32]:
    position = (len(ordered) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    result: NDArray[np.float32] = ordered[below] + (position - below) * (ordered[above] - ordered[below])
    return result


def _snr(mean_power: float, noise: float) -> float:
    # Noise that seems to be all there is, is reported as -10 dB.
    return float(10 * np.log10(max(mean_power - noise, 0.1 * noise) / noise))


def _speech_threshold(powers: NDArray[np.float32], noise: float) -> float:
    loud = float(np.sort(powers)[int(0.95 * (len(powers) - 1))])
    return max(noise * 10 ** (_OVER_NOISE / 10), loud * 10 ** (-_UNDER_LOUD / 10), 10 ** (_FLOOR / 10))


def _speech_frames(speech: NDArray[np.bool_], frame_seconds: float) -> NDArray[np.bool_]:
    """The frames with speech, given those over the threshold: short pauses are in it, short bursts are not."""
    speech = ~_without_short_runs(~speech, int(_LONGEST_GAP / frame_seconds), keep_at_ends=True)
    return _without_short_runs(speech, int(_SHORTEST_BURST / frame_seconds), keep_at_ends=False)


def _without_short_runs(flags: NDArray[np.bool_], longest: int, keep_at_ends: bool) -> NDArray[np.bool_]:
    """The flags with runs of up to `longest` cleared; those at the ends may be longer than they look."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    result = flags.copy()
    for begin, end in edges.reshape(-1, 2):
        at_end = begin == 0 or end == len(flags)
        if end - begin <= longest and not (keep_at_ends and at_end):
            result[begin:end] = False
    return result


def _bandwidth(spectra: _Spectra) -> float | None:
    smooth = np.convolve(spectra.mean, np.ones(5) / 5, mode="same")
    strongest = float(smooth.max())
    if strongest <= 0:
        return None
    rounding = _LSB**2 / 12 / len(smooth)
    carries = smooth > max(strongest * 10 ** (-_BANDWIDTH_RANGE / 10), rounding * 10 ** (_OVER_ROUNDING / 10))
    return float(np.flatnonzero(carries)[-1] * spectra.bin_hz) if carries.any() else None


def _clipped_samples(channel: NDArray[np.float32]) -> int:
    return _at_rail(channel, float(channel.max()), 1) + _at_rail(channel, -float(channel.min()), -1)


def _at_rail(channel: NDArray[np.float32], extreme: float, sign: int) -> int:
    """Samples in runs at the channel's upper (sign 1) or lower (-1) extreme that are clipped."""
    if extreme < 0.01:
        return 0
    rail = np.float32(min(extreme, 1.0) - _RAIL_WIDTH)
    at = np.flatnonzero(channel >= rail if sign > 0 else channel <= -rail)
    if len(at) < _RUN:
        return 0
    starts = np.concatenate([[0], np.flatnonzero(np.diff(at) > 1) + 1])
    lengths = np.diff(np.append(starts, len(at)))
    runs = lengths >= _RUN
    if extreme >= FULL_SCALE:
        return int(lengths[runs].sum())
    before = channel[np.maximum(at[starts] - 1, 0)] * sign
    after = channel[np.minimum(at[starts] + lengths, len(channel) - 1)] * sign
    cut = int(lengths[runs & (np.minimum(before, after) < rail - _SHARP)].sum())
    return cut if cut >= _FEWEST_CUT else 0


def quality_tags(audio_quality: pd.DataFrame) -> pd.DataFrame:
    """Tags made from the table `audio_quality`: a frame indexed by utterance_id, one text column a tag.

    A tag is missing where its measure is. The columns are loudness_band, clipping, snr_band, silence, band and
    duration_band; a bound belongs to the band over it.
    """
    import pandas as pd

    def banded(column: str, bounds: list[float], names: list[str]) -> pd.Series:
        values = pd.to_numeric(audio_quality[column], errors="coerce")
        edges = [-np.inf, *bounds, np.inf]
        return pd.cut(values, edges, labels=names, right=False).astype("object")

    tags = pd.DataFrame(
        {
            "loudness_band": banded("loudness", [TOO_QUIET, -30, -15], ["too_quiet", "quiet", "normal", "loud"]),
            "clipping": banded("clipped_share", [CLIPPED], ["clean", "clipped"]),
            "snr_band": banded("snr", [NOISY, 20, 30], _SNR_BANDS),
            "silence": banded("silence_share", [0.75], ["speech", "mostly_silence"]),
            "band": banded("bandwidth", [5000], ["narrowband", "wideband"]),
            "duration_band": banded("duration", [2, 5, 15], ["under 2 s", "2-5 s", "5-15 s", "15 s and over"]),
        }
    )
    tags = tags.where(tags.notna(), None)
    tags.index = pd.Index(audio_quality["utterance_id"], name="utterance_id")
    return tags
