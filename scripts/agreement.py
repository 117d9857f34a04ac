"""How many utterances differ between this scorer and the field's tools: none should. Exit status 1 if any does.

    python scripts/agreement.py [--data DIRECTORY] [--random N] [--seed N]

jiwer is compared with in alignment mode `unit` (substitutions, deletions and insertions of each utterance), NIST's
sclite in `sclite` (those, and every step of the alignment), sc_stats with MAPSSWE (every figure that it prints).
Compared are real pairs of texts, random ones of few different words, which make ties, references in NIST's notation,
and stm and ctm files. Prints a Markdown table. What is not installed or not there is named and left out.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jiwer
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.align import align_words
from analysis.error_counts import score
from analysis.mapsswe import mapsswe
from analysis.normalizers import get_normalizer
from analysis.scoring import Scoring, get_scoring
from scripts.real_pairs import DATA, SPLITS, SYSTEMS, Pairs, common_voice, crowd_speech
from tests import notation_texts
from tests.sc_stats_program import sc_stats, two_systems
from tests.sclite_program import sclite_segments, sclite_trn_alignments
from tests.test_stm_ctm import random_files
from workbench.manifests.ctm import read_ctm
from workbench.manifests.stm import read_stm
from workbench.manifests.time_mediated import pair_by_time

Steps = list[tuple[str, str, str]]

_BLOCK = 20_000
# Where sclite reads something else than a word: alternations, nothing, optional words, tags, marks, fragments.
_NOTATION = re.compile(r"[{};]|(?<!\S)[@()*-]|[@()*-](?!\S)")
_OTHER_SPACE = re.compile(r"[^\S ]")
_UNREADABLE = re.compile(r"[{}]|[^\S ]")
_JIWER_OPS = ("equal", "substitute", "delete", "insert")
# In random ctm files words stand for their number; here they are words that the references have.
_HEARD = ("a", "b", "the", "cat", "uh", "he-", "sat", "on", "네", "그", "그럼", "hear")


class Row(NamedTuple):
    """One comparison: how many utterances were compared, left out, and differ; the first that does."""

    texts: str
    how: str
    against: str
    compared: int
    left_out: int
    differing: int
    first: str = ""


def scored_steps(pairs: Pairs, scoring: Scoring) -> list[Steps]:
    """Our alignments of texts as written."""
    references, hypotheses = zip(*pairs, strict=True) if pairs else ((), ())
    ids = [str(number) for number in range(len(pairs))]
    frame = pd.DataFrame({"utterance_id": ids, "reference": references, "hypothesis": hypotheses})
    return _steps(score(frame, scoring)["alignment"].array.__arrow_array__())


def _steps(alignments: object) -> list[Steps]:
    return [[tuple(step.values()) for step in steps] for steps in alignments.to_pylist()]  # type: ignore[attr-defined]


def sclite_steps(pairs: Pairs, *options: str) -> list[Steps]:
    sides = ({str(number): pair[side] for number, pair in enumerate(pairs)} for side in (0, 1))
    return list(sclite_trn_alignments(*sides, *options).values())


def against_jiwer(name: str, how: str, pairs: Pairs) -> Row:
    """Counts in `unit` against jiwer's; both sides are normalised texts."""
    unequal: list[int] = []
    for start in range(0, len(pairs), _BLOCK):
        sides = [list(side) for side in zip(*pairs[start : start + _BLOCK], strict=True)]
        output = jiwer.process_words(*sides)
        expected = np.zeros((len(sides[0]), len(_JIWER_OPS)), np.int64)
        for row, chunks in enumerate(output.alignments):
            for chunk in chunks:
                length = max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
                expected[row, _JIWER_OPS.index(chunk.type)] += length
        found = align_words(*sides)[0].to_numpy()[:, 1:]
        unequal += (start + np.flatnonzero((found != expected).any(axis=1))).tolist()
    first = f"{pairs[unequal[0]]!r}" if unequal else ""
    return Row(name, f"{how}, unit", "jiwer: counts", len(pairs), 0, len(unequal), first)


def against_sclite(name: str, how: str, pairs: Pairs, left_out: int = 0) -> Row:
    """Every step in `sclite` against sclite's; both sides are normalised texts."""
    unequal: list[int] = []
    for start in range(0, len(pairs), _BLOCK):
        block = pairs[start : start + _BLOCK]
        sides = [list(side) for side in zip(*block, strict=True)]
        found = _steps(align_words(*sides, "sclite")[1])
        both = zip(found, sclite_steps(block), strict=True)
        unequal += [start + row for row, (mine, theirs) in enumerate(both) if mine != theirs]
    first = f"{pairs[unequal[0]]!r}" if unequal else ""
    return Row(name, f"{how}, sclite", "sclite: counts and steps", len(pairs), left_out, len(unequal), first)


def sclite_can_read(pair: tuple[str, str]) -> bool:
    """Whether sclite takes the same words from both texts as are written."""
    return not any(_NOTATION.search(text) or _OTHER_SPACE.search(text) for text in pair)


def with_notation(name: str, how: str, pairs: Pairs) -> Row:
    """Counts of the texts that hold sclite's notation, read as it reads them; those that it cannot read are left out.

    Steps are not compared: sclite writes the tags of words with them.
    """
    readable = [pair for pair in pairs if not any(_UNREADABLE.search(text) for text in pair)]
    mine = scored_steps(readable, get_scoring("none", "sclite", notation="alternations"))
    both = zip(readable, mine, sclite_steps(readable), strict=True)
    unequal = [pair for pair, *sides in both if len({tuple(op for op, _, _ in steps) for steps in sides}) > 1]
    return Row(
        f"{name}, those with notation",
        f"{how}, sclite, alternations",
        "sclite: counts",
        len(readable),
        len(pairs) - len(readable),
        len(unequal),
        f"{unequal[0]!r}" if unequal else "",
    )


def real_pairs(data: Path, with_sclite: bool) -> Iterator[Row]:
    sources = [(f"Common Voice, {system}", common_voice(data, (system,))) for system in SYSTEMS]
    sources += [(f"CrowdSpeech, {split}", crowd_speech(data, (split,))) for split in SPLITS]
    for name, written in sources:
        for normalizer in ("none", "basic"):
            normalised = get_normalizer(normalizer)
            pairs = [(normalised(reference), normalised(hypothesis)) for reference, hypothesis in written]
            yield against_jiwer(name, normalizer, pairs)
            if with_sclite:
                readable = [pair for pair in pairs if sclite_can_read(pair)]
                yield against_sclite(name, normalizer, readable, len(pairs) - len(readable))
                if len(readable) < len(pairs):
                    yield with_notation(name, normalizer, [pair for pair in pairs if not sclite_can_read(pair)])


def random_pairs(count: int, vocabulary: int, rng: random.Random) -> Pairs:
    """Texts of up to 25 words of which few are different: half of them unrelated, half of them with errors."""
    words = [chr(ord("a") + number) for number in range(vocabulary)]
    pairs = []
    for number in range(count):
        reference = rng.choices(words, k=rng.randint(0, 25))
        if number % 2:
            heard = rng.choices(words, k=rng.randint(0, 25))
        else:
            said = ((word if rng.random() < 0.8 else rng.choice(words), rng.random()) for word in reference)
            heard = [word for word, chance in said if chance > 0.1 for _ in range(1 + (chance > 0.9))]
        pairs.append((" ".join(reference), " ".join(heard)))
    return pairs


def random_rows(count: int, rng: random.Random, with_sclite: bool) -> Iterator[Row]:
    for vocabulary in (2, 4, 8):
        pairs = random_pairs(count // 3, vocabulary, rng)
        name = f"random, {vocabulary} different words"
        yield against_jiwer(name, "none", pairs)
        if with_sclite:
            yield against_sclite(name, "none", pairs)


def notation_rows(count: int, rng: random.Random) -> Iterator[Row]:
    for notation, options in (("alternations", ()), ("nist", ("-D", "-F"))):
        pairs = [(notation_texts.reference(rng), notation_texts.hypothesis(rng)) for _ in range(count // 4)]
        mine = scored_steps(pairs, get_scoring("none", "sclite", notation=notation))
        both = zip(pairs, mine, sclite_steps(pairs, *options), strict=True)
        unequal = [pair for pair, ours, theirs in both if ours != as_words(theirs, options)]
        yield Row(
            "random references with alternatives",
            f"none, sclite, {notation}",
            f"sclite {' '.join(options)}".strip() + ": counts and steps",
            len(pairs),
            0,
            len(unequal),
            f"{unequal[0]!r}" if unequal else "",
        )


def as_words(steps: Sequence[tuple[str, str, str]], options: Sequence[str]) -> Steps:
    """The steps without the parentheses in which sclite writes optional words."""
    bare = (lambda word: re.sub(r"^\((.+)\)$", r"\1", word)) if "-D" in options else str
    return [(op, bare(reference), bare(hypothesis)) for op, reference, hypothesis in steps]


def stm_rows(count: int, seed: int) -> Iterator[Row]:
    for notation, options in (("alternations", ()), ("nist", ("-D", "-F"))):
        segments, unequal = 0, []
        number = 0
        while segments < count // 20:
            number += 1
            rng = random.Random(seed + number)
            stm_text, ctm_text = random_files(rng)
            ctm_text = re.sub(r"\bw\d+", lambda _, rng=rng: rng.choice(_HEARD), ctm_text)
            pairs = paired(stm_text, ctm_text)
            if pairs is None:
                continue
            scored = score(pairs, get_scoring("none", "sclite", notation=notation))
            names = ["hits", "substitutions", "deletions", "insertions"]
            ours = dict(zip(scored["utterance_id"], scored[names].itertuples(index=False, name=None), strict=True))
            theirs = {key: one.counts for key, one in sclite_segments(stm_text, ctm_text, *options).items()}
            unequal += [(number, key) for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
            segments += len(ours.keys() | theirs.keys())
        first = f"files of seed {seed + unequal[0][0]}, segment {unequal[0][1]}" if unequal else ""
        name = f"segments of {number} random stm and ctm files"
        against = f"sclite {' '.join(options)}".strip() + ": counts"
        yield Row(name, f"none, sclite, {notation}", against, segments, 0, len(unequal), first)


def paired(stm_text: str, ctm_text: str) -> pd.DataFrame | None:
    """The segments with their words; None where there is nothing to score, which sclite refuses."""
    with tempfile.TemporaryDirectory() as place:
        stm_path, ctm_path = Path(place) / "r.stm", Path(place) / "h.ctm"
        stm_path.write_text(stm_text, encoding="utf-8")
        ctm_path.write_text(ctm_text, encoding="utf-8")
        stm, ctm = read_stm(stm_path), read_ctm(ctm_path)
    if not len(ctm) or stm["ignored"].all():
        return None
    return pair_by_time(stm, ctm)[0]


def mapsswe_rows(seed: int) -> Iterator[Row]:
    """Of pairs of random systems, how many have another verdict or figure than sc_stats prints."""
    cases = [
        (utterances, rates) for utterances in (3, 20, 100, 500) for rates in ((0.3, 0.4), (0.1, 0.1), (0.15, 0.16))
    ]
    unequal = []
    for utterances, rates in cases:
        rng = np.random.default_rng([seed, utterances])
        with tempfile.TemporaryDirectory() as place:
            verdicts = sc_stats(*two_systems(rng, utterances, min(utterances, 8), rates), Path(place))
        found = mapsswe(list(verdicts.a.values()), list(verdicts.b.values()))
        printed = (f"{found.mean:.3f}", f"{found.std_dev:.3f}", f"{found.z:.3f}", found.better)
        if (found.segments, *printed) != tuple(verdicts.mapsswe):
            unequal.append(f"{utterances} utterances, error rates {rates}")
    yield Row(
        "pairs of random systems", "MAPSSWE", "sc_stats: all figures", len(cases), 0, len(unequal), "".join(unequal[:1])
    )


def all_rows(data: Path, count: int, seed: int, note: Callable[[str], None]) -> Iterator[Row]:
    with_sclite = shutil.which("sctk") is not None
    if not with_sclite:
        note("sctk is not installed: nothing is compared with sclite and sc_stats")
    if data.is_dir():
        yield from real_pairs(data, with_sclite)
    else:
        note(f"{data} is not there: no real pairs")
    rng = random.Random(seed)
    yield from random_rows(count, rng, with_sclite)
    if with_sclite:
        yield from notation_rows(count, rng)
        yield from stm_rows(count, seed)
        yield from mapsswe_rows(seed)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--random", type=int, default=30_000, metavar="N", help="random pairs (default 30,000)")
    parser.add_argument("--seed", type=int, default=0, help="of what is random (default 0)")
    asked = parser.parse_args(arguments)

    start = time.perf_counter()
    print("| texts | scored | against | utterances | left out | differing |")
    print("|---|---|---|---|---|---|")
    rows: list[Row] = []
    notes: list[str] = []
    for row in all_rows(asked.data, asked.random, asked.seed, notes.append):
        print(
            f"| {row.texts} | {row.how} | {row.against} | {row.compared:,} | {row.left_out:,} | {row.differing:,} |",
            flush=True,
        )
        rows.append(row)
    wrong = [row for row in rows if row.differing]
    print(
        f"\n{sum(row.compared for row in rows):,} comparisons, {sum(row.differing for row in rows):,} differ; ", end=""
    )
    print(
        f"{time.perf_counter() - start:.0f} s. Left out is what sclite reads otherwise: its notation, odd white space."
    )
    for note in notes:
        print(f"Not compared: {note}.")
    for row in wrong:
        print(f"Differs: {row.texts}, {row.how}, {row.against}: the first is {row.first}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
