"""A value that nothing prints: a token in an exception, a log or a table is `…`."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

HIDDEN = "…"


class Secret(str):
    """`…` to everything that prints, joins, compares by text or stores; the value only to `reveal()`.

    It is a text, so that JSON, a table or a format string takes it without an error, and gets nothing.

    >>> f"{Secret('abc')} {Secret('abc')!r} {Secret('abc').reveal()}"
    '… … abc'
    """

    __slots__ = ("_reveal",)
    _reveal: Callable[[], str]

    def __new__(cls, value: str) -> Secret:
        made = super().__new__(cls, HIDDEN)
        # In a closure, because what lists a value's attributes prints them too.
        object.__setattr__(made, "_reveal", lambda: value)
        return made

    def reveal(self) -> str:
        """The value."""
        return self._reveal()

    def __repr__(self) -> str:
        return HIDDEN

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a secret does not change")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(HIDDEN)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> tuple[type[str], tuple[str]]:
        return str, (HIDDEN,)
