"""Recordings to samples: soundfile reads WAV, FLAC, OGG and MP3, PyAV what soundfile does not (m4a, webm, mp4, …).

A recording that cannot be read whole and sound is an error, never a guess: no silence in place of missing samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench.audio.wav_header import PCM, WavHeader, is_wav, read_wav_header
from workbench.errors import UnreadableAudio

if TYPE_CHECKING:
    import soundfile

AUDIO_SUFFIXES = frozenset(
    f".{suffix}"
    for names in ("wav wave w64 flac ogg oga opus mp3 aif aiff au caf", "m4a mp4 webm mka mkv mov 3gp aac amr wma")
    for suffix in names.split()
)
"""Suffixes (lower case) of the files that a walk over a directory takes for recordings."""

LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000
END_TOLERANCE = 0.05
"""Seconds that a span may reach past the end of its recording: manifests round their times."""
_LOUDEST_SAMPLE = 1e6  # full scale is 1; more is not a recording, and its square would not fit a float32
_SHORTFALL = 0.25  # s that a compressed file may hold less than it says: encoders pad, and count the padding or not
_BLOCK = 1 << 20
_PREROLL = 1 << 14  # samples
# Only containers, never playlists: a hostile file may not make the decoder open other files or addresses.
_PYAV_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,mp3,aac,flac,wav,w64,aiff,caf,au,amr,asf,avi,mpegts",
    "protocol_whitelist": "file",
}
_KNOWS_ITS_DURATION = ("mov", "matroska", "asf")


@dataclass(frozen=True)
class Audio:
    """Decoded samples, float32, shape (channels, samples), full scale 1, and their sampling rate (Hz)."""

    samples: NDArray[np.float32]
    sampling_rate: int

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples.shape[1] / self.sampling_rate


@dataclass(frozen=True)
class _Span:
    """The part of a recording to read (s), and how much around it; an end of None is the recording's."""

    start: float
    end: float | None
    margin: float = 0.0

    def __str__(self) -> str:
        return f"{self.start:g} to {'its end' if self.end is None else f'{self.end:g} s'}"

    def bounds(self, path: Path, rate: int, total: int) -> tuple[int, int]:
        """First and one past the last sample, of `total` (checked), with the margin as far as the recording goes."""
        begin = round(self.start * rate)
        stop = total if self.end is None else round(self.end * rate)
        if stop > total and self.end is not None and self.end <= total / rate + END_TOLERANCE:
            stop = total
        if stop > total or begin >= total:
            raise UnreadableAudio(
                f"{path}: the span {self} is not in the recording, which is {total / rate:.3f} s long; correct "
                "the utterance's times"
            )
        if stop <= begin:
            raise UnreadableAudio(f"{path}: the span {self} is shorter than one sample; correct it")
        around = round(self.margin * rate)
        return max(0, begin - around), min(total, stop + around)

    def preroll(self, rate: int, begin: int) -> int:
        """How many samples to decode before those that are read from `begin` on."""
        with_margin = begin - max(0, round(self.start * rate) - _PREROLL)
        return with_margin if with_margin >= 0 else min(begin, _PREROLL)

    def split(self, audio: Audio) -> tuple[Audio, Audio, Audio]:
        """What was read, as what lies before the part, the part, and what lies after it."""
        rate, held = audio.sampling_rate, audio.samples.shape[1]
        lead = min(round(self.start * rate), round(self.margin * rate))
        stop = held if self.end is None else min(held, lead + round(self.end * rate) - round(self.start * rate))
        edges = ((0, lead), (lead, stop), (stop, held))
        before, part, after = (Audio(audio.samples[:, begin:end], rate) for begin, end in edges)
        return before, part, after


def read_audio(path: Path | str, start: float | None = None, end: float | None = None) -> Audio:
    """The samples of a recording, or of the span of it from start to end (s).

    Any sampling rate from 4 to 384 kHz, any number of channels. An end up to 0.05 s past the recording's own
    counts as that.

    Raises:
        UnreadableAudio: not there, not audio, broken, truncated, without samples, not finite, or the span is not in it;
            the message names the file, what was found, and what to do.
    """
    return _read(Path(path), start, end, 0.0)[1]


def read_with_margin(
    path: Path | str, start: float | None, end: float | None, margin: float
) -> tuple[Audio, Audio, Audio]:
    """The same samples as `read_audio` reads, between what the recording has before and after them.

    Those are up to `margin` seconds long, and hold no samples where the recording begins or ends.

    Raises:
        UnreadableAudio: as `read_audio` does, for the margin too.
    """
    return _read(Path(path), start, end, margin)


def _read(path: Path, start: float | None, end: float | None, margin: float) -> tuple[Audio, Audio, Audio]:
    span = _span(path, start, end, margin)
    return span.split(_read_span(path, span))


def _read_span(path: Path, span: _Span) -> Audio:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise UnreadableAudio(f"{path}: is a directory; name a recording in it")
        if size == 0:
            raise UnreadableAudio(f"{path}: is empty (0 bytes); get the file again from its source")
        with path.open("rb") as file:
            beginning = file.read(12)
            if is_wav(beginning):
                header = read_wav_header(path, file, size)
                _check_rate(path, header.sampling_rate)
                if header.codec == PCM and header.bits == 16:
                    return _checked(path, _read_pcm16(path, file, header, span))
            elif beginning[:4] == b"OggS":
                _check_last_page(path, file, size)
    except FileNotFoundError:
        raise UnreadableAudio(f"{path}: there is no such file; correct the path or restore the recording") from None
    except OSError as problem:
        why = problem.strerror or problem
        raise UnreadableAudio(f"{path}: cannot be opened ({why}); correct that and try again") from None
    audio = _read_soundfile(path, span)
    return _checked(path, audio if audio is not None else _read_pyav(path, span, beginning))


def select_channel(path: Path, samples: NDArray[np.float32], channel: str | int) -> NDArray[np.float32]:
    """One channel, shape (1, samples): the mean of all for 'mix', else the one with this number, counted from 0.

    Raises:
        UnreadableAudio: the recording has no such channel.
    """
    if isinstance(channel, int):
        if not 0 <= channel < len(samples):
            raise UnreadableAudio(
                f"{path}: has {len(samples)} channel(s), so no channel {channel} (the first is 0); choose "
                "another or 'mix'"
            )
        return samples[channel : channel + 1]
    return samples if len(samples) == 1 else samples.mean(axis=0, keepdims=True, dtype=np.float32)


def _span(path: Path, start: float | None, end: float | None, margin: float) -> _Span:
    first = 0.0 if start is None or math.isnan(start) else float(start)
    last = None if end is None or math.isnan(end) else float(end)
    if first < 0 or not math.isfinite(first) or (last is not None and (last <= first or not math.isfinite(last))):
        raise UnreadableAudio(f"{path}: {start} to {end} s is not a span; begin at 0 or later and end after that")
    return _Span(first, last, margin)


def _checked(path: Path, audio: Audio) -> Audio:
    _check_rate(path, audio.sampling_rate)
    if audio.samples.shape[1] == 0:
        raise UnreadableAudio(f"{path}: the file holds no samples; record or export it again")
    # One pass each, no copies: a NaN or an infinity shows in the extremes.
    low, high = float(audio.samples.min()), float(audio.samples.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        channel, at = np.argwhere(~np.isfinite(audio.samples))[0]
        raise UnreadableAudio(
            f"{path}: sample {at} of channel {channel} ({at / audio.sampling_rate:.3f} s) is "
            f"{audio.samples[channel, at]}, not a number that can be played; export the recording again"
        )
    if max(high, -low) > _LOUDEST_SAMPLE:
        raise UnreadableAudio(f"{path}: samples reach {max(high, -low):.3g} where full scale is 1; export it again")
    return audio


def _check_rate(path: Path, rate: int) -> None:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise UnreadableAudio(
            f"{path}: says a sampling rate of {rate} Hz where {LOWEST_RATE} to {HIGHEST_RATE} can be; its header is "
            "broken: correct the rate or export it again"
        )


def _read_pcm16(path: Path, file: BinaryIO, header: WavHeader, span: _Span) -> Audio:
    channels, width = header.channels, 2 * header.channels
    begin, stop = span.bounds(path, header.sampling_rate, header.data_bytes // width)
    file.seek(header.data_offset + begin * width)
    content = file.read((stop - begin) * width)
    samples = np.frombuffer(content, dtype="<i2").reshape(-1, channels).T.astype(np.float32, order="C")
    samples *= np.float32(1 / 32768)
    return Audio(samples, header.sampling_rate)


def _check_last_page(path: Path, file: BinaryIO, size: int) -> None:
    """Raises where an Ogg file ends in the middle of a page: nothing else in it tells how much there should be."""
    file.seek(max(0, size - 66_000))  # a page has 65,307 bytes at most
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:] if at >= 0 else b""
    segments = page[27 : 27 + page[26]] if len(page) > 26 else b""
    if len(page) < 27 or len(segments) < page[26] or len(page) < 27 + len(segments) + sum(segments):
        raise UnreadableAudio(f"{path}: the file is truncated: it ends within an Ogg page; get the whole file again")


def _says_its_length(path: Path) -> bool:
    """Whether an MP3 file's first frame tells how many there are; without, soundfile guesses, and reads no further."""
    with path.open("rb") as file:
        tag = file.read(10)
        if tag[:3] == b"ID3":
            size = sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=False))
            file.seek(10 + size)
        return any(name in tag + file.read(4096) for name in (b"Xing", b"Info", b"VBRI"))


def _read_soundfile(path: Path, span: _Span) -> Audio | None:
    """The samples, or None where soundfile does not know the format, or not how long the file is."""
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        return None
    with file:
        if file.format == "MP3" and not _says_its_length(path):
            return None
        rate, total = file.samplerate, file.frames
        _check_rate(path, rate)
        compressed = file.format in ("MP3", "OGG")
        try:
            begin, stop = span.bounds(path, rate, total) if total else (0, 0)
            # What a lossy frame sounds like depends on those before it, so some are decoded and thrown away.
            # Where that starts decides about the last bits of MP3: with a margin it is the same place as without.
            early = span.preroll(rate, begin) if compressed else 0
            if span.start:
                file.seek(begin - early)
            samples = _join(_blocks(file, stop - begin + early), file.channels)[:, early:]
        except soundfile.LibsndfileError as problem:
            detail = str(problem).strip(" :.") or "its frames are damaged or cut off"
            message = f"{path}: cannot be decoded to its end ({detail}); get the whole file again"
            raise UnreadableAudio(message) from None
    short = stop - begin - samples.shape[1]
    if short > (_SHORTFALL * rate if compressed else 0):
        raise UnreadableAudio(
            f"{path}: the file is truncated: it promises {(stop - begin) / rate:.3f} s and "
            f"{samples.shape[1] / rate:.3f} s are there; get the whole file again"
        )
    return Audio(samples, rate)


def _blocks(file: soundfile.SoundFile, wanted: int) -> Iterator[NDArray[np.float32]]:
    # By blocks, because a broken header can promise more than any memory holds.
    while wanted > 0:
        block = file.read(min(wanted, _BLOCK), dtype="float32", always_2d=True)
        if len(block) == 0:
            return
        wanted -= len(block)
        yield block.T


def _join(blocks: Iterator[NDArray[np.float32]], channels: int) -> NDArray[np.float32]:
    parts = list(blocks) or [np.zeros((channels, 0), dtype=np.float32)]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _read_pyav(path: Path, span: _Span, beginning: bytes) -> Audio:
    import av

    try:
        with av.open(str(path.absolute()), options=_PYAV_OPTIONS, metadata_errors="replace") as container:
            if not container.streams.audio:
                raise UnreadableAudio(f"{path}: has no sound in it, only other tracks; name a recording")
            stream = container.streams.audio[0]
            channels, rate = stream.codec_context.channels, int(stream.rate or 0)
            _check_rate(path, rate)
            samples = _join(_frames(container, stream), channels)
            promised = _promised_duration(container, stream)
    except av.FFmpegError as problem:
        raise UnreadableAudio(
            f"{path}: cannot be decoded as audio (begins with {_printable(beginning)}; {problem.strerror}); "
            "get the file again, or convert it to WAV or FLAC"
        ) from None
    held = samples.shape[1] / rate
    if promised is not None and promised - held > _SHORTFALL:
        raise UnreadableAudio(
            f"{path}: the file is truncated: it promises {promised:.3f} s and {held:.3f} s are there; get "
            "the whole file again"
        )
    begin, stop = span.bounds(path, rate, samples.shape[1]) if samples.size else (0, 0)
    return Audio(samples[:, begin:stop], rate)


def _frames(container: Any, stream: Any) -> Iterator[NDArray[np.float32]]:
    from av.audio.resampler import AudioResampler

    # Converts the sample format only; a stream that changes its rate or layout half-way is brought to its first.
    resampler = AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    for frame in container.decode(stream):
        for converted in resampler.resample(frame):
            yield converted.to_ndarray()
    for converted in resampler.resample(None):
        yield converted.to_ndarray()


def _promised_duration(container: Any, stream: Any) -> float | None:
    """Seconds of sound that the container says it holds, where it knows and does not only estimate."""
    if not container.format.name.startswith(_KNOWS_ITS_DURATION):
        return None
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return float(container.duration) / 1_000_000
    return None


def _printable(beginning: bytes) -> str:
    return ascii(beginning[:8].decode("latin-1"))
