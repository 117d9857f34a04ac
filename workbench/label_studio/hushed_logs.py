"""What the libraries that send requests log, without tokens: a server may repeat one, in a header of its reply too."""

from __future__ import annotations

import logging
from collections.abc import Callable

_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


class Hushed(logging.Filter):
    """A filter of what is logged by these libraries, from `begin` to `end`.

    Args:
        hide: gives a text without what is secret.
    """

    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._hide = hide

    def begin(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._hide(record.getMessage()), ()
        return True
