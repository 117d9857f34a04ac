"""What a source of alternatives is: it reads reference words and what was heard, and proposes other words for them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar

Made = TypeVar("Made")


class Alternative(NamedTuple):
    """Words that may stand for the reference words `start:end`; none: those may be left out."""

    start: int
    end: int
    words: tuple[str, ...]


class Heard:
    """The hypothesis of an utterance, with what sources look up in it computed once.

    >>> heard = Heard("we'll have ice cream".split())
    >>> heard.holds(("ice", "cream")), heard.holds(("cream", "ice")), heard.holds(())
    (True, False, True)
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._runs: dict[int, frozenset[tuple[str, ...]]] = {}
        self._made: dict[Hashable, Any] = {}

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The different words of the hypothesis."""
        return frozenset(self.words)

    def holds(self, words: Sequence[str]) -> bool:
        """Whether these words stand one after the other in the hypothesis."""
        if not self.vocabulary.issuperset(words):
            return False
        return len(words) < 2 or tuple(words) in self._runs_of(len(words))

    def memo(self, key: Hashable, make: Callable[[Heard], Made]) -> Made:
        """What `make` makes of the hypothesis, computed the first time it is asked for by this key."""
        if key not in self._made:
            self._made[key] = make(self)
        made: Made = self._made[key]
        return made

    def _runs_of(self, length: int) -> frozenset[tuple[str, ...]]:
        if length not in self._runs:
            self._runs[length] = frozenset(zip(*(self.words[start:] for start in range(length)), strict=False))
        return self._runs[length]


class Source(Protocol):
    """A named, versioned source of alternatives.

    A source proposes an alternative only where the hypothesis holds its words: what nobody said forgives nothing.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    def find(self, reference: tuple[str, ...], heard: Heard) -> Iterable[Alternative]:
        """The alternatives to parts of these normalised reference words, a run without choices of its own."""
        ...
