"""Transcripts that lack the start or the end that others of the same audio have."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd
import pytest

from label_rules.apply import apply_rules
from label_rules.conflicts.differences import differences, word_differences
from label_rules.conflicts.repair import repair
from label_rules.conflicts.rules import CONFLICT_RULES

WHOLE = "turn the light on in the kitchen please"


def kinds(a: str, b: str) -> list[tuple[str, str, str]]:
    return [(each.kind, each.a_text, each.b_text) for each in differences(a, b)]


@pytest.mark.parametrize(
    ("cut", "lost"),
    [
        ("turn the light on in the", [("", "kitchen please")]),
        ("turn the light on in the kit", [("kit", "kitchen please")]),
        ("light on in the kitchen please", [("", "turn the")]),
        ("ght on in the kitchen please", [("ght", "turn the light")]),
        ("light on in the", [("", "turn the"), ("", "kitchen please")]),
        ("turn", [("", "the light on in the kitchen please")]),
        ("turn the lied", [("lied", "light on in the kitchen please")]),
    ],
)
def test_a_missing_start_or_end_is_one_difference(cut: str, lost: list[tuple[str, str]]) -> None:
    assert kinds(cut, WHOLE) == [("cut_off", a, b) for a, b in lost]
    assert kinds(WHOLE, cut) == [("cut_off", b, a) for a, b in lost]


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        ("turn it on", "turn it off", "content"),
        ("turn it on", "turn it on now", "content"),
        ("turn it on um uh", "turn it on", "filler"),
        ("the light in the room", "the light in the kitchen please", "content"),
        ("play jazz", "play some good jazz", "content"),
        ("what time is it", "yes it is late now you see", "content"),
        ("I saw the", "the cat went", "content"),
        ("", "hello there you", "content"),
        ("no a", "no and then we left", "content"),
    ],
)
def test_what_is_no_cut(a: str, b: str, kind: str) -> None:
    assert {each.kind for each in differences(a, b)} == {kind}
    assert {each.kind for each in differences(b, a)} == {kind}


def test_a_cut_stands_beside_the_differences_of_the_rest() -> None:
    assert [d.kind for d in differences("it costs twenty", "it costs 20 dollars and five cents")] == [
        "number",
        "cut_off",
    ]
    assert kinds("turn it on", "Um, could you turn it on") == [("cut_off", "", "Um, could you")]


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        ("Turn the light on in the kitchen, please.", "Turn the light on."),
        ("Can you call a taxi?", "Call a taxi?"),
        ("오늘 서울 날씨 알려 줘", "오늘 서울 날씨"),
        (WHOLE, "light on in the"),
    ],
)
def test_taking_the_cut_back_gives_the_whole(whole: str, cut: str) -> None:
    assert repair(cut, [(whole, each) for each in word_differences(whole, cut)]) == whole


def flags(*texts: str) -> list[tuple[int, str, float, str | None]]:
    frame = pd.DataFrame({"utterance_id": "u1", "annotator": [f"ann_{n}" for n in range(len(texts))], "text": texts})
    applied = apply_rules(frame, CONFLICT_RULES)
    assert applied.exceptions == ()
    return [
        (int(row.annotator[4:]), row.rule_id, row.score, None if pd.isna(row.suggestion) else row.suggestion)
        for row in applied.flags.itertuples()
    ]


def test_of_two_the_one_that_lacks_words_is_flagged() -> None:
    assert flags("turn the light on", WHOLE) == [(0, "conflict.cut_off", 0.95, WHOLE)]


def test_texts_cut_at_different_words_vote_alike() -> None:
    found = flags("turn the light on", WHOLE, "turn the light on in the", WHOLE)
    assert found == [(0, "conflict.cut_off", 0.95, WHOLE), (2, "conflict.cut_off", 0.95, WHOLE)]


def test_two_that_stop_against_one_that_goes_on_are_undecided() -> None:
    found = flags("turn the light on", "turn the light on", WHOLE)
    assert {(row, rule, suggestion) for row, rule, _, suggestion in found} == {
        (row, "conflict.cut_off", None) for row in range(3)
    }


def test_many_that_stop_against_one_that_goes_on_are_right() -> None:
    found = flags("turn the light on", "turn the light on", "turn the light on", WHOLE)
    assert [(row, suggestion) for row, _, _, suggestion in found] == [(3, "turn the light on")]


def test_a_text_that_stops_has_no_vote_on_what_it_does_not_reach() -> None:
    found = flags("turn the light on", "turn the light on in the kitchen peas", WHOLE, WHOLE)
    assert (1, "conflict.content", 0.8, WHOLE) not in found  # of four it would be, of three it is 3/5
    assert (1, "conflict.content", 0.6, WHOLE) in found


def test_the_weather_is_not_cut_off() -> None:
    found = flags("Um, today's weather", "Um... today's weather", "Today's weather")
    assert [(row, rule) for row, rule, *_ in found] == [
        (2, "conflict.filler"),
        (0, "conflict.punctuation"),
        (1, "conflict.punctuation"),
    ]


def test_crowd_workers_who_stop_early_are_found(shared_data: Path) -> None:
    """Of two transcripts by crowd workers, the one that is flagged lacks what the truth has there."""
    crowd: dict[str, list[str]] = {}
    with (shared_data / "crowdspeech/crowdspeech-dev-clean-crowd.tsv").open(encoding="utf-8", newline="") as file:
        for row in list(csv.reader(file, delimiter="\t"))[1:]:
            crowd.setdefault(row[0], []).append(" ".join(re.sub("[^a-z' ]+", " ", row[1].lower()).split()))
    truth = dict(
        line.rstrip("\n").split("\t")
        for line in (shared_data / "crowdspeech/crowdspeech-dev-clean-gt.txt").open(encoding="utf-8")
    )
    clips = sorted(clip for clip in crowd if len(crowd[clip]) > 1)[:600]
    rows = [(clip, f"ann_{n}", text) for clip in clips for n, text in enumerate(crowd[clip][:2])]
    frame = pd.DataFrame(rows, columns=["utterance_id", "annotator", "text"])
    found = apply_rules(frame, [r for r in CONFLICT_RULES if r.rule_id == "conflict.cut_off"]).flags.merge(frame)
    lost = [len(truth[row.utterance_id].split()) - len(row.text.split()) for row in found.itertuples()]
    assert len(lost) >= 10
    assert sum(words > 0 for words in lost) >= 0.9 * len(lost)
