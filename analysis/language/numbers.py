"""English numbers: words to digits and back, and the ways in which a number can be read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

MOST_IN_WORDS = 9999
"The largest number that `words_of` writes."

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = {"thousand": 1000, "million": 10**6, "billion": 10**9}
"The words that multiply what stands before them."
_VALUES = {word: value for value, word in enumerate(_ONES)} | {w: 20 + 10 * i for i, w in enumerate(_TENS)}
_VALUES |= {"fourty": 40, "ninty": 90}
_IRREGULAR = {
    "first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine",
    "twelfth": "twelve",
}  # fmt: skip
ORDINALS = _IRREGULAR | {f"{word}th": word for word in [*_ONES, "hundred", *SCALES]}
ORDINALS |= {f"{word[:-1]}ieth": word for word in _TENS}
"Ordinals with the last word of their number."
_ORDINAL_ENDINGS = frozenset({"st", "nd", "rd", "th"})
_UNITS = {
    "%": "percent", "percent": "percent", "per cent": "percent", "$": "dollar", "dollar": "dollar",
    "dollars": "dollar", "€": "euro", "euro": "euro", "euros": "euro", "£": "pound", "pound": "pound",
    "pounds": "pound", "a m": "am", "p m": "pm", "am": "am", "pm": "pm", "°": "degree", "degree": "degree",
    "degrees": "degree", "km": "kilometer", "kilometers": "kilometer", "kilometer": "kilometer", "kg": "kilogram",
    "kilograms": "kilogram", "kilogram": "kilogram",
}  # fmt: skip
_BEFORE_NUMBER = frozenset("$€£")
_JOINING = frozenset({"and", "a", "point", "oh", "o", "hundred", "per", "cent", "p", "m"})
NUMBER_WORDS = frozenset([*_VALUES, *SCALES, "hundred", *ORDINALS])
"Words that are a number, or part of one, by themselves."
_NUMBERISH = NUMBER_WORDS | _JOINING | _ORDINAL_ENDINGS | set(_UNITS)


def value_of(words: Sequence[str]) -> int | None:
    """The cardinal number below 10^12 that lower-case words spell, None when they do not spell exactly one.

    >>> value_of("two thousand one hundred and five".split()), value_of("twenty twenty".split())
    (2105, None)
    """
    if words and words[0] == "a" and len(words) > 1 and (words[1] == "hundred" or words[1] in SCALES):
        words = ["one", *words[1:]]
    total, rest, last_scale = 0, list(words), 10**12
    for scale, size in sorted(SCALES.items(), key=lambda item: -item[1]):
        if scale in rest:
            at = rest.index(scale)
            part = _below_thousand(rest[:at])
            if not part or size >= last_scale:
                return None
            total, rest, last_scale = total + part * size, rest[at + 1 :], size
            if not rest:
                return total
    if total and rest[0] == "and":
        rest = rest[1:]
    end = _below_thousand(rest)
    if end is None or (total and not end):
        return None
    return total + end


def _below_thousand(words: Sequence[str]) -> int | None:
    if "hundred" in words:
        at = list(words).index("hundred")
        hundreds, rest = below_hundred(words[:at]), list(words[at + 1 :])
        if not hundreds:
            return None
        if not rest:
            return hundreds * 100
        if rest[0] == "and":
            rest = rest[1:]
        end = below_hundred(rest)
        return hundreds * 100 + end if end and hundreds < 10 else None
    return below_hundred(words)


def below_hundred(words: Sequence[str]) -> int | None:
    if len(words) == 1:
        return _VALUES.get(words[0])
    if len(words) == 2:
        tens, ones = (_VALUES.get(word) for word in words)
        if tens is not None and tens >= 20 and ones is not None and 0 < ones < 10:
            return tens + ones
    return None


def words_of(number: int) -> str:
    """The number in words, for 0 to 9999, without `and`, with hyphens.

    Raises:
        ValueError: the number is out of this range.

    >>> words_of(2105), words_of(42)
    ('two thousand one hundred five', 'forty-two')
    """
    if not 0 <= number <= MOST_IN_WORDS:
        raise ValueError(f"cannot write {number} in words: only 0 to {MOST_IN_WORDS}")
    words = []
    if number >= 1000:
        words += [_ONES[number // 1000], "thousand"]
    if number % 1000 >= 100:
        words += [_ONES[number % 1000 // 100], "hundred"]
    rest = number % 100
    if rest >= 20:
        words.append(_TENS[rest // 10 - 2] + (f"-{_ONES[rest % 10]}" if rest % 10 else ""))
    elif rest or not words:
        words.append(_ONES[rest])
    return " ".join(words)


def is_numberish(key: str) -> bool:
    """Whether a word can be part of a number with its unit."""
    return key in _NUMBERISH or key[0].isdecimal()


@lru_cache(maxsize=100_000)
def readings(words: tuple[str, ...]) -> frozenset[str]:
    """Every way to read the words as one number with its unit; two texts with a reading in common say the same.

    Digits are read without `:` and `,`. Empty when the words are no number.

    >>> readings(("three", "thirty", "p", "m")) & readings(("3:30", "pm"))
    frozenset({'330 pm'})
    """
    if not words or not all(is_numberish(word) for word in words):
        return frozenset()
    left, unit = list(words), ""
    if left[0] in _BEFORE_NUMBER:
        unit, left = _UNITS[left[0]], left[1:]
    for length in (2, 1):
        ending = " ".join(left[-length:])
        if not unit and len(left) > length and ending in _UNITS:
            unit, left = _UNITS[ending], left[:-length]
            break
    found = _numerals(left)
    if unit in ("am", "pm"):
        # A full hour is said and written with and without its minutes.
        found |= {numeral[:-2] for numeral in found if len(numeral) > 2 and numeral.endswith("00")}
    return frozenset(f"{numeral} {unit}".strip() for numeral in found)


def _numerals(words: list[str]) -> set[str]:
    if not words:
        return set()
    ordinal = ""
    if words[-1] in ORDINALS:
        words, ordinal = [*words[:-1], ORDINALS[words[-1]]], "th"
    elif words[-1] in _ORDINAL_ENDINGS and len(words) == 2 and words[0].isdecimal():
        words, ordinal = words[:-1], "th"
    if "point" in words:
        at = words.index("point")
        whole, decimals = _numerals(words[:at]), [digit_of(word) for word in words[at + 1 :]]
        if not decimals or None in decimals:
            return set()
        return {f"{each}.{''.join(map(str, decimals))}{ordinal}" for each in whole}
    found = set()
    if len(words) == 1 and words[0][0].isdecimal():
        found.add(words[0].replace(":", ""))
    value = value_of(words)
    if value is not None:
        found.add(str(value))
    elif len(words) == 2 and words[1] in SCALES and words[0].isdecimal():
        found.add(str(int(words[0]) * SCALES[words[1]]))
    digits = [digit_of(word) for word in words]
    if len(words) > 1 and None not in digits:
        found.add("".join(map(str, digits)))
    found |= in_pairs(words)
    return {numeral + ordinal for numeral in found}


def digit_of(word: str) -> int | None:
    """The digit that one word says or is, None when it is none: `five`, `5`, `oh`."""
    if word in ("oh", "o"):
        return 0
    value = int(word) if word.isdecimal() and len(word) == 1 else _VALUES.get(word)
    return value if value is not None and value < 10 else None


def in_pairs(words: list[str]) -> set[str]:
    """The digits of a year or a time of day, as in nineteen eighty-four, twenty oh five, three thirty."""
    found = set()
    for at in range(1, len(words)):
        first, second = below_hundred(words[:at]), below_hundred(words[at:])
        if len(words) - at == 2 and words[at] in ("oh", "o"):
            second = digit_of(words[at + 1])
        elif second is not None and second < 10:
            continue
        if words[at:] == ["hundred"]:
            second = 0
        if first and second is not None and first < 100:
            found.add(f"{first}{second:02d}")
    return found
