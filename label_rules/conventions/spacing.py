"""Words that the corpus writes together, apart, and with a hyphen; and stray spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.corpus import Corpus
from label_rules.rule import Example, Outcome, Rule, each_text
from label_rules.tokens import HYPHENS, Token, tokens

# With one of these as a part, the words apart mean something else than together: `a way`, `every day`, `may be`.
_OWN_MEANING_WORDS = """
    a an the i in on to of at by up out off over under down for with from and or as so be is it all any every some
    no may can not one who what how when where ever my her his our your their self time body thing day more
    through after fore before back away well good bye other man way
"""
_OWN_MEANING = frozenset(_OWN_MEANING_WORDS.split())
_LEAST_LENGTH = 6
_LEAST_HANGUL = 3
_STRAY = re.compile(r"^\s+|\s+$|\s{2,}|[^\S ]|(?<=\w) +(?=[,.!?;:](?:\s|$))")


def _check(corpus: Corpus) -> Iterator[Outcome]:
    joined = _joined_in_several_ways(corpus.texts)
    yield from convention_check(lambda text: _compounds(text, joined), each_replaced(_as_form))(corpus)


def _joined_in_several_ways(texts: list[str]) -> set[str]:
    """The words that are written both together and apart, or with a hyphen, somewhere in the corpus."""
    whole: set[str] = set()
    apart: set[str] = set()
    hyphened: set[str] = set()
    for text in texts:
        found = tokens(text)
        whole.update(token.key for token in found if token.kind == "word")
        for one, other, hyphen in _neighbours(text, found):
            (hyphened if hyphen else apart).add(one.key + other.key)
    return (whole & apart) | (whole & hyphened) | (apart & hyphened)


def _neighbours(text: str, found: tuple[Token, ...]) -> Iterator[tuple[Token, Token, bool]]:
    """The pairs of words that stand next to each other, and whether a hyphen joins them."""
    for number, (one, other) in enumerate(pairwise(found)):
        if one.kind != "word":
            continue
        hyphen = other.text in HYPHENS and number + 2 < len(found)
        if hyphen:
            other = found[number + 2]
        if other.kind != "word" or (hyphen and other.start - one.end != 1):
            continue
        if hyphen or (_may_join(one.key, other.key) and text[one.end : other.start].isspace()):
            yield one, other, hyphen


def _may_join(one: str, other: str) -> bool:
    if "가" <= one[0] <= "힣":
        return len(one) + len(other) >= _LEAST_HANGUL
    return len(one) + len(other) >= _LEAST_LENGTH and one not in _OWN_MEANING and other not in _OWN_MEANING


def _compounds(text: str, joined: set[str]) -> Iterator[Use]:
    if not joined:
        return
    found = tokens(text)
    for token in found:
        if token.kind == "word" and token.key in joined:
            yield Use(f"spacing.{token.key}", token.key, token.start, token.end)
    for one, other, hyphen in _neighbours(text, found):
        if one.key + other.key in joined:
            form = f"{one.key}{'-' if hyphen else ' '}{other.key}"
            yield Use(f"spacing.{one.key}{other.key}", form, one.start, other.end)


def _as_form(written: str, form: str) -> str:
    """The form with the letters as they were written, so that capitals stay."""
    letters = [character for character in written if not character.isspace() and character not in HYPHENS]
    wanted = len([character for character in form if character not in " -"])
    if len(letters) != wanted:
        return written
    at = iter(letters)
    return "".join(character if character in " -" else next(at) for character in form)


def _stray_spaces(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
    tidy = re.sub(r"(?<=\w) +(?=[,.!?;:](?:\s|$))", "", " ".join(text.split()))
    for found in _STRAY.finditer(text):
        start, end = found.span()
        if start == 0:
            what = "white space before the text"
        elif end == len(text):
            what = "white space behind the text"
        elif len(found.group()) > 1 and end < len(text):
            what = f"{len(found.group())} spaces in a row"
        elif found.group() == " ":
            what = "a space before a mark"
        else:
            what = f"the white space U+{ord(found.group()):04X} within the text"
        yield start, end, 1.0, what, tidy


SPACING_RULES = (
    Rule(
        "convention.spacing",
        "A compound written together, apart and with a hyphen counts as errors wherever the other way was learnt.",
        "style",
        _check,
        fires=(
            Example(("one ice cream", "Ice cream now", "my ice cream", "an icecream"), (3,)),
            Example(("one ice cream", "Ice cream now", "my ice cream", "an ice-cream"), (3,)),
            Example(("오늘 날씨 어때", "오늘 날씨 좋다", "오늘 날씨", "오늘날씨 어때"), (3,)),
        ),
        passes=(
            Example(("go a way", "go a way", "go a way", "go away")),
            Example(("one ice cream", "an icecream")),
        ),
    ),
    Rule(
        "convention.spaces",
        "Stray spaces are invisible, and make equal texts unequal.",
        "style",
        each_text(_stray_spaces),
        fires=(Example(("so  it is", " yes", "no\n", "a\tb", "well , yes"), (0, 1, 2, 3, 4)),),
        passes=(Example(("so it is", "well, yes", "", "오늘 날씨", "3 .5")),),
    ),
)
