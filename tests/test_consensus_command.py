"""`workbench consensus` and `workbench suspects`, on files and on a workspace."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

from workbench.cli.app import app
from workbench.errors import BadInput
from workbench.workspace import Workspace

FILE = """utterance_id,annotator,text
u1,ann_a,"Um, today's weather"
u1,ann_b,"Um... today's weather"
u1,ann_c,Today's weather
u2,ann_a,turn the light on
u2,ann_b,turn the lid on
u2,ann_c,turn the light on
"""


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    return done.stdout


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def transcripts(tmp_path: Path) -> Path:
    path = tmp_path / "transcripts.csv"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def workspace(tmp_path: Path, transcripts: Path) -> Path:
    for name in ("u1", "u2"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(1600), 16000)
    frame = pd.read_csv(transcripts)
    frame.assign(audio=frame["utterance_id"] + ".wav").to_csv(tmp_path / "manifest.csv", index=False)
    run("init", tmp_path / "work")
    run("import", tmp_path / "manifest.csv", "-w", tmp_path / "work", "--format", "json")
    return tmp_path / "work"


def test_the_consensus_of_a_file(transcripts: Path) -> None:
    found = rows(run("consensus", transcripts, "--format", "csv"))
    assert [(row["utterance_id"], row["text"]) for row in found] == [
        ("u1", "Um, today's weather"),
        ("u2", "turn the light on"),
    ]
    reliability = rows(run("consensus", transcripts, "--annotators", "--format", "csv"))
    assert [row["annotator"] for row in reliability] == ["ann_a", "ann_c", "ann_b"]


def test_the_suspects_of_a_file_are_those_with_other_words(transcripts: Path) -> None:
    found = rows(run("suspects", transcripts, "--format", "csv"))
    assert list(found[0])[:3] == ["utterance_id", "annotator", "score"]
    assert (found[0]["utterance_id"], found[0]["annotator"]) == ("u2", "ann_b")
    assert float(found[0]["score"]) > 2 * float(found[1]["score"])


def test_annotators_need_not_be_known(tmp_path: Path) -> None:
    path = tmp_path / "nobody.csv"
    path.write_text("utterance_id,text\nu,by the sea\nu,by the see\nu,by the sea\n", encoding="utf-8")
    assert [row["text"] for row in rows(run("consensus", path, "--format", "csv"))] == ["by the sea"]
    assert rows(run("suspects", path, "--format", "csv"))[0]["annotator"] == "anonymous 2"


def test_a_row_that_cannot_be_used_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("utterance_id,annotator,text\nu,ann_a,yes\n,ann_b,no\nu,ann_c,yes\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["consensus", str(path), "--format", "csv"])
    assert done.exit_code == 1
    assert [row["transcripts"] for row in rows(done.stdout)] == ["2"]
    assert "bad.csv:3" in done.stderr


def test_one_transcript_with_nothing_beside_it_is_said_to_be_unjudged(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("utterance_id,annotator,text\nu,ann_a,yes\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["suspects", str(path), "--format", "csv"])
    assert done.exit_code == 0
    assert rows(done.stdout)[0]["score"] == ""
    assert "nothing to be judged by" in done.stderr


def test_an_accepted_consensus_is_the_reference_and_can_be_taken_back(workspace: Path) -> None:
    run("consensus", "--accept", "--author", "ann_lead", "--reason", "agreed", "-w", workspace)
    history = Workspace.open(workspace).read("transcripts", history=True)
    made = history[history["annotator"] == "reference"].set_index("utterance_id")
    assert made["text"].to_dict() == {"u1": "Um, today's weather", "u2": "turn the light on"}
    assert set(made["source"]) == {"consensus"}
    assert set(made["author"]) == {"ann_lead"}
    # What has been merged is no evidence for itself, and what is decided stays decided.
    merged = rows(run("consensus", "--format", "csv", "-w", workspace))
    assert [row["transcripts"] for row in merged] == ["3", "3"]
    run("labels", "set", "u1", "Today's weather", "--reason", "no filler", "-w", workspace)
    run("consensus", "--accept", "--author", "ann_lead", "-w", workspace)
    assert rows(run("consensus", "--format", "csv", "-w", workspace))[0]["reference"] == "Today's weather"
    run("labels", "undo", "u2", "-w", workspace)
    assert [row["decided"] for row in rows(run("consensus", "--format", "csv", "-w", workspace))] == ["True", "False"]


def test_the_workspace_keeps_its_suspects(workspace: Path) -> None:
    run("suspects", "-w", workspace)
    kept = Workspace.open(workspace).read("suspects")
    assert len(kept) == 6
    assert kept.iloc[0][["utterance_id", "annotator", "text"]].tolist() == ["u2", "ann_b", "turn the lid on"]


def test_files_are_only_read(transcripts: Path) -> None:
    with pytest.raises(BadInput, match="--accept writes to a workspace"):
        CliRunner().invoke(app, ["consensus", str(transcripts), "--accept"], catch_exceptions=False)
