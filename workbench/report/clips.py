"""Audio files as data URIs, so that a page on its own can play them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.report.data import WorstUtterance

MOST_CLIPS = 25
MOST_BYTES = 8_000_000
"Of all clips together, before base64 makes them a third larger; mail servers refuse much more."


@dataclass(frozen=True)
class Clip:
    """A clip to play, or the reason why there is none."""

    uri: str | None
    note: str = ""


def media_type(start: bytes) -> str | None:
    """The media type of a FLAC or WAV file by its first 12 bytes; None for anything else.

    >>> media_type(b"fLaC" + bytes(8)), media_type(b"GIF89a")
    ('audio/flac', None)
    """
    if start[:4] == b"fLaC":
        return "audio/flac"
    if start[:4] == b"RIFF" and start[8:12] == b"WAVE":
        return "audio/wav"
    return None


def embed(worst: Sequence[WorstUtterance]) -> list[Clip]:
    """One clip an utterance, in order, until MOST_CLIPS or MOST_BYTES are reached; shorter clips may still fit then."""
    clips: list[Clip] = []
    embedded = total = 0
    for one in worst:
        if one.audio is None:
            clips.append(Clip(None, "no audio"))
            continue
        try:
            size = one.audio.stat().st_size
            if embedded >= MOST_CLIPS or total + size > MOST_BYTES:
                clips.append(Clip(None, "audio left out: the page holds as much as it may"))
                continue
            content = one.audio.read_bytes()
        except OSError as problem:
            clips.append(Clip(None, f"audio not readable: {problem.strerror or type(problem).__name__}"))
            continue
        kind = media_type(content[:12])
        if kind is None:
            clips.append(Clip(None, "audio left out: neither FLAC nor WAV"))
            continue
        clips.append(Clip(f"data:{kind};base64,{b64encode(content).decode('ascii')}"))
        embedded, total = embedded + 1, total + len(content)
    return clips
