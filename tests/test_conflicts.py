"""Transcripts of the same audio that differ: groups, votes, suggestions."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from label_rules.apply import Applied, apply_rules
from label_rules.conflicts.rules import CONFLICT_RULES


def transcripts(*rows: tuple[str, str, str], **columns: tuple[object, ...]) -> pd.DataFrame:
    """Rows of utterance_id, annotator and text."""
    frame = pd.DataFrame(rows, columns=["utterance_id", "annotator", "text"])
    return frame.assign(**{name: list(values) for name, values in columns.items()})


def of_one_audio(*texts: str, **columns: tuple[object, ...]) -> Applied:
    rows = [("clip", name, text) for name, text in zip("abcdefgh", texts, strict=False)]
    return apply_rules(transcripts(*rows, **columns), CONFLICT_RULES)


def shown(frame: pd.DataFrame) -> str:
    """The frame as tab-separated lines."""
    return "\n" + frame.to_csv(sep="\t", index=False, lineterminator="\n")


WEATHER = ("Um, today's weather", "Um... today's weather", "Today's weather")


def test_three_labellers_of_one_clip() -> None:
    applied = of_one_audio(*WEATHER)
    assert shown(applied.conflicts) == (
        "\n"
        "group\tutterance_id\tannotator\ttext\tkinds\twhy\n"
        "utterance:clip\tclip\ta\tUm, today's weather\tfiller, punctuation\tsame utterance\n"
        "utterance:clip\tclip\tb\tUm... today's weather\tfiller, punctuation\tsame utterance\n"
        "utterance:clip\tclip\tc\tToday's weather\tfiller\tsame utterance\n"
    )
    assert shown(applied.flags[["annotator", "rule_id", "start", "end", "score", "suggestion"]]) == (
        "\n"
        "annotator\trule_id\tstart\tend\tscore\tsuggestion\n"
        "c\tconflict.filler\t0\t0\t0.6\tUm, today's weather\n"
        "a\tconflict.punctuation\t2\t3\t0.5\t\n"
        "b\tconflict.punctuation\t2\t5\t0.5\t\n"
    )
    assert list(applied.flags["evidence"])[:2] == [
        "2 of 3 transcripts of this audio write “Um,” here; this one nothing",
        "transcripts of this audio disagree: “,” (1), “...” (1)",
    ]


def test_the_order_of_the_labellers_does_not_matter() -> None:
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        applied = of_one_audio(*(WEATHER[i] for i in order))
        kinds = dict(zip(applied.conflicts["text"], applied.conflicts["kinds"], strict=True))
        assert kinds == {WEATHER[0]: "filler, punctuation", WEATHER[1]: "filler, punctuation", WEATHER[2]: "filler"}


def test_typographic_marks_make_the_same_group() -> None:
    applied = of_one_audio("Um, today’s weather", "Um… today's weather", "Today’s weather")
    assert set(applied.flags["rule_id"]) == {"conflict.filler", "conflict.punctuation"}


def test_two_utterances_of_the_same_audio_are_one_group() -> None:
    frame = transcripts(
        ("u1", "ann", "a cat"), ("u2", "ann", "a cap"), ("u3", "ann", "a cab"), audio_key=("x", "x", None)
    )
    conflicts = apply_rules(frame).conflicts
    assert conflicts[["group", "utterance_id", "why"]].values.tolist() == [
        ["audio:x", "u1", "same audio under two ids"],
        ["audio:x", "u2", "same audio under two ids"],
    ]


def test_an_audio_key_known_for_one_row_holds_for_its_utterance() -> None:
    rows = ("u1", "ann", "a cat"), ("u1", "bob", "a cat"), ("u2", "ann", "a cap")
    frame = transcripts(*rows, audio_key=(None, "x", "x"))
    assert apply_rules(frame).conflicts["group"].tolist() == ["audio:x"] * 3


def test_equal_transcripts_and_other_spaces_are_no_conflict() -> None:
    assert of_one_audio("a cat", "a cat").conflicts.empty
    assert of_one_audio("a cat", "a  cat\n").conflicts.empty


def test_every_place_has_its_own_vote() -> None:
    flags = of_one_audio("the big cat sat", "the big cat sits", "the pig cat sat", "the big hat sat").flags
    assert flags[["annotator", "start", "end", "suggestion"]].values.tolist() == [
        ["c", 4, 7, "the big cat sat"],
        ["d", 8, 11, "the big cat sat"],
        ["b", 12, 16, "the big cat sat"],
    ]


def test_a_majority_against_the_text_that_most_hold() -> None:
    flags = of_one_audio("red cat one", "red cat one", "red hat one", "blue hat one", "red hat two").flags
    assert sorted(zip(flags["annotator"], flags["start"], flags["end"], strict=True)) == [
        ("a", 4, 7),
        ("b", 4, 7),
        ("d", 0, 4),
        ("e", 8, 11),
    ]


def test_more_votes_make_a_surer_flag_and_a_tie_an_unsure_one() -> None:
    of_seven = of_one_audio(*["a cat"] * 6, "a cap").flags["score"].max()
    of_three = of_one_audio(*["a cat"] * 2, "a cap").flags["score"].max()
    of_two = of_one_audio("a cat", "a cap").flags["score"].max()
    assert of_seven > of_three > of_two
    assert of_one_audio("a cat", "a cap", "a cab").flags["score"].max() <= of_two


def test_without_a_majority_nothing_is_suggested() -> None:
    flags = of_one_audio("a cat", "a cap").flags
    assert list(flags["annotator"]) == ["a", "b"]
    assert flags["suggestion"].isna().all()


def test_the_hypothesis_decides_between_two() -> None:
    flags = of_one_audio("that is a cat", "that is a cap", hypothesis=("was a cat",) * 2).flags.set_index("annotator")
    assert flags.loc["b", "suggestion"] == "that is a cat"
    assert "the model heard “cat”" in flags.loc["b", "evidence"]
    assert pd.isna(flags.loc["a", "suggestion"])
    assert flags.loc["a", "score"] < flags.loc["b", "score"]


def test_a_hypothesis_that_has_neither_or_a_lone_word_elsewhere_decides_nothing() -> None:
    for heard in ("that is a dog", "cat", ""):
        flags = of_one_audio("that is a cat", "that is a cap", hypothesis=(heard,) * 2).flags
        assert flags["suggestion"].isna().all()


def test_only_the_kind_of_the_rule_is_put_right() -> None:
    flags = of_one_audio("Um, the colour red", "Um, the colour red", "The color bed").flags.set_index("rule_id")
    assert flags.loc["conflict.spelling", "suggestion"] == "The colour bed"
    assert flags.loc["conflict.content", "suggestion"] == "The color red"
    assert flags.loc["conflict.filler", "suggestion"] == "Um, the color bed"


def test_lone_transcripts_are_no_opinion() -> None:
    summary = apply_rules(transcripts(("u1", "ann", "a cat"), ("u2", "ann", "a cap")), CONFLICT_RULES).summary
    assert set(summary["abstained"]) == {2}
    assert set(summary["flags"]) == {0}


def test_korean_groups() -> None:
    applied = of_one_audio("음, 오늘 날씨 70% 맞죠", "오늘날씨 칠십 퍼센트 맞죠", "오늘 날씨 70% 맞죠")
    kinds = dict(zip(applied.conflicts["annotator"], applied.conflicts["kinds"], strict=True))
    assert kinds == {"a": "filler, number, spacing", "b": "filler, number, spacing", "c": "filler, number, spacing"}
    suggestions = applied.flags.set_index("rule_id")["suggestion"]
    assert suggestions["conflict.filler"] == "오늘 날씨 70% 맞죠"
    assert suggestions["conflict.number"] == "오늘날씨 70% 맞죠"
    assert suggestions["conflict.spacing"] == "오늘 날씨 칠십 퍼센트 맞죠"


def test_a_suggestion_keeps_the_spaces_of_words_that_the_other_text_has_in_brackets() -> None:
    applied = of_one_audio("배터리 (70%)/(칠십 퍼센트) 남았어", "배터리 칠십 퍼센트 남았어", "배터리 70% 남았어")
    number = applied.flags[applied.flags["rule_id"] == "conflict.number"]
    assert number[["annotator", "suggestion"]].values.tolist() == [["b", "배터리 70% 남았어"]]
    quoted = of_one_audio('say "hi" now', "say hey now", 'say "hi" now')
    content = quoted.flags[quoted.flags["rule_id"] == "conflict.content"]
    assert content[["annotator", "suggestion"]].values.tolist() == [["b", "say hi now"]]


def test_a_dual_transcription_votes_for_its_spelled_side_and_costs_no_space() -> None:
    applied = of_one_audio("배터리 (70%)/(칠십 퍼센트) 남았어", "배터리 칠십 퍼센트 남았어", "배터리 70% 남았어")
    assert set(applied.conflicts["kinds"]) == {"number"}
    assert applied.flags[["annotator", "rule_id", "suggestion"]].values.tolist() == [
        ["b", "conflict.number", "배터리 70% 남았어"]
    ]


@pytest.mark.parametrize("side", ["TV", "티비"])
def test_a_dual_transcription_against_one_of_its_sides_is_a_spelling(side: str) -> None:
    applied = of_one_audio("(TV)/(티비) 켜 줘", f"{side} 켜 줘")
    assert set(applied.flags["rule_id"]) == {"conflict.spelling"}
    assert set(applied.conflicts["kinds"]) == {"spelling"}


def test_the_spaces_beside_a_number_are_no_flag_of_their_own() -> None:
    flags = of_one_audio("표가 세 장 있어", "표가 3장 있어", "표가 3장 있어").flags
    assert flags[["annotator", "rule_id", "suggestion"]].values.tolist() == [["a", "conflict.number", "표가 3장 있어"]]


SLOTS = (
    ("70%", "칠십 퍼센트", "(70%)/(칠십 퍼센트)"),
    ("TV", "티비", "(TV)/(티비)", "“TV”"),
    ("3장", "세 장", "(3장)/(세 장)"),
    ("twenty", "20", "“twenty”"),
)
CHOICES = st.tuples(*(st.sampled_from(slot) for slot in SLOTS))
AROUND = "배터리", "저기", "있어", "men", "남았어"


@settings(max_examples=50, deadline=None)
@given(st.lists(CHOICES, min_size=2, max_size=5))
def test_a_suggestion_keeps_the_spaces_that_every_transcript_has(chosen: list[tuple[str, ...]]) -> None:
    texts = []
    for row in chosen:
        written = [f"{word} {form}" for word, form in zip(AROUND, row, strict=False)]
        texts.append(" ".join([*written, AROUND[-1]]))
    for suggestion in of_one_audio(*texts).flags["suggestion"].dropna():
        assert set(AROUND) <= set(suggestion.split())
