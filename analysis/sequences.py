"""Pairs of coded sequences through the kernel: each reference is a network of a single path."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from analysis.coded_words import Integers


class Costs(NamedTuple):
    """What a substitution, and an insertion or a deletion, costs; whole numbers."""

    substitution: int
    gap: int


def align_sequences(
    references: Integers,
    ref_ends: Integers,
    hypotheses: Integers,
    hyp_ends: Integers,
    costs: Costs,
    enough: Integers | None = None,
) -> Any:
    """The moves, reference positions, hypothesis positions and begins of `analysis.kernel.align_pairs`.

    Args:
        references, hypotheses: the codes of all sequences, one after the other.
        ref_ends, hyp_ends: where each begins, with the end.
        enough: for each pair a cost that some alignment of it has, or a negative number where none is known. No
            cheaper path strays further from the diagonal than this pays for, so that long ones take less time.
    """
    # Numba takes most of a second to load; only those who need it wait for it.
    from analysis.kernel import MOST_CELLS, align_pairs

    lengths = np.diff(ref_ends)
    nodes = np.concatenate([[0], np.cumsum(lengths + 1)])
    arcs = len(references)
    # The precision that NIST computes in; whole numbers are exact in it.
    matching, substituting, leaving_out = (np.full(arcs, cost, np.float32) for cost in (0, *costs))
    return align_pairs(
        nodes.astype(np.int64),
        (np.arange(nodes[-1]) - np.repeat(nodes[:-1], lengths + 1)).astype(np.int32),
        ref_ends.astype(np.int64),
        (np.arange(arcs) - np.repeat(ref_ends[:-1], lengths)).astype(np.int32),
        references.astype(np.int32),
        matching,
        substituting,
        leaving_out,
        np.zeros(arcs + 1, np.int64),
        np.zeros(0, np.int64),
        hyp_ends.astype(np.int64),
        hypotheses.astype(np.int32),
        np.full(len(hypotheses), costs.gap, np.float32),
        _bands(lengths, np.diff(hyp_ends), costs.gap, enough),
        MOST_CELLS,
    )


def _bands(ref_lengths: Integers, hyp_lengths: Integers, gap: int, enough: Integers | None) -> Integers:
    """How far behind and ahead in the hypothesis a path of at most that cost can be, of shape (pairs, 2).

    One that is k ahead somewhere, and d at its end, has at least |k| + |d - k| insertions and deletions.
    """
    ahead, widest = hyp_lengths - ref_lengths, hyp_lengths + ref_lengths
    if enough is None:
        return np.column_stack([-widest, widest])
    gaps = enough // gap
    low, high = -((gaps - ahead) // 2) - 1, (gaps + ahead) // 2 + 1
    return np.column_stack([np.where(enough < 0, -widest, low), np.where(enough < 0, widest, high)])
