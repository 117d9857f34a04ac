"""What a corpus writes in several ways: the table, the majority, the suggestions."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.language import korean_numbers, numbers
from label_rules.apply import Applied, apply_rules


def corpus(*texts: str, annotators: tuple[str, ...] = ()) -> Applied:
    """The rules applied to an utterance a text."""
    names = annotators or ("ann",) * len(texts)
    ids = [f"u{number}" for number in range(len(texts))]
    return apply_rules(pd.DataFrame({"utterance_id": ids, "annotator": names, "text": texts}))


def suggestion(rule_id: str, *texts: str) -> str | None:
    """What the rule makes of the last text."""
    flags = corpus(*texts).flags
    of_rule = flags[(flags["rule_id"] == rule_id) & (flags["utterance_id"] == f"u{len(texts) - 1}")]
    (made,) = set(of_rule["suggestion"])
    return None if pd.isna(made) else made


def test_the_table_shows_forms_shares_and_writers() -> None:
    applied = corpus("okay so", "okay no", "okay yes", "ok then", annotators=("ann", "bob", "bob", "cid"))
    table = applied.conventions[applied.conventions["convention"] == "spelling.okay"]
    assert table.values.tolist() == [
        ["spelling.okay", "okay", 3, 0.75, True, "bob, ann"],
        ["spelling.okay", "ok", 1, 0.25, False, "cid"],
    ]


def test_a_narrow_majority_is_shown_and_nobody_flagged() -> None:
    applied = corpus("okay so", "okay no", "okay yes", "ok then", "ok so", "ok now", "OK yes")
    assert set(applied.conventions.query("convention == 'spelling.okay'")["form"]) == {"ok", "okay"}
    assert "convention.spelling" not in set(applied.flags["rule_id"])
    assert applied.summary.set_index("rule_id").loc["convention.spelling", "abstained"] == 7


def test_a_larger_majority_is_surer() -> None:
    few = corpus(*["okay so"] * 3, "ok so").flags.set_index("rule_id").loc["convention.spelling", "score"]
    many = corpus(*["okay so"] * 30, "ok so").flags.set_index("rule_id").loc["convention.spelling", "score"]
    assert few < many < 1


@pytest.mark.parametrize(
    ("rule_id", "usual", "text", "expected"),
    [
        ("convention.filler", "um yes", "Ummm no, ummm yes", "Um no, um yes"),
        ("convention.filler", "음 네", "음음 네", "음 네"),
        ("convention.after_filler", "um, yes", "Um... no", "Um, no"),
        ("convention.after_filler", "um yes", "Um… no", "Um no"),
        ("convention.final_punctuation", "It is.", "it was", "it was."),
        ("convention.final_punctuation", "It is.", "was it", None),
        ("convention.final_punctuation", "it is", "“It was!”", "“It was”"),
        ("convention.typography", "it's", "she’s so…", "she's so…"),
        ("convention.casing", "it is john", "THE CAT", "the cat"),
        ("convention.casing", "It is John", "the cat and i'm", "The cat and I'm"),
        ("convention.casing", "It is John", "THE CAT", None),
        ("convention.number", "12 men", "Forty-two men", "42 men"),
        ("convention.number", "twelve men", "5,105 men", "five thousand one hundred five men"),
        ("convention.number", "twelve men", "in 1984", None),
        ("convention.number", "20분", "이백삼십분 뒤", "230분 뒤"),
        ("convention.percent", "5 percent", "6%", "6 percent"),
        ("convention.percent", "5%", "6 per cent", "6%"),
        ("convention.spelling", "okay", "OK so Ok", "OKAY so Okay"),
        ("convention.dialect", "the color gray", "my favourite Colours", "my favorite Colors"),
        ("convention.spacing", "ice cream", "Icecream", "Ice cream"),
        ("convention.spacing", "오늘 날씨", "오늘날씨 어때", "오늘 날씨 어때"),
        ("convention.spaces", "yes", " so  it is , then\n", "so it is, then"),
        ("convention.markup", "yes [noise]", "<Noise> no", "[noise] no"),
        ("convention.dual_transcription", "네", "(70%) / (칠십 퍼센트) 네", "(70%)/(칠십 퍼센트) 네"),
        ("convention.characters", "the weather is fine today and tomorrow", "the\u200b c\u0430t", "the cat"),
    ],
)
def test_suggestions(rule_id: str, usual: str, text: str, expected: str | None) -> None:
    assert suggestion(rule_id, *[usual] * 5, text) == expected


def test_fillers_kept_or_dropped_is_counted_over_all_transcripts_of_the_audio() -> None:
    rows = [
        ("u1", "ann", "um yes"),
        ("u1", "bob", "um yes"),
        ("u2", "ann", "uh no"),
        ("u2", "bob", "Uh, no"),
        ("u3", "ann", "so"),
        ("u3", "bob", "um so"),
    ]
    applied = apply_rules(pd.DataFrame(rows, columns=["utterance_id", "annotator", "text"]))
    table = applied.conventions.query("convention == 'filler.kept'")
    assert table[["form", "count"]].values.tolist() == [["kept", 5], ["dropped", 1]]
    flags = applied.flags.query("rule_id == 'convention.filler_kept'")
    assert flags[["utterance_id", "annotator", "start", "end"]].values.tolist() == [["u3", "ann", 0, 0]]


def test_a_rare_character_is_told_in_a_large_corpus_only() -> None:
    assert "convention.characters" not in set(corpus("the café", "the cat").flags["rule_id"])
    applied = corpus(*[f"number {n} of many ordinary texts" for n in range(1100)], "the café")
    assert applied.flags.query("rule_id == 'convention.characters'")["utterance_id"].tolist() == ["u1100"]


@given(st.integers(0, numbers.MOST_IN_WORDS))
def test_numbers_in_words_and_back(number: int) -> None:
    assert numbers.value_of(numbers.words_of(number).replace("-", " ").split()) == number
    assert korean_numbers.sino_value(korean_numbers.sino_words(number)) == number


@pytest.mark.parametrize("words", ["twenty twenty", "hundred", "two and", "one thousand thousand", "ten one", ""])
def test_what_spells_no_single_number(words: str) -> None:
    assert numbers.value_of(words.split()) is None
