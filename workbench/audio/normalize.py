"""One recording, or a span of one, to a file of the level, channels and sampling rate that are wanted."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.audio.decode import (
    HIGHEST_RATE,
    LOWEST_RATE,
    Audio,
    read_audio,
    read_with_margin,
    select_channel,
)
from workbench.audio.encode import AudioFormat, write_audio
from workbench.audio.fingerprint import content_hash, samples_hash
from workbench.audio.loudness import BlockPowers, block_powers, true_peak
from workbench.audio.quality import SURROUNDINGS, measure
from workbench.audio.resample import resample
from workbench.errors import BadInput, UnreadableAudio

Mode = Literal["loudness", "rms", "peak"]

MOST_GAIN = 40.0
"""dB; what is so quiet that it would need more is mostly noise."""
LOWEST_TARGET = -50.0
"""dB; below it the rounding to 16 bits would be heard."""
_VERSION = 1  # of what the settings mean: raised when the same settings give other samples


@dataclass(frozen=True)
class Settings:
    """What normalised audio is to be like.

    Attributes:
        mode: what is brought to the target: 'loudness' (integrated, LUFS), 'rms' (dBFS, a full-scale square wave
            being 0) or 'peak' (true peak, dBTP).
        target: in the unit of the mode, -50 to 0.
        peak_ceiling: true peak (dBTP, -50 to 0) that holds the gain back in every mode.
        sampling_rate: Hz; None keeps the recording's.
        channel: 'mix' for the mean of the channels, or the number of one, counted from 0.
        audio_format: 'flac' or 'wav', both with 16 bits a sample.

    Raises:
        BadInput: a value is none of these.
    """

    mode: Mode = "loudness"
    target: float = -23.0
    peak_ceiling: float = -1.0
    sampling_rate: int | None = 16_000
    channel: Literal["mix"] | int = "mix"
    audio_format: AudioFormat = "flac"

    def __post_init__(self) -> None:
        if self.mode not in ("loudness", "rms", "peak"):
            raise BadInput(f"normalisation mode {self.mode!r} is not one of loudness, rms, peak")
        for name, value in (("target", self.target), ("peak ceiling", self.peak_ceiling)):
            if not LOWEST_TARGET <= value <= 0:
                raise BadInput(f"the {name} of {value} dB is not between {LOWEST_TARGET:g} and 0")
        if self.sampling_rate is not None and not LOWEST_RATE <= self.sampling_rate <= HIGHEST_RATE:
            bounds = f"{LOWEST_RATE} and {HIGHEST_RATE}"
            raise BadInput(f"the sampling rate of {self.sampling_rate} Hz is not between {bounds}")
        if self.channel != "mix" and (not isinstance(self.channel, int) or self.channel < 0):
            raise BadInput(f"channel {self.channel!r} is neither 'mix' nor a number from 0")
        if self.audio_format not in ("flac", "wav"):
            raise BadInput(f"audio format {self.audio_format!r} is not one of flac, wav")

    @property
    def fingerprint(self) -> str:
        """A short hash that is equal for settings that give equal audio."""
        return _fingerprint(self)


@lru_cache(maxsize=8)
def _fingerprint(settings: Settings) -> str:
    values = {**vars(settings), "target": float(settings.target), "peak_ceiling": float(settings.peak_ceiling)}
    content = json.dumps({"version": _VERSION, **values}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Gain:
    """A gain (dB), and whether the peak ceiling made it less than the target asks for."""

    value: float
    limited: bool


def normalize_clip(
    source: Path, start: float | None, end: float | None, destination_dir: Path, settings: Settings
) -> dict[str, Any]:
    """The row of the table `audio_quality`, without utterance_id, of a clip that is normalised into a directory.

    The file is named by the recording's content, the span and the settings; `output` is that name.

    Args:
        source: the recording; it is only read.
        start: start of the clip (s), None for the beginning.
        end: its end (s), None for the end.
        destination_dir: an existing directory.
        settings: what the file is to be like.

    Raises:
        UnreadableAudio: the recording cannot be decoded.
        BadInput: the file cannot be written.
    """
    name = f"{content_hash(source, start, end)}-{settings.fingerprint}.{settings.audio_format}"
    return normalize_file(source, start, end, destination_dir / name, settings)


def normalize_file(
    source: Path, start: float | None, end: float | None, destination: Path, settings: Settings
) -> dict[str, Any]:
    """The same as `normalize_clip`, for a file whose path is given; `output` is its name.

    What the recording was like is measured on all its channels at its own rate; the gain is chosen on the signal that
    is written, mixed and resampled, so that the file has the target, or the ceiling.
    """
    audio, before, after = _with_surroundings(source, start, end)
    recorded = block_powers(audio.samples, audio.sampling_rate)
    recorded_peak = true_peak(audio.samples, audio.sampling_rate)
    quality = measure(audio.samples, audio.sampling_rate, before, after)
    rate = settings.sampling_rate or audio.sampling_rate
    signal = resample(select_channel(source, audio.samples, settings.channel), audio.sampling_rate, rate)
    if signal is audio.samples:
        powers, peak = recorded, recorded_peak
    else:
        powers, peak = block_powers(signal, rate), true_peak(signal, rate)
    gain = choose_gain(powers, peak, _rms(signal) if settings.mode == "rms" else None, settings)
    _write(destination, signal * np.float32(10 ** (gain.value / 20)), rate, settings.audio_format)
    loudness = recorded.loudness()
    return {
        "content_hash": content_hash(source, start, end),
        "samples_hash": samples_hash(audio),
        "settings": settings.fingerprint,
        "sampling_rate": audio.sampling_rate,
        "channels": audio.channels,
        "duration": audio.duration,
        "loudness": loudness.value,
        "loudness_method": loudness.method,
        "true_peak": recorded_peak,
        "gain": gain.value,
        "gain_limited": gain.limited,
        "output_loudness": powers.loudness(gain.value).value,
        "output_true_peak": None if peak is None else peak + gain.value,
        **vars(quality),
        "output": destination.name,
    }


def _with_surroundings(
    source: Path, start: float | None, end: float | None
) -> tuple[Audio, NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """The clip, and the samples next to it in the recording; None where there are none, or none that are sound."""
    if (start is None or math.isnan(start)) and (end is None or math.isnan(end)):
        return read_audio(source, start, end), None, None
    try:
        before, audio, after = read_with_margin(source, start, end, SURROUNDINGS)
    except UnreadableAudio:
        # What is broken may lie outside the span; if not, this says so.
        return read_audio(source, start, end), None, None
    return audio, _unless_empty(before), _unless_empty(after)


def _unless_empty(audio: Audio) -> NDArray[np.float32] | None:
    return audio.samples if audio.samples.shape[1] else None


def choose_gain(powers: BlockPowers, peak: float | None, rms: float | None, settings: Settings) -> Gain:
    """The gain for a signal: to the target, but no further than the ceiling, nor than 40 dB; 0 for silence.

    Args:
        powers: the signal's K-weighted block powers.
        peak: its true peak (dBTP).
        rms: its root mean square (dBFS); needed in mode 'rms' only.
        settings: mode, target and ceiling.
    """
    if peak is None or powers.loudness().method == "silence":
        return Gain(0.0, False)
    if settings.mode == "loudness":
        wanted = powers.gain_to(settings.target)
    elif settings.mode == "peak" or rms is None:
        wanted = settings.target - peak
    else:
        wanted = settings.target - rms
    wanted = min(wanted, MOST_GAIN)
    room = settings.peak_ceiling - peak
    return Gain(room, True) if wanted > room else Gain(wanted, False)


def _write(destination: Path, samples: NDArray[np.float32], rate: int, audio_format: AudioFormat) -> None:
    """Writes the file, or raises BadInput saying why it cannot be."""
    try:
        write_audio(destination, samples, rate, audio_format)
    except OSError as problem:
        raise BadInput(
            f"{destination}: cannot be written ({problem.strerror or problem}); correct that and run again, what is "
            "done is kept"
        ) from problem


def _rms(signal: NDArray[np.float32]) -> float | None:
    power = float(np.square(signal, dtype=np.float64).mean())
    return 10 * math.log10(power) if power > 0 else None
