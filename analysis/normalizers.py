"""Named, versioned text normalizers: text to text, applied to references and hypotheses alike.

Each is idempotent, and none takes Hangul syllables apart. A changed result needs a new version: the version is
part of every score's `scoring`, and scores made differently are never mixed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from analysis.errors import InvalidInput

_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\uff07"
_ZERO_WIDTH_SPACE = "\u200b"
_OUTER_APOSTROPHE = re.compile(r"^'|'(?=[ ']|$)|(?<=[ '])'")
# After the translation below only letters, digits, marks, spaces and apostrophes are left.
_ORPHAN_MARKS = re.compile(r"(?:^|(?<=[ ']))[^\w ']+")

_DUAL_TRANSCRIPTION = re.compile(r"\(([^()]*)\)\s*/\s*\([^()]*\)")
_NOISE_MARK = re.compile(r"(?<!\S)(?:[blonu]/)+(?![A-Za-z0-9])")

_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7a3\ud7b0-\ud7ff\uffa0-\uffdc]")
_FIRST_STAND_IN = 0x20000
_MOST_PASSES = 50


@dataclass(frozen=True)
class Normalizer:
    """A function from text to text with a name and a version.

    >>> get_normalizer("basic").label
    'basic-1'
    """

    name: str
    version: int
    function: Callable[[str], str]

    @property
    def label(self) -> str:
        """Name and version, as they stand in `scoring`."""
        return f"{self.name}-{self.version}"

    def __call__(self, text: str) -> str:
        return self.function(text)


class _Characters(dict[int, str | None]):
    """What `basic` makes of each character, worked out when it is first met."""

    def __missing__(self, code_point: int) -> str | None:
        character = chr(code_point)
        category = unicodedata.category(character)
        made: str | None = " "
        if character in _APOSTROPHES:
            made = "'"
        elif _is_invisible(code_point, category):
            made = None
        elif character.isalnum() or category in ("Mn", "Mc"):
            made = character
        self[code_point] = made
        return made


def _is_invisible(code_point: int, category: str) -> bool:
    """Joiners, direction and variation marks, and enclosing marks: they part no words and spell nothing."""
    variation_selector = 0xFE00 <= code_point <= 0xFE0F or 0xE0100 <= code_point <= 0xE01EF
    return variation_selector or category == "Me" or (category == "Cf" and chr(code_point) != _ZERO_WIDTH_SPACE)


_CHARACTERS = _Characters()


def _none(text: str) -> str:
    return text


def basic(text: str) -> str:
    """The text in NFC, case-folded, with single spaces and without punctuation and symbols.

    Punctuation and symbols become spaces, so that they never join two words or two numbers; apostrophes inside
    words stay, and the typographic ones become plain. Letters, digits and combining marks of every script stay.

    >>> basic("Um... TODAY’S  well-known 'weather'")
    "um today's well known weather"
    >>> basic("오늘 날씨, 어때요?")
    '오늘 날씨 어때요'
    """
    if text.isascii():
        text = text.lower().translate(_CHARACTERS)
    else:
        text = unicodedata.normalize("NFC", text).casefold().translate(_CHARACTERS)
        text = _ORPHAN_MARKS.sub("", unicodedata.normalize("NFC", text))
    if "'" in text:
        text = _OUTER_APOSTROPHE.sub(" ", text)
    return " ".join(text.split())


def korean(text: str) -> str:
    """The text as `basic` has it, after the marks of Korean transcription conventions are resolved.

    A dual transcription `(spelled)/(spoken)` becomes its spelled side, and the noise marks `b/ l/ o/ n/ u/`
    (breath, laughter, overlap, noise, unclear) go. The slash after a filler (`아/`) goes as punctuation; the
    filler stays.

    >>> korean("b/ 오늘 (70%)/(칠십 퍼센트) 맞죠? o/")
    '오늘 70 맞죠'
    """
    text = _DUAL_TRANSCRIPTION.sub(r"\1", text)
    return basic(_NOISE_MARK.sub(" ", text))


def english(text: str) -> str:
    """The text as Whisper's EnglishTextNormalizer has it, applied until it no longer changes.

    Numbers become digits, contractions are written out, fillers and bracketed words go. Its table of British and
    American spellings is no part of the transformers package, so spellings stay as they are. Applied once,
    Whisper's normalizer is not idempotent and takes Hangul apart; here Hangul is kept out of its reach. It drops
    combining marks, so it is not for scripts that need them.

    Raises:
        InvalidInput: a text that it cannot read, such as a number of thousands of digits.

    >>> english("I won't pay twenty-one dollars")
    'i will not pay $21'
    """
    passes: list[str] = []
    while text not in passes:
        if len(passes) == _MOST_PASSES:
            raise InvalidInput(f"the english normalizer never settles on the text that begins {text[:60]!r}; use basic")
        passes.append(text)
        text = _whisper_once(text)
    # The passes may end in a circle of texts; its least member stands for all of them, wherever one enters.
    return min(passes[passes.index(text) :])


def _whisper_once(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    present = set(text)
    free = (chr(point) for point in range(_FIRST_STAND_IN, 0x30000) if chr(point) not in present)
    stand_ins = {letter: next(free) for letter in sorted(set(_HANGUL.findall(text)))}
    try:
        made = _whisper()(text.translate({ord(letter): stand_in for letter, stand_in in stand_ins.items()}))
    except ValueError as problem:
        raise InvalidInput(f"the english normalizer cannot read text that begins {text[:60]!r}: {problem}") from problem
    made = made.translate({ord(stand_in): letter for letter, stand_in in stand_ins.items()})
    return " ".join(unicodedata.normalize("NFC", made).split())


@lru_cache(maxsize=1)
def _whisper() -> Callable[[str], str]:
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    normalizer: Callable[[str], str] = EnglishTextNormalizer({})
    return normalizer


NORMALIZERS: dict[str, Normalizer] = {
    normalizer.name: normalizer
    for normalizer in (
        Normalizer("none", 1, _none),
        Normalizer("basic", 1, basic),
        Normalizer("english", 1, english),
        Normalizer("korean", 1, korean),
    )
}


def get_normalizer(name: str) -> Normalizer:
    """The normalizer of this name.

    Raises:
        InvalidInput: there is none of this name; the message names those that there are.
    """
    if name not in NORMALIZERS:
        raise InvalidInput(f"there is no normalizer {name!r}; choose one of {', '.join(NORMALIZERS)}")
    return NORMALIZERS[name]
