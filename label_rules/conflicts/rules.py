"""The rules on transcripts of the same audio that differ, one for each kind of difference."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from label_rules.conflicts.group import Group
from label_rules.conflicts.repair import repair
from label_rules.conflicts.votes import Comparison, Departure
from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Fault, Finding, Outcome, Rule, Severity, attempt

_COLUMNS = ["group", "utterance_id", "annotator", "text", "kinds", "why"]


def conflicts_table(corpus: Corpus) -> pd.DataFrame:
    """The table of conflicts: the transcripts of every group that differs in more than its spaces."""
    rows = []
    for group, comparison in _compared(corpus):
        if isinstance(comparison, Fault) or not any(comparison.kinds.values()):
            continue
        for text, held in group.holders.items():
            kinds = ", ".join(sorted(comparison.kinds[text]))
            for row in held:
                ids = corpus.utterance_ids[row], corpus.annotators[row]
                rows.append((group.name, *ids, text, kinds, group.why))
    return pd.DataFrame(rows, columns=_COLUMNS, dtype="str")


def _compared(corpus: Corpus) -> Iterator[tuple[Group, Comparison | Fault]]:
    yield from attempt(lambda group: group.comparison, corpus.groups, lambda group: group.name)


def _check(corpus: Corpus, kind: str) -> Iterator[Outcome]:
    if len(corpus.alone):
        yield Abstention(corpus.alone.tolist())
    for group, comparison in _compared(corpus):
        if isinstance(comparison, Fault):
            yield comparison
            continue
        departing: dict[str, list[Departure]] = {}
        for departure in comparison.departures:
            if departure.kind == kind:
                departing.setdefault(departure.text, []).append(departure)
        for text, departures in departing.items():
            changes = [(each.toward, each.change) for each in departures if each.toward is not None]
            repaired = repair(text, changes) if changes else None
            for each in departures:
                suggestion = repaired if each.toward is not None and repaired != text else None
                yield Finding(
                    group.holders[text], each.change.b_start, each.change.b_end, each.score, each.evidence,
                    suggestion, group.name,
                )  # fmt: skip


def _rule(kind: str, reason: str, fires: tuple[Example, ...], passes: tuple[Example, ...]) -> Rule:
    severity: Severity = "harmful" if kind == "content" else "style"
    return Rule(f"conflict.{kind}", reason, severity, partial(_check, kind=kind), fires, passes)


def _same(*texts: str, flagged: tuple[int, ...] = ()) -> Example:
    return Example(texts, flagged, same_audio=True)


_ALIKE = _same("Um, today's weather", "Um, today's  weather")

CONFLICT_RULES = (
    _rule(
        "content",
        "Transcripts of the same audio that hold different words cannot all be right, and teach the model noise.",
        (
            _same("turn the light on", "turn the light on", "turn the lid on", flagged=(2,)),
            _same("by the sea", "by the see", flagged=(0, 1)),
            _same("I can go", "I can't go", flagged=(0, 1)),
            Example(("that is a cat", "that is a cap"), (0, 1), True, columns={"hypothesis": ("is a cat",) * 2}),
        ),
        (_ALIKE, _same("at 3 pm", "at three p.m."), _same("okay then", "ok then"), Example(("a cat", "a cap"))),
    ),
    _rule(
        "filler",
        "Hesitations that some annotators write and others leave out make the model guess when to write them.",
        (
            _same("Um, today's weather", "Um... today's weather", "Today's weather", flagged=(2,)),
            _same("오늘 날씨", "음 오늘 날씨", "오늘 날씨", flagged=(1,)),
            _same("um yes", "uh yes", flagged=(0, 1)),
        ),
        (_ALIKE, _same("I like it", "I, like it"), _same("그 사람", "이 사람")),
    ),
    _rule(
        "number",
        "One number written as digits and as words gives the same sound two targets.",
        (
            _same("at 3 pm", "at three p.m.", "at 3pm", flagged=(0, 1, 2)),
            _same("twenty men", "20 men", "twenty men", flagged=(1,)),
            _same("세 시에 보자", "3시에 보자", flagged=(0, 1)),
        ),
        (_ALIKE, _same("two men", "too men"), _same("20 men", "30 men")),
    ),
    _rule(
        "contraction",
        "A contraction and its full form are different words to the model, but one of them was said.",
        (
            _same("it's late", "it is late", "it's late", flagged=(1,)),
            _same("I'm gonna go", "I'm going to go", flagged=(0, 1)),
        ),
        (_ALIKE, _same("I can go", "I can't go"), _same("its late", "it late")),
    ),
    _rule(
        "spelling",
        "Two spellings of one word split its examples between two targets.",
        (
            _same("the colour red", "the color red", "the color red", flagged=(0,)),
            _same("okay then", "ok then", flagged=(0, 1)),
            _same("it is definately so", "it is definitely so", "it is definitely so", flagged=(0,)),
        ),
        (_ALIKE, _same("by the sea", "by the see"), _same("the desert", "the dessert")),
    ),
    _rule(
        "spacing",
        "Words written together and apart count as errors wherever the other way was learnt.",
        (
            _same("an ice cream", "an icecream", "an ice cream", flagged=(1,)),
            _same("an ice-cream", "an ice cream", flagged=(0, 1)),
            _same("오늘 날씨 어때", "오늘날씨 어때", flagged=(0, 1)),
        ),
        (_ALIKE, _same("hello world ", " hello\tworld")),
    ),
    _rule(
        "casing",
        "A word with and without its capital is two tokens to a model that writes capitals.",
        (
            _same("in Paris today", "in paris today", "in Paris today", flagged=(1,)),
            _same("HELLO WORLD", "hello world", flagged=(0, 1)),
        ),
        (_ALIKE, _same("Um, today's weather", "Today's weather"), _same("오늘", "오늘은")),
    ),
    _rule(
        "punctuation",
        "Marks set by taste give the model no sound to learn them from.",
        (
            _same("Um, today's weather", "Um... today's weather", "Today's weather", flagged=(0, 1)),
            _same("it’s late", "it's late", "it's late", flagged=(0,)),
            _same("well, yes", "well yes", "well yes", flagged=(0,)),
        ),
        (_ALIKE, _same("Um, today's weather", "Today's weather")),
    ),
)
