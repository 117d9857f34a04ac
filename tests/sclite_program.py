"""NIST's sclite run on given texts, for tests that compare with it; they are skipped where it is not installed.

Words come back as sclite writes them: it drops a `*` at the end of a word, takes what follows a `;` for a tag (and
writes the word with two of them), and spells an optional word that was left out against an empty text.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

Counts = tuple[int, int, int, int]
Steps = list[tuple[str, str, str]]

_OPS = {"C": "equal", "S": "substitute", "D": "delete", "I": "insert"}
_PATH = re.compile(r'<PATH id="\((.*)\)" word_cnt="(\d+)"(.*)>')
_ATTRIBUTES = re.compile(
    r'(?: labels="(?P<labels>.*?)")?(?: file="(?P<recording>.*?)" channel="(?P<channel>.*?)")?'
    r' sequence="(?P<sequence>\d+)"(?P<rest>.*)'
)
_TIMES = re.compile(r'R_T1="(\S+)" R_T2="(\S+)"')
_AUXILIARY = re.compile(r'word_aux="(\S*)"')
# sclite copies a word into 1000 bytes without looking, and a token with its tags into 2000.
_LONGEST_WORD = 400


class Aligned(NamedTuple):
    """One utterance as sclite aligned it; what a trn file does not hold is empty or 0."""

    steps: Steps
    recording: str = ""
    channel: str = ""
    labels: str = ""
    start: float = 0.0
    end: float = 0.0
    sequence: int = 0

    @property
    def counts(self) -> Counts:
        ops = [op for op, _, _ in self.steps]
        return ops.count("equal"), ops.count("substitute"), ops.count("delete"), ops.count("insert")


def sclite_trn(references: Mapping[str, str], hypotheses: Mapping[str, str], *options: str) -> dict[str, Counts]:
    """Hits, substitutions, deletions and insertions of each utterance, as `sclite -e utf-8 -s` counts them.

    The ids can be any text, for sclite gets others. `options` are further ones of sclite, such as "-D" or "-F".
    """
    return {key: aligned.counts for key, aligned in _aligned_trn(references, hypotheses, options).items()}


def sclite_trn_alignments(
    references: Mapping[str, str], hypotheses: Mapping[str, str], *options: str
) -> dict[str, Steps]:
    """The alignment of each utterance: (op, reference, hypothesis), ops named as in `analysis.align.OPS`."""
    return {key: aligned.steps for key, aligned in _aligned_trn(references, hypotheses, options).items()}


def sclite_stm(stm_text: str, ctm_text: str, *options: str) -> dict[str, Counts]:
    """Hits, substitutions, deletions and insertions of each scored segment, by sclite's own id (`spk1-000`)."""
    return {key: aligned.counts for key, aligned in sclite_segments(stm_text, ctm_text, *options).items()}


def sclite_stm_alignments(stm_text: str, ctm_text: str, *options: str) -> dict[str, Steps]:
    """The alignment of each scored segment: (op, reference, hypothesis), by sclite's own id (`spk1-000`)."""
    return {key: aligned.steps for key, aligned in sclite_segments(stm_text, ctm_text, *options).items()}


def sclite_segments(stm_text: str, ctm_text: str, *options: str) -> dict[str, Aligned]:
    """Each scored segment as sclite aligned it, by sclite's own id (`spk1-000`), speakers in order of appearance."""
    return _run({"r.stm": stm_text, "h.ctm": ctm_text}, ["-r", "r.stm", "stm", "-h", "h.ctm", "ctm"], options)


def _aligned_trn(
    references: Mapping[str, str], hypotheses: Mapping[str, str], options: tuple[str, ...]
) -> dict[str, Aligned]:
    if references.keys() != hypotheses.keys():
        raise ValueError(f"ids on one side only: {sorted(references.keys() ^ hypotheses.keys())[:5]}")
    names = {f"u-{number:06}": key for number, key in enumerate(references, start=1)}
    if not names:
        return {}
    files = {"r.trn": _trn(names, references), "h.trn": _trn(names, hypotheses)}
    aligned = _run(files, ["-r", "r.trn", "trn", "-h", "h.trn", "trn", "-i", "spu_id"], options)
    if aligned.keys() != names.keys():
        raise RuntimeError(f"sclite gave other utterances: {sorted(aligned.keys() ^ names.keys())[:5]}")
    return {key: aligned[name] for name, key in names.items()}


def _trn(names: Mapping[str, str], texts: Mapping[str, str]) -> str:
    for key, text in texts.items():
        if "\n" in text or "\0" in text:
            raise ValueError(f"the text of {key!r} holds a line break or NUL, which a trn file cannot")
    # The space keeps a text that begins with `;;` from being a comment.
    return "".join(f" {texts[key]} ({name})\n" for name, key in names.items())


def _run(files: Mapping[str, str], arguments: list[str], options: tuple[str, ...]) -> dict[str, Aligned]:
    program = shutil.which("sctk")
    if program is None:
        pytest.skip("NIST's sctk is not installed, so there is no sclite to compare with")
    for name, text in files.items():
        if any(len(word.encode()) > _LONGEST_WORD for word in text.split()):
            raise ValueError(f"{name} holds a word of more than {_LONGEST_WORD} bytes; sclite would write past its end")
    with tempfile.TemporaryDirectory() as place:
        for name, text in files.items():
            (Path(place) / name).write_bytes(text.encode())
        command = [program, "sclite", *arguments, "-e", "utf-8", "-s", *options, "-f", "0", "-o", "nl.sgml", "stdout"]
        done = subprocess.run(command, cwd=place, capture_output=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"sclite failed ({done.returncode}): {done.stderr.decode(errors='replace')[-2000:]}")
    return _parsed(done.stdout.decode())


def _parsed(output: str) -> dict[str, Aligned]:
    lines = iter(output.split("\n"))
    found: dict[str, Aligned] = {}
    finished = False
    for line in lines:
        finished = finished or line == "</SYSTEM>"
        path = _PATH.fullmatch(line)
        if path is None:
            continue
        key, words, attributes = path.group(1), int(path.group(2)), _ATTRIBUTES.fullmatch(path.group(3))
        if key in found or attributes is None:
            raise RuntimeError(f"sclite wrote an utterance twice, or not as expected: {line!r}")
        auxiliary = _AUXILIARY.search(attributes["rest"])
        columns = len(auxiliary.group(1).split(",")) if auxiliary else 0
        steps: Steps = []
        for _ in range(words):
            op, reference, hypothesis = next(lines), next(lines), next(lines)
            steps.append((_OPS[op], _unquoted(reference), _unquoted(hypothesis)))
            for _ in range(columns):
                next(lines)
        if (not words and next(lines)) or next(lines) != "</PATH>":
            raise RuntimeError(f"sclite's utterance {key!r} has more lines than its {words} words")
        times = _TIMES.search(attributes["rest"])
        start, end = (float(times.group(1)), float(times.group(2))) if times else (0.0, 0.0)
        recording, channel, labels = (attributes[name] or "" for name in ("recording", "channel", "labels"))
        found[key] = Aligned(steps, recording, channel, labels, start, end, int(attributes["sequence"]))
    if not finished:
        raise RuntimeError(f"sclite's output is not whole: {output[-500:]!r}")
    return found


def _unquoted(word: str) -> str:
    if word and not (len(word) >= 2 and word[0] == word[-1] == '"'):
        raise RuntimeError(f"sclite wrote {word!r} where a quoted word was expected")
    return word[1:-1]
