"""The rules on transcripts of the same audio that differ, one for each kind of difference."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Outcome, Rule, Severity

_COLUMNS = ["group", "utterance_id", "annotator", "text", "kinds", "why"]


def conflicts_table(corpus: Corpus) -> pd.DataFrame:
    """The table of conflicts: the transcripts of every group that differs in more than its spaces."""
    rows = []
    for group, kinds_of_text in corpus.conflicts.kinds:
        if not any(kinds_of_text):
            continue
        for (text, held), kinds in zip(group.holders.items(), kinds_of_text, strict=True):
            for row in held:
                ids = corpus.utterance_ids[row], corpus.annotators[row]
                rows.append((group.name, *ids, text, kinds, group.why))
    return pd.DataFrame(rows, columns=_COLUMNS, dtype="str")


def _check(corpus: Corpus, kind: str) -> Iterator[Outcome]:
    if len(corpus.alone):
        yield Abstention(corpus.alone.tolist())
    yield from corpus.conflicts.faults
    yield from corpus.conflicts.findings.get(kind, ())


def _rule(kind: str, reason: str, fires: tuple[Example, ...], passes: tuple[Example, ...]) -> Rule:
    severity: Severity = "harmful" if kind in ("content", "cut_off") else "style"
    return Rule(f"conflict.{kind}", reason, severity, partial(_check, kind=kind), fires, passes, compares=True)


def _same(*texts: str, flagged: tuple[int, ...] = ()) -> Example:
    return Example(texts, flagged, same_audio=True)


_ALIKE = _same("Um, today's weather", "Um, today's  weather")

CONFLICT_RULES = (
    _rule(
        "cut_off",
        "A transcript that lacks the start or the end of what was said teaches the model to drop words.",
        (
            _same("turn the light on in the", "turn the light on in the kitchen please", flagged=(0,)),
            _same("the light on in the kit", "the light on in the kitchen please", flagged=(0,)),
            _same("can you call a taxi", "call a taxi", "can you call a taxi", flagged=(1,)),
            _same("불 꺼", "거실 큰 불 꺼", "거실 큰 불 꺼", flagged=(0,)),
        ),
        (
            _ALIKE,
            _same("turn the light on", "turn the light off"),
            _same("turn the light on", "turn the light on um uh"),
            _same("the light in the room", "the light in the kitchen please"),
            _same("play jazz", "play some good jazz"),
            _same("what time is it", "yes it is late now you see"),
        ),
    ),
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
