"""A function over many items in several processes, one of which may die without taking the others' work along."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_WAITING_PER_WORKER = 4  # enough to keep every worker busy; little to repeat when one dies


class ProcessDied(Exception):
    """The process that worked on the item ended without an answer: killed, or crashed in a library's native code."""


def map_in_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    initializer: Callable[..., None] | None = None,
    initargs: tuple[Any, ...] = (),
) -> Iterator[tuple[Item, Result | Exception]]:
    """Each item with `function(item)`, or with the exception that it raised, as they become ready, in any order.

    When a process dies, the pool cannot say on which item. The items under way are then repeated one at a time, each
    in a process of its own, and only the one whose process dies again gets a `ProcessDied`.

    Processes are spawned, not forked: this process may have threads that hold locks.
    """
    remaining = deque(items)
    while remaining:
        suspects: list[Item] = []
        with _pool(workers, initializer, initargs) as pool:
            under_way: dict[Future[Result], Item] = {}
            while (remaining and not suspects) or under_way:
                while remaining and not suspects and len(under_way) < workers * _WAITING_PER_WORKER:
                    item = remaining.popleft()
                    try:
                        under_way[pool.submit(function, item)] = item
                    except BrokenProcessPool:
                        suspects.append(item)
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    item = under_way.pop(future)
                    outcome = _outcome(future)
                    if isinstance(outcome, BrokenProcessPool):
                        suspects.append(item)
                    else:
                        yield item, outcome
        for item in suspects:
            with _pool(1, initializer, initargs) as pool:
                outcome = _outcome(pool.submit(function, item))
            if isinstance(outcome, BrokenProcessPool):
                outcome = ProcessDied("its process died: killed, out of memory, or a crash in native code")
            yield item, outcome


@contextmanager
def _pool(
    workers: int, initializer: Callable[..., None] | None, initargs: tuple[Any, ...]
) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer, initargs)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _outcome(future: Future[Result]) -> Result | Exception:
    try:
        return future.result()
    except Exception as problem:
        return problem
