"""Loudness and true peak against the signals of EBU Tech 3341 and the definitions of ITU-R BS.1770-4."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sosfilt

from workbench.audio.decode import read_audio
from workbench.audio.k_weighting import REFERENCE_RATE, REFERENCE_SECTIONS, k_weighting, magnitude
from workbench.audio.loudness import BlockPowers, Loudness, block_powers, integrated_loudness, true_peak
from workbench.audio.resample import resample

RATES = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000)


def sine(level: float, seconds: float, rate: int, frequency: float = 1000.0) -> np.ndarray:
    """A tone whose peaks are at a level (dBFS), as Tech 3341 counts it; float32, shape (samples,)."""
    times = np.arange(round(seconds * rate)) / rate
    return (10 ** (level / 20) * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def sines(parts: list[tuple[float, float]], rate: int) -> np.ndarray:
    """Tones one after the other, each a level (dBFS) and its seconds."""
    return np.concatenate([sine(level, seconds, rate) for level, seconds in parts])


# EBU Tech 3341, table 1, cases 1 to 5: the same in both channels of a stereo signal.
CASES = {
    1: ([(-23, 20)], -23.0),
    2: ([(-33, 20)], -33.0),
    3: ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
    4: ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
    5: ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
}


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("case", CASES)
def test_ebu_tech_3341_stereo(case: int, rate: int) -> None:
    parts, expected = CASES[case]
    signal = sines(parts, rate)
    assert integrated_loudness(np.stack([signal, signal]), rate).value == pytest.approx(expected, abs=0.1)
    # One channel alone carries half the power; the absolute gate takes nothing more away in these cases.
    one = integrated_loudness(signal[None], rate)
    assert one.value == pytest.approx(expected - 3.01, abs=0.1)
    assert integrated_loudness(np.stack([signal, np.zeros_like(signal)]), rate).value == pytest.approx(one.value)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_ebu_tech_3341_case_6_five_channels(rate: int) -> None:
    levels = (-28.0, -28.0, -24.0, -30.0, -30.0)  # L R C Ls Rs
    five = np.stack([sine(level, 20, rate) for level in levels])
    assert integrated_loudness(five, rate).value == pytest.approx(-23.0, abs=0.1)
    six = np.insert(five, 3, sine(-3.0, 20, rate), axis=0)  # the LFE channel is not measured
    assert integrated_loudness(six, rate).value == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_a_full_scale_tone_reads_3_lufs_below_full_scale(rate: int) -> None:
    assert integrated_loudness(sine(0, 5, rate, 997)[None], rate).value == pytest.approx(-3.01, abs=0.03)


@pytest.mark.parametrize("rate", RATES)
def test_the_weighting_is_that_of_48_khz_at_every_rate(rate: int) -> None:
    frequencies = np.geomspace(20, min(rate / 2, 20_000), 300)
    reference = magnitude(REFERENCE_SECTIONS, frequencies, REFERENCE_RATE)
    deviation = 20 * np.log10(magnitude(k_weighting(rate), frequencies, rate) / reference)
    assert np.abs(deviation).max() < (0.03 if rate == 8_000 else 0.01)
    poles = np.concatenate([np.roots(section[3:]) for section in k_weighting(rate)])
    assert np.abs(poles).max() < 1


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seconds", [0.45, 3.3, 67.2])
def test_the_blocked_filter_is_the_recursive_one(rate: int, seconds: float) -> None:
    rng = np.random.default_rng(1)
    signal = (0.1 * rng.standard_normal(round(seconds * min(rate, 16_000))) + 0.05).astype(np.float32)
    weighted = sosfilt(k_weighting(rate).copy(), signal.astype(np.float64))
    powers = block_powers(signal[None], rate)
    assert powers.whole == pytest.approx(np.mean(weighted**2), rel=1e-5)
    starts = [k * rate // 10 for k in range(len(signal) * 10 // rate - 3)]
    expected = [np.sum(weighted[a : (k + 4) * rate // 10] ** 2) / (0.4 * rate) for k, a in enumerate(starts)]
    assert powers.powers == pytest.approx(np.array(expected), rel=1e-5)


def test_loudness_of_speech_survives_resampling(shared_data: Path) -> None:
    for path in sorted((shared_data / "librivox").glob("*.wav")):
        audio = read_audio(path)
        at_16k = integrated_loudness(audio.samples, 16_000).value
        for rate in (44_100, 48_000):
            resampled = integrated_loudness(resample(audio.samples, 16_000, rate), rate).value
            assert at_16k == pytest.approx(resampled, abs=0.02)


def test_equals_the_standard_as_printed_at_48_khz(shared_data: Path) -> None:
    for path in sorted((shared_data / "librivox").glob("*.wav")):
        samples = resample(read_audio(path).samples, 16_000, 48_000)
        weighted = sosfilt(REFERENCE_SECTIONS.copy(), samples[0].astype(np.float64))
        starts = range(0, len(weighted) - 19_200 + 1, 4_800)
        powers = np.array([np.mean(weighted[start : start + 19_200] ** 2) for start in starts])
        gated = powers[-0.691 + 10 * np.log10(powers) >= -70]
        gated = gated[gated >= gated.mean() / 10]
        expected = -0.691 + 10 * np.log10(gated.mean())
        assert integrated_loudness(samples, 48_000).value == pytest.approx(expected, abs=1e-3)


def test_clips_without_a_block_are_measured_ungated() -> None:
    short = integrated_loudness(sine(-23, 0.39, 16_000)[None], 16_000)
    assert short.method == "ungated" and short.value == pytest.approx(-26.0, abs=0.2)
    assert integrated_loudness(sine(-23, 0.4, 16_000)[None], 16_000).method == "integrated"


@pytest.mark.parametrize("seconds", [0.001, 0.3, 2.0])
@pytest.mark.parametrize("level", [-71.0, -200.0])
def test_silence_has_no_loudness(seconds: float, level: float) -> None:
    assert integrated_loudness(sine(level, seconds, 16_000)[None], 16_000) == Loudness(None, "silence")
    assert integrated_loudness(np.zeros((2, 16_000), dtype=np.float32), 16_000) == Loudness(None, "silence")


def test_gain_is_found_although_it_lifts_blocks_over_the_absolute_gate() -> None:
    # Speech at -45, softer speech at -60, a floor at -75 that counts only once it is amplified.
    signal = sines([(-42, 3), (-57, 3), (-72, 60)], 16_000)
    powers = block_powers(signal[None], 16_000)
    naive = powers.loudness(-23 - (powers.loudness().value or 0)).value
    assert naive is not None and abs(naive + 23) > 0.1
    assert powers.loudness(powers.gain_to(-23)).value == pytest.approx(-23, abs=0.01)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-60, -5), min_size=1, max_size=40), st.floats(-40, -5))
def test_gain_brings_any_levels_near_the_target(levels: list[float], target: float) -> None:
    powers = BlockPowers(10 ** (np.array(levels) / 10), 0.0)
    reached = powers.loudness(powers.gain_to(target))
    assert reached.method == "integrated" and reached.value is not None
    # Over the gate at either end nothing can be lifted over it.
    if min(levels) > -45 and target > max(levels) - 20:
        assert reached.value == pytest.approx(target, abs=1e-3)
    assert abs(reached.value - target) <= abs((powers.loudness().value or 0) - target) + 1e-9


# EBU Tech 3341, cases 15 to 19: divisor of the sampling rate, phase (°), amplitude, expected dBTP.
@pytest.mark.parametrize(
    ("divisor", "phase", "amplitude", "expected"),
    [(4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0), (4, 45, 1.41, 3.0)],
)
def test_ebu_tech_3341_true_peak(divisor: int, phase: float, amplitude: float, expected: float) -> None:
    n = np.arange(48_000)
    signal = amplitude * np.sin(2 * np.pi * n / divisor + np.deg2rad(phase))
    fade = np.minimum(1, np.minimum(n, n[::-1]) / 4800)
    peak = true_peak((signal * fade)[None].astype(np.float32), 48_000)
    assert peak is not None and -0.4 <= peak - expected <= 0.2


@pytest.mark.parametrize("seed", range(8))
def test_true_peak_looks_everywhere_it_must(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal(rng.integers(1, 5000)) * np.exp(rng.standard_normal())
    envelope = rng.choice([0.01, 0.5, 1.0], size=len(signal))
    signal = (signal * envelope).astype(np.float32)
    steps = np.arange(-16, 17)
    peaks = []
    padded = np.pad(signal.astype(np.float64), 40)
    for phase in range(4):
        distance = phase / 4 - steps
        kaiser = np.i0(6 * np.sqrt(np.maximum(0, 1 - (distance / 16) ** 2))) / np.i0(6)
        window = np.where(np.abs(distance) <= 16, kaiser, 0)
        peaks.append(np.abs(np.correlate(padded, np.sinc(distance) * window, "valid")).max())
    assert true_peak(signal[None], 16_000) == pytest.approx(20 * np.log10(max(peaks)), abs=1e-4)


def test_true_peak_of_all_channels_and_of_silence() -> None:
    loud, soft = sine(-6, 1, 16_000, 440), sine(-40, 1, 16_000, 440)
    assert true_peak(np.stack([soft, loud]), 16_000) == pytest.approx(-6, abs=0.05)
    assert true_peak(np.zeros((2, 100), dtype=np.float32), 16_000) is None


def test_longer_is_not_louder() -> None:
    values = [integrated_loudness(sine(-23, seconds, 16_000)[None], 16_000).value for seconds in (1, 10, 100, 400)]
    assert all(abs(a - b) < 0.02 for a, b in pairwise(v for v in values if v is not None))
