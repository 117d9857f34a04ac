"""A reference with its choices: what NIST's notation, dual transcription and candidate spellings are read into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Word:
    """One word that NIST's notation marks.

    Args:
        optional: it may be left out, and then counts as a hit: `(um)`.
        fragment: a part of a word, `tion-` or `-tion`: any word that begins or ends so is equal to it.
    """

    text: str
    optional: bool = False
    fragment: bool = False


@dataclass(frozen=True)
class Choice:
    """Several ways to say a part of a reference.

    Args:
        options: what is written, then what may stand for it; an empty option is left out and is no reference word.
        name: what allows the other options, as it stands in the counts of what was forgiven.
    """

    options: tuple[Marked, ...]
    name: str


Marked: TypeAlias = "tuple[str | Word | Choice, ...]"
"""A text's parts in order; a `str` is a run of plain text."""


def normalised(marked: Marked, normalizer: Callable[[str], str]) -> Marked:
    """The same choices with each run of text and each word normalised.

    >>> normalised(("Ice-cream,", Choice((("OK",), ()), "notation")), str.lower)
    ('ice-cream,', Choice(options=(('ok',), ()), name='notation'))
    """
    parts: list[str | Word | Choice] = []
    for part in marked:
        if isinstance(part, str):
            parts.append(normalizer(part))
        elif isinstance(part, Word):
            parts.append(Word(_normalised_word(part, normalizer), part.optional, part.fragment))
        else:
            parts.append(Choice(tuple(normalised(option, normalizer) for option in part.options), part.name))
    return tuple(parts)


def _normalised_word(word: Word, normalizer: Callable[[str], str]) -> str:
    """The word normalised; the hyphen of a fragment, which says what side of it is missing, stays."""
    text = normalizer(word.text)
    if not word.fragment or not text.strip("-"):
        return text
    return "-" * word.text.startswith("-") + text.strip("-") + "-" * word.text.endswith("-")


def as_written(marked: Marked) -> str:
    """The text with the first option of every choice.

    >>> as_written(("have", Choice((("ice cream",), ("icecream",)), "notation"), Word("um", optional=True)))
    'have ice cream um'
    """
    texts: list[str] = []
    for part in marked:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Word):
            texts.append(part.text)
        else:
            texts.append(as_written(part.options[0]))
    return " ".join(text for text in texts if text)
