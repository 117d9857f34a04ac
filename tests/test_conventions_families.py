"""Each family of conventions: what is found in a text, and the text in each of its forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest

from analysis.errors import InvalidInput
from label_rules.apply import apply_rules
from label_rules.conventions.convention import Use, convention_check
from label_rules.conventions.forms import rewritten, survey
from label_rules.conventions.korean_numerals import KOREAN_NUMERAL_RULES
from label_rules.conventions.tags import TAG_RULES
from label_rules.conventions.times import TIME_RULES
from label_rules.corpus import Corpus


def corpus(*texts: str) -> Corpus:
    """A corpus of an utterance a text, all by one annotator."""
    ids = [f"u{number}" for number in range(len(texts))]
    return Corpus(pd.DataFrame({"utterance_id": ids, "annotator": "ann_a", "text": list(texts)}))


def forms(convention: str, *texts: str) -> dict[str, int]:
    """The forms of a convention in the texts, with their counts."""
    table = survey(corpus(*texts)).conventions
    of_convention = table[table["convention"] == convention]
    return dict(zip(of_convention["form"], of_convention["count"], strict=True))


@pytest.mark.parametrize(
    ("convention", "texts", "expected"),
    [
        ("date.day", ("May 5", "May 5th", "the fifth of May", "on 5 May"), {"5": 2, "5th": 1, "in words": 1}),
        ("date.month", ("Jan 5", "Sept. 5th", "January 5"), {"Jan": 1, "Jan.": 1, "January": 1}),
        ("date.numeric", ("on 5/31/2024", "on 2024-05-31", "on 31.5.2024"),
         {"5/31/2024": 1, "2024-05-31": 1, "31.5.2024": 1}),
        ("date.year", ("in 1984", "in nineteen eighty-four"), {"digits": 1, "in words": 1}),
        ("date.decade", ("the 1980s", "the 1980's", "the '80s"), {"1980s": 1, "1980's": 1}),
        ("date.short_decade", ("the 1980s", "the 80s", "the '80s"), {"80s": 1, "'80s": 1}),
        ("time.half", ("3 pm", "3 p.m.", "3 PM", "3 p m"), {"pm": 1, "p.m.": 1, "PM": 1, "p m": 1}),
        ("time.space", ("3 pm", "3pm", "4pm"), {"3pm": 2, "3 pm": 1}),
        ("time.hour", ("3 pm", "three p.m."), {"digits": 1, "in words": 1}),
        ("time.full_hour", ("3 pm", "3:00 pm", "3:30 pm"), {"3": 1, "3:00": 1}),
        ("money", ("$5", "five dollars", "5 dollars", "5$"), {"$5": 1, "five dollars": 1, "5 dollars": 1, "5$": 1}),
        ("percent.number", ("5%", "5 percent", "five percent"), {"digits": 2, "in words": 1}),
        ("percent.space", ("5%", "5 %"), {"5%": 1, "5 %": 1}),
        ("percent", ("5%", "5 percent"), {"%": 1, "percent": 1}),
        ("spelling.okay", ("ok so", "okay so"), {"ok": 1, "okay": 1}),
        ("phrase.email", ("email me", "e-mail me", "e mail me"), {"email": 1, "e-mail": 1, "e mail": 1}),
        ("reduction", ("I'm gonna go", "I'm going to go", "I'm going to Rome"), {"reduced": 1, "full": 1}),
        ("partial_word", ("the wea- weather", "the wea~ weather", "the wea weather"), {"-": 1, "~": 1, "none": 1}),
        ("dash", ("so — yes", "so--yes", "well-known"), {"a — b": 1, "a--b": 1}),
        ("dots", ("so... yes", "so.. yes", "so . . . yes"), {"...": 1, "..": 1, ". . .": 1}),
        ("ellipsis", ("so... yes", "so… yes"), {"plain": 1, "typographic": 1}),
        ("tag.brackets", ("[noise] a", "<noise> a", "(noise) a"), {"[ ]": 1, "< >": 1, "( )": 1}),
        ("tag.laughter", ("[laughter] a", "[laugh] a", "[LAUGHING] a"), {"laughter": 1, "laugh": 1, "laughing": 1}),
        ("korean_spacing.수 있다", ("할 수 있다", "할수 있다", "가수 있다"), {"apart": 1, "together": 1}),
        ("korean_numeral.native", ("세 시에", "3시에", "삼 시에", "이번에"), {"세": 1, "3": 1, "삼": 1}),
        ("korean_numeral.space_words", ("세 시에", "네시에"), {"세 시": 1, "세시": 1}),
        ("loan.콘텐츠", ("콘텐츠가", "새컨텐츠는"), {"콘텐츠": 1, "컨텐츠": 1}),
        ("filler_mark.음", ("음/ 네", "음/ 예", "음/ 자", "음, 네", "마음"), {"음/": 3, "음,": 1}),
        ("dual.spoken.tv", ("(TV)/(티비)", "(TV)/(티브이)"), {"티비": 1, "티브이": 1}),
        ("dual.kept.tv", ("(TV)/(티비)", "TV 켜"), {"(spelled)/(spoken)": 1, "spelled alone": 1}),
    ],
)  # fmt: skip
def test_forms_are_found(convention: str, texts: tuple[str, ...], expected: dict[str, int]) -> None:
    assert forms(convention, *texts) == expected


@pytest.mark.parametrize(
    ("convention", "form", "other", "text", "expected"),
    [
        ("date.day", "5th", "May 5th", "on the third of March", "on the 3rd of March"),
        ("date.day", "in words", "the fifth of May", "on May 21st", "on May twenty-first"),
        ("date.day", "5", "May 5", "on May 22nd", "on May 22"),
        ("date.month", "January", "January 5", "on Sept. 5", "on September 5"),
        ("date.year", "digits", "in 1999", "in nineteen eighty-four", "in 1984"),
        ("date.decade", "1980s", "the 1990s", "the 1980's", "the 1980s"),
        ("time.half", "p.m.", "3 p.m.", "at 10 AM", "at 10 a.m."),
        ("time.space", "3 pm", "3 pm", "at 10am", "at 10 am"),
        ("time.hour", "digits", "3 pm", "at three thirty pm", "at 3:30 pm"),
        ("time.hour", "in words", "three pm", "at 10:05 pm", "at ten oh five pm"),
        ("money", "$5", "$5", "for twenty-one dollars", "for $21"),
        ("money", "$5", "$5", "for three million dollars", "for $3 million"),
        ("money", "5 dollars", "5 dollars", "for $1", "for 1 dollar"),
        ("money", "five dollars", "five dollars", "for $1,200", "for one thousand two hundred dollars"),
        ("money", "five dollars", "five dollars", "for $1.20", None),
        ("percent.number", "digits", "5 percent", "forty-two percent", "42 percent"),
        ("after_filler", "none", "um so", "mm-hmm it is, um, so", "mm-hmm it is, um so"),
        ("percent.number", "digits", "5 percent", "zero point five percent", None),
        ("date.year", "in words", "in nineteen ninety", "in 1984", None),
        ("money", "five dollars", "five dollars", "a $7 bill", None),
        ("money", "five dollars", "five dollars", "$7 for me", "seven dollars for me"),
        ("money", "$5", "$5", "half a million dollars", None),
        ("money", "$5", "$5", "one or two dollars", None),
        ("money", "$5", "$5", "five dollars and ten cents", None),
        ("phrase.email", "email", "email me", "E-mail me", "Email me"),
        ("partial_word", "-", "the wea- weather", "to mor mor~ tomorrow", "to mor mor- tomorrow"),
        ("dash", "a — b", "so — yes", "so -- yes", "so — yes"),
        ("tag.brackets", "[ ]", "[noise] a", "<cough> a", "[cough] a"),
        ("korean_spacing.수 있다", "apart", "할 수 있다", "갈수 없다", "갈 수 없다"),
        ("korean_numeral.native", "세", "세 시에", "11시에 봐", "열한 시에 봐"),
        ("korean_numeral.native", "세", "세 시에", "15시에 봐", None),
        ("korean_numeral.native", "세", "세 시에", "3번 출구", None),
        ("korean_numeral.native", "세", "세 시에", "40살이", "마흔 살이"),
        ("korean_numeral.native", "세", "세 시에", "삼 시에", None),
        ("korean_numeral.native", "3", "3시에", "스무 명이", "20명이"),
        ("korean_numeral.sino", "삼", "삼월에", "6월에", "유월에"),
        ("korean_numeral.sino", "3", "3월에", "십이월에", "12월에"),
        ("loan.메시지", "메시지", "메시지를", "문자메세지가", "문자메시지가"),
        ("dual.spelled.티비", "TV", "(TV)/(티비) 켜", "(T.V.)/(티비) 켜", "(TV)/(티비) 켜"),
        ("dual.spoken.tv", "티비", "(TV)/(티비) 켜", "(TV)/(티브이) 켜", None),
    ],
)
def test_texts_are_rewritten_towards_any_form(
    convention: str, form: str, other: str, text: str, expected: str | None
) -> None:
    found = rewritten(corpus(other, text), convention, form, [])
    assert [(one.row, one.text) for one in found] == [(1, expected)]


@pytest.mark.parametrize(
    "text",
    [
        "of twenty two people", "a 5 dollar bill",
        "you may first go", "chapter 23 May I go", "on August 18 56", "M. A..",
        "we march 5 miles", "in 5 may", "I am three", "a clock ticks", "the third man",
        "five pounds", "the blackmail", "pre- and post-war", "5 * 3 (he said)", "well... so", "이번에는 사장이 왔어",
        "실수 없이 했다", "가수가 있다", "안녕하세요 여러분", "5 l/min 이에요", "그 (사람)", "see the sea",
    ],
)  # fmt: skip
def test_other_things_are_no_uses(text: str) -> None:
    """Beside a corpus that writes every convention in one way they are no departures from it."""
    usual = (
        "in 1984", "on May 5th", "at 3 p.m.", "for $5", "my e-mail", "the wea~ weather", "so -- yes", "(noise) a",
        "할 수 있다", "네 시에", "(TV)/(티비)", "음/ 네", "음/ 예", "n/ 그래",
    )  # fmt: skip
    found = survey(corpus(*usual * 3, text)).conventions
    families = ("date", "time", "money", "phrase", "partial", "dash", "tag", "korean", "loan", "filler_mark", "dual")
    assert not [name for name in found["convention"] if name.startswith(families)]


def test_a_form_that_nobody_writes_is_refused_with_those_that_somebody_writes() -> None:
    with pytest.raises(InvalidInput, match=r"the forms are 'ok' \(2\), 'okay' \(1\)"):
        rewritten(corpus("ok so", "ok no", "okay so"), "spelling.okay", "okey", [])
    with pytest.raises(InvalidInput, match=r"a matter of 'spelling.k'; there are spelling.okay"):
        rewritten(corpus("ok so", "okay so"), "spelling.k", "k", [])


def test_where_both_forms_may_be_right_only_a_habit_can_be_rewritten() -> None:
    texts = ("it's me", "I am in")
    with pytest.raises(InvalidInput, match="only the audio says"):
        rewritten(corpus(*texts), "contraction", "contracted", [])
    assert [one.text for one in rewritten(corpus(*texts), "contraction", "contracted", [], habits=True)] == ["I'm in"]


@pytest.mark.parametrize(
    ("usual", "text", "expected"),
    [
        (["at three thirty pm"] * 9 + ["at 3:30 pm", "at 4:30 pm", "at 5:30 pm"], "at 7.30 pm", "at seven thirty pm"),
        (["[noise] a", "a [noise]", "[noise] so"], "so <background_noise> a", "so [noise] a"),
        (
            ["3시에", "5시에", "2명이", "4시에", "7시에", "8시에", "9시에", "세 시에", "다섯 시에", "여섯 시에"],
            "네시에",
            "4시에",
        ),
    ],
)
def test_uses_within_one_another_are_put_right_together(usual: list[str], text: str, expected: str) -> None:
    transcripts = pd.DataFrame({"utterance_id": map(str, range(len(usual) + 1)), "annotator": "ann_a"})
    applied = apply_rules(transcripts.assign(text=[*usual, text]), (*TIME_RULES, *TAG_RULES, *KOREAN_NUMERAL_RULES))
    own = applied.flags[applied.flags["utterance_id"] == str(len(usual))]
    assert set(own["suggestion"]) == {expected}


def test_a_crash_while_a_text_is_rewritten_costs_that_text_only() -> None:
    def observe(text: str) -> list[Use]:
        return [Use("a", text[0], 0, 1)]

    def rewrite(text: str, uses: Sequence[tuple[Use, str]]) -> str:
        return str(1 // (len(text) - 3))

    rule = replace(TIME_RULES[0], rule_id="convention.a", check=convention_check(observe, rewrite))
    transcripts = pd.DataFrame({"utterance_id": list("12345"), "annotator": "ann_a"})
    applied = apply_rules(transcripts.assign(text=["x", "x", "x", "yes", "y"]), [rule])
    assert applied.flags["utterance_id"].tolist() == ["5"]
    assert applied.faults["location"].tolist() == ["utterance 4, annotator ann_a"]
