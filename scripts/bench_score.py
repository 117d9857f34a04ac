"""Time and memory of scoring beside jiwer, kaldialign and NIST's sclite, with equal counts of every pair.

    python scripts/bench_score.py [--fast] [--pairs N]... [--repetitions N] [--data DIRECTORY] [--most-gib GIB]

The pairs come from recogniser outputs on Common Voice and crowd transcripts of LibriSpeech (see the data's README for
their sources), drawn with repetition and perturbed with a fixed seed; without the data they are made from a synthetic
vocabulary. Each run is a process of its own, the scorers take turns, and no run may take more memory than is given.
Prints Markdown tables: 100,000 and 1,000,000 pairs, and two texts of 130,000 words; `--fast` leaves the last two out.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import jiwer
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.align import WORD_COUNTS, align_words, count_word_errors
from analysis.normalizers import basic
from scripts import scorers
from scripts.real_pairs import DATA, common_voice, crowd_speech
from scripts.scorers import COMMANDS, SCORERS, Pairs, write_pairs
from tests.sclite_program import sclite_trn

MEAN_WORDS = 16.5
LONG_WORDS = 130_000
# sclite and jiwer hold what they found of so many pairs at a time.
_CHECKED = 20_000
# Above so many pairs, runs take minutes: one of each, and nothing beside them.
_MANY = 500_000
_LONGEST_SECONDS = 1_200
_LONGEST_ON_LONG_TEXTS = 600
JIWER, KALDIALIGN = "jiwer.process_words", "kaldialign.edit_distance, sclite_mode"
LONG_SCORERS = [
    *(f"{name}, {mode}" for name in ("count_word_errors", "align_words") for mode in ("unit", "sclite")),
    "kaldialign.edit_distance",
    KALDIALIGN,
    "kaldialign.align, sclite_mode",
]


class Run(NamedTuple):
    """One run: seconds, and MiB at the peak, of the whole process and added to what it held; or why there is none."""

    seconds: float = 0.0
    peak: float = 0.0
    added: float = 0.0
    failure: str = ""


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
        sources, numbers, origin = [synthetic(rng)], [count], "a synthetic vocabulary"
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


def long_pair(data: Path, related: bool) -> Pairs:
    """Two texts of about 130,000 words: a reference and what was heard of it, or two that have nothing in common."""
    (references, hypotheses), _ = make_pairs(LONG_WORDS // 8, data)
    reference, hypothesis = (" ".join(side).split() for side in (references, hypotheses))
    if not related:
        # Another half of the texts, so that only frequent words are equal here and there.
        reference, hypothesis = reference[:LONG_WORDS], hypothesis[-LONG_WORDS:]
    return [" ".join(reference[:LONG_WORDS])], [" ".join(hypothesis[:LONG_WORDS])]


def jiwer_counts(references: list[str], hypotheses: list[str]) -> np.ndarray:
    """The columns of `count_word_errors` from jiwer's alignments."""
    output = jiwer.process_words(references, hypotheses)
    rows = []
    for reference, chunks in zip(output.references, output.alignments, strict=True):
        counts = dict.fromkeys(("equal", "substitute", "delete", "insert"), 0)
        for chunk in chunks:
            length = max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
            counts[chunk.type] += length
        rows.append([len(reference), *counts.values()])
    return np.array(rows)


def sclite_counts(references: list[str], hypotheses: list[str]) -> np.ndarray:
    """The columns of `count_word_errors` from sclite."""
    sides = [{str(number): text for number, text in enumerate(side)} for side in (references, hypotheses)]
    counts = np.array(list(sclite_trn(*sides).values()))
    return np.column_stack([counts[:, :3].sum(axis=1), counts])


def differing(pairs: Pairs, mode: str) -> tuple[np.ndarray, int]:
    """The other program's counts of every pair, and of how many pairs ours differ."""
    count = jiwer_counts if mode == "unit" else sclite_counts
    starts = range(0, len(pairs[0]), _CHECKED)
    expected = np.concatenate([count(*(side[start : start + _CHECKED] for side in pairs)) for start in starts])
    unequal = np.zeros(len(expected), bool)
    for counts in (count_word_errors(*pairs, mode), align_words(*pairs, mode)[0]):
        unequal |= (counts[WORD_COUNTS].to_numpy() != expected).any(axis=1)
    return expected, int(unequal.sum())


def measured(name: str, directory: Path, most_gib: float, longest: float = _LONGEST_SECONDS) -> Run:
    """One run of a scorer in a process of its own."""
    command = [sys.executable, scorers.__file__, name, str(directory), str(most_gib)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=longest)
    except subprocess.TimeoutExpired:
        return Run(failure=f"not done in {longest:.0f} s")
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return Run(failure=f"failed within {most_gib:g} GiB: {said[-1][:80]}")
    return Run(**json.loads(done.stdout))


def compare(count: int, repetitions: int, data: Path, most_gib: float) -> None:
    """Print how the scorers do on so many pairs."""
    pairs, origin = make_pairs(count, data)
    names = list(SCORERS) + [name for name, command in COMMANDS.items() if shutil.which(command[0])]
    equal = []
    for mode, program in (("unit", "jiwer"), ("sclite", "sclite")):
        if mode == "unit" or shutil.which("sctk"):
            counts, unequal = differing(pairs, mode)
            errors, words = counts[:, 2:].sum(), counts[:, 0].sum()
            equal.append(f"{unequal} of them differ from {program} in `{mode}` (WER {errors / words:.4f})")
        else:
            equal.append("sclite is not installed")
    print(
        f"\n{count:,} pairs from {origin}: {words:,} reference words ({words / count:.1f} a pair); "
        f"{', '.join(equal)}. Median of {repetitions} alternating runs.\n",
        flush=True,
    )
    runs: dict[str, list[Run]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as place:
        write_pairs(pairs, Path(place))
        del pairs
        for _ in range(repetitions):
            for name in names:
                if not (runs[name] and runs[name][-1].failure):
                    runs[name].append(measured(name, Path(place), most_gib))
    print(
        "| what | seconds | range | jiwer's time / its own | kaldialign's (sclite_mode) / its own | peak MiB | added |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, taken in runs.items():
        print(f"| {name} | {row(taken, runs[JIWER], runs[KALDIALIGN])} |")
    goals(count, runs)


def row(taken: list[Run], *others: list[Run]) -> str:
    if taken[-1].failure:
        return f"{taken[-1].failure} | | | | | "
    seconds = [run.seconds for run in taken]
    cells = [f"{statistics.median(seconds):.2f}", f"{min(seconds):.2f} to {max(seconds):.2f}"]
    cells += [f"{ratio(other, taken):.1f}" for other in others]
    cells += [f"{max(run.peak for run in taken):.0f}", f"{max(run.added for run in taken):.0f}"]
    return " | ".join(cells)


def ratio(theirs: list[Run], own: list[Run]) -> float:
    """The median over the repetitions of how many times faster; not a number where the other did not finish."""
    if theirs[-1].failure:
        return float("nan")
    return statistics.median(a.seconds / b.seconds for a, b in zip(theirs, own, strict=True))


def goals(count: int, runs: dict[str, list[Run]]) -> None:
    """Print whether the goals are met."""
    unit = ratio(runs[JIWER], runs["count_word_errors, unit"])
    sclite = ratio(runs[KALDIALIGN], runs["count_word_errors, sclite"])
    print(f"\n- 10 times jiwer's speed in `unit`, counts alone: {unit:.1f}, {'met' if unit >= 10 else 'not met'}")
    print(
        f"- faster than kaldialign in `sclite`, counts alone: {sclite:.1f} times, {'met' if sclite > 1 else 'not met'}"
    )
    if count >= 1_000_000:
        ours = [
            run for name, taken in runs.items() if name.startswith(("count", "align_words", "score")) for run in taken
        ]
        most = max(run.peak for run in ours)
        failed = sum(bool(run.failure) for run in ours)
        met = "met" if most < 4096 and not failed else "not met"
        print(f"- {count:,} pairs in less than 4 GiB: {most:.0f} MiB at most and {failed} failed, {met}")


def compare_long(data: Path, most_gib: float) -> None:
    """Print how the scorers do on a pair of long texts."""
    for related, what in ((True, "what was heard of the other"), (False, "unrelated to the other")):
        pairs = long_pair(data, related)
        counts = count_word_errors(*pairs).iloc[0]
        print(f"\nTwo texts of {counts['ref_words']:,} and {len(pairs[1][0].split()):,} words, one of them {what}.\n")
        print("| what | seconds | peak MiB | added |\n|---|---|---|---|")
        with tempfile.TemporaryDirectory() as place:
            write_pairs(pairs, Path(place))
            most = 0.0
            for name in LONG_SCORERS:
                run = measured(name, Path(place), most_gib, _LONGEST_ON_LONG_TEXTS)
                if not name.startswith("kaldialign"):
                    most = max(most, float("inf") if run.failure else run.peak)
                figures = (
                    f"{run.failure} | | " if run.failure else f"{run.seconds:.2f} | {run.peak:.0f} | {run.added:.0f}"
                )
                print(f"| {name} | {figures} |", flush=True)
        print(f"\n- ours in less than 1 GiB: {most:.0f} MiB at most, {'met' if most < 1024 else 'not met'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, action="append", help="again for each; otherwise 100,000 and 1,000,000")
    parser.add_argument("--fast", action="store_true", help="100,000 pairs only, and no long texts")
    parser.add_argument("--repetitions", type=int, default=5, help="of up to 500,000 pairs; more are run once")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most-gib", type=float, default=8, help="the address space that a run may take")
    arguments = parser.parse_args()

    programs = ", ".join(f"{name} {version(name)}" for name in ("jiwer", "kaldialign", "rapidfuzz", "numba"))
    print(f"Python {platform.python_version()}, {programs}.")
    for count in arguments.pairs or ([100_000] if arguments.fast else [100_000, 1_000_000]):
        repetitions = 1 if count > _MANY else arguments.repetitions
        compare(count, repetitions, arguments.data, arguments.most_gib)
    if not arguments.fast:
        compare_long(arguments.data, arguments.most_gib)


if __name__ == "__main__":
    main()
