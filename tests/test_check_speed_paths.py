"""What makes the rules quick changes nothing that they find: triggers, words looked at once, several processes."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from label_rules.apply import Applied, apply_rules
from label_rules.builtin import BUILTIN_RULES
from label_rules.conflicts.group import Group
from label_rules.corpus import Corpus
from label_rules.rule import Finding, Rule
from label_rules.timing.rules import letters_spoken
from label_rules.words import Words
from workbench.jobs.processes import InProcesses

FOUND = ("flags", "conflicts", "conventions", "faults")
# The pieces that tokens, tags, numbers, marks and dual transcriptions are made of, and what upsets them.
PIECES = (
    "um", "Uh,", "the", "ice", "cream", "icecream", "ice-cream", "okay", "OK", "colour", "color", "it's", "it’s",
    "it is", "do not", "DON'T", "3", "three", "20%", "percent", "[noise]", "[door slams]", "[b}um", "{a [b}um]", "<3>",
    "(70%)/(칠십 퍼센트)", ") / (um", "(laughs)", "오십분", "오늘", "날씨", "...", "…", '"', "“", "well ,", "\t", "  ",
    "\u0430", "cafe\u0301", "\x85", "\u200b", "b/", "o/ 네", "t.e.n.", "-",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join)


def same(one: Applied, other: Applied, names: tuple[str, ...] = FOUND) -> None:
    for name in names:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True, obj=name)


def without_triggers(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, rules: Sequence[Rule] = BUILTIN_RULES
) -> Applied:
    """What the rules find when every text is looked at."""
    with monkeypatch.context() as patched:
        patched.setattr(Corpus, "texts_with", lambda corpus, trigger: range(len(corpus.texts)))
        return apply_rules(frame, rules)


def frame_of(texts: list[str]) -> pd.DataFrame:
    """The texts in groups of three by three annotators."""
    ids = [f"u{number // 3}" for number in range(len(texts))]
    return pd.DataFrame({"utterance_id": ids, "annotator": [f"ann_{n % 3}" for n in range(len(texts))], "text": texts})


def real_texts(shared_data: Path, count: int) -> pd.DataFrame:
    """Crowd transcripts, and as many references of other clips."""
    path = shared_data / "crowdspeech" / "crowdspeech-dev-other-crowd.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file, delimiter="\t")][:count]
    with (shared_data / "asr_outputs" / "common-voice-four-systems" / "google.csv").open(encoding="utf-8") as file:
        rows += [(row["files"], row["actual"], "reference") for row in csv.DictReader(file)][:count]
    return pd.DataFrame(rows, columns=["utterance_id", "text", "annotator"]).drop_duplicates(
        ["utterance_id", "annotator"]
    )


@settings(deadline=None, max_examples=15)
@given(st.lists(TEXTS, min_size=1, max_size=12))
def test_triggers_pass_over_no_text_that_a_rule_finds_something_in(texts: list[str]) -> None:
    # Each text several times, so that there are majorities, and so that nothing hangs on one use.
    frame = frame_of([*texts, *(f"{text} {word}" for text in texts for word in ("so", "now"))])
    with pytest.MonkeyPatch.context() as patched:
        same(apply_rules(frame), without_triggers(frame, patched))


def test_triggers_change_nothing_on_the_examples_of_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for rule in (rule for rule in BUILTIN_RULES if rule.rule_id.startswith("convention.")):
        for example in (*rule.fires, *rule.passes):
            frame = example.transcripts()
            same(apply_rules(frame, [rule]), without_triggers(frame, monkeypatch, [rule]))


def test_triggers_change_nothing_on_real_texts(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = real_texts(shared_data, 2000)
    same(apply_rules(frame), without_triggers(frame, monkeypatch))


def test_two_processes_find_what_one_does(shared_data: Path) -> None:
    frame = real_texts(shared_data, 4200)
    assert Corpus(frame).groups[500:], "fewer groups than are sent together"
    same(apply_rules(frame), apply_rules(frame, spread=InProcesses(2)), (*FOUND, "summary"))


def test_what_a_process_could_not_do_is_done_again_here() -> None:
    here: list[Any] = list(InProcesses(2)(_only_in_the_first_process, list(range(4))))
    assert here == [0, 1, 4, 9]


def _only_in_the_first_process(number: int) -> int:
    import multiprocessing

    if multiprocessing.parent_process() is not None and number % 2:
        raise OSError("not here")
    return number * number


def test_what_is_begun_in_processes_goes_on_until_nobody_wants_it() -> None:
    begun = InProcesses(2)(_slowly, list(range(400)))
    assert next(iter(begun)) == 0
    threads = set(threading.enumerate())
    del begun
    deadline = time.monotonic() + 60
    while "results" in {thread.name for thread in threads & set(threading.enumerate())}:
        assert time.monotonic() < deadline, "all of it is done, though nobody waits for it"
        time.sleep(0.05)


def _slowly(number: int) -> int:
    time.sleep(0.5)
    return number


def test_what_compares_is_asked_last_and_told_in_its_place() -> None:
    asked = []

    def noted(rule_id: str, compares: bool) -> Rule:
        def check(corpus: Corpus) -> Iterator[Finding]:
            asked.append(rule_id)
            yield Finding([0], 0, 1, 0.5, rule_id)

        return Rule(rule_id, "A reason.", "style", check, (), (), compares=compares)

    rules = [noted("test.first", True), noted("test.second", False), noted("test.third", False)]
    applied = apply_rules(frame_of(["a cat", "a cap"]), rules)
    assert asked == ["test.second", "test.third", "test.first"]
    assert applied.flags["rule_id"].tolist() == ["test.first", "test.second", "test.third"]


def test_a_group_that_cannot_be_compared_is_a_fault_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Group) -> str:
        raise RuntimeError("no pivot")

    monkeypatch.setattr(Group, "pivot", property(broken))
    rule = next(rule for rule in BUILTIN_RULES if rule.rule_id == "conflict.content")
    applied = apply_rules(frame_of(["a cat", "a cap", "a can"]), [rule])
    assert applied.faults["location"].tolist() == ["utterance:u0"]
    assert "RuntimeError: no pivot (test_check_speed_paths.py" in applied.faults["reason"][0]


@given(st.lists(TEXTS, min_size=1, max_size=12, unique=True))
def test_sums_over_words_are_sums_over_texts(texts: list[str]) -> None:
    np.testing.assert_array_equal(Corpus(frame_of(texts)).summed(letters_spoken), list(map(letters_spoken, texts)))


@given(st.lists(TEXTS, max_size=12))
def test_the_words_of_texts_are_their_pieces_between_white_space(texts: list[str]) -> None:
    words = Words(texts)
    pieces = [
        [words.vocabulary[code] for code in words.codes[start:end]]
        for start, end in zip(words.starts[:-1], words.starts[1:], strict=True)
    ]
    assert pieces == [text.split() for text in texts]
    holding = words.texts_with(words.that(lambda word: "i" in word))
    assert holding.tolist() == [n for n, text in enumerate(texts) if "i" in text]
