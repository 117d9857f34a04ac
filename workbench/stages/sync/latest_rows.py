"""The newest row of each key of a table that other processes add to, for one who asks again and again."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from workbench.workspace import Workspace


class LatestRows:
    """The rows of a rows table by one column, as they stand on disk at the moment of asking.

    Every part is read once. Rows stay in the columns that they were read in, so that a million of them fit the memory.

    Args:
        key: the column that tells the rows apart, among those that fit `only`.
        only: values that other columns must have, as `{"run_id": "…"}`.
    """

    def __init__(self, workspace: Workspace, table: str, key: str, only: Mapping[str, str] | None = None) -> None:
        self._workspace = workspace
        self._table = table
        self._key = key
        self._only = dict(only or {})
        self._seen: set[str] = set()
        self._parts: list[Any] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._reading = threading.Lock()

    def get(self, key: str) -> dict[str, Any] | None:
        """The newest row of that key, or None.

        Raises:
            BadInput: a part of the table cannot be read.
        """
        with self._reading:
            self._read()
            if key not in self._places:
                return None
            part, row = self._places[key]
            found: dict[str, Any] = self._parts[part].slice(row, 1).to_pylist()[0]
            return found

    def keys(self) -> set[str]:
        """Every key that has a row."""
        with self._reading:
            self._read()
            return set(self._places)

    def _read(self) -> None:
        for part in self._workspace.read_new(self._table, self._seen):
            fits = [part.column(name).to_pylist() for name in self._only]
            wanted = list(self._only.values())
            for row, key in enumerate(part.column(self._key).to_pylist()):
                if all(values[row] == value for values, value in zip(fits, wanted, strict=True)):
                    self._places[key] = (len(self._parts), row)
            self._parts.append(part)
