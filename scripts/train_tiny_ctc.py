"""Train a very small CTC model on spoken digit strings and save it where the transformers backend can load it.

    python scripts/train_tiny_ctc.py OUT_DIR [--data DIR] [--minutes N] [--seed N] [--held-out-speaker NAME]

The strings are spliced from single spoken digits (the Free Spoken Digit Dataset). Recordings 0 to 4 of each speaker
and digit, the dataset's own test split, are held out. Training starts with single digits and lengthens the strings:
a model that sees long strings from the start stays stuck at the blank token. The work is a fixed number of steps for
each of `--minutes` (minutes on one quiet core), so the same settings and seed give the same model.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

Samples = NDArray[np.float32]
Draw = Callable[[np.random.Generator, int, int], list[tuple[Samples, str]]]
"""Called with a generator, the longest string and how many; returns strings to train on, with their labels."""

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SAMPLING_RATE = 8000
HELD_OUT_INDICES = range(5)
STEPS_PER_MINUTE = 700
BATCH = 16
LONGEST_STRING = 6
DEFAULT_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "fsdd"


@dataclass(frozen=True)
class Digit:
    """One spoken digit: who said it, which one, the number of the recording, and its samples (8 kHz, mono)."""

    speaker: str
    digit: int
    index: int
    samples: Samples


def read_digits(data: Path) -> list[Digit]:
    """Every recording under `data/recordings`, named `{digit}_{speaker}_{index}.wav`, in the order of the names."""
    from workbench.audio.decode import read_audio
    from workbench.audio.resample import resample

    digits = []
    for path in sorted((data / "recordings").glob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        audio = read_audio(path)
        samples = resample(audio.samples, audio.sampling_rate, SAMPLING_RATE).mean(axis=0)
        digits.append(Digit(speaker, int(digit), int(index), samples))
    if not digits:
        raise SystemExit(f"{data / 'recordings'}: no recordings; give --data the Free Spoken Digit Dataset's directory")
    return digits


def splice(rng: np.random.Generator, speakers: list[list[Digit]], count: int) -> tuple[Samples, str]:
    """A string of `count` digits by one of the speakers, with pauses of 30 to 250 ms between them, and its text."""
    own = speakers[rng.integers(len(speakers))]
    chosen = [own[i] for i in rng.integers(len(own), size=count)]
    pieces = [_pause(rng)]
    for digit in chosen:
        peak = float(np.abs(digit.samples).max()) or 1.0
        pieces += [digit.samples * np.float32(0.5 / peak), _pause(rng)]
    return np.concatenate(pieces), " ".join(DIGITS[digit.digit] for digit in chosen)


def _pause(rng: np.random.Generator) -> Samples:
    length = int(rng.uniform(0.03, 0.25) * SAMPLING_RATE)
    return (rng.standard_normal(length) * 2e-4).astype(np.float32)


def by_speaker(digits: list[Digit]) -> list[list[Digit]]:
    """The recordings of each speaker."""
    return [[digit for digit in digits if digit.speaker == name] for name in sorted({d.speaker for d in digits})]


def digit_strings(
    digits: list[Digit], count: int, seed: int, longest: int = LONGEST_STRING
) -> list[tuple[Samples, str]]:
    """`count` strings of 1 to `longest` digits with their texts; the same for the same digits and seed."""
    rng = np.random.default_rng(seed)
    speakers = by_speaker(digits)
    return [splice(rng, speakers, int(rng.integers(1, longest + 1))) for _ in range(count)]


def _augment(rng: np.random.Generator, samples: Samples) -> Samples:
    """Another speed (and pitch), level and noise: with six speakers, a new one is otherwise too far away."""
    speed = rng.uniform(0.82, 1.2)
    positions = np.arange(0, len(samples) - 1, speed)
    samples = np.interp(positions, np.arange(len(samples)), samples).astype(np.float32)
    samples = samples * np.float32(10 ** rng.uniform(-1, 0.2))
    noise = rng.standard_normal(len(samples)) * 10 ** rng.uniform(-4.5, -2.3)
    tilt = rng.uniform(-0.4, 0.4)
    samples = samples + noise.astype(np.float32)
    return np.concatenate([samples[:1], samples[1:] + np.float32(tilt) * samples[:-1]])


def build(out: Path) -> tuple[Any, Any, Any]:
    """An untrained model with its feature extractor and tokenizer, which are saved to `out`."""
    from transformers import LasrCTCConfig, LasrForCTC, ParakeetFeatureExtractor, Wav2Vec2CTCTokenizer

    out.mkdir(parents=True, exist_ok=True)
    letters = ["<pad>", "<unk>", "|", *sorted(set("".join(DIGITS)))]
    vocabulary = out / "vocab.json"
    vocabulary.write_text(json.dumps({letter: i for i, letter in enumerate(letters)}), encoding="utf-8")
    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocabulary), pad_token="<pad>", unk_token="<unk>", bos_token=None, eos_token=None, word_delimiter_token="|"
    )
    # 10 ms a feature and 40 ms a frame: few frames learn sooner, and digits need no more.
    extractor = ParakeetFeatureExtractor(
        feature_size=40, sampling_rate=SAMPLING_RATE, hop_length=80, n_fft=256, win_length=200, preemphasis=0.97
    )
    encoder = {
        "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256,
        "subsampling_conv_channels": 96, "num_mel_bins": 40, "conv_kernel_size": 15,
        "dropout": 0.05, "activation_dropout": 0.05, "attention_dropout": 0.05, "layerdrop": 0.0,
        "max_position_embeddings": 8192, "batch_norm_momentum": 0.05,
    }  # fmt: skip
    model = LasrForCTC(LasrCTCConfig(vocab_size=len(letters), pad_token_id=0, encoder_config=encoder))
    return model, extractor, tokenizer


def longest_string_at(progress: float) -> int:
    """The longest string to train on, `progress` from 0 to 1: single digits for the first quarter, then longer.

    >>> [longest_string_at(p) for p in (0, 0.24, 0.3, 0.5, 0.7, 1)]
    [1, 1, 2, 4, 6, 6]
    """
    return 1 if progress < 0.25 else min(LONGEST_STRING, 2 + int((progress - 0.25) * 10))


def spliced_anew(digits: list[Digit]) -> Draw:
    """Strings that are spliced whenever they are drawn, so that hardly one is heard twice."""
    speakers = by_speaker(digits)

    def draw(rng: np.random.Generator, longest: int, count: int) -> list[tuple[Samples, str]]:
        return [splice(rng, speakers, int(rng.integers(1, longest + 1))) for _ in range(count)]

    return draw


def train(model: Any, extractor: Any, tokenizer: Any, draw: Draw, steps: int, seed: int) -> None:
    """Trains the model in place."""
    import torch

    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=0.01)
    warmup = min(100, steps // 10 + 1)

    def learning_rate(step: int) -> float:
        decay = 0.5 * (1 + math.cos(math.pi * step / steps))
        return 3e-3 * min(1.0, (step + 1) / warmup) * max(0.01, decay)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, learning_rate)
    model.train()
    recent: list[float] = []
    for step in range(steps):
        longest = longest_string_at(step / steps)
        # Long strings take the place of several short ones, so that every step costs about the same.
        count = max(6, round(BATCH * 2 / (1 + longest)))
        spoken = draw(rng, longest, count)
        heard = [_augment(rng, samples) for samples, _ in spoken]
        inputs = extractor(heard, sampling_rate=SAMPLING_RATE, return_tensors="pt")
        labels = torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(tokenizer(text.replace(" ", "|")).input_ids) for _, text in spoken],
            batch_first=True, padding_value=-100,
        )  # fmt: skip
        loss = model(**inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        recent.append(loss.item())
        if (step + 1) % 200 == 0 or step + 1 == steps:
            print(f"step {step + 1}/{steps}: strings of up to {longest}, loss {np.mean(recent[-200:]):.3f}", flush=True)
    model.eval()


def error_rate(out: Path, strings: list[tuple[Samples, str]]) -> float:
    """The word error rate of the saved model on digit strings, transcribed as the workbench does it."""
    import tempfile

    from analysis.align import count_word_errors
    from workbench.asr.backend import Clip, Hypothesis, load_backend
    from workbench.audio.encode import write_audio

    backend = load_backend("transformers", str(out), {"device": "cpu"}, workers=1)
    with tempfile.TemporaryDirectory() as place:
        clips = []
        for number, (samples, _) in enumerate(strings):
            path = Path(place) / f"{number}.wav"
            write_audio(path, samples[None], SAMPLING_RATE, "wav")
            clips.append(Clip(str(number), path, None, None, len(samples) / SAMPLING_RATE))
        texts = {h.utterance_id: h.text for h in backend.transcribe(clips) if isinstance(h, Hypothesis)}
    counts = count_word_errors([text for _, text in strings], [texts.get(str(i), "") for i in range(len(strings))])
    errors = counts[["substitutions", "deletions", "insertions"]].to_numpy().sum()
    return float(errors / counts["ref_words"].sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="directory of the Free Spoken Digit Dataset")
    parser.add_argument("--minutes", type=float, default=8.0, help="minutes of training on a quiet core (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out-speaker", help="a speaker to keep out of training, as george")
    parser.add_argument("--no-score", action="store_true", help="do not measure the word error rate afterwards")
    arguments = parser.parse_args()

    import torch

    torch.manual_seed(arguments.seed)
    # One thread: the model is too small to gain from more, and they lose much time where others use the cores.
    torch.set_num_threads(1)
    digits = read_digits(arguments.data)
    speakers = sorted({digit.speaker for digit in digits})
    if arguments.held_out_speaker not in (None, *speakers):
        parser.error(f"--held-out-speaker {arguments.held_out_speaker}: the speakers are {', '.join(speakers)}")
    known = [digit for digit in digits if digit.speaker != arguments.held_out_speaker]
    training = [digit for digit in known if digit.index not in HELD_OUT_INDICES]
    model, extractor, tokenizer = build(arguments.out)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(training):,} recordings to train on")
    steps = round(arguments.minutes * STEPS_PER_MINUTE)
    train(model, extractor, tokenizer, spliced_anew(training), steps, arguments.seed)
    for part in (model, extractor, tokenizer):
        part.save_pretrained(arguments.out)
    if arguments.no_score:
        return
    held_out = {
        "known speakers, new recordings": [digit for digit in known if digit.index in HELD_OUT_INDICES],
        f"new speaker ({arguments.held_out_speaker})": [d for d in digits if d.speaker == arguments.held_out_speaker],
    }
    print(f"{'held out':<34}{'strings':>8}{'WER':>8}")
    for name, recordings in held_out.items():
        if recordings:
            strings = digit_strings(recordings, 300, seed=12345)
            print(f"{name:<34}{len(strings):>8}{error_rate(arguments.out, strings):>8.1%}")


if __name__ == "__main__":
    main()
