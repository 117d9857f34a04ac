"""A proxy between a client and a real server that does to their requests what networks and gateways do, by a seed.

It passes bytes on as they are: no header is added, removed or changed. One request of a connection at a time.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

ANSWERS = {
    "502": b"502 Bad Gateway",
    "504": b"504 Gateway Time-out",
    "404": b"404 Not Found",
}
BEFORE, AFTER = "before", "after"
KINDS = (
    "drop before",
    "drop after",
    "cut",
    "delay",
    "double",
    *(f"{status} {when}" for status in ANSWERS for when in (BEFORE, AFTER)),
)
"""What can happen to a request. `before`: the server never sees it; `after`: the server has carried it out, and the
client does not get its answer. `cut`: only half of the answer arrives. `double`: the server gets the request twice."""


def evenly(rate: float) -> dict[str, float]:
    """Rates of all kinds, the same for each, that a share `rate` of requests meets one of."""
    return {kind: rate / len(KINDS) for kind in KINDS}


class _Gone(Exception):
    """The other side has closed the connection."""


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    number: int
    method: str
    path: str
    content: bytes = field(repr=False)


class FaultProxy:
    """A proxy on a port of its own, as a context manager.

    Attributes:
        url: what the client is given instead of the server's.
        is_on: whether faults happen; set it to false and requests only pass.
        requests: how many requests came in.
        counts: how many met each kind of fault; `down` where the server could not be reached, which is answered 502.
        seen: what came in and what was done to it, in order: (method, path, kind or "").
    """

    def __init__(
        self,
        upstream: str,
        seed: int = 0,
        rates: Mapping[str, float] | None = None,
        delays: tuple[float, float] = (0.05, 0.3),
        on_request: Callable[[Request], None] | None = None,
    ) -> None:
        """
        Args:
            upstream: the server's URL, of plain HTTP.
            seed: of the random choices, which are made in the order in which requests come in.
            rates: the share of requests that meets each of KINDS.
            delays: the shortest and the longest delay, in seconds.
            on_request: called with each request before it is passed on.
        """
        self._rates = dict(rates or {})
        if unknown := set(self._rates) - set(KINDS):
            raise ValueError(f"no kinds of faults: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
        parts = urllib.parse.urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._delays = delays
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._asked: list[tuple[str, str, str]] = []
        self.on_request = on_request
        self.is_on = True
        self.requests = 0
        self.counts: Counter[str] = Counter()
        self.seen: list[tuple[str, str, str]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # A listener that is only closed goes on to accept in the thread that waits in it.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            open_ones = list(self._connections)
        for connection in open_ones:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def next(self, kind: str, method: str = "", path: str = "") -> None:
        """Do this to the next request of the method whose path holds `path`, whatever the rates and `is_on` say."""
        if kind not in KINDS:
            raise ValueError(f"no kind of fault: {kind}; there are {', '.join(KINDS)}")
        with self._lock:
            self._asked.append((kind, method, path))

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as reader:
                while self._serve_one(connection, reader):
                    pass
        except (_Gone, OSError):
            return
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _serve_one(self, connection: socket.socket, reader: BinaryIO) -> bool:
        """Whether the connection stays open for another request."""
        head = _head(reader)
        content = head + _body(reader, head, is_reply=False)
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        kind, request = self._choose(method, path, content)
        if self.on_request:
            self.on_request(request)
        if kind == "drop before":
            return _reset(connection)
        if kind.endswith(BEFORE):
            return _answer(connection, kind)
        if kind == "delay":
            with self._lock:
                seconds = self._random.uniform(*self._delays)
            time.sleep(seconds)
        try:
            if kind == "double":
                self._carry_out(content, method)
            reply = self._carry_out(content, method)
        except (_Gone, OSError):
            with self._lock:
                self.counts["down"] += 1
            return _answer(connection, "502")
        if kind == "drop after":
            return _reset(connection)
        if kind.endswith(AFTER):
            return _answer(connection, kind)
        if kind == "cut":
            connection.sendall(reply[: len(reply) // 2])
            return _reset(connection)
        connection.sendall(reply)
        return _header(reply, b"connection") != b"close"

    def _choose(self, method: str, path: str, content: bytes) -> tuple[str, Request]:
        with self._lock:
            self.requests += 1
            kind = self._asked_for(method, path)
            if not kind and self.is_on:
                at = self._random.random()
                for name, rate in self._rates.items():
                    at -= rate
                    if at < 0:
                        kind = name
                        break
            if kind:
                self.counts[kind] += 1
            self.seen.append((method, path, kind))
            return kind, Request(self.requests, method, path, content)

    def _asked_for(self, method: str, path: str) -> str:
        for asked in self._asked:
            kind, wanted, part = asked
            if wanted in ("", method) and part in path:
                self._asked.remove(asked)
                return kind
        return ""

    def _carry_out(self, content: bytes, method: str) -> bytes:
        """The server's whole answer."""
        with socket.create_connection(self._upstream, timeout=300) as server, server.makefile("rb") as reader:
            server.sendall(content)
            head = _head(reader)
            status = head.split(b" ", 2)[1]
            has_body = method != "HEAD" and status not in (b"204", b"304")
            return head + (_body(reader, head, is_reply=True) if has_body else b"")


def _head(reader: BinaryIO) -> bytes:
    """The lines up to the empty one, with it."""
    lines = []
    while True:
        line = reader.readline()
        if not line.endswith(b"\n"):
            raise _Gone
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)


def _body(reader: BinaryIO, head: bytes, is_reply: bool) -> bytes:
    if _header(head, b"transfer-encoding") == b"chunked":
        return _chunks(reader)
    length = _header(head, b"content-length")
    if length:
        return _exactly(reader, int(length))
    # A reply without a length ends where its connection ends; a request without one has no body.
    return reader.read() if is_reply else b""


def _chunks(reader: BinaryIO) -> bytes:
    parts = []
    while True:
        line = reader.readline()
        if not line.endswith(b"\n"):
            raise _Gone
        size = int(line.split(b";")[0], 16)
        parts += [line, _exactly(reader, size), _exactly(reader, 2)]
        if size == 0:
            return b"".join(parts)


def _exactly(reader: BinaryIO, size: int) -> bytes:
    content = reader.read(size)
    if len(content) < size:
        raise _Gone
    return content


def _header(head: bytes, name: bytes) -> bytes:
    """The value of a header in small letters, or nothing."""
    for line in head.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip().lower()
    return b""


def _answer(connection: socket.socket, kind: str) -> bool:
    status = ANSWERS[kind.split(" ")[0]]
    page = b"<html><body><h1>" + status + b"</h1></body></html>\n"
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\nContent-Length: " + str(len(page)).encode()
    connection.sendall(head + b"\r\n\r\n" + page)
    return True


def _reset(connection: socket.socket) -> bool:
    """Have the connection break when it is closed, and not merely end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False
