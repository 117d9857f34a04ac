"""Whether transcripts end with a mark, and how apostrophes, quotes and ellipses are typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule
from label_rules.tokens import tokens

_FINAL = re.compile(r"([.?!…。？！]+)[\s\"”’』」)]*$")
_ABBREVIATION = re.compile(r"(?:^|[^A-Za-z])(?:[A-Za-z]\.)+$")
_ASKS = re.compile(
    r"(?i)^\W*(?:who|what|when|where|why|which|how|is|are|am|was|were|do|does|did|can|could|will|would|shall|should"
    r"|may|has|have|had|isn't|aren't|don't|doesn't|didn't|can't|won't)\b|(?:까|요|니|냐|가|지|나|래)\s*$"
)
_CURLY_APOSTROPHE = re.compile(r"(?<=\w)’(?=\w)")
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_ELLIPSIS = re.compile(r"\.{3}|…")
_QUOTE = re.compile('["“”]')
_GLYPH = re.compile("|".join(pattern.pattern for pattern in (_APOSTROPHE, _ELLIPSIS, _QUOTE)))
# With a letter that no filler has, or a digit, and nothing that opens a tag, something was said.
_OPENS_TAG = re.compile(r"[\[<{(*/]")
_SPOKEN = re.compile("[0-9b-dB-Df-gF-Gi-lI-Ln-qN-Qs-tS-Tv-zV-Z]")


def _final_mark(text: str) -> Iterator[Use]:
    plainly = _SPOKEN.search(text) and not _OPENS_TAG.search(text)
    if not plainly and not any(token.is_spoken for token in tokens(text)):
        return
    found = None if text[-1].isalnum() else _FINAL.search(text)
    if found is None:
        end = len(text.rstrip())
        yield Use("final_punctuation", "without", end, end)
    elif not _ABBREVIATION.search(text[: found.end(1)]):
        yield Use("final_punctuation", "with", found.start(1), found.end(1))


def _set_final_mark(text: str, uses: Sequence[tuple[Use, str]]) -> str | None:
    ((use, form),) = uses
    if form == "without":
        return text[: use.start] + text[use.end :]
    # Whether a question is one, only the audio says.
    return None if _ASKS.search(text) else f"{text[: use.end]}.{text[use.end :]}"


def _glyphs(text: str) -> Iterator[Use]:
    for name, pattern, curly in (
        ("apostrophe", _APOSTROPHE, "’"),
        ("ellipsis", _ELLIPSIS, "…"),
        ("quotation_mark", _QUOTE, "“”"),
    ):
        for found in pattern.finditer(text):
            yield Use(name, "typographic" if found.group() in curly else "plain", found.start(), found.end())


_PLAIN = {"’": "'", "…": "...", "“": '"', "”": '"'}
_TYPOGRAPHIC = {"'": "’", "...": "…"}


def _glyph(written: str, form: str) -> str:
    # Which way a plain quotation mark points is not told by the mark itself, so it stays.
    return (_PLAIN if form == "plain" else _TYPOGRAPHIC).get(written, written)


PUNCTUATION_RULES = (
    Rule(
        "convention.final_punctuation",
        "A mark at the end of some transcripts only is a coin toss that the model is asked to learn.",
        "style",
        convention_check(_final_mark, _set_final_mark),
        fires=(
            Example(("It rains.", "It snows.", "Does it?", "It pours"), (3,)),
            Example(("비가 온다", "눈이 온다", "해가 뜬다", "바람이 분다."), (3,)),
        ),
        passes=(Example(("It rains.", "It snows.", "Does it?", "Yes!", "")), Example(("It rains.", "It snows"))),
    ),
    Rule(
        "convention.typography",
        "Plain and typographic marks look the same to people and different to the model.",
        "style",
        convention_check(_glyphs, each_replaced(_glyph), trigger=_GLYPH),
        fires=(
            Example(("it's", "that's", "he's", "she’s"), (3,)),
            Example(("so...", "well...", "hm...", "and…"), (3,)),
        ),
        passes=(Example(("it's", "that's", "he's", "dogs’ tails")), Example(("it's", "he’s"))),
    ),
)
