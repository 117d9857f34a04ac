"""The rule on spelling variants that no list holds; `discovery.py` finds them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.language.contractions import full_forms
from analysis.language.korean_loans import STANDARD_LOANS
from analysis.language.spellings import AMERICAN, BRITISH, VARIANTS
from label_rules.conventions.convention import Use, Writing, each_replaced, in_case_of, prepared_check
from label_rules.conventions.discovery import Variant, discover_in
from label_rules.conventions.spacing import may_join
from label_rules.conventions.word_slots import WORD, WordNumbers
from label_rules.corpus import Corpus
from label_rules.rule import Example, Rule
from label_rules.tokens import plain_apostrophes

_LOAN = re.compile("|".join(sorted({*STANDARD_LOANS, *STANDARD_LOANS.values()}, key=len, reverse=True)))
_LISTED = {spelling: number for number, spellings in enumerate(VARIANTS) for spelling in spellings}


def _writing(corpus: Corpus) -> Writing:
    numbers = WordNumbers(corpus)
    families = _families([variant for variant in discover_in(numbers) if not _is_listed(variant)])
    words = {form.split()[0] for form in families}

    def trigger(piece: str) -> bool:
        return not words.isdisjoint(WORD.findall(plain_apostrophes(piece).lower()))

    return Writing(lambda text: _uses(text, families), each_replaced(in_case_of), trigger)


def _is_listed(variant: Variant) -> bool:
    """Whether another rule knows the two forms already."""
    one, other = variant.form, variant.other
    loan, other_loan = (_LOAN.match(form) for form in (one, other))
    if loan and other_loan and STANDARD_LOANS.get(loan[0], loan[0]) == STANDARD_LOANS.get(other_loan[0], other_loan[0]):
        return True
    if AMERICAN.get(one) == other or BRITISH.get(one) == other:
        return True
    if one in _LISTED and _LISTED[one] == _LISTED.get(other):
        return True
    apart = next((form.split() for form in (one, other) if " " in form), None)
    if apart is None:
        return one in full_forms(other) or other in full_forms(one)
    return may_join(*apart) or " ".join(apart) in {*full_forms(one), *full_forms(other)}


def _families(variants: list[Variant]) -> dict[str, str]:
    """Each form with the most frequent form of its family; a form has one family."""
    family: dict[str, str] = {}
    for variant in sorted(variants, key=lambda variant: (-variant.uses, variant.kappa, variant.other)):
        root = family.setdefault(variant.form, variant.form)
        family.setdefault(variant.other, root)
    return family


def _uses(text: str, families: dict[str, str]) -> Iterator[Use]:
    found = list(WORD.finditer(text))
    words = [plain_apostrophes(word.group()).lower() for word in found]
    number = 0
    while number < len(words):
        pair = " ".join(words[number : number + 2])
        last = number + 1 if pair in families and number + 1 < len(words) else number
        # A mark between the two says that they are no compound.
        if last > number and not text[found[number].end() : found[last].start()].isspace():
            last = number
        form = pair if last > number else words[number]
        if form in families:
            yield Use(f"variant.{families[form]}", form, found[number].start(), found[last].end())
        number = last + 1


_KATHARINE = ("Catherine came home", "Katharine came home", "Catherine came home", "Catherine came home")
_AGAIN = ("ask Catherine now", "ask Catherine now", "ask Katharine now", "ask Catherine now")
_SEE = ("to the sea we go", "to the sea we go", "to the see we go", "to the sea we go")
_SEEN = ("I see it now", "I see it now", "I sea it now", "I see it now")


def _two_clips(one: tuple[str, ...], other: tuple[str, ...], flagged: tuple[int, ...] = ()) -> Example:
    # A clip of each, told apart by their audio.
    keys = ("first",) * len(one) + ("second",) * len(other)
    return Example((*one, *other), flagged, columns={"audio_key": keys})


DISCOVERED_RULES = (
    Rule(
        "convention.discovered",
        "Two spellings that stand in the same places for the same word are two targets for one sound.",
        "style",
        prepared_check(_writing),
        fires=(_two_clips(_KATHARINE, _AGAIN, (1, 6)),),
        passes=(_two_clips(_SEE, _SEEN), Example(("grey cat", "gray cap", "two cats", "the cat"))),
    ),
)
