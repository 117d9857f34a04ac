"""What was computed before a change is not passed off as today's: labels, audio, runs, flags, settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import workbench.asr.backend as backend_module
from workbench.asr.backend import Clip, Failure, Hypothesis
from workbench.config import config_text
from workbench.demo.corpus import CORPUS
from workbench.errors import BadInput
from workbench.stages.backlog import backlog, fixed_scores
from workbench.stages.check import check
from workbench.stages.import_hypotheses import import_hypotheses
from workbench.stages.import_manifest import import_manifest
from workbench.stages.label_scores import _of_todays_audio
from workbench.stages.labels import set_label, undo_label
from workbench.stages.normalize import normalize
from workbench.stages.report import report
from workbench.stages.score import score_runs, scores_of
from workbench.stages.slices import slices
from workbench.stages.transcribe import transcribe
from workbench.transcripts import references
from workbench.workspace import Workspace

AUDIO = sorted((CORPUS / "audio").iterdir())


def workspace_with(directory: Path, rows: list[str], header: str = "utterance_id,audio,annotator,text") -> Workspace:
    """A workspace of one manifest; `{0}`, `{1}`, … in a row stand for recordings."""
    workspace = Workspace.create(directory / "ws", config_text("test", "en", 0.2))
    import_csv(workspace, directory / "manifest.csv", rows, header)
    return workspace


def import_csv(workspace: Workspace, path: Path, rows: list[str], header: str) -> None:
    path.write_text("\n".join([header, *rows]).format(*AUDIO) + "\n", encoding="utf-8")
    import_manifest(workspace, path)


def heard(workspace: Workspace, directory: Path, run: str, **texts: str) -> None:
    path = directory / f"{run}.csv"
    lines = [f"{key},{text}" for key, text in texts.items()]
    path.write_text("\n".join(["utterance_id,text", *lines]) + "\n", encoding="utf-8")
    import_hypotheses(workspace, path, run, "model")


def relabel(workspace: Workspace, utterance_id: str, text: str, annotator: str = "reference") -> None:
    set_label(workspace, utterance_id, annotator, text, "ann_a", "by ear")


@pytest.fixture
def two(tmp_path: Path) -> Workspace:
    workspace = workspace_with(tmp_path, ["u1,{0},,play some jazz,child", "u2,{1},,um play jazz,adult"], TAGGED)
    heard(workspace, tmp_path, "a", u1="play some jazz", u2="play chess")
    score_runs(workspace)
    return workspace


TAGGED = "utterance_id,audio,annotator,text,age"


def test_scores_of_a_changed_label_are_not_used(two: Workspace) -> None:
    relabel(two, "u2", "play chess")
    for stage in (lambda: scores_of(two, "a"), lambda: slices(two), lambda: backlog(two), lambda: report(two)):
        with pytest.raises(BadInput, match=r"1 labels or hypotheses of run a have changed .* run `workbench score`"):
            stage()
    assert score_runs(two).counts["scored"] == 1
    assert slices(two).table["errors"].sum() == 0


def test_a_suggestion_for_a_text_that_has_changed_is_not_believed(tmp_path: Path) -> None:
    rows = ["u1,{0},a,play jazz", "u1,{0},b,play jazz"]
    workspace = workspace_with(tmp_path, [*rows, "u1,{0},reference,um play jazz"])
    heard(workspace, tmp_path, "a", u1="play jazz")
    score_runs(workspace)
    check(workspace)
    assert "conflict.filler" in fixed_scores(workspace, scores_of(workspace, "a"))
    relabel(workspace, "u1", "um play jass")
    score_runs(workspace)
    assert not fixed_scores(workspace, scores_of(workspace, "a"))


def test_each_run_has_its_own_backlog_in_its_report(two: Workspace, tmp_path: Path) -> None:
    heard(two, tmp_path, "b", u1="play chess", u2="um play jazz")
    score_runs(two)
    for run in ("a", "b"):
        document = json.loads(report(two, run)["report.json"].read_text(encoding="utf-8"))
        assert document["runs"][0]["run_id"] == run
        assert {row["run_id"] for row in document["slices"] + document["backlog"]} == {run}


def test_a_run_that_heard_nothing_is_named(two: Workspace, tmp_path: Path) -> None:
    heard(two, tmp_path, "b", u1="play some jazz")
    outcome = score_runs(two)
    assert outcome.faults[["item", "location"]].values.tolist() == [["u2", "b"]]
    assert score_runs(two, "a").faults.empty
    assert two.read("faults")["location"].tolist() == ["b"]


def test_faults_of_one_manifest_outlive_the_import_of_another(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, ["u1,nowhere.wav,,hello"])
    import_csv(workspace, tmp_path / "other.csv", ["u2,{0},,hello"], "utterance_id,audio,annotator,text")
    assert workspace.read("faults")["item"].tolist() == ["u1"]


def test_ages_in_words_are_sliced_although_bins_are_set_for_numbers(two: Workspace) -> None:
    outcome = slices(two)
    assert {"age = child", "age = adult"} <= set(outcome.table["slice"])
    assert any("edges for 'age'" in note for note in outcome.notes)


def test_another_recording_does_not_inherit_the_times_of_the_old_one(tmp_path: Path) -> None:
    header = "utterance_id,audio,text,start,end"
    workspace = workspace_with(tmp_path, ["u1,{0},hello,0.5,1.0"], header)
    import_csv(workspace, tmp_path / "b.csv", ["u1,{1},hello"], "utterance_id,audio,text")
    row = workspace.read("utterances").iloc[0]
    assert row["recording"] == str(AUDIO[1])
    assert row[["start", "end", "duration"]].isna().all()


def test_importing_numbers_again_changes_nothing(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws", config_text("test", "en", 0.2))
    for name, level in (("a", "5"), ("b", "5.5"), ("c", "true"), ("a", "5"), ("b", "5.5"), ("c", "true")):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(f'{{"id": "{name}", "audio_filepath": "{AUDIO[0]}", "text": "x", "level": {level}}}\n')
        outcome = import_manifest(workspace, path)
    assert len(workspace.read("utterances", history=True)) == 3
    assert outcome.counts["unchanged"] == 1


def test_a_decision_between_annotators_is_the_reference_and_can_be_taken_back(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, ["u1,{0},a,um jazz", "u1,{0},b,jazz", "u2,{1},a,hello"])
    assert references(workspace.read("transcripts"))["reference"].tolist() == ["um jazz", "hello"]
    relabel(workspace, "u1", "some jazz")
    assert references(workspace.read("transcripts"))["reference"].tolist() == ["some jazz", "hello"]
    undo_label(workspace, "u1", "reference", "ann_a")
    assert references(workspace.read("transcripts"))["reference"].tolist() == ["um jazz", "hello"]
    relabel(workspace, "u1", "some jazz")
    assert references(workspace.read("transcripts"))["reference"].tolist() == ["some jazz", "hello"]


@pytest.mark.parametrize("name", ["../escape", "/tmp/x", "", ".", "a/b", "a b", "\x1b[0m"])
def test_a_run_cannot_be_named_so_that_it_leads_elsewhere(two: Workspace, tmp_path: Path, name: str) -> None:
    (tmp_path / "x.csv").write_text("utterance_id,text\nu1,hello\n", encoding="utf-8")
    with pytest.raises(BadInput, match="cannot name a run"):
        import_hypotheses(two, tmp_path / "x.csv", name, "m")


class Counting:
    """A recogniser that hears a clip's path, takes a set time for it, and can be stopped after some clips."""

    name, model, revision, device = "counting", "m", None, "cpu"

    def __init__(self, most: int | None = None) -> None:
        self.parameters: dict[str, object] = {}
        self.library_versions: dict[str, str] = {}
        self.most = most

    def transcribe(self, clips: list[Clip]) -> Iterator[Hypothesis | Failure]:
        for i, clip in enumerate(clips):
            if self.most is not None and i >= self.most:
                raise RuntimeError("stopped")
            yield Hypothesis(clip.utterance_id, clip.path.name, 0.5, None, 2.0, 0.1)


def use(monkeypatch: pytest.MonkeyPatch, recogniser: Counting) -> None:
    monkeypatch.setattr(backend_module, "load_backend", lambda *_: recogniser)


def test_a_run_counts_the_time_of_sessions_that_were_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = workspace_with(tmp_path, [f"u{i},{{{i}}},,x" for i in range(4)])
    use(monkeypatch, Counting(most=3))
    with pytest.raises(RuntimeError, match="stopped"):
        transcribe(workspace)
    stopped = workspace.read("runs").iloc[0]
    assert (stopped["utterances"], stopped["audio_seconds"], stopped["finished"]) == (3, 6.0, False)
    assert stopped["wall_seconds"] > 0
    use(monkeypatch, Counting())
    transcribe(workspace)
    ended = workspace.read("runs").iloc[0]
    assert (ended["utterances"], ended["audio_seconds"], ended["finished"]) == (4, 8.0, True)
    assert ended["wall_seconds"] > stopped["wall_seconds"]
    assert ended["real_time_factor"] == ended["wall_seconds"] / 8.0


def test_changed_audio_is_heard_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = tmp_path / "clip.flac"
    recording.write_bytes(AUDIO[0].read_bytes())
    workspace = workspace_with(tmp_path, [f"u1,{recording},,x"])
    use(monkeypatch, Counting())
    assert transcribe(workspace).counts["transcribed"] == 1
    assert transcribe(workspace).counts["unchanged"] == 1
    recording.write_bytes(AUDIO[1].read_bytes())
    assert transcribe(workspace).counts["transcribed"] == 1
    normalize(workspace)
    transcribe(workspace)
    assert workspace.read("hypotheses")["text"].iloc[0] != "clip.flac"
    recording.write_bytes(AUDIO[2].read_bytes())
    transcribe(workspace)
    assert workspace.read("hypotheses")["text"].tolist() == ["clip.flac"]


def test_label_scores_of_audio_that_has_changed_are_not_believed() -> None:
    scores = pd.DataFrame(
        {"utterance_id": ["a", "b", "c", "d", "e"], "audio": ["s1/x", "s1/x", "recording/c1", "recording/c1", "s1/x"]}
    )
    measured = {"utterance_id": ["a", "b", "c", "d"], "samples_hash": ["s1", "s2", "s", "s"]}
    quality = pd.DataFrame(measured | {"content_hash": ["c", "c", "c1", "c2"]})
    assert _of_todays_audio(scores, quality).tolist() == [True, False, True, False, True]
