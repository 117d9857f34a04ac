"""Errors on the entities of a reference: names, dates, amounts; counts by class and by slice that can be summed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from analysis.error_counts import ErrorCounts
from analysis.errors import InvalidInput
from analysis.network_align import MarkedStep

INSERTIONS = ("inside", "group")
Key = TypeVar("Key", bound=Hashable)


class Entity(NamedTuple):
    """A stretch of a reference that is one entity: its tokens `first` to `last`, both of them in it, from 0."""

    entity_id: str
    entity_class: str
    first: int
    last: int


def count_entity_errors(
    steps: Sequence[MarkedStep], entities: Sequence[Entity], token_items: Sequence[int], insertions: str = "inside"
) -> list[ErrorCounts]:
    """The counts of each entity of one reference, in their order.

    A reference word counts to every entity that has a token of the word's item, so an item of several tokens counts
    as a whole, and a word of nested entities counts to each of them. The reference words are those of the way taken:
    `2020` heard as "twenty twenty" is two.

    Args:
        steps: the alignment of the reference.
        entities: entities may overlap; tokens are counted from 0.
        token_items: for each token of the reference, the item of its text that it is of, in ascending order.
        insertions: an inserted word counts to an entity only between two of its words; at its edges nobody can tell,
            and it counts to none. With `group` both words must also be of one item, that is within one group of
            candidates: the rule of fstalign (`RecordTagWer` sees no others), so that of published tables.

    Raises:
        InvalidInput: an entity's tokens are not tokens of the reference, or there is no such rule for insertions.

    >>> steps = [MarkedStep("equal", "new", "new", "", 0), MarkedStep("insert", "", "a", "", -1),
    ...          MarkedStep("substitute", "york", "work", "", 1), MarkedStep("insert", "", "b", "", -1)]
    >>> count_entity_errors(steps, [Entity("7", "GPE", 0, 1)], [0, 1])
    [ErrorCounts(ref_words=2, hits=1, substitutions=1, deletions=0, insertions=1)]
    """
    if insertions not in INSERTIONS:
        raise InvalidInput(f"insertions is {insertions!r}; choose one of {', '.join(INSERTIONS)}")
    of_item: dict[int, list[int]] = {}
    for index, entity in enumerate(entities):
        for item in _items(entity, token_items):
            of_item.setdefault(item, []).append(index)
    counts: list[Counter[str]] = [Counter() for _ in entities]
    for step, before, after in zip(steps, *_neighbours(steps), strict=True):
        if step.item >= 0:
            for index in of_item.get(step.item, ()):
                counts[index][step.op] += 1
        elif step.op == "insert" and (insertions == "inside" or before == after):
            following = of_item.get(after, ())
            for index in of_item.get(before, ()):
                counts[index]["insert"] += index in following
    return [_error_counts(counted) for counted in counts]


def sum_counts(counted: Iterable[tuple[Key, ErrorCounts]]) -> dict[Key, ErrorCounts]:
    """The sum for each key, such as an entity class, or a slice's value and a class; in the order that they came.

    >>> sum_counts([("ORG", ErrorCounts(2, 1, 1, 0, 0)), ("ORG", ErrorCounts(1, 1, 0, 0, 0))])
    {'ORG': ErrorCounts(ref_words=3, hits=2, substitutions=1, deletions=0, insertions=0)}
    """
    sums: dict[Key, ErrorCounts] = {}
    for key, counts in counted:
        sums[key] = sums.get(key, ErrorCounts.zero()) + counts
    return sums


def _items(entity: Entity, token_items: Sequence[int]) -> range:
    if not 0 <= entity.first <= entity.last < len(token_items):
        raise InvalidInput(
            f"entity {entity.entity_id!r} has the tokens {entity.first} to {entity.last}; "
            f"the reference has {len(token_items)}, counted from 0"
        )
    return range(token_items[entity.first], token_items[entity.last] + 1)


def _neighbours(steps: Sequence[MarkedStep]) -> tuple[list[int], list[int]]:
    """For each step, the item of the nearest reference word before it and after it; -1 where there is none."""
    before, after = [-1] * len(steps), [-1] * len(steps)
    last = -1
    for index, step in enumerate(steps):
        before[index] = last
        last = step.item if step.item >= 0 else last
    last = -1
    for index in range(len(steps) - 1, -1, -1):
        after[index] = last
        last = steps[index].item if steps[index].item >= 0 else last
    return before, after


def _error_counts(counted: Counter[str]) -> ErrorCounts:
    hits, substitutions, deletions = counted["equal"], counted["substitute"], counted["delete"]
    return ErrorCounts(hits + substitutions + deletions, hits, substitutions, deletions, counted["insert"])
