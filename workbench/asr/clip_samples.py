"""The samples of a clip, as a speech recogniser wants them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.asr.backend import Clip
from workbench.audio.decode import read_audio
from workbench.audio.resample import resample


def read_clip(clip: Clip, sampling_rate: int) -> NDArray[np.float32]:
    """The clip's samples, float32, shape (samples,): the mean of its channels at `sampling_rate` (Hz), full scale 1.

    Raises:
        UnreadableAudio: the recording cannot be decoded, or the span is not in it.
    """
    audio = read_audio(clip.path, clip.start, clip.end)
    mono = audio.samples.mean(axis=0, keepdims=True, dtype=np.float32)
    samples: NDArray[np.float32] = resample(mono, audio.sampling_rate, sampling_rate)[0]
    return samples
