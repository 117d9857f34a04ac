"""The real server that tests and people start: accounts, its data over a new start, and its end with its starter."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from scripts.label_studio_server import VERSION, free_port, port_is_free
from tests.label_studio_server import RealServer

COMMAND = [str(Path(__file__).parents[1] / "scripts" / "label-studio")]


def test_it_is_the_server_of_the_pinned_version(label_studio: RealServer) -> None:
    assert label_studio.ask("GET", "/api/version")["release"] == VERSION
    assert label_studio.ask("GET", "/api/current-user/whoami")["email"] == label_studio.admin


def test_a_new_user_is_of_the_same_organisation(label_studio: RealServer) -> None:
    project = label_studio.ask("POST", "/api/projects/", {"title": "seen by both"})["id"]
    token = label_studio.new_user("ann_of_server_test@example.com")
    assert token not in ("", label_studio.token)
    assert label_studio.ask("GET", "/api/current-user/whoami", token=token)["email"] == "ann_of_server_test@example.com"
    assert label_studio.ask("GET", f"/api/projects/{project}/", token=token)["title"] == "seen by both"


def test_a_personal_token_gives_access_tokens(label_studio: RealServer) -> None:
    token = label_studio.new_user("ann_with_personal_token@example.com")
    first, second = label_studio.personal_token(token), label_studio.personal_token(token)
    body = second.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["token_type"] == "refresh"
    access = label_studio.ask("POST", "/api/token/refresh/", {"refresh": second})["access"]
    request = urllib.request.Request(
        f"{label_studio.url}/api/current-user/whoami", headers={"Authorization": f"Bearer {access}"}
    )
    with urllib.request.urlopen(request) as reply:
        assert json.load(reply)["email"] == "ann_with_personal_token@example.com"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        label_studio.ask("POST", "/api/token/refresh/", {"refresh": first})


def test_a_killed_server_starts_again_with_its_data(fresh_label_studio: RealServer) -> None:
    project = fresh_label_studio.ask("POST", "/api/projects/", {"title": "kept"})["id"]
    url = fresh_label_studio.url
    fresh_label_studio.kill()
    with pytest.raises(urllib.error.URLError):
        fresh_label_studio.ask("GET", "/api/version")
    fresh_label_studio.start()
    assert fresh_label_studio.url == url
    assert fresh_label_studio.ask("GET", f"/api/projects/{project}/")["title"] == "kept"


def until_printed(process: subprocess.Popen[str], start: str) -> str:
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if line.startswith(start):
            return said
    raise AssertionError(f"it ended with {process.wait()} and said {said!r}")


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


def test_a_person_starts_one_and_nothing_is_left_when_the_command_dies(
    label_studio: RealServer, tmp_path: Path
) -> None:
    directory, port = tmp_path / "look", free_port()
    command = [*COMMAND, str(directory), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        said = until_printed(running, "Ctrl-C")
        url = next(line.split()[1] for line in said.splitlines() if line.startswith("url:"))
        account = json.loads((directory / "account.json").read_text())
        assert url == f"http://127.0.0.1:{port}"
        assert account["password"] in said and account["token"] not in said
        for name in ("account.json", "credentials.toml"):
            assert (directory / name).stat().st_mode & 0o777 == 0o600
        assert account["token"] in (directory / "credentials.toml").read_text()
        assert (directory / "data").stat().st_mode & 0o777 == 0o700
        assert is_up(url)

        again = subprocess.run(command, capture_output=True, text=True)
        assert again.returncode == 2
        assert re.fullmatch(r"label-studio: a server runs on .*; stop it, or give another directory\n", again.stderr)
        running.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while not port_is_free(port) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_up(url)

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        said = until_printed(running, "Ctrl-C")
        assert account["password"] not in said
        request = urllib.request.Request(f"{url}/api/version", headers={"Authorization": f"Token {account['token']}"})
        with urllib.request.urlopen(request) as reply:
            assert reply.status == 200
        running.send_signal(signal.SIGINT)
        assert running.wait() == 0
    assert not is_up(url)
    assert account["token"] not in (directory / "log").read_text()


def test_a_port_in_use_is_one_sentence(label_studio: RealServer, tmp_path: Path) -> None:
    port = label_studio.url.rpartition(":")[2]
    done = subprocess.run([*COMMAND, str(tmp_path / "look"), "--port", port], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"label-studio: port {port} of 127.0.0.1 is in use; give another one with --port\n"


def test_a_failed_install_is_one_sentence(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom scripts import label_studio_server as server\n"
        "server.CACHE, server.VERSION = Path(sys.argv[1]), '0.0.0.0'\n"
        "sys.argv = ['label-studio', '--prepare']\nsys.exit(server.main())"
    )
    # No package index is asked: a version that does not exist stands for a network that is not there.
    environment = os.environ | {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 2
    assert re.fullmatch(r"label-studio: Label Studio 0\.0\.0\.0 could not be installed in .+: .+\n", done.stderr)
