"""Characters that do not belong: of other scripts, invisible, broken, or hardly ever used."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

import numpy as np

from label_rules.conventions.convention import Majorities
from label_rules.corpus import Corpus
from label_rules.rule import Example, Fault, Finding, Outcome, Rule, attempt

# Letters of a script with a smaller share were typed by mistake, or are another language.
_FOREIGN_SHARE = 0.01
# Below so many transcripts every character is rare.
_LEAST_TRANSCRIPTS, _RARE_SHARE = 1000, 0.001
# Joiners that spell words in some scripts.
_JOINERS = "\u200c\u200d"
_MOST_SPANS = 20
_LOOK_ALIKES = str.maketrans("АВЕКМНОРСТХаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTXaeopcyxijsABEZHIKMNOPTYXo")
_CAN_BE_RARE = re.compile("[^\x00-\x7f가-힣]")
_MIXED = re.compile(r"\w+")


@lru_cache(maxsize=100_000)
def _script(character: str) -> str | None:
    """The script of a letter, None for what is no letter."""
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "UNKNOWN").split()[0]
    return "LATIN" if name in ("FULLWIDTH", "MODIFIER", "FEMININE", "MASCULINE", "MICRO") else name


@lru_cache(maxsize=100_000)
def _never_right(character: str) -> str | None:
    """Why a character has no place in any transcript, None when it may have."""
    if character == "\ufffd":
        return "stands for a character that was lost when the text was decoded"
    category = unicodedata.category(character)
    if category in ("Cc", "Co", "Cn", "Cs") and not character.isspace():
        return "is no character to read"
    if category == "Cf" and character not in _JOINERS:
        return "is invisible"
    return None


def _check(corpus: Corpus) -> Iterator[Outcome]:
    letters, scripts = _letters(corpus)
    yield from scripts.tallies()
    not_ascii = [number for number, text in enumerate(corpus.texts) if not text.isascii()]
    transcripts = _held_by(corpus, not_ascii)
    everything = letters.total()
    foreign = {script: n / everything for script, n in letters.items() if n / everything < _FOREIGN_SHARE}
    least = len(corpus) * _RARE_SHARE if len(corpus) >= _LEAST_TRANSCRIPTS else 0
    odd: dict[str, tuple[float, str]] = {}
    for character in {*transcripts, *chain.from_iterable(corpus.words.vocabulary)}:
        count = transcripts.get(character)
        why = _why(character, foreign, count if count is not None and count <= least else None)
        if why:
            odd[character] = why
    pattern = re.compile(f"[{re.escape(''.join(odd))}]+") if odd else None

    def found(number: int) -> list[Finding]:
        return list(_of_text(corpus.texts[number], corpus.rows_of_text[number].tolist(), odd, pattern))

    numbers = sorted({*not_ascii, *(corpus.texts_with(pattern) if pattern else ())})
    for _, findings in attempt(found, numbers, corpus.name_of_text):
        if isinstance(findings, Fault):
            yield findings
        else:
            yield from findings


def _letters(corpus: Corpus) -> tuple[Counter[str], Majorities]:
    """How many letters of each script there are, and whose transcripts have some."""
    words, scripts = corpus.words, Majorities()
    copies = np.repeat(np.array(corpus.copies, dtype=np.int64), np.diff(words.starts))
    uses = np.bincount(words.codes, copies, len(words.vocabulary)).astype(np.int64).tolist()
    letters: Counter[str] = Counter()
    held: dict[str, list[int]] = {}
    for number, word in enumerate(words.vocabulary):
        for script, count in Counter(map(_script, word)).items():
            if script:
                letters[script] += count * uses[number]
                held.setdefault(script, []).append(number)
    codes, names = corpus.annotator_codes
    for script, numbers in held.items():
        chosen = np.zeros(len(words.vocabulary), dtype=bool)
        chosen[numbers] = True
        rows = corpus.rows_of_text.of(words.texts_with(chosen))[0]
        counts = np.bincount(codes[rows], minlength=len(names))
        writers = {names[code]: int(counts[code]) for code in np.flatnonzero(counts)}
        scripts.by_form.setdefault("script", {})[script.lower()] = Counter(writers)
    return letters, scripts


def _held_by(corpus: Corpus, numbers: list[int]) -> Counter[str]:
    """In how many transcripts each character that can be rare stands; the texts are those that are not ASCII."""
    transcripts: Counter[str] = Counter()
    for number in numbers:
        text = corpus.texts[number]
        if _CAN_BE_RARE.search(text):
            transcripts.update(dict.fromkeys(_CAN_BE_RARE.findall(text), corpus.copies[number]))
    return transcripts


def _why(character: str, foreign: dict[str, float], rare: int | None) -> tuple[float, str] | None:
    named = f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
    never = _never_right(character)
    if never:
        return 1.0, f"{named} {never}"
    script = _script(character)
    if script in foreign:
        return 0.8, f"{named} is of a script that has {foreign[script]:.2%} of the corpus's letters"
    if rare and not character.isascii() and unicodedata.category(character)[0] not in "PZ" and script != "HANGUL":
        return 0.3, f"{named} is in {rare} transcripts only"
    return None


def _of_text(
    text: str, rows: list[int], odd: dict[str, tuple[float, str]], pattern: re.Pattern[str] | None
) -> Iterator[Finding]:
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    is_odd = pattern is not None and pattern.search(text) is not None
    suggestion = _tidy(composed) if is_odd else composed
    if composed != text:
        evidence = "letters are taken apart into pieces (not in NFC), so equal texts are unequal"
        yield Finding(rows, 0, len(text), 1.0, evidence, suggestion)
    if pattern is None or not is_odd:
        return
    for number, found in enumerate(pattern.finditer(text)):
        if number == _MOST_SPANS:
            return
        score, evidence = odd[found.group()[0]]
        # What the suggestion leaves as it is, it does not put right.
        kept = suggestion if suggestion != text and found.group()[0] not in suggestion else None
        yield Finding(rows, found.start(), found.end(), score, evidence, kept)


def _tidy(text: str) -> str:
    """The text without invisible characters, and with look-alikes inside Latin words put right."""
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf" or c in _JOINERS)
    return _MIXED.sub(lambda word: _in_one_script(word.group()), visible)


def _in_one_script(word: str) -> str:
    scripts = {_script(character) for character in word} - {None}
    if "LATIN" not in scripts or len(scripts) == 1:
        return word
    put_right = word.translate(_LOOK_ALIKES)
    return put_right if {_script(character) for character in put_right} - {None} == {"LATIN"} else word


_LATIN = ("the weather today is fine", "and tomorrow it will rain again", "so take an umbrella with you") * 2

CHARACTER_RULES = (
    Rule(
        "convention.characters",
        "A character from outside the corpus's alphabet is one that the model cannot learn, or a typing error.",
        "style",
        _check,
        fires=(
            Example((*_LATIN, "the c\u0430t"), (6,)),
            Example((*_LATIN, "the\u200b cat", "the \ufffd cat", "cafe\u0301"), (6, 7, 8)),
            Example(("오늘 날씨", unicodedata.normalize("NFD", "오늘 날씨")), (1,)),
        ),
        passes=(Example((*_LATIN, "the café", "“so”…")), Example(("오늘 weather 날씨", "the 날씨"))),
    ),
)
