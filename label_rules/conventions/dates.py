"""How dates are written: the day of the month, the month, the year."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.language.numbers import in_pairs
from label_rules.conventions.convention import Use, convention_check, each_replaced, in_case_of
from label_rules.rule import Example, Rule

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_SHORT = {name[:3].lower(): name for name in _MONTHS if name != "May"} | {"sept": "September"}
_LONG = {name.lower(): name for name in _MONTHS}
_MONTH = rf"(?P<month>{'|'.join([*_LONG, *sorted(_SHORT, key=len, reverse=True)])})\b\.?"
_UNITS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_TEENS = (
    "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth",
)  # fmt: skip
_WORDS = [*_UNITS, *_TEENS, "twentieth", *(f"twenty-{unit}" for unit in _UNITS), "thirtieth", "thirty-first"]
_DAY_OF_WORD = {word: day for day, word in enumerate(_WORDS, 1)}
_IN_WORDS = "|".join(re.escape(word).replace("\\-", "[- ]") for word in sorted(_WORDS, key=len, reverse=True))
_DAY = rf"(?P<day>(?:3[01]|[12]?[0-9])(?:st|nd|rd|th)?|{_IN_WORDS})(?![\w:]|[.,]\d| \d| ?%)"
_MONTH_FIRST = re.compile(rf"(?i)(?<!\w){_MONTH} (?:the )?{_DAY}(?! (?:percent|p\.?m|a\.?m|people|men|or|to|times)\b)")
_DAY_FIRST = re.compile(rf"(?i)(?<![\w.,:/$-]){_DAY} (?:of )?(?:the )?{_MONTH}(?!\w| (?:I|we|you|he|she|they|it|be)\b)")
_MENTIONED = re.compile(r"(?i)jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec")
_NUMERIC = re.compile(
    r"(?<![\w/.-])(?:(?P<year_first>[12]\d{3}-[01]?\d-[0-3]?\d)|(?P<slashes>[0-3]?\d/[0-3]?\d/(?:[12]\d)?\d\d)"
    r"|(?P<dots>[0-3]?\d\.[01]?\d\.(?:[12]\d)?\d\d))(?![\w/-]|\.\d)"
)
_DECADE = re.compile(r"(?<![\w$])(?:(?P<full>1[89]|20)\d0(?P<quote>['’])?s|(?P<short>['’]?[2-9]0s))(?!\w)")
_YEAR_WORDS = re.compile(
    r"(?i)\b(?:in|since|of|by|until|from|year)\s+(?P<words>(?:seventeen|eighteen|nineteen|twenty)"
    r"[- ](?:oh[- ])?(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|four|five|six"
    r"|seven|eight|nine))?|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
    r"|one|two|three|four|five|six|seven|eight|nine))(?![\w-])"
)
_YEAR_DIGITS = re.compile(r"(?i)\b(?:in|since|of|by|until|from|year)\s+(?P<digits>1[789]\d\d|20\d\d)(?![\w,.:%-]\w|\w)")
_DIGIT = re.compile(r"\d")
_A_DAY = re.compile(r"(?:3[01]|[12]?[0-9])(?:st|nd|rd|th)?")
_TRIGGER = re.compile(rf"{_MENTIONED.pattern}|(?:seven|eigh|nine)teen|twenty|\d\d")
# Small letters make a modal of it, or a walk: `you may first`, `they march second`.
_ALSO_VERBS = ("may", "march", "mar")


def _dates(text: str) -> Iterator[Use]:
    if _MENTIONED.search(text):
        for month_first, pattern in ((True, _MONTH_FIRST), (False, _DAY_FIRST)):
            for found in pattern.finditer(text):
                form = _form_of_day(found["day"])
                if found["month"] in _ALSO_VERBS and (form == "5" or (form == "in words" and month_first)):
                    continue
                if not 1 <= _day(found["day"]) <= 31:
                    continue
                yield Use("date.day", form, *found.span("day"))
                written = found["month"].lower()
                if written != "may":
                    end = found.end("month") + (written in _SHORT and text[found.end("month") :][:1] == ".")
                    short = "Jan." if end > found.end("month") else "Jan"
                    yield Use("date.month", "January" if written in _LONG else short, found.start("month"), end)
    if _DIGIT.search(text):
        for found in _NUMERIC.finditer(text):
            yield Use("date.numeric", _NUMERIC_NAMES[str(found.lastgroup)], *found.span())
        for found in _DECADE.finditer(text):
            if found["full"]:
                yield Use("date.decade", "1980's" if found["quote"] else "1980s", *found.span())
            else:
                # Nobody says nineteen in it, so that it is no other way to write the full decade.
                form = "80s" if found["short"][0].isdecimal() else "'80s"
                yield Use("date.short_decade", form, *found.span())
        for found in _YEAR_DIGITS.finditer(text):
            yield Use("date.year", "digits", *found.span("digits"))
    for found in _YEAR_WORDS.finditer(text) if "teen" in text or "wenty" in text else ():
        if _year_in_digits(found["words"]):
            yield Use("date.year", "in words", *found.span("words"))


_NUMERIC_NAMES = {"year_first": "2024-05-31", "slashes": "5/31/2024", "dots": "31.5.2024"}


def _form_of_day(day: str) -> str:
    if day.isdecimal():
        return "5"
    return "5th" if day[0].isdecimal() else "in words"


def _day(day: str) -> int:
    digits = re.match(r"\d+", day)
    return int(digits.group()) if digits else _DAY_OF_WORD[day.lower().replace(" ", "-")]


def _year_in_digits(words: str) -> str | None:
    """The digits of a year in words; None where the words are a plain number, as in `of twenty two people`."""
    return next(iter(in_pairs(re.findall(r"\w+", words.lower()))), None)


def _ending(day: int) -> str:
    return "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _as_wanted(written: str, form: str) -> str:
    """The day, month, decade or year in another form; numeric dates stay, since they do not tell day from month."""
    lower = written.lower()
    if form in ("5", "5th", "in words") and (_A_DAY.fullmatch(lower) or lower.replace(" ", "-") in _DAY_OF_WORD):
        day = _day(written)
        if form == "in words":
            return in_case_of(written, _WORDS[day - 1])
        return str(day) if form == "5" else f"{day}{_ending(day)}"
    if form in ("January", "Jan", "Jan."):
        name = _LONG.get(lower.rstrip(".")) or _SHORT[lower.rstrip(".")]
        if len(name) <= 4 and form != "January":
            return written
        return in_case_of(written.rstrip("."), name if form == "January" else name[:3] + form[3:])
    if form in ("1980s", "1980's") and written[:2] in ("18", "19", "20"):
        return f"{written[:4]}{form[4:]}"
    if form in ("80s", "'80s") and written[0] in "'’23456789" and not written.startswith("20"):
        return form[: len(form) - 3] + written[-3:]
    if form == "digits":
        return _year_in_digits(written) or written
    return written


DATE_RULES = (
    Rule(
        "convention.date",
        "One date written as `May 5`, `May 5th` and `May fifth` is three targets for one sound.",
        "style",
        convention_check(_dates, each_replaced(_as_wanted), trigger=_TRIGGER),
        fires=(
            Example(("on May 5th", "on June 2nd", "the 3rd of July", "on May 7", "on March third"), (3, 4)),
            Example(("on January 5", "on March 9", "in 9 April", "on Sept. 5"), (3,)),
            Example(("in 1984", "since 1999", "by 2012", "in nineteen eighty-four"), (3,)),
            Example(("the 1980s", "the 1990s", "the 1920s", "the 1960's"), (3,)),
        ),
        passes=(
            Example(("on May 5th", "on June 2nd", "the 3rd of July", "you may 5 times", "we may first go")),
            Example(("on May 5th", "on May 5")),
        ),
    ),
)
