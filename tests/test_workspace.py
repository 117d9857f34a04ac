"""A workspace on disk: append-only parts, snapshots, the lock, and what a killed writer leaves."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from workbench.config import config_text
from workbench.errors import BadInput, WorkspaceLocked
from workbench.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws", config_text("ws", "en", 0.2))


def utterances(*ids: str, **tags: Any) -> pd.DataFrame:
    return pd.DataFrame({"utterance_id": ids, "recording": [f"{i}.wav" for i in ids], "source": "m.csv:1", **tags})


def transcript(text: str, revision: int = 1) -> pd.DataFrame:
    row = {"utterance_id": "u1", "annotator": "reference", "revision": revision, "text": text, "source": "import"}
    return pd.DataFrame([{**row, "created_at": pd.Timestamp("2026-01-01", tz="UTC")}])


def files(workspace: Workspace) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in (workspace.root / "tables").rglob("*") if p.is_file()}


def test_a_later_row_supersedes_and_the_earlier_one_stays_on_disk(workspace: Workspace) -> None:
    workspace.append("utterances", utterances("a", "b", age=["6", "7"]))
    before = files(workspace)
    workspace.append("utterances", utterances("a", age=["8"]))
    assert workspace.read("utterances")["age"].tolist() == ["7", "8"]
    assert workspace.read("utterances", history=True)["age"].tolist() == ["6", "7", "8"]
    assert before.items() <= files(workspace).items()


def test_tags_keep_their_type_and_become_text_where_parts_disagree(workspace: Workspace) -> None:
    workspace.append("utterances", utterances("a", "b", age=pd.array([6, None], "Int64"), noisy=[True, None]))
    assert workspace.read("utterances")[["age", "noisy"]].dtypes.astype(str).tolist() == ["Int64", "boolean"]
    workspace.append("utterances", utterances("c", age=["six"], noisy=[False]))
    read = workspace.read("utterances")
    assert read["age"].fillna("-").tolist() == ["6", "-", "six"]
    assert read["noisy"].fillna(False).tolist() == [True, False, False]


def test_hangul_and_awkward_ids_come_back_as_they_were(workspace: Workspace) -> None:
    ids = ["네", "nan", "007", "a b", "../x", "=1+1", ""]
    workspace.append("utterances", utterances(*ids))
    assert workspace.read("utterances")["utterance_id"].tolist() == ids


def test_a_label_cannot_be_overwritten(workspace: Workspace) -> None:
    workspace.append("transcripts", transcript("today's weather"))
    with pytest.raises(BadInput, match="there already and cannot be overwritten"):
        workspace.append("transcripts", transcript("weather"))
    workspace.append("transcripts", transcript("weather", revision=2))
    assert workspace.read("transcripts")["text"].tolist() == ["today's weather", "weather"]


def test_the_newest_snapshot_of_a_scope_is_read_even_if_it_is_empty(workspace: Workspace) -> None:
    fault = pd.DataFrame([{"stage": "import", "item": "line 3", "location": "m.csv:3", "reason": "no audio"}])
    workspace.snapshot("faults", fault, stage="import", subject="m.csv")
    workspace.snapshot("faults", fault.assign(stage="check"), stage="check", subject="")
    assert workspace.read("faults")["stage"].tolist() == ["import", "check"]
    workspace.snapshot("faults", fault.iloc[:0], stage="import", subject="m.csv")
    assert workspace.read("faults")["stage"].tolist() == ["check"]
    assert workspace.read("faults", stage="import").empty
    assert workspace.read("faults", history=True)["stage"].tolist() == ["import", "check"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"utterance_id": ["a"]}), "column 'recording' is missing"),
        (utterances("a", "a"), "utterance_id='a' stands twice"),
        (utterances("a").assign(start="soon"), "column 'start' must be double"),
        (utterances("a").assign(recording=None), "column 'recording' is empty in the row with utterance_id='a'"),
        (utterances("a", **{" age": ["6"]}), "cannot name a tag"),
    ],
)
def test_rows_that_do_not_fit_are_refused(workspace: Workspace, frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        workspace.append("utterances", frame)
    assert files(workspace) == {}


def test_an_unknown_column_is_refused_where_there_are_no_tags(workspace: Workspace) -> None:
    with pytest.raises(BadInput, match="column 'mood' is not one of"):
        workspace.append("transcripts", transcript("x").assign(mood="good"))


def test_what_a_killed_writer_left_is_not_read_and_the_next_write_works(workspace: Workspace) -> None:
    workspace.append("utterances", utterances("a"))
    (workspace.root / "tables" / "utterances" / ".part-00000002-0123456789ab.parquet.writing").write_bytes(b"PAR1 half")
    workspace.append("utterances", utterances("b"))
    assert workspace.read("utterances")["utterance_id"].tolist() == ["a", "b"]


@pytest.mark.parametrize("table", ["utterances", "faults"])
def test_a_damaged_part_is_named(workspace: Workspace, table: str) -> None:
    workspace.append("utterances", utterances("a"))
    workspace.snapshot("faults", pd.DataFrame(), stage="import", subject="m.csv")
    part = next((workspace.root / "tables" / table).iterdir())
    part.write_bytes(part.read_bytes()[:40])
    with pytest.raises(BadInput, match=f"{part.name} is not a whole Parquet part"):
        workspace.read(table)


def _hold(root: Path, ready: multiprocessing.synchronize.Event) -> None:
    with Workspace.open(root).lock():
        ready.set()
        signal.pause()


def test_two_writers_are_kept_apart_and_a_killed_one_lets_go(workspace: Workspace) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(workspace.root, ready))
    holder.start()
    assert ready.wait(30)
    with pytest.raises(WorkspaceLocked, match=f"process {holder.pid} is writing"):
        workspace.append("utterances", utterances("a"))
    os.kill(holder.pid or 0, signal.SIGKILL)
    holder.join()
    workspace.append("utterances", utterances("a"))
    assert len(workspace.read("utterances")) == 1


def test_a_workspace_is_found_from_below_and_not_made_twice(workspace: Workspace, tmp_path: Path) -> None:
    below = workspace.root / "audio" / "deep"
    below.mkdir(parents=True)
    assert Workspace.open(below).root == workspace.root
    with pytest.raises(BadInput, match="is a workspace already"):
        Workspace.create(workspace.root, config_text("again", "en", 0.2))
    with pytest.raises(BadInput, match="workbench init"):
        Workspace.open(tmp_path)


def test_recordings_inside_the_workspace_are_stored_relative_to_it(workspace: Workspace) -> None:
    assert workspace.to_stored(workspace.root / "corpus" / "a.wav") == "corpus/a.wav"
    assert workspace.to_path("corpus/a.wav") == workspace.root / "corpus" / "a.wav"
    assert workspace.to_stored("/data/a.wav") == "/data/a.wav"
