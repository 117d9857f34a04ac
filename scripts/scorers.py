"""One scorer run once on a file of pairs in this process, for `bench_score.py`: prints its seconds and its memory.

    python scripts/scorers.py NAME DIRECTORY [MOST_GIB]

DIRECTORY holds `ref.trn` and `hyp.trn`. A first run on a few pairs loads and compiles what is needed and is not
counted. Memory is what stands resident at the peak, the whole process and without what it held before the run.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

if TYPE_CHECKING:
    import pandas as pd

Pairs = tuple[list[str], list[str]]
FILES = ("ref.trn", "hyp.trn")
_FEW = 100


def read_pairs(directory: Path, count: int | None = None) -> Pairs:
    """The references and hypotheses that `write_pairs` wrote, or the first of them."""
    sides = []
    for name in FILES:
        with (directory / name).open(encoding="utf-8", newline="\n") as file:
            sides.append([line[1:].rpartition(" (")[0] for line in islice(file, count)])
    return sides[0], sides[1]


def write_pairs(pairs: Pairs, directory: Path) -> None:
    """Write both sides as trn files with ids of one speaker."""
    for name, texts in zip(FILES, pairs, strict=True):
        # The space keeps a text that begins with `;;` from being a comment.
        lines = (f" {text} (spk1-{number:07})\n" for number, text in enumerate(texts))
        (directory / name).write_text("".join(lines), encoding="utf-8", newline="\n")


def frame(pairs: Pairs) -> pd.DataFrame:
    # Loaded here, so that this process stays small where it only starts and measures another program.
    import pandas as pd

    ids = [str(index) for index in range(len(pairs[0]))]
    return pd.DataFrame({"utterance_id": ids, "reference": pairs[0], "hypothesis": pairs[1]})


def _jiwer() -> Callable[[Pairs], object]:
    import jiwer

    return lambda pairs: jiwer.process_words(*pairs)


def _kaldialign(function: str, **options: Any) -> Callable[[Pairs], object]:
    import kaldialign

    run = getattr(kaldialign, function)
    if function == "align":
        options["eps_symbol"] = "*"
    return lambda pairs: [run(a.split(), b.split(), **options) for a, b in zip(*pairs, strict=True)]


def _words(function: str, mode: str) -> Callable[[Pairs], object]:
    from analysis import align

    run = getattr(align, function)
    return lambda pairs: run(*pairs, mode)


def _score(*arguments: Any) -> Callable[[Pairs], object]:
    from analysis.error_counts import score
    from analysis.scoring import get_scoring

    scoring = get_scoring(*arguments)
    return lambda pairs: score(frame(pairs), scoring)


SCORERS: dict[str, Callable[[], Callable[[Pairs], object]]] = {
    "jiwer.process_words": _jiwer,
    "kaldialign.edit_distance": lambda: _kaldialign("edit_distance"),
    "kaldialign.edit_distance, sclite_mode": lambda: _kaldialign("edit_distance", sclite_mode=True),
    "kaldialign.align, sclite_mode": lambda: _kaldialign("align", sclite_mode=True),
    "count_word_errors, unit": lambda: _words("count_word_errors", "unit"),
    "count_word_errors, sclite": lambda: _words("count_word_errors", "sclite"),
    "align_words, unit": lambda: _words("align_words", "unit"),
    "align_words, sclite": lambda: _words("align_words", "sclite"),
    "score, none, unit": lambda: _score("none", "unit"),
    "score, none, sclite": lambda: _score("none", "sclite"),
    "score, basic, unit": lambda: _score("basic", "unit"),
    "score, basic, sclite": lambda: _score("basic", "sclite"),
    "score, basic, unit, alternatives english": lambda: _score("basic", "unit", ["english"]),
    "score, basic, sclite, alternatives english": lambda: _score("basic", "sclite", ["english"]),
}

COMMANDS: dict[str, list[str]] = {
    "sctk sclite (reads files, prints the sum)": [
        "sctk", "sclite", "-r", FILES[0], "trn", "-h", FILES[1], "trn", "-i", "spu_id", "-e", "utf-8", "-s",
        "-f", "0", "-o", "sum", "stdout",
    ],
    "sctk sclite (reads files, writes alignments)": [
        "sctk", "sclite", "-r", FILES[0], "trn", "-h", FILES[1], "trn", "-i", "spu_id", "-e", "utf-8", "-s",
        "-f", "0", "-o", "nl.sgml", "stdout",
    ],
    "workbench score, unit (whole process)": [
        sys.executable, "-m", "workbench", "score", *FILES, "--normalizer", "none", "--alignment", "unit",
    ],
    "workbench score, sclite (whole process)": [
        sys.executable, "-m", "workbench", "score", *FILES, "--normalizer", "none", "--alignment", "sclite",
    ],
}  # fmt: skip
"""Programs that read the files themselves, each run in a process of its own."""


def run_scorer(name: str, directory: Path) -> dict[str, float]:
    """Seconds, and the peak in MiB of the whole process and of what the run added."""
    run = SCORERS[name]()
    few = read_pairs(directory, _FEW)
    # Of long texts a few words are enough to load and compile what is needed.
    run(([text[:500] for text in few[0]], [text[:500] for text in few[1]]))
    pairs = read_pairs(directory)
    # From here the peak is counted anew.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _resident("VmRSS")
    start = time.perf_counter()
    result = run(pairs)
    taken = time.perf_counter() - start
    peak = _resident("VmHWM")
    del result
    return {"seconds": taken, "peak": peak, "added": peak - before}


def run_command(name: str, directory: Path) -> dict[str, float]:
    """Seconds and the peak in MiB of a program that reads the files itself."""
    program = shutil.which(COMMANDS[name][0])
    if program is None:
        raise SystemExit(f"{COMMANDS[name][0]} is not installed")
    os.chdir(directory)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    start = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, target, os.devnull, os.O_WRONLY, 0) for target in (1, 2)]
    pid = os.posix_spawn(program, COMMANDS[name], environment, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    taken = time.perf_counter() - start
    if status:
        raise SystemExit(f"{name} failed with status {os.waitstatus_to_exitcode(status)}")
    return {"seconds": taken, "peak": usage.ru_maxrss / 1024, "added": usage.ru_maxrss / 1024}


def _resident(name: str) -> float:
    """MiB. The resource module's figure would be the parent's where that is larger."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def main() -> None:
    name, directory, *most = sys.argv[1:]
    if most:
        most_bytes = int(float(most[0]) * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    run = run_command if name in COMMANDS else run_scorer
    print(json.dumps(run(name, Path(directory))))


if __name__ == "__main__":
    main()
