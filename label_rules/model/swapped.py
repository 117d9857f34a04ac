"""Pairs of transcripts by one annotator that fit each other's audio."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from label_rules.corpus import Corpus
from label_rules.evidence import quoted
from label_rules.model.distances import Distances, distances, edit_share, judged_rows
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule

# Both must fit clearly better the other way round, and then about as well as labels usually fit.
_LEAST_BETTER = 0.2
_FAR_FROM_USUAL = 2.0
_MOST_SHARING = 20
_MOST_CANDIDATES = 3


def _check(corpus: Corpus) -> Iterator[Outcome]:
    known = distances(corpus)
    judged = judged_rows(corpus)
    yield Abstention(np.flatnonzero(~judged).tolist())
    if not judged.any():
        return
    pairs = sorted(_candidates(corpus, known))
    crossed = edit_share(
        [known.labels[k] for i, j in pairs for k in (j, i)], [known.hypotheses[k] for i, j in pairs for k in (i, j)]
    ).reshape(-1, 2)
    usual = known.usual + _FAR_FROM_USUAL * np.minimum(known.spread, 1.0)
    taken: set[int] = set()
    for at in map(int, np.argsort(crossed.sum(axis=1), kind="stable")):
        i, j = pairs[at]
        better = np.array([known.distance[i], known.distance[j]]) - crossed[at]
        fits = crossed[at, 0] <= usual[i] and crossed[at, 1] <= usual[j]
        if taken & {i, j} or better.min() < _LEAST_BETTER or not fits:
            continue
        taken |= {i, j}
        score = float(min(0.99, 0.5 + better.min()))
        for one, other, apart in ((i, j, crossed[at, 0]), (j, i, crossed[at, 1])):
            row, other_row = int(known.rows[one]), int(known.rows[other])
            text = corpus.text(other_row)
            evidence = (
                f"{known.distance[one]:.0%} of the characters differ from what the model heard, but only {apart:.0%} of"
                f" {quoted(text)}, transcript of {corpus.utterance_ids[other_row]}, and the other way round"
            )
            group = f"swapped:{corpus.utterance_ids[int(known.rows[i])]}"
            yield Finding([row], 0, len(corpus.text(row)), score, evidence, text, group)


def _candidates(corpus: Corpus, known: Distances) -> set[tuple[int, int]]:
    """Pairs of far labels, by one annotator, that share rare pieces with each other's hypotheses."""
    far = np.flatnonzero(known.distance > known.usual + np.minimum(known.spread, 1.0)).tolist()
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i in far:
        for piece in _pieces(known.labels[i]):
            holders[corpus.annotators[int(known.rows[i])], piece].append(i)
    audio = corpus.group_of_row
    pairs: set[tuple[int, int]] = set()
    for i in far:
        shared: Counter[int] = Counter()
        annotator = corpus.annotators[int(known.rows[i])]
        for piece in _pieces(known.hypotheses[i]):
            holding = holders.get((annotator, piece), ())
            if 0 < len(holding) <= _MOST_SHARING:
                shared.update(dict.fromkeys(holding, 1))
        for j, _ in shared.most_common(_MOST_CANDIDATES):
            if known.labels[i] != known.labels[j] and audio[known.rows[i]] != audio[known.rows[j]]:
                pairs.add((min(i, j), max(i, j)))
    return pairs


def _pieces(text: str) -> set[str]:
    """Words; of Korean, which is compared without its spaces, pairs of syllables."""
    if " " not in text and text > "가":
        return {text[at : at + 2] for at in range(len(text) - 1)}
    return set(text.split())


_TEXTS = tuple(
    f"{subject} {end}"
    for subject in ("the dog", "my sister", "a teacher", "our neighbour", "the old man", "every child")
    for end in ("went home late", "reads a book", "likes apples", "sings in the rain", "saw the ocean", "cooks fish")
)

SWAPPED_RULES = (
    Rule(
        "model.swapped",
        "Two transcripts that fit each other's audio and not their own were swapped.",
        "harmful",
        _check,
        fires=(
            Example(
                (*_TEXTS, "pay twelve euros now", "it rained all summer long"),
                (36, 37),
                columns={"hypothesis": (*_TEXTS, "it rained all summer long", "pay twelve euros now")},
            ),
        ),
        passes=(
            Example(_TEXTS, columns={"hypothesis": _TEXTS}),
            Example(
                (*_TEXTS, "pay twelve euros now", "it rained all summer long"),
                columns={"hypothesis": (*_TEXTS, "something else was said", "pay twelve euros now")},
            ),
            Example(_TEXTS),
        ),
    ),
)
