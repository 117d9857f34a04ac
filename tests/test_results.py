"""Results: what a hypothesis becomes on the server, and what is read of whatever a server sends."""

from __future__ import annotations

import math
from typing import Any

import pytest

from workbench.label_studio.results import Reading, Segment, one_line, prediction_result, read_result


def said(*words: str, start: float = 0.0, each: float = 0.4, pause: float = 0.1) -> list[dict[str, Any]]:
    return [
        {"word": word, "start": start + n * (each + pause), "end": start + n * (each + pause) + each}
        for n, word in enumerate(words)
    ]


def transcript(*texts: Any) -> dict[str, Any]:
    value = {"text": list(texts)}
    return {"id": "a", "from_name": "transcript", "to_name": "audio", "type": "textarea", "value": value}


def region(name: str, start: Any, end: Any, text: Any = None, label: str = "Speech") -> list[dict[str, Any]]:
    span = {"start": start, "end": end}
    parts = [{"id": name, "from_name": "segment", "type": "labels", "value": span | {"labels": [label]}}]
    if text is not None:
        value = span | {"text": [text]}
        parts.append({"id": name, "from_name": "segment_text", "type": "textarea", "value": value})
    return parts


# a hypothesis to a result


def test_without_times_there_is_the_whole_text() -> None:
    assert prediction_result("so it is") == [transcript("so it is") | {"id": "text"}]


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_nothing_heard_is_an_empty_result(text: str) -> None:
    assert prediction_result(text, said("a"), "segments") == []


def test_words_have_a_region_each_and_the_whole_text() -> None:
    reading = read_result(prediction_result("So, it is!", said("so", "it", "is"), "words", 2.0))
    assert reading.text == "So, it is!"
    assert reading.segments == (Segment(0.0, 0.4, "So,"), Segment(0.5, 0.9, "it"), Segment(1.0, 1.4, "is!"))


def test_segments_end_at_pauses_and_have_the_text_alone() -> None:
    words = said("so", "it", "is") + said("no", "doubt", start=1.9)
    result = prediction_result("so it is no doubt", words, "segments", 5.0)
    assert {part["from_name"] for part in result} == {"segment", "segment_text"}
    assert read_result(result) == Reading(
        "so it is no doubt", segments=(Segment(0.0, 1.4, "so it is"), Segment(1.9, 2.8, "no doubt"))
    )


def test_segments_last_fifteen_seconds_at_most() -> None:
    words = said(*["la"] * 100)
    segments = read_result(prediction_result(" ".join(["la"] * 100), words, "segments", 50.0)).segments
    assert [segment.text.count("la") for segment in segments] == [30, 30, 30, 10]
    assert all((segment.end or 0) - (segment.start or 0) <= 15 for segment in segments)


def test_the_same_hypothesis_gives_the_same_ids_and_a_region_has_one_id() -> None:
    first, second = (prediction_result("so it", said("so", "it"), "words", 2.0) for _ in range(2))
    assert first == second
    assert [part["id"] for part in first] == ["text", "word-1", "word-1", "word-2", "word-2"]


def test_regions_do_not_leave_the_audio() -> None:
    words = [
        {"word": "a", "start": -1.0, "end": 0.5},
        {"word": "b", "start": 0.9, "end": 7.0},
        {"word": "c", "start": 8.0, "end": 9.0},
        {"word": "d", "start": 0.7, "end": 0.7},
    ]
    segments = read_result(prediction_result("a b c d", words, "words", 1.0)).segments
    assert segments == (
        Segment(0.0, 0.5, "a"),
        Segment(0.7, 0.71, "d"),
        Segment(0.9, 1.0, "b"),
        Segment(0.99, 1.0, "c"),
    )


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, "1.0", True])
def test_a_word_without_times_goes_with_the_one_before_it(unknown: Any) -> None:
    words = [*said("a", "b", "c"), {"word": "d"}]
    words[0]["start"] = words[1]["end"] = unknown
    segments = read_result(prediction_result("a b c d", words, "words", 2.0)).segments
    assert [segment.text for segment in segments] == ["a b c d"]


@pytest.mark.parametrize("words", [None, [], [{"word": "a"}], said("another", "number", "of", "words"), [{}]])
def test_words_that_do_not_make_up_the_text_give_no_regions(words: Any) -> None:
    assert prediction_result("one two", words, "segments", 2.0) == [transcript("one two") | {"id": "text"}]


# a result to what a labeller said


def test_the_whole_text_and_remarks_in_their_order() -> None:
    choices = {"from_name": "remarks", "type": "choices", "value": {"choices": ["unsure", "bad_audio"]}}
    assert read_result([transcript(" so it\nis "), choices]) == Reading("so it is", ("bad_audio", "unsure"))


@pytest.mark.parametrize(
    "result",
    [
        [transcript("so", "it is")],
        [transcript("so"), transcript("it is")],
        [transcript() | {"value": {"text": "so it is"}}],
        [transcript("", "so it is", "  ")],
    ],
)
def test_several_texts_are_one(result: Any) -> None:
    assert read_result(result) == Reading("so it is")


def test_text_stays_as_typed_but_for_line_breaks_and_outer_space() -> None:
    decomposed = "\u1112\u1161\u11ab"
    assert one_line(f"\t {decomposed}  two\u00a0spaces \r\n\n a\u2028line ") == f"{decomposed}  two\u00a0spaces a line"
    assert one_line("half \ud83d of one") == "half \ufffd of one"


def test_regions_are_in_order_of_time_and_give_the_text_where_the_whole_is_empty() -> None:
    result = [*region("b", 2.0, 3.0, "later"), *region("a", 0.5, 2.5, "first"), *region("c", 1.0, 1.5)]
    reading = read_result(result)
    assert reading.segments == (Segment(0.5, 2.5, "first"), Segment(1.0, 1.5, ""), Segment(2.0, 3.0, "later"))
    assert reading.text == "first later"
    assert read_result([*result, transcript("the whole")]).text == "the whole"
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("result", "text", "problem"),
    [
        (None, "", "the result is nothing, not a list"),
        ({"a": 1}, "", "the result is a value of type dict, not a list"),
        (["x", transcript("so")], "so", "part 1 of the result has no value"),
        ([{"from_name": "transcript", "value": "so"}], "", "part 1 of the result has no value"),
        ([transcript("so", 7)], "so", "transcript holds something that is no text"),
        ([transcript() | {"value": {}}], "", "transcript has no text but nothing"),
        ([{"from_name": "noise", "value": {"rating": 3}}], "", "the field 'noise' is not one of the workbench's"),
        ([{"from_name": ["x"], "value": {}}], "", "the field ['x'] is not one of the workbench's"),
        ([{"from_name": "remarks", "value": {"choices": ["loud"]}}], "", "the choice 'loud' is not known"),
        ([{"from_name": "remarks", "value": {"choices": [{}]}}], "", "the choice {} is not known"),
        ([{"from_name": "remarks", "value": {"choices": 3}}], "", "remarks has no choices but a value of type int"),
        (region("a", 0, 1, "so", label="Music"), "so", "the label 'Music' of a region is not known"),
        (region("a", None, "x", "so"), "so", "a region has no start and end"),
        (region("a", math.nan, 1, "so"), "so", "a region has no start and end"),
        (region("a", 10**400, 1, "so"), "so", "a region has no start and end"),
    ],
)
def test_what_is_not_understood_is_named_and_the_rest_is_read(result: Any, text: str, problem: str) -> None:
    reading = read_result(result)
    assert (reading.text, reading.problems) == (text, (problem,))


def test_a_region_whose_end_comes_before_its_start_is_turned_round() -> None:
    assert read_result(region("a", 2, 1, "so")).segments == (Segment(1.0, 2.0, "so"),)
