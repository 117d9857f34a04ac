"""Reference and hypothesis to alignment and counts, at unit costs: the numbers of jiwer 4, in bulk.

The words of a block of utterances are given code points and every utterance becomes a short string, so that
splitting, coding, distances and alignments all run in Arrow's and RapidFuzz's compiled code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import process
from rapidfuzz.distance import Indel, Levenshtein

from analysis.coded_words import Block, Integers, Tokens, code_words, text_blocks, words
from analysis.nist_align import NIST, align_nist, count_nist
from analysis.steps import ALIGNMENT_TYPE, DELETE, INSERT, OPS, SUBSTITUTE, Step, stored_alignments

__all__ = [
    "ALIGNMENT_TYPE",
    "CHAR_COUNTS",
    "OPS",
    "WORD_COUNTS",
    "Step",
    "align",
    "align_many",
    "align_words",
    "count_char_errors",
    "count_word_errors",
    "edit_distances",
    "edit_shares",
    "words",
]

WORD_COUNTS = ["ref_words", "hits", "substitutions", "deletions", "insertions"]
CHAR_COUNTS = ["ref_chars", "char_hits", "char_substitutions", "char_deletions", "char_insertions"]

# Above so many cells it pays to know a cost that is enough before NIST's alignment is looked for.
_MANY_CELLS = 1_000_000
_OP_CODES = {"equal": 0, "replace": SUBSTITUTE, "delete": DELETE, "insert": INSERT}


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Step]:
    """The steps that turn the reference's tokens into the hypothesis's, with the fewest errors.

    >>> [tuple(step) for step in align(["the", "cat"], ["hat"])]
    [('substitute', 'the', 'hat'), ('delete', 'cat', '')]
    """
    codes: dict[str, int] = {}
    sides = [[codes.setdefault(token, len(codes)) for token in side] for side in (reference, hypothesis)]
    steps: list[Step] = []
    for code in Levenshtein.opcodes(*sides):
        name = OPS[_OP_CODES[code.tag]]
        length = max(code.src_end - code.src_start, code.dest_end - code.dest_start)
        lost = reference[code.src_start : code.src_end] or [""] * length
        heard = hypothesis[code.dest_start : code.dest_end] or [""] * length
        steps += [Step(name, *pair) for pair in zip(lost, heard, strict=True)]
    return steps


def align_many(references: Sequence[str], hypotheses: Sequence[str]) -> list[list[Step]]:
    """The word alignment of each pair of texts."""
    alignments = align_words(references, hypotheses)[1]
    steps = alignments.flatten()
    columns = (steps.field(name).to_pylist() for name in Step._fields)
    flat = list(map(Step._make, zip(*columns, strict=True)))
    return [flat[start:end] for start, end in pairwise(alignments.offsets.to_pylist())]


def count_word_errors(references: Sequence[str], hypotheses: Sequence[str], alignment: str = "unit") -> pd.DataFrame:
    """Counts over words, one row a pair: ref_words, hits, substitutions, deletions, insertions.

    Args:
        alignment: `unit` for the fewest errors, or `sclite` for NIST's costs of 4 (substitution) and 3.

    Raises:
        InvalidInput: the sides differ in length, or a text is missing or is not text.
    """
    counts: list[Integers] = [np.zeros((0, 5), np.int64)]
    for texts in text_blocks(references, hypotheses):
        counts.append(_count_words(*texts, alignment))
    return pd.DataFrame(np.concatenate(counts), columns=WORD_COUNTS)


def count_char_errors(
    references: Sequence[str], hypotheses: Sequence[str], alignment: str = "unit", spaces: bool = True
) -> pd.DataFrame:
    """Counts over characters, one row a pair, named as in `CHAR_COUNTS`.

    Characters are code points; white space around the text does not count.

    Args:
        alignment: as for `count_word_errors`.
        spaces: whether the spaces between words count.

    Raises:
        InvalidInput: the sides differ in length, or a text is missing or is not text.
    """
    count = _count_nist if alignment == "sclite" else _count
    counts: list[Integers] = [np.zeros((0, 5), np.int64)]
    for texts in text_blocks(references, hypotheses):
        lists = [side.to_pylist() for side in texts]
        counts.append(count(*([text.strip() if spaces else "".join(text.split()) for text in side] for side in lists)))
    return pd.DataFrame(np.concatenate(counts), columns=CHAR_COUNTS)


def align_words(
    references: Sequence[str], hypotheses: Sequence[str], alignment: str = "unit"
) -> tuple[pd.DataFrame, pa.ListArray]:
    """Word counts as in `count_word_errors`, and the alignments as one Arrow array of lists of steps.

    Raises:
        InvalidInput: the sides differ in length, or a text is missing or is not text.
    """
    counts: list[Integers] = [np.zeros((0, 5), np.int64)]
    alignments = [pa.array([], ALIGNMENT_TYPE)]
    for texts in text_blocks(references, hypotheses):
        block = code_words(pa.concat_arrays(texts))
        block_counts, block_alignments = _align_nist(block) if alignment == "sclite" else _align(block)
        counts.append(block_counts)
        alignments.append(block_alignments)
    return pd.DataFrame(np.concatenate(counts), columns=WORD_COUNTS), pa.concat_arrays(alignments)


def edit_distances(ours: Sequence[Tokens], theirs: Sequence[Tokens]) -> Integers:
    """The fewest substitutions, deletions and insertions between the tokens of each pair.

    >>> edit_distances(["kitten", ""], ["sitting", "ab"]).tolist()
    [3, 2]
    """
    return _distances(list(ours), list(theirs), Levenshtein.distance)


def edit_shares(ours: Sequence[Tokens], theirs: Sequence[Tokens]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The edit distance of each of ours to each of theirs over the longer one's tokens, of shape (ours, theirs).

    It is 0 to 1, and 0 between two of no tokens.

    >>> edit_shares(["ab"], ["ab", "b", ""])
    array([[0. , 0.5, 1. ]])
    """
    if not len(ours) or not len(theirs):
        return np.zeros((len(ours), len(theirs)))
    shares: np.ndarray[Any, np.dtype[np.float64]] = process.cdist(
        ours, theirs, scorer=Levenshtein.normalized_distance, dtype=np.float64
    )
    return shares


def _align_nist(block: Block) -> tuple[Integers, pa.ListArray]:
    """As `_align`, at NIST's costs."""
    lengths = [np.fromiter(map(len, side), np.int64, block.pairs) for side in (block.references, block.hypotheses)]
    long = np.flatnonzero(lengths[0] * lengths[1] > _MANY_CELLS)
    counts = _count([block.references[row] for row in long], [block.hypotheses[row] for row in long])
    enough = np.full(block.pairs, -1, np.int64)
    enough[long] = NIST.substitution * counts[:, 2] + NIST.gap * counts[:, 3:].sum(axis=1)
    return align_nist(block, enough)


def _count_words(references: pa.Array, hypotheses: pa.Array, alignment: str) -> Integers:
    """As `_count`, of texts; a hypothesis that is its reference to the letter is not split again."""
    unequal = pc.not_equal(references, hypotheses)
    block = code_words(pa.concat_arrays([references, hypotheses.filter(unequal)]))
    pairs = len(references)
    counts = np.zeros((pairs, len(WORD_COUNTS)), np.int64)
    counts[:, 0] = counts[:, 1] = np.diff(block.ends[: pairs + 1])
    rows = np.flatnonzero(unequal.to_numpy(zero_copy_only=False))
    count = _count_nist if alignment == "sclite" else _count
    counts[rows] = count([block.tokens[row] for row in rows.tolist()], block.tokens[pairs:])
    return counts


def _count(references: list[Tokens], hypotheses: list[Tokens]) -> Integers:
    """Length of the reference, hits, substitutions, deletions, insertions, one row a pair."""
    return _unit_counts(references, hypotheses)[0]


def _count_nist(references: list[Tokens], hypotheses: list[Tokens]) -> Integers:
    """As `_count`, at NIST's costs."""
    counts, replaced = _unit_counts(references, hypotheses)
    # With s and m as in `_unit_counts`, an alignment costs 2 (s + m) + 2 (s + 2 m) above what the lengths ask for. One
    # that is as small as can be in both sums is the cheapest, and all that cost the same have its s and m.
    unsure = np.flatnonzero(counts[:, 2] + counts[:, 3:].min(axis=1) > replaced)
    enough = NIST.substitution * counts[unsure, 2] + NIST.gap * counts[unsure, 3:].sum(axis=1)
    ours, theirs = ([side[row] for row in unsure.tolist()] for side in (references, hypotheses))
    counts[unsure] = count_nist(ours, theirs, enough)
    return counts


def _unit_counts(references: list[Tokens], hypotheses: list[Tokens]) -> tuple[Integers, Integers]:
    """Counts at unit costs, and what the longest common subsequence leaves over of the shorter side of each pair."""
    sides = (references, hypotheses)
    ref_length, hyp_length = (np.fromiter(map(len, side), np.int64, len(side)) for side in sides)
    difference = np.abs(ref_length - hyp_length)
    # An alignment of s substitutions, and m deletions paired with as many insertions, has s + 2 m errors above the
    # difference of the lengths, which every alignment has, and s + m tokens of the shorter side that are no hits.
    excess = _distances(references, hypotheses, Levenshtein.distance) - difference
    replaced = excess.copy()
    several = np.flatnonzero(excess > 1)
    ours, theirs = ([side[row] for row in several.tolist()] for side in sides)
    replaced[several] = (_distances(ours, theirs, Indel.distance) - difference[several]) // 2
    # Where as many are replaced as there are errors, m is 0; elsewhere it depends on the alignment.
    substitutions = excess.copy()
    for row in np.flatnonzero(replaced < excess).tolist():
        hits = _hits(references[row], hypotheses[row])
        substitutions[row] = ref_length[row] + hyp_length[row] - 2 * hits - difference[row] - excess[row]
    paired = (excess - substitutions) // 2
    deletions = paired + np.maximum(ref_length - hyp_length, 0)
    insertions = paired + np.maximum(hyp_length - ref_length, 0)
    hits = ref_length - substitutions - deletions
    return np.column_stack([ref_length, hits, substitutions, deletions, insertions]), replaced


def _distances(references: list[Tokens], hypotheses: list[Tokens], distance: Callable[..., int]) -> Integers:
    if not references:
        return np.zeros(0, np.int64)
    return process.cpdist(references, hypotheses, scorer=distance, dtype=np.int64)


def _hits(reference: Tokens, hypothesis: Tokens) -> int:
    """Equal tokens in the alignment, counted by replaying it on a string of zeros: no loop over steps."""
    edits = Levenshtein.editops(reference, hypothesis)
    return edits.apply("0" * len(reference), "1" * len(hypothesis)).count("0")


def _align(block: Block) -> tuple[Integers, pa.ListArray]:
    pairs = block.pairs
    # One flat list of integers and interned names: a list of tuples a pair would wake the garbage collector.
    edits = [
        Levenshtein.editops(reference, hypothesis)
        for reference, hypothesis in zip(block.references, block.hypotheses, strict=True)
    ]
    per_pair = np.fromiter(map(len, edits), np.int64, pairs)
    flat: list[Any] = list(chain.from_iterable(chain.from_iterable(edit.as_list() for edit in edits)))
    op = np.fromiter(map(_OP_CODES.__getitem__, flat[0::3]), np.int8, len(flat) // 3)
    position = np.array(flat[1::3], np.int64)
    pair = np.repeat(np.arange(pairs), per_pair)

    ref_length = np.diff(block.ends[: pairs + 1])
    substitutions, deletions, insertions = (
        np.bincount(pair[op == code], minlength=pairs) for code in (SUBSTITUTE, DELETE, INSERT)
    )
    counts = np.column_stack([ref_length, ref_length - substitutions - deletions, substitutions, deletions, insertions])

    # A step stands after the reference words and the insertions before it; all steps in between are equal.
    lengths = ref_length + insertions
    starts = np.concatenate([[0], np.cumsum(lengths)])
    inserted = np.cumsum(op == INSERT) - (op == INSERT)
    inserted -= np.repeat((np.cumsum(insertions) - insertions), per_pair)
    steps = np.zeros(starts[-1], np.int8)
    steps[starts[pair] + position + inserted] = op
    sides = []
    first_hypothesis = block.ends[pairs]
    for side, absent in ((block.codes[:first_hypothesis], INSERT), (block.codes[first_hypothesis:], DELETE)):
        taken = np.full(len(steps), -1, np.int64)
        taken[steps != absent] = side
        sides.append(taken)
    return counts, stored_alignments(block.vocabulary, starts, steps, *sides)
