"""Normalising clips and directories: targets, ceilings, what is never written, and doing nothing twice."""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from workbench.audio import directory as directory_module
from workbench.audio.decode import read_audio
from workbench.audio.directory import LEDGER, find_audio, normalize_directory, output_names
from workbench.audio.loudness import integrated_loudness, true_peak
from workbench.audio.normalize import MOST_GAIN, Settings, normalize_clip, normalize_file
from workbench.errors import BadInput, UnreadableAudio
from workbench.tables import AUDIO_QUALITY

RATE = 16_000


def voice(seconds: float = 2.0, level: float = -30.0, channels: int = 1, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Noise in syllables, root mean square `level` dBFS, shape (channels, samples)."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    envelope = 0.1 + np.abs(np.sin(np.pi * 2.5 * np.arange(n) / rate))
    signal = rng.standard_normal((channels, n)) * envelope
    return (signal * 10 ** (level / 20) / np.sqrt(np.mean(signal**2))).astype(np.float32)


def saved(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.T, rate, subtype=subtype)
    return path


def measured(path: Path) -> tuple[float | None, float | None]:
    """Loudness and true peak of a file that was written."""
    audio = read_audio(path)
    return integrated_loudness(audio.samples, audio.sampling_rate).value, true_peak(audio.samples, audio.sampling_rate)


# --- One clip ---


@pytest.mark.parametrize("audio_format", ["flac", "wav"])
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (16_000, 2), (44_100, 2), (48_000, 1)])
def test_the_file_has_the_target(tmp_path: Path, rate: int, channels: int, audio_format: Any) -> None:
    source = saved(tmp_path / "a.wav", voice(rate=rate, channels=channels), rate)
    row = normalize_clip(source, None, None, tmp_path, Settings(audio_format=audio_format))
    output = tmp_path / row["output"]
    assert soundfile.info(output).samplerate == RATE and soundfile.info(output).channels == 1
    loudness, peak = measured(output)
    assert loudness == pytest.approx(-23, abs=0.1) and loudness == pytest.approx(row["output_loudness"], abs=0.01)
    assert peak == pytest.approx(row["output_true_peak"], abs=0.01)
    assert not row["gain_limited"]
    assert row["sampling_rate"] == rate and row["channels"] == channels and row["duration"] == pytest.approx(2.0)
    as_recorded = integrated_loudness(read_audio(source).samples, rate).value
    assert row["loudness"] == as_recorded


def test_a_row_is_one_of_the_table(tmp_path: Path) -> None:
    source = saved(tmp_path / "a.wav", voice())
    row = normalize_clip(source, 0.5, 1.5, tmp_path, Settings())
    assert ["utterance_id", *row] == AUDIO_QUALITY.names
    assert row["duration"] == 1.0
    assert row["output"] == f"{row['content_hash']}-{Settings().fingerprint}.flac"
    assert sorted(os.listdir(tmp_path)) == sorted([row["output"], "a.wav"])


def test_the_ceiling_holds_in_the_file(tmp_path: Path) -> None:
    spiky = voice(level=-35)
    spiky[:, ::4000] = 0.9
    row = normalize_file(saved(tmp_path / "a.wav", spiky), None, None, tmp_path / "o.wav", Settings(audio_format="wav"))
    loudness, peak = measured(tmp_path / "o.wav")
    assert row["gain_limited"] and peak is not None and loudness is not None
    assert peak <= -1 + 0.01 and peak == pytest.approx(-1, abs=0.01) and loudness < -23.1
    settings = Settings(peak_ceiling=-6, audio_format="wav")
    lower = normalize_file(tmp_path / "a.wav", None, None, tmp_path / "o.wav", settings)
    assert lower["gain"] == pytest.approx(row["gain"] - 5)


def test_the_ceiling_counts_peaks_that_resampling_makes(tmp_path: Path) -> None:
    square = (0.5 * np.sign(np.sin(2 * np.pi * 440 * np.arange(2 * 48_000) / 48_000)))[None].astype(np.float32)
    saved(tmp_path / "a.wav", square, 48_000)
    normalize_file(tmp_path / "a.wav", None, None, tmp_path / "o.flac", Settings(target=-1))
    peak = measured(tmp_path / "o.flac")[1]
    assert peak == pytest.approx(-1, abs=0.01)


@pytest.mark.parametrize(("mode", "target"), [("rms", -26.0), ("rms", -20.0), ("peak", -3.0), ("peak", -9.0)])
def test_other_modes(tmp_path: Path, mode: Any, target: float) -> None:
    source = saved(tmp_path / "a.wav", voice())
    normalize_file(source, None, None, tmp_path / "o.flac", Settings(mode=mode, target=target))
    samples = read_audio(tmp_path / "o.flac").samples.astype(np.float64)
    reached = 10 * math.log10(np.mean(samples**2)) if mode == "rms" else measured(tmp_path / "o.flac")[1]
    assert reached == pytest.approx(target, abs=0.01)


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.39])
def test_short_clips_reach_the_target_ungated(tmp_path: Path, seconds: float) -> None:
    source = saved(tmp_path / "a.wav", voice(seconds))
    row = normalize_file(source, None, None, tmp_path / "o.wav", Settings(audio_format="wav"))
    assert row["loudness_method"] == "ungated"
    assert row["output_loudness"] == pytest.approx(-23, abs=0.01) or row["gain_limited"]


@pytest.mark.parametrize("level", [-math.inf, -95.0, -80.0])
def test_silence_is_left_alone(tmp_path: Path, level: float) -> None:
    source = saved(tmp_path / "a.wav", np.nan_to_num(voice(level=level)), subtype="FLOAT")
    row = normalize_file(source, None, None, tmp_path / "o.wav", Settings(audio_format="wav"))
    assert (row["gain"], row["gain_limited"], row["loudness_method"]) == (0.0, False, "silence")
    assert row["loudness"] is None and row["output_loudness"] is None
    assert (row["true_peak"] is None) == (level == -math.inf)


def test_what_would_need_too_much_gain_gets_the_most_there_is(tmp_path: Path) -> None:
    source = saved(tmp_path / "a.wav", voice(level=-66), subtype="FLOAT")
    row = normalize_file(source, None, None, tmp_path / "o.wav", Settings(audio_format="wav"))
    assert row["gain"] == MOST_GAIN and not row["gain_limited"]
    assert row["output_loudness"] == pytest.approx(row["loudness"] + MOST_GAIN, abs=0.5)


def test_channels_that_cancel_each_other_are_silence(tmp_path: Path) -> None:
    one = voice()
    source = saved(tmp_path / "a.wav", np.concatenate([one, -one]))
    row = normalize_file(source, None, None, tmp_path / "o.flac", Settings())
    assert row["gain"] == 0 and row["loudness_method"] == "integrated" and row["output_loudness"] is None
    assert normalize_file(source, None, None, tmp_path / "o.flac", Settings(channel=1))["gain"] > 0


def test_the_rate_can_be_kept(tmp_path: Path) -> None:
    source = saved(tmp_path / "a.wav", voice(rate=44_100), 44_100)
    normalize_file(source, None, None, tmp_path / "o.flac", Settings(sampling_rate=None))
    assert soundfile.info(tmp_path / "o.flac").samplerate == 44_100


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 12_000),
    st.floats(-120, 20),
    st.sampled_from(["noise", "click", "constant", "square"]),
    st.sampled_from([Settings(), Settings("rms", -20), Settings("peak", 0, 0)]),
)
def test_no_signal_gives_a_number_that_is_none(
    tmp_path: Path, n: int, level: float, kind: str, settings: Settings
) -> None:
    signal = {
        "noise": np.random.default_rng(n).standard_normal(n),
        "click": np.eye(1, n, n // 2)[0],
        "constant": np.ones(n),
        "square": np.sign(np.sin(np.arange(n) / 10) + 1e-9),
    }[kind]
    samples = (signal * 10 ** (level / 20))[None].astype(np.float32)
    row = normalize_file(saved(tmp_path / "a.wav", samples, subtype="FLOAT"), None, None, tmp_path / "o.flac", settings)
    numbers = [value for value in row.values() if isinstance(value, float)]
    assert all(math.isfinite(value) for value in numbers) and row["gain"] <= MOST_GAIN
    _, peak = measured(tmp_path / "o.flac")
    untouched = row["output_loudness"] is None
    assert peak is None or untouched or peak <= settings.peak_ceiling + 0.01
    if settings.mode == "loudness" and row["output_loudness"] is not None and row["gain"] < MOST_GAIN:
        assert abs(row["output_loudness"] + 23) < 0.1 or row["gain_limited"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "loud"},
        {"target": 5.0},
        {"target": float("nan")},
        {"peak_ceiling": 1.0},
        {"sampling_rate": 10},
        {"channel": -1},
        {"channel": "left"},
        {"audio_format": "mp3"},
    ],
)
def test_settings_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Settings(**wrong)


def test_settings_have_one_fingerprint_each() -> None:
    variants = [Settings(), Settings(mode="rms"), Settings(target=-20), Settings(peak_ceiling=-2)]
    variants += [Settings(sampling_rate=None), Settings(sampling_rate=8_000), Settings(channel=0), Settings(channel=1)]
    variants += [Settings(audio_format="wav")]
    assert len({settings.fingerprint for settings in variants}) == len(variants)
    assert Settings(target=-23).fingerprint == Settings().fingerprint  # type: ignore[arg-type]


# --- Directories ---


def corpus(root: Path) -> Path:
    """Five recordings, one broken, one that is none, one hidden."""
    for i, name in enumerate(["a.wav", "a.flac", "b/c.WAV", "b/한국어.wav", "d.ogg"]):
        saved(root / name, voice(0.5 + i / 10, seed=i))
    (root / "broken.mp3").write_bytes(b"not audio")
    (root / "notes.txt").write_text("ignored", encoding="utf-8")
    saved(root / ".hidden.wav", voice())
    saved(root / ".trash/x.wav", voice())
    return root


def test_a_directory_is_mirrored(tmp_path: Path) -> None:
    source, target = corpus(tmp_path / "in"), tmp_path / "out"
    steps: list[tuple[int, int]] = []
    results, faults = normalize_directory(source, target, workers=1, on_progress=lambda *step: steps.append(step))
    assert {row["source"]: row["output"] for row in results} == {
        "a.flac": "a.flac.flac",
        "a.wav": "a.wav.flac",
        "b/c.WAV": "b/c.flac",
        "b/한국어.wav": "b/한국어.flac",
        "d.ogg": "d.flac",
    }
    written = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert written == {row["output"] for row in results} | {LEDGER}
    for row in results:
        assert measured(target / row["output"])[0] == pytest.approx(-23, abs=0.1) or row["gain_limited"]
    assert [(fault["stage"], fault["item"]) for fault in faults] == [("normalize", "broken.mp3")]
    assert faults[0]["reason"].startswith(faults[0]["location"])
    assert steps[-1] == (6, 6) and steps == sorted(steps)
    assert find_audio(source).ignored == 1


def test_the_second_run_does_nothing(tmp_path: Path) -> None:
    source, target = corpus(tmp_path / "in"), tmp_path / "out"
    first, _ = normalize_directory(source, target, workers=1)
    before = {path: path.stat().st_mtime_ns for path in target.rglob("*")}
    second, faults = normalize_directory(source, target, workers=1)
    assert {path: path.stat().st_mtime_ns for path in target.rglob("*") if path.name != LEDGER} == {
        path: time for path, time in before.items() if path.name != LEDGER
    }
    assert all(row["reused"] for row in second) and len(faults) == 1
    assert [{**row, "reused": False} for row in second] == first
    assert (target / LEDGER).read_text(encoding="utf-8").count("\n") == len(first)
    again, _ = normalize_directory(source, target, workers=1, resume=False)
    assert not any(row["reused"] for row in again)


@pytest.mark.parametrize("change", ["input", "output deleted", "output cut", "ledger torn"])
def test_only_what_changed_is_done_again(tmp_path: Path, change: str) -> None:
    source, target = corpus(tmp_path / "in"), tmp_path / "out"
    normalize_directory(source, target, workers=1)
    ledger = (target / LEDGER).read_bytes()
    last = json.loads(ledger.splitlines()[-1])
    if change == "input":
        saved(source / last["source"], voice(seed=99))
    elif change == "output deleted":
        (target / last["output"]).unlink()
    elif change == "output cut":
        (target / last["output"]).write_bytes(b"fLaC")
    else:
        (target / LEDGER).write_bytes(ledger[:-20])
    second, _ = normalize_directory(source, target, workers=1)
    assert [row["source"] for row in second if not row["reused"]] == [last["source"]]
    third, _ = normalize_directory(source, target, workers=1)
    assert all(row["reused"] for row in third)


def test_other_settings_do_it_again(tmp_path: Path) -> None:
    source, target = corpus(tmp_path / "in"), tmp_path / "out"
    normalize_directory(source, target, Settings(), workers=1)
    results, _ = normalize_directory(source, target, Settings(target=-30), workers=1)
    assert not any(row["reused"] for row in results)
    assert measured(target / "d.flac")[0] == pytest.approx(-30, abs=0.1)


def test_the_output_may_lie_in_the_input_but_is_no_input(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    for _ in range(2):
        results, _ = normalize_directory(source, source / "out", workers=1)
        assert len(results) == 5
    for target in (source, tmp_path):
        with pytest.raises(BadInput, match="would be mixed with the recordings"):
            normalize_directory(source, target)
    with pytest.raises(BadInput, match="is not a directory"):
        normalize_directory(tmp_path / "none", tmp_path / "out")


def test_links_do_not_lead_outside(tmp_path: Path) -> None:
    source = tmp_path / "in"
    inside = saved(source / "a.wav", voice())
    outside = saved(tmp_path / "secret.wav", voice())
    (source / "good.wav").symlink_to(inside)
    (source / "bad.wav").symlink_to(outside)
    (source / "nowhere.wav").symlink_to(tmp_path / "none.wav")
    (source / "up").symlink_to(tmp_path)
    (source / "loop").symlink_to(source)
    results, faults = normalize_directory(source, tmp_path / "out", workers=1)
    assert [row["source"] for row in results] == ["a.wav", "good.wav"]
    assert [fault["item"] for fault in faults] == ["bad.wav", "nowhere.wav", "up"]


def test_many_workers_give_the_same(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for i in range(40):
        saved(source / f"{i:02d}.wav", voice(0.5, seed=i))
    (source / "broken.wav").write_bytes(b"RIFF")
    one = normalize_directory(source, tmp_path / "one", workers=1)
    two = normalize_directory(source, tmp_path / "two", workers=2)
    assert one == two and len(one[0]) == 40 and len(one[1]) == 1
    for row in one[0]:
        assert (tmp_path / "one" / row["output"]).read_bytes() == (tmp_path / "two" / row["output"]).read_bytes()


CRASHING = """
import os
from dataclasses import dataclass
from pathlib import Path

@dataclass
class Crashing:
    source_root: Path

    def __call__(self, task):
        if task.source.startswith("x"):
            os._exit(1)
        return {"source": task.source}
"""


def test_a_decoder_that_crashes_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # In place of the work on a file: the process dies at every file named x.
    (tmp_path / "crashing.py").write_text(CRASHING, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    work = importlib.import_module("crashing").Crashing(tmp_path)
    names = [f"{i:03d}" for i in range(50)]
    names[5], names[45] = "x1", "x2"
    tasks = [directory_module._Task(name, name, None) for name in names]
    rows = list(directory_module._outcomes(tasks, work, 2))
    assert sorted(row["item"] for row in rows if "reason" in row) == ["x1", "x2"]
    assert sorted(row["source"] for row in rows if "source" in row) == sorted(set(names) - {"x1", "x2"})


def test_an_unexpected_error_is_a_fault_and_a_full_disk_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = corpus(tmp_path / "in")

    def surprised(*_: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(directory_module, "normalize_file", surprised)
    results, faults = normalize_directory(source, tmp_path / "out", workers=1)
    assert not results and len(faults) == 6 and all("ValueError: odd" in fault["reason"] for fault in faults)
    monkeypatch.undo()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.audio.normalize.write_audio", full)
    with pytest.raises(BadInput, match="cannot be written"):
        normalize_directory(source, tmp_path / "out", workers=1)


def test_parts_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    source, target = corpus(tmp_path / "in"), tmp_path / "out"
    (target / "b").mkdir(parents=True)
    finished = subprocess.Popen([sys.executable, "-c", ""])
    finished.wait()
    stale, live = target / "b" / f".c.flac.{finished.pid}.part", target / f".a.flac.{os.getpid()}.part"
    stale.touch()
    live.touch()
    normalize_directory(source, target, workers=1)
    assert not stale.exists() and live.exists()


def test_names_never_meet() -> None:
    files = [Path(name) for name in ("a.mp3", "a.wav", "a.wav.mp3", "A.ogg", "b.wav")]
    names = output_names(files, "flac")
    assert len({str(name).casefold() for name in names.values()}) == len(files)
    assert names[Path("b.wav")] == Path("b.flac")


def test_real_speech_in_every_format(tmp_path: Path, shared_data: Path) -> None:
    from tests.test_audio_decode import write_with_pyav

    for i, path in enumerate(sorted((shared_data / "speechocean762" / "audio").glob("*.flac"))[:12]):
        samples = read_audio(path).samples
        suffix = ("wav", "flac", "mp3", "m4a")[i % 4]
        target = tmp_path / "in" / f"{path.stem}.{suffix}"
        if suffix == "m4a":
            write_with_pyav(target, samples, "aac")
        else:
            saved(target, samples)
    results, faults = normalize_directory(tmp_path / "in", tmp_path / "out", workers=1)
    assert len(results) == 12 and not faults
    for row in results:
        loudness, peak = measured(tmp_path / "out" / row["output"])
        assert loudness == pytest.approx(-23, abs=0.1) or row["gain_limited"]
        assert peak is not None and peak <= -1 + 0.01


def test_malformed_files_are_faults_and_leave_nothing(tmp_path: Path, shared_data: Path) -> None:
    results, faults = normalize_directory(shared_data / "malformed_audio", tmp_path / "out", workers=1)
    assert not results and [fault["item"] for fault in faults] == ["awful.wav", "bad.wav", "evil.wav", "null.wav"]
    assert len({fault["reason"].split(": ", 1)[1] for fault in faults}) == 4
    assert os.listdir(tmp_path / "out") == [LEDGER]
    with pytest.raises(UnreadableAudio):
        normalize_clip(shared_data / "malformed_audio" / "null.wav", None, None, tmp_path, Settings())
