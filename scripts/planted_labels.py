"""How well wrong labels are found that were planted among real ones, with one transcript a clip.

Into the references of Common Voice, as four recognisers were run on them, these are planted, each kind in 5 % of the
clips (fewer where fewer can take it), no clip twice:

harmful   deleted_words (one or two words left out), substituted_words (one word replaced by another one of the corpus,
          drawn from those of its length within a letter or two), swapped (the texts of clips change places), truncated
          (a fifth to a half of the words gone from the start or the end, at least two)
harmless  filler (um, uh, er put in), contraction (made, or written out), number (words as digits), casing (all small,
          all capital, every word capital), punctuation (all gone, or others put in), spacing (two words as one, one as
          two, two spaces)

Every transcript of the half is ranked, those with nothing planted too. The clips fall into two halves by a hash of
their name: what is chosen by looking is chosen on `--half develop`, and figures are reported from `--half report`.
The references are not free of errors themselves: prompts that were misread, and clips with no speech. They
count as clean here, so no ranking can reach a precision of 1.

    python -m scripts.planted_labels [--half report] [--seed 0] [--share 0.05] [--systems azure google]
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from analysis.align import count_word_errors
from analysis.language.numbers import value_of
from analysis.normalizers import basic
from label_rules.corpus import Corpus
from label_rules.suspects.model import model_evidence
from scripts.real_pairs import DATA, SYSTEMS

HARMFUL = ("deleted_words", "substituted_words", "swapped", "truncated")
HARMLESS = ("filler", "contraction", "number", "casing", "punctuation", "spacing")
FLAGGED = 0.5
"""The stated operating point: a transcript of at least this score is told to be wrong."""

_FILLERS = ("um", "uh", "er", "um,", "uh,", "Um...")
_WRITTEN_OUT = {
    "it is": "it's", "i am": "I'm", "do not": "don't", "did not": "didn't", "is not": "isn't", "cannot": "can't",
    "was not": "wasn't", "you are": "you're", "we are": "we're", "they are": "they're", "i have": "I've",
    "i will": "I'll", "that is": "that's", "he is": "he's", "she is": "she's", "could not": "couldn't",
    "would not": "wouldn't", "does not": "doesn't", "will not": "won't", "there is": "there's", "what is": "what's",
}  # fmt: skip
_IN_FULL = {short.lower(): full for full, short in _WRITTEN_OUT.items()} | {"i'm": "I am", "i've": "I have"}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def read_clips(data: Path, systems: Sequence[str], half: str) -> pd.DataFrame:
    """The clips of a half (develop, report or all) that all systems have: clip, text, and a column a system."""
    frame: pd.DataFrame | None = None
    for system in systems:
        path = data / "asr_outputs" / "common-voice-four-systems" / f"{system}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        name = "files" if "files" in rows[0] else "paths"
        found = pd.DataFrame(
            {
                "clip": [PurePosixPath(row[name]).name.split(".")[0] for row in rows],
                "text": [row["actual"] for row in rows],
                system: [row["transcription_en-US"] for row in rows],
            }
        ).drop_duplicates("clip")
        frame = found if frame is None else frame.merge(found.drop(columns="text"), on="clip")
    assert frame is not None
    in_report = frame["clip"].map(lambda clip: hashlib.sha256(clip.encode()).digest()[0] % 2 == 1)
    chosen = {"develop": ~in_report, "report": in_report, "all": in_report | True}[half]
    return frame[chosen].sort_values("clip").reset_index(drop=True)


def plant(texts: Sequence[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """The texts with errors and other conventions planted, and for each text what was: a kind, or `clean`."""
    draw = random.Random(seed)
    by_length: dict[int, list[str]] = defaultdict(list)
    for text in texts:
        for word in _WORD.findall(text):
            by_length[len(word)].append(word)
    each = round(share * len(texts))
    planted, kinds = list(texts), ["clean"] * len(texts)
    free = list(range(len(texts)))
    draw.shuffle(free)
    # Kinds that few texts can take choose first.
    for kind in ("number", "contraction", *HARMFUL, "filler", "casing", "punctuation", "spacing"):
        if kind == "swapped":
            members = free[:each]
            free = free[each:]
            for one, other in zip(members, members[1:] + members[:1], strict=True):
                if basic(texts[one]) != basic(texts[other]):
                    planted[one], kinds[one] = texts[other], kind
            continue
        taken, left = 0, []
        for row in free:
            made = _PLANTERS[kind](texts[row], draw, by_length) if taken < each else None
            if made is None or made == texts[row]:
                left.append(row)
            else:
                planted[row], kinds[row], taken = made, kind, taken + 1
        free = left
    return planted, kinds


def _delete(text: str, draw: random.Random, _: object) -> str | None:
    words = text.split()
    if len(words) < 4:
        return None
    several = draw.choice((1, 1, 2))
    at = draw.randrange(len(words) - several + 1)
    return " ".join(words[:at] + words[at + several :])


def _substitute(text: str, draw: random.Random, by_length: dict[int, list[str]]) -> str | None:
    found = list(_WORD.finditer(text))
    if len(found) < 2:
        return None
    old = draw.choice(found)
    for _ in range(20):
        length = max(1, len(old.group()) + draw.randint(-2, 2))
        new = draw.choice(by_length[length]) if by_length.get(length) else old.group()
        if new.lower() != old.group().lower():
            new = new.capitalize() if old.group()[0].isupper() else new.lower()
            return text[: old.start()] + new + text[old.end() :]
    return None


def _truncate(text: str, draw: random.Random, _: object) -> str | None:
    words = text.split()
    if len(words) < 5:
        return None
    gone = max(2, round(len(words) * draw.uniform(0.2, 0.5)))
    return " ".join(words[gone:] if draw.random() < 0.5 else words[:-gone])


def _filler(text: str, draw: random.Random, _: object) -> str | None:
    words = text.split()
    words.insert(draw.randrange(len(words) + 1), draw.choice(_FILLERS))
    return " ".join(words)


def _contract(text: str, draw: random.Random, _: object) -> str | None:
    for table in (_WRITTEN_OUT, _IN_FULL):
        for old, new in table.items():
            found = re.search(rf"\b{old}\b", text.replace("’", "'"), re.IGNORECASE)
            if found:
                new = new[0].upper() + new[1:] if found.group()[0].isupper() else new
                return text[: found.start()] + new + text[found.end() :]
    return None


def _digits(text: str, draw: random.Random, _: object) -> str | None:
    words = text.split()
    for at, word in enumerate(words):
        bare = re.sub(r"\W+$", "", word)
        # `one` is a pronoun more often than a number.
        value = value_of(bare.lower().split("-")) if bare and bare.lower() != "one" else None
        if value is not None:
            words[at] = f"{value}{word[len(bare) :]}"
            return " ".join(words)
    return None


def _case(text: str, draw: random.Random, _: object) -> str | None:
    return draw.choice((str.lower, str.upper, str.title if "'" not in text else str.upper))(text)


def _punctuate(text: str, draw: random.Random, _: object) -> str | None:
    bare = re.sub(r"[.,;:!?\"]", "", text)
    if draw.random() < 0.5:
        return bare
    words = bare.split()
    at = draw.randrange(len(words))
    words[at] += draw.choice((",", ";", " -", "..."))
    return " ".join(words) + draw.choice((".", "!", "...", ""))


def _space(text: str, draw: random.Random, _: object) -> str | None:
    words = text.split()
    how = draw.randrange(3)
    if how == 0 and len(words) > 1:
        pairs = [i for i in range(len(words) - 1) if words[i].isalpha() and words[i + 1][0].isalpha()]
        if pairs:
            at = draw.choice(pairs)
            return " ".join([*words[:at], words[at] + words[at + 1], *words[at + 2 :]])
    long = [i for i, word in enumerate(words) if len(word) >= 7 and word.isalpha()]
    if how == 1 and long:
        at = draw.choice(long)
        cut = draw.randrange(3, len(words[at]) - 2)
        return " ".join([*words[:at], words[at][:cut], words[at][cut:], *words[at + 1 :]])
    return text.replace(" ", "  ", 1)


_PLANTERS: dict[str, Callable[[str, random.Random, dict[int, list[str]]], str | None]] = {
    "deleted_words": _delete,
    "substituted_words": _substitute,
    "truncated": _truncate,
    "filler": _filler,
    "contraction": _contract,
    "number": _digits,
    "casing": _case,
    "punctuation": _punctuate,
    "spacing": _space,
}


def corpus_of(clips: pd.DataFrame, texts: Sequence[str], systems: Sequence[str]) -> Corpus:
    """One transcript a clip; the first system's hypotheses are the main run's."""
    frame = pd.DataFrame({"utterance_id": clips["clip"], "annotator": "reference", "text": texts})
    frame["hypothesis"] = clips[systems[0]]
    for further in systems[1:]:
        frame[f"hypothesis_{further}"] = clips[further]
    return Corpus(frame)


def wer(texts: Sequence[str], clips: pd.DataFrame, systems: Sequence[str], fold: Callable[[str], str]) -> np.ndarray:
    """The label's word error rate against the hypothesis, as a ranking: the mean over the systems."""
    rates = []
    for system in systems:
        counts = count_word_errors([fold(text) for text in texts], [fold(text) for text in clips[system]])
        errors = counts["substitutions"] + counts["deletions"] + counts["insertions"]
        rates.append((errors / counts["ref_words"].clip(lower=1)).to_numpy())
    return np.mean(rates, axis=0)


def average_precision(positive: np.ndarray, score: np.ndarray) -> float:
    """The mean of the precision over the positives, ranked by score; ties are taken together.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]))
    0.8333333333333333
    """
    values, at = np.unique(-score, return_inverse=True)
    hits = np.cumsum(np.bincount(at, positive, len(values)))
    seen = np.cumsum(np.bincount(at, minlength=len(values)))
    return float((np.diff(hits, prepend=0.0) * hits / seen).sum() / positive.sum())


def measured(kinds: np.ndarray, score: np.ndarray, flagged: float | None) -> dict[str, tuple[float, ...]]:
    """By kind: how many, precision and recall in the top N, both among the flagged, and average precision.

    N is how many harmful ones there are. For a kind, the other harmful kinds are left out of the ranking.
    """
    score = np.nan_to_num(score, nan=-1.0)
    harmful = np.isin(kinds, HARMFUL)
    n = int(harmful.sum())
    order = np.lexsort((np.random.default_rng(0).random(len(score)), -score))
    top = np.zeros(len(score), bool)
    top[order[:n]] = True
    told = score >= flagged if flagged is not None else np.zeros(len(score), bool)
    result: dict[str, tuple[float, ...]] = {}
    for kind in ("harmful", *HARMFUL, "harmless", *HARMLESS, "clean"):
        of_kind = {"harmful": harmful, "harmless": np.isin(kinds, HARMLESS)}.get(kind, kinds == kind)
        if not of_kind.any():
            continue
        others = of_kind | ~harmful
        is_harmful = kind == "harmful" or kind in HARMFUL
        result[kind] = (
            float(of_kind.sum()),
            _share(of_kind[others & top]) if is_harmful else np.nan,
            float(top[of_kind].mean()),
            _share(of_kind[others & told]) if is_harmful and flagged is not None else np.nan,
            float(told[of_kind].mean()) if flagged is not None else np.nan,
            average_precision(of_kind[others], score[others]) if is_harmful else np.nan,
        )
    return result


def _share(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan


def report(title: str, rankings: dict[str, dict[str, tuple[float, ...]]]) -> Iterator[str]:
    """The lines of a table of kinds by rankings."""
    names = list(rankings)
    yield f"\n## {title}"
    yield (
        f"| | planted | AP: {' | '.join(names)} | top N, precision: {' | '.join(names)} | top N, share of the kind:"
        + (f" {' | '.join(names)} | flagged, precision | flagged, share |")
    )
    yield "|---|" + "---:|" * (3 + 3 * len(names))
    for kind in rankings[names[0]]:
        row = [rankings[name][kind] for name in names]
        cells = (
            [each[5] for each in row] + [each[1] for each in row] + [each[2] for each in row] + [row[0][3], row[0][4]]
        )
        shown = " | ".join("" if np.isnan(cell) else f"{cell:.3f}" for cell in cells)
        yield f"| {kind} | {int(row[0][0])} | {shown} |"


def run(data: Path, systems: Sequence[str], half: str, share: float, seed: int) -> None:
    clips = read_clips(data, systems, half)
    texts, kinds = plant(clips["text"].tolist(), share, seed)
    of = np.array(kinds)
    print(f"{len(clips):,} clips ({half}), seed {seed}, {np.isin(of, HARMFUL).sum()} harmful and", end=" ")
    print(f"{np.isin(of, HARMLESS).sum()} harmless planted; flagged from a score of {FLAGGED} on")
    for chosen in [*([system] for system in systems), *([list(systems)] if len(systems) > 1 else [])]:
        corpus = corpus_of(clips, texts, chosen)
        began = time.perf_counter()
        evidence = model_evidence(corpus)
        seconds = time.perf_counter() - began
        rankings = {
            "model evidence": measured(of, evidence.score, FLAGGED),
            "WER, folded": measured(of, wer(texts, clips, chosen, basic), None),
            "WER, raw": measured(of, wer(texts, clips, chosen, str), None),
        }
        for line in report(f"{', '.join(chosen)} ({seconds:.1f} s)", rankings):
            print(line)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the directory of real data")
    parser.add_argument(
        "--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="each alone, then together"
    )
    parser.add_argument("--half", choices=("develop", "report", "all"), default="report")
    parser.add_argument("--share", type=float, default=0.05, help="of the clips, for each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if not (options.data / "asr_outputs").is_dir():
        parser.error(f"{options.data} has no asr_outputs; give the directory of real data with --data")
    run(options.data, options.systems, options.half, options.share, options.seed)


if __name__ == "__main__":
    main()
