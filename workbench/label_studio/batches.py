"""What is sent together: bounded in number and in bytes, and less of it where it failed, until a culprit is alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from workbench.label_studio.plan import Key, T

MOST_ITEMS = 1000  # an import of 250 costs the server a third more a task
MOST_BYTES = 4_000_000
_FEWEST_BYTES = 900_000  # proxies often take 1 MB and no more
_TRIES_ALONE = 3


class Batches:
    """Forms batches, and remembers what has failed together."""

    def __init__(self) -> None:
        self._most: dict[Key, int] = {}
        self._alone: dict[Key, int] = {}
        self._most_bytes = MOST_BYTES

    def too_long(self) -> None:
        """Note that something on the way does not take bodies as long as these."""
        self._most_bytes = _FEWEST_BYTES

    def of(self, items: Sequence[T], body: Callable[[T], Any]) -> Iterator[tuple[list[T], list[Any]]]:
        """Batches of items with their bodies, in order; those that may only stand in small ones come last.

        Raises:
            ValueError: a body is not JSON, as NaN is not.
        """
        by_most: dict[int, list[T]] = {}
        for item in items:
            by_most.setdefault(self._most.get(item.key, MOST_ITEMS), []).append(item)
        for most, several in sorted(by_most.items(), key=lambda one: -one[0]):
            batch: list[T] = []
            bodies: list[Any] = []
            size = 0
            for item in several:
                one = body(item)
                length = len(json.dumps(one, ensure_ascii=False, allow_nan=False).encode())
                if batch and (len(batch) >= most or size + length > self._most_bytes):
                    yield batch, bodies
                    batch, bodies, size = [], [], 0
                batch.append(item)
                bodies.append(one)
                size += length
            if batch:
                yield batch, bodies

    def failed(self, items: Sequence[T]) -> list[T]:
        """Note that these were not carried out together, and nobody knows why; those are given back that fail alone."""
        if len(items) == 1:
            key = items[0].key
            self._alone[key] = self._alone.get(key, 0) + 1
            return list(items) if self._alone[key] >= _TRIES_ALONE else []
        for item in items:
            self._most[item.key] = max(1, len(items) // 2)
        return []
