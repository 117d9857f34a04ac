"""What number with its counter a Korean text may be, so that digits, words and spacing can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from analysis.language.korean_numbers import COUNTERS, native_value, sino_value

MOST_WORDS = 8
"The longest run of words that is read as one number."

_NATIVE = "하나|한|둘|두|셋|세|석|서|넷|네|넉|너|다섯|여섯|일곱|여덟|아홉|열|스물|스무|서른|마흔|쉰|예순|일흔|여든|아흔"
_LARGE_TENS = {"예순": 60, "일흔": 70, "여든": 80, "아흔": 90}
_SYLLABLES = "영공일이삼사오육륙칠팔구십백천만억조점"
_UNITS = {
    "%": "퍼센트", "프로": "퍼센트", "km": "킬로미터", "kg": "킬로그램", "cm": "센티미터", "센티": "센티미터",
    "센치": "센티미터", "mm": "밀리미터", "m": "미터", "g": "그램", "$": "달러", "불": "달러",
}  # fmt: skip
_MORE_COUNTERS = (
    "달러", "유로", "엔", "평", "배", "곳", "가지", "분기", "학년", "세기", "건", "포인트", "채", "켤레", "벌",
    "그루", "송이", "시즌", "위", "등", "점", "승", "패", "골", "주년", "주일", "달", "사람", "분", "그램",
    "센티미터", "밀리미터", "리터", "년대", "대", "학기", "세대", "단계", "차례", "군데", "마디", "통", "판", "편",
    "곡", "쪽", "페이지", "박", "끼",
)  # fmt: skip
_ALL_COUNTERS = sorted({*COUNTERS, *_MORE_COUNTERS, *_UNITS}, key=lambda counter: (-len(counter), counter))
_COUNTER_TEXT = "|".join(map(re.escape, _ALL_COUNTERS))
_COUNTER = re.compile(_COUNTER_TEXT)
_NUMBER_TEXT = rf"(?:[0-9]|(?<=[0-9])[,.]|[{_SYLLABLES}]|{_NATIVE})+"
_NUMBER = re.compile(_NUMBER_TEXT)
_INSIDE = re.compile(rf"(?:{_NUMBER_TEXT})?(?:{_COUNTER_TEXT})?")
_PARTICLE = re.compile("(?:은|는|이|가|을|를|의|에|도|로|으로|과|와|까지|부터|쯤|정도|보다|만)(?:은|는|도|의)?")
_PLACES = {"천": 1000, "백": 100, "십": 10}
_DIGITS = {syllable: digit for digit, syllable in enumerate("영일이삼사오육칠팔구")} | {"공": 0, "륙": 6}
# Each is far more often another word: 이 this, 일 work, 네 yes, 만 only, 열 fever, 조 group.
_ALONE = frozenset(("하나", "둘", "셋", "넷", "삼", "육", "칠", "팔", "십"))
# What is another word far more often than a numeral and a counter of a syllable each; 이 also when it stands apart.
_OTHER = """
    이번 이분 이장 이도 이주 이대 이호 이등 이판 이편 이점 이달 이불 이곳 이사 이시 이쪽 이채 이건 이배 사회 사장 사도
    사주 사대 사병 사원 사명 사시 사건 사위 사분 사배 사채 사통 오도 오장 오호 오대 오엔 오판 오점 구도 구호 구개 구병
    구주 구시 구장 구분 구불 구판 구월 일도 일장 일대 일호 일분 일등 일판 일점 일원 일불 세대 세주 세도 세판 세달 세통
    한도 한대 한불 한판 한편 한분 두통 두대 네달 천도 천대 천주 천장 천세 천등 백도 백병 백분 백불 공원 공장 공명 공대
    공개 공주 공회 공병 공시 공도 공분 공통 공판 공평 공배 영도 영주 영호 영장 영세 영원 영시 영점 육회 육개 육주 팔도
    만세 만회 만도 만주 만장 만점 만년 만개 만병 조원 조회 조장 조명 조개 조건 조도 조주 조시 조판 조편 열대 열도 열병
    열등 점도 점장 점층 점수 점차 억대 너도 서도 서로 서점 서장 서명 서시 서대 서채 서곡 서판 서편 석판 석차 석탄
"""
_OTHER_WORDS = frozenset(_OTHER.split())
# Numbers in form, and words in fact.
_OTHER_ALONE = frozenset(
    ("한두", "이만", "사천", "오만", "구천", "일일", "이이", "사이", "오이", "구구", "영구", "공구")
)
_GROUPED = re.compile("(?<![0-9,])[0-9](?:,[0-9]{3})(?![0-9,])")
_LEAST_GROUPED = 4
_MOST_LENGTH = 40
_MOST_PARTS = 4


def begins_number(word: str) -> bool:
    """Whether a Korean number can begin with this word."""
    return _NUMBER.match(word) is not None


def continues_number(word: str) -> bool:
    """Whether a Korean number can go on behind this word: it holds nothing but a number, a counter or both."""
    return len(word) <= _MOST_LENGTH and _INSIDE.fullmatch(word) is not None


@lru_cache(maxsize=200_000)
def korean_readings(words: tuple[str, ...]) -> frozenset[str]:
    """Every way to read words as Korean numbers with their counters and ending; spacing between words is no matter.

    Digits that stand apart are no longer number: `3 5` is 3.5, as a normalizer leaves it, and `1 000` is 1000.

    >>> korean_readings(("칠십", "퍼센트")) == korean_readings(("70퍼센트",)) == korean_readings(("칠십퍼센트",))
    True
    >>> korean_readings(("3", "5퍼센트")) & korean_readings(("삼", "점", "오", "퍼센트"))
    frozenset({'3.5퍼센트'})
    """
    if sum(map(len, words)) > _MOST_LENGTH:
        return frozenset()
    found = {f"#{digits}" for digits in _one_by_one(words)}
    for text in _joined(words):
        found |= set(_read(text, _MOST_PARTS))
    text = "".join(words)
    if (len(words) == 1 or words[0] == "이") and text[:2] in _OTHER_WORDS:
        as_number = re.compile(f"{_value(text[0])}(?![0-9.])")
        found = {reading for reading in found if not as_number.match(reading)}
    return frozenset(found)


def _joined(words: tuple[str, ...]) -> Iterator[str]:
    """The words as one text, with a mark where digits meet."""
    meets = [
        number for number in range(1, len(words)) if words[number - 1][-1].isdecimal() and words[number][0].isdecimal()
    ]
    if not meets:
        yield "".join(words)
        return
    for mark in "," if len(meets) > 1 else ",.":
        yield "".join(f"{mark if number in meets else ''}{word}" for number, word in enumerate(words))


def _one_by_one(words: tuple[str, ...]) -> Iterator[str]:
    """The digits of a number that is said digit by digit, or written in groups as telephone numbers are."""
    text = "".join(words)
    if not all(character in _DIGITS or character in "0123456789" for character in text) or len(text) < 2:
        return
    written = [word for word in words if word.isdecimal()]
    if len(words) == 1 or not written or len(text) >= _LEAST_GROUPED or all(len(word) == 1 for word in words):
        yield "".join(str(_DIGITS.get(character, character)) for character in text)


def _read(text: str, parts: int) -> Iterator[str]:
    whole = _value(text)
    if whole is not None and (text[0].isdecimal() or len(text) > 1 or text in _ALONE) and text not in _OTHER_ALONE:
        yield whole
    number = _NUMBER.match(text)
    if not number:
        return
    for end in range(1, min(number.end(), len(text) - 1) + 1):
        value = _value(text[:end])
        if value is None:
            continue
        for counter in _counters(text, end):
            rest = text[end + len(counter) :]
            unit = _UNITS.get(counter, counter)
            yield f"{value}{unit}{rest}"
            if parts > 1 and rest and begins_number(rest):
                yield from (f"{value}{unit}{reading}" for reading in _read(rest, parts - 1))
        if (end > 1 or text[0].isdecimal()) and _PARTICLE.fullmatch(text, end):
            yield f"{value}{text[end:]}"


def _counters(text: str, start: int) -> Iterator[str]:
    match = _COUNTER.match(text, start)
    while match:
        yield match.group()
        # A shorter counter can be meant: 일 in 일일, 분 in 분기.
        match = _COUNTER.match(text, start, match.end() - 1) if match.end() - start > 1 else None


def _value(text: str) -> str | None:
    """The number in digits, with decimals where there are some."""
    whole, point, decimals = text.partition("점" if "점" in text else ".")
    if point:
        first = _whole(whole)
        digits = "".join(str(_DIGITS.get(character, character)) for character in decimals)
        return f"{first}.{digits}" if first is not None and re.fullmatch("[0-9]+", digits) else None
    value = _whole(text)
    return None if value is None else str(value)


@lru_cache(maxsize=100_000)
def _whole(text: str) -> int | None:
    if re.fullmatch("[0-9]{1,18}", text):
        return int(text) if text == "0" or text[0] != "0" else None
    if re.fullmatch("[0-9]{1,3}(,[0-9]{3})+", text) and len(text) < 25:
        return int(text.replace(",", ""))
    value = sino_value(text)
    if value is None:
        value = native_value(text)
    if value is None and text[:2] in _LARGE_TENS:
        rest = native_value(text[2:]) if len(text) > 2 else 0
        value = None if rest is None or rest > 9 else _LARGE_TENS[text[:2]] + rest
    return _with_myriads(_GROUPED.sub(lambda match: match[0].replace(",", ""), text)) if value is None else value


def _with_myriads(text: str) -> int | None:
    """3만 5천, 1억 2천만, 만오천."""
    total, rest = 0, text
    for sign, size in (("조", 10**12), ("억", 10**8), ("만", 10**4)):
        if sign not in rest:
            continue
        before, rest = rest.split(sign, 1)
        part = _below_ten_thousand(before) if before else 1
        if not part:
            return None
        total += part * size
    end = _below_ten_thousand(rest) if rest else 0
    return None if end is None or not text else total + end


def _below_ten_thousand(text: str) -> int | None:
    total, digit, last = 0, None, 10_000
    for token in re.findall("[0-9]+|.", text, re.DOTALL):
        if token in _PLACES:
            place = _PLACES[token]
            if place >= last or (digit is not None and digit > 9):
                return None
            total, digit, last = total + (1 if digit is None else digit) * place, None, place
            continue
        value = int(token) if token.isdecimal() and len(token) <= 4 else _DIGITS.get(token)
        if value is None or digit is not None:
            return None
        digit = value
    if digit is not None and digit >= last:
        return None
    return total + (digit or 0)
