"""Which brackets tags stand in, and by which name a sound is called: `[laughter]`, `<laugh>`, `(laughing)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule
from label_rules.tokens import tokens

_NAMES = {
    "laughter": ("laughter", "laugh", "laughs", "laughing", "웃음"),
    "noise": ("noise", "noises", "background noise", "bg noise", "bgnoise", "소음", "잡음"),
    "breath": ("breath", "breathing", "breathes", "inhale", "exhale", "숨소리"),
    "cough": ("cough", "coughs", "coughing", "기침"),
    "music": ("music", "bgm", "background music", "음악"),
    "unintelligible": ("unintelligible", "inaudible", "unclear", "unk", "indiscernible", "xxx", "불분명"),
    "silence": ("silence", "sil", "pause", "침묵"),
    "applause": ("applause", "clapping", "박수"),
    "overlap": ("overlap", "crosstalk", "cross talk", "overlapping"),
    "sigh": ("sigh", "sighs", "sighing", "한숨"),
}
_NAME_OF = {name: sound for sound, names in _NAMES.items() for name in names}
_BRACKETS = {"[": "[ ]", "<": "< >", "{": "{ }", "(": "( )", "*": "* *"}
_TRIGGER = re.compile(r"[\[<{(*]")


def _tags(text: str) -> Iterator[Use]:
    for token in tokens(text):
        if token.kind != "markup" or token.text[0] not in _BRACKETS:
            continue
        yield Use("tag.brackets", _BRACKETS[token.text[0]], token.start, token.end)
        name = re.sub(r"[\s_-]+", " ", token.key[1:-1].strip())
        if name in _NAME_OF:
            inside = token.start + 1 + (len(token.text[1:-1]) - len(token.text[1:-1].lstrip()))
            yield Use(f"tag.{_NAME_OF[name]}", name, inside, inside + len(token.text[1:-1].strip()))


def _as_wanted(written: str, form: str) -> str:
    if len(form) == 3 and form[1] == " " and not form[0].isalnum():
        return f"{form[0]}{written[1:-1]}{form[2]}"
    return form.upper() if written.isupper() else form


TAG_RULES = (
    Rule(
        "convention.tag",
        "One sound under several names, or tags in several brackets, are as many tags to learn.",
        "style",
        convention_check(_tags, each_replaced(_as_wanted), trigger=_TRIGGER),
        fires=(
            Example(("[laughter] yes", "no [laughter]", "[laughter] so", "so [laugh]"), (3,)),
            Example(("[noise] yes", "no [cough]", "[music] so", "so <sigh>"), (3,)),
        ),
        passes=(
            Example(("[laughter] yes", "no [laughter]", "[noise] so", "so (he said)", "5 * 3")),
            Example(("[laughter]", "[laugh]")),
        ),
    ),
)
