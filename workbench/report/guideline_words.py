"""What a guideline page says, in English and in Korean: a title and a sentence for each family of conventions."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """The title of a family, and what its conventions are about, in one sentence."""

    title: str
    about: str


_FAMILIES: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        "filler": ("Hesitations", "Each hesitation is spelled in one way."),
        "filler.kept": ("Hesitations written down or left out", "Either all are written down, or none is."),
        "after_filler": ("The mark behind a hesitation", "The same mark, or none, stands behind every hesitation."),
        "final_punctuation": ("The end of a transcript", "Transcripts end with a mark, or none does."),
        "inner_punctuation": ("Marks inside long transcripts", "Either everybody sets them, or nobody."),
        "apostrophe": ("Apostrophes", "One sign for the apostrophe."),
        "ellipsis": ("The sign for an ellipsis", "Three dots, or the one sign of three dots."),
        "quotation_mark": ("Quotation marks", "Straight or curly ones."),
        "dash": ("Dashes", "One sign for the dash, with spaces around it or without."),
        "dots": ("Rows of dots", "As many dots, spaced alike."),
        "casing": ("Capitals", "Sentences with capitals, or all in one case."),
        "number": ("Numbers", "In digits or in words."),
        "percent": ("Percentages", "A sign or a word, digits or words."),
        "money": ("Sums of money", "A sign or a word, digits or words."),
        "time": ("Times of day", "Hours, minutes, and am and pm."),
        "date": ("Dates", "Days, months, years and decades."),
        "spelling": ("Words with listed spellings", "One spelling of a word."),
        "dialect": ("British or American spelling", "One of the two, throughout."),
        "contraction": ("Contractions", "Both are right: write what is said, short or in full."),
        "reduction": ("Words like gonna", "Both are right: write what is said, short or in full."),
        "spacing": ("Together, apart or with a hyphen", "One way to write a compound."),
        "phrase": ("Joined, dotted and short words", "One way to write each."),
        "variant": ("Spellings found in these transcripts", "They stand in the same places for the same word."),
        "markup": ("The brackets of a tag", "One kind of bracket for a tag."),
        "tag": ("Tags", "One name for a sound, and one kind of bracket for all tags."),
        "script": ("Scripts", "Letters of other scripts are mistakes, unless a foreign word is wanted so."),
        "partial_word": ("Words that break off", "One mark for a word that breaks off."),
        "korean_spacing": ("Spacing", "The same syllables are parted in the same way."),
        "korean_numeral": ("Numerals and counters", "Digits or Hangul, native or Sino-Korean, spaced or not."),
        "loan": ("Loan words", "One spelling of a loan word."),
        "filler_mark": ("Marks of hesitations", "Each hesitation has its mark, or none has."),
        "dual": ("Dual transcriptions", "One word has one spelled and one spoken side."),
    },
    "ko": {
        "filler": ("간투어", "간투어는 한 가지로 적습니다."),
        "filler.kept": ("간투어를 적을지 여부", "모두 적거나 모두 적지 않습니다."),
        "after_filler": ("간투어 뒤의 부호", "간투어 뒤에는 늘 같은 부호를 쓰거나 쓰지 않습니다."),
        "final_punctuation": ("문장 끝의 부호", "모든 전사의 끝에 부호를 쓰거나 쓰지 않습니다."),
        "inner_punctuation": ("긴 문장 안의 부호", "모두 쓰거나 모두 쓰지 않습니다."),
        "apostrophe": ("아포스트로피", "한 가지 부호만 씁니다."),
        "ellipsis": ("줄임표", "점 세 개 또는 줄임표 하나로 통일합니다."),
        "quotation_mark": ("따옴표", "곧은 따옴표와 굽은 따옴표 가운데 하나만 씁니다."),
        "dash": ("줄표", "한 가지 부호를 같은 띄어쓰기로 씁니다."),
        "dots": ("이어 쓴 점", "점의 수와 간격을 같게 합니다."),
        "casing": ("대소문자", "로마자의 대소문자를 한 가지로 씁니다."),
        "number": ("수", "숫자 또는 글자 가운데 하나로 적습니다."),
        "percent": ("백분율", "기호와 글자 가운데 하나로 적습니다."),
        "money": ("금액", "기호와 글자 가운데 하나로 적습니다."),
        "time": ("시각", "시, 분, 오전과 오후를 같은 방식으로 적습니다."),
        "date": ("날짜", "연, 월, 일을 같은 방식으로 적습니다."),
        "spelling": ("맞춤법", "한 낱말은 한 가지로 적습니다."),
        "dialect": ("영국식과 미국식 철자", "둘 가운데 하나만 씁니다."),
        "contraction": ("영어 축약형", "둘 다 맞습니다. 들리는 대로 적습니다."),
        "reduction": ("영어 구어 축약형", "둘 다 맞습니다. 들리는 대로 적습니다."),
        "spacing": ("붙여쓰기와 띄어쓰기", "같은 말은 같은 방식으로 띄어 씁니다."),
        "phrase": ("붙임표와 줄임말", "한 가지 방식으로 적습니다."),
        "variant": ("자료에서 찾은 표기 변이", "같은 자리에서 같은 낱말로 쓰인 표기입니다."),
        "markup": ("태그의 괄호", "한 태그에는 한 가지 괄호만 씁니다."),
        "tag": ("태그", "한 소리에는 한 이름, 모든 태그에는 한 가지 괄호를 씁니다."),
        "script": ("문자", "다른 문자는 외국어를 그대로 적기로 한 경우가 아니면 잘못입니다."),
        "partial_word": ("끊긴 낱말", "끊긴 낱말에는 한 가지 부호를 씁니다."),
        "korean_spacing": ("의존 명사와 보조 용언의 띄어쓰기", "같은 말은 같은 방식으로 띄어 씁니다."),
        "korean_numeral": ("수사와 단위", "숫자와 한글, 고유어와 한자어, 띄어쓰기를 통일합니다."),
        "loan": ("외래어", "외래어는 한 가지로 적습니다."),
        "filler_mark": ("간투어 표시", "간투어에는 늘 표시를 하거나 하지 않습니다."),
        "dual": ("이중 전사", "한 낱말의 철자와 발음을 늘 같게 적습니다."),
    },
}  # fmt: skip

_FORMS: dict[str, dict[str, str]] = {
    "en": {
        "kept": "written down", "dropped": "left out", "none": "no mark", "with": "with a mark",
        "without": "without a mark", "plain": "typed (straight)", "typographic": "typeset (curly)",
        "lower": "all small", "upper": "all capitals", "sentence": "capitals as in a sentence", "mixed": "mixed",
        "digits": "in digits", "words": "in words", "in words": "in words", "contracted": "short", "full": "in full",
        "reduced": "short", "american": "American", "british": "British", "apart": "apart", "together": "together",
    },
    "ko": {
        "kept": "적음", "dropped": "적지 않음", "none": "부호 없음", "with": "부호 있음", "without": "부호 없음",
        "plain": "곧은 부호", "typographic": "조판용 부호", "lower": "모두 소문자", "upper": "모두 대문자",
        "sentence": "문장처럼", "mixed": "섞어 씀", "digits": "숫자", "words": "글자", "in words": "글자",
        "contracted": "줄임", "full": "줄이지 않음", "reduced": "줄임", "american": "미국식", "british": "영국식",
        "apart": "띄어 씀", "together": "붙여 씀", "spelled alone": "철자만", "(spelled)/(spoken)": "(철자)/(발음)",
    },
}  # fmt: skip

# What a part of a family is about, in English and in Korean.
_PARTS: dict[str, tuple[str, str]] = {
    "number.below_10": ("below ten", "열 미만"), "number.from_10": ("from ten on", "열 이상"),
    "number.korean": ("Korean numerals", "한국어 수사"), "percent": ("with digits", "숫자 뒤"),
    "percent.number": ("the number", "수"), "percent.space": ("the space", "띄어쓰기"),
    "percent.behind_words": ("behind words", "글자 뒤"), "money.cents": ("cents", "센트"),
    "time.half": ("am and pm", "오전과 오후"), "time.space": ("the space", "띄어쓰기"), "time.hour": ("the hour", "시"),
    "time.o_clock_hour": ("before o'clock", "정각"), "time.full_hour": ("the full hour", "정시"),
    "time.separator": ("hours and minutes", "시와 분 사이"),
    "date.day": ("the day", "일"), "date.month": ("the month", "월"),
    "date.numeric": ("in figures only", "숫자만"), "date.decade": ("decades", "연대"),
    "date.year": ("the year", "연도"),
    "tag.brackets": ("brackets of all tags", "모든 태그의 괄호"),
    "korean_numeral.native": ("native numerals", "고유어 수사"),
    "korean_numeral.sino": ("Sino-Korean numerals", "한자어 수사"),
    "korean_numeral.space_digits": ("digits and counter", "숫자와 단위"),
    "korean_numeral.space_words": ("numeral and counter", "수사와 단위"),
    "dual.spoken": ("the spoken side of", "발음"), "dual.spelled": ("the spelled side of", "철자"),
    "dual.kept": ("both sides of", "이중 전사 여부"),
}  # fmt: skip
# Their parts are words of the corpus, which say enough.
_BY_WORD = frozenset(("korean_spacing", "tag", "filler_mark", "markup"))

_PAGE: dict[str, dict[str, str]] = {
    "en": {
        "title": "Transcription guidelines",
        "made": "Made from {transcripts} transcripts by {annotators} annotators; the shares are of all uses in them.",
        "decided": "How we write",
        "decided_about": "What follows is what most of us do already. Where the page and your habit differ, follow the "
        "page.",
        "write": "Write ", "not": ", not ", "write_end": "",
        "of_uses": "{share} of {uses} uses", "wrong": "Wrong", "right": "Right",
        "example": "Example",
        "who": "Most often otherwise", "who_one": "{name} ({departing} of {own})",
        "undecided": "Decisions to make",
        "undecided_about": "Here no form has a clear majority. Somebody has to choose; until then all of them stand.",
        "choose": "Choose with", "habit": "Habits",
        "habit_about": "Both forms are right, and the audio says which one was spoken. Those named here nearly "
        "always write one of them, and likely do not listen for it.",
        "more": "{count} more are in the table: workbench conventions",
        "nothing": "Nothing is written in several ways.",
        "annotators": "Annotators",
        "form": "Form", "uses": "Uses", "share": "Share", "who_writes": "Who writes it",
    },
    "ko": {
        "title": "전사 지침",
        "made": "작업자 {annotators}명의 전사 {transcripts}건에서 만들었습니다. 비율은 그 안의 쓰임에 대한 것입니다.",
        "decided": "이렇게 적습니다",
        "decided_about": "아래는 이미 대부분이 따르는 방식입니다. 습관과 다르면 이 지침을 따릅니다.",
        "write": "", "not": "(으)로 적고 ", "write_end": "(은)는 쓰지 않습니다",
        "of_uses": "{uses}번 가운데 {share}", "wrong": "잘못", "right": "바름",
        "example": "보기",
        "who": "자주 다르게 적는 작업자", "who_one": "{name} ({own}번 가운데 {departing}번)",
        "undecided": "정해야 할 것",
        "undecided_about": "뚜렷한 다수를 차지하는 형태가 없습니다. 누군가 정해야 하며, 그때까지는 모두 둡니다.",
        "choose": "정하는 명령", "habit": "습관",
        "habit_about": "두 형태가 모두 맞고 무엇을 말했는지는 소리가 알려 줍니다. "
        "여기에 적힌 작업자는 거의 늘 한 가지만 씁니다.",
        "more": "나머지 {count}개는 표에 있습니다: workbench conventions", "nothing": "여러 가지로 적힌 것이 없습니다.",
        "annotators": "작업자",
        "form": "형태", "uses": "횟수", "share": "비율", "who_writes": "적는 사람",
    },
}  # fmt: skip

LANGUAGES = tuple(_PAGE)


def family_of(convention: str) -> str:
    """The family that a convention is shown under: its longest beginning that has words, or its first part.

    >>> family_of("filler.um"), family_of("filler.kept"), family_of("ours.colour")
    ('filler', 'filler.kept', 'ours')
    """
    return convention if convention in _FAMILIES["en"] else convention.split(".")[0]


def words_of_family(family: str, language: str) -> Words:
    """The title and sentence of a family; a team's own convention has its name for a title."""
    found = _FAMILIES[language].get(family)
    return Words(*found) if found else Words(family.replace("_", " "), "")


def shown_form(form: str, language: str) -> str:
    """A form as a reader is told it: names of forms in words, written forms as they stand, marks in quotes.

    >>> shown_form("digits", "en"), shown_form("okay", "en"), shown_form(",", "en")
    ('in digits', 'okay', '“,”')
    """
    named = _FORMS[language].get(form)
    return named or (form if any(map(str.isalnum, form)) else f"“{form}”")


def part_of(convention: str, language: str) -> str:
    """What of its family a convention is about, empty text where its forms say it.

    >>> part_of("number.from_10", "en"), part_of("spelling.okay", "en"), part_of("dual.spoken.tv", "en")
    ('from ten on', '', 'the spoken side of tv')
    """
    index = LANGUAGES.index(language)
    if convention in _PARTS:
        return _PARTS[convention][index]
    family, _, rest = convention.partition(".")
    if family in _BY_WORD and convention not in _FAMILIES["en"]:
        return rest
    kind, _, word = rest.partition(".")
    return f"{_PARTS[f'{family}.{kind}'][index]} {word}" if f"{family}.{kind}" in _PARTS else ""


def phrase(key: str, language: str, /, **values: object) -> str:
    """A phrase of the page, with its values filled in."""
    return _PAGE[language][key].format(**values)
