"""Korean numbers in digits or in words, with their counters: `칠십 퍼센트`, `칠십퍼센트`, `70퍼센트`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from analysis.alternatives.source import Alternative, Heard
from analysis.language.korean_readings import MOST_WORDS, begins_number, continues_number, korean_readings

_begins = lru_cache(maxsize=200_000)(begins_number)
_continues = lru_cache(maxsize=200_000)(continues_number)


@dataclass(frozen=True)
class KoreanNumbers:
    """The same number with the same counter and ending, Sino-Korean, native or in digits, however it is spaced.

    A numeral alone is a number only where it is hardly another word (`둘`, not `이`), and so is one of a syllable with
    its counter (`두명`, not `사회`).

    >>> list(KoreanNumbers().find(("세", "시에"), Heard(["3시에"])))
    [Alternative(start=0, end=2, words=('3시에',))]
    """

    name: str = "korean-numbers"
    version: int = 1

    def find(self, reference: tuple[str, ...], heard: Heard) -> Iterator[Alternative]:
        """The other forms that were heard of each number in the reference, in the order of where they begin."""
        if not any(map(_begins, reference)):
            return
        forms = heard.memo("korean-numbers", _forms)
        if not forms:
            return
        for start, end, readings in _numbers(reference):
            found = dict.fromkeys(form for reading in readings for form in forms.get(reading, ()))
            for form in found:
                if form != reference[start:end]:
                    yield Alternative(start, end, form)


def _numbers(words: tuple[str, ...]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each run of words that may be numbers: where it begins and ends, and its readings."""
    for start, word in enumerate(words):
        if not _begins(word):
            continue
        for end in range(start + 1, min(start + MOST_WORDS, len(words)) + 1):
            readings = _sorted_readings(words[start:end])
            if readings:
                yield start, end, readings
            if not _continues(words[end - 1]):
                break


@lru_cache(maxsize=200_000)
def _sorted_readings(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(korean_readings(words)))


def _forms(heard: Heard) -> dict[str, list[tuple[str, ...]]]:
    """How each reading is written in the hypothesis, each way once."""
    found: dict[str, dict[tuple[str, ...], None]] = {}
    for start, end, readings in _numbers(heard.words):
        for reading in readings:
            found.setdefault(reading, {})[heard.words[start:end]] = None
    return {reading: list(forms) for reading, forms in found.items()}
