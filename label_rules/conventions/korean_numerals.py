"""Korean numerals with their counters: `3시`, `세 시`, `세시`, `3 시`; and native against Sino-Korean numerals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from analysis.language.korean_numbers import native_value, sino_value, sino_words
from label_rules.conventions.convention import Use, convention_check, replaced
from label_rules.conventions.outside_duals import outside_duals
from label_rules.rule import Example, Rule

# Counters behind native numerals, and those behind Sino-Korean ones; 분 is minutes or persons, so it is neither.
_NATIVE_COUNTERS = "시간|시|개|명|살|번째|번|마리|잔|병|권|장|사람|달|가지|벌|켤레|그루|송이|채|척"
_SINO_COUNTERS = "초|년|월|개월|원|층|도|퍼센트|킬로미터|킬로그램|킬로|미터|인분|주일|주|회|세|호선|호|학년|분기|차"
_TENS = ("", "열", "스물", "서른", "마흔", "쉰")
_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE = "(?:열|스물|스무|서른|마흔|쉰)(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉)?|한|두|세|네|다섯|여섯|일곱|여덟|아홉"
_SINO = "[일이삼사오육칠팔구]?십[일이삼사오육칠팔구]?|[일이삼사오육칠팔구]"
_LONG_SINO = "[일이삼사오육칠팔구십백천만]*[십백천만][일이삼사오육칠팔구십백천만]*|[일이삼사오육칠팔구]"
_PARTICLES = (
    "에|은|는|이|가|을|를|의|도|만|까지|부터|쯤|정도|반|동안|이나|씩|째|으로|로|짜리|입니다|이에요|예요|이야|야|요"
)
_END = rf"(?![가-힣])|(?=(?:{_PARTICLES})(?![가-힣]{{3}}))"
_WITH_NATIVE = re.compile(
    rf"(?<![\w.,:])(?:(?P<digits>[1-9]\d?)|(?P<native>{_NATIVE})|(?P<sino>{_SINO}))(?P<space> ?)"
    rf"(?P<counter>{_NATIVE_COUNTERS})(?:{_END})"
)
_WITH_SINO = re.compile(
    rf"(?<![\w.,:])(?:(?P<digits>[1-9]\d{{0,3}})|(?P<words>{_LONG_SINO}))(?P<space> ?)"
    rf"(?P<counter>{_SINO_COUNTERS})(?:{_END})"
)
_TRIGGER = re.compile(f"{_NATIVE_COUNTERS}|{_SINO_COUNTERS}")
# One syllable of number and one of counter are a word far more often: 이번 this time, 사회 society.
_OTHERS = """
    한번 일개 일명 오명 사명 사장 구장 오장 일번 사채 사권 사병 일병 오병 구병 사시 구시 사달 오살
    일세 사주 일주 오도 사도 구도 오호 사호 구호 일차 사차 오차 사회 일회 일도 일원 사원 구원 오원
    사초 구초 오초 한명 한도 한때 한시 한장 한채 한벌 한병 두통 네가지 한가지 구층 십장 십도 만원
    만도 천도 백도 천명 천장 만장 만세 천세 만년 천년 백년 백세 천만 만초 십원 만회 만호 만주 천주
    백주 한살 세개 한잔 한마리 세살 세병 한권
"""
_OTHER_WORDS = frozenset(_OTHERS.split())
# Six and ten lose their last consonant before the word for month.
_MONTHS = {6: "유", 10: "시"}
# `3번` is three times (세 번) or number three (삼 번). Beyond 19 both are usual before most counters,
# and so is the hour of a clock with 24.
_READ_BOTH_WAYS = ("번", "장", "권", "채")
_MOST_NATIVE = 19
_OTHER_NATIVE = frozenset(("한번", "한시", "한때", "한도", "한가지"))


def _numerals(text: str) -> Iterator[Use]:
    for found in _WITH_NATIVE.finditer(text):
        if found["sino"] and _is_other_word(found):
            continue
        if found["native"] and found.group() in _OTHER_NATIVE:
            continue
        name, form = next((group, form) for group, form in _NATIVE_FORMS if found[group])
        yield Use("korean_numeral.native", form, *found.span(name))
        yield from _space(found, "digits" if found["digits"] else "words")
    for found in _WITH_SINO.finditer(text):
        if found["words"] and (_is_other_word(found) or sino_value(found["words"]) is None):
            continue
        form, name = ("3", "digits") if found["digits"] else ("삼", "words")
        yield Use("korean_numeral.sino", form, *found.span(name))
        yield from _space(found, name)


_NATIVE_FORMS = (("digits", "3"), ("native", "세"), ("sino", "삼"))


def _outside(text: str) -> Iterator[Use]:
    yield from outside_duals(text, _numerals(text))


def _is_other_word(found: re.Match[str]) -> bool:
    """Whether it is another word; 이 with a counter of a syllable is "this" far more often than two."""
    written = found.group()
    return (not found["space"] and written in _OTHER_WORDS) or (len(written) <= 3 and written[0] == "이")


def _space(found: re.Match[str], kind: str) -> Iterator[Use]:
    together, apart = ("3시", "3 시") if kind == "digits" else ("세시", "세 시")
    yield Use(f"korean_numeral.space_{kind}", apart if found["space"] else together, *found.span("space"))


def _as_wanted(written: str, form: str, behind: str = "") -> str:
    """The numeral in another form, as it is read before `behind`; as written where that is read in several ways."""
    if form in ("3시", "세시"):
        return ""
    if form in ("3 시", "세 시"):
        return " "
    value = int(written) if written.isdecimal() else native_value(written)
    value = sino_value(written) if value is None else value
    if value is None:
        return written
    if form == "3":
        return str(value)
    if not written.isdecimal() and (form == "세") != (native_value(written) is not None):
        # Both are words, of different sounds.
        return written
    if form == "삼":
        if value in _MONTHS and behind.startswith("월"):
            return _MONTHS[value]
        return sino_words(value) if value <= 9999 else written
    if written.isdecimal():
        if behind.startswith(_READ_BOTH_WAYS) and not behind.startswith(("번째", "장째")):
            return written
        most = 59 if behind.startswith("살") else 12 if behind.startswith("시") else _MOST_NATIVE
        if value > most:
            return written
    if not 0 < value < 60:
        return written
    return "스무" if value == 20 else f"{_TENS[value // 10]}{_ONES[value % 10]}"


def _rewrite(text: str, uses: Sequence[tuple[Use, str]]) -> str:
    """The text with the numerals in other forms; the space before a native numeral's counter goes with the form."""
    changes: list[tuple[int, int, str]] = []
    spaced: set[int] = set()
    for use, form in sorted(uses, key=lambda pair: pair[0].start):
        if use.start in spaced:
            continue
        written = text[use.start : use.end]
        new, end = _as_wanted(written, form, text[use.end :].lstrip(" ")[:2]), use.end
        if use.convention == "korean_numeral.native" and written.isdecimal() != new.isdecimal():
            spaced.add(end)
            end += text[end : end + 1] == " "
            new += "" if new.isdecimal() else " "
        changes.append((use.start, end, new))
    return replaced(text, changes)


KOREAN_NUMERAL_RULES = (
    Rule(
        "convention.korean_numeral",
        "One count as `3시`, `세 시` and `세시` is as many targets for one sound.",
        "style",
        convention_check(_outside, _rewrite, trigger=_TRIGGER),
        fires=(
            Example(("세 시에 봐", "다섯 시에 봐", "두 명이 왔어", "3시에 봐"), (3,)),
            Example(("세 시에 봐", "다섯 시에 봐", "두 명이 왔어", "네시에 봐"), (3,)),
            Example(("3월에 봐", "12층에 있어", "2024년에", "삼월에 봐"), (3,)),
        ),
        passes=(
            Example(("세 시에 봐", "다섯 시에 봐", "두 명이 왔어", "이번에는 사장이 한번 왔어", "시장에서")),
            Example(("세 시에 봐", "3시에 봐")),
        ),
    ),
)
