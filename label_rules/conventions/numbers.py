"""Numbers as digits or as words, and how a percentage is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from analysis.language.korean_numbers import UNMISTAKABLE, sino_value
from analysis.language.numbers import MOST_IN_WORDS, NUMBER_WORDS, ORDINALS, value_of, words_of
from label_rules.conventions.convention import Use, convention_check, each_replaced, in_case_of, replaced
from label_rules.conventions.outside_duals import outside_duals
from label_rules.rule import Example, Rule
from label_rules.tokens import Token, tokens, with_token

_DIGITS = re.compile(r"(?<![\w.,:/$€£₩+-])(?:\d{1,3}(?:,\d{3})+|\d+)(?![\w%:/+°-]|[.,]\d)")
_ENGLISH_WORD = re.compile(f"(?i)\\b(?:{'|'.join(sorted(NUMBER_WORDS))})\\b")
_HANGUL = re.compile("[가-힣]")
_KOREAN_DIGITS = re.compile(r"\d+")
# What follows makes a number of the syllables, or something else: 오십시오 is "please come".
_BEHIND_KOREAN = re.compile("[^가-힣]|$|시(?!오)|분|초|년|월|개|명|번|살|원|층|도|퍼센트|킬로|미터|잔|장|권|대|호|세")
_PERCENT = re.compile(r"(?i)(?<=\d)( ?)(%|percent\b|per cent\b|퍼센트|프로(?![가-힣]))")
_PERCENT_SIGN = re.compile("(?i)%|cent|퍼센트|프로")
_SMALL, _LARGE, _KOREAN = "number.below_10", "number.from_10", "number.korean"
# Below, the word is also a pronoun.
_LEAST_WORD = 2
_CARDINALS = NUMBER_WORDS - ORDINALS.keys() - {"zero", "one"}
_HAS_CARDINAL = with_token(lambda token: token.key in _CARDINALS)
_DIGIT_OR_KOREAN = re.compile(r"[\d십백천]")
_YEARS = range(1100, 2100)


def _numbers(text: str) -> Iterator[Use]:
    if _HANGUL.search(text):
        yield from outside_duals(text, _korean_numbers(text))
        return
    for found in _DIGITS.finditer(text):
        value = int(found.group().replace(",", ""))
        yield Use(_LARGE if value >= 10 else _SMALL, "digits", found.start(), found.end())
    if _ENGLISH_WORD.search(text):
        for run in _runs(tokens(text)):
            value_in_words = value_of([token.key for token in run])
            if value_in_words is not None and value_in_words >= _LEAST_WORD:
                name = _LARGE if value_in_words >= 10 else _SMALL
                yield Use(name, "words", run[0].start, run[-1].end)


def _may_hold_number(word: str) -> bool:
    return bool(_DIGIT_OR_KOREAN.search(word)) or _HAS_CARDINAL(word)


def _runs(found: Sequence[Token]) -> Iterator[list[Token]]:
    """The longest runs of number words, joined by spaces, hyphens or `and`."""
    run: list[Token] = []
    joining: list[Token] = []
    for token in found:
        if token.key in NUMBER_WORDS:
            run += [*joining, token]
            joining = []
        elif run and token.text == "-":
            continue
        elif run and token.key == "and" and not joining and run[-1].key in ("hundred", "thousand"):
            joining = [token]
        elif run:
            yield run
            run, joining = [], []
    if run:
        yield run


def _korean_numbers(text: str) -> Iterator[Use]:
    for found in _KOREAN_DIGITS.finditer(text):
        yield Use(_KOREAN, "digits", found.start(), found.end())
    for found in UNMISTAKABLE.finditer(text):
        if sino_value(found.group()) is not None and _BEHIND_KOREAN.match(text, found.end()):
            yield Use(_KOREAN, "words", found.start(), found.end())


def _rewrite(text: str, uses: Sequence[tuple[Use, str]]) -> str | None:
    changes = []
    for use, form in uses:
        written = text[use.start : use.end]
        new = _in_digits(use, written) if form == "digits" else _in_words(use, written)
        if new is not None:
            changes.append((use.start, use.end, new))
    return replaced(text, changes) if changes else None


def _in_digits(use: Use, written: str) -> str | None:
    value = sino_value(written) if use.convention == _KOREAN else value_of(re.findall(r"\w+", written.lower()))
    return None if value is None else str(value)


def _in_words(use: Use, written: str) -> str | None:
    """The digits in words, None where they can be said in several ways: years, long numbers, Korean counts."""
    digits = written.replace(",", "")
    unsure = int(digits) in _YEARS and "," not in written
    if use.convention == _KOREAN or unsure or int(digits) > MOST_IN_WORDS or (len(digits) > 1 and digits[0] == "0"):
        return None
    return in_case_of(written, words_of(int(digits)))


def _percents(text: str) -> Iterator[Use]:
    uses = (Use("percent", found.group(2).lower(), *found.span()) for found in _PERCENT.finditer(text))
    yield from outside_duals(text, uses)


def _percent(_: str, form: str) -> str:
    return f" {form}" if form[0].isascii() and form != "%" else form


NUMBER_RULES = (
    Rule(
        "convention.number",
        "The same number as digits and as words is two targets for one sound.",
        "style",
        convention_check(_numbers, _rewrite, trigger=_may_hold_number),
        fires=(
            Example(("twenty men", "thirty men", "forty-two men", "50 men"), (3,)),
            Example(("20 men", "30 men", "42 men", "one hundred and five men"), (3,)),
            Example(("20분 뒤", "30분 뒤", "42분 뒤", "오십분 뒤"), (3,)),
        ),
        passes=(
            Example(("twenty men", "thirty men", "forty men", "one of 3pm, 20%, 1.5 and $20")),
            Example(("two men", "three men", "four men", "20 men")),
            Example(("20분 뒤", "30분 뒤", "42분 뒤", "어서 오십시오")),
        ),
    ),
    Rule(
        "convention.percent",
        "A percentage with a sign and with a word is two targets for one sound.",
        "style",
        convention_check(_percents, each_replaced(_percent), trigger=_PERCENT_SIGN),
        fires=(Example(("20 percent", "30 percent", "40 percent", "50%"), (3,)),),
        passes=(Example(("20 percent", "30 percent", "40 percent", "5 cents")), Example(("20%", "20 percent"))),
    ),
)
