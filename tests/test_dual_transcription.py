"""Dual transcription: what each form of `(spelled)/(spoken)` says, and that no text is too strange to be read."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.dual_transcription import TAGS, Dual, find_duals, malformed, parse_dual, views
from analysis.marked import Choice, Marked, as_written, normalised
from analysis.normalizers import get_normalizer

PIECES = st.sampled_from(
    ["(", ")", "/", "\\", " ", "\t", "가", "70%", "b/", "n/", "아/", "그+", "*", "（", "）", "／", "a"]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=40).map("".join))
PLAIN = st.text(st.characters(blacklist_characters="()（）", blacklist_categories=["Cs"]), min_size=1, max_size=8)
SIDES = PLAIN.map(str.strip).filter(
    lambda side: side and not side.endswith("\\") and side.lower() not in TAGS.split("|")
)


def dual(spelled: str, spoken: str) -> Choice:
    return Choice(((spelled,), (spoken,)), "dual")


@pytest.mark.parametrize(
    ("text", "spelled", "spoken"),
    [
        ("(3시)/(세 시)", "3시", "세 시"),
        ("내일 (3시)/(세 시)에 봐", "내일 3시에 봐", "내일 세 시에 봐"),
        ("약(3시)/(세 시)쯤", "약3시쯤", "약세 시쯤"),
        ("(3)/(세)시(30)/(삼십)분에", "3시30분에", "세시삼십분에"),
        ("(3)/(세) (4)/(네)", "3 4", "세 네"),
        ("( 70% ) / ( 칠십 퍼센트 )를", "70%를", "칠십 퍼센트를"),
        ("(70%)\n/\t(칠십)", "70%", "칠십"),
        ("（70%）／（칠십）", "70%", "칠십"),
        ("(70(칠십)%)/(칠십 (퍼센트))", "70(칠십)%", "칠십 (퍼센트)"),
        ("((3)/(세) 시)/(세 시)", "3 시", "세 시"),
        ("(세 시)/((3)/(세) 시)", "세 시", "세 시"),
        ("그 ((3)/(세) 명)", "그 (3 명)", "그 (세 명)"),
        ("(뭐+ 뭔)/(모+ 몬) 소리야", "뭐+ 뭔 소리야", "모+ 몬 소리야"),
        ("(2)/(이)+ (2)/(이)*", "2+ 2*", "이+ 이*"),
        ("아/(3)/(세)", "아/3", "아/세"),
        ("(아)/(어)/ 그게", "아/ 그게", "어/ 그게"),
        ("b/(70%)/(칠십)n/", "b/ 70% n/", "b/ 칠십 n/"),
        ("(KTX)/(케이티엑스)l/", "KTX l/", "케이티엑스 l/"),
        ("(전사)/(idiom)를 ( 손익 )/( IDIOM )", "전사를 손익", "전사를 손익"),
        (r"(a\)b)/(c\(d)", r"a\)b", r"c\(d"),
        ("(a(b)/(c)", "(ab", "(ac"),
        ("(a)/(b)/(c)", "a/(c)", "b/(c)"),
        ("()/(3)/(세)", "()/3", "()/세"),
    ],
)
def test_both_views(text: str, spelled: str, spoken: str) -> None:
    assert views(text) == (spelled, spoken)


@pytest.mark.parametrize(
    "text",
    [
        "네", "(웃음)", "(70%)/", "(70%)(칠십)", "(70%)/칠십", "70%/(칠십)", "(70%)/(칠십", "(70%)//(칠십)",
        "()/(칠십)", "(70%)/( )", r"\(70%\)/\(칠십\)", ")(/)(", "b/ 네 n/", "그래/(noise)", "", " ", "1/2", "(1) / 2",
    ],
)  # fmt: skip
def test_a_text_without_duals_is_itself(text: str) -> None:
    assert views(text) == (text, text)
    assert parse_dual(text) == ((text,) if text else ())


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("내일 (3시)/(세 시)에 봐", ("내일", dual("3시에", "세 시에"), "봐")),
        ("약(3)/(세)시(30)/(삼십)분", (dual("약3시30분", "약세시삼십분"),)),
        ("b/(70%)/(칠십)n/ 네", ("b/", dual("70%", "칠십"), "n/ 네")),
        ("(3)/(세)  (4)/(네)", (dual("3", "세"), dual("4", "네"))),
        ("(전사)/(idiom) 자료", ("전사", "자료")),
    ],
)
def test_words_that_hold_duals_are_choices(text: str, marked: Marked) -> None:
    assert parse_dual(text) == marked


def test_duals_know_where_they_stand() -> None:
    text = "약(3시)/(세 시)에 ((4)/(네) 번)/(네 번)"
    assert find_duals(text) == [Dual(1, 11, "3시", "세 시"), Dual(13, len(text), "4 번", "네 번")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(70%)/(칠십) b/ 아/ (웃음) 그래/(noise) b/(웃음) 1/2", []),
        ("(3)/(세)(4)/(네) ((5)/(다섯))", []),
        (r"\(70%\)/\(칠십\)", []),
        ("네 (70%)/", [("(70%)/", "no spoken side in parentheses follows the slash")]),
        ("(70%) / 칠십", [("(70%) /", "no spoken side in parentheses follows the slash")]),
        ("70%/(칠십) 네", [("/(칠십)", "no spelled side in parentheses stands before the slash")]),
        ("(70%)(칠십)", [("(70%)(칠십)", "there is no slash between the sides")]),
        ("()/(칠십)", [("()/(칠십)", "a side is empty")]),
        ("(70%)/( )", [("(70%)/( )", "a side is empty")]),
        ("(a)/(b)/(c)", [("(a)/(b)/(c)", "a dual transcription has two sides, not three")]),
        ("((70%)(칠십))/(x)", [("(70%)(칠십)", "there is no slash between the sides")]),
        ("(70%)/(칠십", [("(", "the parenthesis is never closed")]),
        (
            ")70%(",
            [(")", "the parenthesis closes what was never opened"), ("(", "the parenthesis is never closed")],
        ),
    ],
)
def test_malformed_names_what_is_wrong_and_where(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(text[problem.start : problem.end], problem.reason) for problem in malformed(text)] == expected


@given(TEXTS)
@settings(max_examples=1000, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    spelled, spoken = views(text)
    marked = parse_dual(text)
    assert as_written(marked).split() == spelled.split()
    choices = [part for part in marked if isinstance(part, Choice)]
    said = [part if isinstance(part, str) else as_written(part.options[-1]) for part in marked]
    assert " ".join(said).split() == spoken.split()
    duals = find_duals(text)
    assert choices or spelled == spoken
    assert len(choices) <= len(duals)
    assert [found for at, found in enumerate(duals) if at and found.start < duals[at - 1].end] == []
    for problem in malformed(text):
        assert 0 <= problem.start < problem.end <= len(text)


@given(st.lists(st.one_of(PIECES, st.sampled_from(["(3)/(세)", "(3 시)/(세 시)", "에"])), max_size=12).map("".join))
@settings(max_examples=300, deadline=None)
def test_the_korean_normalizer_makes_the_same_of_the_parts_as_of_the_text(text: str) -> None:
    assume(not malformed(text))
    korean = get_normalizer("korean")
    assert as_written(normalised(parse_dual(text), korean)).split() == korean(text).split()


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=4), st.sampled_from(["/", " / ", "／"]))
def test_what_is_written_as_a_dual_is_read_as_one(sides: list[tuple[str, str]], slash: str) -> None:
    text = " ".join(f"({spelled}){slash}({spoken})" for spelled, spoken in sides)
    assert [(found.spelled, found.spoken) for found in find_duals(text)] == sides
    assert malformed(text) == []
    assert views(text) == (" ".join(side[0] for side in sides), " ".join(side[1] for side in sides))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        ")" * 100_000,
        "(" * 50_000 + ")" * 50_000,
        "()" * 50_000,
        "(" * 15_000 + "a" + ")/(b)" * 15_000,
        "(a)/(" * 15_000 + "b" + ")" * 15_000,
        "(a)/(b)" * 14_000,
        "(a)/" * 25_000,
        "x/(b)" * 20_000,
        ("(a)" + " " * 1000) * 100,
        "(" + " " * 100_000 + ")/(" + " " * 100_000,
        "b/" * 50_000 + "(a)/(b)",
        "\\" * 100_001 + "()/",
    ],
    ids=range(13),
)
def test_hostile_texts_take_no_time(text: str) -> None:
    start = time.perf_counter()
    views(text), parse_dual(text), malformed(text)
    # Linear time is tenths of a second here; quadratic time is minutes.
    assert time.perf_counter() - start < 10
