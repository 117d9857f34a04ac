"""Who may ask a service: every request is checked here before anything of it is read."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import AsyncIterator
from typing import Any

from fastapi import HTTPException, Request

USER = "workbench"
"""The user name that goes with the password."""

BODY_SECONDS = 60.0
"""So long the body of a request may take to come."""

_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}


class Guard:
    """An ASGI application in front of another: without the password, or under a foreign name, nothing passes.

    Args:
        password: of the user `workbench`, by HTTP basic authentication. Without one, only requests to this machine's
            own names pass, so that no web page can reach the service by a name that it lets point here.
    """

    def __init__(self, app: Any, password: str | None) -> None:
        self._app = app
        self._password = password

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        if self._password is None:
            host = headers.get(b"host", b"").decode("latin-1").lower()
            name = host if host.endswith("]") else host.rpartition(":")[0] or host
            if name not in _LOOPBACK_NAMES:
                await _refuse(send, 421, "this service answers on this machine's own names only")
                return
        elif not _is_right(headers.get(b"authorization", b""), self._password):
            await _refuse(send, 401, "user or password is wrong", [(b"www-authenticate", b'Basic realm="workbench"')])
            return
        await self._app(scope, receive, send)


def _is_right(authorization: bytes, password: str) -> bool:
    scheme, _, given = authorization.partition(b" ")
    try:
        decoded = base64.b64decode(given.strip(), validate=True) if scheme.lower() == b"basic" else b""
    except binascii.Error:
        decoded = b""
    return hmac.compare_digest(decoded, f"{USER}:{password}".encode())


async def _refuse(send: Any, status: int, reason: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    body = reason.encode()
    fixed = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fixed + (headers or [])})
    await send({"type": "http.response.body", "body": body})


async def body_of(request: Request, most: int) -> bytes:
    """The body of a request, of at most so many bytes.

    Raises:
        HTTPException: 413, it is larger; 408, it does not come.
    """
    return b"".join([part async for part in _parts(request, most)])


async def pass_over(request: Request, most: int) -> None:
    """Read the body of a request and keep nothing of it.

    Raises:
        HTTPException: as of `body_of`.
    """
    async for _ in _parts(request, most):
        pass


async def _parts(request: Request, most: int) -> AsyncIterator[bytes]:
    size = 0
    stream = request.stream()
    until = asyncio.get_running_loop().time() + BODY_SECONDS
    while True:
        try:
            async with asyncio.timeout_at(until):
                part = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise HTTPException(408, f"the request was not whole after {BODY_SECONDS:g} s") from None
        size += len(part)
        if size > most:
            raise HTTPException(413, f"the request has more than {most} bytes")
        yield part
