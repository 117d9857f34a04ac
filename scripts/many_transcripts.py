"""Any number of transcripts of about ten words, made from real ones: half of them alone, half in groups of one clip."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from rapidfuzz.distance import Levenshtein

from scripts.real_pairs import SPLITS

# A transcript is two runs of five words from two places: real text alone has too few different runs of ten.
RUN, RUNS = 5, 2
# What read speech does not have, planted in so many transcripts each.
_PLANTED = 0.02
_FILLERS = ("um", "um,", "Um,", "Um...", "uh", "uh,", "umm", "er")
_TAGS = ("[noise]", "[noise]", "[noise]", "<noise>", "(laughs)")
_DIGITS = {"two": "2", "three": "3", "five": "5", "ten": "10", "twelve": "12", "twenty": "20", "hundred": "100"}
_PLAIN = re.compile(r"\W+")
_CHANGED = 0.06


class Clip(NamedTuple):
    """A clip: who transcribed it with which text, and where in each text every word of the clip begins."""

    annotators: list[str]
    texts: list[str]
    starts: list[np.ndarray]
    words: int


def transcripts(count: int, data: Path, seed: int = 0) -> tuple[pd.DataFrame, str]:
    """A frame with utterance_id, annotator and text, and a sentence on how it was made.

    Half of the transcripts are alone, the others in groups of two or three annotators of one audio.
    """
    rng = np.random.default_rng(seed)
    if data.is_dir():
        clips, sentences = _crowd_clips(data), _common_voice(data)
        origin = (
            f"each text is {RUNS} runs of {RUN} words from {sum(len(c.texts) for c in clips):,} CrowdSpeech texts "
            f"and {len(sentences):,} Common Voice references; a group is what two or three workers wrote of these runs"
        )
    else:
        clips, sentences = _demo_clips(rng)
        origin = (
            f"each text is {RUNS} runs of {RUN} words from the demonstration's queries, as the real data is not there; "
            f"the texts of a group differ in casing, marks and words, each in {_CHANGED:.0%} of the words"
        )
    single, grouped = _singles(count - count // 2, clips, sentences, rng), _groups(count // 2, clips, rng)
    rows = [*single, *grouped]
    texts = _planted([text for _, _, text in rows], rng)
    frame = pd.DataFrame({"utterance_id": [u for u, _, _ in rows], "annotator": [a for _, a, _ in rows], "text": texts})
    frame = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
    several = frame.groupby("utterance_id")["text"].agg(["size", "nunique"])
    groups, differing = (several["size"] > 1).sum(), (several["nunique"] > 1).sum()
    planted = f"a filler, a noise tag and digits for a number word are planted in up to {_PLANTED:.0%} each"
    facts = f"{frame['text'].nunique():,} texts are different; {differing:,} of {groups:,} groups hold several texts"
    return frame, f"{origin}; {planted}. {facts}."


def _crowd_clips(data: Path) -> list[Clip]:
    clips = []
    for split in SPLITS:
        with (data / "crowdspeech" / f"crowdspeech-{split}-gt.txt").open(encoding="utf-8", newline="") as file:
            truth = dict(csv.reader(file, delimiter="\t"))
        held: dict[str, dict[str, str]] = {}
        with (data / "crowdspeech" / f"crowdspeech-{split}-crowd.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                text = " ".join(row["OUTPUT:transcription"].split())
                held.setdefault(row["INPUT:audio"], {}).setdefault(f"worker{row['ASSIGNMENT:worker_id']}", text)
        clips += [_clip(truth[audio], texts) for audio, texts in held.items()]
    return clips


def _clip(truth: str, texts: dict[str, str]) -> Clip:
    words = [_PLAIN.sub("", word).lower() for word in truth.split()]
    return Clip(list(texts), list(texts.values()), [_starts(words, text) for text in texts.values()], len(words))


def _starts(words: list[str], text: str) -> np.ndarray:
    """Where each of the words, and what follows the last one, begins in a text that says about the same."""
    places = [found.start() for found in re.finditer(r"\S+", text)] + [len(text)]
    own = [_PLAIN.sub("", word).lower() for word in text.split()]
    starts = np.zeros(len(words) + 1, np.int64)
    for code in Levenshtein.opcodes(words, own):
        for i in range(code.src_start, code.src_end):
            starts[i] = places[min(code.dest_start + i - code.src_start, code.dest_end)]
    starts[-1] = len(text)
    return starts


def _common_voice(data: Path) -> list[str]:
    path = data / "asr_outputs" / "common-voice-four-systems" / "azure.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["actual"] for row in csv.DictReader(file)]


def _demo_clips(rng: np.random.Generator) -> tuple[list[Clip], list[str]]:
    """Clips made of the demonstration's queries, each with seven texts that differ here and there."""
    lines = (Path(__file__).parent / "demo_queries.txt").read_text(encoding="utf-8").splitlines()
    queries = [re.sub(r"\[\w:([^|\]]*)\|[^\]]*\]", r"\1", line) for line in lines if line and line[0] != "#"]
    vocabulary = " ".join(queries).split()
    clips = []
    for _ in range(3000):
        words = " ".join(queries[i] for i in rng.integers(len(queries), size=4)).split()
        texts = {f"worker{n}": " ".join(_changed(words, vocabulary, rng)) for n in range(7)}
        clips.append(_clip(" ".join(words), texts))
    return clips, queries


def _changed(words: list[str], vocabulary: list[str], rng: np.random.Generator) -> Iterator[str]:
    for word, chance in zip(words, rng.random(len(words)), strict=True):
        if chance < _CHANGED:
            yield word.capitalize()
        elif chance < 2 * _CHANGED:
            yield f"{word},"
        else:
            yield vocabulary[rng.integers(len(vocabulary))] if chance > 1 - _CHANGED else word


def _singles(
    count: int, clips: list[Clip], sentences: list[str], rng: np.random.Generator
) -> Iterator[tuple[str, str, str]]:
    """Utterances with one transcript, each of runs of what all annotators and then all sentences say, end to end."""
    written = [(name, text) for clip in clips for name, text in zip(clip.annotators, clip.texts, strict=True)]
    written += [("worker", text) for text in sentences]
    words = [word for _, text in written for word in text.split()]
    writers = [name for name, text in written for _ in text.split()]
    for number, starts in enumerate(rng.integers(len(words) - RUN, size=(count, RUNS)).tolist()):
        text = " ".join(word for start in starts for word in words[start : start + RUN])
        yield f"s{number:07}", writers[starts[0]], text


def _groups(count: int, clips: list[Clip], rng: np.random.Generator) -> Iterator[tuple[str, str, str]]:
    """Utterances with the transcripts of two or three annotators, who are those of the first run's clip."""
    clips = [clip for clip in clips if clip.words >= RUN and len(clip.texts) > 2]
    made = number = 0
    while made < count:
        chosen = [clips[i] for i in rng.integers(len(clips), size=RUNS)]
        starts = [int(rng.integers(clip.words - RUN + 1)) for clip in chosen]
        several = min(int(rng.integers(2, 4)), count - made)
        writers = [rng.choice(len(clip.texts), several, replace=False) for clip in chosen]
        for ones in np.column_stack(writers).tolist():
            runs = [
                clip.texts[one][clip.starts[one][start] : clip.starts[one][start + RUN]].strip()
                for clip, one, start in zip(chosen, ones, starts, strict=True)
            ]
            yield f"g{number:07}", chosen[0].annotators[ones[0]], " ".join(runs)
        made += several
        number += 1


def _planted(texts: list[str], rng: np.random.Generator) -> list[str]:
    """The texts with fillers, noise tags and digits in a few of them."""
    chances = rng.random((len(texts), 3)) < _PLANTED
    made = list(texts)
    for at in np.flatnonzero(chances.any(axis=1)).tolist():
        words = made[at].split()
        for planted, choices in ((chances[at, 0], _FILLERS), (chances[at, 1], _TAGS)):
            if planted:
                words.insert(int(rng.integers(len(words) + 1)), choices[rng.integers(len(choices))])
        if chances[at, 2]:
            words = [_DIGITS.get(word, word) for word in words]
        made[at] = " ".join(words)
    return made
