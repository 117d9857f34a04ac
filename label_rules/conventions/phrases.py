"""Words that are listed with several ways to join, dot or shorten them: `email`, `e-mail`; `gonna`, `going to`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from analysis.language.contractions import WHOLE_WORDS
from label_rules.conventions.convention import Use, convention_check, each_replaced, in_case_of, replaced
from label_rules.rule import Example, Rule
from label_rules.tokens import APOSTROPHES, plain_apostrophes

# The first way names the convention. A space stands for any white space.
_WAYS: tuple[tuple[str, ...], ...] = (
    ("email", "e-mail", "e mail"), ("emails", "e-mails", "e mails"), ("wifi", "wi-fi", "wi fi"),
    ("o'clock", "oclock", "o clock"), ("t-shirt", "tshirt", "t shirt", "tee shirt"), ("x-ray", "xray", "x ray"),
    ("tv", "t.v.", "t v"), ("dj", "d.j.", "deejay"), ("ebook", "e-book", "e book"), ("vs", "vs."), ("mr", "mr."),
    ("mrs", "mrs."), ("ms", "ms."), ("dr", "dr."), ("et cetera", "etc", "etc."),
)  # fmt: skip
_KEY = {way: ways[0] for ways in _WAYS for way in ways}


def _pattern(ways: tuple[str, ...]) -> str:
    made = []
    for way in sorted(ways, key=len, reverse=True):
        spaced = re.escape(way).replace("\\ ", r"\s+").replace("'", f"[{APOSTROPHES}]")
        made.append(spaced.replace(r"\-", r"[-\u2010\u2011]"))
    return "|".join(made)


_PHRASE = re.compile(rf"(?i)(?<![\w.'-])(?:{_pattern(tuple(_KEY))})(?![\w'-])")
# What one word at least of each way has.
_TRIGGER = re.compile(
    r"(?i)mail|fi\b|clock|shirt|ray\b|t\.?v\b|^v\b|d\.?j|deejay|book|\bvs|\bmr|\bms|\bdr|cetera|\betc"
)
_REDUCED_WORDS = """
    gonna wanna gotta kinda sorta gimme lemme dunno outta lotta coulda shoulda woulda cuz 'em 'tis 'twas c'mon y'all
    ma'am
"""
_FULL_OF = {word: WHOLE_WORDS[word][0] for word in _REDUCED_WORDS.split()}
_SHORT_OF = {full: word for word, full in _FULL_OF.items() if full not in ("them", "because", "madam", "it is")}
# `I am going to Rome` has no short form.
_REDUCED = re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, sorted(_FULL_OF, key=len, reverse=True)))})(?!\w)")
_BEFORE_VERB = {"going to", "want to", "got to"}
_VERBS = """
    be do go get have make say see take come know think give find tell ask work call try need use put keep let begin
    show play run move live write sit stand lose pay meet set learn change lead watch follow stop talk wait die buy
    send build stay fall cut sell pass pull eat look start turn help hear leave feel bring happen break read
"""
_IN_FULL = re.compile(
    r"(?i)\b(?:" + "|".join(
        re.escape(full).replace("\\ ", r"\s+")
        + (rf"(?=\s+(?:{'|'.join(_VERBS.split())})\b)" if full in _BEFORE_VERB else "")
        for full in sorted(_SHORT_OF, key=len, reverse=True)
    ) + r")\b"
)  # fmt: skip


_FIRST_WORDS = {full.split()[0] for full in _SHORT_OF}
_OF_REDUCTION = re.compile(rf"(?i){'|'.join(re.escape(word) for word in sorted({*_FULL_OF, *_FIRST_WORDS}))}")


def _phrases(text: str) -> Iterator[Use]:
    for found in _PHRASE.finditer(text):
        way = " ".join(plain_apostrophes(found.group()).lower().replace("\u2010", "-").replace("\u2011", "-").split())
        if way.endswith(".") and not text[found.end() :].strip():
            # The dot of the sentence's end says nothing of the word's.
            continue
        yield Use(f"phrase.{_KEY[way].rstrip('.')}", way, found.start(), found.end())


def _reductions(text: str) -> Iterator[Use]:
    plain = plain_apostrophes(text)
    for found in _REDUCED.finditer(plain):
        yield Use("reduction", "reduced", found.start(), found.end())
    for found in _IN_FULL.finditer(plain):
        yield Use("reduction", "full", found.start(), found.end())


def _other_form(text: str, uses: Sequence[tuple[Use, str]]) -> str:
    changes = []
    for use, form in uses:
        written = text[use.start : use.end]
        key = " ".join(plain_apostrophes(written).lower().split())
        new = (_SHORT_OF if form == "reduced" else _FULL_OF).get(key, written)
        changes.append((use.start, use.end, in_case_of(written, new) if new != written else written))
    return replaced(text, changes)


PHRASE_RULES = (
    Rule(
        "convention.phrase",
        "A word joined, dotted or spaced in several ways is several words to the model.",
        "style",
        convention_check(_phrases, each_replaced(in_case_of), trigger=_TRIGGER),
        fires=(
            Example(("my email is", "Email me", "an email came", "an e-mail came", "one e mail"), (3, 4)),
            Example(("one o'clock now", "two o'clock now", "six o’clock now", "ten oclock now"), (3,)),
            Example(("Mr. Bell is in", "Mr. Bell is in", "Mr. Bell is in", "Mr Bell is in"), (3,)),
        ),
        passes=(
            Example(("my email is", "Email me", "an email came", "blackmail", "room e", "ask the Mr.")),
            Example(("email", "e-mail")),
        ),
    ),
    Rule(
        "convention.reduction",
        "An annotator who always writes `gonna` out, or never does, follows a habit and not the audio.",
        "style",
        convention_check(_reductions, _other_form, habits_only=True, trigger=_OF_REDUCTION),
        fires=(
            Example(
                (*("I'm gonna go",) * 8, *("I'm going to go",) * 5),
                (8, 9, 10, 11, 12),
                annotators=("ann",) * 8 + ("bob",) * 5,
            ),
        ),
        passes=(Example((*("I'm gonna go",) * 8, *("I'm going to Rome",) * 5)),),
    ),
)
