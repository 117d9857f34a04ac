"""The same recording under several ids is found, whatever was done to its file; another take of its words is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.signal import resample_poly
from typer.testing import CliRunner

from scripts.duplicate_pairs import figures, mp3, search
from workbench.audio.acoustic_fingerprint import Fingerprint, fingerprint
from workbench.audio.decode import read_audio
from workbench.audio.duplicates import RE_ENCODED, kind_of
from workbench.audio.encode import write_audio
from workbench.audio.same_recording import compare
from workbench.audio.speech_band import speech_band
from workbench.cli.app import app
from workbench.config import config_text
from workbench.demo.corpus import CORPUS
from workbench.errors import BadInput
from workbench.stages.check import check
from workbench.stages.duplicates import duplicates, duplicates_in
from workbench.stages.import_manifest import import_manifest
from workbench.stages.normalize import normalize
from workbench.workspace import Workspace

AUDIO = CORPUS / "audio"
RATE = 16_000


def clip(name: str) -> np.ndarray:
    """The samples of a clip of the demo corpus, shape (1, samples), 16 kHz."""
    return read_audio(AUDIO / f"{name}.flac").samples


def write(directory: Path, **clips: np.ndarray) -> Path:
    for name, samples in clips.items():
        write_audio(directory / f"{name}.wav", samples.astype(np.float32), RATE, "wav")
    return directory


def resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    return resample_poly(samples, rate, RATE, axis=1).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros((1, round(seconds * RATE)), np.float32)


def found(directory: Path) -> list[tuple[str, str, str]]:
    """What is found in a directory: the two names without their suffixes, in order, and the kind."""
    table = duplicates_in(directory).table
    names = [(Path(r.utterance_id).stem, Path(r.other_id).stem, r.kind) for r in table.itertuples()]
    return sorted((a, b, kind) if kind == "part of" else (min(a, b), max(a, b), kind) for a, b, kind in names)


@pytest.mark.parametrize(
    "copy",
    ["mp3", "8 kHz", "44.1 kHz", "12 dB quieter", "later", "silence cut off", "stereo", "turned polarity", "all"],
)
def test_a_copy_is_found(tmp_path: Path, copy: str) -> None:
    original = clip("q001")
    late = np.concatenate([silence(0.437), original, silence(0.2)], axis=1)
    made = {
        "mp3": (mp3(original[0], RATE, 64_000)[None], RATE),
        "8 kHz": (resampled(original, 8_000), 8_000),
        "44.1 kHz": (resampled(original, 44_100), 44_100),
        "12 dB quieter": (original * 10 ** (-12 / 20), RATE),
        "later": (late, RATE),
        "silence cut off": (original, RATE),
        "stereo": (np.concatenate([original, original]), RATE),
        "turned polarity": (-original, RATE),
        "all": (mp3(resampled(late / 4, 8_000)[0], 8_000, 64_000)[None], 8_000),
    }
    samples, rate = made[copy]
    write(tmp_path, a=late if copy == "silence cut off" else original, other=clip("q002"))
    write_audio(tmp_path / "b.wav", samples.astype(np.float32), rate, "wav")
    outcome = duplicates_in(tmp_path)
    (row,) = outcome.table.to_dict("records")
    assert (row["utterance_id"], row["other_id"], row["kind"]) == ("a.wav", "b.wav", "re-encoded")
    assert row["similarity"] > 0.95
    expected = {"later": 0.437, "all": 0.437, "silence cut off": -0.437}.get(copy, 0.0)
    assert row["offset"] == pytest.approx(expected, abs=0.002)


def test_identical_samples_are_told_from_copies_that_were_re_encoded(tmp_path: Path) -> None:
    shutil.copy(AUDIO / "q001.flac", tmp_path / "a.flac")
    write(tmp_path, b=clip("q001"), c=clip("q001") / 2)
    assert found(tmp_path) == [("a", "b", "identical samples"), ("a", "c", "re-encoded")]
    table = duplicates_in(tmp_path).table
    assert table["group"].nunique() == 1


def test_a_cut_is_a_part_and_in_no_group(tmp_path: Path) -> None:
    write(tmp_path, whole=clip("q003"), piece=clip("q003")[:, 8_000:27_200], other=clip("q004"))
    assert found(tmp_path) == [("piece", "whole", "part of")]
    row = duplicates_in(tmp_path).table.iloc[0]
    assert row["offset"] == pytest.approx(0.5, abs=0.002)
    assert row["group"] is None or pd.isna(row["group"])


def test_a_clip_with_one_word_exchanged_is_no_copy(tmp_path: Path) -> None:
    spliced = clip("q003").copy()
    spliced[:, 12_000:19_200] = clip("q004")[:, 12_000:19_200]
    write(tmp_path, a=clip("q003"), b=spliced)
    assert found(tmp_path) == []


def test_clips_of_other_words_or_voices_are_not_merged() -> None:
    """The demo corpus's 154 clips: eight synthetic voices that say many words and queries again."""
    table = duplicates_in(AUDIO).table
    assert table[table["kind"] != "identical samples"].empty


def test_silence_and_clicks_are_copies_of_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(2, 1, RATE)) * 1e-3
    write(tmp_path, a=silence(1), b=silence(1), c=silence(0.5), d=silence(1) + 1e-5, noise1=noise[0], noise2=noise[1])
    write(tmp_path, click1=clip("q001")[:, 8_000:8_600], click2=clip("q001")[:, 8_000:8_600] / 2)
    assert found(tmp_path) == []


def test_a_fingerprint_survives_the_table() -> None:
    made = fingerprint(speech_band(clip("q001"), RATE))
    read = Fingerprint.from_texts(*made.to_texts())
    assert np.array_equal(read.codes, made.codes)
    assert np.array_equal(read.keys, made.keys)
    assert len(made.keys) > 10


def test_the_speech_band_of_a_long_recording_has_no_seams() -> None:
    long = np.concatenate([clip(f"q{i:03}") for i in range(1, 13)], axis=1)
    seconds = long.shape[1] / RATE
    assert seconds > 25
    whole = speech_band(long, RATE)
    shifted = speech_band(long[:, RATE // 2 :], RATE)
    match = compare(shifted, whole, 0.5)
    assert match.similarity > 0.9999
    assert match.weakest > 0.999
    assert kind_of(compare(whole, whole, 0.0)) == RE_ENCODED


def workspace_of(directory: Path, audio: dict[str, str], texts: dict[str, str]) -> Workspace:
    rows = [{"utterance_id": name, "audio": str(directory / audio[name]), "text": texts[name]} for name in audio]
    pd.DataFrame(rows).to_csv(directory / "manifest.csv", index=False)
    workspace = Workspace.create(directory / "workspace", config_text("test", "en", 0.2))
    import_manifest(workspace, directory / "manifest.csv")
    return workspace


def test_transcripts_of_copies_are_compared_as_those_of_one_clip(tmp_path: Path) -> None:
    write(tmp_path, a=clip("q001"), c=clip("q002"))
    write(tmp_path, b=mp3(clip("q001")[0] / 4, RATE, 64_000)[None])
    texts = {"a": "play some jazz", "b": "play sam jazz", "c": "play some jazz music"}
    workspace = workspace_of(tmp_path, {name: f"{name}.wav" for name in texts}, texts)
    normalize(workspace)
    check(workspace)
    assert workspace.read("conflicts").empty
    outcome = duplicates(workspace)
    assert outcome.counts["groups"] == 1
    check(workspace)
    conflicts = workspace.read("conflicts")
    assert sorted(conflicts["utterance_id"]) == ["a", "b"]
    assert conflicts["group"].nunique() == 1
    # A recording that is another one by now is compared with the copies of its former self no more.
    write(tmp_path, b=clip("q005"))
    normalize(workspace)
    check(workspace)
    assert workspace.read("conflicts").empty


def test_fingerprints_are_made_once_and_a_bad_file_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, a=clip("q001"), b=clip("q001") / 2)
    (tmp_path / "bad.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing")
    texts = dict.fromkeys(["a", "b", "bad"], "play jazz")
    workspace = workspace_of(tmp_path, {name: f"{name}.wav" for name in texts}, texts)
    first = duplicates(workspace)
    assert (first.counts["fingerprinted"], first.counts["groups"], first.counts["faults"]) == (2, 1, 1)
    assert first.faults["item"].tolist() == ["bad"]
    assert first.faults["stage"].tolist() == ["duplicates"]
    again = duplicates(workspace)
    assert (again.counts["fingerprinted"], again.counts["groups"]) == (0, 1)
    assert again.table.equals(workspace.read("duplicates"))
    write(tmp_path, b=clip("q002"))
    changed = duplicates(workspace)
    assert (changed.counts["fingerprinted"], changed.counts["groups"]) == (1, 0)


def test_the_command_prints_the_copies_in_a_directory(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path, a=clip("q001"))
    write(tmp_path / "sub", b=clip("q001") / 2)
    done = CliRunner().invoke(app, ["duplicates", str(tmp_path), "--format", "json"])
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert (row["utterance_id"], row["other_id"], row["kind"]) == ("a.wav", "sub/b.wav", "re-encoded")
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    assert CliRunner().invoke(app, ["duplicates", str(tmp_path)]).exit_code == 1
    (tmp_path / "none").mkdir()
    assert isinstance(CliRunner().invoke(app, ["duplicates", str(tmp_path / "none")]).exception, BadInput)


def test_takes_of_a_digit_by_one_speaker_are_as_many_recordings(shared_data: Path) -> None:
    """The protocol of scripts/duplicate_pairs.py on takes that differ least."""
    paths = sorted((shared_data / "fsdd" / "recordings").glob("6_nicolas_*.wav"))[::3]
    result = figures("6_nicolas", search(paths, workers=1))
    assert (result["recordings"], result["true_pairs"]) == (17, 17 * 36)
    assert result["different_recordings_merged"] == []
    assert result["precision"] == 1
    assert result["recall"] > 0.995
