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
        if run_id is not None or len(workspace.read("runs")):
            run_id = str(choose_run(workspace, run_id)["run_id"])
        transcripts = checked_transcripts(workspace, run_id)
        if transcripts.empty:
            raise BadInput("the workspace has no transcripts; add some with `workbench import MANIFEST`")
        applied = apply_rules(transcripts)
        workspace.snapshot("flags", _flags(applied.flags, transcripts, run_id))
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


def checked_transcripts(workspace: Workspace, run_id: str | None) -> pd.DataFrame:
    """What the rules see: every annotator's current text with the audio's key and lengths and the run's hypothesis."""
    current = current_transcripts(workspace.read("transcripts"))[["utterance_id", "annotator", "text"]]
    quality = workspace.read("audio_quality").rename(columns={"samples_hash": "audio_key"})
    frame = current.merge(
        quality[["utterance_id", "audio_key", "duration", "speech_seconds"]], on="utterance_id", how="left"
    )
    if run_id is None:
        return frame
    hypotheses = workspace.read("hypotheses")
    hypotheses = hypotheses[hypotheses["run_id"] == run_id].rename(columns={"text": "hypothesis"})
    return frame.merge(hypotheses[["utterance_id", "hypothesis", "confidence"]], on="utterance_id", how="left")


def _flags(flags: pd.DataFrame, transcripts: pd.DataFrame, run_id: str | None) -> pd.DataFrame:
    """The flags with what they were made from: later, a flag of another text than today's is not believed."""
    texts = transcripts[["utterance_id", "annotator", "text"]]
    return flags.merge(texts, on=["utterance_id", "annotator"], how="left").fillna({"text": ""}).assign(run_id=run_id)
