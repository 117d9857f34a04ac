"""One process at a time, held apart by a file that the system unlocks when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import WorkspaceLocked


@contextlib.contextmanager
def process_lock(file: Path, doing: str) -> Iterator[None]:
    """Keep other processes out until the block ends.

    Args:
        file: is made where it is missing, and holds the number of the process that is in.
        doing: what that process does, for the one that is kept out: `writing to /data/ws`.

    Raises:
        WorkspaceLocked: another process is in.
    """
    with open(file, "a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            handle.seek(0)
            raise WorkspaceLocked(
                f"process {handle.read().strip() or 'unknown'} is {doing}; wait until it ends"
            ) from problem
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)
