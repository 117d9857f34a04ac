"""Text from outside, made safe to look at: escaped, isolated, its invisible characters shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from markupsafe import Markup, escape

LONGEST_TEXT, LONGEST_LABEL = 2000, 120
"Characters shown of one transcript, of one name; a page is for reading, the CSV and JSON hold the whole."

_JOINERS = "\u200c\u200d"


def is_invisible(text: str, i: int) -> bool:
    """Whether the character at `i` cannot be seen, or steers how others are shown (as U+202E does).

    Joiners between two letters that are not ASCII are left alone: scripts and emoji need them.
    """
    character = text[i]
    if character.isascii() and character.isprintable():
        return False
    category = unicodedata.category(character)
    if category not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and character not in "\u3164\u115f\u1160\u2800":
        return False
    if character in _JOINERS and 0 < i < len(text) - 1:
        return text[i - 1].isascii() or text[i + 1].isascii()
    return character != "\n"


def code_point(character: str) -> str:
    """The character's code point, as `U+200B`."""
    return f"U+{ord(character):04X}"


def plain(text: object) -> str:
    """The text with each invisible character written as its code point: for attributes, titles and Markdown.

    >>> plain("a\\u200bb")
    'a[U+200B]b'
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"[{code_point(c)}]" if is_invisible(text, i) else c for i, c in enumerate(text))


def shown(text: object) -> Markup:
    """The text escaped, with each invisible character as a labelled box."""
    text = str(text)
    if text.isascii() and text.isprintable():
        return escape(text)
    pieces: list[Markup] = []
    start = 0
    for i, character in enumerate(text):
        if not is_invisible(text, i):
            continue
        name = unicodedata.name(character, "control character").lower()
        box = Markup('<span class="unseen" title="{}">{}</span>').format(name, code_point(character))
        pieces += [escape(text[start:i]), box]
        start = i + 1
    return Markup("").join([*pieces, escape(text[start:])])


def isolated(language: str, longest: int) -> Callable[[object], Markup]:
    """A function from text to markup, cut to `longest` characters; its direction does not reach the text around it."""
    opening = Markup('<bdi lang="{}">').format(language) if language else Markup("<bdi>")

    def isolate(text: object) -> Markup:
        text = str(text)
        rest = len(text) - longest
        cut = Markup(' <span class="more">… {} characters more</span>').format(f"{rest:,}") if rest > 0 else ""
        return opening + shown(text[:longest]) + Markup("</bdi>") + cut

    return isolate
