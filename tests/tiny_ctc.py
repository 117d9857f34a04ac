"""A very small CTC model that really recognises spoken digits, trained once and kept in the repository's cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from scripts.train_tiny_ctc import SAMPLING_RATE, digit_strings, read_digits
from workbench.asr.backend import Clip
from workbench.audio.encode import write_audio

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "train_tiny_ctc.py"
SETTINGS = ("--minutes", "2", "--seed", "0", "--held-out-speaker", "george")


def trained_tiny_ctc(shared_data: Path) -> Path:
    """The model's directory; training takes about two minutes the first time."""
    data = shared_data / "fsdd"
    if not (data / "recordings").is_dir():
        pytest.skip(f"no spoken digits: {data / 'recordings'} is not there")
    named = hashlib.sha256(SCRIPT.read_bytes() + repr(SETTINGS).encode()).hexdigest()[:12]
    directory = ROOT / ".cache" / f"tiny-ctc-{named}"
    if not directory.is_dir():
        directory.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent) as place:
            made = Path(place) / "model"
            command = [sys.executable, str(SCRIPT), str(made), "--data", str(data), "--no-score", *SETTINGS]
            subprocess.run(command, check=True, cwd=ROOT)
            if not directory.is_dir():  # another run of the tests may have been faster
                os.rename(made, directory)
    return directory


def spoken_digit_strings(shared_data: Path, place: Path, count: int) -> list[tuple[Clip, str]]:
    """Clips of digit strings from recordings that training never saw, with their texts.

    Half are by speakers that it knows, half by one that it does not.
    """
    digits = read_digits(shared_data / "fsdd")
    known = [digit for digit in digits if digit.index < 5 and digit.speaker != "george"]
    new = [digit for digit in digits if digit.speaker == "george"]
    strings = digit_strings(known, count // 2, seed=1) + digit_strings(new, count - count // 2, seed=2)
    clips = []
    for number, (samples, text) in enumerate(strings):
        path = place / f"{number}.wav"
        write_audio(path, samples[None], SAMPLING_RATE, "wav")
        clips.append((Clip(f"{number:03}", path, None, None, len(samples) / SAMPLING_RATE), text))
    return clips


def area_under_curve(scores: np.ndarray, wrong: np.ndarray) -> float:
    """The chance that a wrong utterance has a lower score than a right one (ties count half)."""
    bad, good = scores[wrong], scores[~wrong]
    lower = (bad[:, None] < good[None, :]).mean()
    return float(lower + 0.5 * (bad[:, None] == good[None, :]).mean())
