"""What labellers say beside their texts: flags on the audio, with and without a transcript, and on what is unsure."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from tests.test_verdicts import workspace_of
from workbench.cli.app import app
from workbench.config import config_text
from workbench.stages.check import check
from workbench.workspace import Workspace

TEXTS = {"u1": {"ann_a": "turn it off", "ann_b": "turn it of"}, "u2": {"ann_a": "yes"}}


def remarked(workspace: Workspace, utterance: str, annotator: str, remark: str, stands: bool = True) -> None:
    row = {"utterance_id": utterance, "annotator": annotator, "remark": remark, "stands": stands}
    workspace.append("remarks", pd.DataFrame([row | {"at": datetime.now(UTC)}]))


def reported(workspace: Workspace) -> list[tuple[str, str, str, str, float, str]]:
    check(workspace)
    flags = workspace.read("flags")
    flags = flags[flags["rule_id"].str.startswith("reported.")]
    columns = ["rule_id", "utterance_id", "annotator", "text", "score", "evidence"]
    return list(flags[columns].itertuples(index=False, name=None))


def test_without_remarks_the_rules_have_no_opinion(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, TEXTS)
    assert reported(workspace) == []
    summary = workspace.read("rule_summary").set_index("rule_id")
    assert summary.loc["reported.bad_audio", ["abstained", "needs"]].tolist() == [3, "transcripts, remarks"]


def test_bad_audio_is_flagged_once_an_utterance_and_surer_by_two(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, TEXTS)
    remarked(workspace, "u1", "ann_c", "bad_audio")
    assert reported(workspace) == [("reported.bad_audio", "u1", "", "", 0.8, "ann_c calls the audio bad")]
    remarked(workspace, "u1", "ann_a", "bad_audio")
    assert reported(workspace) == [("reported.bad_audio", "u1", "", "", 0.96, "ann_c and ann_a call the audio bad")]
    remarked(workspace, "u1", "ann_c", "bad_audio", stands=False)
    assert reported(workspace) == [("reported.bad_audio", "u1", "", "", 0.8, "ann_a calls the audio bad")]


def test_audio_without_any_transcript_is_flagged_too_and_counted(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, {**TEXTS, "u3": {}})
    remarked(workspace, "u3", "ann_c", "bad_audio")
    remarked(workspace, "u3", "ann_d", "unsure")
    assert reported(workspace) == [("reported.bad_audio", "u3", "", "", 0.8, "ann_c calls the audio bad")]
    assert workspace.read("rule_summary").set_index("rule_id").loc["reported.bad_audio", "flags"] == 1


def test_a_rule_that_is_disabled_flags_nothing(tmp_path: Path) -> None:
    toml = config_text("w", "en", 0.2).replace("disable = []", 'disable = ["reported.bad_audio"]')
    workspace = workspace_of(tmp_path, {**TEXTS, "u3": {}}, toml)
    for utterance in ("u1", "u3"):
        remarked(workspace, utterance, "ann_c", "bad_audio")
    assert reported(workspace) == []


def test_who_is_unsure_is_unsure_of_their_own_transcript(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, TEXTS)
    remarked(workspace, "u1", "ann_b", "unsure")
    remarked(workspace, "u1", "ann_c", "unsure")
    assert reported(workspace) == [
        ("reported.unsure", "u1", "ann_b", "turn it of", 0.5, "ann_b is not sure of this transcript")
    ]


def test_a_file_may_bring_remarks_as_a_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        'utterance_id,annotator,text,remarks\nu1,ann_a,yes,"bad_audio, unsure"\nu2,ann_a,no,\n'
    )
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        done = CliRunner().invoke(app, ["check", "t.csv", "--format", "csv"])
    finally:
        os.chdir(here)
    assert done.exit_code == 0
    flags = pd.read_csv(io.StringIO(done.stdout))
    assert flags[["utterance_id", "rule_id"]].to_numpy().tolist() == [
        ["u1", "reported.bad_audio"],
        ["u1", "reported.unsure"],
    ]
