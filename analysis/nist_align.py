"""Plain texts aligned at NIST's costs: the counts and alignments of sclite, in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from analysis.coded_words import Block, Integers, Tokens
from analysis.sequences import Costs, align_sequences
from analysis.steps import count_steps, stored_alignments

NIST = Costs(substitution=4, gap=3)


def align_nist(block: Block, enough: Integers) -> tuple[Integers, pa.ListArray]:
    """Word counts of shape (pairs, 5) and the alignments of a block of coded texts.

    Args:
        enough: for each pair a cost that some alignment of it has, or a negative number where none is known. No
            cheaper path strays further from the diagonal than this pays for, so that long texts take less time.
    """
    first = block.ends[block.pairs]
    references, hypotheses = block.codes[:first], block.codes[first:]
    ref_ends, hyp_ends = block.ends[: block.pairs + 1], block.ends[block.pairs :] - first
    moves, arcs, words, starts = align_sequences(references, ref_ends, hypotheses, hyp_ends, NIST, enough)
    steps = np.diff(starts)
    codes = []
    for side, places, ends in ((references, arcs, ref_ends), (hypotheses, words, hyp_ends)):
        at = np.where(places < 0, 0, places + np.repeat(ends[:-1], steps))
        codes.append(np.where(places < 0, -1, side[at]) if len(side) else np.full(len(places), -1))
    return count_steps(starts, moves), stored_alignments(block.vocabulary, starts, moves, *codes)


def count_nist(references: Sequence[Tokens], hypotheses: Sequence[Tokens], enough: Integers) -> Integers:
    """Counts over the tokens of each pair, of shape (pairs, 5).

    Args:
        enough: as for `align_nist`.
    """
    codes, ends = [], []
    for side in (references, hypotheses):
        text = [tokens for tokens in side if isinstance(tokens, str)]
        if len(text) == len(side):
            codes.append(np.frombuffer("".join(text).encode("utf-32-le", "surrogatepass"), "<u4"))
        else:
            codes.append(np.array(list(chain.from_iterable(side)), np.int64))
        ends.append(np.concatenate([[0], np.cumsum(np.fromiter(map(len, side), np.int64, len(side)))]))
    moves, _, _, starts = align_sequences(codes[0], ends[0], codes[1], ends[1], NIST, enough)
    return count_steps(starts, moves)
