"""Tags for noises and the like, and Korean dual transcriptions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule, each_text
from label_rules.tokens import tokens

_BRACKETS = {"[": "]", "<": ">", "{": "}"}
_ALL_BRACKETS = re.compile(r"[\[\]{}]")
_DUAL = re.compile(r"\(([^()]+)\)/\(([^()]+)\)")
_LOOSE_DUAL = re.compile(r"\(([^()]+)\)\s*[/／|]?\s*\(([^()]+)\)")
_HALF_DUAL = re.compile(r"\)\s*/|/\s*\(")
_HANGUL = re.compile("[가-힣]")


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


def _dual(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
    if ("(" not in text and ")" not in text) or not _HANGUL.search(text):
        return
    rest = _DUAL.sub(lambda found: " " * len(found.group()), text)
    if not _HALF_DUAL.search(rest) and not re.search(r"\)\s*\(", rest):
        return
    tidy = _LOOSE_DUAL.sub(r"(\1)/(\2)", text)
    left = _HALF_DUAL.search(_DUAL.sub("", tidy))
    found = _LOOSE_DUAL.search(rest) or _HALF_DUAL.search(rest)
    if found:
        yield (
            *found.span(), 0.9, "a dual transcription is written (spelled)/(spoken)",
            None if left or tidy == text else tidy,
        )  # fmt: skip


MARKUP_RULES = (
    Rule(
        "convention.markup",
        "One tag in several brackets is several tags.",
        "style",
        convention_check(_tags, each_replaced(_as_wanted)),
        fires=(Example(("[noise] yes", "no [noise]", "so [noise]", "<noise> well"), (3,)),),
        passes=(Example(("[noise] yes", "no [noise]", "[laugh] so", "b/ 네")), Example(("[noise]", "<noise>"))),
    ),
    Rule(
        "convention.brackets",
        "A tag that is not closed is read as words.",
        "style",
        each_text(_unbalanced),
        fires=(Example(("[noise yes", "noise] yes"), (0, 1)),),
        passes=(Example(("[noise] yes", "{a [b]}")),),
    ),
    Rule(
        "convention.dual_transcription",
        "A dual transcription that is not written (spelled)/(spoken) is read as both.",
        "style",
        each_text(_dual),
        fires=(
            Example(("(70%)(칠십 퍼센트) 맞죠", "(70%) / (칠십 퍼센트)"), (0, 1)),
            Example(("(70%)/칠십 퍼센트", "70%/(칠십 퍼센트)"), (0, 1)),
        ),
        passes=(Example(("(70%)/(칠십 퍼센트) 맞죠", "그 (사람) 맞죠", "(a)(b)", "1/2 맞죠")),),
    ),
)
