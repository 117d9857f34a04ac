"""Quality measures on signals whose truth is known, and the tags made from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.audio.decode import read_audio
from workbench.audio.quality import measure, quality_tags
from workbench.audio.resample import resample

RATE = 16_000


def syllables(seconds: float = 10.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Noise bursts of 0.2 s at varying levels with pauses of 0.3 s between them; float32, shape (1, samples)."""
    rng = np.random.default_rng(seed)
    envelope = np.zeros(round(seconds * rate))
    for start in np.arange(0.25, seconds - 0.2, 0.5):
        envelope[round(start * rate) : round((start + 0.2) * rate)] = rng.uniform(0.05, 0.2)
    return (envelope * rng.standard_normal(len(envelope)))[None].astype(np.float32)


def noise(level: float, n: int, seed: int = 1) -> np.ndarray:
    """White noise of a level (dBFS, root mean square)."""
    return (10 ** (level / 20) * np.random.default_rng(seed).standard_normal((1, n))).astype(np.float32)


def with_noise(speech: np.ndarray, added: np.ndarray, snr: float) -> np.ndarray:
    """Speech and noise mixed at a known ratio (dB) of their mean powers."""
    scale = np.sqrt(np.mean(np.square(speech)) / np.mean(np.square(added)) / 10 ** (snr / 10))
    return (speech + scale * added).astype(np.float32)


def test_signal_to_noise_ratio_of_real_speech_in_a_kitchen(shared_data: Path) -> None:
    clips = [read_audio(path).samples for path in sorted((shared_data / "librivox").glob("*.wav"))]
    kitchen = read_audio(shared_data / "noise" / "kitchen.flac").samples
    rng = np.random.default_rng(0)
    means = []
    for snr in (0, 5, 10, 20):
        estimates = []
        for clip in clips * 4:
            at = rng.integers(0, kitchen.shape[1] - clip.shape[1])
            estimates.append(measure(with_noise(clip, kitchen[:, at : at + clip.shape[1]], snr), RATE).snr)
        means.append(np.mean([value for value in estimates if value is not None]))
        assert means[-1] == pytest.approx(snr, abs=4.5 if snr == 0 else 3)
    assert means == sorted(means)


@pytest.mark.parametrize("snr", [0, 5, 10, 20, 30])
def test_signal_to_noise_ratio_in_white_noise(snr: float) -> None:
    speech = syllables()
    value = measure(with_noise(speech, noise(0, speech.shape[1]), snr), RATE).snr
    assert value == pytest.approx(snr, abs=4.5 if snr == 0 else 3)


def test_no_signal_to_noise_ratio_without_speech_or_without_noise() -> None:
    assert measure(noise(-40, 5 * RATE), RATE).snr is None
    assert measure(syllables(), RATE).snr is None  # the pauses are digital silence
    assert measure(np.zeros((1, RATE), dtype=np.float32), RATE).snr is None


def test_speech_is_found_between_the_pauses() -> None:
    quality = measure(syllables() + noise(-70, 10 * RATE), RATE)
    assert quality.speech_seconds == pytest.approx(19 * 0.2, abs=1.0)
    assert quality.silence_share == pytest.approx(1 - quality.speech_seconds / 10)
    assert measure(noise(-75, 10 * RATE), RATE).speech_seconds == 0
    assert measure(np.zeros((2, 500), dtype=np.float32), RATE).silence_share == 1


@pytest.mark.parametrize("gain", [1.0, 0.3, 0.05])
def test_clipping_is_found_also_after_it_was_turned_down(shared_data: Path, gain: float) -> None:
    speech = read_audio(sorted((shared_data / "librivox").glob("*.wav"))[0]).samples
    speech = speech / np.abs(speech).max()
    assert measure(speech * np.float32(gain * 0.999), RATE).clipped_share < 1e-5
    clipped = np.rint(np.clip(speech * 3, -1, 1) * gain * 32767) / 32768
    at_rail = np.mean(np.abs(clipped) >= np.abs(clipped).max() - 1e-9)
    measured = measure(clipped.astype(np.float32), RATE).clipped_share
    assert at_rail > 0.002 and 0.6 * at_rail < measured <= 1.05 * at_rail


@pytest.mark.parametrize("level", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("frequency", [100, 440, 1000])
def test_the_round_tops_of_a_tone_are_not_clipped(level: float, frequency: int) -> None:
    tone = level * np.sin(2 * np.pi * frequency * np.arange(48_000) / 48_000)
    pcm = (np.rint(tone * 32767) / 32768)[None].astype(np.float32)
    assert measure(pcm, 48_000).clipped_share == 0


def test_clipping_in_one_channel_is_seen() -> None:
    good = syllables()
    bad = np.clip(good * 20, -1, 1)
    both = measure(np.concatenate([good, bad]), RATE).clipped_share
    assert 0 < both == pytest.approx(measure(bad, RATE).clipped_share / 2, rel=0.01)


def test_bandwidth_of_telephone_speech_stays_when_it_is_upsampled(shared_data: Path) -> None:
    for path in sorted((shared_data / "fsdd" / "recordings").glob("*_1.wav"))[::10]:
        upsampled = resample(read_audio(path).samples, 8_000, RATE)
        bandwidth = measure((np.rint(upsampled * 32768) / 32768).astype(np.float32), RATE).bandwidth
        assert bandwidth == pytest.approx(4000, abs=250)
    for path in sorted((shared_data / "speechocean762" / "audio").glob("*.flac"))[:40]:
        assert (measure(read_audio(path).samples, RATE).bandwidth or 0) > 6500


@pytest.mark.parametrize("frequency", [500, 2000, 6000])
def test_bandwidth_of_a_tone(frequency: int) -> None:
    tone = 0.1 * np.sin(2 * np.pi * frequency * np.arange(5 * RATE) / RATE)
    assert measure(tone[None].astype(np.float32), RATE).bandwidth == pytest.approx(frequency, abs=200)


def test_dc_offset() -> None:
    assert measure(syllables() + np.float32(0.03), RATE).dc_offset == pytest.approx(0.03, abs=0.002)
    assert measure(np.full((1, RATE), 0.25, dtype=np.float32), RATE).dc_offset == pytest.approx(0.25)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 5000),
    st.integers(1, 3),
    st.sampled_from([4_000, 8_000, 16_000, 44_100, 192_000]),
    st.floats(0, 100),
    st.integers(0, 9),
)
def test_measures_are_always_in_their_bounds(n: int, channels: int, rate: int, scale: float, seed: int) -> None:
    signal = (np.random.default_rng(seed).standard_normal((channels, n)) * scale).astype(np.float32)
    quality = measure(signal, rate)
    assert 0 <= quality.clipped_share <= 1 and 0 <= quality.silence_share <= 1
    assert 0 <= quality.speech_seconds <= n / rate + 1e-9
    assert quality.bandwidth is None or 0 <= quality.bandwidth <= rate / 2
    assert quality.snr is None or -10 <= quality.snr < 200
    assert np.isfinite(quality.dc_offset)


def test_tags() -> None:
    measures = pd.DataFrame(
        {
            "utterance_id": ["u1", "u2", "u3", "u4"],
            "loudness": [-41.0, -23.0, np.nan, -10.0],
            "clipped_share": [0.0, 0.01, 0.0, 0.0001],
            "snr": [3.0, 15.0, np.nan, 40.0],
            "silence_share": [0.2, 0.9, 1.0, 0.0],
            "bandwidth": [3900.0, 8000.0, np.nan, 5000.0],
            "duration": [1.0, 2.0, 7.5, 20.0],
        }
    )
    expected = """\
             loudness_band clipping         snr_band          silence        band  duration_band
utterance_id
u1                too_quiet    clean   noisy (<10 dB)          speech  narrowband     under 2 s
u2                   normal  clipped  fair (10-20 dB)  mostly_silence    wideband         2-5 s
u3                     None    clean             None  mostly_silence        None        5-15 s
u4                     loud  clipped  clean (>=30 dB)          speech    wideband  15 s and over"""
    shown = quality_tags(measures).to_string(na_rep="None")
    assert [line.split() for line in shown.splitlines()] == [line.split() for line in expected.splitlines()]
