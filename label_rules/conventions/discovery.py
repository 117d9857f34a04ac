"""Spelling variants that nobody listed, found from the transcripts themselves.

Two forms are candidates when they have the same letters once spaces and apostrophes are gone, the same key of sounds
(`analysis.language.sounds`), or, in Korean, the same but for one vowel that is confused in foreign words. Which of them
are one word is told by where they stand. Take the places in which either form stands: the same words around it, in
transcripts of the same clip if clips have several, or anywhere. Different words share out the places (`see` in some,
`sea` in others); spellings of one word mix at random within them. The measure is the chance-corrected agreement of two
uses in one place, the intraclass kappa for two categories (Fleiss, "Statistical Methods for Rates and Proportions",
1981, chapter 13):

    kappa = 1 - D / (2 p q)

with D the share of pairs of uses in one place that are of different forms, and p, q the shares of the forms. It is
about 1 for different words, about 0 for spellings of one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from analysis.language.homophones import are_homophones
from analysis.language.sounds import may_be_one_vowel, sound_key, vowel_keys
from label_rules.conventions.word_slots import Integers, Slots, WordNumbers
from label_rules.corpus import Corpus

# Chosen on CrowdSpeech dev-clean; dev-other was looked at afterwards.
MOST_KAPPA_IN_CLIPS = 0.25
MOST_KAPPA_IN_CONTEXTS = 0.3
_LEAST_USES = 2
_LEAST_SHARED_CLIPS, _LEAST_SHARED_CONTEXTS = 2, 4
# So many words of one key are no variants of one another.
_MOST_OF_KEY = 30
_LEAST_LETTERS = 3
_INFLECTIONS = ("s", "es", "ed", "er", "ing", "ly")
# Behind the one vowel of a stem a doubled consonant makes another vowel of it: `stared`, `starred`; `tiny`, `tinny`.
_DOUBLED = re.compile(r"[^aeiouy]*[aeiou]([b-df-hj-np-tv-z])\1(?:ed|ing|ers?|y|ies)$")
# Words that lose their apostrophe by a slip; any other final s is a plural.
_WITH_IS = frozenset(("that's", "what's", "there's", "here's", "where's", "how's", "who's", "she's", "he's"))


class Variant(NamedTuple):
    """Two forms of one word: each form as text, how often it is used, in how many places both stand, and kappa.

    The places are clips where `within_clips`, and neighbouring words elsewhere.
    """

    form: str
    other: str
    uses: int
    other_uses: int
    places: int
    kappa: float
    within_clips: bool


Form = tuple[int, ...]


def discover(corpus: Corpus) -> list[Variant]:
    """The variants of the corpus, the most alike in use first; `form` is the more frequent one.

    Works on the vocabulary and on counts of neighbouring words, in time linear in the corpus but for sorting.
    """
    return discover_in(WordNumbers(corpus))


def discover_in(numbers: WordNumbers) -> list[Variant]:
    """The variants of a corpus that was read already."""
    candidates = sorted({*_alike_in_sound(numbers), *_alike_but_for_a_vowel(numbers), *_alike_in_letters(numbers)})
    forms = sorted({form for pair in candidates for form in pair})
    number_of = {form: number for number, form in enumerate(forms)}
    pairs = [(number_of[one], number_of[other]) for one, other in candidates]
    in_clips = _Places(numbers.slots(forms, True), len(forms))
    judged: dict[tuple[int, int], tuple[int, float, bool]] = {}
    unknown = []
    for pair in pairs:
        places, kappa = in_clips.compared(*pair)
        if places >= _LEAST_SHARED_CLIPS and kappa <= MOST_KAPPA_IN_CLIPS:
            judged[pair] = places, kappa, True
        elif not places and not all(map(in_clips.well_known, pair)):
            # Where both are well known, those who heard the same never took one for the other.
            unknown.append(pair)
    judged |= _judged_anywhere(numbers, forms, unknown)
    uses = _uses(numbers, forms)
    found = []
    for pair, (places, kappa, within_clips) in judged.items():
        written = [(-int(uses[form]), " ".join(numbers.vocabulary[word] for word in forms[form])) for form in pair]
        (often, form), (seldom, other) = sorted(written)
        found.append(Variant(form, other, -often, -seldom, places, kappa, within_clips))
    return sorted(found, key=lambda variant: (variant.kappa, -variant.places, variant.form, variant.other))


def _judged_anywhere(
    numbers: WordNumbers, forms: list[Form], pairs: list[tuple[int, int]]
) -> dict[tuple[int, int], tuple[int, float, bool]]:
    """The pairs, of those that no clip tells of, that the words around them say are one word."""
    wanted = sorted({form for pair in pairs for form in pair})
    number_of = {form: number for number, form in enumerate(wanted)}
    anywhere = _Places(numbers.slots([forms[form] for form in wanted], False), len(wanted))
    judged = {}
    for one, other in pairs:
        places, kappa = anywhere.compared(number_of[one], number_of[other])
        if places >= _LEAST_SHARED_CONTEXTS and kappa <= MOST_KAPPA_IN_CONTEXTS:
            judged[one, other] = places, kappa, False
    return judged


class _Places:
    """For each form the cells that it stands in, and how often."""

    def __init__(self, slots: Slots, forms: int) -> None:
        bounds = np.searchsorted(slots.form, np.arange(forms + 1))
        self._cells = [slots.cell[start:end] for start, end in pairwise(bounds.tolist())]
        self._weights = [slots.weight[start:end] for start, end in pairwise(bounds.tolist())]
        self._pairs = [int((weights * (weights - 1)).sum()) for weights in self._weights]
        self._uses = [int(weights.sum()) for weights in self._weights]

    def well_known(self, form: int) -> bool:
        """Whether the form stands in cells enough to be found beside another."""
        return len(self._cells[form]) >= _LEAST_SHARED_CLIPS

    def compared(self, one: int, other: int) -> tuple[int, float]:
        """In how many cells both forms stand, and their kappa (1 where they share none)."""
        shared, at_one, at_other = np.intersect1d(
            self._cells[one], self._cells[other], assume_unique=True, return_indices=True
        )
        if not len(shared):
            return 0, 1.0
        differing = 2 * int((self._weights[one][at_one] * self._weights[other][at_other]).sum())
        share = self._uses[one] / (self._uses[one] + self._uses[other])
        observed = differing / (self._pairs[one] + self._pairs[other] + differing)
        return len(shared), 1 - observed / (2 * share * (1 - share))


def _uses(numbers: WordNumbers, forms: list[Form]) -> Integers:
    size = len(numbers.vocabulary)
    firsts, seconds, counts = numbers.neighbours
    codes = firsts * size + seconds
    made = []
    for form in forms:
        if len(form) == 1:
            made.append(int(numbers.counts[form[0]]))
        else:
            made.append(int(counts[np.searchsorted(codes, form[0] * size + form[1])]))
    return np.array(made, dtype=np.int64)


def _alike_in_sound(numbers: WordNumbers) -> Iterator[tuple[Form, Form]]:
    keys: defaultdict[str, list[int]] = defaultdict(list)
    for number, word in enumerate(numbers.vocabulary):
        if numbers.counts[number] >= _LEAST_USES and len(word) >= _LEAST_LETTERS and not word[0].isdecimal():
            keys[sound_key(word)].append(number)
    for key, words in keys.items():
        if key and 1 < len(words) <= _MOST_OF_KEY:
            for one, other in combinations(words, 2):
                if may_be_one_word(numbers.vocabulary[one], numbers.vocabulary[other]):
                    yield (one,), (other,)


def _alike_but_for_a_vowel(numbers: WordNumbers) -> Iterator[tuple[Form, Form]]:
    """Korean words that differ in one vowel, as loan words do that are spelled in two ways."""
    keys: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, word in enumerate(numbers.vocabulary):
        if word > "가" and numbers.counts[number] >= _LEAST_USES:
            for key, vowel in vowel_keys(word):
                keys[key].append((number, vowel))
    for words in keys.values():
        if len(words) <= _MOST_OF_KEY:
            for (one, vowel), (other, its_vowel) in combinations(words, 2):
                if may_be_one_vowel(vowel, its_vowel):
                    yield (one,), (other,)


def _alike_in_letters(numbers: WordNumbers) -> Iterator[tuple[Form, Form]]:
    """Two words that stand side by side, and the word with the letters of both."""
    of_letters = {_letters(word): number for number, word in enumerate(numbers.vocabulary) if number}
    vocabulary, counts = numbers.vocabulary, numbers.counts
    firsts, seconds, together = numbers.neighbours
    often = together >= _LEAST_USES
    for one, other in zip(firsts[often].tolist(), seconds[often].tolist(), strict=True):
        whole = of_letters.get(_letters(vocabulary[one]) + _letters(vocabulary[other]))
        if whole is not None and counts[whole] >= _LEAST_USES and len(vocabulary[whole]) >= _LEAST_LETTERS:
            yield (whole,), (one, other)


def _letters(word: str) -> str:
    return word.replace("'", "")


def may_be_one_word(one: str, other: str) -> bool:
    """Whether two words of one sound may be spellings of one: no inflections of one another, nor known homophones.

    >>> may_be_one_word("grey", "gray"), may_be_one_word("cat", "cats"), may_be_one_word("flour", "flower")
    (True, False, False)
    >>> may_be_one_word("stared", "starred"), may_be_one_word("traveled", "travelled")
    (False, True)
    """
    if are_homophones(one, other):
        return False
    short, long = sorted((one, other), key=len)
    if "'" in one + other:
        if _letters(one) != _letters(other):
            return False
        with_apostrophe = one if "'" in one else other
        # `emperors` and `emperor's` are different words, and only the sentence tells which.
        return not with_apostrophe.endswith("'s") or with_apostrophe in _WITH_IS
    if one > "가" and other > "가":
        return True
    if any(short + ending == long for ending in _INFLECTIONS):
        return False
    doubled = _DOUBLED.match(long)
    if doubled and short == long[: doubled.start(1)] + long[doubled.end(1) :]:
        return False
    return not (short.endswith("man") and long == short[:-2] + "en")
