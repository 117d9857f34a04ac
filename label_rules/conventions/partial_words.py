"""How words that break off are marked: `wea- weather`, `wea-- weather`, `wea~`, or not at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from label_rules.conventions.convention import Use, Writing, each_replaced, prepared_check
from label_rules.conventions.word_slots import WORD
from label_rules.corpus import Corpus
from label_rules.rule import Example, Rule
from label_rules.words import Words

_MARKED = re.compile(r"(?<![\w'’~=-])(?P<part>[^\W\d_]+)(?P<mark>-{1,2}|[–—~=]|…|\.{3})(?=[\s,.?!]|$)")
# Of compounds that share their end: `pre- and post-war`. In Korean `=` and `~` follow whole words too.
_SUSPENDED = re.compile(r"\s+(?:and|or|to|und|oder)\b", re.IGNORECASE)
_TRIGGER = re.compile(r"[-–—~=…](?:[\s,.?!]|$)|\.\.\.")
# A dot row or a long dash stands for much else, so that only the word taken up again says that one broke off.
_NEEDS_REPEAT = frozenset(("...", "…", "–", "—", "--"))
_BARE = "none"
_LEAST_BARE, _LEAST_REST = 2, 2
_UNMARKED = re.compile(r"(?i)(?<![\w'’-])([^\W\d_]{2,})\s(?=\1[^\W\d_]{2})")


def _writing(corpus: Corpus) -> Writing:
    fragments = _only_fragments(corpus.words)

    def observe(text: str) -> Iterator[Use]:
        if _TRIGGER.search(text):
            yield from _marked(text)
        for found in _UNMARKED.finditer(text) if fragments else ():
            if found.group(1).lower() in fragments:
                yield Use("partial_word", _BARE, found.end(1), found.end(1))

    def trigger(word: str) -> bool:
        return word.lower() in fragments or _TRIGGER.search(word) is not None

    return Writing(observe, each_replaced(_as_wanted), trigger)


def _marked(text: str) -> Iterator[Use]:
    for found in _MARKED.finditer(text):
        behind = WORD.search(text, found.end())
        repeated = behind is not None and _is_begin(found["part"], behind.group())
        if found["mark"] in _NEEDS_REPEAT and not repeated:
            continue
        if _SUSPENDED.match(text, found.end()) or (found["mark"] == "=" and not repeated):
            continue
        yield Use("partial_word", found["mark"].replace("…", "..."), *found.span("mark"))


def _is_begin(part: str, word: str) -> bool:
    part, word = part.lower(), word.lower()
    return word.startswith(part) and word != part


def _only_fragments(words: Words) -> frozenset[str]:
    """What is written as a word, but only ever before a longer word that begins with it; in lower case."""
    size = len(words.vocabulary)
    inside = np.ones(len(words.codes), dtype=bool)
    # The last word of a text has none behind it.
    inside[words.starts[1:][np.diff(words.starts) > 0] - 1] = False
    at = np.flatnonzero(inside)
    codes, counts = np.unique(words.codes[at].astype(np.int64) * size + words.codes[at + 1], return_counts=True)
    lower = [word.lower() for word in words.vocabulary]
    before: Counter[str] = Counter()
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        one, other = lower[code // size], lower[code % size]
        if other.startswith(one) and len(other) >= len(one) + _LEAST_REST and len(one) >= _LEAST_BARE:
            before[one] += count
    written: Counter[str] = Counter()
    for word, count in zip(lower, np.bincount(words.codes, minlength=size).tolist(), strict=True):
        if (bare := word.strip(".,?!")) in before:
            written[bare] += count
    return frozenset(word for word, count in before.items() if word.isalpha() and written[word] == count)


def _as_wanted(_: str, form: str) -> str:
    return "" if form == _BARE else form


PARTIAL_WORD_RULES = (
    Rule(
        "convention.partial_word",
        "A word that breaks off is told from a whole one by its mark, which must always be the same.",
        "style",
        prepared_check(_writing),
        fires=(
            Example(("the wea- weather", "to mor- tomorrow", "I w- want", "the um- umbrella", "so tod~ today"), (4,)),
            Example(("the wea- weather", "to mor- tomorrow", "I w- want", "an umbr umbrella"), (3,)),
        ),
        passes=(
            Example(("the wea- weather", "tom- tomorrow", "I w- want", "pre~ and post~war", "well... so", "the they")),
            Example(("wea- weather", "wea~ weather")),
        ),
    ),
)
