"""Grouping clips of similar length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(
    items: Sequence[T], length: Callable[[T], float], budget: float, equal_lengths: bool = False
) -> list[list[T]]:
    """The items in batches, longest first, each with `count · longest length <= budget` or a single item.

    Longest first: what does not fit the memory shows at once. With `equal_lengths` a batch has one length only.

    >>> batches([3.0, 1.0, 2.0, 9.0, 1.0], float, budget=6.0)
    [[9.0], [3.0, 2.0], [1.0, 1.0]]
    >>> batches([3.0, 1.0, 2.0, 9.0, 1.0], float, budget=6.0, equal_lengths=True)
    [[9.0], [3.0], [2.0], [1.0, 1.0]]
    """
    made: list[list[T]] = []
    for item in sorted(items, key=length, reverse=True):
        longest = length(made[-1][0]) if made else 0.0
        fits = bool(made) and (len(made[-1]) + 1) * longest <= budget
        if fits and (not equal_lengths or length(item) == longest):
            made[-1].append(item)
        else:
            made.append([item])
    return made


def windows(items: Iterable[T], length: Callable[[T], float], budget: float) -> Iterator[list[T]]:
    """Consecutive items, as many as fit the budget together (at least one): what is held in memory at a time.

    >>> list(windows([3, 1, 2, 9, 1], float, budget=6))
    [[3, 1, 2], [9], [1]]
    """
    window: list[T] = []
    total = 0.0
    for item in items:
        if window and total + length(item) > budget:
            yield window
            window, total = [], 0.0
        window.append(item)
        total += length(item)
    if window:
        yield window
