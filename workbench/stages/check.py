"""Rules over every annotator's current transcript, with what audio and model have to say."""

from __future__ import annotations

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.score import choose_run
from workbench.stages.stage import Outcome, record_faults
from workbench.transcripts import current_transcripts
from workbench.workspace import Workspace


def check(workspace: Workspace, run_id: str | None = None) -> Outcome:
    """Apply every rule to the current transcripts and write flags, conflicts and conventions down.

    Raises:
        BadInput: there are no transcripts.
    """
    from label_rules.apply import apply_rules

    with workspace.lock():
        transcripts = checked_transcripts(workspace, run_id)
        if transcripts.empty:
            raise BadInput("the workspace has no transcripts; add some with `workbench import MANIFEST`")
        applied = apply_rules(transcripts)
        workspace.snapshot("flags", applied.flags)
        workspace.snapshot("conflicts", applied.conflicts)
        workspace.snapshot("conventions", applied.conventions)
        workspace.snapshot("rule_summary", applied.summary)
        faults = applied.faults.assign(stage="check").to_dict("records")
        recorded = record_faults(workspace, "check", faults)
    counts = {
        "transcripts": len(transcripts),
        "flags": len(applied.flags),
        "conflict_groups": applied.conflicts["group"].nunique(),
        "faults": len(recorded),
    }
    return Outcome("check", counts, applied.summary, recorded)


def checked_transcripts(workspace: Workspace, run_id: str | None = None) -> pd.DataFrame:
    """What the rules see: every annotator's current text with the audio's key and lengths and the run's hypothesis."""
    current = current_transcripts(workspace.read("transcripts"))[["utterance_id", "annotator", "text"]]
    quality = workspace.read("audio_quality").rename(columns={"samples_hash": "audio_key"})
    frame = current.merge(
        quality[["utterance_id", "audio_key", "duration", "speech_seconds"]], on="utterance_id", how="left"
    )
    if workspace.read("runs").empty and run_id is None:
        return frame
    run = choose_run(workspace, run_id)
    hypotheses = workspace.read("hypotheses")
    hypotheses = hypotheses[hypotheses["run_id"] == run["run_id"]].rename(columns={"text": "hypothesis"})
    return frame.merge(hypotheses[["utterance_id", "hypothesis", "confidence"]], on="utterance_id", how="left")
