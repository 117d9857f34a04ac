"""How each hesitation is spelled, which mark follows it, and whether it is written at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis.language.fillers import AMBIGUOUS, filler_family
from label_rules.conventions.convention import (
    Majorities,
    Use,
    convention_check,
    each_replaced,
    in_case_of,
    replaced,
)
from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule
from label_rules.tokens import HYPHENS, tokens, with_token

_MARKS = frozenset({",", ".", "...", "…", "-", "–", "—", ";"})
_NONE = "none"
_TRIGGER = with_token(lambda token: token.kind == "filler")


def _spellings(text: str) -> Iterator[Use]:
    for token in tokens(text):
        if token.kind == "filler":
            yield Use(f"filler.{filler_family(token.key)}", token.key, token.start, token.end)


def _marks_behind(text: str) -> Iterator[Use]:
    found = tokens(text)
    for number, token in enumerate(found):
        if token.kind != "filler":
            continue
        behind = number + 1
        while behind < len(found) and found[behind].kind == "mark":
            behind += 1
        if behind == len(found):
            continue
        marks = found[number + 1 : behind]
        if marks and marks[0].text in HYPHENS and found[behind].start == marks[0].end and marks[0].start == token.end:
            # A word of several parts: `mm-hmm`, `uh-huh`.
            continue
        if all(mark.text in _MARKS or mark.text.startswith("..") for mark in marks):
            form = "".join(mark.text for mark in marks).replace("…", "...")
            end = marks[-1].end if marks else token.end
            yield Use("after_filler", form or _NONE, token.end, end)


def _kept(corpus: Corpus) -> Iterator[Outcome]:
    found = {number: _first_filler(corpus.texts[number]) for number in corpus.texts_with(_TRIGGER)}
    fillers = {number: filler for number, filler in found.items() if filler is not None}
    has = np.isin(corpus.text_of_row, list(fillers))
    of_row = corpus.group_of_row
    if len(corpus.alone):
        yield Abstention(corpus.alone.tolist())
    heard = np.bincount(of_row, weights=has) > 0 if len(corpus) else has
    voting = np.flatnonzero(heard[of_row] & (np.bincount(of_row)[of_row] > 1)).tolist() if len(corpus) else []
    majorities = Majorities()
    for row in voting:
        majorities.count("filler.kept", "kept" if has[row] else "dropped", [corpus.annotators[row]])
    yield from majorities.tallies()
    majority = majorities.clear("filler.kept") if len(voting) else None
    if majority is None:
        yield Abstention(voting)
        return
    score = majorities.score("filler.kept")
    share = majorities.shares("filler.kept")[majority]
    for row in voting:
        if has[row] == (majority == "kept"):
            continue
        text = corpus.text(row)
        start, end = fillers.get(int(corpus.text_of_row[row]), (0, 0))
        evidence = f"{share:.0%} of the transcripts of audio in which somebody heard a filler have it {majority}"
        suggestion = without_fillers(text) if majority == "dropped" else None
        yield Finding([row], start, end, score, evidence, suggestion)


def _first_filler(text: str) -> tuple[int, int] | None:
    return next(((t.start, t.end) for t in tokens(text) if t.kind == "filler" and t.key not in AMBIGUOUS), None)


def without_fillers(text: str) -> str:
    """The text without its unmistakable fillers and the commas or dots that go with them.

    >>> without_fillers("Um... today, uh, it rains")
    'Today, it rains'
    """
    found, changes = tokens(text), []
    for number, token in enumerate(found):
        if token.kind != "filler" or token.key in AMBIGUOUS:
            continue
        end = token.end
        behind = number + 1
        is_last = not any(t.is_spoken for t in found[behind:])
        if not is_last and behind < len(found) and (found[behind].text in _MARKS or found[behind].text[:2] == ".."):
            end = found[behind].end
        while end < len(text) and text[end].isspace():
            end += 1
        changes.append((token.start, end, ""))
    made = replaced(text, changes).rstrip() if changes else text
    return made[:1].upper() + made[1:] if text[:1].isupper() else made


def _put_mark(_: str, form: str) -> str:
    return "" if form == _NONE else form


FILLER_RULES = (
    Rule(
        "convention.filler",
        "A hesitation spelled in several ways is several words to the model.",
        "style",
        convention_check(_spellings, each_replaced(in_case_of), trigger=_TRIGGER),
        fires=(Example(("um yes", "Um, no", "um right", "umm well"), (3,)),),
        passes=(Example(("um yes", "uh no", "um right", "um well")), Example(("um yes", "umm no"))),
    ),
    Rule(
        "convention.after_filler",
        "The mark behind a hesitation is set by taste; one taste for the whole corpus can be learnt.",
        "style",
        convention_check(_marks_behind, each_replaced(_put_mark), trigger=_TRIGGER),
        fires=(Example(("um, yes", "uh, no", "Um, right", "um... well"), (3,)),),
        passes=(Example(("um, yes", "uh, no", "Um, right", "um.")), Example(("um, yes", "um... no"))),
    ),
    Rule(
        "convention.filler_kept",
        "Whether hesitations are written or left out must be one decision for the whole corpus.",
        "style",
        _kept,
        fires=(Example(("um yes", "um yes", "uh yes", "yes"), (3,), same_audio=True),),
        passes=(Example(("um yes", "yes"), same_audio=True), Example(("um yes", "um no", "um so", "yes"))),
    ),
)
