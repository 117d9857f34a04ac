"""Texts aligned as a scoring says: plain pairs in bulk, the others as networks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.align import WORD_COUNTS, align_words, count_char_errors
from analysis.alternatives.fillers import is_filler
from analysis.alternatives.source import Heard
from analysis.coded_words import words
from analysis.dual_transcription import parse_dual
from analysis.errors import InvalidInput
from analysis.marked import Marked, normalised
from analysis.network_align import FORGIVEN_TYPE, align_all, counts_of, sides, stored
from analysis.nist_notation import parse_notation
from analysis.scoring import Scoring

_ALTERNATION = re.compile(r"(?<!\S)\{")
_NIST_WORD = re.compile(r"[{}@(;*-]")
# Networks of so many pairs are built at a time, so that memory stays small.
_BLOCK = 5_000
_NAMED = 5


@dataclass(frozen=True)
class AlignedTexts:
    """Counts, alignments and what was forgiven, one row a pair."""

    words: pd.DataFrame
    "The counts of `WORD_COUNTS`."
    chars: pd.DataFrame
    "The counts of `CHAR_COUNTS`, over the reference as the alignment takes it."
    alignments: pa.ListArray
    forgiven: pa.ListArray


def align_texts(
    references: Sequence[str], hypotheses: Sequence[str], scoring: Scoring, names: Sequence[str]
) -> AlignedTexts:
    """References and hypotheses, as written, aligned as the scoring says.

    Args:
        names: what each pair is called in messages.

    Raises:
        InvalidInput: the notation of a reference is faulty; the message names the first five.
    """
    marked = _read_references(references, scoring, names)
    _refuse_choices(hypotheses, scoring, names)
    normalizer = scoring.normalizer
    known = {
        text: normalizer(text) for text in dict.fromkeys([*(t for t in marked if isinstance(t, str)), *hypotheses])
    }
    heard = [known[text] for text in hypotheses]
    plain = [known[text] if isinstance(text, str) else "" for text in marked]
    networks: dict[int, Marked] = {}
    for row, text in enumerate(marked):
        if not isinstance(text, str):
            networks[row] = normalised(text, normalizer)
        elif not scoring.is_plain and _has_choices(plain[row], heard[row], scoring):
            networks[row] = (plain[row],)
    if not networks:
        return _plain(plain, heard, scoring)
    return _merged(plain, heard, networks, scoring)


def read_reference(text: str, scoring: Scoring) -> Marked:
    """A reference as the scoring's notation has it, not normalised."""
    if scoring.notation == "dual":
        return parse_dual(text)
    if scoring.notation == "plain":
        return (text,)
    return parse_notation(text, scoring.notation == "nist")


def _read_references(references: Sequence[str], scoring: Scoring, names: Sequence[str]) -> list[str | Marked]:
    """Each reference with its choices; one without any as its text."""
    if scoring.notation == "plain":
        return list(references)
    read: list[str | Marked] = []
    faulty = []
    for text, name in zip(references, names, strict=True):
        try:
            marked = read_reference(text, scoring)
        except InvalidInput as problem:
            faulty.append(f"utterance {name!r}: {problem}")
            continue
        only = marked[0] if len(marked) == 1 else ""
        read.append(only if isinstance(only, str) and len(marked) < 2 else marked)
    if faulty:
        first = "; ".join(faulty[:_NAMED])
        raise InvalidInput(
            f"{len(faulty)} of {len(references)} references cannot be read as {scoring.notation}: {first}"
        )
    return read


def _refuse_choices(hypotheses: Sequence[str], scoring: Scoring, names: Sequence[str]) -> None:
    if scoring.notation not in ("alternations", "nist"):
        return
    faulty = [repr(name) for text, name in zip(hypotheses, names, strict=True) if _ALTERNATION.search(text)]
    if faulty:
        raise InvalidInput(
            f"alternations stand in {len(faulty)} of {len(hypotheses)} hypotheses (utterances "
            f"{', '.join(faulty[:_NAMED])}); expected one text each; choose one, or score with notation plain"
        )


def _has_choices(reference: str, hypothesis: str, scoring: Scoring) -> bool:
    """Whether anything but the words themselves may count as equal in this pair of normalised texts."""
    if scoring.notation in ("alternations", "nist") and _NIST_WORD.search(hypothesis):
        return True
    if scoring.fillers != "count" and any(map(is_filler, {*reference.split(), *hypothesis.split()})):
        return True
    if not scoring.sources or reference == hypothesis:
        return False
    written, heard = tuple(words(reference)), Heard(words(hypothesis))
    return any(True for source in scoring.sources for _ in source.find(written, heard))


def _plain(references: list[str], hypotheses: list[str], scoring: Scoring) -> AlignedTexts:
    counts, alignments = align_words(references, hypotheses, scoring.alignment)
    chars = count_char_errors(references, hypotheses, scoring.alignment, scoring.normalizer.spaces_count)
    return AlignedTexts(counts, chars, alignments, pa.array([[]] * len(references), FORGIVEN_TYPE))


def _merged(
    references: list[str], hypotheses: list[str], networks: dict[int, Marked], scoring: Scoring
) -> AlignedTexts:
    """Both kinds of pairs, in the order of the rows."""
    simple = [row for row in range(len(references)) if row not in networks]
    parts = [_plain([references[row] for row in simple], [hypotheses[row] for row in simple], scoring)]
    parts += _networks(list(networks.values()), [hypotheses[row] for row in networks], scoring)
    order = np.argsort([*simple, *networks], kind="stable")
    taken = pa.array(order)
    return AlignedTexts(
        pd.concat([part.words for part in parts]).iloc[order].reset_index(drop=True),
        pd.concat([part.chars for part in parts]).iloc[order].reset_index(drop=True),
        pa.concat_arrays([part.alignments for part in parts]).take(taken),
        pa.concat_arrays([part.forgiven for part in parts]).take(taken),
    )


def _networks(references: list[Marked], hypotheses: list[str], scoring: Scoring) -> Iterator[AlignedTexts]:
    for start in range(0, len(references), _BLOCK):
        found = align_all(references[start : start + _BLOCK], hypotheses[start : start + _BLOCK], scoring)
        alignments, forgiven = stored(found)
        texts = [sides(alignment) for alignment in found]
        chars = count_char_errors(
            [text for text, _ in texts], [text for _, text in texts], scoring.alignment, scoring.normalizer.spaces_count
        )
        counts = pd.DataFrame(counts_of(found), columns=WORD_COUNTS)
        yield AlignedTexts(counts, chars, alignments, forgiven)
