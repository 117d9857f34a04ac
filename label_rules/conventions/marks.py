"""How dashes and rows of dots are typed, and who writes marks inside sentences at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule

# A dash parts words, so it stands between them; a hyphen with no space joins them.
_DASH = re.compile(r"(?<=\w)(?P<dash>\s+(?:--?|[–—])\s+|--|[–—])(?=\w)")
_DOTS = re.compile(r"(?<!\.)(?<!\b[A-Z])\.(?:\.+|(?: \.){2,})(?!\.)|…+")
_INNER = re.compile(r"[,;:.?!–—](?=\s+\w)")
_DASHES_OR_DOTS = re.compile(r"--|[–—…]|\.\.|\. \.|\s-\s")
_WORD = re.compile(r"--|[–—…]|\.\.|^-$|^\.|\.$")
_RANGE = re.compile(r"\d\s*[-–—]+\s*\d")
# In a shorter text there need be no mark.
_LONG_TEXT = 12


def _typed(text: str) -> Iterator[Use]:
    if not _DASHES_OR_DOTS.search(text):
        return
    for found in _DASH.finditer(text):
        if not _RANGE.match(text, found.start() - 1):
            yield Use("dash", f"a{' ' if found['dash'][0].isspace() else ''}{found['dash'].strip()}"
                      f"{' ' if found['dash'][0].isspace() else ''}b", *found.span())  # fmt: skip
    for found in _DOTS.finditer(text):
        written = found.group()
        form = "…" if written[0] == "…" else ". . ." if " " in written else written[:4]
        if form != "…":
            # One sign against three dots is a matter of typography, which has a rule of its own.
            yield Use("dots", form, *found.span())


def _as_typed(written: str, form: str) -> str:
    return form[1:-1] if form[0] == "a" else form


def _inner_marks(text: str) -> Iterator[Use]:
    if text.count(" ") + 1 >= _LONG_TEXT:
        found = _INNER.search(text)
        if found:
            yield Use("inner_punctuation", "with", *found.span())
        else:
            yield Use("inner_punctuation", "without", 0, 0)


_LONG_WITH = "well, I went to the shop and bought some bread and milk today"
_LONG_WITHOUT = "well I went to the shop and bought some bread and milk today"

MARK_RULES = (
    Rule(
        "convention.marks",
        "Dashes and rows of dots typed in several ways are as many marks to learn.",
        "style",
        convention_check(_typed, each_replaced(_as_typed), trigger=_WORD),
        fires=(
            Example(("so — yes", "no — never", "go — now", "so -- yes"), (3,)),
            Example(("so... yes", "well... no", "um... so", "so.. yes", "so . . . yes"), (3, 4)),
        ),
        passes=(
            Example(("so — yes", "no — never", "go — now", "well-known", "pages 3 -- 5", "- yes")),
            Example(("so... yes", "so.. yes")),
        ),
    ),
    Rule(
        "convention.inner_punctuation",
        "An annotator who never sets a mark within long transcripts follows a habit that the others do not share.",
        "style",
        convention_check(_inner_marks, habits_only=True),
        fires=(
            Example(
                (*(_LONG_WITH,) * 8, *(f"{_LONG_WITHOUT} {n}" for n in range(5))),
                (8, 9, 10, 11, 12),
                annotators=("ann",) * 8 + ("bob",) * 5,
            ),
        ),
        passes=(Example((*(_LONG_WITH,) * 8, *(f"{_LONG_WITHOUT} {n}" for n in range(5)))),),
    ),
)
