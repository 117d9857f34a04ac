"""Tags for noises and the like: one tag in several brackets, and brackets that are not closed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule, each_text
from label_rules.tokens import tokens, with_token

_BRACKETS = {"[": "]", "<": ">", "{": "}"}
_ALL_BRACKETS = re.compile(r"[\[\]{}]")


def _tags(text: str) -> Iterator[Use]:
    for token in tokens(text):
        if token.kind == "markup":
            label = "".join(c for c in token.key if c.isalnum())
            if label:
                yield Use(f"markup.{label}", token.text, token.start, token.end)


def _as_wanted(_: str, form: str) -> str:
    return form


def _unbalanced(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
    open_at: list[tuple[str, int]] = []
    for found in _ALL_BRACKETS.finditer(text):
        bracket, at = found.group(), found.start()
        if bracket in _BRACKETS:
            open_at.append((_BRACKETS[bracket], at))
        elif open_at and open_at[-1][0] == bracket:
            open_at.pop()
        else:
            yield at, at + 1, 0.9, f"{bracket!r} closes what was never opened", None
    for _, at in open_at:
        yield at, at + 1, 0.9, f"{text[at]!r} is never closed", None


MARKUP_RULES = (
    Rule(
        "convention.markup",
        "One tag in several brackets is several tags.",
        "style",
        convention_check(_tags, each_replaced(_as_wanted), trigger=with_token(lambda token: token.kind == "markup")),
        fires=(Example(("[noise] yes", "no [noise]", "so [noise]", "<noise> well"), (3,)),),
        passes=(Example(("[noise] yes", "no [noise]", "[laugh] so", "b/ 네")), Example(("[noise]", "<noise>"))),
    ),
    Rule(
        "convention.brackets",
        "A tag that is not closed is read as words.",
        "style",
        each_text(_unbalanced, _ALL_BRACKETS),
        fires=(Example(("[noise yes", "noise] yes"), (0, 1)),),
        passes=(Example(("[noise] yes", "{a [b]}")),),
    ),
)
