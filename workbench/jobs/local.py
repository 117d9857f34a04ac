"""Work on many items in one process or several, and write the results down in parts as they come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called with how many items are done and how many there are."""


def silent(done: int, total: int) -> None:
    """A Progress that shows nothing."""


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parts(results: Iterable[T], size: int, seconds: float) -> Iterator[list[T]]:
    """The results in lists of at most `size`, each handed on at the latest `seconds` after the one before.

    What a killed job loses is the part in flight, so parts are bounded in time as well as in size. A failure of
    `results` itself is raised after the results before it have been handed on.
    """
    part: list[T] = []
    since = time.monotonic()
    try:
        for result in results:
            part.append(result)
            if len(part) >= size or time.monotonic() - since >= seconds:
                yield part
                part, since = [], time.monotonic()
    except Exception:
        if part:
            yield part
        raise
    if part:
        yield part
