"""Consensus and suspects on CrowdSpeech: seven crowd workers' transcripts of each clip against the truth.

For each split, with all seven transcripts of a clip and with three of them drawn at random (mean over seeds), printed
are

- detection: AUROC of the score for transcripts whose WER against the truth is over 10 % (and over 30 %), and the
  precision among the tenth with the highest scores, beside the mean distance to the peers, which everybody has;
- consensus: mean utterance WER and corpus WER, beside the transcript nearest to all others (the medoid), the network
  with equal weights, and the results that come with the data (ROVER, RASA, HRRASA and a trained T5).

Then the same without annotators' names, and with fifty clips. The truth is used for judging only; it counts a
convention like any other error. Texts are folded to lower case without punctuation but the apostrophe.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rapidfuzz.distance import Levenshtein

from analysis.merge_kernel import elect
from label_rules.consensus.consensus import consensus
from label_rules.consensus.estimate import ANONYMOUS, estimate
from label_rules.corpus import Corpus
from label_rules.suspects.peers import peer_evidence

DATA = Path(__file__).parents[2] / "shared" / "data" / "crowdspeech"
SPLITS = ("dev-clean", "dev-other")
_NOT_COUNTED = re.compile(r"[^\w\s']|_")


def folded(text: str) -> list[str]:
    """The words of a text as they are compared.

    >>> folded("Um, it’s WELL-known")
    ['um', "it's", 'well', 'known']
    """
    return _NOT_COUNTED.sub(" ", text.replace("’", "'").replace("‘", "'").lower()).split()


def wer(text: str, truth: Sequence[str]) -> float:
    return Levenshtein.distance(folded(text), truth) / len(truth)


def read_split(data: Path, split: str) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The transcripts of a split (utterance_id, annotator, text, wer), and the true words of each clip."""
    truth = {}
    for line in (data / f"crowdspeech-{split}-gt.txt").read_text(encoding="utf-8").splitlines():
        clip, _, text = line.partition("\t")
        truth[clip] = folded(text)
    frame = pd.read_csv(data / f"crowdspeech-{split}-crowd.tsv", sep="\t", dtype=str, keep_default_na=False)
    frame.columns = pd.Index(["utterance_id", "text", "annotator"])
    frame["wer"] = [wer(text, truth[clip]) for text, clip in zip(frame["text"], frame["utterance_id"], strict=True)]
    return frame, truth


def drawn(frame: pd.DataFrame, transcripts: int, seed: int) -> pd.DataFrame:
    """So many transcripts of each clip, drawn at random."""
    order = np.random.default_rng(seed).random(len(frame))
    kept = frame.assign(order=order).sort_values("order").groupby("utterance_id").head(transcripts)
    return kept.sort_index().drop(columns="order").reset_index(drop=True)


def auroc(wrong: np.ndarray, score: np.ndarray) -> float:
    """The chance that a wrong transcript has a higher score than a right one; equal scores count a half."""
    ranks = pd.Series(score).rank().to_numpy()
    several = int(wrong.sum())
    return float((ranks[wrong].sum() - several * (several + 1) / 2) / (several * (len(wrong) - several)))


def distance_to_peers(frame: pd.DataFrame) -> np.ndarray:
    """The mean distance in words to the clip's other transcripts, as a share of the longer one."""
    words = [folded(text) for text in frame["text"]]
    result = np.zeros(len(frame))
    for rows in frame.groupby("utterance_id").indices.values():
        for row in rows:
            others = [words[other] for other in rows if other != row]
            apart = [Levenshtein.distance(words[row], o) / max(1, len(words[row]), len(o)) for o in others]
            result[row] = np.mean(apart)
    return result


def medoids(frame: pd.DataFrame) -> dict[str, str]:
    words = [folded(text) for text in frame["text"]]
    found = {}
    for clip, rows in frame.groupby("utterance_id").indices.items():
        apart = [sum(Levenshtein.distance(words[row], words[other]) for other in rows) for row in rows]
        found[str(clip)] = frame["text"].iloc[rows[int(np.argmin(apart))]]
    return found


def equally_weighted(corpus: Corpus) -> dict[str, str]:
    """The words with the most votes in each slot of the same networks, every vote counting the same."""
    known = estimate(corpus)
    equal = np.ones(len(known.rows))
    chosen, _ = elect(known.clip_texts, known.slot_begins, known.cells, equal, 0.0, known.letter_begins, known.letters)
    spelled = [
        "".join(map(chr, known.letters[a:b]))
        for a, b in zip(known.letter_begins, known.letter_begins[1:], strict=False)
    ]
    found, at = {}, 0
    for clip in range(known.clips):
        first, end = known.clip_texts[clip], known.clip_texts[clip + 1]
        begin, last = known.slot_begins[clip], known.slot_begins[clip + 1]
        cells = known.cells[at : at + (last - begin) * (end - first)].reshape(last - begin, -1)
        at += cells.size
        words = [cells[slot, chosen[begin + slot]] for slot in range(last - begin)]
        found[corpus.utterance_ids[known.rows[first]]] = " ".join(spelled[word] for word in words if word >= 0)
    return found


def rates(texts: dict[str, str], truth: dict[str, list[str]]) -> tuple[float, float]:
    """Mean utterance WER and corpus WER, in per cent."""
    edits = {clip: Levenshtein.distance(folded(text), truth[clip]) for clip, text in texts.items()}
    mean = np.mean([edits[clip] / len(truth[clip]) for clip in edits])
    return 100 * float(mean), 100 * sum(edits.values()) / sum(len(truth[clip]) for clip in edits)


def corpus_of(frame: pd.DataFrame) -> Corpus:
    return Corpus(frame[["utterance_id", "annotator", "text"]])


def detection(frame: pd.DataFrame) -> dict[str, list[float]]:
    over = [(frame["wer"] > limit).to_numpy() for limit in (0.1, 0.3)]
    result = {}
    scores: dict[str, np.ndarray] = {
        "mean distance to peers": distance_to_peers(frame),
        "workbench suspects": peer_evidence(corpus_of(frame))["score"].to_numpy(),
    }
    for name, score in scores.items():
        top = np.argsort(-score, kind="stable")[: len(score) // 10]
        result[name] = [auroc(over[0], score), auroc(over[1], score), float(over[0][top].mean())]
    return result


def merging(frame: pd.DataFrame, truth: dict[str, list[str]]) -> dict[str, list[float]]:
    corpus = corpus_of(frame)
    merged = consensus(corpus)
    return {
        "medoid": list(rates(medoids(frame), truth)),
        "network, equal weights": list(rates(equally_weighted(corpus), truth)),
        "workbench consensus": list(rates(dict(zip(merged["utterance_id"], merged["text"], strict=True)), truth)),
    }


def mean_over(results: Sequence[dict[str, list[float]]]) -> dict[str, list[float]]:
    return {name: np.mean([each[name] for each in results], axis=0).tolist() for name in results[0]}


def published(data: Path, split: str, truth: dict[str, list[str]]) -> dict[str, list[float]]:
    frame = pd.read_csv(data / f"crowdspeech-{split}-baselines.tsv", sep="\t", dtype=str, keep_default_na=False)
    names = {"rover_result": "ROVER", "rasa_result": "RASA", "hrrasa_result": "HRRASA", "t5_result": "T5, trained"}
    frame = frame.drop_duplicates("audio")
    return {
        f"{shown}, as published": list(rates(dict(zip(frame["audio"], frame[column], strict=True)), truth))
        for column, shown in names.items()
    }


def print_rows(title: str, columns: Sequence[str], rows: dict[str, list[float]], form: Callable[[float], str]) -> None:
    print(f"\n{title}\n| | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(form(value) for value in values) + " |")


def run(data: Path, seeds: int) -> None:
    detect = ["AUROC, WER > 10 %", "AUROC, WER > 30 %", "precision in the top 10 %"]
    merged = ["mean utterance WER", "corpus WER"]
    three: Callable[[float], str] = lambda value: f"{value:.3f}"  # noqa: E731
    two: Callable[[float], str] = lambda value: f"{value:.2f}"  # noqa: E731
    for split in SPLITS:
        frame, truth = read_split(data, split)
        few = [drawn(frame, 3, seed) for seed in range(seeds)]
        people = frame["annotator"].nunique()
        print(f"\n## {split}: {len(frame):,} transcripts of {len(truth):,} clips by {people:,} people")
        print_rows("Detection, 7 transcripts a clip", detect, detection(frame), three)
        print_rows(f"Detection, 3 of them ({seeds} seeds)", detect, mean_over([detection(each) for each in few]), three)
        print_rows("Consensus of 7, %", merged, merging(frame, truth) | published(data, split, truth), two)
        print_rows(f"Consensus of 3 ({seeds} seeds), %", merged, mean_over([merging(each, truth) for each in few]), two)
        nobody = frame.copy()
        nobody["annotator"] = ANONYMOUS + frame.groupby("utterance_id").cumcount().add(1).astype(str)
        some = frame[frame["utterance_id"].isin(sorted(truth)[:50])].reset_index(drop=True)
        for name, part in (("without annotators' names", nobody), ("the first 50 clips alone", some)):
            print_rows(f"7 transcripts, {name}: detection", detect, detection(part), three)
            print_rows(f"7 transcripts, {name}: consensus, %", merged, merging(part, truth), two)
        corpus, began = corpus_of(frame), time.perf_counter()
        peer_evidence(corpus)
        scored = time.perf_counter()
        consensus(corpus)
        seconds = scored - began, time.perf_counter() - scored
        print(f"\n{len(frame):,} transcripts: scores in {seconds[0]:.1f} s, then the consensus in {seconds[1]:.1f} s")


def main(arguments: Any = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the directory of CrowdSpeech's files")
    parser.add_argument("--seeds", type=int, default=3, help="how often three transcripts are drawn")
    options = parser.parse_args(arguments)
    if not options.data.is_dir():
        parser.error(f"{options.data} is not there; give CrowdSpeech's directory with --data")
    run(options.data, options.seeds)


if __name__ == "__main__":
    main()
