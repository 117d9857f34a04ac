"""Real pairs of texts: recogniser outputs on Common Voice and crowd transcripts of LibriSpeech."""

from __future__ import annotations

import csv
from pathlib import Path

DATA = Path(__file__).parents[1].parent / "shared" / "data"
"""Where the data lies unless told otherwise; its README says where it comes from."""

SYSTEMS = ("azure", "deepspeech", "google", "watson")
SPLITS = ("dev-clean", "dev-other")

Pairs = list[tuple[str, str]]


def common_voice(data: Path, systems: tuple[str, ...] = SYSTEMS) -> Pairs:
    """Reference and hypothesis of recognisers on Common Voice clips."""
    pairs = []
    for system in systems:
        path = data / "asr_outputs" / "common-voice-four-systems" / f"{system}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            pairs += [(row["actual"], row["transcription_en-US"]) for row in csv.DictReader(file)]
    return pairs


def crowd_speech(data: Path, splits: tuple[str, ...] = SPLITS) -> Pairs:
    """Truth and the text of each worker on LibriSpeech clips."""
    pairs = []
    for split in splits:
        with (data / "crowdspeech" / f"crowdspeech-{split}-gt.txt").open(encoding="utf-8", newline="") as file:
            truth = dict(csv.reader(file, delimiter="\t"))
        with (data / "crowdspeech" / f"crowdspeech-{split}-crowd.tsv").open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            pairs += [(truth[row["INPUT:audio"]], row["OUTPUT:transcription"]) for row in rows]
    return pairs
