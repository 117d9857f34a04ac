"""Time and memory of scoring 100,000 pairs beside jiwer, with equal totals and equal counts of every pair.

    python scripts/bench_score.py [--pairs 100000] [--repetitions 5] [--data DIRECTORY]

The pairs come from recogniser outputs on Common Voice and crowd transcripts of LibriSpeech (see the data's
README for their sources), drawn with repetition and perturbed with a fixed seed; without the data they are made
from a synthetic vocabulary. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import jiwer
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.align import WORD_COUNTS, align_words, count_word_errors
from analysis.error_counts import score
from analysis.normalizers import basic, get_normalizer

DATA = Path(__file__).parents[1].parent / "shared" / "data"
MEAN_WORDS = 16.5
Pairs = tuple[list[str], list[str]]


def common_voice(data: Path) -> list[tuple[str, str]]:
    """Reference and hypothesis of four recognisers on Common Voice clips."""
    pairs = []
    for path in sorted((data / "asr_outputs" / "common-voice-four-systems").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            pairs += [(row["actual"], row["transcription_en-US"]) for row in csv.DictReader(file)]
    return pairs


def crowd_speech(data: Path) -> list[tuple[str, str]]:
    """Truth and crowd transcript of LibriSpeech clips."""
    pairs = []
    for split in ("dev-clean", "dev-other"):
        with (data / "crowdspeech" / f"crowdspeech-{split}-gt.txt").open(encoding="utf-8", newline="") as file:
            truth = dict(csv.reader(file, delimiter="\t"))
        with (data / "crowdspeech" / f"crowdspeech-{split}-crowd.tsv").open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            pairs += [(truth[row["INPUT:audio"]], row["OUTPUT:transcription"]) for row in rows]
    return pairs


def synthetic(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Texts of words drawn by Zipf's law; the perturbation alone makes them differ."""
    vocabulary = [f"w{index:x}" for index in range(30_000)]
    drawn = [np.minimum(rng.zipf(1.3, rng.integers(1, 33)), len(vocabulary)) - 1 for _ in range(20_000)]
    texts = [" ".join(vocabulary[index] for index in indices) for indices in drawn]
    return [(text, text) for text in texts]


def make_pairs(count: int, data: Path) -> tuple[Pairs, str]:
    """`count` pairs of about 16.5 reference words, and where they are from."""
    rng = np.random.default_rng(0)
    if data.is_dir():
        sources = [[(basic(a), basic(b)) for a, b in read(data)] for read in (common_voice, crowd_speech)]
        short, long = (float(np.mean([len(a.split()) for a, _ in pairs])) for pairs in sources)
        share = min(max((MEAN_WORDS - short) / (long - short), 0), 1)
        numbers = [count - round(count * share), round(count * share)]
        origin = "Common Voice and CrowdSpeech texts"
    else:
        sources, numbers, origin = [synthetic(rng)], [count], "synthetic vocabulary"
    drawn = [
        pairs[index]
        for pairs, number in zip(sources, numbers, strict=True)
        for index in rng.integers(len(pairs), size=number)
    ]
    references = [reference for reference, _ in drawn]
    return (references, [perturb(hypothesis, rng) for _, hypothesis in drawn]), origin


def perturb(text: str, rng: np.random.Generator) -> str:
    """The text with about 1 % each of its words deleted, doubled and replaced."""
    made: list[str] = []
    tokens = text.split()
    for token, chance in zip(tokens, rng.random(len(tokens)), strict=True):
        if chance < 0.01:
            continue
        if chance < 0.02:
            made.append(token)
        made.append(f"x{int(chance * 1e5)}" if chance > 0.99 else token)
    return " ".join(made)


def jiwer_counts(output: jiwer.WordOutput) -> np.ndarray:
    """The columns of `count_word_errors` from jiwer's alignments."""
    rows = []
    for reference, chunks in zip(output.references, output.alignments, strict=True):
        counts = dict.fromkeys(("equal", "substitute", "delete", "insert"), 0)
        for chunk in chunks:
            length = max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
            counts[chunk.type] += length
        rows.append([len(reference), *counts.values()])
    return np.array(rows)


def run_jiwer(pairs: Pairs) -> object:
    return jiwer.process_words(*pairs)


def run_counts(pairs: Pairs) -> object:
    return count_word_errors(*pairs)


def run_alignments(pairs: Pairs) -> object:
    return align_words(*pairs)


def run_score(pairs: Pairs) -> object:
    return score(frame(pairs), get_normalizer("none"))


def run_score_basic(pairs: Pairs) -> object:
    return score(frame(pairs), get_normalizer("basic"))


def frame(pairs: Pairs) -> pd.DataFrame:
    ids = [str(index) for index in range(len(pairs[0]))]
    return pd.DataFrame({"utterance_id": ids, "reference": pairs[0], "hypothesis": pairs[1]})


CONTENDERS: dict[str, Callable[[Pairs], object]] = {
    "jiwer.process_words": run_jiwer,
    "count_word_errors": run_counts,
    "align_words (counts, stored alignments)": run_alignments,
    "score, normalizer none (words, characters, stored alignments)": run_score,
    "score, normalizer basic": run_score_basic,
}


def seconds(run: Callable[[Pairs], object], pairs: Pairs) -> float:
    start = time.perf_counter()
    run(pairs)
    return time.perf_counter() - start


def peak_memory(name: str, pairs: Pairs) -> float:
    """MiB that one run adds to a fresh process's peak memory, the texts themselves not counted."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_added_peak, (name, pairs))


def _added_peak(name: str, pairs: Pairs) -> float:
    few = (pairs[0][:100], pairs[1][:100])
    CONTENDERS[name](few)
    before = _peak_resident()
    CONTENDERS[name](pairs)
    return _peak_resident() - before


def _peak_resident() -> float:
    """MiB at this process's peak. The resource module's figure would be the parent's where that is larger."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def check_equal(pairs: Pairs) -> np.ndarray:
    """The counts of every pair.

    Raises:
        SystemExit: jiwer's counts differ, in total or for a pair.
    """
    output = jiwer.process_words(*pairs)
    expected = jiwer_counts(output)
    for name, counts in (("count_word_errors", count_word_errors(*pairs)), ("align_words", align_words(*pairs)[0])):
        found = counts[WORD_COUNTS].to_numpy()
        totals = found.sum(axis=0)[1:].tolist()
        if totals != [output.hits, output.substitutions, output.deletions, output.insertions]:
            raise SystemExit(f"{name}: totals {totals} are not jiwer's")
        unequal = np.flatnonzero((found != expected).any(axis=1))
        if len(unequal):
            row = unequal[0]
            raise SystemExit(f"{name}: {found[row]} for pair {row}, jiwer has {expected[row]}: {pairs[0][row]!r}")
    return expected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--data", type=Path, default=DATA)
    arguments = parser.parse_args()

    pairs, origin = make_pairs(arguments.pairs, arguments.data)
    counts = check_equal(pairs)
    errors, ref_words = counts[:, 2:].sum(), counts[:, 0].sum()
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(arguments.repetitions):
        for name, run in CONTENDERS.items():
            times[name].append(seconds(run, pairs))

    print(
        f"{len(counts):,} pairs from {origin}: {ref_words:,} reference words ({ref_words / len(counts):.1f} a pair), "
        f"WER {errors / ref_words:.3f}. Counts of every pair equal jiwer's. Median of {arguments.repetitions} "
        f"alternating repetitions; Python {platform.python_version()}, jiwer {version('jiwer')}.\n"
    )
    print("| what | seconds | range | jiwer's time / its own | added peak memory (MiB) |")
    print("|---|---|---|---|---|")
    for name, taken in times.items():
        ratio = statistics.median(theirs / own for theirs, own in zip(times["jiwer.process_words"], taken, strict=True))
        print(
            f"| {name} | {statistics.median(taken):.2f} | {min(taken):.2f} to {max(taken):.2f} "
            f"| {ratio:.1f} | {peak_memory(name, pairs):.0f} |"
        )


if __name__ == "__main__":
    main()
