"""The demo corpus's speakers: flite and espeak-ng voices with changed rate, pitch and vocal tract."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.audio.decode import read_audio
from workbench.audio.resample import resample

RATE = 16_000


@dataclass(frozen=True)
class Speaker:
    """A synthetic speaker.

    Playing the voice `scale` times as fast raises pitch and formants together, as a shorter vocal tract does; `pace`
    is flite's duration_stretch or espeak-ng's words a minute, chosen with the scale in mind.
    """

    speaker: str
    age_group: str
    gender: str
    engine: str
    voice: str
    pace: float
    scale: float
    clips: int

    @property
    def description(self) -> str:
        return f"{self.engine} {self.voice}, pace {self.pace:g}, scale {self.scale:g}"


SPEAKERS = (
    Speaker("spk01", "adult", "female", "flite", "slt", 1.1, 1.0, 14),
    Speaker("spk02", "adult", "male", "flite", "rms", 1.1, 1.0, 14),
    Speaker("spk03", "adult", "male", "flite", "awb", 1.1, 1.0, 12),
    Speaker("spk04", "adult", "male", "flite", "kal16", 1.1, 1.0, 12),
    Speaker("spk05", "adult", "female", "flite", "slt", 1.0, 0.93, 12),
    Speaker("spk06", "adult", "male", "flite", "rms", 1.15, 1.12, 11),
    Speaker("spk07", "adult", "male", "flite", "kal16", 1.2, 1.15, 11),
    Speaker("spk08", "adult", "female", "flite", "slt", 1.15, 1.05, 9),
    Speaker("spk09", "adult", "female", "espeak-ng", "en-us+f5", 135, 1.0, 8),
    Speaker("spk10", "senior", "female", "flite", "slt", 1.3, 0.86, 10),
    Speaker("spk11", "senior", "male", "flite", "awb", 1.3, 0.95, 9),
    Speaker("spk12", "senior", "male", "flite", "rms", 1.3, 0.94, 8),
    Speaker("spk13", "child", "female", "flite", "slt", 1.15, 1.12, 7),
    Speaker("spk14", "child", "male", "flite", "rms", 1.15, 1.4, 7),
    Speaker("spk15", "child", "female", "espeak-ng", "en-us+f2", 150, 1.06, 6),
)


def speak(text: str, speaker: Speaker) -> NDArray[np.float32]:
    """The text spoken, shape (samples,) at 16 kHz, without the silence before and after it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "spoken.wav"
        if speaker.engine == "flite":
            pace = ["--setf", f"duration_stretch={speaker.pace:g}"]
            command = ["flite", "-voice", speaker.voice, *pace, "-o", str(path), "-t", text]
        else:
            command = ["espeak-ng", "-v", speaker.voice, "-s", f"{speaker.pace:g}", "-w", str(path), "--", text]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        spoken = read_audio(path)
    samples = resample(spoken.samples, round(spoken.sampling_rate * speaker.scale), RATE)[0]
    active = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[active[0] : active[-1] + 1]
