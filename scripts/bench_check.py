"""Time and memory of all rules over many transcripts, conflicts within groups of one audio included.

    python scripts/bench_check.py [--transcripts N]... [--processes N]... [--rules ID]... [--data DIRECTORY] [--file]

The transcripts are made of real ones with a fixed seed (`many_transcripts.py`; without the data, of the demonstration's
queries). Each run is a process of its own; its memory is what it and its children hold resident, summed, at the peak,
and its processor time is what they all took, looked at ten times a second. Two plain things that others do are run on
the same transcripts: a loop of regular expressions in pandas, and jiwer over the pairs of each group. `--file` runs
`workbench check FILE` from end to end as well. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.many_transcripts import transcripts
from scripts.real_pairs import DATA

if TYPE_CHECKING:
    import pandas as pd

    from label_rules.corpus import Corpus
    from label_rules.rule import Outcome, Rule

_GOAL_SECONDS, _GOAL_GIB, _GOAL_TRANSCRIPTS = 120, 6, 1_000_000
_LOOKS_A_SECOND = 10
# What a first look at a corpus counts, one pattern each.
_PATTERNS = (
    r"\d", r"[A-Z]", r"[.?!]\s*$", r"\b(?:um+|uh+|erm?|hmm+|mm+)\b", r"[\[\]<>{}]", r"[“”‘’…]", r"\s{2,}|^\s|\s$",
    r"\b\w+n't\b|\b\w+'(?:re|ll|ve|s|m|d)\b", r"\bper ?cent\b|%", r"[^\x00-\x7f]",
)  # fmt: skip


def _rules(chosen: list[str]) -> list[Rule]:
    from label_rules.builtin import BUILTIN_RULES

    return [rule for rule in BUILTIN_RULES if not chosen or rule.rule_id in chosen]


def _timed(rule: Rule, seconds: dict[str, float]) -> Rule:
    """The rule, noting how long its check takes; what rules share is on the account of the first."""

    def check(corpus: Corpus) -> Iterator[Outcome]:
        seconds[rule.rule_id] = 0.0
        outcomes = iter(rule.check(corpus))
        while True:
            started = time.perf_counter()
            outcome = next(outcomes, None)
            seconds[rule.rule_id] += time.perf_counter() - started
            if outcome is None:
                return
            yield outcome

    return dataclasses.replace(rule, check=check)


def _check(frame: pd.DataFrame, processes: int, chosen: list[str]) -> dict[str, Any]:
    from label_rules.apply import apply_rules
    from workbench.jobs.processes import InProcesses

    seconds: dict[str, float] = {}
    rules = [_timed(rule, seconds) for rule in _rules(chosen)]
    applied = apply_rules(frame, rules, InProcesses(processes) if processes > 1 else map)
    found = (
        f"{len(applied.flags):,} flags, {applied.conflicts['group'].nunique():,} groups, {len(applied.faults)} faults"
    )
    return {"rules": seconds, "found": found}


def _pandas(frame: pd.DataFrame) -> dict[str, Any]:
    counts = [int(frame["text"].astype(object).str.count(pattern).sum()) for pattern in _PATTERNS]
    return {"found": f"{sum(counts):,} matches of {len(_PATTERNS)} patterns"}


def _jiwer(frame: pd.DataFrame) -> dict[str, Any]:
    import jiwer

    several = frame[frame.duplicated("utterance_id", keep=False)]
    pairs = [pair for _, texts in several.groupby("utterance_id")["text"] for pair in combinations(texts, 2)]
    pairs = [pair for pair in pairs if all(text.strip() for text in pair)]
    output = jiwer.process_words([a for a, _ in pairs], [b for _, b in pairs])
    return {"found": f"{len(output.alignments):,} pairs aligned, WER {output.wer:.3f}"}


def _run_once(what: str, directory: Path, processes: int, chosen: list[str]) -> None:
    """Do the work in this process and print how long it took."""
    import pandas as pd

    frame = pd.read_parquet(directory / "transcripts.parquet")
    started = time.perf_counter()
    made = {"check": lambda: _check(frame, processes, chosen), "pandas": lambda: _pandas(frame)}
    result = _jiwer(frame) if what == "jiwer" else made[what]()
    print(json.dumps(result | {"seconds": time.perf_counter() - started}))


class Taken(NamedTuple):
    """What a command and its descendants took: its exit status, GiB at the peak, seconds of processors, seconds."""

    status: int
    peak: float
    processor: float
    seconds: float


def measured(command: list[str], output: Path) -> Taken:
    """What a command takes from its start to its end, loading of libraries included."""
    peak = 0
    processor: dict[int, float] = {}
    started = time.perf_counter()
    with output.open("w") as file, subprocess.Popen(command, stdout=file, cwd=Path(__file__).parents[1]) as process:
        while process.poll() is None:
            now = list(_family(process.pid))
            peak = max(peak, sum(resident for _, resident, _ in now))
            processor |= {pid: seconds for pid, _, seconds in now}
            time.sleep(1 / _LOOKS_A_SECOND)
    return Taken(process.returncode, peak / 2**30, sum(processor.values()), time.perf_counter() - started)


def _family(pid: int) -> Iterator[tuple[int, int, float]]:
    """A process and its descendants, as /proc tells: id, bytes resident, seconds of processors until now."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return
    yield pid, pages * resource.getpagesize(), (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    for child in children:
        yield from _family(int(child))


def bench(count: int, processes: list[int], chosen: list[str], data: Path, with_file: bool) -> None:
    """Print what the rules and the others take on so many transcripts."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        frame, origin = transcripts(count, data)
        frame.to_parquet(directory / "transcripts.parquet")
        frame.to_csv(directory / "transcripts.csv", index=False)
        del frame
        print(f"\n{count:,} transcripts: {origin}\n")
        print("| what | seconds | processor seconds | peak GiB | found |\n|---|---|---|---|---|")
        by_rule: dict[str, float] = {}
        for what, number in [*(("check", number) for number in processes), ("pandas", 1), ("jiwer", 1)]:
            own = [sys.executable, __file__, "--run", what, str(directory), "--processes", str(number)]
            own += [part for rule in chosen for part in ("--rules", rule)]
            taken = measured(own, directory / "out.json")
            if taken.status:
                print(f"| {what} | exit status {taken.status} | | | |", flush=True)
                continue
            run = json.loads((directory / "out.json").read_text())
            name = {
                "check": f"all rules, {number} process{'es' if number > 1 else ''}",
                "pandas": "pandas, a loop of regular expressions (no majorities, no groups)",
                "jiwer": "jiwer on the pairs of groups (alignments only: no kinds, no votes, no suggestions)",
            }[what]
            row = [name, f"{run['seconds']:.1f}", f"{taken.processor:.1f}", f"{taken.peak:.2f}", run["found"]]
            print(f"| {' | '.join(row)} |", flush=True)
            if what == "check":
                by_rule = by_rule or run["rules"]
                _goal(count, number, run["seconds"], taken.peak)
        if with_file:
            program = [sys.executable, "-m", "workbench.cli.app", "check", str(directory / "transcripts.csv")]
            taken = measured([*program, "--format", "csv"], directory / "flags.csv")
            found = f"exit status {taken.status}, {(directory / 'flags.csv').stat().st_size / 1e6:.0f} MB"
            row = [f"{taken.seconds:.1f}", f"{taken.processor:.1f}", f"{taken.peak:.2f}", found]
            print(f"| workbench check FILE.csv, end to end | {' | '.join(row)} |", flush=True)
    print(f"\n| rule ({processes[0]} process{'es' if processes[0] > 1 else ''}) | seconds |\n|---|---|")
    for rule, seconds in sorted(by_rule.items(), key=lambda item: -item[1]):
        if seconds >= 0.05:
            print(f"| {rule} | {seconds:.1f} |")
    print(f"| all others | {sum(seconds for seconds in by_rule.values() if seconds < 0.05):.1f} |", flush=True)


def _goal(count: int, processes: int, seconds: float, peak: float) -> None:
    if count >= _GOAL_TRANSCRIPTS and processes == 2:
        met = seconds < _GOAL_SECONDS and peak < _GOAL_GIB
        goal = f"under {_GOAL_SECONDS} s and {_GOAL_GIB} GiB on 2 processes: {'met' if met else 'not met'}"
        print(f"<!-- {goal} -->", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transcripts", type=int, action="append", help="again for each; else 100,000 and 1,000,000")
    parser.add_argument("--processes", type=int, action="append", help="again for each; else 1 and 2")
    parser.add_argument("--rules", action="append", default=[], help="only these, again for each; else all")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--file", action="store_true", help="also `workbench check FILE.csv`, from end to end")
    parser.add_argument("--run", nargs=2, metavar=("WHAT", "DIRECTORY"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    processes = arguments.processes or [1, 2]
    if arguments.run:
        _run_once(arguments.run[0], Path(arguments.run[1]), processes[0], arguments.rules)
        return
    versions = ", ".join(f"{name} {version(name)}" for name in ("pandas", "jiwer", "rapidfuzz"))
    print(f"Python {platform.python_version()}, {versions}.")
    for count in arguments.transcripts or [100_000, 1_000_000]:
        bench(count, processes, arguments.rules, arguments.data, arguments.file)


if __name__ == "__main__":
    main()
