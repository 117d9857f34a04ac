"""A real Label Studio of this checkout's own: installed once, started on 127.0.0.1 with a SQLite database.

    scripts/label-studio [DIR] [--port N]    start one to look around; the same DIR goes on with its data
    scripts/label-studio --prepare           only install it, as the tests do

What is installed lies in an environment of its own under `.cache/label-studio`, beside an empty database that each
server begins with a copy of. Tests start theirs through `tests/label_studio_server.py`. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

VERSION = "1.23.2"
CACHE = Path(__file__).resolve().parents[1] / ".cache" / "label-studio"
EMAIL = "admin@example.com"
_READY_SECONDS = 300
_LONGEST_REASON = 300  # characters of what an installer says

# Nothing of this tells anybody anything, or asks for anything outside.
_QUIET = {"LATEST_VERSION_CHECK": "false", "COLLECT_ANALYTICS": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
# The server ends with its starter, however that one ends: its standard input is a pipe that nothing is written to.
_LAUNCH = """
import os, sys, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()
from label_studio.server import main
sys.exit(main())
"""


class NotStarted(Exception):
    """One sentence that says why there is no server."""


class NotInstalled(NotStarted):
    """Label Studio cannot be had on this machine, for want of a network mostly."""


class Process:
    """A Label Studio server and its data directory.

    Attributes:
        directory: holds `data` (database and uploads), `files` (the document root of local files) and `log`.
        url: without a slash at its end.
    """

    def __init__(self, directory: Path, port: int, email: str, password: str, token: str) -> None:
        self.directory = directory.resolve()
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.document_root = self.directory / "files"
        self.log = self.directory / "log"
        self._account = {"USERNAME": email, "PASSWORD": password, "USER_TOKEN": token}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the server that runs now."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the server, on the data that is there or a copy of the empty database, and wait until it answers.

        Raises:
            NotStarted: it ended, or does not answer; or somebody else has the port.
        """
        python = prepare()
        if not port_is_free(self.port):
            raise NotStarted(f"port {self.port} of 127.0.0.1 is in use; give another one with --port")
        self.document_root.mkdir(parents=True, exist_ok=True)
        data = self.directory / "data"
        if not data.exists():
            shutil.copytree(CACHE / "template", data)
        # The database holds the tokens.
        data.chmod(0o700)
        environment = _environment(data) | {
            "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(self.document_root),
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            # It may call services of this machine (webhooks, an ML backend), but no cloud's metadata.
            "USE_DEFAULT_BANNED_SUBNETS": "false",
            "USER_ADDITIONAL_BANNED_SUBNETS": "169.254.0.0/16",
        }
        # Not on the command line, which every user of the machine can read.
        environment |= {f"LABEL_STUDIO_{name}": value for name, value in self._account.items()}
        command = [python, "-c", _LAUNCH, "start", "--no-browser", "--enable-legacy-api-token"]
        command += ["--internal-host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=self.directory,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise NotStarted(f"Label Studio ended while it started; the end of {self.log} says: {_end(self.log)}")
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5) as reply:
                if reply.status == 200:
                    return
            time.sleep(0.1)
        self.kill()
        raise NotStarted(f"Label Studio did not answer within {_READY_SECONDS} s; see {self.log}")

    def stop(self) -> None:
        """End the server in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def wait(self) -> int:
        """The exit status of the server, once it has ended."""
        return self._process.wait() if self._process else 0

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def _end(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "nothing"


def _environment(data: Path) -> dict[str, str]:
    """What the server sees of this process's environment: settings meant for other programs are not for it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | _QUIET | {"LABEL_STUDIO_BASE_DATA_DIR": str(data)}


def port_is_free(port: int) -> bool:
    """Whether a server can listen on this port of 127.0.0.1."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


@contextlib.contextmanager
def _locked(file: Path, wait: bool = True) -> Iterator[IO[str]]:
    """Hold a file's lock, which ends with this process.

    Raises:
        BlockingIOError: another process holds it, and this one is not to wait.
    """
    with file.open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield held


def prepare(say: bool = False) -> str:
    """The Python of an environment with Label Studio, made at the first call together with an empty database.

    Raises:
        NotInstalled: it could not be.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    python = CACHE / "venv" / "bin" / "python"
    stamp, template = CACHE / "installed", CACHE / "template"
    with _locked(CACHE / "lock"):
        if not (python.exists() and stamp.exists() and stamp.read_text() == VERSION):
            if say:
                print(f"label-studio: installing Label Studio {VERSION} (about 800 MB) in {CACHE}", flush=True)
            stamp.unlink(missing_ok=True)
            shutil.rmtree(template, ignore_errors=True)
            _install(python)
            stamp.write_text(VERSION)
        if not template.exists():
            if say:
                print("label-studio: making its empty database", flush=True)
            _make_template(python, template)
    return str(python)


def _install(python: Path) -> None:
    environment = python.parents[1]
    if _answers(["uv", "--version"]):
        steps = [
            ["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(environment)],
            ["uv", "pip", "install", "--quiet", "--python", str(python), f"label-studio=={VERSION}"],
        ]
    else:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        steps = [[sys.executable, "-m", "venv", "--clear", str(environment)], [*pip, f"label-studio=={VERSION}"]]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            said = " ".join(line.strip(" ×╰─▶\t") for line in done.stderr.splitlines())
            # Warnings about every try may stand before what finally went wrong.
            reason = said[max(0, said.lower().find("error:")) :][:_LONGEST_REASON] or f"exit status {done.returncode}"
            raise NotInstalled(f"Label Studio {VERSION} could not be installed in {environment}: {reason}")


def _answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make_template(python: Path, template: Path) -> None:
    """Make the tables of a database with nobody in it; most of the time that a first start takes goes there."""
    made = template.with_name("template-in-the-making")
    shutil.rmtree(made, ignore_errors=True)
    command = [str(python), "-m", "label_studio.server", "version"]
    done = subprocess.run(command, env=_environment(made), capture_output=True, text=True, check=False)
    if done.returncode or not (made / "label_studio.sqlite3").exists():
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise NotInstalled(f"Label Studio could not make its database: {said[-1] if said else 'it said nothing'}")
    # The key that signs sessions and tokens is made anew for each server.
    (made / ".env").unlink(missing_ok=True)
    made.rename(template)


def _account(directory: Path) -> tuple[dict[str, str], bool]:
    """User, password and token of the server in a directory, and whether they were made just now."""
    file = directory / "account.json"
    if file.exists():
        return json.loads(file.read_text()), False
    account = {"email": EMAIL, "password": secrets.token_urlsafe(12), "token": secrets.token_hex(20)}
    _write_private(file, json.dumps(account, indent=1) + "\n")
    return account, True


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)


def _serve(directory: Path, port: int | None) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(directory / "lock", wait=False):
            prepare(say=True)
            account, is_new = _account(directory)
            port = port or (8080 if port_is_free(8080) else free_port())
            server = Process(directory, port, **account)
            print("label-studio: starting (about 10 s)", flush=True)
            try:
                server.start()
                credentials = directory / "credentials.toml"
                _write_private(credentials, f'url = "{server.url}"\ntoken = "{account["token"]}"\n')
                print(f"url:       {server.url}")
                print(f"user:      {account['email']}")
                shown = account["password"] if is_new else f"in {directory / 'account.json'}"
                print(f"password:  {shown}")
                print(f"token:     in {credentials}, for `workbench sync connect --credentials {credentials}`")
                print(f"files:     {server.document_root} is served as local files")
                print(f"log:       {server.log}")
                print("Ctrl-C stops it; the same command goes on with its data.", flush=True)
                status = server.wait()
                raise NotStarted(f"Label Studio ended by itself with exit status {status}; see {server.log}")
            finally:
                server.stop()
    except BlockingIOError as problem:
        raise NotStarted(f"a server runs on {directory} already; stop it, or give another directory") from problem


def _port(text: str) -> int:
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 1024 to 65535")
    return int(text)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, default=CACHE / "server", metavar="DIR")
    parser.add_argument("--port", type=_port, help="of 127.0.0.1; else 8080, or a free one where that is in use")
    parser.add_argument("--prepare", action="store_true", help="install, and start nothing")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        if arguments.prepare:
            prepare(say=True)
            return 0
        _serve(arguments.directory.resolve(), arguments.port)
    except KeyboardInterrupt:
        print("label-studio: stopped")
        return 0
    except (NotStarted, OSError) as problem:
        print(f"label-studio: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
