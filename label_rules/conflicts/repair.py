"""A transcript with some of its differences from another one taken back."""

from __future__ import annotations

from collections.abc import Sequence

from label_rules.conflicts.differences import Difference


def repair(text: str, changes: Sequence[tuple[str, Difference]]) -> str:
    """The text with each stretch that differs from another text put as the other has it, spaces included.

    Every change is another text and a difference in which the other text is side a and `text` is side b. Where two
    changes overlap, the first one counts.

    >>> from label_rules.conflicts.differences import differences
    >>> pivot, text = "Um, today's weather", "Today's weather"
    >>> repair(text, [(pivot, d) for d in differences(pivot, text)])
    "Um, today's weather"
    """
    kept: list[tuple[str, Difference]] = []
    for other, change in sorted(changes, key=lambda each: (each[1].b_start, each[1].b_end)):
        if not kept or change.b_start >= kept[-1][1].b_end:
            kept.append((other, change))
    made = text[: kept[0][1].b_start] if kept else text
    for number, (other, change) in enumerate(kept):
        end = kept[number + 1][1].b_start if number + 1 < len(kept) else len(text)
        behind = text[change.b_end : end]
        if change.kind in ("filler", "content", "cut_off") and not (made.strip() and other[: change.a_start].strip()):
            behind = _in_case_of(other[change.a_end :], behind)
        made = _joined(made, other, change, behind)
    return made.strip() if kept else text


def _in_case_of(other: str, behind: str) -> str:
    """The text behind with its first letter as the other text has it: the word starts the sentence on one side only."""
    theirs, ours = other.lstrip()[:1], behind.lstrip()[:1]
    if theirs != ours and theirs.casefold() == ours.casefold():
        return behind.replace(ours, theirs, 1)
    return behind


def _joined(made: str, other: str, change: Difference, behind: str) -> str:
    """What is made so far, the other text's stretch and the text behind it, with spaces where the other has them."""
    core = change.a_text.strip()
    before, after = other[: change.a_start], other[change.a_end :]
    if not core:
        apart = change.a_text or before[-1:].isspace() or after[:1].isspace() or not (before and after)
        return _with_space(made, bool(apart), behind)
    left_apart = before[-1:].isspace() or not before or (_is_mark(before[-1]) and made[-1:].isspace())
    right_apart = (
        after[:1].isspace()
        or (not after and behind.lstrip()[:1].isalnum())
        or (_is_mark(after[:1]) and behind[:1].isspace())
    )
    return _with_space(_with_space(made, left_apart, core), right_apart, behind)


def _is_mark(character: str) -> bool:
    """Whether it is punctuation: that the other text has a bracket here does not say that words grow together."""
    return bool(character) and not character.isalnum() and not character.isspace()


def _with_space(left: str, apart: bool, right: str) -> str:
    left, right = left.rstrip(), right.lstrip() if right.strip() else right[:1]
    if not left or right.isspace():
        return left + right
    return f"{left} {right}" if apart else left + right
