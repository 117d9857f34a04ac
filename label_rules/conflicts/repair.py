"""A transcript with some of its differences from another one taken back."""

from __future__ import annotations

from collections.abc import Sequence

from label_rules.conflicts.differences import Difference


def repair(text: str, changes: Sequence[tuple[str, Difference]]) -> str:
    """The text with each stretch that differs from another text put as the other has it.

    Every change is another text and a difference in which the other text is side a and `text` is side b. Where two
    changes meet, the first one counts.

    >>> from label_rules.conflicts.differences import differences
    >>> pivot, text = "Um, today's weather", "Today's weather"
    >>> repair(text, [(pivot, d) for d in differences(pivot, text)])
    "Um, today's weather"
    """
    stretches = []
    for other, change in changes:
        a_start, a_end = _with_spaces(other, change.a_start, change.a_end)
        b_start, b_end = _with_spaces(text, change.b_start, change.b_end)
        new = other[a_start:a_end]
        if 0 in (a_start, b_start) and change.kind in ("filler", "content"):
            # The word behind starts the sentence on one side only; its capital moves with that.
            theirs, ours = other[a_end : a_end + 1], text[b_end : b_end + 1]
            if theirs != ours and theirs.casefold() == ours.casefold():
                new, b_end = new + theirs, b_end + 1
        at_start, at_end = b_start == 0, b_end == len(text)
        new = new.lstrip() if at_start else new
        new = new.rstrip() if at_end else new
        inner = not at_start and not at_end
        if inner and not new and change.kind != "spacing" and change.kind != "number" and change.b_text:
            new = " " if text[b_start].isspace() or text[b_end - 1].isspace() else ""
        if inner and a_end == len(other) and not new.endswith(" ") and text[b_end - 1 : b_end].isspace():
            new += " "
        if inner and a_start == 0 and not new.startswith(" ") and text[b_start : b_start + 1].isspace():
            new = " " + new
        stretches.append((b_start, b_end, new))
    done, pieces = 0, []
    for start, end, new in sorted(stretches, key=lambda each: each[:2]):
        if start < done:
            continue
        pieces += [text[done:start], new]
        done = end
    return "".join(pieces) + text[done:]


def _with_spaces(text: str, start: int, end: int) -> tuple[int, int]:
    """The span with the white space on both sides of it."""
    while start and text[start - 1].isspace():
        start -= 1
    while end < len(text) and text[end].isspace():
        end += 1
    return start, end
