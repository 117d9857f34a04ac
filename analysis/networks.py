"""A reference and what may stand for its parts, as a network of words: what an alignment goes through.

Nodes are numbered in topological order, an arc is a word, and the arcs into a node stand in the order of the text:
what is written comes first, and so is taken where another way costs the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from analysis.alternatives.fillers import is_filler
from analysis.alternatives.source import Alternative, Heard
from analysis.coded_words import words
from analysis.errors import InvalidInput
from analysis.marked import Choice, Marked, Word
from analysis.scoring import Scoring

PLAIN, NULL, OPTIONAL = 0, 1, 2
"""What an arc is: a word, nothing at all (NIST's `@`), a word that may be left out and then is a hit."""

NOTHING = "@"
_FRAGMENT = "-"
_MOST_WAYS = 60_000


@dataclass
class Network:
    """The arcs of one reference, sorted by the node that they enter.

    `starts` holds, for each node, how many arcs enter it and those before it; `choices[choice]` is the name of the
    alternative that an arc belongs to and how many written words that stands for, choice 0 what is written.
    """

    words: list[str] = field(default_factory=list)
    from_nodes: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    fragments: list[bool] = field(default_factory=list)
    choice_of: list[int] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    choices: list[tuple[str, int]] = field(default_factory=lambda: [("", 0)])


def build_network(marked: Marked, heard: Heard, scoring: Scoring) -> Network:
    """The network of a reference whose texts are normalised, with the alternatives that the scoring's sources find.

    Raises:
        InvalidInput: a place in the reference has some ten thousands of alternatives.
    """
    return _Builder(heard, scoring).network(marked)


def is_fragment(word: str) -> bool:
    """Whether a word is NIST's notation for a part of a word: `tion-` or `-tion`."""
    return len(word) > 1 and (word[0] == _FRAGMENT or word[-1] == _FRAGMENT)


def fragment_equals(reference: str, hypothesis: str) -> bool:
    """Whether two words, at least one of them a fragment, are equal as sclite has it: by their common part.

    >>> fragment_equals("tion-", "tionary"), fragment_equals("nation", "-tion"), fragment_equals("tion-", "nation")
    (True, True, False)
    """
    if len(reference) > 1 and reference[0] == _FRAGMENT:
        return hypothesis.endswith(reference[1:])
    if len(reference) > 1 and reference[-1] == _FRAGMENT:
        return hypothesis.startswith(reference[:-1])
    if len(hypothesis) > 1 and hypothesis[0] == _FRAGMENT:
        return reference.endswith(hypothesis[1:])
    if len(hypothesis) > 1 and hypothesis[-1] == _FRAGMENT:
        return reference.startswith(hypothesis[:-1])
    return reference == hypothesis


@dataclass
class _Arc:
    word: str
    from_node: int
    kind: int
    fragment: bool
    choice: int
    item: int


@dataclass(frozen=True)
class _Written:
    """A written word of a run, which sources of alternatives read as a whole."""

    word: str
    kind: int
    fragment: bool
    item: int


class _Way(NamedTuple):
    """What may stand for the words of a run up to `end`."""

    end: int
    option: Marked
    name: str
    item: int


_Place: TypeAlias = int | list[_Arc]
"""Where the network is built on: a node, or arcs that wait for the node that they enter."""


class _Builder:
    def __init__(self, heard: Heard, scoring: Scoring) -> None:
        self._heard = heard
        self._scoring = scoring
        self._into: list[list[_Arc]] = [[]]
        self._choices: list[tuple[str, int]] = [("", 0)]

    def network(self, marked: Marked) -> Network:
        self._node(self._sequence(list(enumerate(marked)), 0, 0))
        network = Network(choices=self._choices)
        for arcs in self._into[1:]:
            for arc in arcs:
                network.words.append(arc.word)
                network.from_nodes.append(arc.from_node)
                network.kinds.append(arc.kind)
                network.fragments.append(arc.fragment)
                network.choice_of.append(arc.choice)
                network.items.append(arc.item)
            network.starts.append(len(network.words))
        return network

    def _node(self, place: _Place) -> int:
        if isinstance(place, int):
            return place
        if len(place) > _MOST_WAYS:
            raise InvalidInput(f"a reference has {len(place)} alternatives in one place; expected at most {_MOST_WAYS}")
        self._into.append(place)
        return len(self._into) - 1

    def _sequence(
        self, parts: Sequence[tuple[int, str | Word | Choice]], place: _Place, choice: int, search: bool = True
    ) -> _Place:
        """Build parts, each with the index of the item that it is of; where the network goes on from.

        Sources look for alternatives to what is written, and not to other alternatives.
        """
        run: list[_Written] = []
        ways: dict[int, list[_Way]] = {}
        for item, part in parts:
            written = self._written(part.options[0] if isinstance(part, Choice) else (part,), item)
            if isinstance(part, Choice) and not written:
                place = self._ways(part, self._node(self._run(run, ways, place, choice, search)), choice, item, search)
                run, ways = [], {}
                continue
            start = len(run)
            run += written or []
            if isinstance(part, Choice):
                ways.setdefault(start, []).extend(_Way(len(run), o, part.name, item) for o in part.options[1:])
        return self._run(run, ways, place, choice, search)

    def _written(self, marked: Marked, item: int) -> list[_Written] | None:
        """The words of text without choices of its own; None where there are some."""
        run: list[_Written] = []
        for part in marked:
            if isinstance(part, Choice):
                return None
            word = Word(part) if isinstance(part, str) else part
            kind = OPTIONAL if word.optional else PLAIN
            run += [_Written(text, kind, word.fragment, item) for text in words(word.text)]
        return [word for word in run if not is_filler(word.word)] if self._scoring.fillers == "remove" else run

    def _ways(self, part: Choice, node: int, choice: int, item: int, search: bool) -> _Place:
        """A choice of which what is written holds nothing, or choices of its own."""
        written = count_words(part.options[0])
        waiting: list[_Arc] = []
        for number, option in enumerate(part.options):
            own = self._choice(part.name, written, choice) if number else choice
            waiting += self._way(option, node, own, item, search and not number)
        return waiting

    def _way(self, option: Marked, node: int, choice: int, item: int, search: bool) -> list[_Arc]:
        end = self._sequence([(item, part) for part in option], node, choice, search)
        return [_Arc(NOTHING, node, NULL, False, choice, item)] if isinstance(end, int) else end

    def _choice(self, name: str, written: int, outer: int) -> int:
        """A new alternative; inside of one that is taken already, that one: it stands for the written words."""
        if outer:
            return outer
        self._choices.append((name, written))
        return len(self._choices) - 1

    def _run(
        self, run: list[_Written], ways: dict[int, list[_Way]], place: _Place, choice: int, search: bool
    ) -> _Place:
        found = self._alternatives(run) if search else {}
        ending: dict[int, list[_Arc]] = {}
        for position, written in enumerate(run):
            node = self._node(place)
            for way in [*ways.get(position, ()), *found.get(position, ())]:
                own = self._choice(way.name, way.end - position, choice)
                ending.setdefault(way.end, []).extend(self._way(way.option, node, own, way.item, search=False))
            arc = _Arc(written.word, node, written.kind, written.fragment, choice, written.item)
            place = [arc, *ending.get(position + 1, [])]
        return place

    def _alternatives(self, run: list[_Written]) -> dict[int, list[_Way]]:
        """What the sources find for a run of words, by where it begins."""
        found: dict[int, list[_Way]] = {}
        seen: set[Alternative] = set()
        reference = tuple(written.word for written in run)
        for source in self._scoring.sources if run else ():
            for alternative in source.find(reference, self._heard):
                if alternative not in seen:
                    seen.add(alternative)
                    option = tuple(Word(word) for word in alternative.words)
                    way = _Way(alternative.end, option, source.name, run[alternative.start].item)
                    found.setdefault(alternative.start, []).append(way)
        if self._scoring.fillers == "optional":
            for position, written in enumerate(run):
                if is_filler(written.word):
                    found.setdefault(position, []).append(_Way(position + 1, (), "fillers", written.item))
        return found


def count_words(marked: Marked) -> int:
    """How many words a text has as written."""
    total = 0
    for part in marked:
        if isinstance(part, Choice):
            total += count_words(part.options[0])
        else:
            total += len(words(part if isinstance(part, str) else part.text))
    return total
