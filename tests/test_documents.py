"""The examples in the documentation run, and print what they are said to print.

A fenced block of `console` is a shell session: what follows `$ ` is a command, which goes on where a line ends in a
backslash or a here-document is open, and the lines after it are all that it prints. The commands of a page run one
after the other in one empty directory. `workbench`, and `python` with a here-document, run in this process, which takes
seconds less; a pipe behind `workbench` runs in the shell, as all else does, and so does `workbench` in the background;
`echo $?` is the last exit code. NIST's program `sctk` may be absent.

`python -m tests.test_documents` writes what the examples print now into the pages, and the list of rules: read the
difference. The page on Label Studio has a test of its own, `tests/test_label_studio_document.py`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from label_rules.builtin import BUILTIN_RULES
from workbench.cli import CRASHED, main

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"python - <<'END'\n(.*\n)END", re.DOTALL)
WIDTH = 100
_OWN_TEST = "label-studio.md"
_RULES = re.compile(r"(?<=^<!-- rules -->\n).*?(?=^<!-- end of rules -->$)", re.MULTILINE | re.DOTALL)


class Command(NamedTuple):
    """A command of a page, its line there, and what it should print."""

    text: str
    line: int
    printed: str


def commands(page: str) -> Iterator[Command]:
    """The commands in the text of a page.

    >>> list(commands("```console\\n$ echo a \\\\\\n    b\\na b\\n```\\n"))
    [Command(text='echo a \\\\\\n    b', line=2, printed='a b')]
    """
    for block in _BLOCK.finditer(page):
        lines = block[1].split("\n")
        first = page.count("\n", 0, block.start()) + 2
        starts = [place for place, line in enumerate(lines) if line.startswith("$ ")]
        assert starts[:1] == [0], f"the block in line {first} does not begin with a command"
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            part = [lines[start].removeprefix("$ "), *lines[start + 1 : end]]
            size = next(size for size in range(1, len(part) + 1) if _is_whole(part[:size]))
            yield Command("\n".join(part[:size]), first + start, "\n".join(part[size:]).strip("\n"))


def _is_whole(lines: list[str]) -> bool:
    if lines[-1].endswith("\\"):
        return False
    mark = re.search(r"<<'?(\w+)'?", lines[0])
    return mark is None or (len(lines) > 1 and lines[-1] == mark[1])


class Shell:
    """Runs commands in the current directory, and remembers the exit code of the last.

    Args:
        seconds: that a program may take which runs outside of this process.
    """

    def __init__(self, seconds: float = 60) -> None:
        self.code, self._seconds = 0, seconds

    def run(self, command: str) -> str:
        """What the command prints, on either stream, without blanks at the ends of lines and the directory's path."""
        if command.startswith("workbench ") and "&" not in command:
            own, _, pipe = command.replace("\\\n", " ").partition(" | ")
            printed = self._workbench(shlex.split(own)[1:], pipe)
        elif program := _PYTHON.fullmatch(command):
            printed = self._python(program[1])
        elif command == "echo $?":
            printed = str(self.code)
        else:
            printed = self._bash(command)
        printed = printed.replace(f"{os.getcwd()}/", "")
        return "\n".join(line.rstrip() for line in printed.split("\n")).strip("\n")

    def shown(self, command: Command) -> str:
        """What the page is to show of a command of its own, which is run."""
        return self.run(command.text)

    def _bash(self, command: str, given: str = "") -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=self._seconds,
        )  # fmt: skip
        self.code = done.returncode
        return done.stdout

    def _python(self, program: str) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(program, "<document>", "exec"), {})
        self.code = 0
        return printed.getvalue()

    def _workbench(self, arguments: list[str], pipe: str) -> str:
        """With a pipe, what stands on standard error and then what the pipe makes of the rest."""
        printed, piped = io.StringIO(), io.StringIO()
        before, sys.argv = sys.argv, ["workbench", *arguments]
        try:
            with contextlib.redirect_stdout(piped if pipe else printed), contextlib.redirect_stderr(printed):
                main()
        except SystemExit as ended:
            self.code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        finally:
            sys.argv = before
        assert self.code != CRASHED, printed.getvalue()
        return printed.getvalue() + (self._bash(pipe, piped.getvalue()) if pipe else "")


def pages() -> list[str]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    with_examples = [page for page in found if _BLOCK.search(page.read_text(encoding="utf-8"))]
    return [str(page.relative_to(ROOT)) for page in with_examples if page.name != _OWN_TEST]


def with_what_it_prints(text: str, shell: Shell | None = None) -> str:
    """The text of a page with what its examples print here and now."""
    shell = shell or Shell()
    lines = text.split("\n")
    for command, printed in [(command, shell.shown(command)) for command in commands(text)][::-1]:
        first = command.line + command.text.count("\n")
        end = next(n for n in range(first, len(lines)) if lines[n].startswith("$ ") or lines[n] == "```")
        lines[first:end] = printed.split("\n") if printed else []
    return "\n".join(lines)


def list_of_rules() -> str:
    """Every built-in rule, family by family, as a table in Markdown."""
    lines = ["| rule | severity | needs | reason |", "|---|---|---|---|"]
    for rule in sorted(BUILTIN_RULES, key=lambda rule: rule.rule_id.split(".")[0] + rule.severity):
        needs = ", ".join(need for need in rule.needs if need != "transcripts") or "–"
        lines.append(f"| `{rule.rule_id}` | {rule.severity} | {needs} | {rule.reason} |")
    return "\n" + "\n".join(lines) + "\n\n"


def write_pages(only: list[str]) -> None:
    """Write the pages, or those that are named."""
    os.environ["COLUMNS"] = str(WIDTH)
    for page in only or pages():
        with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
            text = with_what_it_prints((ROOT / page).read_text(encoding="utf-8"))
        text = _RULES.sub(lambda _: list_of_rules(), text)
        (ROOT / page).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("page", pages())
def test_examples_print_what_they_say(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    shell, absent = Shell(), 0
    for command in commands((ROOT / page).read_text(encoding="utf-8")):
        if command.text.startswith("sctk ") and shutil.which("sctk") is None:
            absent += 1
            continue
        assert shell.run(command.text) == command.printed, f"{page}:{command.line}: $ {command.text}"
    if absent:
        pytest.skip(f"sctk is not installed; examples left out: {absent}; all others print what they say")


def test_every_option_of_scoring_has_an_example() -> None:
    examples = list(commands((ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")))
    scored = " ".join(command.text for command in examples if command.text.startswith("workbench "))
    asked = ("normalizer", "alignment", "alternatives", "fillers", "notation", "partial", "by", "show", "format")
    assert [option for option in asked if f"--{option} " not in scored] == []
    assert all(command.printed for command in examples if command.text.startswith(("workbench ", "sctk ")))


def test_every_rule_is_listed_with_its_reason_severity_and_needs() -> None:
    page = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
    assert _RULES.findall(page) == [list_of_rules()], "python -m tests.test_documents writes the list"


def test_what_an_example_prints_is_written_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = "a\n```console\n$ cat > x <<'END'\nnew\nEND\n$ cat x\nold\n```\nb\n```console\n$ true\nold\n```\n"
    made = "a\n```console\n$ cat > x <<'END'\nnew\nEND\n$ cat x\nnew\n```\nb\n```console\n$ true\n```\n"
    assert with_what_it_prints(page) == made


if __name__ == "__main__":
    write_pages(sys.argv[1:])
