"""Reference and hypothesis to alignment and counts, at unit costs: the numbers of jiwer 4, in bulk.

The words of a block of utterances are given code points and every utterance becomes a short string, so that
splitting, coding, distances and alignments all run in Arrow's and RapidFuzz's compiled code.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from analysis.errors import InvalidInput

WORD_COUNTS = ["ref_words", "hits", "substitutions", "deletions", "insertions"]
CHAR_COUNTS = ["ref_chars", "char_hits", "char_substitutions", "char_deletions", "char_insertions"]
OPS = ["equal", "substitute", "delete", "insert"]
ALIGNMENT_TYPE = pa.list_(pa.struct([("op", pa.string()), ("reference", pa.string()), ("hypothesis", pa.string())]))

_OP_CODES = {"equal": 0, "replace": 1, "delete": 2, "insert": 3}
_DELETE, _INSERT = _OP_CODES["delete"], _OP_CODES["insert"]
_SEVERAL_SPACES = re.compile(r"\s\s+")
_SURROGATES_START, _SURROGATES = 0xD800, 0x800
_MOST_CODE_POINTS = 0x110000 - _SURROGATES
# Keeps the memory of a block at some ten megabytes, and its vocabulary far below the code points there are.
_BLOCK = 25_000

Tokens = Sequence[Hashable]
Integers = np.ndarray[Any, np.dtype[np.integer[Any]]]


class Step(NamedTuple):
    """One step of an alignment: equal, substitute, delete or insert; the absent side is empty text."""

    op: str
    reference: str
    hypothesis: str


def words(text: str) -> list[str]:
    """The words of the text, as jiwer splits them: at spaces, and at runs of two or more of any white space.

    A single tab, line break or no-break space parts no words; normalizers other than `none` make them spaces.

    >>> words("  the cat  sat ")
    ['the', 'cat', 'sat']
    """
    return [word for word in _SEVERAL_SPACES.sub(" ", text).strip().split(" ") if word]


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


def count_word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> pd.DataFrame:
    """Counts over words, one row a pair: ref_words, hits, substitutions, deletions, insertions.

    Raises:
        InvalidInput: the sides differ in length, or a text is missing or is not text.
    """
    blocks = [_count_words(*texts) for texts in _blocks(references, hypotheses)]
    return pd.DataFrame(np.concatenate(blocks) if blocks else np.zeros((0, 5), np.int64), columns=WORD_COUNTS)


def count_char_errors(references: Sequence[str], hypotheses: Sequence[str]) -> pd.DataFrame:
    """Counts over characters, one row a pair, named as in `CHAR_COUNTS`.

    Characters are code points, spaces between words included; white space around the text does not count.

    Raises:
        InvalidInput: the sides differ in length, or a text is missing or is not text.
    """
    _check_lengths(references, hypotheses)
    sides = [[text.strip() for text in _as_text(side).to_pylist()] for side in (references, hypotheses)]
    return pd.DataFrame(_count(*sides), columns=CHAR_COUNTS)


def align_words(references: Sequence[str], hypotheses: Sequence[str]) -> tuple[pd.DataFrame, pa.ListArray]:
    """Word counts as in `count_word_errors`, and the alignments as one Arrow array of lists of steps.

    Raises:
        InvalidInput: the sides differ in length, or a text is missing or is not text.
    """
    counts: list[Integers] = [np.zeros((0, 5), np.int64)]
    alignments = [pa.array([], ALIGNMENT_TYPE)]
    for texts in _blocks(references, hypotheses):
        block_counts, block_alignments = _align(_code(pa.concat_arrays(texts)))
        counts.append(block_counts)
        alignments.append(block_alignments)
    return pd.DataFrame(np.concatenate(counts), columns=WORD_COUNTS), pa.concat_arrays(alignments)


@dataclass(frozen=True)
class _Block:
    """Some texts with their words coded: references first, then hypotheses."""

    vocabulary: pa.Array
    codes: Integers
    "The code of every word, text after text."
    ends: Integers
    "Where each text's words begin in `codes`, and, last, where they all end."
    tokens: list[Tokens]

    @property
    def pairs(self) -> int:
        return len(self.tokens) // 2

    @property
    def references(self) -> list[Tokens]:
        return self.tokens[: self.pairs]

    @property
    def hypotheses(self) -> list[Tokens]:
        return self.tokens[self.pairs :]


def _blocks(references: Sequence[str], hypotheses: Sequence[str]) -> Iterator[tuple[pa.Array, pa.Array]]:
    _check_lengths(references, hypotheses)
    sides = _as_text(references), _as_text(hypotheses)
    for start in range(0, len(references), _BLOCK):
        yield sides[0][start : start + _BLOCK], sides[1][start : start + _BLOCK]


def _check_lengths(references: Sequence[str], hypotheses: Sequence[str]) -> None:
    if len(references) != len(hypotheses):
        raise InvalidInput(f"found {len(references)} references and {len(hypotheses)} hypotheses; give one for each")


def _as_text(texts: Sequence[str]) -> pa.Array:
    try:
        array = pa.array(texts, pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as problem:
        raise InvalidInput(f"cannot score something that is not Unicode text: {problem}") from problem
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.null_count:
        row = pc.index(pc.is_null(array), True).as_py()
        raise InvalidInput(f"the text at position {row} is missing; leave the pair out, or give an empty text")
    return array


def _code(texts: pa.Array) -> _Block:
    lists = pc.split_pattern(texts, " ")
    coded = lists.flatten().dictionary_encode()
    joined = "".join(coded.dictionary.to_pylist())
    if joined and joined.split() != [joined]:
        # White space other than spaces is rare enough to take the slow way, which is jiwer's own.
        texts = pa.array([" ".join(words(text)) for text in texts.to_pylist()], pa.large_string())
        lists = pc.split_pattern(texts, " ")
        coded = lists.flatten().dictionary_encode()
    vocabulary = coded.dictionary
    codes = coded.indices.to_numpy(zero_copy_only=False)
    ends = lists.offsets.to_numpy()
    empty = pc.index(vocabulary, "").as_py()
    if empty >= 0:
        kept = codes != empty
        ends = np.concatenate([[0], np.cumsum(kept)])[ends]
        codes = codes[kept]
    return _Block(vocabulary, codes, ends, _tokens(codes, ends, len(vocabulary)))


def _tokens(codes: Integers, ends: Integers, vocabulary_size: int) -> list[Tokens]:
    """Each utterance as a string with a character a word; lists of integers, slower, where characters run out."""
    bounds = pairwise(ends.tolist())
    if vocabulary_size > _MOST_CODE_POINTS:
        return [codes[start:end].tolist() for start, end in bounds]
    if vocabulary_size > _SURROGATES_START:
        codes = codes + _SURROGATES * (codes >= _SURROGATES_START)
    text = codes.astype("<u4").tobytes().decode("utf-32-le")
    return [text[start:end] for start, end in bounds]


def _count_words(references: pa.Array, hypotheses: pa.Array) -> Integers:
    """As `_count`, of texts; a hypothesis that is its reference to the letter is not split again."""
    unequal = pc.not_equal(references, hypotheses)
    block = _code(pa.concat_arrays([references, hypotheses.filter(unequal)]))
    pairs = len(references)
    counts = np.zeros((pairs, len(WORD_COUNTS)), np.int64)
    counts[:, 0] = counts[:, 1] = np.diff(block.ends[: pairs + 1])
    rows = np.flatnonzero(unequal.to_numpy(zero_copy_only=False))
    counts[rows] = _count([block.tokens[row] for row in rows.tolist()], block.tokens[pairs:])
    return counts


def _count(references: list[Tokens], hypotheses: list[Tokens]) -> Integers:
    """Length of the reference, hits, substitutions, deletions, insertions, one row a pair."""
    ref_length = np.fromiter(map(len, references), np.int64, len(references))
    hyp_length = np.fromiter(map(len, hypotheses), np.int64, len(hypotheses))
    distance = _distances(references, hypotheses)
    # Each deletion paired with an insertion costs two errors above the difference of the lengths, which every
    # alignment has. Below two, substitutions are all that is left; from two on it depends on the alignment.
    substitutions = distance - np.abs(ref_length - hyp_length)
    for row in np.flatnonzero(substitutions >= 2).tolist():
        hits = _hits(references[row], hypotheses[row])
        substitutions[row] = ref_length[row] + hyp_length[row] - 2 * hits - distance[row]
    deletions = (distance - substitutions + ref_length - hyp_length) // 2
    insertions = distance - substitutions - deletions
    return np.column_stack([ref_length, ref_length - substitutions - deletions, substitutions, deletions, insertions])


def _distances(references: list[Tokens], hypotheses: list[Tokens]) -> Integers:
    if not references:
        return np.zeros(0, np.int64)
    return process.cpdist(references, hypotheses, scorer=Levenshtein.distance, dtype=np.int64)


def _hits(reference: Tokens, hypothesis: Tokens) -> int:
    """Equal tokens in the alignment, counted by replaying it on a string of zeros: no loop over steps."""
    edits = Levenshtein.editops(reference, hypothesis)
    return edits.apply("0" * len(reference), "1" * len(hypothesis)).count("0")


def _align(block: _Block) -> tuple[Integers, pa.ListArray]:
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
        np.bincount(pair[op == code], minlength=pairs) for code in (_OP_CODES["replace"], _DELETE, _INSERT)
    )
    counts = np.column_stack([ref_length, ref_length - substitutions - deletions, substitutions, deletions, insertions])

    # A step stands after the reference words and the insertions before it; all steps in between are equal.
    lengths = ref_length + insertions
    starts = np.concatenate([[0], np.cumsum(lengths)])
    inserted = np.cumsum(op == _INSERT) - (op == _INSERT)
    inserted -= np.repeat((np.cumsum(insertions) - insertions), per_pair)
    steps = np.zeros(starts[-1], np.int8)
    steps[starts[pair] + position + inserted] = op
    sides = []
    first_hypothesis = block.ends[pairs]
    for side, absent in ((block.codes[:first_hypothesis], _INSERT), (block.codes[first_hypothesis:], _DELETE)):
        taken = np.full(len(steps), len(block.vocabulary), np.int64)
        taken[steps != absent] = side
        sides.append(pc.take(_vocabulary_and_absent(block), pa.array(taken)))
    names = pc.take(pa.array(OPS), pa.array(steps))
    struct = pa.StructArray.from_arrays([names, *sides], fields=list(ALIGNMENT_TYPE.value_type))
    return counts, pa.ListArray.from_arrays(pa.array(starts, pa.int32()), struct, type=ALIGNMENT_TYPE)


def _vocabulary_and_absent(block: _Block) -> pa.Array:
    return pa.concat_arrays([block.vocabulary.cast(pa.string()), pa.array([""])])
