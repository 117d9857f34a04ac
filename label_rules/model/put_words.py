"""A text with the words that were heard put where others stand, or where none do; its marks stay."""

from __future__ import annotations

_OPENING, _CLOSING = "([{<“‘\"'«", ")]}>”’\"'»"


def with_words(text: str, start: int, end: int, words: str) -> str | None:
    """The text with other words at a place, or with none; None where marks would be left with nothing between.

    A place with no characters is behind a word, or before the text.

    >>> with_words("turn the off.", 8, 8, "lamp"), with_words("the radio, off", 4, 9, "lamp")
    ('turn the lamp off.', 'the lamp, off')
    >>> with_words("well, we saw seven", 0, 4, ""), with_words("“Stop”, he said", 1, 5, "")
    ('we saw seven', None)
    """
    before, after = text[:start], text[end:]
    if start == end:
        if not words:
            return text
        left = " " if before and not before[-1].isspace() else ""
        return f"{before}{left}{words}{' ' if after[:1].isalnum() else ''}{after}".strip()
    if words:
        return f"{before}{words}{after}"
    if before and after and before[-1] in _OPENING and after[0] in _CLOSING:
        return None
    if not before.strip() or after[:1] in ",.?!;:":
        before = before.rstrip()
    if not before:
        after = after.lstrip(" ,;:")
    elif before[-1].isspace():
        after = after.lstrip()
    return f"{before}{after}".strip()
