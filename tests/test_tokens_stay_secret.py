"""The token stands in one file, which its owner wrote, and nowhere else: no table, report, log, message or traceback.

One session on the real server, in a home of its own, with all that could give a token away: a personal access token
and the access tokens that it buys, logging of every byte's journey, failing commands, crashes with tracebacks. Then
everything that was left behind is looked through, for the tokens as they are and as they are encoded elsewhere.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
import traceback
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx
import pyarrow.parquet as pq
import pytest
import typer

from scripts.sync_round import make_workspace, transcript_result
from tests.fault_proxy import FaultProxy, Request
from tests.front_servers import reply, saying
from tests.label_studio_server import RealServer
from workbench.cli import main
from workbench.cli.app import app
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.errors import ServerError
from workbench.label_studio.secret import Secret

WRONG = "0badc0de0badc0de0badc0de0badc0de0badc0de"


def needles(token: str) -> list[bytes]:
    """The token in every form that it may be written in; of a web token its parts but the header, which all have."""
    found = []
    parts = token.split(".")[1:] if token.count(".") == 2 else [token]
    for part in parts:
        raw = part.encode()
        found += [raw, raw[::-1], raw.hex().encode(), urllib.parse.quote(part, safe="").encode()]
        for shift in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                whole = encode(b"\0" * shift + raw).rstrip(b"=")
                # Within something longer the first and the last letter depend on what stands beside the token.
                found.append(whole[(0, 2, 3)[shift] : len(whole) - 1])
    return found


@dataclass
class Session:
    """What a session left behind, and the tokens that it had."""

    home: Path
    tokens: set[str] = field(default_factory=set)
    printed: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    kept: set[Path] = field(default_factory=set)
    """Files that may hold a token: those of credentials."""

    def run(self, *arguments: str, name: str = "", stdin: str = "") -> str:
        """What a command prints."""
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            patch.setattr("sys.argv", ["workbench", *arguments])
            patch.setattr("sys.stdin", io.StringIO(stdin))
            try:
                main()
                code = 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        self.codes[name or " ".join(arguments[:2])] = code
        self.printed.append(out.getvalue())
        return out.getvalue()

    def hear(self, request: Request) -> None:
        """Remember the access token that a request is made with."""
        found = re.search(rb"\r\nauthorization: (?:Bearer|Token) (\S+)\r\n", request.content, re.IGNORECASE)
        if found:
            self.tokens.add(found[1].decode())

    def found_in(self, content: bytes) -> list[bytes]:
        return [needle for token in self.tokens for needle in needles(token) if needle in content]


@pytest.fixture(scope="module")
def session(label_studio: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("home")
    legacy = label_studio.new_user("ann_secret@example.com")
    personal = label_studio.personal_token(legacy)
    session = Session(home, {legacy, personal, WRONG})
    root = home / "workspace"
    here = Path.cwd()
    log = logging.FileHandler(home / "everything.log")
    with pytest.MonkeyPatch.context() as patch, FaultProxy(label_studio.url, on_request=session.hear) as proxy:
        patch.setenv("HOME", str(home))
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        patch.delenv("LABEL_STUDIO_URL", raising=False)
        patch.delenv("LABEL_STUDIO_API_KEY", raising=False)
        make_workspace(root, 4)
        os.chdir(root)
        logging.getLogger().addHandler(log)
        before = logging.getLogger().level
        logging.getLogger().setLevel(logging.DEBUG)
        try:
            _work(session, proxy, label_studio, legacy, personal)
            _fail(session, proxy, patch, personal)
            _crash(session, patch)
        finally:
            logging.getLogger().setLevel(before)
            logging.getLogger().removeHandler(log)
            log.close()
            os.chdir(here)
    (home / "printed.txt").write_text("\n".join(session.printed), encoding="utf-8")
    yield session


def _work(session: Session, proxy: FaultProxy, server: RealServer, legacy: str, personal: str) -> None:
    """A round with a personal access token from a file that `connect --save` wrote."""
    file = session.home / ".config" / "workbench" / "label-studio.toml"
    session.kept.add(file)
    session.run("sync", "connect", "--save", stdin=f"{proxy.url}\n{personal}\n", name="save")
    session.run("sync", "connect")
    session.run("check")
    session.run("sync", "push", "--dry-run", name="dry")
    session.run("sync", "push")
    project = json.loads(session.run("sync", "connect", "--format", "json", name="bound"))[0]["project"]
    for task in server.ask("GET", f"/api/tasks?project={project}&page_size=10")["tasks"]:
        body = {"result": transcript_result("what a labeller heard"), "lead_time": 2.0}
        server.ask("POST", f"/api/tasks/{task['id']}/annotations/", body, token=legacy)
    session.run("sync", "pull")
    for arguments in (
        ["sync", "status"],
        ["sync", "conflicts"],
        ["sync", "fixes"],
        ["sync", "push"],
        ["check"],
        ["score"],
        ["report"],
    ):
        session.run(*arguments, name="second push" if arguments[1:] == ["push"] else "")
    _watch(session)


def _watch(session: Session) -> None:
    """A process that goes on, and what others on the machine see of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "sync", "watch", "--every", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    until = time.monotonic() + 60
    begun = len(session.tokens)
    while process.poll() is None and len(session.tokens) == begun and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    if process.poll() is None:
        session.printed.append(Path(f"/proc/{process.pid}/cmdline").read_text().replace("\0", " "))
        process.send_signal(signal.SIGINT)
    session.printed.append(process.communicate(timeout=60)[0])
    session.codes["watch"] = process.returncode


def _fail(session: Session, proxy: FaultProxy, patch: pytest.MonkeyPatch, personal: str) -> None:
    """Commands that cannot do what they are asked."""
    patch.setattr("time.sleep", lambda seconds: None)
    patch.setenv("LABEL_STUDIO_API_KEY", personal)
    session.run("sync", "connect", "--help", name="help")
    session.run("sync", "push", name="half")
    patch.setenv("LABEL_STUDIO_URL", f"http://ann_a:{personal}@127.0.0.1")
    session.run("sync", "push", name="in the URL")
    patch.setenv("LABEL_STUDIO_URL", personal)
    session.run("sync", "push", name="as the URL")
    patch.setenv("LABEL_STUDIO_URL", f"{proxy.url}/{personal}?")
    session.run("sync", "push", name="in the path")
    patch.setenv("LABEL_STUDIO_URL", proxy.url)
    for name, token in {
        "wrong": WRONG,
        "cut": personal[:-4] + "AAAA",
        "part": personal.rpartition(".")[0],
        "words": f"Token {personal}",
        "line": f"{personal}\u2028x",
    }.items():
        patch.setenv("LABEL_STUDIO_API_KEY", token)
        session.run("sync", "pull", name=name)
    patch.setenv("LABEL_STUDIO_API_KEY", personal)
    for name, url in {
        "down": "http://127.0.0.1:1",
        "unknown": "http://labels.invalid",
        "other": f"{proxy.url}/api",
    }.items():
        patch.setenv("LABEL_STUDIO_URL", url)
        session.run("sync", "connect", name=name)
    said = json.dumps({"status_code": 401, "detail": f"Bearer {personal} is not known"}).encode()
    moved = reply("302 Found", b"", f"Location: https://labels.example.com/login?token={personal}")
    for name, answer in {
        "repeats": reply("401 Unauthorized", said),
        "moved": moved,
        "page": reply("200 OK", b"<html>"),
    }.items():
        with saying(answer) as (url, _):
            patch.setenv("LABEL_STUDIO_URL", url)
            session.run("sync", "connect", name=name)
    patch.setenv("LABEL_STUDIO_URL", proxy.url)
    for number in range(40):
        proxy.next(["drop after", "cut", "504 after", "502 before"][number % 4])
    session.run("sync", "pull", name="faults")
    proxy._asked.clear()
    open_to_all = session.home / "open.toml"
    open_to_all.write_text(f'url = "{proxy.url}"\ntoken = "{personal}"\n', encoding="utf-8")
    open_to_all.chmod(0o644)
    session.kept.add(open_to_all)
    session.run("sync", "pull", "--credentials", str(open_to_all), name="open")
    broken = session.home / "broken.toml"
    broken.write_text(f"url = {proxy.url}\ntoken = {personal}\n", encoding="utf-8")
    broken.chmod(0o600)
    session.kept.add(broken)
    session.run("sync", "pull", "--credentials", str(broken), name="broken")


def _crash(session: Session, patch: pytest.MonkeyPatch) -> None:
    """Mistakes of the program, in the midst of a request and after it."""
    send, parse = httpx.Client.send, Connection._json

    def crash_within(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        if request.headers.get("authorization", "").startswith("Bearer"):
            raise RuntimeError(f"a mistake within {request!r} {request.headers!r}")
        return send(client, request, **options)

    def crash_after(connection: Connection, answer: Any, method: str, path: str) -> Any:
        if "tasks" in path or "whoami" in path:
            raise RuntimeError(f"a mistake with {answer!r} of {connection!r} {vars(connection)!r}")
        return parse(connection, answer, method, path)

    for name, change in {
        "crash within": (httpx.Client, "send", crash_within),
        "crash after": (Connection, "_json", crash_after),
    }.items():
        with patch.context() as one:
            one.setattr(*change)
            session.run("sync", "pull", name=name)


def test_the_session_was_one(session: Session) -> None:
    """Every command did what it was there for."""
    crashed = {name for name, code in session.codes.items() if code == 70}
    assert crashed == {"crash within", "crash after"}
    good = ["save", "sync connect", "dry", "sync push", "bound", "sync pull", "sync status", "second push", "report"]
    assert [session.codes[name] for name in good] == [0] * len(good)
    refused = ["half", "in the URL", "as the URL", "in the path", "wrong", "cut", "part", "words", "line", "down"]
    refused += ["unknown", "other", "repeats", "moved", "page", "faults", "open", "broken"]
    assert {name: session.codes[name] for name in refused} == dict.fromkeys(refused, 2)
    assert session.codes["watch"] in (0, 130)
    everything = "\n".join(session.printed)
    assert everything.count("Traceback (most recent call last)") == 2
    # The personal access token has bought several others, which are looked for too.
    assert len([token for token in session.tokens if token.count(".") == 2]) > 5
    log = (session.home / "everything.log").read_text(encoding="utf-8")
    assert "httpcore" in log and "send_request_headers" in log


def test_no_output_and_no_file_holds_a_token(session: Session) -> None:
    looked_at = set()
    for path in session.home.rglob("*"):
        if not path.is_file() or path in session.kept:
            continue
        assert not session.found_in(path.read_bytes()), path
        assert not session.found_in(str(path).encode())
        looked_at.add(path.suffix)
    assert {".parquet", ".toml", ".log", ".txt", ".html"} <= looked_at


def test_no_cell_of_a_table_holds_a_token(session: Session) -> None:
    tables = set()
    for path in (session.home / "workspace" / "tables").rglob("*.parquet"):
        table = pq.read_table(path, partitioning=None)
        told = repr(table.schema.metadata).encode()
        for name in table.column_names:
            for value in table.column(name).to_pylist():
                told += b"\n" + (value if isinstance(value, bytes) else repr(value).encode())
        assert not session.found_in(told), path
        tables.add(path.parent.name)
    assert {"sync_project", "sync_tasks", "annotations", "transcripts", "faults"} <= tables


def test_the_files_that_may_hold_it_do_and_are_private(session: Session) -> None:
    """So the search is one that finds something."""
    saved = session.home / ".config" / "workbench" / "label-studio.toml"
    assert session.found_in(saved.read_bytes())
    assert saved.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("token", [WRONG, "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiMSJ9.c2lnbmF0dXJl"])
def test_the_search_finds_what_is_encoded(token: str) -> None:
    session = Session(Path(), {token})
    plain = [token, f"x{token}y", urllib.parse.quote(f"Token {token}"), f"Bearer {token}".encode().hex()]
    encoded = [base64.b64encode(f"{before}{token}:x".encode()).decode() for before in ("", "a", "ab", "Token ")]
    assert all(session.found_in(text.encode()) for text in [*plain, *encoded])
    assert not session.found_in(b"nothing of the kind")


def test_tracebacks_with_variables_hold_none_either() -> None:
    """As some tools write them: every variable of every frame."""
    personal = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"
    busy, refused = reply("502 Bad Gateway"), reply("401 Unauthorized", b'{"status_code": 401, "detail": "no"}')
    for token in (personal, WRONG):
        for answer in (busy, refused, b"", reply("200 OK", b"<html>")):
            with saying(answer) as (url, _), Connection(Credentials(url, Secret(token)), tries=2, pause=0.01) as server:
                for ask in (server.get, lambda path, ask=server.send: ask("POST", path, {"a": 1})):
                    with pytest.raises(ServerError) as raised:
                        ask("api/version")
                    problem = raised.value
                    problem.__traceback__ = problem.__traceback__ and problem.__traceback__.tb_next
                    shown = traceback.TracebackException.from_exception(problem, capture_locals=True).format()
                    assert not Session(Path(), {token}).found_in("".join(shown).encode())


def test_no_command_takes_a_token_as_an_argument() -> None:
    """What is given so stands in the shell's history, and in the list of processes for everybody."""
    commands: list[click.Command] = [typer.main.get_command(app)]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        for option in command.params:
            names = [option.name or "", *option.opts, str(option.envvar or "")]
            assert not re.search(r"token|api.?key|secret", " ".join(names), re.IGNORECASE), (command.name, names)
    assert len(commands) > 40
