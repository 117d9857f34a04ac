"""What an alignment is made of: steps, and how many alignments are stored together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.coded_words import Integers

OPS = ["equal", "substitute", "delete", "insert"]
EQUAL, SUBSTITUTE, DELETE, INSERT = range(4)
ALIGNMENT_TYPE = pa.list_(pa.struct([("op", pa.string()), ("reference", pa.string()), ("hypothesis", pa.string())]))


class Step(NamedTuple):
    """One step of an alignment: equal, substitute, delete or insert; the absent side is empty text."""

    op: str
    reference: str
    hypothesis: str


def stored_alignments(
    vocabulary: pa.Array, starts: Integers, ops: Integers, references: Integers, hypotheses: Integers
) -> pa.ListArray:
    """Alignments as one Arrow array of lists of steps.

    Args:
        vocabulary: the words that codes stand for.
        starts: where each alignment's steps begin, with the end.
        ops: of each step, an index of `OPS`.
        references, hypotheses: the code of each step's word on that side, -1 where it is absent.
    """
    known = pa.concat_arrays([vocabulary.cast(pa.string()), pa.array([""])])
    sides = [pc.take(known, pa.array(np.where(side < 0, len(vocabulary), side))) for side in (references, hypotheses)]
    steps = pa.StructArray.from_arrays(
        [pc.take(pa.array(OPS), pa.array(ops)), *sides], fields=list(ALIGNMENT_TYPE.value_type)
    )
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), steps, type=ALIGNMENT_TYPE)


def count_steps(starts: Integers, ops: Integers) -> Integers:
    """Reference words, hits, substitutions, deletions and insertions of each alignment, of shape (alignments, 5)."""
    pairs = len(starts) - 1
    cells = np.repeat(np.arange(pairs), np.diff(starts)) * len(OPS) + ops
    counts = np.bincount(cells, minlength=pairs * len(OPS)).reshape(pairs, len(OPS))
    return np.column_stack([counts[:, :INSERT].sum(axis=1), counts])
