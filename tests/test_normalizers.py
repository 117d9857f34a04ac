"""Normalizers: what each makes of a text, that a second pass changes nothing, and that Hangul stays whole."""

from __future__ import annotations

import sys
import unicodedata

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InvalidInput
from analysis.normalizers import NORMALIZERS, get_normalizer

TRAPS = ["um", "one", "two", "hundred", "point", "$", "5", "st", "Mr's", "don't", "'", "(가)/(나)", "b/", "half", "%"]
TRAPS += ["((가)/(나)다)/(라)", "가n/", "(%)/(퍼)에", "/(noise)", "그+", "뭐*라", "(70%)/"]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text("abzABZ '’.,-/()$%013é가힣각ㅋ́‍क्ि \u3000\t", max_size=40),
    st.lists(st.sampled_from(TRAPS)).map(" ".join),
)


@pytest.mark.parametrize("name", NORMALIZERS)
@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_second_pass_changes_nothing(name: str, text: str) -> None:
    normalizer = get_normalizer(name)
    assert normalizer(normalizer(text)) == normalizer(text)


@pytest.mark.parametrize("name", ["basic", "english", "korean"])
@given(text=st.text([chr(0xAC00), chr(0xD7A3), "날", "씨", "ㅋ", " ", "."], max_size=20))
@settings(deadline=None)
def test_hangul_stays_whole(name: str, text: str) -> None:
    expected = " ".join(text.replace(".", " ").split())
    assert get_normalizer(name)(text) == expected
    syllables = unicodedata.normalize("NFD", text)
    assert get_normalizer(name)(syllables) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Um, today's weather", "um today's weather"),
        ("Um... today’s weather!", "um today's weather"),
        ("rock 'n' roll, the dogs' 'tis a''b", "rock n roll the dogs tis a b"),
        ("well-known 3.5 U.S.", "well known 3 5 u s"),
        ("  tab\tand\u00a0no-break\u3000space\n", "tab and no break space"),
        ("STRASSE Straße ÉCOLE école", "strasse strasse école école"),
        ("e\u0301cole", "école"),
        ("오늘 날씨, 어때요? KBS", "오늘 날씨 어때요 kbs"),
        ("नमस्ते, दुनिया।", "नमस्ते दुनिया"),
        ("ভালো আছি", "ভালো আছি"),
        ("สวัสดีครับ", "สวัสดีครับ"),
        ("می\u200cخواهم ۱۲۳؟", "میخواهم ۱۲۳"),
        ("今日は、いい天気。", "今日は いい天気"),
        ("soft\u00adhyphen \ufeffmark", "softhyphen mark"),
        ("☺\ufe0f \u0301 alone", "alone"),
        ("...", ""),
        ("", ""),
    ],
)
def test_basic(text: str, expected: str) -> None:
    assert get_normalizer("basic")(text) == expected


def test_basic_keeps_the_letters_digits_and_marks_of_every_script() -> None:
    normalizer = get_normalizer("basic")
    points = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    variation = {*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))}
    for character in points:
        category = unicodedata.category(character)
        if (category[0] in "LN" or category in ("Mn", "Mc")) and character not in variation | {"\u02bc", "\u0149"}:
            kept = unicodedata.normalize("NFC", unicodedata.normalize("NFC", f"가{character}").casefold())
            assert normalizer(f"가{character}") == kept, hex(ord(character))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(70%)/(칠십 퍼센트) 맞죠?", "70 퍼센트 맞죠"),
        ("b/ 그 (1시간)/(한 시간) 아/ o/ 네. n/", "그 1시간 아 네"),
        ("(KTX)/(케이티엑스)를 타고", "ktx를 타고"),
        ("(뭐+ 뭔)/(모+ 몬) 소리야 그+ 그게", "뭐 뭔 소리야 그 그게"),
        ("((3)/(세) 시)/(세 시)에 （4）／（네） 명", "3 시에 4 명"),
        ("b/(3)/(세)n/ 그래n/ n/그래", "3 그래 그래"),
        ("l/u/ 네", "네"),
        ("뭐*라고 아* u/", "뭐라고 아"),
        ("(네)/(idiom) 그래/(noise) 응/(bgm)", "네 그래 응"),
        ("5 l/min 그리고 3*4", "5 l min 그리고 3 4"),
        ("(70%)/ 네 (70%)(칠십)", "70 퍼센트 네 70 퍼센트 칠십"),
        ("ㅋㅋ ﾡ 네ㅠㅠ", "ㅋㅋ ﾡ 네ㅠㅠ"),
        ("네", "네"),
    ],
)
def test_korean(text: str, expected: str) -> None:
    assert get_normalizer("korean")(text) == expected
    assert get_normalizer("korean")(unicodedata.normalize("NFD", text)) == expected


@pytest.mark.parametrize("text", ["70%", "70 %", "70％", "70 퍼센트", "(70%)/(칠십 퍼센트)", "(70%)/(칠십 프로)"])
def test_a_percent_sign_is_the_word_that_it_is_read_as(text: str) -> None:
    korean = get_normalizer("korean")
    assert korean(f"배터리 {text}") == "배터리 70 퍼센트"
    assert korean(f"배터리 {text}를 썼어") == "배터리 70 퍼센트를 썼어"


def test_only_the_korean_rate_leaves_spaces_out() -> None:
    assert {name: normalizer.spaces_count for name, normalizer in NORMALIZERS.items()} == {
        "none": True, "case": True, "basic": True, "english": True, "korean": False,
    }  # fmt: skip


def test_hangul_taken_apart_makes_a_character_error_rate_look_better_than_it_is() -> None:
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer

    reference, hypothesis = "음성인식 결과물", "음성인식 결과문"
    # One of 8 characters is wrong; taken apart, one of 21.
    assert jiwer.cer(reference, hypothesis) == 1 / 8
    apart = BasicTextNormalizer(remove_diacritics=True)
    assert len(apart(reference)) == 21
    assert jiwer.cer(apart(reference), apart(hypothesis)) == pytest.approx(0.048, abs=0.0005)
    for name in ("none", "basic", "english", "korean"):
        normalizer = get_normalizer(name)
        assert jiwer.cer(normalizer(reference), normalizer(hypothesis)) == 1 / 8
    # Without that option it keeps syllables, but makes letters that stand alone parts of syllables.
    assert BasicTextNormalizer()("하ㄱ") != "하ㄱ" == get_normalizer("basic")("하ㄱ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I won't pay twenty-one dollars, um, (laughs) Mr. Smith's", "i will not pay $21 mister smith is"),
        ("오늘 two hundred 명, ㅋㅋ", "오늘 200 명 ㅋㅋ"),
        ("colour", "colour"),
        ("", ""),
    ],
)
def test_english(text: str, expected: str) -> None:
    assert get_normalizer("english")(text) == expected


def test_english_says_which_text_it_cannot_read() -> None:
    with pytest.raises(InvalidInput, match="cannot read text that begins '1111"):
        get_normalizer("english")("1" * 5000)


def test_a_normalizer_is_named_with_its_version() -> None:
    assert [normalizer.label for normalizer in NORMALIZERS.values()] == [
        "none-1",
        "case-1",
        "basic-1",
        "english-1",
        "korean-2",
    ]


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="no normalizer 'basics'; choose one of none, case, basic, english, korean"):
        get_normalizer("basics")
