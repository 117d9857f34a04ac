"""References with choices against hypotheses: networks through the kernel, and what was forgiven on the way."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from analysis.alternatives.fillers import is_filler
from analysis.alternatives.source import Heard
from analysis.coded_words import words
from analysis.errors import InvalidInput
from analysis.marked import Choice, Marked, Word, normalised
from analysis.networks import NULL, OPTIONAL, PLAIN, Network, build_network, fragment_equals, is_fragment
from analysis.nist_notation import parse_heard
from analysis.scoring import Scoring
from analysis.steps import ALIGNMENT_TYPE, DELETE, EQUAL, INSERT, OPS

FORGIVEN_TYPE = pa.list_(
    pa.struct(
        [("step", pa.int64()), ("alternative", pa.string()), ("words", pa.int64()), ("steps", pa.int64())],
    )
)
"""At which step of an alignment (from 0) an alternative was taken, which, for how many words, and in how many steps."""


class MarkedStep(NamedTuple):
    """A step of an alignment with where it comes from: the alternative taken, and the part of the reference.

    `via` is empty where the reference is taken as written; `item` is the index of the part, -1 for an insertion.
    """

    op: str
    reference: str
    hypothesis: str
    via: str
    item: int


class Forgiven(NamedTuple):
    """An alternative taken: the step that it begins at, its name, how many words it forgave, how many steps it has.

    What is left out, or heard without being counted, has no steps: it stands before the step that it names.
    """

    step: int
    alternative: str
    words: int
    steps: int


@dataclass(frozen=True)
class NetworkAlignment:
    """One reference with choices, aligned."""

    steps: list[MarkedStep]
    forgiven: list[Forgiven]


class _Costs(NamedTuple):
    """What a step costs. In `unit` there is room below one error for the number of alternatives taken.

    Whole numbers are exact in the type of float64, which is faster than integers.
    """

    dtype: Any
    substitute: float
    delete: float
    insert: float
    nothing: float
    "Leaving out a null, or a filler that is optional."
    optional: float
    "Leaving out an optional word."
    alternative: float
    "Each word of an alternative."


_UNIT = _Costs(np.float64, 1 << 20, 1 << 20, 1 << 20, 1, 2, 1)
# NIST's costs, and in its precision, which decides between costs that differ by thousandths.
_SCLITE = _Costs(np.float32, 4, 3, 3, 0.001, 2, 0)
_COSTS = {"unit": _UNIT, "sclite": _SCLITE}
_FAR = 1 << 30


def align_marked(marked: Marked, hypothesis: str, scoring: Scoring) -> NetworkAlignment:
    """The alignment of one reference with choices; the scoring's normalizer is applied to both sides.

    >>> from analysis.marked import Choice
    >>> from analysis.scoring import get_scoring
    >>> ice = Choice((("ice cream",), ("icecream",)), "notation")
    >>> found = align_marked(("Buy", ice), "buy icecream", get_scoring())
    >>> found.steps[1], found.forgiven
    (MarkedStep(op='equal', reference='icecream', hypothesis='icecream', via='notation', item=1), \
[Forgiven(step=1, alternative='notation', words=2, steps=1)])
    """
    heard = normalised(read_hypothesis(hypothesis, scoring), scoring.normalizer)
    return align_all([normalised(marked, scoring.normalizer)], [heard], scoring)[0]


def read_hypothesis(text: str, scoring: Scoring) -> Marked:
    """A hypothesis as the scoring's notation has it, not normalised; it has no choices."""
    if scoring.notation in ("alternations", "nist"):
        return parse_heard(text, scoring.notation == "nist")
    return (text,)


def align_all(references: Sequence[Marked], hypotheses: Sequence[Marked], scoring: Scoring) -> list[NetworkAlignment]:
    """The alignments of normalised references with normalised hypotheses, which have no choices."""
    heard = [_heard_words(marked, scoring) for marked in hypotheses]
    networks = [
        build_network(reference, Heard([word.text for word in words]), scoring)
        for reference, words in zip(references, heard, strict=True)
    ]
    return [
        _traced(network, words, moves, scoring)
        for network, words, moves in zip(networks, heard, _moves(networks, heard, scoring), strict=True)
    ]


def _heard_words(marked: Marked, scoring: Scoring) -> list[Word]:
    """The words of a hypothesis."""
    made: list[Word] = []
    for part in marked:
        if isinstance(part, Choice):
            raise InvalidInput("a hypothesis has choices; expected one text; choose one")
        if isinstance(part, str):
            made += map(Word, words(part))
        else:
            made += [Word(text, part.optional, part.fragment) for text in words(part.text)]
    if scoring.fillers == "remove":
        made = [word for word in made if not is_filler(word.text)]
    return made


def _moves(networks: Sequence[Network], heard: Sequence[Sequence[Word]], scoring: Scoring) -> Iterable[Any]:
    """For each pair its moves, arcs and words, as `analysis.kernel.align_pairs` has them."""
    from analysis.kernel import MOST_CELLS, align_pairs

    costs = _COSTS[scoring.alignment]
    arcs = [arc for network in networks for arc in _arc_costs(network, costs)]
    words = [word for side in heard for word in side]
    codes: dict[str, int] = {}
    word_codes = [codes.setdefault(word.text, len(codes)) for word in words]
    arc_codes = [
        -1 if kind == NULL else codes.get(text, -1)
        for network in networks
        for text, kind in zip(network.words, network.kinds, strict=True)
    ]
    extra_starts, extras = _fragment_matches(networks, heard)
    free_filler = scoring.fillers == "optional"
    inserts = [
        costs.optional if word.optional else costs.nothing if free_filler and is_filler(word.text) else costs.insert
        for word in words
    ]
    matching, substituting, leaving_out = np.array(arcs, costs.dtype).reshape(-1, 3).T.copy()
    moves, taken, positions, begins = align_pairs(
        _ends(len(network.starts) for network in networks),
        np.array([start for network in networks for start in network.starts], np.int32),
        _ends(len(network.words) for network in networks),
        np.array([node for network in networks for node in network.from_nodes], np.int32),
        np.array(arc_codes, np.int32),
        matching,
        substituting,
        leaving_out,
        extra_starts,
        extras,
        _ends(len(side) for side in heard),
        np.array(word_codes, np.int32),
        np.array(inserts, costs.dtype),
        np.repeat([[-_FAR, _FAR]], len(networks), axis=0),
        MOST_CELLS,
    )
    for start, end in pairwise(begins.tolist()):
        yield zip(moves[start:end].tolist(), taken[start:end].tolist(), positions[start:end].tolist(), strict=True)


def _ends(lengths: Iterable[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.concatenate([[0], np.cumsum(np.fromiter(lengths, np.int64))]).astype(np.int64)


def _arc_costs(network: Network, costs: _Costs) -> Iterable[tuple[float, float, float]]:
    """What matching, substituting and deleting each arc costs."""
    deleting = {PLAIN: costs.delete, NULL: costs.nothing, OPTIONAL: costs.optional}
    for kind, choice in zip(network.kinds, network.choice_of, strict=True):
        more = costs.alternative if choice else 0
        # A null is left out, never heard as a word.
        substitute = 2 * costs.substitute if kind == NULL else costs.substitute
        yield more, substitute + more, deleting[kind] + more


def _fragment_matches(networks: Sequence[Network], heard: Sequence[Sequence[Word]]) -> tuple[Any, Any]:
    """For each arc, the positions of hypothesis words of other letters that equal it as fragments."""
    counts: list[int] = []
    positions: list[int] = []
    for network, side in zip(networks, heard, strict=True):
        if not any(network.fragments) and not any(word.fragment for word in side):
            counts += [0] * len(network.words)
            continue
        places = _Places(side)
        known: dict[tuple[str, bool], list[int]] = {}
        for text, fragment in zip(network.words, network.fragments, strict=True):
            key = text, fragment
            if key not in known:
                known[key] = places.equal_to(text, fragment and is_fragment(text))
            positions += known[key]
            counts.append(len(known[key]))
    return _ends(counts), np.array(positions, np.int64)


class _Places:
    """Where each word of a hypothesis stands, looked up by its begin or end."""

    def __init__(self, side: Sequence[Word]) -> None:
        self._at: dict[str, list[int]] = {}
        for position, word in enumerate(side):
            self._at.setdefault(word.text, []).append(position)
        self._forwards, self._backwards = sorted(self._at), sorted(text[::-1] for text in self._at)
        self._fragments = {word.text for word in side if word.fragment}

    def equal_to(self, text: str, is_part: bool) -> list[int]:
        """The positions of words of other letters that equal a reference word, which may be a part of one."""
        if is_part and text[0] == "-":
            found = [word[::-1] for word in _beginning(self._backwards, text[:0:-1])]
        elif is_part:
            found = _beginning(self._forwards, text[:-1])
        else:
            found = [word for word in self._fragments if fragment_equals(text, word)]
        return sorted(position for word in found if word != text for position in self._at[word])


def _beginning(words: list[str], start: str) -> list[str]:
    """The words of a sorted list that begin so."""
    first = bisect_left(words, start)
    return list(takewhile(lambda word: word.startswith(start), islice(words, first, None)))


def _traced(
    network: Network, heard: Sequence[Word], moves: Iterable[tuple[int, int, int]], scoring: Scoring
) -> NetworkAlignment:
    steps: list[MarkedStep] = []
    forgiven: list[Forgiven] = []
    begun: dict[int, int] = {}
    for move, arc, position in moves:
        word = heard[position] if position >= 0 else Word("")
        if move == INSERT:
            if scoring.fillers == "optional" and not word.optional and is_filler(word.text):
                forgiven.append(Forgiven(len(steps), "fillers", 1, 0))
                continue
            if word.optional:
                forgiven.append(Forgiven(len(steps), "optional", 1, 1))
            steps.append(MarkedStep("equal" if word.optional else OPS[move], "", word.text, "", -1))
            continue
        choice = network.choice_of[arc]
        via, written = network.choices[choice]
        if choice and choice not in begun:
            begun[choice] = len(forgiven)
            forgiven.append(Forgiven(len(steps), via, written, 0))
        if network.kinds[arc] == NULL:
            continue
        if choice:
            taken = forgiven[begun[choice]]
            forgiven[begun[choice]] = taken._replace(steps=len(steps) - taken.step + 1)
        text, op = network.words[arc], OPS[move]
        if move == DELETE and network.kinds[arc] == OPTIONAL:
            op, via = "equal", "optional"
            forgiven.append(Forgiven(len(steps), via, 1, 1))
        elif move == EQUAL and text != word.text:
            via = "fragment"
            forgiven.append(Forgiven(len(steps), via, 1, 1))
        steps.append(MarkedStep(op, text, word.text, via, network.items[arc]))
    return NetworkAlignment(steps, forgiven)


def counts_of(alignments: Sequence[NetworkAlignment]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Reference words, hits, substitutions, deletions and insertions, one row an alignment."""
    counts = np.zeros((len(alignments), 5), np.int64)
    for row, alignment in enumerate(alignments):
        for step in alignment.steps:
            counts[row, 1 + OPS.index(step.op)] += 1
    counts[:, 0] = counts[:, 1:4].sum(axis=1)
    return counts


def stored(alignments: Sequence[NetworkAlignment]) -> tuple[pa.ListArray, pa.ListArray]:
    """The alignments and what was forgiven, as table `scores` stores them."""
    steps = [[{"op": s.op, "reference": s.reference, "hypothesis": s.hypothesis} for s in a.steps] for a in alignments]
    forgiven = [[item._asdict() for item in alignment.forgiven] for alignment in alignments]
    return pa.array(steps, ALIGNMENT_TYPE), pa.array(forgiven, FORGIVEN_TYPE)


def sides(alignment: NetworkAlignment) -> tuple[str, str]:
    """The reference on the path taken and the hypothesis, without what was left out of both."""
    reference = " ".join(step.reference for step in alignment.steps if step.reference)
    return reference, " ".join(step.hypothesis for step in alignment.steps if step.hypothesis)
