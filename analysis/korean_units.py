"""What Korean error rates count: syllables, and the jamo (letters) that syllables are made of."""

from __future__ import annotations

import unicodedata

_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3


def syllables(text: str) -> str:
    """The text's characters without white space, one character a syllable: the units of the Korean CER.

    Decomposed syllables are composed (NFC) first. Everything else that is no white space counts as it stands: digits,
    Latin letters, and single letters such as ㅋㅋ.

    >>> syllables("오늘 날씨 ㅋㅋ")
    '오늘날씨ㅋㅋ'
    """
    return "".join(unicodedata.normalize("NFC", text).split())


def jamo(text: str) -> str:
    """The text with each Hangul syllable as its letters, in the order of NFD: initial, medial and, if any, final.

    A syllable without a final consonant is two units, so nothing empty is counted; a double consonant (ㄲ), a double
    vowel (ㅘ) and a cluster (ㄺ) are one unit each. An initial and a final ㄱ are different units (U+1100, U+11A8), and
    ㄱ written alone (U+3131) is a third. All other characters, spaces and letters with accents too, stay as they are.

    >>> [f"{ord(letter):X}" for letter in jamo("각a")]
    ['1100', '1161', '11A8', '61']
    >>> len(jamo("오늘")), len(jamo("닭"))
    (5, 3)
    """
    return text.translate(_LETTERS)


class _Letters(dict[int, str | int]):
    """What each character becomes, worked out when it is first met."""

    def __missing__(self, code_point: int) -> str | int:
        made: str | int = code_point
        if _FIRST_SYLLABLE <= code_point <= _LAST_SYLLABLE:
            made = unicodedata.normalize("NFD", chr(code_point))
        self[code_point] = made
        return made


_LETTERS = _Letters()
