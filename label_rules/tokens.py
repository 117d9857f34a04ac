"""Text to tokens that know where they stand in the original text."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from analysis.language.fillers import is_filler

APOSTROPHES = "'\u2018\u2019\u201b\u02bc\uff07"
HYPHENS = frozenset("-\u2010\u2011")
_SOUNDS = (
    "laugh|laughs|laughter|laughing|noise|music|inaudible|unintelligible|unclear|cough|coughs|coughing|silence"
    "|applause|breath|breathing|sigh|sighs|crosstalk|웃음|소음|기침|음악|박수|불분명"
)
BRACKETS = frozenset("[{)")
"Where one of these stands, a token may reach over white space: `[door slams]`, and dual transcriptions."
# Rules ask again about the words of a corpus, and about the texts of one audio; more would only take memory.
_REMEMBERED = 50_000
_SYMBOLS = "%&$€£¥₩@#+=°％"


class Token(NamedTuple):
    """A piece of text: its kind (word, number, symbol, filler, markup or mark), its place, and its key.

    Tokens of the same key are the same word: keys are in NFC, case-folded, with plain apostrophes.
    """

    kind: str
    text: str
    start: int
    end: int
    key: str

    @property
    def is_spoken(self) -> bool:
        """Whether it stands for something that was said on purpose: not a filler, not markup, not punctuation."""
        return self.kind in ("word", "number", "symbol")


@lru_cache(maxsize=_REMEMBERED)
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of the text, in order; white space is none.

    A number stands apart from letters next to it (`3pm` is two tokens), a word keeps its apostrophes, and the marks
    of a dual transcription `(70%)/(칠십 퍼센트)` leave its spelled side as words.

    >>> [(t.kind, t.key) for t in tokens("Um, it’s 3pm")]
    [('filler', 'um'), ('mark', ','), ('word', "it's"), ('number', '3'), ('word', 'pm')]
    """
    found = []
    for match in _pattern().finditer(text):
        piece = match.group()
        kind, key = _kind_and_key(str(match.lastgroup), piece)
        found.append(Token(kind, piece, match.start(), match.end(), key))
    return tuple(found)


def with_token(wanted: Callable[[Token], object]) -> Callable[[str], bool]:
    """The trigger of a rule that looks for such tokens: it fires on words that have one.

    It also fires on brackets, behind which the tokens of a text are not always those of its words.

    >>> list(map(with_token(lambda token: token.kind == "filler"), ["um,", "well", "[door"]))
    [True, False, True]
    """
    return lambda word: not BRACKETS.isdisjoint(word) or any(map(wanted, tokens(word)))


def plain_apostrophes(text: str) -> str:
    """The text with `'` for every typographic apostrophe.

    >>> plain_apostrophes("it’s")
    "it's"
    """
    return text if text.isascii() else text.translate(_PLAIN)


_PLAIN = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


@lru_cache(maxsize=_REMEMBERED)
def _kind_and_key(kind: str, piece: str) -> tuple[str, str]:
    key = _key(kind, piece)
    if kind == "abbreviation":
        return "word", key
    if kind == "word" and is_filler(key):
        return "filler", key
    return "mark" if kind == "dual" else kind, key


def _key(kind: str, piece: str) -> str:
    if kind == "number":
        return unicodedata.normalize("NFKC", piece).replace(",", "")
    if piece.isascii():
        key = piece.lower()
    else:
        key = unicodedata.normalize("NFC", piece).casefold().translate(_PLAIN)
        key = unicodedata.normalize("NFC", key)
    if kind == "abbreviation":
        return key.replace(".", "")
    if kind == "dual":
        return "".join(key.split())
    return "%" if key == "％" else key


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    letter = rf"(?:[^\W\d_]|[{combining_marks()}])"
    return re.compile(
        rf"(?P<markup>\[[^\[\]\n]{{1,40}}\]|<[^<>\s]{{1,40}}>|\{{[^{{}}\n]{{1,40}}\}}|(?<!\S)(?:[blonuBLONU]/)+(?![A-Za-z0-9])"
        rf"|\((?i:{_SOUNDS})\)|\*(?i:{_SOUNDS})\*)"
        r"|(?P<dual>\)\s*/\s*\([^()]*\))"
        r"|(?P<abbreviation>(?<!\w)[A-Za-z](?:\.[A-Za-z])+\b\.?)"
        r"|(?P<number>\d+(?:[.,:]\d+)*)"
        rf"|(?P<word>{letter}+(?:[{APOSTROPHES}]{letter}+)*)"
        rf"|(?P<symbol>[{_SYMBOLS}])"
        r"|(?P<mark>\.{2,}|\S)"
    )


def combining_marks() -> str:
    """The characters that belong to the letter before them, as the ranges of a character class.

    They are no letters to the `re` module, though words of many scripts, and all decomposed text, hold them.
    """
    ranges: list[list[int]] = []
    for point in range(0x300, min(0x1F000, sys.maxunicode)):
        if unicodedata.category(chr(point)) in ("Mn", "Mc"):
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
