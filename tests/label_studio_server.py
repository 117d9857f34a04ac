"""A real Label Studio server for tests: `label_studio` for all of them, `fresh_label_studio` for those that kill one.

The shared server begins to start when pytest has found a test that needs it, and is awaited by the first such test.
Where Label Studio cannot be installed, these tests are skipped with the reason. No server outlives pytest.
"""

from __future__ import annotations

import functools
import http.cookiejar
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.label_studio_server import NotInstalled, Process, free_port, prepare

ADMIN = "admin@example.com"
PASSWORD = "pass-word-1"
TOKEN = "aaaabbbbccccddddeeeeffff0000111122223333"


class RealServer:
    """A Label Studio server with one account, that of the tests.

    Attributes:
        url: without a slash at its end; the same after a new start.
        token: the legacy token of `admin`, whose password is `password`.
        document_root: the directory that the server may serve as local files.
    """

    admin = ADMIN
    password = PASSWORD
    token = TOKEN

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self._process = Process(directory, port or free_port(), ADMIN, PASSWORD, TOKEN)
        self.url = self._process.url
        self.document_root = self._process.document_root
        self.log = self._process.log
        self._tokens: dict[str, str] = {}

    @property
    def pid(self) -> int | None:
        """The process id of the server that runs now."""
        return self._process.pid

    def start(self) -> None:
        """Start it, or start it again on the same port with the data that it had."""
        self._process.start()

    def stop(self) -> None:
        """End it in order."""
        self._process.stop()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """The JSON that the server answers, straight from it.

        Raises:
            urllib.error.HTTPError: it refused.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {token or self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            content = reply.read()
        return json.loads(content) if content else None

    def new_user(self, email: str, password: str = PASSWORD) -> str:
        """The legacy token of a user of the same organisation, who signs up with the invite link the first time."""
        if email not in self._tokens:
            self._tokens[email] = self._sign_up(email, password)
        return self._tokens[email]

    def _sign_up(self, email: str, password: str) -> str:
        invitation = self.ask("GET", "/api/invite")["invite_url"]
        cookies = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        page = urllib.parse.urljoin(self.url, invitation)
        with browser.open(page, timeout=60):
            sign = next(str(cookie.value) for cookie in cookies if cookie.name == "csrftoken")
        form = urllib.parse.urlencode({"csrfmiddlewaretoken": sign, "email": email, "password": password}).encode()
        with browser.open(urllib.request.Request(page, form, {"Referer": page}), timeout=60):
            pass
        with browser.open(f"{self.url}/api/current-user/token", timeout=60) as reply:
            return str(json.load(reply)["token"])

    def personal_token(self, token: str | None = None) -> str:
        """A new personal access token (a JWT that access tokens are got with) of the user of a legacy token.

        The server lets each user have one at a time: an earlier one of the user is revoked.
        """
        for old in self.ask("GET", "/api/token/", token=token):
            self.ask("POST", "/api/token/blacklist/", {"refresh": old["token"]}, token=token)
        return str(self.ask("POST", "/api/token/", {}, token=token)["token"])


class _Starting:
    """The shared server while it starts, and after."""

    def __init__(self, directory: Path) -> None:
        self.server = RealServer(directory)
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._start, daemon=True)
        self._thread.start()

    def _start(self) -> None:
        try:
            if not lacking():
                self.server.start()
        except Exception as problem:
            self._problem = problem

    def wait(self) -> None:
        """Wait until it is ready, and raise what kept it from that."""
        self._thread.join()
        if self._problem:
            raise self._problem

    def stop(self) -> None:
        """Stop it, once it has started."""
        self._thread.join()
        self.server.stop()


@functools.cache
def lacking() -> str:
    """Why Label Studio is not installed and cannot be; empty: it is."""
    try:
        prepare()
    except NotInstalled as problem:
        return f"no Label Studio: {problem}"
    return ""


_SHARED = pytest.StashKey[_Starting]()


def begin(session: pytest.Session) -> None:
    """Start the shared server in the background, so that other tests run while it does."""
    is_needed = any("label_studio" in getattr(item, "fixturenames", ()) for item in session.items)
    if is_needed and not session.config.option.collectonly:
        _shared(session)


def _shared(session: pytest.Session) -> _Starting:
    if _SHARED not in session.stash:
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        session.stash[_SHARED] = _Starting(factory.mktemp("label-studio"))
    return session.stash[_SHARED]


def end(session: pytest.Session) -> None:
    """Stop the shared server, whether or not a test came to it."""
    starting = session.stash.get(_SHARED, None)
    if starting is not None:
        starting.stop()


@pytest.fixture(scope="session")
def label_studio(request: pytest.FixtureRequest) -> RealServer:
    """The real server that tests share; each makes projects and users of its own."""
    starting = _shared(request.session)
    starting.wait()
    if lacking():
        pytest.skip(lacking())
    return starting.server


@pytest.fixture
def fresh_label_studio(tmp_path: Path) -> Iterator[RealServer]:
    """A real server of the test's own, which it may kill and start again."""
    if lacking():
        pytest.skip(lacking())
    server = RealServer(tmp_path / "label-studio")
    server.start()
    yield server
    server.kill()
