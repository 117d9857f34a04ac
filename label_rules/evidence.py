"""Pieces of transcripts as they stand in evidence: on one line, and not too long."""

from __future__ import annotations

_LONGEST = 60


def quoted(text: str) -> str:
    """The text in quotation marks on one line, shortened in the middle; `nothing` for empty text.

    >>> quoted("um,"), quoted(""), quoted(" ")
    ('“um,”', 'nothing', 'a space')
    """
    if not text:
        return "nothing"
    if text == " ":
        return "a space"
    line = "".join(character if character.isprintable() else " " for character in text)
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
    return f"“{line}”"
