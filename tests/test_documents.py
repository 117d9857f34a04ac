"""The examples in the documentation run, and print what they are said to print.

A fenced block whose first word after `console` is nothing is a shell session: lines after `$ ` run one after the other
in one empty directory for the whole page, and what follows is all that they print. `workbench` runs in this process.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli.app import app

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sessions(page: Path) -> list[tuple[str, str]]:
    """Each command of the page with what it should print."""
    found = []
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.split("\n")
            # A command goes on where a line ends in a backslash or a here-document is open.
            count = next(n for n in range(1, len(lines) + 1) if _is_whole(lines[:n]))
            found.append(("\n".join(lines[:count]), "\n".join(lines[count:]).strip("\n")))
    return found


def _is_whole(lines: list[str]) -> bool:
    if lines[-1].endswith("\\"):
        return False
    mark = re.search(r"<<'?(\w+)'?", lines[0])
    return mark is None or (len(lines) > 1 and lines[-1] == mark.group(1))


def run(command: str, directory: Path) -> str:
    if command.startswith("workbench "):
        result = CliRunner().invoke(app, shlex.split(command.replace("\\\n", " "))[1:])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output
    done = subprocess.run(["bash", "-ec", command], cwd=directory, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", ["scoring.md"])
def test_examples_print_what_they_say(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = sessions(DOCS / page)
    assert len(commands) > 10
    for command, expected in commands:
        printed = "\n".join(line.rstrip() for line in run(command, tmp_path).strip("\n").split("\n"))
        assert printed == expected, f"$ {command}"
