"""Transcripts that are likely wrong by what the recognisers heard, and the place where they most differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from label_rules.corpus import Corpus
from label_rules.model.distances import distances, judged_rows
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule
from label_rules.suspects.model import model_evidence

# More likely wrong than not; a rule that cries at every hard clip is switched off, so only the surest are told.
_LEAST_CHANCE = 0.5
# Of another clip's label: chosen on Common Voice with 2 % of the labels swapped, where it tells few that are right.
_LEAST_OF_OTHERS = 0.35
_MOST_SHARE = 0.2
# Where half of the labels of a length are farther from what was heard, the model can say nothing against one.
_USELESS = 0.6


def _check(corpus: Corpus) -> Iterator[Outcome]:
    judged = judged_rows(corpus)
    yield Abstention(np.flatnonzero(~judged).tolist())
    if not judged.any():
        return
    found = model_evidence(corpus)
    known = distances(corpus)
    judged[known.rows[known.usual > _USELESS]] = False
    score = np.where(judged, found.score, 0.0)
    of_others = np.zeros(len(corpus))
    of_others[known.rows] = known.chance_wrong
    told = np.flatnonzero((score >= _LEAST_CHANCE) | (judged & found.whole & (of_others >= _LEAST_OF_OTHERS)))
    told = told[np.argsort(-score[told], kind="stable")][: max(1, int(_MOST_SHARE * judged.sum()))]
    for row in told.tolist():
        start, end = (0, len(corpus.text(row))) if found.whole[row] else (int(found.start[row]), int(found.end[row]))
        yield Finding([row], start, end, float(score[row]), found.evidence[row] or "")


_SUBJECTS = ("the dog", "my sister", "a teacher", "our neighbour", "the old man", "every child")
_ENDS = ("went home late", "reads a book", "likes green apples", "sings in the rain", "saw the ocean", "cooks fish")
_TEXTS = tuple(f"{subject} {end}" for subject in _SUBJECTS for end in _ENDS)
_LONG = "when we came to the village the church was closed and nobody was there to open it"
_CUT = "when we came to the village and nobody was there to open it"

SUSPECT_RULES = (
    Rule(
        "model.disagrees",
        "A transcript that differs from what was heard as wrong labels do, not as this model usually errs, is wrong.",
        "harmful",
        _check,
        fires=(
            Example((*_TEXTS, "pay twelve euros"), (36,), columns={"hypothesis": (*_TEXTS, "it rained all summer")}),
            Example((*_TEXTS, _CUT), (36,), columns={"hypothesis": (*_TEXTS, _LONG)}),
            Example((*_TEXTS, _LONG), (36,), columns={"hypothesis": (*_TEXTS, _CUT)}),
            Example((*_TEXTS, "we saw cold rain"), (36,), columns={"hypothesis": (*_TEXTS, "we saw seven horses")}),
        ),
        passes=(
            Example((*_TEXTS, "um, it's 20 dollars"), columns={"hypothesis": (*_TEXTS, "It is twenty dollars")}),
            Example(
                (*_TEXTS, "the old man seas the moor"), columns={"hypothesis": (*_TEXTS, "the old man sees the moor")}
            ),
            Example(_TEXTS, columns={"hypothesis": _TEXTS[7:] + _TEXTS[:7]}),
            Example(("pay now", "yes"), columns={"hypothesis": ("it rained", "yes")}),
            Example(_TEXTS),
        ),
    ),
)
