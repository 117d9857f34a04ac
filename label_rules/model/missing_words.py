"""Words that several recognisers hear at one place and the label lacks, or that it has and none of them hears."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from analysis.align import count_char_errors
from analysis.language.sounds import sound_key
from label_rules.corpus import Corpus
from label_rules.evidence import quoted
from label_rules.model.heard import Place, Spoken, heard, letters, spoken
from label_rules.model.put_words import with_words
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule
from label_rules.suspects.model import characters

LEAST_MODELS = 2
# Of fewer letters, all recognisers drop words that were said.
_LEAST_UNHEARD = 4
# What sounds so much like the label may well be the same word, misheard by all of them.
_LEAST_APART = 0.5


class _Heard(NamedTuple):
    """What one model has at a place where it differs from the label.

    `whole` is the place with all of the label's words that it reaches into (`it's` for what was heard for its `is`),
    and `written` is what was heard there.
    """

    place: Place
    words: tuple[str, ...]
    whole: Place
    written: str


def _check(corpus: Corpus) -> Iterator[Outcome]:
    several = np.zeros(len(corpus), np.int64)
    hypotheses = np.zeros(len(corpus), np.int64)
    for model in corpus.models:
        hypotheses += np.fromiter(map(bool, model.hypotheses), bool, len(corpus))
    enough = hypotheses >= LEAST_MODELS
    labels = {row: spoken(corpus.text(row)) for row in np.flatnonzero(enough).tolist()}
    by_row: dict[int, list[_Heard]] = defaultdict(list)
    for model in corpus.models:
        theirs = [(row, spoken(text), text) for row in labels if (text := model.hypotheses[row])]
        theirs = [each for each in theirs if each[1].keys and labels[each[0]].keys]
        found = heard([labels[row].keys for row, _, _ in theirs], [words.keys for _, words, _ in theirs])
        for (row, words, text), one in zip(theirs, found, strict=True):
            several[row] += 1
            for place in one.places:
                whole = _whole(labels[row], place, one.matched)
                written = _written(text, words, whole.heard_start, whole.heard_end)
                said = words.keys[place.heard_start : place.heard_end]
                by_row[row].append(_Heard(place, said, whole, written))
    yield Abstention(np.flatnonzero(several < LEAST_MODELS).tolist())
    for row, hearings in by_row.items():
        if several[row] >= LEAST_MODELS:
            yield from _findings(corpus, row, labels[row], hearings, int(several[row]))


def _whole(label: Spoken, place: Place, matched: Sequence[int]) -> Place:
    """The place, and what else is said by the label's words that it reaches into."""
    start, end, heard_start, heard_end = place
    while 0 < start < len(label.starts) and label.starts[start] == label.starts[start - 1]:
        start -= 1
        heard_start = min(heard_start, matched[start]) if matched[start] >= 0 else heard_start
    while 0 < end < len(label.starts) and label.starts[end] == label.starts[end - 1]:
        heard_end = max(heard_end, matched[end] + 1)
        end += 1
    return Place(start, end, heard_start, heard_end)


def _written(text: str, words: Spoken, begin: int, end: int) -> str:
    """The words as they stand in the hypothesis; of a contraction that is partly in the label, the part in full."""
    if begin == end:
        return ""
    if "가" <= words.keys[begin] <= "힣" and "가" <= words.keys[end - 1] <= "힣":
        return _syllables(words, begin, end)
    torn = begin > 0 and words.starts[begin] == words.starts[begin - 1]
    torn |= end < len(words.keys) and words.starts[end] == words.starts[end - 1]
    return " ".join(words.keys[begin:end]) if torn else text[words.starts[begin] : words.ends[end - 1]]


def _syllables(words: Spoken, begin: int, end: int) -> str:
    """Korean as it is parted in the hypothesis: keys are syllables there, and those of one word share its place."""
    runs = groupby(range(begin, end), key=lambda number: words.starts[number])
    return " ".join("".join(words.keys[number] for number in run) for _, run in runs)


def _findings(corpus: Corpus, row: int, label: Spoken, hearings: list[_Heard], models: int) -> Iterator[Finding]:
    """Places of the label where most of the models, and two at least, have the same words, or none."""
    votes = Counter((each.place.start, each.place.end, each.words) for each in hearings)
    for (first, last, words), agreeing in votes.items():
        if agreeing < LEAST_MODELS or agreeing * 2 <= models or not _tells(label.keys[first:last], words):
            continue
        if not words and agreeing < models:
            continue
        one = next(each for each in hearings if each.words == words and each.place[:2] == (first, last))
        start, end = characters(label, one.whole)
        text = corpus.text(row)
        evidence = f"{agreeing} of {models} models hear {quoted(one.written)} where the transcript has"
        suggestion = with_words(text, start, end, one.written)
        yield Finding(
            [row], start, end, _score(agreeing, models), f"{evidence} {quoted(text[start:end])}", suggestion or None
        )


def _tells(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether the two runs of words are too unlike for the one to be the other misheard."""
    if not theirs:
        return len(letters(ours)) >= _LEAST_UNHEARD
    if not ours:
        return True
    sides = ["".join(map(sound_key, ours)), "".join(map(sound_key, theirs))]
    counts = count_char_errors(sides[:1], sides[1:])
    edits = int(counts[["char_substitutions", "char_deletions", "char_insertions"]].to_numpy().sum())
    return edits / max(1, *map(len, sides)) >= _LEAST_APART


def _score(agreeing: int, models: int) -> float:
    """The rule of succession: how likely one more model would hear it too."""
    return (agreeing + 1) / (models + 2)


_TEXT = "please turn the lamp off"

MISSING_WORD_RULES = (
    Rule(
        "model.missing_words",
        "What most of several models hear alike and the label lacks was said, and what none of them hears was not.",
        "harmful",
        _check,
        fires=(
            Example(
                ("please turn the off", _TEXT),
                (0,),
                columns={"hypothesis": (_TEXT, _TEXT), "hypothesis_second": ("pleas turn the lamp off", _TEXT)},
            ),
            Example(
                ("please turn the kitchen lamp off",),
                (0,),
                columns={"hypothesis": (_TEXT,), "hypothesis_second": ("these turn the lamp off",)},
            ),
            Example(
                ("please turn the radio off",),
                (0,),
                columns={"hypothesis": (_TEXT,), "hypothesis_second": (_TEXT,), "hypothesis_third": ("turn the lamb",)},
            ),
        ),
        passes=(
            Example(("please turn the off",), columns={"hypothesis": (_TEXT,)}),
            Example(
                ("please turn the off",),
                columns={"hypothesis": (_TEXT,), "hypothesis_second": ("please turn the light off",)},
            ),
            Example(
                ("um, turn twenty lamps off",),
                columns={"hypothesis": ("turn 20 lamps off",), "hypothesis_second": ("Turn 20 lamps off.",)},
            ),
            Example(
                ("we met katharine",),
                columns={"hypothesis": ("we met catherine",), "hypothesis_second": ("we met catherine",)},
            ),
        ),
    ),
)
