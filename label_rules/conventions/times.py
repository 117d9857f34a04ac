"""How times of day are written: `3 pm`, `3pm`, `3 p.m.`, `3:00 pm`, `three pm`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.language.numbers import below_hundred, words_of
from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule

_HOUR_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_MINUTE_WORDS = (
    r"oh[- ](?:one|two|three|four|five|six|seven|eight|nine)|(?:twenty|thirty|forty|fifty)"
    r"(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen|nineteen"
)
_HOURS = rf"(?P<digits>(?:1[0-2]|0?[1-9])(?:[:.][0-5]\d)?)|(?P<words>(?:{_HOUR_WORDS})(?:[- ](?:{_MINUTE_WORDS}))?)"
# `a.m.` as it is written: dotted, in capitals, or letter by letter.
_HALF = r"(?P<half>[ap]\.m\.|[ap]\.m(?!\w)|[AP]\.M\.|[AP]\.M(?!\w)|[ap]m\b|[AP]M\b|[ap] m\b|[AP] M\b)"
_WITH_HALF = re.compile(rf"(?<![\w:.,$])(?:(?i:{_HOURS}))(?P<space>\s*){_HALF}")
_O_CLOCK = re.compile(rf"(?i)(?<![\w:.,$])(?:{_HOURS})(?=\s+o\W?clock\b)")
_WORD = re.compile(r"(?i)clock|(?:^|[\d\W])[ap]\.?m|^m\b")
_TRIGGER = re.compile(r"(?i)[ap]\.? ?m\b|clock")
_FORMS_OF_HALF = ("pm", "PM", "p.m.", "P.M.", "p.m", "P.M", "p m", "P M")


def _times(text: str) -> Iterator[Use]:
    if not _TRIGGER.search(text):
        return
    for found in _WITH_HALF.finditer(text):
        half = found["half"].replace("a", "p").replace("A", "P")
        yield Use("time.half", half, *found.span("half"))
        yield Use("time.space", "3 pm" if found["space"] else "3pm", *found.span("space"))
        yield from _hours(found, "time.hour")
    for found in _O_CLOCK.finditer(text):
        yield from _hours(found, "time.o_clock_hour")


def _hours(found: re.Match[str], name: str) -> Iterator[Use]:
    if found["words"]:
        yield Use(name, "in words", *found.span("words"))
        return
    yield Use(name, "digits", *found.span("digits"))
    written = found["digits"]
    if name == "time.hour":
        if written.isdecimal():
            yield Use("time.full_hour", "3", *found.span("digits"))
        elif written.endswith("00"):
            yield Use("time.full_hour", "3:00", *found.span("digits"))
    for mark in ":.":
        if mark in written:
            at = found.start("digits") + written.index(mark)
            yield Use("time.separator", f"3{mark}30", at, at + 1)


def _as_wanted(written: str, form: str) -> str:
    lower = written.lower()
    if form in _FORMS_OF_HALF:
        morning = lower.startswith("a")
        return form.replace("p", "a").replace("P", "A") if morning else form
    if form in ("3 pm", "3pm"):
        return " " if form == "3 pm" else ""
    if form in ("3:30", "3.30"):
        return form[1]
    if form == "in words":
        return _in_words(written)
    if form == "digits":
        return _in_digits(lower) if lower[0].isalpha() else written
    whole = re.match(r"\d+", written)
    if form == "3:00" and whole:
        return f"{whole.group()}:00"
    return whole.group() if whole and written.endswith("00") else written


def _in_words(written: str) -> str:
    """The time in words; what is in words already stays."""
    found = re.fullmatch(r"(\d+)(?:[:.](\d\d))?", written)
    if not found:
        return written
    hours, minutes = int(found[1]), int(found[2] or 0)
    if minutes == 0:
        return words_of(hours)
    return f"{words_of(hours)} {'oh ' if minutes < 10 else ''}{words_of(minutes)}"


def _in_digits(words: str) -> str:
    parts = re.findall(r"\w+", words)
    hours = below_hundred(parts[:1])
    minutes = below_hundred(parts[1:]) if parts[1:2] != ["oh"] else below_hundred(parts[2:])
    return f"{hours}:{minutes:02d}" if minutes is not None else str(hours)


TIME_RULES = (
    Rule(
        "convention.time",
        "One time of day written as `3 pm`, `3 p.m.` and `three PM` is as many targets for one sound.",
        "style",
        convention_check(_times, each_replaced(_as_wanted), trigger=_WORD),
        fires=(
            Example(("at 3 pm now", "at 5 pm now", "at 10:30 am now", "at 3 p.m. now"), (3,)),
            Example(("at 3 pm", "at 5 pm", "at 10:30 am", "at 3pm", "at three pm", "at 7:00 pm"), (3, 4, 5)),
            Example(("at three o'clock", "at five o'clock", "at six o'clock", "at 7 o'clock"), (3,)),
        ),
        passes=(
            Example(("at 3 pm", "at 5 pm", "at 10:30 am", "I am three", "the 3 amps", "a clock")),
            Example(("at 3 pm", "at 3pm")),
        ),
    ),
)
