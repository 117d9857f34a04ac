"""Korean loan words spelled in several ways, also with particles and inside compounds: `컨텐츠를`, `콘텐츠`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.language.korean_loans import STANDARD_LOANS
from label_rules.conventions.convention import Use, convention_check, each_replaced
from label_rules.rule import Example, Rule

_STANDARD = frozenset(STANDARD_LOANS.values())
_SPELLINGS = sorted({*STANDARD_LOANS, *_STANDARD}, key=lambda word: (-len(word), word))
_LOAN = re.compile("|".join(_SPELLINGS))


def _loans(text: str) -> Iterator[Use]:
    for found in _LOAN.finditer(text):
        spelling = found.group()
        yield Use(f"loan.{STANDARD_LOANS.get(spelling, spelling)}", spelling, *found.span())


def _as_wanted(_: str, form: str) -> str:
    return form


KOREAN_LOAN_RULES = (
    Rule(
        "convention.korean_loan",
        "A loan word spelled in several ways is several words to the model.",
        "style",
        convention_check(_loans, each_replaced(_as_wanted), trigger=_LOAN),
        fires=(
            Example(("콘텐츠를 본다", "새 콘텐츠", "콘텐츠가 많다", "컨텐츠는 좋다"), (3,)),
            Example(("메시지 보내", "메시지가 왔어", "문자메시지", "메세지를 봐"), (3,)),
        ),
        passes=(
            Example(("콘텐츠를 본다", "새 콘텐츠", "콘텐츠가 많다", "컨테이너")),
            Example(("콘텐츠", "컨텐츠")),
        ),
    ),
)
