"""Python's search for garbage, made rarer while millions of objects are built that are none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# With Python's own, of 700 new objects, a quarter of the time of the rules on 100,000 transcripts went into it.
_NEW_OBJECTS = (100_000, 20, 50)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Within it, garbage in cycles is looked for as rarely as objects come in hundreds of thousands; then as before."""
    before = gc.get_threshold()
    gc.set_threshold(*_NEW_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
