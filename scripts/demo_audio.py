"""The demo corpus's recordings: a voice, noise at a known signal-to-noise ratio, a level, perhaps a hard limit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scripts.demo_voices import RATE, Speaker, speak
from workbench.audio.decode import read_audio
from workbench.audio.encode import write_audio
from workbench.audio.loudness import integrated_loudness

BEFORE, AFTER = 0.3, 0.3  # s of noise alone
_QUANTISED = -40.0  # LUFS; quieter recordings keep all 16 bits
PEAK = 0.89  # -1 dBFS; what is not to clip stays below
_FRAME = RATE // 50  # 20 ms
_ACTIVE = 1e-3  # -30 dB below the loudest frame
_STEPS = 4096  # 13 bits: the last three bits of 16 would hold nothing but noise, and half of the bundle's size


@dataclass(frozen=True)
class Recording:
    """One recording: what is said by whom, in which noise at which SNR (dB), and its integrated loudness (LUFS)."""

    number: int
    text: str
    speaker: Speaker
    environment: str
    snr: float
    loudness: float
    hard_limit: bool = False


def missing_packages() -> list[str]:
    """The Debian packages that are needed and not installed."""
    return [name for name in ("flite", "espeak-ng") if shutil.which(name) is None]


def kitchen_noise(path: Path) -> NDArray[np.float32]:
    """The noise recording, shape (samples,) at 16 kHz.

    Raises:
        SystemExit: it has another sampling rate or several channels.
    """
    audio = read_audio(path)
    if audio.sampling_rate != RATE or audio.channels != 1:
        raise SystemExit(
            f"{path}: {audio.sampling_rate} Hz, {audio.channels} channels; expected {RATE} Hz, one channel"
        )
    return audio.samples[0]


def record(recording: Recording, kitchen: NDArray[np.float32], path: Path, seed: int) -> None:
    """Writes the recording as 16 kHz FLAC."""
    rng = np.random.default_rng([seed, recording.number])
    speech = speak(recording.text, recording.speaker)
    samples = np.pad(speech, (round(BEFORE * RATE), round(AFTER * RATE)))
    noise = _noise(recording.environment, len(samples), kitchen, rng)
    mixed = samples + noise * (active_level(speech) / rms(noise) * 10 ** (-recording.snr / 20))
    loudness = integrated_loudness(mixed[np.newaxis].astype(np.float32), RATE).value
    if loudness is None:
        raise SystemExit(f"{path}: the voice {recording.speaker.description} said nothing for {recording.text!r}")
    mixed = mixed * 10 ** ((recording.loudness - loudness) / 20)
    if recording.hard_limit:
        mixed = np.clip(mixed, -1.0, 32767 / 32768)
    else:
        mixed = mixed * min(1.0, PEAK / float(np.abs(mixed).max()))
        if recording.loudness > _QUANTISED:
            mixed = np.rint(mixed * _STEPS) / _STEPS
    write_audio(path, mixed[np.newaxis].astype(np.float32), RATE, "flac")


def rms(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def active_level(speech: NDArray[np.float32]) -> float:
    """The speech's RMS (full scale 1) over its 20 ms frames within 30 dB of the loudest: pauses do not count."""
    frames = speech[: len(speech) // _FRAME * _FRAME].reshape(-1, _FRAME)
    powers = np.mean(np.square(frames, dtype=np.float64), axis=1)
    return float(np.sqrt(powers[powers >= _ACTIVE * powers.max()].mean()))


def _noise(environment: str, n: int, kitchen: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    if environment == "kitchen":
        begin = int(rng.integers(0, len(kitchen) - n))
        return kitchen[begin : begin + n]
    # Noise shaped in the frequency domain: a car's rumble falls by 12 dB an octave over 80 Hz, a room's hiss by 3 dB.
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    corner, slope = (80.0, 2.0) if environment == "car" else (200.0, 0.5)
    spectrum *= (frequency > 25) / (1 + frequency / corner) ** slope
    return np.fft.irfft(spectrum, n).astype(np.float32)
