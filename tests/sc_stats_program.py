"""NIST's sclite and sc_stats run on two systems, for tests that compare with them; skipped where not installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from analysis.steps import Step

_OPS = {"C": "equal", "S": "substitute", "D": "delete", "I": "insert"}
_TOKEN = re.compile(r'([CSDI]),("[^"]*")?,("[^"]*")?')
_MAPSSWE = re.compile(
    r"MTCH_PR_RESULTS \(systems: sys_a sys_b\) \(# segs: (?P<segments>\d+)\) .* \(mean: *(?P<mean>\S+)\) "
    r"\(std dev: *(?P<std_dev>\S+)\) \(Z Stat: *(?P<z>\S+)\) \(Stat Diff: (?P<different>Yes|No)\)"
)

Alignments = dict[str, list[Step]]


class Mapsswe(NamedTuple):
    segments: int
    mean: str
    std_dev: str
    z: str
    better: str


class OverSpeakers(NamedTuple):
    """What sc_stats says of speakers: of the sign test the p, of Wilcoxon's the Z, as printed; the better system."""

    value: str
    better: str


class Verdicts(NamedTuple):
    a: Alignments
    b: Alignments
    mapsswe: Mapsswe
    sign: OverSpeakers
    wilcoxon: OverSpeakers


def sc_stats(
    references: dict[str, str], a: dict[str, str], b: dict[str, str], place: Path, options: Sequence[str] = ()
) -> Verdicts:
    """Both systems' alignments by sclite, and what sc_stats says of them; ids are `speaker-number`."""
    if shutil.which("sctk") is None:
        pytest.skip("NIST's sctk is not installed, so there is no sc_stats to compare with")
    for name, texts in (("ref", references), ("sys_a", a), ("sys_b", b)):
        (place / name).write_text("".join(f"{text} ({key})\n" for key, text in texts.items()), encoding="utf-8")
    sgml = b""
    for name in ("sys_a", "sys_b"):
        files = ["-r", "ref", "trn", "-h", name, "trn", name, "-i", "spu_id", "-O", ".", "-n", name, *options]
        _run(["sctk", "sclite", *files, "-f", "0", "-o", "sgml"], place)
        sgml += (place / f"{name}.sgml").read_bytes()
    _run(["sctk", "sc_stats", "-p", "-t", "mapsswe", "sign", "wilc", "-v", "-n", "out"], place, sgml)
    found = _MAPSSWE.search(_read(place / "out.stats.mapsswe"))
    assert found is not None
    mapsswe = Mapsswe(
        int(found["segments"]), found["mean"], found["std_dev"], found["z"], _better(place / "out.stats.mapsswe")
    )
    assert (found["different"] == "Yes") == bool(mapsswe.better)
    sign = re.search(r"it occurring is (\S+),", _read(place / "out.stats.sign"))
    wilcoxon = re.search(r"The Z statistic = (\S+),", _read(place / "out.stats.wilc"))
    assert sign is not None and wilcoxon is not None
    return Verdicts(
        _alignments(place / "sys_a.sgml"),
        _alignments(place / "sys_b.sgml"),
        mapsswe,
        OverSpeakers(sign[1], _better(place / "out.stats.sign")),
        OverSpeakers(wilcoxon[1], _better(place / "out.stats.wilc")),
    )


def two_systems(
    rng: np.random.Generator,
    utterances: int,
    speakers: int = 10,
    rates: tuple[float, float] = (0.15, 0.18),
    shared: float = 0.3,
    longest: int = 25,
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """References and two systems' texts, `speaker-number` by text; a share of the errors is the same in both."""
    vocabulary = [first + second for first in "abcdefgh" for second in "aeiou"]
    references, a, b = {}, {}, {}
    hardness = rng.uniform(0.3, 2.0, speakers)
    for number in range(utterances):
        speaker = number * speakers // utterances
        words = rng.choice(vocabulary, rng.integers(0, longest + 1)).tolist()
        common = _errors(rng, words, shared * min(rates) * hardness[speaker], vocabulary)
        key = f"spk{speaker:02}-{number:05}"
        references[key] = " ".join(words)
        a[key], b[key] = (
            " ".join(
                word for slot in _errors(rng, words, rate * hardness[speaker], vocabulary, common) for word in slot
            )
            for rate in rates
        )
    return references, a, b


def _errors(
    rng: np.random.Generator, words: list[str], rate: float, vocabulary: list[str], known: list[list[str]] | None = None
) -> list[list[str]]:
    """What is heard at each word, and, last, after all of them; `known` is what both systems hear wrongly."""
    heard = [[word] for word in [*words]] + [[]] if known is None else [list(slot) for slot in known]
    for slot in range(len(heard)):
        if rng.random() < rate:
            kind = rng.integers(3)
            if kind == 0:
                heard[slot] = []
            elif kind == 1 and heard[slot]:
                heard[slot] = [str(rng.choice(vocabulary))]
            else:
                heard[slot] = [str(word) for word in rng.choice(vocabulary, rng.integers(1, 3))] + heard[slot]
    return heard


def _run(command: list[str], place: Path, given: bytes | None = None) -> None:
    done = subprocess.run(command, cwd=place, input=given, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _better(path: Path) -> str:
    """Who stands in the row of system A and the column of system B of the comparison matrix at the end."""
    row = [line for line in _read(path).splitlines() if re.match(r"\s*\| +sys_a \|", line)][-1]
    return {"sys_a": "a", "sys_b": "b", "same": ""}[row.split("|")[3].strip()]


def _alignments(path: Path) -> Alignments:
    made: Alignments = {}
    current: list[Step] = []
    for line in _read(path).splitlines():
        start = re.match(r'<PATH id="\(([^"]*)\)"', line)
        if start:
            current = made.setdefault(start[1], [])
        elif not line.startswith("<"):
            current += [Step(_OPS[op], ref[1:-1], hyp[1:-1]) for op, ref, hyp in _TOKEN.findall(line)]
    return made
