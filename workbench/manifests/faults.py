"""What a reader does with a row that it cannot use: collect a fault, or stop at the first one."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import BadInput

STAGE = "import"


class UnusableRow(Exception):
    """A row that cannot be used; the message is the fault's reason."""

    def __init__(self, found: str, expected: str, do: str) -> None:
        super().__init__(f"found {found}; expected {expected}; {do}")


class Faults:
    """The faults of one manifest; with `strict`, the first one is raised as BadInput instead."""

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.rows: list[dict[str, str]] = []

    def add(self, item: str, path: Path, line: int, reason: str | UnusableRow) -> None:
        """Record one fault at a physical line (from 1) of a file."""
        location = f"{path}:{line}"
        if not item.isprintable():
            item = f"line {line}"
        if self.strict:
            raise BadInput(f"{location}: {item}: {reason}")
        self.rows.append({"stage": STAGE, "item": item, "location": location, "reason": str(reason)})


def shown(value: object) -> str:
    """The value as a message shows it: quoted, on one line, at most 60 characters.

    >>> shown("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'"
    """
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= 58 else text[:57] + "…")
