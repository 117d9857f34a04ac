"""Lower case, upper case or sentence case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from label_rules.conventions.convention import Use, convention_check
from label_rules.rule import Example, Rule

# In a text of these characters only, letters are what `str` counts as cased.
_TWO_LETTERS = re.compile("[A-Za-z][^A-Za-z]*[A-Za-z]")
_LETTER = re.compile(r"[^\W\d_]")
_PRONOUN = re.compile(r"\bi(?=$|[ ,.!?;:]|['’](?:m|ll|ve|d)\b)")


def _case(text: str) -> Iterator[Use]:
    if text.isascii():
        if not _TWO_LETTERS.search(text):
            return
        first = _LETTER.search(text)
        if text.islower():
            form = "lower"
        elif text.isupper():
            form = "upper"
        else:
            form = "sentence" if first and first.group().isupper() else "mixed"
        yield Use("casing", form, 0, len(text))
        return
    letters = [letter for letter in _LETTER.findall(text) if letter.lower() != letter.upper()]
    if len(letters) < 2:
        return
    upper = sum(letter.isupper() for letter in letters)
    if upper == 0:
        form = "lower"
    elif upper == len(letters):
        form = "upper"
    elif letters[0].isupper():
        form = "sentence"
    else:
        form = "mixed"
    yield Use("casing", form, 0, len(text))


def _recase(text: str, uses: Sequence[tuple[Use, str]]) -> str | None:
    ((use, form),) = uses
    if form == "lower":
        return text.lower()
    if form == "upper":
        return text.upper()
    if form == "sentence" and use.form in ("lower", "mixed"):
        first = _LETTER.search(text)
        at = first.start() if first else 0
        return _PRONOUN.sub("I", text[:at] + text[at].upper() + text[at + 1 :])
    # From upper case the capitals of names are lost for good.
    return None


CASING_RULES = (
    Rule(
        "convention.casing",
        "Transcripts in several cases double the words that the model must tell apart without hearing a difference.",
        "style",
        convention_check(_case, _recase),
        fires=(
            Example(("Hello there", "How are you", "I am fine", "and you"), (3,)),
            Example(("hello there", "how are you", "fine", "AND YOU"), (3,)),
        ),
        passes=(Example(("Hello there", "Is John in", "I am", "오늘")), Example(("Hello there", "so what"))),
    ),
)
