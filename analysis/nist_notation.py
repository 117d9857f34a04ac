"""NIST's notation in transcripts, read as sclite reads it: a reference with choices.

    text        = { alternation | word } ;
    alternation = "{" option { "/" option } "}" ;     (an option is a text; `@` in it is nothing at all)
    word        = letters | "(" letters ")" | letters "-" | "-" letters ;

A word in parentheses may be left out; one that begins or ends with a hyphen is a part of a word. What follows a
semicolon in a word is a tag, and an asterisk at its end a mark; neither is part of the word. Words stand between ASCII
white space.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis.errors import InvalidInput
from analysis.marked import Choice, Marked, Word

NAME = "notation"
_SPECIAL = re.compile(r"[{}@(;*-]")
_TAG = re.compile(r"(?<!\\);.*")
_SPACE = re.compile(r"[ \t\n\r\f\v]+")
_NOTHING = Choice(((),), NAME)
NOTHING = "@"
_SPACES = " \t\n\r\f\v"
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


def spaced(text: str) -> str:
    """The text with its words parted as sclite parts them."""
    return _SPACE.sub(" ", text).strip(" ")


def parse_heard(text: str, optional_and_fragments: bool = True) -> Marked:
    """A hypothesis as sclite reads it: tags, marks, optional words and fragments are as in references.

    >>> parse_heard("yes;aside @ (um) no", optional_and_fragments=False)
    ('yes (um) no',)
    """
    if not _SPECIAL.search(text):
        return (text,)
    words = [parse_word(token, optional_and_fragments) for token in _SPACE.split(text) if token]
    return _joined([word for word in words if word != NOTHING])


def parse_word(token: str, optional_and_fragments: bool = True) -> str | Word:
    """One word without its tag and mark: a `Word` where it is optional or a fragment."""
    # sclite takes a word that is a tag alone for an empty one, and those are equal.
    text = _TAG.sub("", token).replace("\\;", ";") or ";"
    if len(text) > 1 and text.endswith("*"):
        text = text[:-1]
    if not optional_and_fragments:
        return text
    optional = len(text) > 1 and text.startswith("(") and text.endswith(")")
    if optional:
        text = text[1:-1] or text
    # sclite looks for the hyphen in front outside of the parentheses.
    fragment = text.endswith("-") or (text.startswith("-") and not optional)
    return Word(text, optional, fragment) if optional or fragment else text


def _sequence(text: str, optional_and_fragments: bool, depth: int) -> Marked:
    if depth > _DEEPEST:
        raise InvalidInput(f"alternations are nested more than {_DEEPEST} deep; write them with fewer braces")
    parts: list[str | Word | Choice] = []
    place = 0
    while place < len(text):
        if text[place] in _SPACES:
            place += 1
            continue
        if text[place] == "{":
            end = _closing(text, place)
            part: str | Word | Choice = _alternation(text[place + 1 : end - 1], optional_and_fragments, depth)
        else:
            end = place
            while end < len(text) and text[end] not in _SPACES:
                end += 1
            part = parse_word(text[place:end], optional_and_fragments)
            part = _NOTHING if part == NOTHING else part
        place = end
        parts.append(part)
    return _joined(parts)


def _joined(parts: Sequence[str | Word | Choice]) -> Marked:
    """The parts with neighbouring words as one text."""
    joined: list[str | Word | Choice] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] = f"{joined[-1]} {part}"
        else:
            joined.append(part)
    return tuple(joined)


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
