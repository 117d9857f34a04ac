"""Samples to files, 16 bits a sample, whole or not at all."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

AudioFormat = Literal["flac", "wav"]
_PART = re.compile(r"\..+\.(\d+)\.part", re.DOTALL)
"""Name of a file that is still being written, with the process that writes it."""


def to_pcm16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples rounded to 16 bits, shape (samples, channels) of int16; beyond full scale they are held at it.

    >>> to_pcm16(np.array([[0.5, -1.0, 2.0]], dtype=np.float32)).tolist()
    [[16384], [-32768], [32767]]
    """
    scaled = samples * np.float32(32768)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -32768, 32767, out=scaled)
    return np.ascontiguousarray(scaled.T.astype(np.int16))


def write_audio(path: Path, samples: NDArray[np.float32], sampling_rate: int, audio_format: AudioFormat) -> None:
    """Writes samples as 16-bit FLAC or WAV: beside its place first, then renamed into it.

    On any failure, an interruption included, neither the file nor a part of it is left; a file that stood there before
    is left as it was.

    Args:
        path: where to; its directory must be there.
        samples: float32, shape (channels, samples), full scale 1.
        sampling_rate: Hz.
        audio_format: 'flac' or 'wav', whatever the path's suffix.
    """
    part = path.with_name(f".{path.name[:50]}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            if audio_format == "wav":
                _write_wav(file, to_pcm16(samples), sampling_rate)
            else:
                _write_flac(file, to_pcm16(samples), sampling_rate)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_stale_parts(directory: Path) -> None:
    """Removes, from a directory and all below it, what processes left half-written that were killed."""
    for here, _, names in os.walk(directory):
        for name in names:
            part = _PART.fullmatch(name)
            if part and not _is_alive(int(part[1])):
                (Path(here) / name).unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # another user's
    return True


def _write_wav(file: BinaryIO, pcm: NDArray[np.int16], rate: int) -> None:
    # The 44 bytes of a plain header, because soundfile takes longer to open a file than to fill it.
    channels, size = pcm.shape[1], pcm.nbytes
    if size + 36 > 0xFFFFFFFF:
        raise ValueError(f"{size} bytes of samples do not fit a WAV file; write FLAC")
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    file.write(b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + struct.pack("<I", 16) + form)
    file.write(b"data" + struct.pack("<I", size))
    file.write(pcm.astype("<i2", copy=False).data)


def _write_flac(file: BinaryIO, pcm: NDArray[np.int16], rate: int) -> None:
    import soundfile

    with soundfile.SoundFile(
        file, "w", samplerate=rate, channels=pcm.shape[1], format="FLAC", subtype="PCM_16", compression_level=0.2
    ) as output:
        output.write(pcm)
