"""The stages on a real workspace: real audio, the embedded recogniser, killed jobs, edited labels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.tiny_ctc import spoken_digit_strings, trained_tiny_ctc
from workbench.config import config_text
from workbench.demo.corpus import CORPUS
from workbench.errors import BadInput
from workbench.stages.import_hypotheses import import_hypotheses
from workbench.stages.import_manifest import import_manifest
from workbench.stages.normalize import normalize
from workbench.stages.report import report
from workbench.stages.score import choose_run, score_runs
from workbench.stages.stage import Outcome
from workbench.stages.transcribe import transcribe
from workbench.stages.whole import run_stages
from workbench.transcripts import edit
from workbench.workspace import Workspace


def workspace_in(directory: Path) -> Workspace:
    return Workspace.create(directory, config_text("test", "en", 0.2))


def manifest(directory: Path, clips: int) -> Path:
    """The first clips of the demo corpus, with all their transcripts, and one file that is no audio."""
    rows = pd.read_csv(CORPUS / "manifest.csv", dtype=str, keep_default_na=False)
    rows = rows[rows["utterance_id"].isin(rows["utterance_id"].unique()[:clips])].copy()
    rows["audio"] = [str(CORPUS / path) for path in rows["audio"]]
    broken = directory / "broken.wav"
    broken.write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing")
    bad = {**rows.iloc[0].to_dict(), "utterance_id": "broken", "audio": str(broken)}
    path = directory / "manifest.csv"
    pd.concat([rows, pd.DataFrame([bad])]).to_csv(path, index=False)
    return path


def current(workspace: Workspace, utterance_id: str) -> list[tuple[int, str, str]]:
    rows = workspace.read("transcripts", history=True)
    rows = rows[rows["utterance_id"] == utterance_id]
    return list(rows[["revision", "text", "source"]].itertuples(index=False, name=None))


@pytest.fixture
def one_clip(tmp_path: Path) -> Path:
    audio = next((CORPUS / "audio").glob("*.flac"))
    path = tmp_path / "one.csv"
    path.write_text(f"utterance_id,audio,text,age\nu1,{audio},play jazz,6\n", encoding="utf-8")
    return path


def test_importing_again_changes_nothing(tmp_path: Path, one_clip: Path) -> None:
    workspace = workspace_in(tmp_path / "ws")
    assert import_manifest(workspace, one_clip).counts["new"] == 1
    parts = {p for p in (workspace.root / "tables").rglob("*.parquet") if "faults" not in str(p)}
    again = import_manifest(workspace, one_clip)
    assert (again.counts["new"], again.counts["changed"], again.counts["new transcripts"]) == (0, 0, 0)
    assert {p for p in (workspace.root / "tables").rglob("*.parquet") if "faults" not in str(p)} == parts


def test_a_run_that_was_never_finished_is_chosen_only_where_no_other_is(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)

    def write(run_id: str, day: int, finished: bool) -> str:
        row = {"run_id": run_id, "backend": "b", "model": run_id, "parameters": "{}", "utterances": 1}
        row |= {"started_at": pd.Timestamp(2026, 1, day, tz="UTC"), "finished": finished}
        workspace.append("runs", pd.DataFrame([row]))
        return str(choose_run(workspace)["run_id"])

    assert write("first", 1, False) == "first"
    assert write("second", 2, False) == "second"
    assert write("first", 1, True) == "first"
    assert write("third", 3, True) == "third"
    assert write("served", 4, False) == "third"
    assert write("third", 3, False) == "third", "new utterances came, and its transcription was interrupted"
    assert choose_run(workspace, "served")["run_id"] == "served"


def test_a_changed_manifest_adds_revisions_and_tags_and_keeps_what_it_does_not_know(
    tmp_path: Path, one_clip: Path
) -> None:
    workspace = workspace_in(tmp_path / "ws")
    import_manifest(workspace, one_clip)
    one_clip.write_text(
        one_clip.read_text(encoding="utf-8").replace("play jazz,6", "play some jazz,7"), encoding="utf-8"
    )
    import_manifest(workspace, one_clip)
    assert current(workspace, "u1") == [(1, "play jazz", "import"), (2, "play some jazz", "import")]
    assert workspace.read("utterances")["age"].tolist() == ["7"]
    one_clip.write_text(
        "utterance_id,audio,text,mood\nu1,{},play some jazz,good\n".format(
            workspace.read("utterances")["recording"].iloc[0]
        ),
        encoding="utf-8",
    )
    import_manifest(workspace, one_clip)
    assert workspace.read("utterances")[["age", "mood"]].values.tolist() == [["7", "good"]]


def test_a_label_that_was_edited_here_outlives_the_manifest(tmp_path: Path, one_clip: Path) -> None:
    workspace = workspace_in(tmp_path / "ws")
    import_manifest(workspace, one_clip)
    history = workspace.read("transcripts", history=True)
    workspace.append("transcripts", pd.DataFrame([edit(history, "u1", "reference", "play the jazz", "ann_a", "heard")]))
    assert import_manifest(workspace, one_clip).counts["faults"] == 0
    one_clip.write_text(one_clip.read_text(encoding="utf-8").replace("play jazz", "play Jess"), encoding="utf-8")
    outcome = import_manifest(workspace, one_clip)
    assert outcome.faults["item"].tolist() == ["u1"]
    assert "the label was kept" in outcome.faults["reason"].iloc[0]
    assert current(workspace, "u1")[-1] == (2, "play the jazz", "edit")


def test_the_main_job_end_to_end(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path / "ws")
    outcomes: dict[str, Outcome] = {}
    recordings = {p: p.read_bytes() for p in (CORPUS / "audio").iterdir()}
    import_manifest(workspace, manifest(tmp_path, 8))

    def silent(title: str):  # type: ignore[no-untyped-def]
        import contextlib

        return contextlib.nullcontext(lambda done, total: None)

    run_id = run_stages(workspace, 2, silent, lambda outcome: outcomes.update({outcome.stage: outcome}))
    assert list(outcomes) == ["normalize", "duplicates", "transcribe", "score", "check", "suspects", "backlog"]
    assert outcomes["normalize"].faults["item"].tolist() == ["broken"]
    assert outcomes["duplicates"].faults["item"].tolist() == ["broken"]
    assert outcomes["transcribe"].faults["item"].tolist() == ["broken"]
    hypotheses = workspace.read("hypotheses")
    assert len(hypotheses) == 8
    assert hypotheses["words"].map(len).sum() > 8
    scores = workspace.read("scores")
    assert len(scores) == 8
    wer = scores[["substitutions", "deletions", "insertions"]].sum().sum() / scores["ref_words"].sum()
    assert 0 < wer < 0.9
    quality = workspace.read("audio_quality")
    held = quality["gain_limited"] | (quality["output_loudness"] - -23).abs().le(0.1)
    assert held.all()
    assert all(workspace.to_path(path).is_file() for path in quality["output"])

    files = report(workspace, run_id)
    page = files["report.html"].read_text(encoding="utf-8")
    assert "data:audio/flac;base64," in page
    assert {"report.html", "report.md", "report.json"} <= set(files)

    again: dict[str, Outcome] = {}
    run_stages(workspace, 2, silent, lambda outcome: again.update({outcome.stage: outcome}))
    assert again["normalize"].counts["unchanged"] == 8
    assert again["duplicates"].counts["fingerprinted"] == 0
    assert again["transcribe"].counts["unchanged"] == 8
    assert again["score"].counts["scored"] == 0
    assert workspace.read("hypotheses").equals(hypotheses)
    assert recordings == {p: p.read_bytes() for p in (CORPUS / "audio").iterdir()}


_SLOW_PARTS = """
import json, sys, time
from pathlib import Path
import workbench.stages.transcribe as stage
from workbench.workspace import Workspace

root, rows, arguments = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
stage._PART_ROWS = rows
write = Workspace._write

def slowly(self, table, arrow):
    write(self, table, arrow)
    time.sleep(0.3)

Workspace._write = slowly
stage.transcribe(Workspace.open(root), workers=1, **arguments)
"""


def texts(workspace: Workspace) -> pd.Series:
    return workspace.read("hypotheses").set_index("utterance_id").sort_index()["text"]


def kill_after_the_first_part(workspace: Workspace, rows: int, arguments: dict[str, Any]) -> int:
    """Transcribe in a process of its own, kill that in the middle, and return how many utterances it has done."""
    parts = workspace.root / "tables" / "hypotheses"
    command = [sys.executable, "-c", _SLOW_PARTS, str(workspace.root), str(rows), json.dumps(arguments)]
    job = subprocess.Popen(command, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not (parts.is_dir() and list(parts.glob("part-*"))):
            assert job.poll() is None, "the job ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    return len(workspace.read("hypotheses"))


def test_a_killed_transcription_goes_on_and_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    listed = manifest(tmp_path, 8)
    undisturbed, killed = workspace_in(tmp_path / "a"), workspace_in(tmp_path / "b")
    for workspace in (undisturbed, killed):
        import_manifest(workspace, listed)
        normalize(workspace, workers=1)
    transcribe(undisturbed, workers=2)

    done = kill_after_the_first_part(killed, 2, {})
    assert 2 <= done < 8
    assert transcribe(killed, workers=2).counts["unchanged"] == done
    assert len(killed.read("hypotheses", history=True)) == 8
    assert texts(undisturbed).equals(texts(killed))
    assert texts(killed).str.len().gt(0).any()


def test_a_killed_transcription_by_a_batching_model_ends_as_an_undisturbed_one(
    tmp_path: Path, shared_data: Path
) -> None:
    model = trained_tiny_ctc(shared_data)
    rows = [f"{c.utterance_id},{c.path},{text}" for c, text in spoken_digit_strings(shared_data, tmp_path, 200)]
    listed = tmp_path / "strings.csv"
    listed.write_text("\n".join(["utterance_id,audio,text", *rows]) + "\n", encoding="utf-8")
    undisturbed, killed = workspace_in(tmp_path / "a"), workspace_in(tmp_path / "b")
    for workspace in (undisturbed, killed):
        import_manifest(workspace, listed)
    arguments = {"backend_name": "transformers", "model": str(model)}
    transcribe(undisturbed, **arguments)

    done = kill_after_the_first_part(killed, 20, arguments)
    assert 20 <= done < 200
    assert transcribe(killed, **arguments).counts["unchanged"] == done
    assert len(killed.read("hypotheses", history=True)) == 200
    assert texts(undisturbed).equals(texts(killed))
    table = score_runs(killed).table
    assert table["wer"].iloc[0] < 0.5


def test_imported_hypotheses_are_a_run_and_unknown_ids_are_faults(tmp_path: Path, one_clip: Path) -> None:
    workspace = workspace_in(tmp_path / "ws")
    import_manifest(workspace, one_clip)
    other = tmp_path / "cloud.csv"
    other.write_text("utterance_id,text\nu1,play jazz please\nu2,what\n", encoding="utf-8")
    outcome = import_hypotheses(workspace, other, "cloud", "cloud")
    assert outcome.faults["item"].tolist() == ["u2"]
    table = score_runs(workspace).table
    assert table[["run_id", "insertions", "wer"]].values.tolist() == [["cloud", 1, 0.5]]


def test_stages_say_what_has_to_come_before_them(tmp_path: Path, one_clip: Path) -> None:
    workspace = workspace_in(tmp_path / "ws")
    with pytest.raises(BadInput, match="workbench import"):
        normalize(workspace)
    import_manifest(workspace, one_clip)
    with pytest.raises(BadInput, match="workbench transcribe"):
        score_runs(workspace)
