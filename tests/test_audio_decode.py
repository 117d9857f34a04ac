"""Reading recordings: every format, spans, and every way in which a file can be bad; writing, and the hashes."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.audio.decode import Audio, read_audio, select_channel
from workbench.audio.encode import write_audio
from workbench.audio.fingerprint import content_hash, samples_hash
from workbench.audio.resample import resample
from workbench.errors import UnreadableAudio

RATE = 16_000


def tones(seconds: float = 2.0, channels: int = 1, rate: int = RATE) -> np.ndarray:
    """Shape (channels, samples); each channel has a frequency of its own, so that channels and times can be told."""
    times = np.arange(round(seconds * rate)) / rate
    rising = 0.3 + 0.5 * times / seconds
    signals = [0.5 * rising * np.sin(2 * np.pi * 300 * (i + 1) * times) for i in range(channels)]
    return np.stack(signals).astype(np.float32)


def write_with_pyav(
    path: Path, samples: np.ndarray, codec: str, rate: int = RATE, options: dict[str, str] | None = None
) -> Path:
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        for begin in range(0, samples.shape[1], 960):
            frame = av.AudioFrame.from_ndarray(samples[:, begin : begin + 960].copy(), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, begin
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def wav_bytes(samples: bytes = b"\1\0" * 1000, *, data_bytes: int | None = None, rate: int = RATE) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    length = len(samples) if data_bytes is None else data_bytes
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(samples))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + (b"data" + struct.pack("<I", length) + samples)
    )


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def reason(path: Path, start: float | None = None, end: float | None = None) -> str:
    with pytest.raises(UnreadableAudio) as caught:
        read_audio(path, start, end)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message.removeprefix(f"{path}: ")


# --- What can be read ---


@pytest.mark.parametrize(
    ("name", "subtype", "error"),
    [
        ("a.wav", "PCM_16", 3.1e-5),
        ("a.wav", "PCM_24", 1e-6),
        ("a.wav", "PCM_32", 1e-6),
        ("a.wav", "PCM_U8", 8e-3),
        ("a.wav", "FLOAT", 0),
        ("a.wav", "ULAW", 2e-2),
        ("a.flac", "PCM_16", 3.1e-5),
        ("a.flac", "PCM_24", 1e-6),
        ("a.aiff", "PCM_16", 3.1e-5),
        ("a.ogg", "VORBIS", 0.1),
        ("a.mp3", "MPEG_LAYER_III", 0.1),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_reads_what_soundfile_writes(tmp_path: Path, name: str, subtype: str, error: float, channels: int) -> None:
    samples = tones(channels=channels)
    soundfile.write(tmp_path / name, samples.T, RATE, subtype=subtype)
    audio = read_audio(tmp_path / name)
    assert audio.sampling_rate == RATE and audio.samples.dtype == np.float32
    assert audio.samples.shape == samples.shape
    assert np.abs(audio.samples - samples)[:, 500:-500].max() <= error


@pytest.mark.parametrize(
    ("name", "codec", "rate"), [("a.m4a", "aac", RATE), ("a.mp4", "aac", 44_100), ("a.webm", "libopus", 48_000)]
)
def test_reads_what_only_pyav_can(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write_with_pyav(tmp_path / name, tones(rate=rate), codec, rate)
    audio = read_audio(path)
    assert audio.sampling_rate == rate and audio.channels == 1
    assert audio.duration == pytest.approx(2.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(audio.samples[0]))
    assert spectrum.argmax() * rate / audio.samples.shape[1] == pytest.approx(300, abs=2)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.m4a"])
def test_a_span_is_a_part_of_the_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.m4a":
        write_with_pyav(path, tones(), "aac")
    else:
        soundfile.write(path, tones()[0], RATE)
    whole = read_audio(path).samples
    part = read_audio(path, 0.5, 1.25).samples
    assert part.shape == (1, 12_000)
    assert np.abs(part - whole[:, 8_000:20_000]).max() < 1e-6
    assert np.allclose(read_audio(path, 0.5, None).samples, whole[:, 8_000:], atol=1e-6)
    assert np.array_equal(read_audio(path, float("nan"), float("nan")).samples, whole)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_from_a_pipe_does_not_know_its_length(tmp_path: Path, length: int) -> None:
    path = saved(tmp_path / "a.wav", wav_bytes(data_bytes=length))
    assert read_audio(path).samples.shape == (1, 1000)


def test_an_mp3_that_does_not_say_its_length_is_read_whole(tmp_path: Path) -> None:
    # Its second half is louder and takes more bits, so what the first frame lets one expect is far too short or long.
    samples = np.concatenate([np.zeros((1, 5 * RATE)), tones(5.0)], axis=1).astype(np.float32)
    path = write_with_pyav(tmp_path / "a.mp3", samples, "libmp3lame", options={"write_xing": "0"})
    assert b"Xing" not in path.read_bytes() and b"Info" not in path.read_bytes()
    assert read_audio(path).duration == pytest.approx(10, abs=0.2)
    assert read_audio(path, 6.0, 7.0).samples.std() > 0.1


def test_content_decides_and_not_the_suffix(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tones()[0], RATE)
    renamed = (tmp_path / "a.wav").rename(tmp_path / "음성 녹음.mp3")
    assert read_audio(renamed).samples.shape == (1, 2 * RATE)


def test_channels_are_mixed_or_chosen() -> None:
    samples = tones(channels=3)
    path = Path("a.wav")
    assert np.allclose(select_channel(path, samples, "mix"), samples.mean(axis=0, keepdims=True))
    assert np.array_equal(select_channel(path, samples, 2), samples[2:])
    with pytest.raises(UnreadableAudio, match=r"a.wav: has 3 channel\(s\), so no channel 3"):
        select_channel(path, samples, 3)


# --- What cannot ---


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("awful.wav", "the WAV header is broken: it says 1092676 Hz, but its 88200 bytes a second mean 44100 Hz"),
        ("bad.wav", "its chunk 'fmt ' claims 1717986918 bytes where only 24 are left"),
        ("evil.wav", "its chunk 'HURF' claims 960051513 bytes where only 5000 are left"),
        ("null.wav", "no samples: the WAV header says 0 bytes of them"),
    ],
)
def test_each_malformed_file_has_its_own_reason(shared_data: Path, name: str, found: str) -> None:
    assert found in reason(shared_data / "malformed_audio" / name)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is empty (0 bytes)"),
        (b"hello, this is not audio at all\n" * 20, "cannot be decoded as audio (begins with 'hello, t'"),
        (wav_bytes()[:1000], "the file is truncated: its WAV header promises 2000 bytes of samples and 956 are there"),
        (wav_bytes()[:40], "not followed by any samples"),
        (wav_bytes(data_bytes=0), "says 0 bytes of them though 2000 bytes follow (it was never finished)"),
        (wav_bytes(rate=999), "says a sampling rate of 999 Hz where 4000 to 384000 can be"),
        (b"RIFF\0\0\0\0WAVEdata\4\0\0\0\1\0\1\0", "names no format before its samples"),
    ],
)
def test_bad_content_is_named(tmp_path: Path, content: bytes, found: str) -> None:
    assert found in reason(saved(tmp_path / "a.wav", content))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.flac", "cannot be decoded to its end"),
        ("a.ogg", "truncated: it ends within an Ogg page"),
        ("a.mp3", "truncated: it promises 20.000 s"),
        ("a.m4a", "cannot be decoded as audio"),
        ("a.webm", "truncated: it promises"),
    ],
)
def test_a_truncated_file_is_never_a_shorter_recording(tmp_path: Path, name: str, found: str) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(0).standard_normal((1, 20 * RATE)).astype(np.float32) * 0.1
    if name in ("a.m4a", "a.webm"):
        rate, codec = (48_000, "libopus") if name == "a.webm" else (RATE, "aac")
        write_with_pyav(path, noise, codec, rate)
    else:
        soundfile.write(path, noise[0], RATE)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    assert found in reason(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    samples = tones(channels=2)
    samples[1, 8_000] = value
    soundfile.write(tmp_path / "a.wav", samples.T, RATE, subtype="FLOAT")
    assert f"sample 8000 of channel 1 (0.500 s) is {value}" in reason(tmp_path / "a.wav")


def test_samples_beyond_all_scale(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tones()[0] * 1e30, RATE, subtype="FLOAT")
    assert "where full scale is 1" in reason(tmp_path / "a.wav")


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "there is no such file" in reason(tmp_path / "a.wav")
    assert "is a directory" in reason(tmp_path)


@pytest.mark.parametrize(
    "playlist",
    ["#EXTM3U\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile secret.wav\n"],
)
def test_a_playlist_cannot_open_another_file(tmp_path: Path, playlist: str) -> None:
    soundfile.write(tmp_path / "secret.wav", tones()[0], RATE)
    assert "cannot be decoded as audio" in reason(saved(tmp_path / "a.m4a", playlist.encode()))


def test_a_video_without_sound(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 16
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    assert "has no sound in it" in reason(tmp_path / "a.mp4")


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_spans_are_checked_against_the_recording(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, tones()[0], RATE)
    assert "the span 1.5 to 2.5 s is not in the recording, which is 2.000 s long" in reason(path, 1.5, 2.5)
    assert "the span 2 to its end is not in the recording" in reason(path, 2.0, None)
    assert "is not a span" in reason(path, -0.1, 1.0)
    assert "is not a span" in reason(path, 1.0, 1.0)
    assert "shorter than one sample" in reason(path, 1.0, 1.00001)
    assert read_audio(path, 1.0, 2.04).samples.shape == (1, RATE)  # rounded in the manifest


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(0, 60), st.integers(0, 255), max_size=6), st.integers(0, 2100))
def test_any_damage_to_a_wav_is_an_error_of_ours_or_sound_samples(
    tmp_path: Path, damage: dict[int, int], length: int
) -> None:
    content = bytearray(wav_bytes())
    for at, value in damage.items():
        content[at] = value
    path = saved(tmp_path / "a.wav", bytes(content[:length]))
    try:
        audio = read_audio(path)
    except UnreadableAudio as problem:
        assert str(problem).startswith(str(path))
    else:
        assert audio.samples.size and np.isfinite(audio.samples).all()


# --- Writing ---


@pytest.mark.parametrize("audio_format", ["flac", "wav"])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_written_is_read_back(tmp_path: Path, audio_format: str, channels: int) -> None:
    path = tmp_path / f"말뭉치.{audio_format}"
    write_audio(path, tones(channels=channels), RATE, audio_format)  # type: ignore[arg-type]
    assert np.abs(read_audio(path).samples - tones(channels=channels)).max() <= 0.5 / 32768 + 1e-9
    assert soundfile.info(path).subtype == "PCM_16"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("audio_format", ["flac", "wav"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_nothing_half_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audio_format: str, failure: type[BaseException]
) -> None:
    path = saved(tmp_path / f"a.{audio_format}", b"as it was")

    def interrupted(*_: object) -> None:
        raise failure

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(failure):
        write_audio(path, tones(), RATE, audio_format)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == [path.name] and path.read_bytes() == b"as it was"


# --- Hashes and resampling ---


def test_samples_have_the_same_hash_in_every_lossless_file(tmp_path: Path) -> None:
    pcm = np.rint(tones(channels=2) * 32767).astype(np.int16)
    for name, subtype in (("a.wav", "PCM_16"), ("b.wav", "PCM_24"), ("c.flac", "PCM_16"), ("d.wav", "FLOAT")):
        content = pcm.T if subtype != "FLOAT" else (pcm.T / 32768).astype(np.float32)
        soundfile.write(tmp_path / name, content, RATE, subtype=subtype)
    hashes = {samples_hash(read_audio(path)) for path in tmp_path.iterdir()}
    assert len(hashes) == 1
    audio = read_audio(tmp_path / "a.wav")
    assert samples_hash(Audio(audio.samples, 8_000)) not in hashes
    assert samples_hash(Audio(-audio.samples, RATE)) not in hashes


def test_the_content_hash_knows_bytes_and_span_but_no_name(tmp_path: Path) -> None:
    first, second = saved(tmp_path / "a.wav", wav_bytes()), saved(tmp_path / "b.wav", wav_bytes())
    assert content_hash(first) == content_hash(second) == content_hash(first, float("nan"), None)
    assert len({content_hash(first), content_hash(first, 0.0, 1.0), content_hash(first, 0.0, 1.5)}) == 3
    saved(second, wav_bytes(b"\2\0" * 1000))
    assert content_hash(first) != content_hash(second)
    with pytest.raises(UnreadableAudio, match="cannot be read"):
        content_hash(tmp_path / "none.wav")


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 22_051, 44_100, 48_000])
def test_resampling_keeps_a_tone_and_its_length(rate: int) -> None:
    times = np.arange(rate * 2) / rate
    tone = np.sin(2 * np.pi * 1000 * times)[None].astype(np.float32)
    result = resample(tone, rate, RATE)
    assert result.shape == (1, 2 * RATE) and result.dtype == np.float32
    expected = np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE)
    assert np.abs(result[0] - expected)[2000:-2000].max() < 0.01
    assert resample(tone, rate, rate) is tone
