"""Where Korean writers part words differently: bound nouns, auxiliary verbs, negation: `할 수 있다`, `할수 있다`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule

_FINAL_L, _FINAL_N = 8, 4


def _with_final(number: int) -> str:
    """All syllables with this final consonant, as a character class."""
    return "[" + "".join(chr(code) for code in range(0xAC00, 0xD7A4) if (code - 0xAC00) % 28 == number) + "]"


_L, _N = _with_final(_FINAL_L), _with_final(_FINAL_N)
# Syllables that a verb ends with before an auxiliary one, and the endings of a noun or a sentence.
_LINKED = "[아어여해워와봐져려켜겨써꺼커가나내줘놔둬쳐셔혀돼빼깨대매세베]"
_STOP = r"(?:\s|$|[.,?!])"
_THING = f"(?:것|거|게|건|걸)(?:은|이|을|도|만|같|야|예요|에요|라고|지|니|다)?{_STOP}"
_GIVE = "(?:주세요|줘요?|줬|주십|주시|줄게|줄래|주면|드릴|드려|드립)"
_LOOK = "(?:보세요|봐요|봤|보자|볼게|볼까|보면|보니|보고)"
_DO = "(?:돼|되|해|하|가|와|먹|봐|보|했|됐|갔|왔)"
_CAN = "(?:가|와|먹|봐|갔|왔|봤|들|읽|자|잤|찾)"
_SINCE = r"(?:[가-힣0-9]+\s)?(?:년|달|시간|일|주|오래|얼마)"
# What is parted in several ways, by its dictionary form, and the gap that may hold a space or nothing.
_PLACES: tuple[tuple[str, str], ...] = (
    ("수 있다", rf"(?<={_L})(?P<gap> ?)(?!(?<=[실별필골홀])수)수(?P<second> ?)(?=(?:가|는|도|밖에)? ?[있없])"),
    ("것", rf"(?<={_L})(?P<gap> ?)(?={_THING})"),
    ("때", rf"(?<={_L})(?P<gap> ?)(?=때(?:는|도|면|까지|마다|부터|의|가|에)?{_STOP})"),
    ("줄 알다", rf"(?<={_L})(?P<gap> ?)줄(?P<second> ?)(?=(?:은|도|만)? ?[알모몰])"),
    ("적 있다", rf"(?<={_N})(?P<gap> ?)적(?P<second> ?)(?=(?:이|은|도)? ?[있없])"),
    ("지 되다", rf"(?<={_N})(?P<gap> ?)지(?=\s{_SINCE})"),
    ("만큼", rf"(?:(?<={_L})|(?<={_N}))(?P<gap> ?)(?=만큼(?:은|도|의|이나)?{_STOP})"),
    ("것 같다", r"(?<=[것거])(?P<gap> ?)(?=같(?:아|은|다|습|애|네|지))"),
    ("안", rf"(?:(?<=\s)|^)안(?P<gap> ?)(?={_DO})"),
    ("못", rf"(?:(?<=\s)|^)못(?P<gap> ?)(?={_CAN})"),
    ("해 주다", rf"(?<={_LINKED})(?P<gap> ?)(?={_GIVE})"),
    ("해 보다", rf"(?<={_LINKED})(?P<gap> ?)(?={_LOOK})"),
    ("해 버리다", rf"(?<={_LINKED})(?P<gap> ?)(?=버[렸려리릴])"),
)
_PATTERNS = tuple((name, re.compile(pattern), "second" in pattern) for name, pattern in _PLACES)
_TRIGGER = re.compile("[수것거게건걸때줄적지만같안못주줘줬드보봐봤볼버]")
_WITH_OTHERS = ("안", "못", "해 주다", "해 보다", "해 버리다")
# What the dictionary has as one word, or what begins another word.
_DICTIONARY = """
    안가 안보 안하 안과 안해 못지 못자 찾아보 돌아보 알아보 바라보 물어보 살펴보 지켜보 내버려
    잃어버리 잊어버리 잃어버렸 잊어버렸 도와주 도와줘 도와드 들여다보 쳐다보 돌려주 돌려줘 가져다주
    데려다주 빌려주 빌려줘 알려주 알려줘 보여주 보여줘 들려주 들려줘 나눠주 나눠줘 건네주 놓아주
    나가보 가보
"""
_WHOLE_WORDS = re.compile("|".join(_DICTIONARY.split()))


def _spaces(text: str) -> Iterator[Use]:
    for name, pattern, has_second in _PATTERNS:
        for found in pattern.finditer(text):
            start, end = found.span("gap")
            if name in _WITH_OTHERS and _WHOLE_WORDS.search(text[max(start - 3, 0) : start] + text[end : end + 3]):
                continue
            yield Use(f"korean_spacing.{name}", "apart" if end > start else "together", start, end)
            if has_second:
                start, end = found.span("second")
                # A particle in between is not told apart here: 수가 있다.
                if end > start or text[start : start + 1] in "있없알모몰":
                    form = "apart" if end > start else "together"
                    yield Use(f"korean_spacing.{name} (뒤)", form, start, end)


def _as_wanted(_: str, form: str) -> str:
    return " " if form == "apart" else ""


KOREAN_SPACING_RULES = (
    Rule(
        "convention.korean_spacing",
        "The same syllables parted in several ways make other words of them wherever words are counted.",
        "style",
        convention_check(_spaces, each_replaced(_as_wanted), trigger=_TRIGGER),
        fires=(
            Example(("할 수 있다", "갈 수 있어요", "볼 수 없다", "할수 있다"), (3,)),
            Example(("할 수 있다", "갈 수 있어요", "볼 수 없다", "할 수있다"), (3,)),
            Example(("갈 때 말해", "올 때는 봐", "먹을 때도", "잘때 와"), (3,)),
            Example(("기다려 주세요", "열어 주세요", "꺼 줘", "켜주세요"), (3,)),
        ),
        passes=(
            Example(("할 수 있다", "갈 수 있어요", "볼 수 없다", "가수가 있다", "실수 없이", "물수건")),
            Example(("할 수 있다", "할수 있다")),
        ),
    ),
)
