"""NIST's notation in transcripts, read as sclite reads it: a reference with choices.

    text        = { alternation | word } ;
    alternation = "{" option { "/" option } "}" ;     (an option is a text; `@` in it is nothing at all)
    word        = letters | "(" letters ")" | letters "-" | "-" letters ;

A word in parentheses may be left out; one that begins or ends with a hyphen is a part of a word. What follows a
semicolon in a word is a tag, and an asterisk at its end a mark; neither is part of the word.
"""

from __future__ import annotations

import re

from analysis.errors import InvalidInput
from analysis.marked import Choice, Marked, Word

NAME = "notation"
_SPECIAL = re.compile(r"[{}@(;*-]")
_TAG = re.compile(r"(?<!\\);.*")
_NOTHING = Choice(((),), NAME)
_DEEPEST = 50


def parse_notation(text: str, optional_and_fragments: bool = True) -> Marked:
    """The reference that a text in NIST's notation stands for.

    Args:
        optional_and_fragments: read optional words and fragments, as sclite does with `-D -F`; else they are words.

    Raises:
        InvalidInput: a brace is not closed, an alternation has no option, or they are nested too deeply.

    >>> parse_notation("buy { ice cream / icecream / @ } (um) now")[1]
    Choice(options=(('ice cream',), ('icecream',), (Choice(options=((),), name='notation'),)), name='notation')
    """
    return _sequence(text, optional_and_fragments, 0) if _SPECIAL.search(text) else (text,)


def parse_word(token: str, optional_and_fragments: bool = True) -> str | Word:
    """One word without its tag and mark: a `Word` where it is optional or a fragment."""
    text = _TAG.sub("", token).replace("\\;", ";")
    if len(text) > 1 and text.endswith("*"):
        text = text[:-1]
    if not optional_and_fragments:
        return text
    optional = len(text) > 1 and text.startswith("(") and text.endswith(")")
    if optional:
        text = text[1:-1]
    # sclite looks for the hyphen in front outside of the parentheses.
    fragment = text.endswith("-") or (text.startswith("-") and not optional)
    return Word(text, optional, fragment) if optional or fragment else text


def _sequence(text: str, optional_and_fragments: bool, depth: int) -> Marked:
    if depth > _DEEPEST:
        raise InvalidInput(f"alternations are nested more than {_DEEPEST} deep; write them with fewer braces")
    parts: list[str | Word | Choice] = []
    run: list[str] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        if text[place] == "{":
            end = _closing(text, place)
            part: str | Word | Choice = _alternation(text[place + 1 : end - 1], optional_and_fragments, depth)
        else:
            end = place
            while end < len(text) and not text[end].isspace():
                end += 1
            token = text[place:end]
            part = _NOTHING if token == "@" else parse_word(token, optional_and_fragments)
        place = end
        if isinstance(part, str):
            run.append(part)
            continue
        if run:
            parts.append(" ".join(run))
            run = []
        parts.append(part)
    if run:
        parts.append(" ".join(run))
    return tuple(parts)


def _alternation(body: str, optional_and_fragments: bool, depth: int) -> Choice:
    options = [option for option in _options(body) if option.strip()]
    if not options:
        raise InvalidInput(
            f"the alternation {{{body[:60]}}} has no option; expected {{ one / another }}, @ for nothing"
        )
    return Choice(tuple(_sequence(option, optional_and_fragments, depth + 1) for option in options), NAME)


def _options(body: str) -> list[str]:
    """The parts of an alternation between the slashes that are not inside another one."""
    options, depth, start = [], 0, 0
    for place, character in enumerate(body):
        depth += (character == "{") - (character == "}")
        if character == "/" and depth == 0:
            options.append(body[start:place])
            start = place + 1
    return [*options, body[start:]]


def _closing(text: str, opening: int) -> int:
    """The place after the brace that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return place + 1
    raise InvalidInput(f"the brace before {text[opening : opening + 40]!r} is not closed; expected {{ one / another }}")
