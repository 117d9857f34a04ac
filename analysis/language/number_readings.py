"""What number an English text may be, said in words or written in digits, so that two texts can be compared.

A reading is a sign and digits. `=`: the value. `#`: digits one by one, or digits written in groups that make a long
number. The other signs are what digits that stand apart may be, and equal to words only, as a normalizer makes `4 5`
of 4.5, which is not 45: `~` digits one by one, `:` two numbers that make a year or a time of day, `+` tens and ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from analysis.language.numbers import (
    MOST_IN_WORDS,
    NUMBER_WORDS,
    ORDINALS,
    SCALES,
    digit_of,
    in_pairs,
    value_of,
    words_of,
)

MOST_WORDS = 10
"The longest run of words that is read as one number."

_SCALES = SCALES | {"trillion": 10**12}
_PLURALS = {
    "twenties": "twenty", "thirties": "thirty", "forties": "forty", "fifties": "fifty", "sixties": "sixty",
    "seventies": "seventy", "eighties": "eighty", "nineties": "ninety", "hundreds": "hundred", "thousands": "thousand",
}  # fmt: skip
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4}
for _word in ("fifth", "sixth", "eighth", "tenth"):
    _PARTS |= dict.fromkeys((_word, f"{_word}s"), value_of([ORDINALS[_word]]) or 0)
_SIGNS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
_REPEATED = {"double": 2, "triple": 3}
_ZEROS = frozenset(("oh", "o", "nought", "nil"))
_ROMAN = {
    "ii": 2, "iii": 3, "iv": 4, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "xii": 12, "xiii": 13, "xiv": 14, "xv": 15,
    "xvi": 16, "xvii": 17, "xviii": 18, "xix": 19, "xx": 20,
}  # fmt: skip
_WRITTEN = re.compile(r"([0-9]+(?:,[0-9]{3})*)?(?:\.([0-9]+))?(st|nd|rd|th|'?s)?")
_CLOCK = re.compile("([0-9]{1,2}):([0-9]{2})")
_LEAST_GROUPED = 4
_MOST_DIGITS = 18

BEGINS = NUMBER_WORDS | set(_SCALES) | set(_PLURALS) | set(_PARTS) | set(_REPEATED) | set(_ROMAN) | set(_SIGNS)
BEGINS |= _ZEROS | {"point"}
"Words that a number can begin with beside digits and `a`."
INSIDE = frozenset(("and", "a", "point"))
"Words that join the parts of a number."


@lru_cache(maxsize=200_000)
def number_readings(words: tuple[str, ...]) -> frozenset[str]:
    """Every way to read lower-case words or digits as one number; two texts with a reading in common are the same.

    Empty when they are no number. At most `MOST_WORDS` words are read.

    >>> number_readings(("four", "point", "five")) & number_readings(("4", "5"))
    frozenset({'=4.5'})
    >>> number_readings(("45",)) & number_readings(("4", "5"))
    frozenset()
    """
    if not words or len(words) > MOST_WORDS or words[-1] in INSIDE:
        return frozenset()
    found = set(_plain(words))
    last = words[-1]
    if last in ORDINALS:
        found |= _suffixed(_plain((*words[:-1], ORDINALS[last])), "th")
    if last in _PLURALS:
        found |= _suffixed(_plain((*words[:-1], _PLURALS[last])), "s")
    ending = _WRITTEN.fullmatch(last)
    if ending and ending[3] and (ending[1] or ending[2]):
        bare = last[: ending.start(3)]
        found |= _suffixed(_plain((*words[:-1], bare)), "th" if ending[3][-1] != "s" else "s")
    found |= _fraction(words)
    return frozenset(found)


def _suffixed(readings: set[str], suffix: str) -> set[str]:
    return {reading + suffix for reading in readings if reading[0] in "=+:"}


def _plain(words: tuple[str, ...]) -> set[str]:
    if all(word[0] in "0123456789." for word in words):
        return _written(words)
    if len(words) == 1 and words[0] in _ROMAN:
        return {f"={_ROMAN[words[0]]}"}
    found = _scaled(words) | _decimal(words)
    spelled = _spelled(words)
    value = value_of(spelled) if spelled else None
    if value is not None:
        found.add(f"={value}")
        if 20 < value < 100:
            found.add(f"+{value}")
    if spelled == list(words) or _SCALES.keys().isdisjoint(words):
        found |= {f"{sign}{pair}" for pair in in_pairs(spelled) for sign in "=:"}
    digits = _digits(words)
    if len(digits) > 1:
        found |= {f"#{digits}", f"~{digits}"}
    return found


def _written(words: Sequence[str]) -> set[str]:
    """The readings of digits: 1,000 and 3:30 may stand as they are or as a normalizer takes them apart."""
    found: set[str] = set()
    if len(words) == 1:
        word = words[0]
        clock = _CLOCK.fullmatch(word)
        if clock:
            return {f":{int(clock[1])}{clock[2]}", *_hour(clock[1], clock[2])}
        match = _WRITTEN.fullmatch(word)
        if not match or match[3] or len(word) > 2 * _MOST_DIGITS:
            return set()
        whole, decimals = (match[1] or "0").replace(",", ""), match[2]
        if decimals:
            return {f"={whole.lstrip('0') or '0'}.{decimals}"}
        if len(whole) > 1:
            found.add(f"#{whole}")
        if whole == "0" or whole[0] != "0":
            found.add(f"={whole}")
        return found
    if not all(word.isdecimal() for word in words) or sum(map(len, words)) > _MOST_DIGITS:
        return set()
    joined = "".join(words)
    long = len(joined) >= _LEAST_GROUPED
    found.add(f"#{joined}" if long else f"~{joined}")
    if all(len(word) == 1 for word in words):
        found.add(f"~{joined}")
    grouped = _grouped(words)
    if grouped:
        found.add(f"={grouped}")
    whole = words[0] if len(words) == 2 else _grouped(words[:-1])
    if whole and (whole == "0" or whole[0] != "0"):
        found.add(f"={whole}.{words[-1]}")
    if len(words) == 2:
        first, second = words
        if len(first) <= 2 and len(second) == 2 and int(first):
            found |= {f"{sign}{int(first)}{second}" for sign in (":=" if long else ":")}
            found |= _hour(first, second)
        if len(first) == 2 and len(second) == 1 and first[1] == "0" != first[0] and second != "0":
            found.add(f"+{int(first) + int(second)}")
        if 0 < int(first) < int(second) <= 10:
            found.add(f"={int(first)}/{second}")
    if len(words) == 3 and 0 < int(words[1]) < int(words[2]) <= 10:
        found.add(f"={words[0]}+{words[1]}/{words[2]}")
    return found


def _hour(hours: str, minutes: str) -> set[str]:
    return {f":{int(hours)}"} if minutes == "00" else set()


def _grouped(words: Sequence[str]) -> str:
    """The digits of 1 000 000, empty when these are no groups of thousands."""
    if len(words) > 1 and 1 <= len(words[0]) <= 3 and words[0][0] != "0" and all(len(word) == 3 for word in words[1:]):
        return "".join(words)
    return ""


def _spelled(words: Sequence[str]) -> list[str]:
    """The words with small digits spelled out, empty when a number among them is too large."""
    spelled: list[str] = []
    for word in words:
        if not word.isdecimal():
            spelled.append(word)
        elif (len(word) > 1 and word[0] == "0") or len(word) > 4 or int(word) > MOST_IN_WORDS:
            return []
        else:
            spelled += words_of(int(word)).replace("-", " ").split()
    return spelled


def _digits(words: Sequence[str]) -> str:
    digits, times = "", 1
    for word in words:
        if word in _REPEATED and times == 1:
            times = _REPEATED[word]
            continue
        digit = 0 if word in _ZEROS else digit_of(word)
        if digit is None:
            return ""
        digits, times = digits + str(digit) * times, 1
    return digits if times == 1 else ""


def _values(words: tuple[str, ...]) -> set[str]:
    """The numbers that the words are, with decimals, without signs."""
    return {reading[1:] for reading in number_readings(words) if re.fullmatch(r"=[0-9]+(?:\.[0-9]+)?", reading)}


def _scaled(words: tuple[str, ...]) -> set[str]:
    """Four point five million, 4.5 million, half a million, two and a half million."""
    if words[-1] not in _SCALES or len(words) < 2 or not _SCALES.keys().isdisjoint(words[:-1]):
        return set()
    if words[-2] == "a" and words[:-2] == ("half",):
        values = {"0.5"}
    elif words[-2] == "a":
        return set()
    else:
        values = _values(words[:-1])
    found = set()
    for value in values:
        whole, _, decimals = value.partition(".")
        size = len(str(_SCALES[words[-1]])) - 1
        if len(whole) + size <= _MOST_DIGITS and len(decimals) <= size:
            found.add(f"={int(whole + decimals.ljust(size, '0'))}")
    return found


def _decimal(words: tuple[str, ...]) -> set[str]:
    """Four point five, point five, two and a half."""
    if words[-3:] == ("and", "a", "half"):
        return {f"={value}.5" for value in _values(words[:-3]) if "." not in value}
    if "point" not in words:
        return set()
    at = words.index("point")
    behind = words[at + 1 :]
    if "point" in behind:
        return set()
    decimals = {_digits(behind)} if len(behind) > 1 else {_digits(behind), *filter(str.isdecimal, behind)}
    decimals |= {value for value in _values(behind) if len(value) == 2 and "." not in value}
    wholes = _values(words[:at]) if at else {"0"}
    if words[:at] and words[:at][0] in _ZEROS and at == 1:
        wholes = {"0"}
    return {f"={whole}.{each}" for whole in wholes for each in decimals if each and "." not in whole}


def _fraction(words: tuple[str, ...]) -> set[str]:
    """A half, three quarters, two and two thirds, 3/4 and ¾."""
    last = words[-1]
    if len(words) == 1:
        match = re.fullmatch("([0-9]{1,2})/([0-9]{1,2})", last)
        if match and 0 < int(match[1]) < int(match[2]):
            return {f"={int(match[1])}/{int(match[2])}"}
        if last in _SIGNS:
            return {f"={_SIGNS[last]}"}
        mixed = re.fullmatch(f"([0-9]+)([{''.join(_SIGNS)}])", last)
        if mixed and mixed[2] == "½":
            return {f"={mixed[1]}.5", f"={mixed[1]}+1/2"}
        return {f"={mixed[1]}+{_SIGNS[mixed[2]]}"} if mixed else set()
    if last not in _PARTS:
        return set()
    whole: set[str] = {""}
    if "and" in words:
        at = words.index("and")
        whole = {f"{value}+" for value in _values(words[:at])}
        words = words[at + 1 :]
    if len(words) != 2:
        return set()
    count = 1 if words[0] == "a" else digit_of(words[0])
    if not count or count >= _PARTS[last]:
        return set()
    return {f"={each}{count}/{_PARTS[last]}" for each in whole}
