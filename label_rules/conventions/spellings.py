"""Spelling variants, British and American spelling, contractions and full forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.language.korean_loans import STANDARD_LOANS
from analysis.language.spellings import AMERICAN, BRITISH, VARIANTS
from label_rules.conventions.convention import Use, convention_check, each_replaced, in_case_of
from label_rules.rule import Example, Rule
from label_rules.tokens import plain_apostrophes, tokens, with_token

# Signs for words stand in names and addresses, where nobody writes them out.
# Korean loan words have a rule of their own, which also finds them with particles.
_VARIANT = {
    spelling: spellings[0]
    for spellings in VARIANTS
    for spelling in spellings
    if spellings[0].isalpha() and not STANDARD_LOANS.keys() & set(spellings)
}
_DIALECTS = AMERICAN.keys() | BRITISH.keys()
_SUBJECTS_ARE = ("you", "we", "they")
_SUBJECTS_IS = ("it", "he", "she", "that", "there", "what", "who", "where", "here")
_WILL = ("i", "you", "we", "they", "it", "he", "she", "that", "there")
_NOT = (
    "do", "does", "did", "is", "are", "was", "were", "could", "would", "should", "has", "have", "had", "must", "need",
)  # fmt: skip
_CONTRACTED = (
    {"i am": "i'm", "let us": "let's", "will not": "won't", "can not": "can't", "cannot": "can't"}
    | {f"{subject} are": f"{subject}'re" for subject in _SUBJECTS_ARE}
    | {f"{subject} is": f"{subject}'s" for subject in _SUBJECTS_IS}
    | {f"{subject} will": f"{subject}'ll" for subject in _WILL}
    | {f"{verb} not": f"{verb}n't" for verb in _NOT}
)
# `it's` may also be `it has`: the full form of these is not told by the word.
_IN_FULL = {short: full for full, short in _CONTRACTED.items() if not short.endswith("'s")} | {"can't": "cannot"}
_FULL = re.compile(f"(?i)\\b(?:{'|'.join(sorted(_CONTRACTED, key=len, reverse=True))})\\b(?!['’])")
# The last word of every full form.
_ENDS_FULL = re.compile(f"(?i)\\b(?:{'|'.join(sorted({full.split()[-1] for full in _CONTRACTED}))})\\b")
_SHORT = re.compile(f"(?i)\\b(?:{'|'.join(sorted(set(_CONTRACTED.values()), key=len, reverse=True))})\\b")


def _variants(text: str) -> Iterator[Use]:
    for token in tokens(text):
        if token.key in _VARIANT:
            yield Use(f"spelling.{_VARIANT[token.key]}", token.key, token.start, token.end)


def _dialects(text: str) -> Iterator[Use]:
    for token in tokens(text):
        if token.key in AMERICAN:
            yield Use("dialect", "american", token.start, token.end)
        elif token.key in BRITISH:
            yield Use("dialect", "british", token.start, token.end)


def _other_dialect(written: str, form: str) -> str:
    return in_case_of(written, (BRITISH if form == "american" else AMERICAN)[written.lower()])


def _contractions(text: str) -> Iterator[Use]:
    plain = plain_apostrophes(text)
    for form, pattern in (("full", _FULL), ("contracted", _SHORT)):
        for found in pattern.finditer(plain):
            yield Use("contraction", form, found.start(), found.end())


def _may_hold_contraction(word: str) -> bool:
    plain = plain_apostrophes(word)
    return bool(_ENDS_FULL.search(plain) or _SHORT.search(plain))


def _other_form(written: str, form: str) -> str:
    key = plain_apostrophes(" ".join(written.lower().split()))
    other = (_CONTRACTED if form == "contracted" else _IN_FULL).get(key)
    return in_case_of(written, other) if other else written


def _as_wanted(written: str, form: str) -> str:
    new = _other_form(written, form)
    return new[:1].upper() + new[1:] if written[:1] == "I" else new


SPELLING_RULES = (
    Rule(
        "convention.spelling",
        "Two spellings of one word split its examples between two targets.",
        "style",
        convention_check(_variants, each_replaced(in_case_of), trigger=with_token(lambda t: t.key in _VARIANT)),
        fires=(Example(("okay then", "Okay", "okay now", "OK so"), (3,)),),
        passes=(Example(("okay then", "okay", "okay now", "oak")), Example(("okay then", "ok then"))),
    ),
    Rule(
        "convention.dialect",
        "British and American spellings of the same sounds split their words between two targets.",
        "style",
        convention_check(_dialects, each_replaced(_other_dialect), trigger=with_token(lambda t: t.key in _DIALECTS)),
        fires=(Example(("my colour", "your favour", "the theatre", "the Center"), (3,)),),
        passes=(Example(("my colour", "your favour", "the theatre", "the cent")), Example(("colour", "center"))),
    ),
    Rule(
        "convention.contraction",
        "An annotator who always writes contractions out, or never does, follows a habit and not the audio.",
        "style",
        convention_check(_contractions, each_replaced(_as_wanted), habits_only=True, trigger=_may_hold_contraction),
        fires=(
            Example(
                (
                    "it's me",
                    "I'm in",
                    "don't go",
                    "we're off",
                    "he's up",
                    "that's it",
                    "you're on",
                    "they're in",
                    "It is me",
                    "I am in",
                    "do not go",
                    "we are off",
                    "he is up",
                ),
                (8, 9, 10, 11, 12),
                annotators=("ann",) * 8 + ("bob",) * 5,
            ),
        ),
        passes=(Example(("it's me", "I'm in", "don't go", "it is me")),),
    ),
)
