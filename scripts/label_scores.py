"""Measure how well forced alignment finds wrong labels, and where in them it says that they are wrong.

    python scripts/label_scores.py [--models DIR] [--data DIR] [--held-out-speaker NAME] [--minutes N] [--seed N]

Strings of 1 to 6 spoken digits; a tenth of the labels are made wrong, a quarter of these each: one digit substituted,
deleted or inserted, or the label of another string. Two CTC models of 0.66 million parameters are trained on the same
4,000 strings, one on their true labels and one on the corrupted ones, as `train_tiny_ctc.py` does it (5,600 steps;
about 11 minutes each, on a core each). Both then align the corrupted labels of 4,000 strings of three kinds: those of
training, the known speakers' other recordings, and a speaker's that they never heard. Trained models are kept.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.corrupted_digits import KINDS, LabelledString, corrupted_strings, drawn_from, wrong_places
from scripts.train_tiny_ctc import DEFAULT_DATA, HELD_OUT_INDICES, SAMPLING_RATE, STEPS_PER_MINUTE, Digit, read_digits

STRINGS = 4000
TRAINED_ON = ("true labels", "corrupted labels")
DEFAULT_MODELS = Path(__file__).resolve().parents[1] / ".cache" / "label-scores"


def trained_model(models: Path, strings: list[LabelledString], on: str, named: str, minutes: float, seed: int) -> Path:
    """The directory of the model trained on these strings' true or corrupted labels; it is trained where it is not."""
    from scripts.train_tiny_ctc import build, train

    described = f"{on.split()[0]}-{named}-seed{seed}-{minutes:g}min"
    code = b"".join(
        path.read_bytes() for path in map(Path(__file__).with_name, ("train_tiny_ctc.py", "corrupted_digits.py"))
    )
    directory = models / f"{described}-{hashlib.sha256(code).hexdigest()[:8]}"
    if (directory / "config.json").is_file():
        print(f"{directory}: trained already")
        return directory
    import torch

    torch.manual_seed(seed)
    models.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=models) as place:
        made = Path(place) / "model"
        model, extractor, tokenizer = build(made)
        labels = [string.label if on == "corrupted labels" else string.truth for string in strings]
        train(model, extractor, tokenizer, drawn_from(strings, labels), round(minutes * STEPS_PER_MINUTE), seed)
        for part in (model, extractor, tokenizer):
            part.save_pretrained(made)
        made.rename(directory)
    print(f"{directory}: trained in {time.monotonic() - began:.0f} s")
    return directory


def aligned(directory: Path, strings: list[LabelledString]) -> pd.DataFrame:
    """One row a string: its label's scores, aligned as the workbench does it, WER of what was heard, and the kind."""
    from analysis.align import count_word_errors
    from workbench.asr.backend import Clip
    from workbench.asr.label_aligner import LabelAlignment, load_aligner
    from workbench.audio.encode import write_audio

    aligner = load_aligner("transformers", str(directory), {"device": "cpu"})
    with tempfile.TemporaryDirectory() as place:
        clips = []
        for number, string in enumerate(strings):
            path = Path(place) / f"{number}.wav"
            write_audio(path, string.samples[None], SAMPLING_RATE, "wav")
            clips.append(Clip(str(number), path, None, None, len(string.samples) / SAMPLING_RATE))
        texts = {str(number): [string.label] for number, string in enumerate(strings)}
        results = {}
        for outcome in aligner.align(clips, texts):
            if not isinstance(outcome, LabelAlignment) or outcome.alignment is None:
                raise SystemExit(f"a string could not be aligned: {outcome}")
            results[int(outcome.utterance_id)] = outcome.alignment
    found = [results[number] for number in range(len(strings))]
    frame = pd.DataFrame({"utterance_id": map(str, range(len(strings))), "annotator": "a"})
    frame["text"] = [string.label for string in strings]
    frame["label_score"] = [one.score for one in found]
    frame["word_scores"] = [
        [(w.start, w.end, w.score, w.heard) for w in one.words] + [(g.at, g.at, g.score, g.heard) for g in one.gaps]
        for one in found
    ]
    frame["least_word"] = [min(word.score or 0.0 for word in one.words) for one in found]
    frame["least_frame"] = [one.least_frame for one in found]
    for name, texts_of in (("label_wer", frame["text"]), ("true_wer", [string.truth for string in strings])):
        counts = count_word_errors(list(texts_of), [one.heard for one in found])
        errors = counts[["substitutions", "deletions", "insertions"]].sum(axis=1)
        frame[name] = np.asarray(errors / counts["ref_words"])
        if name == "true_wer":
            frame.attrs["wer"] = float(errors.sum() / counts["ref_words"].sum())
    frame["kind"] = [string.kind for string in strings]
    return frame


def figures(frame: pd.DataFrame, strings: list[LabelledString]) -> dict[str, float]:
    """AUROC of each score for wrong labels, and what the rule tells, with which precision and recall."""
    from label_rules.apply import apply_rules
    from label_rules.corpus import Corpus
    from label_rules.model.not_in_audio import NOT_IN_AUDIO_RULES
    from label_rules.model.word_evidence import evidence

    wrong = (frame["kind"] != "").to_numpy()
    corpus = Corpus(frame)
    known = evidence(corpus)
    seen = frame[["utterance_id", "annotator", "text", "label_score", "word_scores"]]
    applied = apply_rules(seen, NOT_IN_AUDIO_RULES)
    if len(applied.faults):
        raise SystemExit(f"the rule failed: {applied.faults['reason'].iloc[0]}")
    told = frame["utterance_id"].isin(applied.flags["utterance_id"]).to_numpy()
    made = {
        "label score": area_under_curve(-frame["label_score"].to_numpy(), wrong),
        "unusual": area_under_curve(known.unusual, wrong),
        "least frame": area_under_curve(-frame["least_frame"].to_numpy(), wrong),
        "least word": area_under_curve(-frame["least_word"].to_numpy(), wrong),
        "WER": area_under_curve(frame["label_wer"].to_numpy(), wrong),
        "precision": float(wrong[told].mean()) if told.any() else float("nan"),
        "recall": float(told[wrong].mean()),
    }
    place = known.pieces[known.pieces["place"]].set_index("row")
    for kind in KINDS[:3]:
        right = [
            (place["is_gap"][row] == (kind == "deleted"))
            and len(frame["text"][row][: place["start"][row]].split()) in wrong_places(strings[row])
            for row in np.flatnonzero(frame["kind"] == kind)
        ]
        made[kind] = float(np.mean(right))
    return made


def area_under_curve(suspicion: np.ndarray, wrong: np.ndarray) -> float:
    """The chance that a wrong label is more suspicious than a right one, ties counting half.

    >>> area_under_curve(np.array([3.0, 1.0, 1.0]), np.array([True, True, False]))
    0.75
    """
    ranks = pd.Series(suspicion).rank().to_numpy()
    several = int(wrong.sum())
    return float((ranks[wrong].sum() - several * (several + 1) / 2) / (several * (len(wrong) - several)))


def parts(digits: list[Digit], speaker: str) -> dict[str, list[Digit]]:
    """The recordings to train on, the known speakers' others, and the new speaker's."""
    known = [digit for digit in digits if digit.speaker != speaker]
    return {
        "train": [digit for digit in known if digit.index not in HELD_OUT_INDICES],
        "known": [digit for digit in known if digit.index in HELD_OUT_INDICES],
        "new": [digit for digit in digits if digit.speaker == speaker],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--models", type=Path, default=DEFAULT_MODELS, help="where trained models are kept (%(default)s)"
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="directory of the Free Spoken Digit Dataset")
    parser.add_argument(
        "--held-out-speaker", default="george", help="the speaker to keep out of training (%(default)s)"
    )
    parser.add_argument("--minutes", type=float, default=8.0, help="700 steps of training each (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of training and its labels; those tested have others")
    arguments = parser.parse_args()

    import torch

    torch.set_num_threads(1)  # the models are too small to gain from more
    digits = read_digits(arguments.data)
    recordings = parts(digits, arguments.held_out_speaker)
    training = corrupted_strings(recordings["train"], STRINGS, arguments.seed)
    tested = {
        "the labels of training": training,
        "known speakers, new recordings": corrupted_strings(recordings["known"], STRINGS, arguments.seed + 201),
        f"new speaker ({arguments.held_out_speaker})": corrupted_strings(
            recordings["new"], STRINGS, arguments.seed + 202
        ),
    }
    rows = []
    named = f"without-{arguments.held_out_speaker}"
    for on in TRAINED_ON:
        directory = trained_model(arguments.models, training, on, named, arguments.minutes, arguments.seed)
        for name, strings in tested.items():
            began = time.monotonic()
            frame = aligned(directory, strings)
            rows.append(
                {"trained on": on, "tested on": name, "model's WER": frame.attrs["wer"], **figures(frame, strings)}
            )
            print(f"{on}, {name}: {len(strings)} labels aligned in {time.monotonic() - began:.0f} s", flush=True)
    table = pd.DataFrame(rows)
    names = ["trained on", "tested on", "model's WER"]
    print("\nAUROC for the wrong labels (a tenth); `unusual` compares with the corpus, as the rule does")
    print(_printed(table[[*names, "label score", "unusual", "least frame", "least word", "WER"]], "{:.4f}"))
    print(
        "\nThe rule model.not_in_audio, and how often the first word or gap is the wrong one, by how the label is wrong"
    )
    print(_printed(table[[*names[:2], "precision", "recall", *KINDS[:3]]], "{:.3f}"))


def _printed(table: pd.DataFrame, form: str) -> str:
    return table.to_string(index=False, float_format=form.format)


if __name__ == "__main__":
    main()
