"""What all groups of a corpus come to, worked out once for all rules, perhaps in several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from label_rules.conflicts.group import Group
from label_rules.conflicts.repair import repair
from label_rules.conflicts.votes import Departure, compare
from label_rules.garbage import rare_collections
from label_rules.rule import Fault, Finding

Spread = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""A `map`, perhaps over several processes: the function's results, in the order of the items.

One that begins when it is called, and not when a result is asked for, works while the other rules are asked.
The function stands at a module's top level, and it, the items and the results can be pickled.
"""

# Groups that are worked on together: many enough to be worth sending, few enough to keep every process busy.
_TOGETHER = 500


class _Told(NamedTuple):
    """What one group comes to, in few objects: for each of its texts the kinds in which it differs, and findings.

    A finding is a kind, the number of the text, the characters, the score, the evidence and the suggestion.
    """

    kinds: list[str]
    findings: list[tuple[str, int, int, int, float, str, str | None]]


@dataclass
class Conflicts:
    """What the groups come to."""

    kinds: list[tuple[Group, list[str]]] = field(default_factory=list)
    "For each group that was compared, for each of its texts, the kinds in which it differs from others."
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    "By kind."
    faults: list[Fault] = field(default_factory=list)
    "Of the groups that could not be compared."


class Comparing:
    """The comparison of the groups, which goes on in the background where the map that does the work can do so."""

    def __init__(self, groups: Sequence[Group], spread: Spread = map) -> None:
        self._parts = [groups[start : start + _TOGETHER] for start in range(0, len(groups), _TOGETHER)]
        self._told = spread(_told_of_part, self._parts)

    def result(self) -> Conflicts:
        """What the groups come to, once all are compared. To be asked for once."""
        found = Conflicts()
        for part, told_of_part in zip(self._parts, self._told, strict=True):
            for group, told in zip(part, told_of_part, strict=True):
                # What crashed is done again here, where the exception keeps its traceback.
                told = told or _told_or_fault(group)
                if isinstance(told, Fault):
                    found.faults.append(told)
                    continue
                found.kinds.append((group, told.kinds))
                held = list(group.holders.values())
                for kind, text, start, end, score, evidence, suggestion in told.findings:
                    finding = Finding(held[text], start, end, score, evidence, suggestion, group.name)
                    found.findings.setdefault(kind, []).append(finding)
        return found


def _told_of_part(groups: Sequence[Group]) -> list[_Told | None]:
    with rare_collections():
        return [None if isinstance(told := _told_or_fault(group), Fault) else told for group in groups]


def _told_or_fault(group: Group) -> _Told | Fault:
    try:
        return _told(group)
    except Exception as problem:
        return Fault(group.name, problem)


def _told(group: Group) -> _Told:
    comparison = compare(group.pivot, {text: len(rows) for text, rows in group.holders.items()}, group.hypothesis)
    numbers = {text: number for number, text in enumerate(group.holders)}
    departing: dict[tuple[str, str], list[Departure]] = {}
    for departure in comparison.departures:
        departing.setdefault((departure.kind, departure.text), []).append(departure)
    return _Told(
        [", ".join(sorted(comparison.kinds[text])) for text in group.holders],
        [each for (_, text), departures in departing.items() for each in _findings(numbers[text], text, departures)],
    )


def _findings(
    number: int, text: str, departures: Sequence[Departure]
) -> Iterator[tuple[str, int, int, int, float, str, str | None]]:
    """The findings on a text for its departures of one kind, with what it reads once all of them are mended."""
    changes = [(each.toward, each.change) for each in departures if each.toward is not None]
    repaired = repair(text, changes) if changes else None
    for each in departures:
        suggestion = repaired if each.toward is not None and repaired != text else None
        yield each.kind, number, each.change.b_start, each.change.b_end, each.score, each.evidence, suggestion
