"""Texts to words with codes, in bulk: the words of a block of utterances are numbered by Arrow's compiled code."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import InvalidInput

_SEVERAL_SPACES = re.compile(r"\s\s+")
_SURROGATES_START, _SURROGATES = 0xD800, 0x800
_MOST_CODE_POINTS = 0x110000 - _SURROGATES
# Keeps the memory of a block at a few megabytes, which are used again, and its vocabulary far below the code points.
_BLOCK = 10_000

Tokens = Sequence[Hashable]
Integers = np.ndarray[Any, np.dtype[np.integer[Any]]]


def words(text: str) -> list[str]:
    """The words of the text, as jiwer splits them: at spaces, and at runs of two or more of any white space.

    A single tab, line break or no-break space parts no words; all normalizers but `none` and `case` make them spaces.

    >>> words("  the cat  sat ")
    ['the', 'cat', 'sat']
    """
    return [word for word in _SEVERAL_SPACES.sub(" ", text).strip().split(" ") if word]


@dataclass(frozen=True)
class Block:
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


def text_blocks(references: Sequence[str], hypotheses: Sequence[str]) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Some references and their hypotheses at a time.

    Raises:
        InvalidInput: as `as_text`, or the sides differ in length.
    """
    check_lengths(references, hypotheses)
    sides = as_text(references), as_text(hypotheses)
    for start in range(0, len(references), _BLOCK):
        yield sides[0][start : start + _BLOCK], sides[1][start : start + _BLOCK]


def check_lengths(references: Sequence[str], hypotheses: Sequence[str]) -> None:
    """Refuse sides that differ in length."""
    if len(references) != len(hypotheses):
        raise InvalidInput(f"found {len(references)} references and {len(hypotheses)} hypotheses; give one for each")


def as_text(texts: Sequence[str]) -> pa.Array:
    """The texts as one Arrow array.

    Raises:
        InvalidInput: a text is missing or is not Unicode text.
    """
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


def code_words(texts: pa.Array) -> Block:
    """The texts with their words numbered in the order in which they first come."""
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
    return Block(vocabulary, codes, ends, _tokens(codes, ends, len(vocabulary)))


def _tokens(codes: Integers, ends: Integers, vocabulary_size: int) -> list[Tokens]:
    """Each utterance as a string with a character a word; lists of integers, slower, where characters run out."""
    bounds = pairwise(ends.tolist())
    if vocabulary_size > _MOST_CODE_POINTS:
        return [codes[start:end].tolist() for start, end in bounds]
    if vocabulary_size > _SURROGATES_START:
        codes = codes + _SURROGATES * (codes >= _SURROGATES_START)
    text = codes.astype("<u4").tobytes().decode("utf-32-le")
    return [text[start:end] for start, end in bounds]
