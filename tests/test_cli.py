"""The command line: help with an example for every command, exit codes, and errors in one sentence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from workbench.cli import main
from workbench.cli.app import app


def commands() -> dict[str, click.Command]:
    found = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for inner, leaf in getattr(command, "commands", {"": command}).items():
            found[f"{name} {inner}".strip()] = leaf
    return found


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str | Path
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["workbench", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    code = ended.value.code
    return code if isinstance(code, int) else 0 if code is None else 1, captured.out, captured.err


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_with_an_example(name: str) -> None:
    text = commands()[name].help or ""
    assert re.search(rf"Example: workbench {name}(\s|$)", text)


@pytest.mark.parametrize("name", commands())
def test_every_command_is_in_the_readme(name: str) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert f"workbench {name}" in readme


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "make a workspace with `workbench init`"),
        (["normalize", "in"], "workbench normalize in OUT_DIR"),
        (["score", "ref.csv"], "give two files, as workbench score REF HYP"),
        (["score", "ref.csv", "hyp.csv"], "ref.csv"),
        (["check", "nothing.csv"], "nothing.csv"),
        (["show", "flagz"], "no table 'flagz'; the tables are utterances"),
        (["transcribe", "--param", "lw"], "workbench init"),
        (["import", "nothing.csv"], "workbench init"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, which is always full")
def test_a_full_disk_is_said_with_what_helps() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "workbench", "rules"], stdout=full, stderr=subprocess.PIPE, encoding="utf-8"
        )
    assert done.returncode == 2
    assert done.stderr == "workbench: a file: No space left on device; make room and run the command again\n"


def score_files(directory: Path) -> tuple[Path, Path]:
    reference, hypothesis = directory / "ref.csv", directory / "hyp.csv"
    reference.write_text('utterance_id,text\n1,"Today\'s weather"\n2,네\n3,\n', encoding="utf-8")
    hypothesis.write_text("utterance_id,text\n2,네\n1,todays weather please\n3,uh\n", encoding="utf-8")
    return reference, hypothesis


def test_score_of_two_files_by_utterance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, hypothesis = score_files(tmp_path)
    code, out, _ = run(capsys, monkeypatch, "score", reference, hypothesis, "--by", "utterance", "--format", "json")
    assert code == 0
    names = ("utterance_id", "ref_words", "hits", "substitutions", "deletions", "insertions", "wer")
    assert json.loads(out) == [
        dict(zip(names, ("1", 2, 1, 1, 0, 1, 1.0), strict=True)),
        dict(zip(names, ("2", 1, 1, 0, 0, 0, 0.0), strict=True)),
        dict(zip(names, ("3", 0, 0, 0, 0, 1, None), strict=True)),
    ]


def test_score_of_two_files_overall(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capsys, monkeypatch, "score", *score_files(tmp_path), "--format", "json")
    overall = json.loads(out)["overall"]
    assert (code, overall["ref_words"], overall["wer"], overall["scoring"]) == (0, 3, 1.0, "basic-1/unit")


def test_score_refuses_files_that_differ_in_ids_and_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, hypothesis = score_files(tmp_path)
    hypothesis.write_text("utterance_id,text\n1,weather\n4,four\n", encoding="utf-8")
    code, _, err = run(capsys, monkeypatch, "score", reference, hypothesis)
    assert code == 2
    assert "2 references have no hypothesis" in err
    assert "('2', '3')" in err
    assert "1 hypothesis of " in err
    code, out, _ = run(capsys, monkeypatch, "score", reference, hypothesis, "--partial", "--format", "json")
    assert (code, json.loads(out)["overall"]["utterances"]) == (0, 1)


def test_check_of_a_file_finds_the_weather(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weather.csv"
    rows = ['w,a,"Um, today\'s weather"', "w,b,Um... today's weather", "w,c,Today's weather"]
    path.write_text("utterance_id,annotator,text\n" + "\n".join(rows) + "\n", encoding="utf-8")
    code, out, err = run(capsys, monkeypatch, "check", path, "--format", "json")
    assert code == 0
    assert {"conflict.filler", "conflict.punctuation"} <= {flag["rule_id"] for flag in json.loads(out)}
    assert "groups of conflicting transcripts: 1" in err
