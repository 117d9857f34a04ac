"""`docs/label-studio.md`, from `pip install` to a labelled round: every command runs as written, on a real server.

It goes as in `tests/test_documents.py`, with what a page on a server needs:

- The ports 8080, 9090 and 9191 are free ones of four digits.
- `pip install` runs in the page's own environment, and finds there what `scripts/label_studio_server.py` has installed,
  so that nothing is fetched; a page that asks for another version fails. The server begins with a copy of an empty
  database, which takes half a minute less than making one.
- `workbench sync connect --save` runs in a terminal, and is answered as a person answers: the URL of the page, and the
  token of the server's settings.
- Batches, conflicts, dates and times come out otherwise every time. Where the page has one, something of the same form
  must be printed, the same for the same; a later command gets what was printed.

`python -m tests.test_label_studio_document` writes what the examples print now into the page: read the difference.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.label_studio_server import CACHE, NotInstalled, prepare
from tests.label_studio_server import lacking
from tests.test_documents import ROOT, WIDTH, Command, Shell, commands, with_what_it_prints

PAGE = ROOT / "docs" / "label-studio.md"
_PORTS = ("8080", "9090", "9191")
_WORDS = re.compile(r"[A-Za-z0-9]+(?:[:-][A-Za-z0-9]+)*|[^A-Za-z0-9]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d(:\d\d)?")
_NAME = re.compile(r"(?=[a-z]*\d)[a-z0-9]{8}")
_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
_SLOWEST = 300.0  # seconds that a busy machine may take to start a server


class Names:
    """What the page calls things that have another name every time."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}

    def now(self, text: str) -> str:
        """The text with the names of today."""
        return "".join(self._now.get(word, word) for word in _WORDS.findall(text))

    def of_the_page(self, text: str) -> str:
        """The text of today with the names of the page."""
        names = {now: name for name, now in self._now.items()}
        return "".join(names.get(word, word) for word in _WORDS.findall(text))

    def fits(self, page: str, printed: str) -> bool:
        """Whether this was printed where the page has that; names that are new to the page are learnt."""
        words, found = _WORDS.findall(page), _WORDS.findall(printed)
        return len(words) == len(found) and all(map(self._is, words, found))

    def _is(self, word: str, found: str) -> bool:
        if _TIME.fullmatch(word):
            return re.sub(r"\d", "0", word) == re.sub(r"\d", "0", found)
        if _NAME.fullmatch(word) and re.fullmatch("[a-z0-9]{8}", found):
            return self._now.setdefault(word, found) == found
        return word == found


class ServerShell(Shell):
    """Runs the commands of the page; a context manager that ends what they start."""

    def __init__(self) -> None:
        super().__init__(_SLOWEST)
        free = _free_ports(len(_PORTS))
        self._here, self._there = dict(zip(_PORTS, free, strict=True)), dict(zip(free, _PORTS, strict=True))
        self.names = Names()

    def __enter__(self) -> ServerShell:
        return self

    def __exit__(self, *_: object) -> None:
        for file in Path().glob("**/*.pid"):
            number = file.read_text(encoding="utf-8").strip()
            ps = subprocess.run(["ps", "-o", "command=", "-p", number], capture_output=True, text=True, check=False)
            # The number of a process that has ended may be another's by now.
            if any(program in ps.stdout for program in ("label-studio", "workbench sync")):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(number), signal.SIGKILL)

    def run(self, command: str) -> str:
        command = self.names.now(_replaced(command, self._here))
        if "pip install" in command:
            _provide()
        if "label-studio start" in command:
            shutil.copytree(CACHE / "template", "server/data")
        is_asked = command.startswith("workbench sync connect --save")
        printed = self._answered(command) if is_asked else super().run(command)
        return _replaced(printed, self._there)

    def shown(self, command: Command) -> str:
        printed = self.run(command.text)
        # A page whose names still fit need not change with every run.
        return command.printed if self.names.fits(command.printed, printed) else self.names.of_the_page(printed)

    def _answered(self, command: str) -> str:
        settings = Path("server/settings").read_text(encoding="utf-8")
        token = re.search(r"USER_TOKEN=(\w+)", settings)
        assert token is not None, settings
        answers = [f"http://127.0.0.1:{self._here['8080']}", token[1]]
        with subprocess.Popen(
            [sys.executable, "-c", _TERMINAL, *shlex.split(command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"TERM": "dumb"},
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            printed, part = b"", b""
            until = time.monotonic() + _SLOWEST
            while time.monotonic() < until and (part := os.read(process.stdout.fileno(), 10_000)):
                printed += part
                if answers and printed.endswith(b": "):
                    process.stdin.write(f"{answers.pop(0)}\n".encode())
                    process.stdin.flush()
        self.code = process.returncode
        text = printed.decode().replace("\r\n", "\n").replace(f"{os.getcwd()}/", "")
        assert token[1] not in text
        return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def _replaced(text: str, ports: dict[str, str]) -> str:
    return re.sub(r"\b\d{4}\b", lambda found: ports.get(found[0], found[0]), text)


def _free_ports(number: int) -> list[str]:
    """Ports of four digits that nobody listens on: as wide in a table as those of the page."""
    free: list[str] = []
    for port in range(8100 + os.getpid() % 800, 9900):
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            free.append(str(port))
        if len(free) == number:
            return free
    raise AssertionError("no port from 8100 to 9899 is free")


def _provide() -> None:
    """Let the page's new environment find what is installed already."""
    python = Path(prepare())
    (made,) = Path("label-studio/lib").glob("python*/site-packages")
    (installed,) = (python.parents[1] / "lib").glob("python*/site-packages")
    (made / "prepared.pth").write_text(f"{installed}\n", encoding="utf-8")
    program = Path("label-studio/bin/label-studio")
    start = f"#!{program.parent.absolute() / 'python'}\nimport sys\n"
    program.write_text(f"{start}from label_studio.server import main\nsys.exit(main())\n", encoding="utf-8")
    program.chmod(0o755)


@contextlib.contextmanager
def shell_in(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerShell]:
    """A shell in an empty directory that is the home directory too, with this Python before others."""
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("LABEL_STUDIO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("USER", "lead")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(directory)
    with ServerShell() as shell:
        yield shell


def test_the_page_goes_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if lacking():
        pytest.skip(lacking())
    if shutil.which("workbench", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("the page needs the program workbench beside this Python")
    with shell_in(tmp_path, monkeypatch) as shell:
        for command in commands(PAGE.read_text(encoding="utf-8")):
            printed = shell.run(command.text)
            place = f"docs/label-studio.md:{command.line}: $ {command.text}"
            if not shell.names.fits(command.printed, printed):
                assert printed == command.printed, place
                raise AssertionError(f"a name is another than before: {place}")


def test_names_of_today_stand_for_those_of_the_page() -> None:
    names = Names()
    assert names.fits(
        "batch 1f2e3d4c, 10:03 on 2026-01-05: 2 requests", "batch 0a0b0c0d, 23:59 on 2027-12-31: 2 requests"
    )
    assert names.now("workbench sync fixes undo 1f2e3d4c") == "workbench sync fixes undo 0a0b0c0d"
    assert names.of_the_page("0a0b0c0d is gone") == "1f2e3d4c is gone"
    assert names.fits("1f2e3d4c", "0a0b0c0d")
    assert not names.fits("1f2e3d4c", "99999999")
    assert not names.fits("2 requests", "3 requests")
    assert not names.fits("requests", "abcdefgh")
    assert not names.fits("10:03", "1003")


def write_page() -> None:
    """Write the page with what its examples print here and now."""
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        text = PAGE.read_text(encoding="utf-8")
        with shell_in(Path(directory), patch) as shell:
            PAGE.write_text(with_what_it_prints(text, shell), encoding="utf-8")


if __name__ == "__main__":
    try:
        write_page()
    except NotInstalled as problem:
        sys.exit(str(problem))
