"""The header of a WAV file (RIFF, RF64 and BW64), read strictly: what decoders quietly repair is a fault here."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workbench.errors import UnreadableAudio

PCM, EXTENSIBLE = 1, 0xFFFE
# What programs that write to a pipe put for a length that they cannot know: FFmpeg; SoX.
_UNKNOWN_LENGTHS = (0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000)
_MOST_CHUNKS = 1000


@dataclass(frozen=True)
class WavHeader:
    """What a WAV header says: the codec's tag, channels, rate (Hz), bits a sample, where the samples lie (bytes)."""

    codec: int
    channels: int
    sampling_rate: int
    bits: int
    data_offset: int
    data_bytes: int


def is_wav(start: bytes) -> bool:
    """Whether a file that begins with these (12 or more) bytes is a WAV file."""
    return start[:4] in (b"RIFF", b"RF64", b"BW64") and start[8:12] == b"WAVE"


def read_wav_header(path: Path, file: BinaryIO, size: int) -> WavHeader:
    """The header of the WAV file that is open at its beginning and `size` bytes long.

    Raises:
        UnreadableAudio: a chunk is missing, contradicts another, or is longer than the file.
    """
    file.seek(12)
    position = 12
    form: tuple[int, int, int, int, int, int] | None = None
    long_size: int | None = None
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = head[:4], struct.unpack("<I", head[4:])[0]
        position += 8
        here = size - position
        if name == b"data":
            if form is None:
                raise UnreadableAudio(f"{path}: the WAV header names no format before its samples; export it again")
            if length == 0xFFFFFFFF and long_size is not None:
                length = long_size
            return _header(path, form, position, here, length)
        if length > here:
            raise UnreadableAudio(
                f"{path}: the WAV header is broken: its chunk {_shown(name)} claims {length} bytes where only {here} "
                "are left, and no samples come before it; get the file again from its source"
            )
        if name == b"fmt ":
            if length < 16:
                raise UnreadableAudio(
                    f"{path}: the WAV header's format chunk has {length} bytes, not 16; export it again"
                )
            content = file.read(min(length, 40))
            codec, channels, rate, byte_rate, align, bits = struct.unpack("<HHIIHH", content[:16])
            if codec == EXTENSIBLE and len(content) >= 26:
                codec = struct.unpack("<H", content[24:26])[0]
            form = (codec, channels, rate, byte_rate, align, bits)
        elif name == b"ds64" and length >= 16:
            long_size = struct.unpack("<QQ", file.read(16))[1]
        position += length + (length & 1)
        file.seek(position)
    raise UnreadableAudio(f"{path}: the WAV header is not followed by any samples (no data chunk); get the file again")


def _header(path: Path, form: tuple[int, int, int, int, int, int], offset: int, here: int, length: int) -> WavHeader:
    codec, channels, rate, byte_rate, align, bits = form
    if channels == 0:
        raise UnreadableAudio(f"{path}: the WAV header says 0 channels; export it again")
    if codec == PCM and align and 0 < byte_rate < rate:
        raise UnreadableAudio(
            f"{path}: the WAV header is broken: it says {rate} Hz, but its {byte_rate} bytes a second mean "
            f"{byte_rate // align} Hz; correct the rate or export it again"
        )
    if length in _UNKNOWN_LENGTHS and length > here:
        length = here
    if length > here:
        raise UnreadableAudio(
            f"{path}: the file is truncated: its WAV header promises {length} bytes of samples and {max(here, 0)} are "
            "there; get the whole file again"
        )
    if length == 0:
        more = f" though {here} bytes follow (it was never finished)" if here > 0 else ""
        raise UnreadableAudio(f"{path}: no samples: the WAV header says 0 bytes of them{more}; record it again")
    return WavHeader(codec, channels, rate, bits, offset, length)


def _shown(name: bytes) -> str:
    return repr(name.decode("ascii", errors="backslashreplace"))
