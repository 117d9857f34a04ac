"""Words that the corpus writes together, apart, and with a hyphen; and stray spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from label_rules.conventions.convention import Use, Writing, each_replaced, prepared_check
from label_rules.corpus import Corpus
from label_rules.rule import Example, Rule, each_text
from label_rules.tokens import HYPHENS, Token, tokens, with_token
from label_rules.words import Words

# With one of these as a part, the words apart mean something else than together: `a way`, `every day`, `may be`.
_OWN_MEANING_WORDS = """
    a an the i in on to of at by up out off over under down for with from and or as so be is it all any every some
    no may can not one who what how when where ever my her his our your their self time body thing day more
    through after fore before back away well good bye other man way
"""
_OWN_MEANING = frozenset(_OWN_MEANING_WORDS.split())
_LEAST_LENGTH = 6
_LEAST_HANGUL = 3
_BEFORE_MARK = re.compile(r" (?<=\w )(?=[,.!?;:](?:\s|$))")
_STRAY = re.compile(r"^\s+|\s+$|\s{2,}|[^\S ]|(?<=\w) +(?=[,.!?;:](?:\s|$))")


def _writing(corpus: Corpus) -> Writing:
    words = corpus.words
    # Elsewhere the tokens of a text are those of its words, so that each different word is looked at once.
    regular = np.ones(len(corpus.texts), dtype=bool)
    regular[words.with_brackets] = False
    texts = [corpus.texts[number] for number in words.with_brackets.tolist()]
    held = np.unique(words.codes[np.repeat(regular, np.diff(words.starts))]).tolist()
    whole: set[str] = set()
    apart: set[str] = set()
    hyphened: set[str] = set()
    for text in [*texts, *(words.vocabulary[code] for code in held)]:
        found = tokens(text)
        whole.update(token.key for token in found if token.kind == "word")
        for one, other, hyphen in _neighbours(text, found):
            (hyphened if hyphen else apart).add(one.key + other.key)
    pairs = _Pairs(words, regular)
    # Nearly all neighbours are written in one way only.
    joinable = [number for number, key in enumerate(pairs.joined()) if key in whole or key in hyphened]
    apart.update(pairs.joined(joinable))
    joined = (whole & apart) | (whole & hyphened) | (apart & hyphened)
    using = corpus.texts_with(with_token(lambda token: token.key in joined or token.text in HYPHENS))
    numbers = sorted({*using, *pairs.texts_with(joinable)})
    return Writing(lambda text: _compounds(text, joined), each_replaced(_as_form), texts=numbers)


class _Pairs:
    """The different pairs of words that stand next to each other, apart, in chosen texts, and may be joined."""

    def __init__(self, words: Words, chosen: np.ndarray) -> None:
        keys: dict[str, int] = {}
        first, last = np.full((2, len(words.vocabulary)), -1)
        for number, word in enumerate(words.vocabulary):
            found = tokens(word)
            for side, token in ((first, found[0]), (last, found[-1])):
                if token.kind == "word":
                    side[number] = keys.setdefault(token.key, len(keys))
        self._words, self._keys = words, list(keys)
        one, other = last[words.codes[:-1]], first[words.codes[1:]]
        of_text = np.repeat(np.arange(len(chosen), dtype=np.int32), np.diff(words.starts))
        neighbours = (of_text[:-1] == of_text[1:]) & chosen[of_text[1:]] & (one >= 0) & (other >= 0)
        at = np.flatnonzero(neighbours)
        at = at[self._may_join(one[at], other[at])]
        self._codes, self._pair = np.unique(one[at] * len(keys) + other[at], return_inverse=True)
        self._text = of_text[at]

    def _may_join(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """As `may_join`, of many."""
        length = np.array([len(key) for key in self._keys], dtype=np.int64)
        own = np.array([key in _OWN_MEANING for key in self._keys], dtype=bool)
        hangul = np.array(["가" <= key[0] <= "힣" for key in self._keys], dtype=bool)
        letters = length[one] + length[other]
        return np.where(hangul[one], letters >= _LEAST_HANGUL, (letters >= _LEAST_LENGTH) & ~own[one] & ~own[other])

    def joined(self, numbers: Sequence[int] | None = None) -> Iterator[str]:
        """The pairs, or those of these numbers, as one word each."""
        several = len(self._keys)
        for code in (self._codes if numbers is None else self._codes[numbers]).tolist():
            yield self._keys[code // several] + self._keys[code % several]

    def texts_with(self, numbers: Sequence[int]) -> list[int]:
        """The texts in which one of these pairs stands."""
        chosen = np.zeros(len(self._codes), dtype=bool)
        chosen[numbers] = True
        return np.unique(self._text[chosen[self._pair]]).tolist()


def _neighbours(text: str, found: tuple[Token, ...]) -> Iterator[tuple[Token, Token, bool]]:
    """The pairs of words that stand next to each other, and whether a hyphen joins them."""
    for number, (one, other) in enumerate(pairwise(found)):
        if one.kind != "word":
            continue
        hyphen = other.text in HYPHENS and number + 2 < len(found)
        if hyphen:
            other = found[number + 2]
        if other.kind != "word" or (hyphen and other.start - one.end != 1):
            continue
        if hyphen or (may_join(one.key, other.key) and text[one.end : other.start].isspace()):
            yield one, other, hyphen


def may_join(one: str, other: str) -> bool:
    """Whether two neighbouring words may be one compound, by their lengths and by what they mean apart."""
    if "가" <= one[0] <= "힣":
        return len(one) + len(other) >= _LEAST_HANGUL
    return len(one) + len(other) >= _LEAST_LENGTH and one not in _OWN_MEANING and other not in _OWN_MEANING


def _compounds(text: str, joined: set[str]) -> Iterator[Use]:
    if not joined:
        return
    found = tokens(text)
    for token in found:
        if token.kind == "word" and token.key in joined:
            yield Use(f"spacing.{token.key}", token.key, token.start, token.end)
    for one, other, hyphen in _neighbours(text, found):
        if one.key + other.key in joined:
            form = f"{one.key}{'-' if hyphen else ' '}{other.key}"
            yield Use(f"spacing.{one.key}{other.key}", form, one.start, other.end)


def _as_form(written: str, form: str) -> str:
    """The form with the letters as they were written, so that capitals stay."""
    letters = [character for character in written if not character.isspace() and character not in HYPHENS]
    wanted = len([character for character in form if character not in " -"])
    if len(letters) != wanted:
        return written
    at = iter(letters)
    return "".join(character if character in " -" else next(at) for character in form)


def _stray_spaces(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
    even = " ".join(text.split())
    if even == text and not _BEFORE_MARK.search(text):
        return
    tidy = _BEFORE_MARK.sub("", even)
    for found in _STRAY.finditer(text):
        start, end = found.span()
        if start == 0:
            what = "white space before the text"
        elif end == len(text):
            what = "white space behind the text"
        elif len(found.group()) > 1 and end < len(text):
            what = f"{len(found.group())} spaces in a row"
        elif found.group() == " ":
            what = "a space before a mark"
        else:
            what = f"the white space U+{ord(found.group()):04X} within the text"
        yield start, end, 1.0, what, tidy


SPACING_RULES = (
    Rule(
        "convention.spacing",
        "A compound written together, apart and with a hyphen counts as errors wherever the other way was learnt.",
        "style",
        prepared_check(_writing),
        fires=(
            Example(("one ice cream", "Ice cream now", "my ice cream", "an icecream"), (3,)),
            Example(("one ice cream", "Ice cream now", "my ice cream", "an ice-cream"), (3,)),
            Example(("오늘 날씨 어때", "오늘 날씨 좋다", "오늘 날씨", "오늘날씨 어때"), (3,)),
        ),
        passes=(
            Example(("go a way", "go a way", "go a way", "go away")),
            Example(("one ice cream", "an icecream")),
        ),
    ),
    Rule(
        "convention.spaces",
        "Stray spaces are invisible, and make equal texts unequal.",
        "style",
        each_text(_stray_spaces),
        fires=(Example(("so  it is", " yes", "no\n", "a\tb", "well , yes"), (0, 1, 2, 3, 4)),),
        passes=(Example(("so it is", "well, yes", "", "오늘 날씨", "3 .5")),),
    ),
)
