"""Word error rates of three recognisers on Earnings-21 beside the table that its authors published.

    python scripts/earnings21.py [--data DIRECTORY] [--ablation] [--processes 2]

Two scorings, neither tuned to the data. `case` is what the published table was made with (fstalign in spring 2021):
tokens as written but for case, the candidates that come with the references, fillers counted as words. `basic` is the
workbench's own: its basic normalizer, the same candidates, and its built-in English alternatives, fillers counted.
The naive scorings have no alternatives at all. `--ablation` adds what each rule is worth. Prints Markdown.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.alternatives.builtin import ENGLISH
from analysis.entities import count_entity_errors, sum_counts
from analysis.error_counts import ErrorCounts
from analysis.network_align import MarkedStep, align_marked
from analysis.normalizers import get_normalizer
from analysis.scoring import Scoring, get_scoring
from workbench.manifests.nlp import NlpReference, find_nlp_files, read_nlp_hypothesis, read_nlp_reference

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "earnings21"
SYSTEMS = {"google": "Google", "amazon": "Amazon", "speechmatics": "Speechmatics"}
# The published table names one sector otherwise than the metadata do.
SECTOR_NAMES = {"Conglomerate": "Conglomerates"}
CASE = get_normalizer("case")


@dataclass(frozen=True)
class Setting:
    """A scoring, and whether the candidates that come with the references are taken."""

    name: str
    scoring: Scoring
    candidates: bool = True


PUBLISHED = Setting("case, candidates", Scoring(CASE))
GENERAL = Setting("basic, candidates, English alternatives", get_scoring("basic", alternatives=ENGLISH))
NAIVE = [
    Setting("naive: none", get_scoring("none"), candidates=False),
    Setting("naive: basic", get_scoring("basic"), candidates=False),
]


def ablations() -> list[Setting]:
    """Each rule of the general setting added alone and left out alone, the other treatment of fillers, and sclite."""
    made = [
        Setting("case, no candidates", Scoring(CASE), candidates=False),
        Setting("basic, candidates", get_scoring("basic")),
    ]
    for name in ENGLISH:
        made.append(Setting(f"basic, candidates, {name}", get_scoring("basic", alternatives=[name])))
    for name in ENGLISH:
        rest = [other for other in ENGLISH if other != name]
        made.append(Setting(f"general without {name}", get_scoring("basic", alternatives=rest)))
    made += [
        Setting("general without candidates", get_scoring("basic", alternatives=ENGLISH), candidates=False),
        Setting("general, fillers optional", get_scoring("basic", alternatives=ENGLISH, fillers="optional")),
        Setting("general, sclite's costs", get_scoring("basic", "sclite", alternatives=ENGLISH)),
        Setting("case, candidates, sclite's costs", Scoring(CASE, "sclite")),
    ]
    return made


@dataclass(frozen=True)
class Scored:
    """One recording of one system, scored one way."""

    system: str
    recording: str
    counts: ErrorCounts
    entities: dict[str, ErrorCounts]
    forgiven: Counter[str]


@cache
def reference_of(data: Path, recording: str, candidates: bool) -> NlpReference:
    files = find_nlp_files(data / "transcripts" / "nlp_references" / f"{recording}.nlp")[recording]
    return read_nlp_reference(files.nlp, files.norm if candidates else None, files.wer_tags)


def score_recording(task: tuple[Path, Setting, str, str]) -> Scored:
    data, setting, system, recording = task
    reference = reference_of(data, recording, setting.candidates)
    hypothesis = read_nlp_hypothesis(data / "output" / system / f"{recording}.nlp")
    aligned = align_marked(reference.marked, hypothesis.text, setting.scoring)
    counted = count_entity_errors(aligned.steps, reference.entities, reference.token_items, insertions="group")
    classes = (entity.entity_class for entity in reference.entities)
    forgiven: Counter[str] = Counter()
    for taken in aligned.forgiven:
        forgiven[taken.alternative] += taken.words
    return Scored(system, recording, counts_of(aligned.steps), sum_counts(zip(classes, counted, strict=True)), forgiven)


def counts_of(steps: Sequence[MarkedStep]) -> ErrorCounts:
    ops = Counter(step.op for step in steps)
    hits, substitutions, deletions = ops["equal"], ops["substitute"], ops["delete"]
    return ErrorCounts(hits + substitutions + deletions, hits, substitutions, deletions, ops["insert"])


def metadata(data: Path) -> tuple[dict[str, str], set[str]]:
    """The sector of each recording, and the recordings of Eval-10."""
    with (data / "earnings21-file-metadata.csv").open(encoding="utf-8", newline="") as file:
        sectors = {row["file_id"]: SECTOR_NAMES.get(row["sector"], row["sector"]) for row in csv.DictReader(file)}
    with (data / "eval10-file-metadata.csv").open(encoding="utf-8", newline="") as file:
        return sectors, {row["file_id"] for row in csv.DictReader(file)}


def published(data: Path) -> dict[str, dict[str, float]]:
    """The rows of the published tables by their names; WER in percent by system."""
    rows: dict[str, dict[str, float]] = {}
    columns: list[str] = []
    for line in (data / "transcripts" / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("_") for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
        if len(cells) < 2 or cells[1].startswith("--"):
            continue
        if not cells[0]:
            columns = cells
        else:
            rows[cells[0]] = {s: float(cells[columns.index(name)]) for s, name in SYSTEMS.items()}
    return rows


def percent(counts: ErrorCounts) -> float:
    if counts.rate is None:
        raise SystemExit("no reference words in one of the slices; check the data")
    return 100 * counts.rate


def print_overall(results: dict[str, list[Scored]], eval_10: set[str], table: dict[str, dict[str, float]]) -> None:
    print("\n## Overall and Eval-10, WER in %\n")
    print("| scoring | " + " | ".join(f"{name} | Eval-10" for name in SYSTEMS.values()) + " |")
    print("|---|" + "---|" * 2 * len(SYSTEMS))
    cells = (f"{table['Earnings21'][s]:.1f} | {table['Eval-10'][s]:.1f}" for s in SYSTEMS)
    print(f"| published | {' | '.join(cells)} |")
    for name, scored in results.items():
        row = []
        for system in SYSTEMS:
            of_system = [one for one in scored if one.system == system]
            parts = (of_system, [one for one in of_system if one.recording in eval_10])
            row += [f"{percent(total(one.counts for one in part)):.2f}" for part in parts]
        print(f"| {name} | {' | '.join(row)} |")


def print_beside(
    title: str,
    results: dict[str, list[Scored]],
    table: dict[str, dict[str, float]],
    rates_of: Callable[[Scored], dict[str, ErrorCounts]],
) -> None:
    """A table of ours beside the published one, a row a slice, with the mean absolute difference."""
    names = list(results)
    sums = {
        (name, system): sum_counts(
            pair for one in scored if one.system == system for pair in rates_of(one).items()
        )
        for name, scored in results.items()
        for system in SYSTEMS
    }  # fmt: skip
    rows = sorted({key for counted in sums.values() for key in counted if key in table})
    unpublished = sorted({key for counted in sums.values() for key in counted if key not in table})
    print(f"\n## {title}, WER in %\n")
    print("| | " + " | ".join(f"{shown}: published | {' | '.join(names)}" for shown in SYSTEMS.values()) + " |")
    print("|---|" + "---|" * (len(SYSTEMS) * (1 + len(names))))
    for row in rows:
        cells = []
        for system in SYSTEMS:
            cells.append(f"{table[row][system]:.1f}")
            cells += [f"{percent(sums[name, system][row]):.1f}" for name in names]
        print(f"| {row} | {' | '.join(cells)} |")
    cells = []
    for system in SYSTEMS:
        cells.append("")
        for name in names:
            gaps = [abs(percent(sums[name, system][row]) - table[row][system]) for row in rows]
            cells.append(f"{sum(gaps) / len(gaps):.2f}")
    print(f"| mean absolute difference | {' | '.join(cells)} |")
    if unpublished:
        print(f"\nNot in the published table: {', '.join(unpublished)}.")


def print_forgiven(results: dict[str, list[Scored]]) -> None:
    print("\n## Reference words forgiven, by alternative\n")
    print(f"| scoring | alternative | {' | '.join(SYSTEMS.values())} |")
    print("|---|---|" + "---|" * len(SYSTEMS))
    for name, scored in results.items():
        sums = {s: sum((one.forgiven for one in scored if one.system == s), Counter()) for s in SYSTEMS}
        for alternative in sorted(set().union(*sums.values())):
            print(f"| {name} | {alternative} | {' | '.join(f'{sums[s][alternative]:,}' for s in SYSTEMS)} |")


def total(counts: Iterable[ErrorCounts]) -> ErrorCounts:
    return sum(counts, ErrorCounts.zero())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--ablation", action="store_true", help="also what each rule is worth")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    data: Path = arguments.data
    if not data.is_dir():
        raise SystemExit(f"{data} is not there; give the directory of Earnings-21 with --data")

    references = find_nlp_files(data / "transcripts")
    recordings = sorted(references)
    for system, shown in SYSTEMS.items():
        heard = set(find_nlp_files(data / "output" / system))
        print(f"{shown}: {len(heard)} outputs for {len(recordings)} references", end="")
        extra, missing = sorted(heard - set(recordings)), sorted(set(recordings) - heard)
        print(f"; no reference for {', '.join(extra)}" if extra else "", end="")
        print(f"; no output for {', '.join(missing)}" if missing else "")
        if missing:
            raise SystemExit("every reference needs an output; nothing was scored")

    settings = [PUBLISHED, GENERAL, *NAIVE, *(ablations() if arguments.ablation else [])]
    tasks = [(data, setting, s, recording) for setting in settings for recording in recordings for s in SYSTEMS]
    results: dict[str, list[Scored]] = {setting.name: [] for setting in settings}
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        for task, scored in zip(tasks, pool.imap(score_recording, tasks), strict=True):
            results[task[1].name].append(scored)

    sectors, eval_10 = metadata(data)
    table = published(data)
    print_overall(results, eval_10, table)
    both = {setting.name: results[setting.name] for setting in (PUBLISHED, GENERAL)}
    print_beside("By sector", both, table, lambda one: {sectors[one.recording]: one.counts})
    print_beside("By entity", both, table, lambda one: one.entities)
    print_forgiven(both)


if __name__ == "__main__":
    main()
