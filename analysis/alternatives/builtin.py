"""The sources of alternatives that names ask for, and the bundles of them for a language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis.alternatives.compounds import Compounds
from analysis.alternatives.contractions import Contractions
from analysis.alternatives.korean_numbers import KoreanNumbers
from analysis.alternatives.numbers import Numbers
from analysis.alternatives.source import Source
from analysis.alternatives.spellings import Spellings
from analysis.alternatives.synonyms import Synonyms
from analysis.errors import InvalidInput

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (Contractions(), Numbers(), Compounds(), Spellings(), KoreanNumbers())
}  # fmt: skip
ENGLISH = ("contractions", "numbers", "compounds", "spellings")
KOREAN = ("korean-numbers", "compounds")
BUNDLES: dict[str, tuple[str, ...]] = {"english": ENGLISH, "korean": KOREAN}


def get_source(name: str) -> Source:
    """The built-in source of this name.

    Raises:
        InvalidInput: there is none of this name; the message lists those that there are.

    >>> get_source("numbers").version
    1
    """
    if name not in SOURCES:
        raise InvalidInput(_no_such(name))
    return SOURCES[name]


def get_sources(alternatives: Sequence[str | Source], normalizer: Callable[[str], str]) -> tuple[Source, ...]:
    """The sources of these names, bundles and objects, each once, in their order; synonyms are normalised.

    Raises:
        InvalidInput: there is no source or bundle of a name, or the normalizer leaves nothing of a synonym.

    >>> [source.name for source in get_sources(["korean", "compounds"], str)]
    ['korean-numbers', 'compounds']
    """
    found: dict[str, Source] = {}
    for each in [alternatives] if isinstance(alternatives, str) else alternatives:
        for source in _sources(each):
            if isinstance(source, Synonyms):
                source = source.normalised(normalizer)
            found.setdefault(f"{source.name}-{source.version}", source)
    return tuple(found.values())


def _sources(asked: str | Source) -> list[Source]:
    if not isinstance(asked, str):
        return [asked]
    if asked not in SOURCES and asked not in BUNDLES:
        raise InvalidInput(_no_such(asked))
    return [SOURCES[name] for name in BUNDLES.get(asked, (asked,))]


def _no_such(name: str) -> str:
    return f"there is no source of alternatives {name!r}; choose one of {', '.join([*SOURCES, *BUNDLES])}"
