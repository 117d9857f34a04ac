"""Korean numbers: words to digits and back, and the ways in which a number with its counter can be read."""

from __future__ import annotations

import re
from functools import lru_cache

_DIGITS = {"일": 1, "이": 2, "삼": 3, "사": 4, "오": 5, "육": 6, "칠": 7, "팔": 8, "구": 9}
_ZEROS = ("영", "공")
_PLACES = {"천": 1000, "백": 100, "십": 10}
_NATIVE_TENS = {"열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40, "쉰": 50}
_NATIVE_ONES = {
    "하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "넷": 4, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7,
    "여덟": 8, "아홉": 9,
}  # fmt: skip
COUNTERS = (
    "시간", "시", "분", "초", "년", "월", "일", "개월", "개", "명", "번째", "번", "살", "원", "층", "도",
    "퍼센트", "프로", "%", "킬로미터", "킬로그램", "킬로", "미터", "잔", "마리", "장", "권", "대", "병", "호",
    "세", "인분", "주", "회",
)  # fmt: skip
"Words that stand behind a number and say what is counted."
_PERCENT = frozenset({"퍼센트", "프로", "%"})
_SINO = re.compile("[일이삼사오육칠팔구십백천]+만?[일이삼사오육칠팔구십백천]*")
_NATIVE = re.compile(f"(?:{'|'.join(_NATIVE_TENS)})?(?:{'|'.join(_NATIVE_ONES)})?")
_COUNTER = re.compile("|".join(sorted(map(re.escape, COUNTERS), key=len, reverse=True)))
# A lone 이 or 일 is far more often "this" or "work"; a place word makes a number of it.
UNMISTAKABLE = re.compile("(?<![가-힣])(?=[일이삼사오육칠팔구십백천]*[십백천])[일이삼사오육칠팔구십백천]{2,}")


def sino_value(text: str) -> int | None:
    """The number below 10^8 that Sino-Korean syllables spell, None when they do not spell one.

    >>> sino_value("삼십오"), sino_value("이천이십육"), sino_value("십십")
    (35, 2026, None)
    """
    if text in _ZEROS:
        return 0
    if not _SINO.fullmatch(text):
        return None
    if "만" in text:
        high, low = text.split("만")
        high_value, low_value = _below_ten_thousand(high), _below_ten_thousand(low) if low else 0
        return None if high_value is None or low_value is None else high_value * 10_000 + low_value
    return _below_ten_thousand(text)


def _below_ten_thousand(text: str) -> int | None:
    total, digit, last = 0, None, 10_000
    for syllable in text:
        if syllable in _DIGITS:
            if digit is not None:
                return None
            digit = _DIGITS[syllable]
            continue
        place = _PLACES[syllable]
        if place >= last:
            return None
        total, digit, last = total + (digit or 1) * place, None, place
    return total + (digit or 0)


def sino_words(number: int) -> str:
    """The number in Sino-Korean, for 0 to 9999.

    Raises:
        ValueError: the number is out of this range.

    >>> sino_words(2026), sino_words(110)
    ('이천이십육', '백십')
    """
    if not 0 <= number <= 9999:
        raise ValueError(f"cannot write {number} in words: only 0 to 9999")
    if number == 0:
        return "영"
    names = {value: name for name, value in _DIGITS.items()}
    text = ""
    for syllable, place in _PLACES.items():
        digit = number // place % 10
        if digit:
            text += ("" if digit == 1 else names[digit]) + syllable
    return text + names.get(number % 10, "")


def native_value(text: str) -> int | None:
    """The number below 60 that native Korean words spell, None when they do not spell one.

    >>> native_value("스물다섯"), native_value("세"), native_value("시")
    (25, 3, None)
    """
    if not text or not _NATIVE.fullmatch(text):
        return None
    for word, tens in _NATIVE_TENS.items():
        if text.startswith(word):
            rest = text[len(word) :]
            return tens + (_NATIVE_ONES[rest] if rest else 0)
    return _NATIVE_ONES[text]


@lru_cache(maxsize=100_000)
def readings(words: tuple[str, ...]) -> frozenset[str]:
    """Every way to read the words as one Korean number with its counter and ending; spacing does not matter.

    >>> readings(("세", "시에")) & readings(("3", "시에"))
    frozenset({'3시에'})
    """
    text = "".join(words)
    if not any("가" <= character <= "힣" or character == "%" for character in text):
        return frozenset([text]) if text.isdecimal() else frozenset()
    found = set()
    for end in range(1, len(text)):
        counter = _COUNTER.match(text, end)
        value = _value(text[:end]) if counter else None
        if counter and value is not None:
            unit = "퍼센트" if counter.group() in _PERCENT else counter.group()
            found.add(f"{value}{unit}{text[counter.end() :]}")
    whole = _value(text)
    if whole is not None:
        found.add(str(whole))
    return frozenset(found)


def _value(text: str) -> int | None:
    if text.isdecimal():
        return int(text)
    mixed = re.fullmatch(r"(\d{1,4})([천만])", text)
    if mixed:
        return int(mixed[1]) * {"천": 1000, "만": 10_000}[mixed[2]]
    value = sino_value(text)
    return native_value(text) if value is None else value
