"""What can go wrong between here and a server. Each message is one sentence and holds no token."""

from __future__ import annotations

from workbench.errors import WorkbenchError


class ServerError(WorkbenchError):
    """A request that did not do what it was sent for."""


class NotReached(ServerError):
    """No server answered, or not one that can be trusted: nothing was sent that could have changed anything."""


class Unanswered(ServerError):
    """A request that may or may not have been carried out: nobody knows until the server is asked what it holds."""


class Refused(ServerError):
    """The server understood the request and did not carry it out."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class BadReply(ServerError):
    """An answer that is not what the server's interface promises."""
