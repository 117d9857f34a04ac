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

from analysis.dual_transcription import NOISE_MARK, TAGS, views
from analysis.errors import InvalidInput

_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\uff07"
_ZERO_WIDTH_SPACE = "\u200b"
_OUTER_APOSTROPHE = re.compile(r"^'|'(?=[ ']|$)|(?<=[ '])'")
# After the translation below only letters, digits, marks, spaces and apostrophes are left.
_ORPHAN_MARKS = re.compile(r"(?:^|(?<=[ ']))[^\w ']+")

_KOREAN_MARKS = re.compile(rf"/\((?:{TAGS})\)|{NOISE_MARK}")
# `뭐*라고` is one word; an asterisk between numbers parts them, as every symbol does.
_UNCLEAR_MARK = re.compile(r"(?<=[가-힣])\*+|\*+(?=[가-힣])")
_PERCENT = re.compile("[%％﹪]")

_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7a3\ud7b0-\ud7ff\uffa0-\uffdc]")
_FIRST_STAND_IN = 0x20000
_MOST_PASSES = 50


@dataclass(frozen=True)
class Normalizer:
    """A function from text to text with a name and a version.

    Args:
        spaces_count: whether the character error rate that stands for the text's language counts spaces. Korean
            spacing varies from writer to writer, and its rate is stated over syllables.

    >>> get_normalizer("basic").label
    'basic-1'
    """

    name: str
    version: int
    function: Callable[[str], str]
    spaces_count: bool = True

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


def case(text: str) -> str:
    """The text in lower case and otherwise as it is: what sclite compares by default.

    >>> case("It's 4.5 %, OK?")
    "it's 4.5 %, ok?"
    """
    return text.lower()


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

    A dual transcription `(spelled)/(spoken)` becomes its spelled side (its grammar is in `dual_transcription`).
    KsponSpeech's noise marks `b/ l/ o/ n/ u/` and the tags `/(noise)`, `/(bgm)`, `/(idiom)` go. So do the slash of a
    filler (`아/`), the plus of a repetition (`그+`) and the asterisk of an unclear word (`뭐*`), but their words stay,
    as in ESPnet's recipe (`get_transcriptions.py`, type `df`; it makes `u/` a word, `[unk]`).

    A percent sign becomes the word 퍼센트, apart from what stands before it, so that `70%`, `70 %` and `70 퍼센트` are
    equal and the sign never vanishes on one side. KsponSpeech's own spoken sides write `칠십 퍼센트`, and KoSpeech's
    preprocessing writes the sign out too; ESPnet keeps `%` as it stands. `프로`, the other reading, stays another word.

    >>> korean("b/ 오늘 (70%)/(칠십 퍼센트)를 맞죠? o/")
    '오늘 70 퍼센트를 맞죠'
    """
    text = views(unicodedata.normalize("NFC", text))[0]
    text = _UNCLEAR_MARK.sub("", _KOREAN_MARKS.sub(" ", text))
    return basic(_PERCENT.sub(" 퍼센트", text))


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
        Normalizer("case", 1, case),
        Normalizer("basic", 1, basic),
        Normalizer("english", 1, english),
        Normalizer("korean", 2, korean, spaces_count=False),
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
