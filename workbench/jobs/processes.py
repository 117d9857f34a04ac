"""A function over many items in several processes, one of which may die without taking the others' work along."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from queue import Queue
from typing import Any, Generic, TypeVar

from workbench.jobs.local import processors

Item = TypeVar("Item")
Result = TypeVar("Result")

_WAITING_PER_WORKER = 3  # groups; enough to keep every worker busy, little to repeat when one dies
# Processes take about two seconds to start.
_WORTH_PROCESSES = 20_000
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ProcessDied(Exception):
    """The process that worked on the item ended without an answer: killed, or crashed in a library's native code."""


class _Each(Generic[Item, Result]):
    """The function over a group of items; what one of them raises is its result, and the others go on."""

    def __init__(self, function: Callable[[Item], Result]) -> None:
        self.function = function

    def __call__(self, items: Sequence[Item]) -> list[Result | Exception]:
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Result | Exception:
        try:
            return self.function(item)
        except Exception as problem:
            return problem


def map_in_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    initializer: Callable[..., None] | None = None,
    initargs: tuple[Any, ...] = (),
    preload: Sequence[str] = (),
    most_at_once: int = 1,
    standing: StandingPool | None = None,
) -> Iterator[tuple[Item, Result | Exception]]:
    """Each item with `function(item)`, or with the exception that it raised, as they become ready, in any order.

    When a process dies, the pool cannot say on which item. The items under way are then repeated one at a time, and
    only the one whose process dies again gets a `ProcessDied`.

    Processes are forked from a server that has no threads: a fork of this process could inherit a lock that one of its
    threads holds. Each computes with one thread.

    Args:
        function: pickled by name, so it stands at a module's top level.
        workers: processes.
        initializer: called once in each process with `initargs`.
        preload: modules that the server imports once for all processes.
        most_at_once: items sent to a process together, where each takes little time.
        standing: processes that stay for the next call, in place of `workers`, `initializer` and `preload`.
    """
    listed = list(items)
    size = max(1, min(most_at_once, -(-len(listed) // (4 * workers))))
    remaining = deque(listed[i : i + size] for i in range(0, len(listed), size))
    each = _Each(function)
    while remaining:
        suspects: list[Item] = []
        opened = standing.opened() if standing else _pool(workers, initializer, initargs, preload)
        with opened as pool:
            under_way: dict[Future[list[Result | Exception]], list[Item]] = {}
            while (remaining and not suspects) or under_way:
                while remaining and not suspects and len(under_way) < workers * _WAITING_PER_WORKER:
                    group = remaining.popleft()
                    try:
                        under_way[pool.submit(each, group)] = group
                    except BrokenProcessPool:
                        suspects += group
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    group = under_way.pop(future)
                    try:
                        yield from zip(group, future.result(), strict=True)
                    except BrokenProcessPool:
                        suspects += group
        alone = deque(suspects)
        while alone:
            with _pool(1, initializer, initargs, preload) as pool:
                while alone:
                    item = alone.popleft()
                    try:
                        yield item, pool.submit(each, [item]).result()[0]
                    except BrokenProcessPool:
                        yield item, ProcessDied("its process died: killed, out of memory, or a crash in native code")
                        break


@contextmanager
def _pool(
    workers: int, initializer: Callable[..., None] | None, initargs: tuple[Any, ...], preload: Sequence[str]
) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    pool = ProcessPoolExecutor(workers, context, _start, (initializer, initargs))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class StandingPool:
    """Processes that stay from one call of `map_in_processes` to the next, for calls by one thread; a context manager.

    They start with the first call, and anew with the next one after one of them has died.
    """

    def __init__(
        self, workers: int, initializer: Callable[..., None] | None = None, initargs: tuple[Any, ...] = ()
    ) -> None:
        self._started = workers, initializer, initargs
        self._stack = ExitStack()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> StandingPool:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool = None
        self._stack.close()

    @contextmanager
    def opened(self) -> Iterator[ProcessPoolExecutor]:
        """The pool, which is given up where a process of it has died by the end of the block."""
        if self._pool is None:
            self._pool = self._stack.enter_context(_pool(*self._started, ()))
        yield self._pool
        if not _is_whole(self._pool):
            self.__exit__()


def _is_whole(pool: ProcessPoolExecutor) -> bool:
    try:
        pool.submit(_nothing).result()
    except BrokenProcessPool:
        return False
    return True


def _nothing() -> None:
    """What every process that is alive can do."""


def _start(initializer: Callable[..., None] | None, initargs: tuple[Any, ...]) -> None:
    # An interrupt is for the process that asked for the work; it stops these after what they have in hand.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if initializer is not None:
        initializer(*initargs)


class _Numbered(Generic[Item, Result]):
    """The function over items that carry their number."""

    def __init__(self, function: Callable[[Item], Result]) -> None:
        self.function = function

    def __call__(self, item: tuple[int, Item]) -> Result:
        return self.function(item[1])


def spread_for(items: int) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """The `map` for work on so many items: one over all processors where that is sooner than to start them."""
    return InProcesses(processors()) if items >= _WORTH_PROCESSES else map


class _Begun(Iterator[Result]):
    """The results of an iterator that a thread has begun to run through, and gives up when nobody holds this one."""

    def __init__(self, results: Iterator[Result]) -> None:
        self._ready: Queue[tuple[Result] | BaseException] = Queue()
        unwanted = threading.Event()
        run = results, self._ready, unwanted
        threading.Thread(target=_run_through, args=run, name="results", daemon=True).start()
        weakref.finalize(self, unwanted.set)

    def __next__(self) -> Result:
        found = self._ready.get()
        if isinstance(found, BaseException):
            self._ready.put(found)
            raise found
        return found[0]


def _run_through(
    results: Iterator[Result], ready: Queue[tuple[Result] | BaseException], unwanted: threading.Event
) -> None:
    try:
        for result in results:
            if unwanted.is_set():
                break
            ready.put((result,))
        ready.put(StopIteration())
    except BaseException as problem:
        ready.put(problem)


class InProcesses:
    """A `map` over several processes: the function's results, in the order of the items.

    It begins when it is called, and goes on while this process does other things. What a process could not do, because
    it died or the function raised, is done again in this one, which raises then. Where processes cannot be forked from
    a server, on Windows, all of it is done in this one.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers if "forkserver" in multiprocessing.get_all_start_methods() else 1

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        if self.workers < 2 or len(items) < 2:
            return map(function, items)
        return _Begun(self._in_order(function, items))

    def _in_order(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        waiting: dict[int, Result] = {}
        wanted = 0
        numbered = map_in_processes(_Numbered(function), enumerate(items), self.workers, preload=[function.__module__])
        for (number, item), result in numbered:
            waiting[number] = function(item) if isinstance(result, Exception) else result
            while wanted in waiting:
                yield waiting.pop(wanted)
                wanted += 1
