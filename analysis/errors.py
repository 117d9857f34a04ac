"""The one exception that this library raises for input that is not as it must be."""

from __future__ import annotations


class InvalidInput(ValueError):
    """A frame, a name or a value that is not as it must be; the message says what, where and what to do."""
