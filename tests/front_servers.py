"""What stands between people and their server: a front server with TLS or a sub-path; and what is no Label Studio."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


def certificate(directory: Path, name: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """A certificate that signs itself, for a name, and its key, both in PEM format."""
    crt, key = directory / "front.crt", directory / "front.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=front"
    files = ["-keyout", str(key), "-out", str(crt), "-addext", f"subjectAltName={name}"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    return crt, key


@contextmanager
def front(upstream: str, prefix: str = "", tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The URL of a server that passes requests below the prefix on to the real server, without the prefix."""
    real = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.startswith(prefix + "/"):
                self._answer(404, b"<html>nothing here</html>", {"Content-Type": "text/html"})
                return
            server = http.client.HTTPConnection(real, timeout=60)
            server.request(self.command, self.path.removeprefix(prefix), content, dict(self.headers))
            reply = server.getresponse()
            self._answer(reply.status, reply.read(), {"Content-Type": reply.headers.get("Content-Type", "")})
            server.close()

        def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = pass_on

        def log_message(self, format: str, *values: object) -> None:
            return

    with _running(Handler, tls) as port:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}{prefix}"


@contextmanager
def saying(*replies: bytes, seconds_a_byte: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """The URL of a server that answers with these bytes, the last of them again and again, and the heads that it got.

    An answer that is empty is a connection that is closed.

    Args:
        seconds_a_byte: how slowly bodies come.
    """
    heads: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                lines.append(line)
            heads.append(b"".join(lines))
            for line in lines:
                if line.lower().startswith(b"content-length:"):
                    self.rfile.read(int(line.split(b":")[1]))
            answer = replies[min(len(heads), len(replies)) - 1]
            if not seconds_a_byte:
                self.wfile.write(answer)
                return
            head, _, body = answer.partition(b"\r\n\r\n")
            self.wfile.write(head + b"\r\n\r\n")
            with contextlib.suppress(ConnectionError):  # the client does not wait for the end
                for byte in body:
                    time.sleep(seconds_a_byte)
                    self.wfile.write(bytes([byte]))

    with _running(Handler, None) as port:
        yield f"http://127.0.0.1:{port}", heads


def reply(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer as bytes, after which the connection is closed."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler], tls: tuple[Path, Path] | None) -> Iterator[int]:
    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            return  # a client that does not trust the certificate ends the connection

    server = Quiet(("127.0.0.1", 0), handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
