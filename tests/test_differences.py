"""The differences between two transcripts of the same audio, and taking them back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from label_rules.conflicts.differences import KINDS, differences, word_differences
from label_rules.conflicts.repair import repair


def kinds(a: str, b: str) -> list[tuple[str, str, str]]:
    return [(each.kind, each.a_text, each.b_text) for each in differences(a, b)]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Um, today's weather", "Um... today's weather", [("punctuation", ",", "...")]),
        ("Um, today's weather", "Today's weather", [("filler", "Um,", "")]),
        ("Um... today's weather", "Today's weather", [("filler", "Um...", "")]),
        ("“Um, today’s weather”", "“Today’s weather”", [("filler", "Um,", "")]),
        ("Um, today’s weather", "Today's weather", [("filler", "Um,", ""), ("punctuation", "today’s", "Today's")]),
        ("the, uh, cat", "the cat", [("filler", ", uh,", "")]),
        ("the cat. Um, dogs", "the cat. Dogs", [("filler", "Um,", "")]),
        ("um yes", "uh yes", [("filler", "um", "uh")]),
        ("음 오늘 날씨", "오늘 날씨", [("filler", "음", "")]),
        ("어, 그 사람", "그 사람", [("filler", "어,", "")]),
        ("[noise] yes", "yes", [("filler", "[noise]", "")]),
        ("I, like, know", "I know", [("content", ", like,", "")]),
        ("그 사람", "이 사람", [("content", "그", "이")]),
        ("well, yes", "well yes", [("punctuation", ",", "")]),
        ("so…", "so...", [("punctuation", "…", "...")]),
        ("it's me", "it’s me", [("punctuation", "it's", "it’s")]),
        ("in Paris", "in paris", [("casing", "Paris", "paris")]),
        ("HELLO WORLD", "hello world", [("casing", "HELLO WORLD", "hello world")]),
        ("twenty men", "20 men", [("number", "twenty", "20")]),
        ("at 3 pm", "at three p.m.", [("number", "3 pm", "three p.m.")]),
        ("at 3pm", "at three p.m.", [("number", "3pm", "three p.m.")]),
        ("at 3 pm", "at 3pm", [("number", " ", "")]),
        ("in 1984", "in nineteen eighty-four", [("number", "1984", "nineteen eighty-four")]),
        ("20%", "twenty percent", [("number", "20%", "twenty percent")]),
        ("$20", "twenty dollars", [("number", "$20", "twenty dollars")]),
        ("the 3rd", "the third", [("number", "3rd", "third")]),
        ("1,000 men", "a thousand men", [("number", "1,000", "a thousand")]),
        ("3시에", "세 시에", [("number", "3", "세")]),
        ("3시 반", "세 시 반", [("number", "3", "세")]),
        ("(70%)/(칠십 퍼센트) 남았어", "칠십 퍼센트 남았어", [("number", "(70%)/(칠십 퍼센트)", "칠십 퍼센트")]),
        ("(70%)/(칠십 퍼센트)로", "70%로", [("number", "(70%)/(칠십 퍼센트)", "70%")]),
        ("(TV)/(티비) 켜 줘", "티비 켜 줘", [("spelling", "(TV)/(티비)", "티비")]),
        ("(TV)/(티비) 켜 줘", "TV 켜 줘", [("spelling", "(TV)/(티비)", "TV")]),
        ("(TV)/(티비)를 켜 줘", "티비를 켜 줘", [("spelling", "(TV)/(티비)", "티비")]),
        ("70% 맞죠", "칠십 퍼센트 맞죠", [("number", "70%", "칠십 퍼센트")]),
        ("it's late", "it is late", [("contraction", "it's", "it is")]),
        ("I'm gonna go", "I'm going to go", [("contraction", "gonna", "going to")]),
        ("goin' home", "going home", [("contraction", "goin", "going"), ("punctuation", "'", "")]),
        ("the color", "the colour", [("spelling", "color", "colour")]),
        ("okay so", "ok so", [("spelling", "okay", "ok")]),
        ("dont go", "don't go", [("spelling", "dont", "don't")]),
        ("I definately do", "I definitely do", [("spelling", "definately", "definitely")]),
        ("그렇게 되요", "그렇게 돼요", [("spelling", "되요", "돼요")]),
        ("ice cream", "icecream", [("spacing", "ice cream", "icecream")]),
        ("ice-cream", "ice cream", [("spacing", "-", " ")]),
        ("오늘 날씨", "오늘날씨", [("spacing", "오늘 날씨", "오늘날씨")]),
        ("by the sea", "by the see", [("content", "sea", "see")]),
        ("I can go", "I can't go", [("content", "can", "can't")]),
        ("well go", "we'll go", [("content", "well", "we'll")]),
        ("the desert", "the dessert", [("content", "desert", "dessert")]),
        ("two men", "too men", [("content", "two", "too")]),
        ("a big red cat", "a cat", [("content", "big red", "")]),
        ("", "hello", [("content", "", "hello")]),
        ("I'm twenty", "I am 20", [("contraction", "I'm", "I am"), ("number", "twenty", "20")]),
    ],
)
def test_each_kind(a: str, b: str, expected: list[tuple[str, str, str]]) -> None:
    assert kinds(a, b) == expected


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("so it is", " so  it\tis\n"),
        ("오늘 날씨", unicodedata.normalize("NFD", "오늘 날씨")),
        ("", "  "),
        ("Um, Today", "Um, Today"),
    ],
)
def test_spaces_and_composition_are_no_difference(a: str, b: str) -> None:
    assert differences(a, b) == ()


def test_spans_of_decomposed_text_are_those_of_the_text_as_written() -> None:
    decomposed = unicodedata.normalize("NFD", "오늘 날씨 좋다")
    (found,) = differences("오늘 좋다", decomposed)
    assert unicodedata.normalize("NFC", decomposed[found.b_start : found.b_end]) == "날씨"


VOCABULARY = """
    um uh the cat dog sees colour color 20 twenty it's it is can can't ice cream icecream 음 오늘
"""
ODD = """
    cats 3 pm ok okay 날씨 오늘날씨 그 , . ... - today’s today's The CAT “ ” [noise] % ! 세 시 3시
"""
PIECES = st.sampled_from(VOCABULARY.split() + ODD.split())
TEXTS = st.lists(PIECES, max_size=9).map(" ".join) | st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=20)


@given(TEXTS, TEXTS)
@example("", ", “ um ,")
def test_spans_hold_the_texts_in_order_without_overlap(a: str, b: str) -> None:
    a_done = b_done = 0
    for each in word_differences(a, b):
        assert each.kind in KINDS
        assert a[each.a_start : each.a_end] == each.a_text
        assert b[each.b_start : each.b_end] == each.b_text
        assert each.a_text or each.b_text
        assert a_done <= each.a_start
        assert b_done <= each.b_start
        a_done, b_done = each.a_end, each.b_end


@given(TEXTS, TEXTS)
def test_sides_can_be_exchanged(a: str, b: str) -> None:
    exchanged = [(d.kind, d.b_start, d.b_end, d.a_start, d.a_end) for d in differences(b, a)]
    assert sorted(exchanged) == sorted((d.kind, d.a_start, d.a_end, d.b_start, d.b_end) for d in differences(a, b))


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert differences(text, text) == ()
    assert differences(text, f"  {text} ") == ()


WORDS = st.lists(st.sampled_from(VOCABULARY.split()), max_size=9).map(" ".join)


@given(WORDS, WORDS)
def test_a_text_with_all_its_differences_taken_back_no_longer_differs(other: str, text: str) -> None:
    repaired = repair(text, [(other, each) for each in word_differences(other, text)])
    assert differences(other, repaired) == ()


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ("Um, today's weather", "Today's weather"),
        ("Today's weather", "Um, today's weather"),
        ("the, uh, cat", "the cat"),
        ("the cat", "the, uh, cat"),
        ("the cat, uh.", "the cat."),
        ("well, yes.", "well yes"),
        ("well yes", "well, yes."),
        ("an ice-cream", "an ice cream"),
        ("at 3pm", "at three p.m."),
        ("오늘 날씨 어때", "음 오늘날씨 어때"),
        ("in Paris", "in paris"),
    ],
)
def test_repair_gives_the_other_text(other: str, text: str) -> None:
    assert repair(text, [(other, each) for each in word_differences(other, text)]) == other
