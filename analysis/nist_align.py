"""Plain texts aligned at NIST's costs: the counts and alignments of sclite, in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.coded_words import Block, Integers
from analysis.steps import count_steps, stored_alignments

SUBSTITUTION, GAP = 4, 3
"""NIST's costs of a substitution, and of an insertion or a deletion."""


def align_nist(block: Block, enough: Integers) -> tuple[Integers, pa.ListArray]:
    """Word counts of shape (pairs, 5) and the alignments of a block of coded texts.

    Args:
        enough: for each pair a cost that some alignment of it has, or a negative number where none is known. No
            cheaper path strays further from the diagonal than this pays for, so that long texts take less time.
    """
    first = block.ends[block.pairs]
    references, hypotheses = block.codes[:first], block.codes[first:]
    ref_ends, hyp_ends = block.ends[: block.pairs + 1], block.ends[block.pairs :] - first
    moves, arcs, words, starts = _moves(references, ref_ends, hypotheses, hyp_ends, _bands(ref_ends, hyp_ends, enough))
    steps = np.diff(starts)
    codes = []
    for side, places, ends in ((references, arcs, ref_ends), (hypotheses, words, hyp_ends)):
        at = np.where(places < 0, 0, places + np.repeat(ends[:-1], steps))
        codes.append(np.where(places < 0, -1, side[at]) if len(side) else np.full(len(places), -1))
    return count_steps(starts, moves), stored_alignments(block.vocabulary, starts, moves, *codes)


def count_nist_chars(references: Sequence[str], hypotheses: Sequence[str]) -> Integers:
    """Counts over the characters of each pair of texts, of shape (pairs, 5)."""
    codes, ends = [], []
    for texts in (references, hypotheses):
        codes.append(np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4"))
        ends.append(np.concatenate([[0], np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))]))
    unlimited = np.full(len(references), -1)
    moves, _, _, starts = _moves(codes[0], ends[0], codes[1], ends[1], _bands(ends[0], ends[1], unlimited))
    return count_steps(starts, moves)


def _bands(ref_ends: Integers, hyp_ends: Integers, enough: Integers) -> Integers:
    """How far behind and ahead in the hypothesis a path of at most that cost can be, of shape (pairs, 2).

    One that is k words ahead somewhere, and d at its end, has at least |k| + |d - k| insertions and deletions.
    """
    ahead = np.diff(hyp_ends) - np.diff(ref_ends)
    gaps = enough // GAP
    low, high = -((gaps - ahead) // 2) - 1, (gaps + ahead) // 2 + 1
    widest = np.diff(hyp_ends) + np.diff(ref_ends)
    return np.column_stack([np.where(enough < 0, -widest, low), np.where(enough < 0, widest, high)]).astype(np.int64)


def _moves(references: Integers, ref_ends: Integers, hypotheses: Integers, hyp_ends: Integers, bands: Integers) -> Any:
    """The steps of each pair of sequences: the networks are single paths."""
    # Numba takes most of a second to load; only those who ask for these costs wait for it.
    from analysis.kernel import MOST_CELLS, align_pairs

    lengths = np.diff(ref_ends)
    nodes = np.concatenate([[0], np.cumsum(lengths + 1)])
    starts = np.arange(nodes[-1]) - np.repeat(nodes[:-1], lengths + 1)
    from_nodes = np.arange(len(references)) - np.repeat(ref_ends[:-1], lengths)
    # NIST computes in this precision; costs that are whole numbers are exact in it.
    matching, substituting, leaving_out = (
        np.full(len(references), cost, np.float32) for cost in (0, SUBSTITUTION, GAP)
    )
    return align_pairs(
        nodes.astype(np.int64),
        starts.astype(np.int32),
        ref_ends.astype(np.int64),
        from_nodes.astype(np.int32),
        references.astype(np.int32),
        matching,
        substituting,
        leaving_out,
        np.zeros(len(references) + 1, np.int64),
        np.zeros(0, np.int64),
        hyp_ends.astype(np.int64),
        hypotheses.astype(np.int32),
        np.full(len(hypotheses), GAP, np.float32),
        bands,
        MOST_CELLS,
    )
