"""Texts aligned as a scoring says: plain pairs in bulk, the others as networks."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
from analysis.network_align import (
    FORGIVEN_TYPE,
    NetworkAlignment,
    align_all,
    counts_of,
    read_hypothesis,
    sides,
    stored,
)
from analysis.nist_notation import parse_notation, spaced
from analysis.scoring import Scoring

_ALTERNATION = re.compile(r"(?<!\S)\{")
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
    _refuse_choices(hypotheses, scoring, names)
    texts = (
        _normalised(_read_references(references, scoring, names), scoring),
        _normalised([_text_alone(read_hypothesis(_spaced(text, scoring), scoring)) for text in hypotheses], scoring),
    )
    simple: list[int] = []
    others: list[int] = []
    for row, (reference, hypothesis) in enumerate(zip(*texts, strict=True)):
        plain = False
        if isinstance(reference, str) and isinstance(hypothesis, str):
            plain = scoring.is_plain or not _has_choices(reference, hypothesis, scoring)
        (simple if plain else others).append(row)
    return _merged(*texts, simple, others, scoring)


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
            read.append(_text_alone(read_reference(_spaced(text, scoring), scoring)))
        except InvalidInput as problem:
            faulty.append(f"utterance {name!r}: {problem}")
    if faulty:
        first = "; ".join(faulty[:_NAMED])
        raise InvalidInput(
            f"{len(faulty)} of {len(references)} references cannot be read as {scoring.notation}: {first}"
        )
    return read


def _spaced(text: str, scoring: Scoring) -> str:
    """The text with its words parted as the notation parts them."""
    return spaced(text) if scoring.notation in ("alternations", "nist") else text


def _text_alone(marked: Marked) -> str | Marked:
    """The text of what has no choices and no marked words."""
    if not marked:
        return ""
    return marked[0] if len(marked) == 1 and isinstance(marked[0], str) else marked


def _normalised(side: list[str | Marked], scoring: Scoring) -> list[str | Marked]:
    normalizer = scoring.normalizer
    known = {text: normalizer(text) for text in dict.fromkeys(part for part in side if isinstance(part, str))}
    return [known[part] if isinstance(part, str) else normalised(part, normalizer) for part in side]


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
    references: list[str | Marked],
    hypotheses: list[str | Marked],
    simple: list[int],
    others: list[int],
    scoring: Scoring,
) -> AlignedTexts:
    """Plain pairs and the others, in the order of the rows."""
    rows: list[int] = []
    parts: list[AlignedTexts] = []
    for start in range(0, len(others), _BLOCK):
        block = others[start : start + _BLOCK]
        found = dict(zip(block, _aligned(references, hypotheses, block, scoring), strict=True))
        # Where nothing was forgiven the pair is one of plain words, and has the counts and steps of those.
        written = {row for row in block if _is_as_written(references[row], hypotheses[row], found[row], scoring)}
        simple = [*simple, *sorted(written)]
        kept = [row for row in block if row not in written]
        rows += kept
        parts.append(_stored([found[row] for row in kept], scoring))
    plain = [[str(side[row]) for row in simple] for side in (references, hypotheses)]
    parts.append(_plain(plain[0], plain[1], scoring))
    order = np.argsort([*rows, *simple], kind="stable")
    taken = pa.array(order)
    return AlignedTexts(
        pd.concat([part.words for part in parts]).iloc[order].reset_index(drop=True),
        pd.concat([part.chars for part in parts]).iloc[order].reset_index(drop=True),
        pa.concat_arrays([part.alignments for part in parts]).take(taken),
        pa.concat_arrays([part.forgiven for part in parts]).take(taken),
    )


def _aligned(
    references: list[str | Marked], hypotheses: list[str | Marked], rows: list[int], scoring: Scoring
) -> list[NetworkAlignment]:
    chosen = ([side[row] for row in rows] for side in (references, hypotheses))
    marked = [[(part,) if isinstance(part, str) else part for part in side] for side in chosen]
    return align_all(marked[0], marked[1], scoring)


def _is_as_written(
    reference: str | Marked, hypothesis: str | Marked, found: NetworkAlignment, scoring: Scoring
) -> bool:
    alone = isinstance(reference, str) and isinstance(hypothesis, str)
    return alone and scoring.fillers != "remove" and not found.forgiven


def _stored(found: list[NetworkAlignment], scoring: Scoring) -> AlignedTexts:
    alignments, forgiven = stored(found)
    texts = [sides(alignment) for alignment in found]
    chars = count_char_errors(
        [text for text, _ in texts], [text for _, text in texts], scoring.alignment, scoring.normalizer.spaces_count
    )
    return AlignedTexts(pd.DataFrame(counts_of(found), columns=WORD_COUNTS), chars, alignments, forgiven)
