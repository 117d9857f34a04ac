"""`workbench sync connect`: what it says of a server, and how it keeps a token."""

from __future__ import annotations

import fcntl
import io
import json
import os
import subprocess
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tests.front_servers import certificate, front, reply, saying
from tests.label_studio_server import RealServer
from tests.test_cli import run
from workbench.config import config_text
from workbench.label_studio.credentials import default_file, read_credentials
from workbench.workspace import Workspace

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch):
    """Gives standard input these lines."""

    def give(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return give


def test_it_says_whose_token_it_is(capsys, monkeypatch, label_studio: RealServer) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url + "/")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.token)
    code, out, err = run(capsys, monkeypatch, "sync", "connect", "--format", "json")
    (row,) = json.loads(out)
    assert code == 0
    assert row.pop("people") >= 1
    assert row == {
        "server": label_studio.url,
        "version": "1.23.2",
        "account": label_studio.admin,
        "token": "legacy token",
        "project": None,
        "title": None,
    }
    assert "there is no project to name" in err


def test_it_names_the_project_of_the_workspace(capsys, monkeypatch, tmp_path: Path, label_studio: RealServer) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.token)
    workspace = Workspace.create(tmp_path / "w", config_text("w", "en", 0.2))
    asked = ("sync", "connect", "-w", workspace.root, "--format", "json")
    assert "workbench sync push makes one" in run(capsys, monkeypatch, *asked)[2]
    project = label_studio.ask("POST", "/api/projects", {"title": "calls"})["id"]
    row = {"server": label_studio.url, "project_id": project, "title": "before", "mark": "f00d"}
    workspace.append("sync_project", pd.DataFrame([row | {"bound_at": datetime.now(UTC)}]))
    (said,) = json.loads(run(capsys, monkeypatch, *asked)[1])
    assert (said["project"], said["title"]) == (project, "calls")
    label_studio.ask("DELETE", f"/api/projects/{project}")
    assert f"project {project} of this workspace is not on the server any more" in run(capsys, monkeypatch, *asked)[2]


def test_what_was_tried_is_kept_and_used(capsys, monkeypatch, stdin, label_studio: RealServer) -> None:
    stdin(f"{label_studio.url}/", f"  {label_studio.token}  ")
    code, out, err = run(capsys, monkeypatch, "sync", "connect", "--save")
    assert (code, label_studio.admin in out) == (0, True)
    assert f"kept in {default_file()}, which only you can read" in err
    assert default_file().stat().st_mode & 0o777 == 0o600
    kept = read_credentials(default_file())
    assert (kept.url, kept.token.reveal()) == (label_studio.url, label_studio.token)
    assert run(capsys, monkeypatch, "sync", "connect")[0] == 0
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "another")
    stdin(label_studio.url, label_studio.token)
    code, _, err = run(capsys, monkeypatch, "sync", "connect", "--save")
    assert (code, "LABEL_STUDIO_API_KEY in the environment will be used and not this file" in err) == (0, True)


def test_what_does_not_work_is_not_kept(capsys, monkeypatch, stdin, label_studio: RealServer) -> None:
    for lines, says in [
        ((label_studio.url, "wrong"), "does not accept the legacy token"),
        ((label_studio.url,), "the token is empty"),
        ((), "does not begin with http"),
        (("http://127.0.0.1:1", "abc"), "nothing answers there"),
        (("https://127.0.0.1:1", "abc", "none.pem"), "none.pem is not a file"),
    ]:
        stdin(*lines)
        code, _, err = run(capsys, monkeypatch, "sync", "connect", "--save")
        assert (code, says in err) == (2, True), err
        assert len(err.strip().splitlines()) == 1
    assert not default_file().exists()


def test_a_certificate_of_ones_own_is_kept_with_it(
    capsys, monkeypatch, stdin, tmp_path: Path, label_studio: RealServer
) -> None:
    crt, key = certificate(tmp_path)
    with front(label_studio.url, tls=(crt, key)) as url:
        stdin(url, label_studio.token)
        code, _, err = run(capsys, monkeypatch, "sync", "connect", "--save")
        assert (code, "its certificate cannot be trusted" in err) == (2, True)
        stdin(url, label_studio.token, crt.name)
        assert run(capsys, monkeypatch, "sync", "connect", "--save", "--credentials", "mine.toml")[0] == 0
        assert run(capsys, monkeypatch, "sync", "connect", "--credentials", "mine.toml")[0] == 0
    assert read_credentials(Path("mine.toml")).verify == str(crt)


def test_a_server_that_is_not_encrypted_and_not_here_is_told(capsys, monkeypatch) -> None:
    account, version = b'{"id": 1, "email": "ann_a@example.com"}', b'{"release": "1.23.2"}'
    with saying(reply("200 OK", account), reply("200 OK", version), reply("200 OK", b"[]")) as (url, _):
        # A proxy stands for the network: the host is one that this machine does not know.
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("LABEL_STUDIO_URL", "http://labels.example.com")
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", "abc")
        code, _, err = run(capsys, monkeypatch, "sync", "connect")
    assert (code, "http://labels.example.com is not encrypted" in err) == (0, True)


def test_a_token_that_is_typed_is_not_shown(tmp_path: Path, label_studio: RealServer) -> None:
    """A process with a terminal of its own, and somebody who types."""
    process, here = _at_a_terminal()
    shown = _shown_until(here, "URL of the server: ")
    os.write(here, f"{label_studio.url}\n".encode())
    shown += _shown_until(here, "Token (not shown): ")
    os.write(here, f"{label_studio.token}\n".encode())
    shown += _shown_until(here, "which only you can read")
    assert process.wait(timeout=60) == 0
    os.close(here)
    assert label_studio.url in shown
    assert label_studio.token not in shown
    assert read_credentials(default_file()).token.reveal() == label_studio.token


def test_who_thinks_better_of_it_leaves_nothing_behind(tmp_path: Path) -> None:
    process, here = _at_a_terminal()
    _shown_until(here, "URL of the server: ")
    os.write(here, b"http://127.0.0.1:1\n")
    _shown_until(here, "Token (not shown): ")
    os.write(here, b"\x03")
    assert process.wait(timeout=60) == 130
    os.close(here)
    assert not default_file().parent.exists()


def _at_a_terminal() -> tuple[subprocess.Popen[bytes], int]:
    """`workbench sync connect --save` with a terminal of its own, and the other end of that."""
    here, there = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "sync", "connect", "--save"],
        stdin=there,
        stdout=there,
        stderr=there,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(there)
    return process, here


def _shown_until(terminal: int, end: str) -> str:
    shown = ""
    while end not in shown:
        try:
            part = os.read(terminal, 1000)
        except OSError:
            part = b""
        assert part, f"the terminal showed {shown!r} and closed"
        shown += part.decode()
    return shown
