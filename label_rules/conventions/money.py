"""How sums of money and percentages are written: with a sign, with a word, in digits or in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analysis.language.numbers import MOST_IN_WORDS, NUMBER_WORDS, SCALES, value_of, words_of
from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule

_SIGNS = {"$": "dollar", "€": "euro", "¥": "yen", "₹": "rupee"}
_PLURAL = {"dollar": "dollars", "euro": "euros", "yen": "yen", "rupee": "rupees", "cent": "cents", "percent": "percent"}
# A pound is a weight as well, so that only its sign tells; it is never rewritten.
_AMOUNT = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SCALE = r"(?: (?P<scale>thousand|million|billion|trillion))?"
_NUMBER_WORDS = rf"(?:{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})"
_IN_WORDS = rf"(?:a |an )?{_NUMBER_WORDS}(?:(?:[- ]| and ){_NUMBER_WORDS})*"
_NAMES = r"(?P<name>dollars?|euros?|yen|rupees?|cents?)\b"
_SIGNED = re.compile(rf"(?i)(?<![\w.,])(?P<sign>[$€¥₹])(?P<amount>{_AMOUNT})(?![\d%]|[.,]\d){_SCALE}(?![-\w])")
_BEHIND = re.compile(rf"(?<![\w.,$€¥₹])(?P<amount>{_AMOUNT}) ?(?P<sign>[$€¥₹¢])(?!\w)")
_NAMED = re.compile(rf"(?i)(?<![\w.,$€¥₹])(?P<amount>{_AMOUNT}){_SCALE} {_NAMES}")
_SPELLED = re.compile(rf"(?i)(?<![\w-])(?P<words>{_IN_WORDS}) {_NAMES}")
# Before a noun it is a `five dollar bill`, and only a few words are sure to be none.
_NO_NOUN = re.compile(
    r"(?i)\s*(?:$|[^\w\s]|(?:a|about|after|again|an|and|are|as|at|because|before|but|by|can|did|do|does|each|every|for"
    r"|from|he|how|i|if|in|into|is|it|less|more|no|not|now|of|off|on|or|per|please|she|so|than|that|the|then|there|they"
    r"|this|to|today|too|was|we|were|what|when|which|while|who|will|with|would|yes|you)(?!\w))"
)
# Numbers whose parts stand apart: `one or two dollars`, `zero point five percent`, `five dollars and ten cents`.
_BEGUN_BEFORE = re.compile(rf"(?i)(?:\d|\b(?:{_NUMBER_WORDS}|point|half))(?:\s+(?:or|to|and)|,)?[\s-]+$")
_FAR = 20
_GOES_ON = re.compile(rf"(?i)\s+(?:and\s+)?(?:a\s+half|\d|{_NUMBER_WORDS}(?!\w))|-")
_TRIGGER = re.compile(r"(?i)[$€¥₹¢]|dollar|euro|yen|rupee|cent")
_PERCENT = re.compile(
    rf"(?i)(?<![\w.,])(?:(?P<amount>{_AMOUNT})(?P<space> ?)(?P<sign>%|percent\b|per cent\b)"
    rf"|(?P<words>{_IN_WORDS}) (?P<name>percent\b|per cent\b|%))"
)
_SINGLE = ("1", "one", "a", "an")
SIGN, SIGN_BEHIND, DIGITS, WORDS = "$5", "5$", "5 dollars", "five dollars"


class _Sum(NamedTuple):
    """An amount as it is written, its scale word or empty text, and what it counts."""

    amount: str
    scale: str
    unit: str


def _money(text: str) -> Iterator[Use]:
    if not _TRIGGER.search(text):
        return
    for form, pattern in ((SIGN, _SIGNED), (SIGN_BEHIND, _BEHIND), (DIGITS, _NAMED), (WORDS, _SPELLED)):
        for found in pattern.finditer(text):
            cents = found.groupdict().get("sign") == "¢" or (found.groupdict().get("name") or "").lower()[:4] == "cent"
            if form == WORDS and value_of(_words(found["words"])) is None:
                continue
            if form in (DIGITS, WORDS) and _is_before_noun(
                found["name"], found["amount" if form == DIGITS else "words"]
            ):
                continue
            yield Use("money.cents" if cents else "money", _of_cents(form) if cents else form, *found.span())


def _is_before_noun(name: str, number: str) -> bool:
    """Whether a currency in the singular makes an adjective of it: `a 5 dollar bill`."""
    return name.lower() in _PLURAL and name.lower() not in ("yen", "percent") and number.lower() not in _SINGLE


def _of_cents(form: str) -> str:
    return {SIGN_BEHIND: "5¢", DIGITS: "5 cents", WORDS: "five cents"}[form]


def _words(written: str) -> list[str]:
    found = re.findall(r"\w+", written.lower())
    return ["one" if word in ("a", "an") else word for word in found]


def _parsed(written: str) -> _Sum | None:
    for pattern in (_SIGNED, _BEHIND, _NAMED):
        found = pattern.fullmatch(written)
        if found:
            groups = found.groupdict()
            name = (groups.get("name") or "").lower().removesuffix("s")
            sign = groups.get("sign") or ""
            unit = name or ("cent" if sign == "¢" else _SIGNS[sign])
            return _Sum(found["amount"], (groups.get("scale") or "").lower(), unit)
    found = _SPELLED.fullmatch(written)
    value = value_of(_words(found["words"])) if found else None
    if found is None or value is None:
        return None
    unit = found["name"].lower().removesuffix("s")
    for scale, size in sorted(SCALES.items(), key=lambda item: -item[1]):
        if scale != "thousand" and value >= size and value % size == 0:
            return _Sum(str(value // size), scale, unit)
    return _Sum(f"{value:,}" if value >= 10_000 else str(value), "", unit)


def _as_wanted(written: str, form: str) -> str:
    """The sum in another form; sums with decimals are read in several ways and go to no words."""
    if form in ("5¢", "5 cents", "five cents"):
        form = {"5¢": SIGN_BEHIND, "5 cents": DIGITS, "five cents": WORDS}[form]
    found = _parsed(written)
    if found is None:
        return written
    amount, scale, unit = found
    sign = "¢" if unit == "cent" else next(sign for sign, name in _SIGNS.items() if name == unit)
    tail = f" {scale}" if scale else ""
    if form == SIGN:
        return f"{sign}{amount}{tail}"
    if form == SIGN_BEHIND:
        return written if scale else f"{amount}{sign}"
    if "." in amount:
        return written
    value = int(amount.replace(",", ""))
    name = unit if value == 1 and not scale else _PLURAL[unit]
    if form == DIGITS:
        return f"{amount}{tail} {name}"
    return f"{words_of(value)}{tail} {name}" if value <= MOST_IN_WORDS else written


def _rewrite(text: str, uses: Sequence[tuple[Use, str]]) -> str | None:
    """The text with its sums in other forms, but for those that are a part of something longer."""
    whole = [
        (use, form)
        for use, form in uses
        if not _BEGUN_BEFORE.search(text[max(0, use.start - _FAR) : use.start])
        and not _GOES_ON.match(text, use.end)
        and (use.form not in (SIGN, SIGN_BEHIND, "5¢") or _NO_NOUN.match(text, use.end))
    ]
    return _each_sum(text, whole)


def _percents(text: str) -> Iterator[Use]:
    if "%" not in text and "cent" not in text.lower():
        return
    for found in _PERCENT.finditer(text):
        if found["amount"]:
            yield Use("percent.number", "digits", *found.span("amount"))
            if found["sign"] == "%":
                yield Use("percent.space", "5 %" if found["space"] else "5%", *found.span("space"))
        elif value_of(_words(found["words"])) is not None:
            yield Use("percent.number", "in words", *found.span("words"))
            yield Use("percent.behind_words", found["name"].lower(), *found.span("name"))


def _percent_as_wanted(written: str, form: str) -> str:
    if form in ("5 %", "5%"):
        return " " if form == "5 %" else ""
    if form in ("percent", "per cent", "%"):
        return form
    if form == "digits":
        value = value_of(_words(written))
        return written if value is None else str(value)
    digits = written.replace(",", "")
    return words_of(int(digits)) if digits.isdecimal() and int(digits) <= MOST_IN_WORDS else written


def _rewrite_percents(text: str, uses: Sequence[tuple[Use, str]]) -> str | None:
    """The text with its percentages in other forms, but for numbers that begin before: `zero point five percent`."""
    whole = [
        (use, form)
        for use, form in uses
        if use.convention != "percent.number" or not _BEGUN_BEFORE.search(text[max(0, use.start - _FAR) : use.start])
    ]
    return _each_percent(text, whole)


_each_sum, _each_percent = each_replaced(_as_wanted), each_replaced(_percent_as_wanted)

MONEY_RULES = (
    Rule(
        "convention.money",
        "One sum of money with a sign, with a word and in words is as many targets for one sound.",
        "style",
        convention_check(_money, _rewrite, trigger=_TRIGGER),
        fires=(
            Example(("it is $5", "it was $1,200", "for $3 million", "for five dollars", "for 7 dollars"), (3, 4)),
            Example(("five cents", "ten cents", "two cents", "50 cents"), (3,)),
        ),
        passes=(
            Example(("it is $5", "it was $1,200", "for $3 million", "five pounds of cents", "dollars")),
            Example(("$5", "five dollars")),
        ),
    ),
    Rule(
        "convention.percent_number",
        "One percentage in digits and in words, with a space and without, is as many targets for one sound.",
        "style",
        convention_check(_percents, _rewrite_percents, trigger=re.compile("(?i)%|cent")),
        fires=(
            Example(("20 percent", "30 percent", "40 percent", "five percent"), (3,)),
            Example(("20%", "30%", "40%", "50 %"), (3,)),
        ),
        passes=(Example(("20 percent", "30 percent", "40 percent", "five cents")), Example(("5%", "5 %"))),
    ),
)
