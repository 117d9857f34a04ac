"""What a project's own list of synonyms says may stand for what is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import NamedTuple

from analysis.alternatives.source import Alternative, Heard
from analysis.errors import InvalidInput


class Synonym(NamedTuple):
    """A text, and what may be heard for it."""

    written: str
    heard: str


@dataclass(frozen=True)
class Synonyms:
    """A list of synonyms as a source; its name carries a hash of what is in it, whatever the order and the comments.

    Args:
        rules: what is written and what may be heard for it; each holds in one direction.
        words: the rules as normalised words; made by `normalised`.

    >>> synonyms = Synonyms.of_groups([["ice cream", "ice-cream", "gelato"]]).normalised(lambda t: t.replace("-", " "))
    >>> list(synonyms.find(("ice", "cream"), Heard(["gelato"])))
    [Alternative(start=0, end=2, words=('gelato',))]
    """

    rules: tuple[Synonym, ...]
    words: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    version: int = 1

    @classmethod
    def of_groups(cls, groups: Iterable[Sequence[str]]) -> Synonyms:
        """The synonyms of groups of texts that are all equal."""
        return cls.of_rules(Synonym(*pair) for group in groups for pair in permutations(group, 2))

    @classmethod
    def of_rules(cls, rules: Iterable[Synonym]) -> Synonyms:
        """The synonyms of these rules, their words as they stand between blanks."""
        made = tuple(rules)
        return cls(made).normalised(lambda text: text)

    @cached_property
    def name(self) -> str:
        """`synonyms-` and eight digits of a hash of the rules."""
        content = "\n".join(sorted({f"{rule.written}\t{rule.heard}" for rule in self.rules}))
        return f"synonyms-{hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"

    def normalised(self, normalizer: Callable[[str], str]) -> Synonyms:
        """The same synonyms with words as the normalizer has them; the name stays.

        Raises:
            InvalidInput: it leaves nothing of a text.
        """
        sides: dict[str, tuple[str, ...]] = {}
        for rule in self.rules:
            for text in rule:
                if text not in sides:
                    sides[text] = tuple(normalizer(text).split())
                    if not sides[text]:
                        raise InvalidInput(
                            f"the synonym {text!r} (of {rule.written!r} => {rule.heard!r}): the scoring's normalizer "
                            "leaves nothing of it, so that it can never be found; take it out or choose another "
                            "normalizer"
                        )
        pairs = {(sides[rule.written], sides[rule.heard]): None for rule in self.rules}
        return Synonyms(self.rules, tuple(pair for pair in pairs if pair[0] != pair[1]), self.version)

    @cached_property
    def _by_first_word(self) -> dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]:
        found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        for written, heard in self.words:
            found.setdefault(written[0], []).append((written, heard))
        return found

    def find(self, reference: tuple[str, ...], heard: Heard) -> Iterator[Alternative]:
        """What the rules let stand for parts of the reference, in the order of the reference, then of the rules."""
        rules = self._by_first_word
        if rules.keys().isdisjoint(reference):
            return
        for start, word in enumerate(reference):
            for written, other in rules.get(word, ()):
                end = start + len(written)
                if reference[start:end] == written and heard.holds(other):
                    yield Alternative(start, end, other)
