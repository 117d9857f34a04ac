"""MAPSSWE: the matched pairs test on sentence segments and their word errors, as NIST's `sc_stats -t mapsswe` has it.

Method: Gillick and Cox, Some statistical issues in the comparison of speech recognition algorithms, ICASSP 1989;
the segments as in SCTK 2.4's `sc_stats`. A reference word is *good* where both systems have it right. A segment is a
run of errors of either system, insertions included, that no two neighbouring good words part: an insertion between
two good words makes them no neighbours. An utterance's ends cut as well, whatever stands there. The statistic of a
segment is its errors of the one system less its errors of the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.align import align
from analysis.coded_words import Integers
from analysis.errors import InvalidInput
from analysis.steps import ALIGNMENT_TYPE, EQUAL, INSERT, OPS, Step

GOOD_WORDS_BETWEEN = 2
"""So many neighbouring good words part two segments: what `sc_stats` asks for."""
CRITICAL_Z = 1.960
"""Beyond it `sc_stats` says that there is a difference: two-sided, at the level 0.05."""

Alignments: TypeAlias = "pa.Array | pa.ChunkedArray | pd.Series | Sequence[Sequence[Step]]"


@dataclass(frozen=True)
class Mapsswe:
    """The outcome of the test: errors of A less errors of B over the segments.

    `mean` is NaN where there is no segment. `variance` has the divisor segments - 1. `z` is 0 where all segments
    differ by the same number, as in `sc_stats`; one segment alone is such a case.
    """

    segments: int
    errors_a: int
    errors_b: int
    mean: float
    variance: float
    z: float
    resynchronised: int
    "Utterances whose reference words differ between the alignments, because other alternatives were taken."

    @property
    def std_dev(self) -> float:
        """The standard deviation of the segments' differences."""
        return math.sqrt(self.variance)

    @property
    def p(self) -> float:
        """The two-sided probability of so large a z under the normal distribution; 1 where z is 0."""
        return normal_p(self.z)

    @property
    def better(self) -> str:
        """What `sc_stats` would decide: `a`, `b`, or empty text where no difference is shown."""
        if abs(self.z) <= CRITICAL_Z:
            return ""
        return "a" if self.mean < 0 else "b"


def normal_p(z: float) -> float:
    """The two-sided probability of |z| or more under the standard normal distribution.

    >>> round(normal_p(-1.96), 4)
    0.05
    """
    return math.erfc(abs(z) / math.sqrt(2))


def mapsswe(alignments_a: Alignments, alignments_b: Alignments, resynchronise: bool = True) -> Mapsswe:
    """The matched pairs test of two systems' alignments of the same utterances, in the same order.

    The two references are read in step: the n-th reference word of the one with the n-th of the other. Where other
    alternatives were taken, the words differ, and are brought in step again by the words they share; what stands
    between is one place, good where it holds no error. `sc_stats` means to do so too, but compares its records
    of the words, which are always equal, and so pairs on in order.

    Args:
        alignments_a: for each utterance the list of its steps `{op, reference, hypothesis}`, as table `scores`
            keeps them: an Arrow array, a column of a frame, or lists of `Step`.
        alignments_b: those of the other system.
        resynchronise: False pairs different references in order, as `sc_stats` does; of no effect on equal ones.

    Raises:
        InvalidInput: the numbers of utterances differ, an alignment is missing, or a step has an unknown op.

    >>> same, wrong = Step("equal", "a", "a"), Step("substitute", "a", "b")
    >>> result = mapsswe([[wrong, same, same, wrong]], [[same, same, same, wrong]])
    >>> result.segments, result.mean, round(result.z, 3)
    (2, 0.5, 1.0)
    """
    sides = _steps(alignments_a), _steps(alignments_b)
    if len(sides[0].lengths) != len(sides[1].lengths):
        raise InvalidInput(
            f"found alignments of {len(sides[0].lengths)} and of {len(sides[1].lengths)} utterances; "
            "give both systems' alignments of the same utterances"
        )
    differing = _differing(*sides)
    places = [_words_before(side) for side in sides]
    if resynchronise:
        for utterance in differing.tolist():
            _resynchronise(utterance, sides, places)
    return _tested(*_segments(sides, places, resynchronise), len(differing))


class _Steps(NamedTuple):
    """The steps of all utterances, one after another."""

    op: Integers
    "Codes as in `OPS`."
    reference: pa.Array
    utterance: Integers
    lengths: Integers
    "Steps of each utterance."


def _steps(alignments: Alignments) -> _Steps:
    lists = _as_lists(alignments)
    if lists.null_count:
        row = pc.index(pc.is_null(lists), True).as_py()
        raise InvalidInput(f"the alignment at position {row} is missing; score the utterance first")
    flat = lists.flatten()
    names = flat.field("op").cast(pa.string())
    codes = pc.index_in(names, value_set=pa.array(OPS))
    if codes.null_count:
        unknown = names[pc.index(pc.is_null(codes), True).as_py()].as_py()
        raise InvalidInput(f"a step has the op {unknown!r}; it must be one of {', '.join(OPS)}")
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    utterance = np.repeat(np.arange(len(lengths)), lengths)
    return _Steps(codes.to_numpy(zero_copy_only=False), flat.field("reference"), utterance, lengths)


def _as_lists(alignments: Alignments) -> Any:
    made = alignments
    if not isinstance(made, (pa.Array, pa.ChunkedArray)):
        arrow = isinstance(made, pd.Series) and isinstance(made.dtype, pd.ArrowDtype)
        made = pa.array(made if arrow else list(made), None if arrow else ALIGNMENT_TYPE)
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def _words_before(side: _Steps) -> Integers:
    """How many reference words of its utterance stand before each step: the place of the word, or of the gap."""
    is_word = side.op != INSERT
    before = np.cumsum(is_word) - is_word
    starts = np.cumsum(side.lengths) - side.lengths
    first = np.append(before, is_word.sum())[starts]
    return before - np.repeat(first, side.lengths)


def _differing(a: _Steps, b: _Steps) -> Integers:
    """The utterances whose reference words are not the same in both alignments."""
    words = [side.op != INSERT for side in (a, b)]
    counts = [
        np.bincount(side.utterance[word], minlength=len(side.lengths)) for side, word in zip((a, b), words, strict=True)
    ]
    unequal = counts[0] != counts[1]
    kept = [word & ~unequal[side.utterance] for side, word in zip((a, b), words, strict=True)]
    texts = [side.reference.filter(pa.array(keep)) for side, keep in zip((a, b), kept, strict=True)]
    other = pc.fill_null(pc.not_equal(*texts), True).to_numpy(zero_copy_only=False)
    unequal[a.utterance[kept[0]][other]] = True
    return np.flatnonzero(unequal)


def _resynchronise(utterance: int, sides: tuple[_Steps, _Steps], places: list[Integers]) -> None:
    """Puts the utterance's steps at common places: words that both have at one, what stands between at another."""
    ranges = [slice(*np.searchsorted(side.utterance, [utterance, utterance + 1])) for side in sides]
    is_word = [side.op[part] != INSERT for side, part in zip(sides, ranges, strict=True)]
    words = [
        side.reference[part.start : part.stop].filter(pa.array(word)).to_pylist()
        for side, part, word in zip(sides, ranges, is_word, strict=True)
    ]
    mapped: list[list[int]] = [[], []]
    place, between = -1, False
    for step in align(*words):
        if step.op == "equal" or not between:
            place += 1
        between = step.op != "equal"
        for side, absent in enumerate(("insert", "delete")):
            if step.op != absent:
                mapped[side].append(place)
    for side, part in enumerate(ranges):
        places[side][part] = np.array([*mapped[side], place + 1])[places[side][part]]


def _segments(sides: tuple[_Steps, _Steps], places: list[Integers], resynchronised: bool) -> tuple[Integers, Integers]:
    """The errors of each segment, of the one and of the other system; segments without errors are none."""
    # Each utterance has a slot for every place and one for what is inserted after the last.
    slots_needed = np.ones(len(sides[0].lengths), np.int64)
    for side, place in zip(sides, places, strict=True):
        np.maximum.at(slots_needed, side.utterance, place + 1 + (side.op != INSERT))
    first_slot = np.cumsum(slots_needed) - slots_needed
    n_slots = int(slots_needed.sum())
    errors, words, hits = [], [], []
    for side, place in zip(sides, places, strict=True):
        slot = first_slot[side.utterance] + place
        errors.append(np.bincount(slot[side.op != EQUAL], minlength=n_slots))
        words.append(np.bincount(slot[side.op != INSERT], minlength=n_slots))
        hits.append(np.bincount(slot[side.op == EQUAL], minlength=n_slots))
    is_place = (words[0] + words[1]) > 0
    good = is_place & (hits[0] == words[0]) & (hits[1] == words[1])
    if not resynchronised:
        good &= (words[0] > 0) & (words[1] > 0)
    at = np.flatnonzero((is_place & ~good) | (errors[0] + errors[1] > 0))
    utterance = np.repeat(np.arange(len(slots_needed)), slots_needed)
    key = (np.cumsum(good) - good + GOOD_WORDS_BETWEEN * utterance)[at]
    segment = np.cumsum(np.diff(key, prepend=key[:1]) >= GOOD_WORDS_BETWEEN)
    made = [np.bincount(segment, weights=side[at]).astype(np.int64) for side in errors]
    kept = made[0] + made[1] > 0
    return made[0][kept], made[1][kept]


def _tested(errors_a: Integers, errors_b: Integers, resynchronised: int) -> Mapsswe:
    differences = errors_a - errors_b
    segments = len(differences)
    mean = float(differences.mean()) if segments else math.nan
    variance = float(differences.var(ddof=1)) if segments > 1 and np.ptp(differences) else 0.0
    z = mean / math.sqrt(variance / segments) if variance else 0.0
    return Mapsswe(segments, int(errors_a.sum()), int(errors_b.sum()), mean, variance, z, resynchronised)
