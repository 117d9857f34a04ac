"""What tells two recordings, or two signals, apart: hashes of a file's bytes and of decoded samples."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from pathlib import Path

import numpy as np

from workbench.audio.decode import Audio
from workbench.errors import UnreadableAudio

DIGITS = 32
"""Hexadecimal digits kept of a SHA-256: 128 bits."""


def content_hash(path: Path | str, start: float | None = None, end: float | None = None) -> str:
    """A hash of a recording's bytes and of the span of it (s); the name and the time of the file do not matter.

    Raises:
        UnreadableAudio: the file cannot be read.
    """
    path = Path(path)
    try:
        state = path.stat()
        # Many utterances are spans of one long recording: its bytes are read once.
        digest = _file_digest(path, state.st_size, state.st_mtime_ns, state.st_ino)
    except OSError as problem:
        why = problem.strerror or problem
        raise UnreadableAudio(f"{path}: cannot be read ({why}); correct that and try again") from None
    if _seconds(start) == _seconds(end) == "":
        return digest
    return hashlib.sha256(f"{digest} {_seconds(start)} {_seconds(end)}".encode()).hexdigest()[:DIGITS]


@lru_cache(maxsize=16)
def _file_digest(path: Path, size: int, modified: int, inode: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]


def _seconds(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else repr(float(value))


def samples_hash(audio: Audio) -> str:
    """A hash of decoded samples: equal for the same signal in two files, say a WAV and the FLAC made from it.

    Samples that 16 bits hold exactly and any others are both hashed as float32, with the rate and the channel count.
    """
    digest = hashlib.sha256(f"{audio.sampling_rate} {audio.channels} ".encode())
    # Adding 0 turns -0.0, which some decoders give, into 0.0.
    digest.update(np.ascontiguousarray(audio.samples.astype("<f4", copy=False) + np.float32(0)).data)
    return digest.hexdigest()[:DIGITS]
