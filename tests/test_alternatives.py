"""What may stand for what is written: each source's table, and what holds for all of them on any text."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.alternatives.builtin import BUNDLES, ENGLISH, KOREAN, SOURCES, get_source, get_sources
from analysis.alternatives.fillers import is_filler
from analysis.alternatives.source import Alternative, Heard, Source
from analysis.alternatives.synonyms import Synonym, Synonyms
from analysis.errors import InvalidInput
from analysis.normalizers import basic, get_normalizer


def found(source: Source, reference: str, hypothesis: str) -> list[str]:
    """The proposals as `written > heard`."""
    words = tuple(reference.split())
    return [
        f"{' '.join(words[each.start : each.end])} > {' '.join(each.words)}"
        for each in source.find(words, Heard(hypothesis.split()))
    ]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("it's cold", "it is cold", ["it's > it is"]),
        ("it's been cold", "it has been cold", ["it's > it has"]),
        ("it is cold", "it's cold", ["it is > it's"]),
        ("it has been cold", "it's been cold", ["it has > it's"]),
        ("we'll see", "we will see", ["we'll > we will"]),
        ("we will see", "we'll see", ["we will > we'll"]),
        ("i'm gonna go", "i am going to go", ["i'm > i am", "gonna > going to"]),
        ("going to", "gonna", ["going to > gonna"]),
        ("want to", "wanna", ["want to > wanna"]),
        ("i won't", "i will not", ["won't > will not"]),
        ("i can't", "i cannot", ["can't > cannot"]),
        ("i can not", "i can't", ["can not > can't"]),
        ("i dunno", "i do not know", ["dunno > do not know"]),
        ("i dunno", "i don't know", ["dunno > don't know"]),
        ("you shouldn't've gone", "you should not have gone", ["shouldn't've > should not have"]),
        ("we ain't", "we are not", ["ain't > are not"]),
        ("goin home", "going home", ["goin > going"]),
        ("going home", "goin home", ["going > goin"]),
        ("the king", "the kin", []),
        ("tell em", "tell them", ["em > them"]),
        ("cause i said", "because i said", ["cause > because"]),
        ("don't", "dont", ["don't > dont"]),
        ("dont", "don't", ["dont > don't"]),
        ("i don't", "i don t", ["don't > don t"]),
        ("that s it", "that's it", ["that s > that's"]),
        ("how'd it go", "how did it go", ["how'd > how did"]),
        ("i did go", "i'd go", []),
        ("john's here", "john is here", ["john's > john is"]),
        ("we'll see", "well see", []),
        ("it's cold", "its cold", []),
        ("we're here", "were here", []),
        ("can", "can't", []),
        ("it is cold", "it is cold", []),
    ],
)
def test_contractions(reference: str, hypothesis: str, expected: list[str]) -> None:
    assert found(get_source("contractions"), reference, hypothesis) == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("ice cream", "icecream", ["ice cream > icecream"]),
        ("icecream", "ice cream", ["icecream > ice cream"]),
        ("a b c d", "abcd", ["a b c d > abcd"]),
        ("abcd", "a b c d", ["abcd > a b c d"]),
        ("a b c d e", "abcde", []),
        ("아이스 크림", "아이스크림", ["아이스 크림 > 아이스크림"]),
        ("follow-up", "follow up", ["follow-up > follow up"]),
        ("follow up", "follow-up", ["follow up > follow-up"]),
        ("follow-up", "followup", ["follow-up > followup"]),
        ("covid-19", "covid 19", ["covid-19 > covid 19"]),
        ("q 3", "q3", ["q 3 > q3"]),
        ("4 5", "45", []),
        ("45", "4 5", []),
        ("4-5", "45", []),
        ("ice cream", "ice cream", []),
        ("ice tea", "icecream", []),
        ("re- sign", "resign", []),
    ],
)
def test_compounds(reference: str, hypothesis: str, expected: list[str]) -> None:
    assert found(get_source("compounds"), reference, hypothesis) == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("colour", "color", ["colour > color"]),
        ("color", "colour", ["color > colour"]),
        ("the theatre centre", "the theater center", ["theatre > theater", "centre > center"]),
        ("monetised", "monetized", ["monetised > monetized"]),
        ("organization", "organisation", ["organization > organisation"]),
        ("okay", "ok", ["okay > ok"]),
        ("okay", "o k", ["okay > o k"]),
        ("e mail me", "email me", ["e mail > email"]),
        ("email me", "e-mail me", ["email > e-mail"]),
        ("it's alright", "it's all right", ["alright > all right"]),
        ("ten per cent", "ten percent", ["per cent > percent"]),
        ("the prize", "the prise", []),
        ("sea", "see", []),
        ("definitely", "definately", []),
        ("colour", "colour", []),
    ],
)
def test_spellings(reference: str, hypothesis: str, expected: list[str]) -> None:
    assert found(get_source("spellings"), reference, hypothesis) == expected


def longest(source: Source, reference: str, hypothesis: str) -> str | None:
    """The proposal with the most words on both sides together, None when there is none."""
    return max(found(source, reference, hypothesis), key=lambda each: len(each.split()), default=None)


SAME_NUMBERS = """
    twenty | 20
    twenty five | 25
    twenty-five | 25
    a hundred | 100
    one hundred and fifty | 150
    two thousand and twenty | 2020
    twenty twenty | 2020
    twenty twenty | two thousand and twenty
    nineteen oh five | 1905
    nineteen eighty four | 1984
    eighteen hundred | 1800
    one million two hundred and fifty thousand | 1250000
    one million two hundred and fifty thousand | 1 250 000
    one thousand | 1 000
    1000 | 1 000
    1,000 | one thousand
    four point five | 4.5
    four point five | 4 5
    point five | 0.5
    two and a half | 2.5
    two and a half | 2 5
    two and a half | 2½
    three quarters | 3/4
    three quarters | 3 4
    four point five million | 4.5 million
    four point five million | 4 5 million
    half a million | 500 000
    two point one trillion | 2.1 trillion
    five hundred | 5 hundred
    one oh one | 101
    one oh one | one zero one
    zero | 0
    zero seven | 07
    double oh seven | 007
    five five five one two three four | 555 1234
    555 1234 | 5551234
    first | 1st
    twenty first | 21st
    nineteen nineties | 1990s
    eighties | 80's
    three thirty | 3 30
    three thirty | 3:30
    eight oh five | 8 05
    three p m | 3pm
    five k | 5k
    five thousand | 5k
    twenty percent | 20%
    20 per cent | 20%
    twenty % | 20%
    twenty dollars | $20
    $ 20 | $20
    four point five million dollars | $4.5 million
    five million dollars | $5m
    q three | q3
    f y twenty one | fy21
    mp three | mp3
    number five | #5
    ii | two
"""


@pytest.mark.parametrize("pair", [line.strip() for line in SAME_NUMBERS.strip().split("\n")])
def test_the_same_number_is_found_either_way(pair: str) -> None:
    one, other = pair.split(" | ")
    assert longest(get_source("numbers"), one, other) == f"{one} > {other}"
    assert longest(get_source("numbers"), other, one) == f"{other} > {one}"


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        ("45", "4 5"),
        ("forty five", "four five"),
        ("four fifty", "four point five"),
        ("450", "4 50"),
        ("oh my god", "0 my god"),
        ("twenty dollars", "20 %"),
        ("fifteen", "fifty"),
        ("5", "5th"),
        ("one", "won"),
        ("a", "1"),
        ("and", "&"),
        ("q3", "three"),
        ("2020", "2020"),
    ],
)
def test_other_numbers_are_not_the_same(reference: str, hypothesis: str) -> None:
    whole = f"{reference} > {hypothesis}"
    assert whole not in found(get_source("numbers"), reference, hypothesis)
    assert whole not in found(get_source("compounds"), reference, hypothesis)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("in twenty twenty we", "in 2020 we", ["twenty twenty > 2020"]),
        ("two cats and three dogs", "2 cats and 3 dogs", ["two > 2", "three > 3"]),
        ("on may fifth", "on may 5", ["fifth > 5"]),
        ("on may the fifth", "on may 5", ["the fifth > 5"]),
        ("on the fifth of may", "on 5 may", ["the fifth of > 5", "fifth of > 5"]),
        ("the fifth row", "the 5 row", []),
        ("twenty four seven", "24 7", ["twenty four > 24", "seven > 7"]),
        ("seven point eight million", "7 8 million", ["seven point eight million > 7 8 million",
            "seven point eight > 7 8", "eight million > 8 million", "seven > 7", "eight > 8"]),
        ("twenty dollars", "20", ["twenty > 20"]),
    ],
)  # fmt: skip
def test_numbers_in_their_places(reference: str, hypothesis: str, expected: list[str]) -> None:
    assert sorted(found(get_source("numbers"), reference, hypothesis)) == sorted(expected)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("칠십 퍼센트", "70퍼센트"),
        ("칠십퍼센트를", "70 퍼센트를"),
        ("칠십 퍼센트", "칠십퍼센트"),
        ("60프로", "육십 퍼센트"),
        ("세 시에", "3시에"),
        ("세 시 삼십 분", "3시 30분"),
        ("3시30분", "세시 삼십분"),
        ("이천 이십 육 년", "2026년"),
        ("만 오천 원", "15000원"),
        ("만 오천 원", "15 000원"),
        ("만 오천 원", "1만5천원"),
        ("일억 이천만 원", "1억 2천만원"),
        ("백만원", "1000000원"),
        ("삼 점 오 퍼센트", "3 5퍼센트"),
        ("공일공", "010"),
        ("공일공", "0 1 0"),
        ("스물다섯 살", "25살"),
        ("예순다섯", "65"),
        ("둘", "2"),
        ("두명", "2명"),
    ],
)
def test_the_same_korean_number_is_found_either_way(one: str, other: str) -> None:
    assert f"{one} > {other}" in found(get_source("korean-numbers"), one, other)
    assert f"{other} > {one}" in found(get_source("korean-numbers"), other, one)


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        ("이 사람", "2 사람"),
        ("네 맞아요", "4 맞아요"),
        ("사회", "4회"),
        ("이번에", "2번에"),
        ("천장", "1000장"),
        ("만", "10000"),
        ("35퍼센트", "3 5퍼센트"),
        ("세 시", "4시"),
        ("칠십 퍼센트를", "70퍼센트가"),
        ("3시", "3시"),
    ],
)
def test_other_korean_words_are_no_number(reference: str, hypothesis: str) -> None:
    assert found(get_source("korean-numbers"), reference, hypothesis) == []


@pytest.mark.parametrize(
    ("words", "fillers"),
    [
        ("um uh er erm hmm mm ah", "um uh er erm hmm mm ah"),
        ("ummm uhh mmm Um", "ummm uhh mmm Um"),
        ("mhm uh-huh oh like well a i", ""),
        ("음 어 아 그 네", "음 어 아"),
    ],
)
def test_fillers(words: str, fillers: str) -> None:
    assert [word for word in words.split() if is_filler(word)] == fillers.split()


SYNONYMS = Synonyms.of_groups([["ice cream", "ice-cream", "gelato"], ["colour", "color"]])


def test_synonyms_are_equal_both_ways_in_the_words_of_the_normalizer() -> None:
    synonyms = SYNONYMS.normalised(basic)
    assert found(synonyms, "ice cream", "gelato") == ["ice cream > gelato"]
    assert found(synonyms, "gelato", "ice cream") == ["gelato > ice cream"]
    assert found(synonyms, "ice cream", "ice cream") == []
    assert found(SYNONYMS, "ice-cream", "ice cream") == ["ice-cream > ice cream"]


def test_a_rule_holds_in_one_direction() -> None:
    synonyms = Synonyms.of_rules([Synonym("going to", "gonna")])
    assert found(synonyms, "going to", "gonna") == ["going to > gonna"]
    assert found(synonyms, "gonna", "going to") == []


def test_the_name_of_synonyms_tells_their_content() -> None:
    turned = Synonyms.of_groups([["color", "colour"], ["gelato", "ice-cream", "ice cream"]])
    more = Synonyms.of_groups([["ice cream", "ice-cream", "gelato"], ["colour", "color", "kolor"]])
    assert turned.name == SYNONYMS.name == SYNONYMS.normalised(basic).name
    assert more.name != SYNONYMS.name
    assert SYNONYMS.name.startswith("synonyms-") and len(SYNONYMS.name) == len("synonyms-") + 8


def test_a_synonym_that_the_normalizer_leaves_nothing_of_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"'&' .*leaves nothing of it.*take it out"):
        Synonyms.of_groups([["and", "&"]]).normalised(basic)


def test_bundles_and_names() -> None:
    basic_normalizer = get_normalizer("basic")
    assert BUNDLES == {"english": ENGLISH, "korean": KOREAN}
    assert [source.name for source in get_sources(["english"], basic_normalizer)] == list(ENGLISH)
    assert [source.name for source in get_sources(["korean", "compounds", SYNONYMS], basic_normalizer)] == [
        *KOREAN,
        SYNONYMS.name,
    ]
    assert found(get_sources([SYNONYMS], basic_normalizer)[0], "gelato", "ice cream") == ["gelato > ice cream"]
    for name, source in SOURCES.items():
        assert get_source(name) is source and source.name == name


@pytest.mark.parametrize("ask", [lambda: get_source("nubmers"), lambda: get_sources(["nubmers"], str)])
def test_an_unknown_name_lists_those_that_there_are(ask: object) -> None:
    with pytest.raises(
        InvalidInput, match="'nubmers'; choose one of contractions, numbers, compounds, spellings, korean"
    ):
        ask()  # type: ignore[operator]


ALL = (*SOURCES.values(), SYNONYMS)
_SAID = """
    one two five twenty thirty hundred thousand million point and a half oh zero first fifth nineties double third of
    may the percent 20 4 5 45 2020 000 1,000 4.5 3:30 $20 20% q3 fy21 3pm 21st 1990s 1/2 ½ it's it is i'm im gonna
    going to goin' don't do not dont don t ice cream ice-cream icecream colour color okay ok o k e mail email 칠십
    퍼센트 70퍼센트 세 시 3시 삼 점 오 만 천 원 이 사람 010 공일공 - ' . %
"""
SAID = _SAID.split()
words = st.one_of(
    st.sampled_from(SAID),
    st.text(st.sampled_from(string.ascii_lowercase + "'-0123456789.,%$일이삼십백천만시원"), min_size=1, max_size=8),
    st.text(min_size=1, max_size=6).map(lambda text: "".join(text.split())).filter(bool),
)
texts = st.lists(words, max_size=14).map(tuple)


@settings(max_examples=400, deadline=None)
@given(texts, texts, st.sampled_from(ALL))
def test_every_proposal_was_heard_and_is_not_what_is_written(
    reference: tuple[str, ...], hypothesis: tuple[str, ...], source: Source
) -> None:
    heard = Heard(hypothesis)
    proposals = list(source.find(reference, heard))
    for start, end, other in proposals:
        assert 0 <= start < end <= len(reference)
        assert other and heard.holds(other)
        assert other != reference[start:end]
    assert len(set(proposals)) == len(proposals)
    assert proposals == list(source.find(reference, Heard(hypothesis)))


@settings(max_examples=200, deadline=None)
@given(texts, texts, st.sampled_from([get_source(name) for name in ("numbers", "korean-numbers", "compounds")]))
def test_what_may_stand_for_a_text_lets_the_text_stand_for_it(
    reference: tuple[str, ...], hypothesis: tuple[str, ...], source: Source
) -> None:
    assume("may" not in reference)  # A day is one only beside its month.
    for start, end, other in source.find(reference, Heard(hypothesis)):
        written = reference[start:end]
        assert Alternative(0, len(other), written) in list(source.find(other, Heard(written)))


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.name)
@pytest.mark.parametrize("piece", ["1", "일", "1일", "만일", "'d", "a-", "ing", "twenty-", "1,", "열", "isis"])
def test_very_long_words_are_just_words(source: Source, piece: str) -> None:
    word = piece * 5000
    assert list(source.find((word, f"{word}x"), Heard((f"{word}y", word, f"{word}z")))) == []


def test_nothing_in_common_costs_and_proposes_nothing() -> None:
    heard = Heard(["nothing", "of", "the", "kind"])
    assert [list(source.find(("quite", "another", "text"), heard)) for source in ALL] == [[]] * len(ALL)
    assert [list(source.find((), heard)) for source in ALL] == [[]] * len(ALL)
    assert [list(source.find(("it's", "20"), Heard(()))) for source in ALL] == [[]] * len(ALL)
