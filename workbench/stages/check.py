"""Rules over every annotator's current transcript, with what audio and model have to say."""

from __future__ import annotations

import re

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.duplicates import with_copies
from workbench.stages.label_scores import aligned_labels
from workbench.stages.remarks import flags_without_transcript, with_remarks
from workbench.stages.score import choose_run
from workbench.stages.stage import Outcome, record_faults
from workbench.stages.team_rules import load_rules, prints_aside
from workbench.stages.verdicts import standing_verdicts
from workbench.transcripts import current_transcripts
from workbench.workspace import Workspace

_MEASURED = (
    "audio_key",
    "duration",
    "speech_seconds",
    "speech_start",
    "speech_end",
    "speech_before",
    "speech_after",
    "start_level",
    "end_level",
    "silence_share",
    "clipped_share",
    "loudness",
    "snr",
)


def check(workspace: Workspace, run_id: str | None = None, team: bool = True) -> Outcome:
    """Apply every rule to the current transcripts and write flags, conflicts and conventions down.

    Args:
        team: run the files of rules that workbench.toml names, too.

    Raises:
        BadInput: there are no transcripts.
    """
    from label_rules.apply import apply_rules
    from label_rules.verdicts import with_verdicts
    from workbench.jobs.processes import spread_for

    with workspace.lock():
        if run_id is not None or len(workspace.read("runs")):
            run_id = str(choose_run(workspace, run_id)["run_id"])
        transcripts = checked_transcripts(workspace, run_id)
        if transcripts.empty:
            raise BadInput("the workspace has no transcripts; add some with `workbench import MANIFEST`")
        loaded = load_rules(workspace, team)
        with prints_aside():
            applied = apply_rules(transcripts, loaded.rules, spread_for(len(transcripts)))
        alone = flags_without_transcript(workspace, transcripts, loaded.rules)
        flags = pd.concat([applied.flags, alone], ignore_index=True) if len(alone) else applied.flags
        workspace.snapshot("flags", _flags(flags, transcripts, run_id))
        workspace.snapshot("conflicts", applied.conflicts)
        workspace.snapshot("conventions", applied.conventions)
        counted = applied.summary["flags"] + applied.summary["rule_id"].map(alone["rule_id"].value_counts()).fillna(0)
        summary = with_verdicts(applied.summary.assign(flags=counted.astype(int)), standing_verdicts(workspace))
        workspace.snapshot("rule_summary", summary)
        faults = applied.faults.assign(stage="check").to_dict("records")
        recorded = record_faults(workspace, "check", [*loaded.faults, *faults])
    counts = {
        "transcripts": len(transcripts),
        "flags": len(flags),
        "conflict_groups": applied.conflicts["group"].nunique(),
        "faults": len(recorded),
    }
    notes = [f"rules of {name} were run" for name in loaded.files]
    if not team and workspace.config.check.rules:
        notes.append(f"not run: rules of {', '.join(workspace.config.check.rules)}")
    return Outcome("check", counts, summary, recorded, [*notes, *needs_notes(summary, transcripts)])


def checked_transcripts(workspace: Workspace, run_id: str | None) -> pd.DataFrame:
    """What the rules see: every annotator's current text with the audio's key and lengths and the run's hypothesis.

    Of the other runs the newest of each other model is there too: runs of one model err alike, and are not several.
    """
    current = current_transcripts(workspace.read("transcripts"))[["utterance_id", "annotator", "text"]]
    quality = workspace.read("audio_quality").rename(columns={"samples_hash": "audio_key"})
    # Rows of an older version lack some measures, which are not known then.
    frame = current.merge(quality.reindex(columns=["utterance_id", *_MEASURED]), on="utterance_id", how="left")
    frame["audio_key"] = with_copies(frame, workspace)
    frame = frame.merge(aligned_labels(workspace), on=["utterance_id", "annotator", "text"], how="left")
    frame = with_remarks(frame, workspace)
    if run_id is None:
        return frame
    hypotheses = workspace.read("hypotheses")[["utterance_id", "run_id", "text", "confidence"]]
    for name, suffix in _model_columns(newest_of_models(workspace.read("runs"), run_id), run_id).items():
        of_run = hypotheses[hypotheses["run_id"] == name].drop(columns="run_id")
        named = of_run.rename(columns={"text": f"hypothesis{suffix}", "confidence": f"confidence{suffix}"})
        frame = frame.merge(named, on="utterance_id", how="left")
    return frame


def needs_notes(summary: pd.DataFrame, transcripts: pd.DataFrame) -> list[str]:
    """A sentence for each table for want of which rules had no opinion on any transcript, with the command for it."""
    from label_rules.corpus import Corpus
    from label_rules.needs import missing_needs

    silent = summary[(summary["abstained"] >= len(transcripts)) & (summary["faults"] == 0)]
    if silent.empty:
        return []
    notes = []
    # Rules that have no opinion although the table is there lack something else.
    for need in missing_needs(tuple(_COMMANDS), Corpus(transcripts)):
        command = _COMMANDS[need]
        rules = silent["rule_id"][[need in str(needs).split(", ") for needs in silent["needs"]]]
        if len(rules):
            which = ", ".join(rules[:3]) + (", …" if len(rules) > 3 else "")
            notes.append(
                f"{len(rules)} {'rule needs' if len(rules) == 1 else 'rules need'} {need}: {command} ({which})"
            )
    return notes


_COMMANDS = {
    "hypotheses": "run `workbench transcribe`",
    "audio_quality": "run `workbench normalize`",
    "label_scores": "run `workbench align-labels`",
}


def newest_of_models(runs: pd.DataFrame, main: str) -> list[str]:
    """The main run, and the newest run of each backend and model that is not the main one's."""
    runs = runs.assign(is_main=runs["run_id"] == main).sort_values(["is_main", "started_at"], kind="stable")
    return [str(run_id) for run_id in runs.drop_duplicates(["backend", "model"], keep="last")["run_id"]]


def _model_columns(run_ids: list[str], main: str) -> dict[str, str]:
    """For each run what its columns end in: nothing for the main one, else `_` and its id in letters and digits."""
    suffixes = {main: ""}
    for run_id in run_ids:
        if run_id == main:
            continue
        suffix = "_" + re.sub(r"\W", "_", run_id)
        while suffix in suffixes.values():
            suffix += "_"
        suffixes[run_id] = suffix
    return suffixes


def _flags(flags: pd.DataFrame, transcripts: pd.DataFrame, run_id: str | None) -> pd.DataFrame:
    """The flags with what they were made from: later, a flag of another text than today's is not believed."""
    texts = transcripts[["utterance_id", "annotator", "text"]]
    return flags.merge(texts, on=["utterance_id", "annotator"], how="left").fillna({"text": ""}).assign(run_id=run_id)
