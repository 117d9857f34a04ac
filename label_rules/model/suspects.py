"""Transcripts that are as far from the hypothesis as another utterance's would be, or lack or have a run of words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from analysis.align import Step, align
from label_rules.corpus import Corpus
from label_rules.evidence import quoted
from label_rules.model.distances import Distances, compared, distances, judged_rows
from label_rules.rule import Abstention, Example, Fault, Finding, Outcome, Rule, attempt
from label_rules.tokens import tokens

# A rule that cries at every hard clip is switched off, so only the surest are told. The least chance was chosen on
# 7,016 Common Voice clips, four recognisers and 2 % swapped labels: three in four told were wrong, and where none
# were swapped 10 to 25 clips were told.
_MOST_SHARE = 0.03
_LEAST_CHANCE = 0.35
_LEAST_RUN_WORDS, _LEAST_RUN_LETTERS = 4, 15
_MOST_ERRORS_AROUND = 0.25
_MATCHED_BESIDE = 2


class _Run(NamedTuple):
    start: int
    end: int
    score: float
    evidence: str


def _check(corpus: Corpus) -> Iterator[Outcome]:
    known = distances(corpus)
    judged = judged_rows(corpus)
    yield Abstention(np.flatnonzero(~judged).tolist())
    if not judged.any():
        return
    found = [_disagreeing(corpus, known, i) for i in map(int, np.flatnonzero(known.chance_wrong >= _LEAST_CHANCE))]
    whole = {finding.rows[0] for finding in found}
    candidates = [i for i in _lengths_differ(known) if int(known.rows[i]) not in whole]
    for i, run in attempt(lambda i: _run(corpus, known, i), candidates, lambda i: corpus.name(int(known.rows[i]))):
        if isinstance(run, Fault):
            yield run
        elif run is not None:
            found.append(Finding([int(known.rows[i])], run.start, run.end, run.score, run.evidence))
    most = max(1, int(_MOST_SHARE * judged.sum()))
    yield from sorted(found, key=lambda finding: -finding.score)[:most]


def _disagreeing(corpus: Corpus, known: Distances, i: int) -> Finding:
    row = int(known.rows[i])
    evidence = (
        f"{known.distance[i]:.0%} of the characters differ from what the model heard, where {known.usual[i]:.0%} is"
        f" usual for this length; it heard {quoted(corpus.hypotheses[row] or '')}"
    )
    return Finding([row], 0, len(corpus.text(row)), float(known.chance_wrong[i]), evidence)


def _lengths_differ(known: Distances) -> list[int]:
    return [
        i
        for i, (label, heard) in enumerate(zip(known.labels, known.hypotheses, strict=True))
        if abs(len(label) - len(heard)) >= _LEAST_RUN_LETTERS * 2 // 3
    ]


def _run(corpus: Corpus, known: Distances, i: int) -> _Run | None:
    """The longest run of words on one side only, where the words around it match."""
    row = int(known.rows[i])
    spoken = [token for token in tokens(corpus.text(row)) if token.is_spoken]
    heard = [token.key for token in tokens(corpus.hypotheses[row] or "") if token.is_spoken]
    steps = align([token.key for token in spoken], heard)
    best: tuple[int, int, int] | None = None
    for first, last in _runs(steps):
        letters = len(" ".join(step.reference or step.hypothesis for step in steps[first:last]))
        if last - first >= _LEAST_RUN_WORDS and letters >= _LEAST_RUN_LETTERS and (best is None or letters > best[0]):
            best = letters, first, last
    if best is None:
        return None
    letters, first, last = best
    around = steps[:first] + steps[last:]
    errors = sum(step.op != "equal" for step in around) / max(1, len(around))
    if errors > _MOST_ERRORS_AROUND or not _matched_beside(steps, first, last):
        return None
    missing = steps[first].op == "insert"
    if not missing and (first == 0 or last == len(steps)):
        # Recognisers start late and stop at pauses: what they did not hear at the edges may well have been said.
        return None
    words = " ".join(step.hypothesis or step.reference for step in steps[first:last])
    if missing and compared(words) in " ".join(step.hypothesis for step in around):
        # Recognisers fall into loops.
        return None
    before = sum(step.op != "insert" for step in steps[:first])
    if missing:
        start = end = spoken[before - 1].end if before else 0
        evidence = f"the model heard {quoted(words)} here, among words that match"
    else:
        start, end = spoken[before].start, spoken[before + last - first - 1].end
        evidence = f"the model heard none of {quoted(words)}, but the words around it"
    sure = (1 - errors) * (1 - _LEAST_RUN_LETTERS / (2 * letters)) * min(1.0, 0.5 + known.trust[i] / 2)
    return _Run(start, end, float(np.clip(sure * 0.9, 0, 0.9)), evidence)


def _runs(steps: list[Step]) -> Iterator[tuple[int, int]]:
    first = 0
    for at in range(1, len(steps) + 1):
        if at == len(steps) or steps[at].op != steps[first].op:
            if steps[first].op in ("insert", "delete"):
                yield first, at
            first = at


def _matched_beside(steps: list[Step], first: int, last: int) -> bool:
    before, after = steps[max(0, first - _MATCHED_BESIDE) : first], steps[last : last + _MATCHED_BESIDE]
    beside = before + after
    wanted = _MATCHED_BESIDE + min(_MATCHED_BESIDE, first, len(steps) - last)
    return len(beside) >= wanted and all(step.op == "equal" for step in beside)


_SUBJECTS = ("the dog", "my sister", "a teacher", "our neighbour", "the old man", "every child")
_ENDS = ("went home late", "reads a book", "likes green apples", "sings in the rain", "saw the ocean", "cooks fish")
_TEXTS = tuple(f"{subject} {end}" for subject in _SUBJECTS for end in _ENDS)
_LONG = "when we came to the village the church was closed and nobody was there to open it"
_CUT = "when we came to the village and nobody was there to open it"

SUSPECT_RULES = (
    Rule(
        "model.disagrees",
        "A transcript much farther from the hypothesis than this model's usual errors may belong to other audio.",
        "harmful",
        _check,
        fires=(
            Example((*_TEXTS, "pay twelve euros"), (36,), columns={"hypothesis": (*_TEXTS, "it rained all summer")}),
            Example((*_TEXTS, _CUT), (36,), columns={"hypothesis": (*_TEXTS, _LONG)}),
            Example((*_TEXTS, _LONG), (36,), columns={"hypothesis": (*_TEXTS, _CUT)}),
        ),
        passes=(
            Example((*_TEXTS, "the dog went home"), columns={"hypothesis": (*_TEXTS, "the dog went home late")}),
            Example(_TEXTS, columns={"hypothesis": _TEXTS[7:] + _TEXTS[:7]}),
            Example(("pay now", "yes"), columns={"hypothesis": ("it rained", "yes")}),
            Example(_TEXTS),
        ),
    ),
)
