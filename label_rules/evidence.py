"""Pieces of transcripts as they stand in evidence: on one line, and not too long."""

from __future__ import annotations

_LONGEST = 60


def quoted(text: str) -> str:
    """The text in quotation marks on one line, shortened in the middle; `nothing` for empty text.

    >>> quoted("um,"), quoted(""), quoted(" ")
    ('“um,”', 'nothing', 'a space')
    >>> quoted("and the old man went slowly down to the river to look for his old boat")
    '“and the old man went slowly … river to look for his old boat”'
    """
    if not text:
        return "nothing"
    if text == " ":
        return "a space"
    line = text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
    if len(line) > _LONGEST:
        line = f"{_whole_words(line[: _LONGEST // 2 + 1])} … {_whole_words(line[-_LONGEST // 2 - 1 :][::-1])[::-1]}"
    return f"“{line}”"


def _whole_words(start: str) -> str:
    """The start of a line without its last character, and without the word that this breaks, if others are left."""
    whole = start.rpartition(" ")[0].rstrip()
    return whole or start[:-1]
