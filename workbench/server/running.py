"""A service that runs beside the main thread, on a port that is there to be asked for or refused with a reason."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from workbench.errors import BadInput

_START_SECONDS = 30.0
_MOST_CONNECTIONS = 200
_SILENT_SECONDS = 15.0  # that a connection may stay without a whole head of a request


class _Impatient(H11Protocol):
    """Connections that are closed when they bring no request: else a few hundred of them shut everybody out."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.loop.call_later(_SILENT_SECONDS, self._look, None)

    def _look(self, before: Any) -> None:
        """Close it where it waits for a request now, and did after the same one at the last look."""
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self.cycle is before:
            self.transport.close()
        elif not self.transport.is_closing():
            self.loop.call_later(_SILENT_SECONDS, self._look, self.cycle if waits else False)


@contextlib.contextmanager
def running(app: Any, host: str, port: int) -> Iterator[str]:
    """The URL of the service, which answers until the block ends.

    Args:
        port: 0 takes a free one.

    Raises:
        BadInput: the port is in use, or the address is not one of this machine.
    """
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        http=_Impatient,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="service", daemon=True)
    thread.start()
    try:
        until = time.monotonic() + _START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise BadInput(f"the service on {host} port {port} did not start")
            time.sleep(0.01)
        yield url_of(host, listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def url_of(host: str, port: int) -> str:
    """The URL of a service on this machine; one that listens everywhere is reached on this machine by its loopback."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a service that listens there."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as problem:
        listening.close()
        raise BadInput(
            f"nothing can listen on {host} port {port} ({problem.strerror or problem}); give another port or address"
        ) from None
    return listening
