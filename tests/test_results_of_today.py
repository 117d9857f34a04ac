"""What was found of labels and recordings that have changed since is not passed off as today's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.test_verdicts import workspace_of
from workbench.stages.duplicates import standing_duplicates
from workbench.stages.labels import set_label
from workbench.stages.suspects import standing_suspects, suspects
from workbench.workspace import Workspace

TEXTS = {
    "u1": {"ann_a": "turn on the light", "ann_b": "turn on the light", "ann_c": "turn the sheep"},
    "u2": {"ann_a": "call my sister", "ann_b": "call my brother", "ann_c": "call my sister"},
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspace_of(tmp_path / "w", TEXTS)


def test_one_changed_text_takes_the_suspects_of_its_utterance_away(workspace: Workspace) -> None:
    suspects(workspace)
    found, notes = standing_suspects(workspace)
    assert (len(found), notes) == (6, [])
    set_label(workspace, "u2", "ann_b", "call my sister", "somebody", "misheard")
    found, notes = standing_suspects(workspace)
    assert set(found["utterance_id"]) == {"u1"}
    assert notes == ["Suspects of 1 utterance are left out: labels have changed since; run `workbench suspects` again."]
    suspects(workspace)
    assert len(standing_suspects(workspace)[0]) == 6


def test_a_changed_recording_takes_its_pairs_away(workspace: Workspace) -> None:
    pair = {"kind": "re-encoded", "similarity": 0.99, "offset": 0.0, "group": "h1"}
    pairs = [
        {"utterance_id": one, "other_id": other, "samples_hash": "h1", "other_samples_hash": "h2"} | pair
        for one, other in (("u1", "u2"), ("u1", "u3"), ("u4", "u3"))
    ]
    workspace.snapshot("duplicates", pd.DataFrame(pairs))
    assert len(standing_duplicates(workspace)) == 3, "nothing is measured: nothing is known to have changed"
    measured = {"u1": "h1", "u2": "another", "u3": "h2"}
    reads = workspace.read

    class Measured:
        def read(self, name: str) -> pd.DataFrame:
            if name != "audio_quality":
                return reads(name)
            return pd.DataFrame({"utterance_id": list(measured), "samples_hash": list(measured.values())})

    found = standing_duplicates(Measured())  # type: ignore[arg-type]
    assert found[["utterance_id", "other_id"]].to_numpy().tolist() == [["u1", "u3"], ["u4", "u3"]]
