"""The workspace's results gathered into one record and written as a report."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.intervals import group_sums, ratio_interval, resampling_unit
from workbench.errors import BadInput
from workbench.report.data import ReportData, Target, WorstUtterance
from workbench.report.writing import write_report
from workbench.stages.backlog import backlog
from workbench.stages.duplicates import standing_duplicates
from workbench.stages.rates import overall
from workbench.stages.score import choose_run, scores_of, scoring_name
from workbench.stages.stage import number
from workbench.stages.suspects import standing_suspects
from workbench.stages.tags import all_tags, audio_tags
from workbench.stages.transcribe import language_warning
from workbench.stages.verdicts import judged_summary, usable_flags
from workbench.tables import FLAGS
from workbench.transcripts import current_transcripts
from workbench.workspace import Workspace

_WORST = 25
_ERRORS = ["substitutions", "deletions", "insertions"]


def report(workspace: Workspace, run_id: str | None = None, out: Path | None = None) -> dict[str, Path]:
    """Write the report about a run; returns where its files lie, by name.

    Slices and backlog are computed anew, so that everything in it is of the same labels and hypotheses.

    Raises:
        BadInput: nothing is transcribed or scored yet, or labels have changed since it was scored.
    """
    with workspace.lock():
        backlog(workspace, run_id)
        return write_current(workspace, run_id, out)


def write_current(workspace: Workspace, run_id: str | None = None, out: Path | None = None) -> dict[str, Path]:
    """Write the report from the slices and the backlog as they stand, for those who have just made them.

    Raises:
        BadInput: as for `report`.
    """
    with workspace.lock():
        run = choose_run(workspace, run_id)
        data = gather(workspace, run)
    return write_report(data, out or workspace.root / "reports" / _directory_name(str(run["run_id"])))


def _directory_name(run_id: str) -> str:
    """The run's id where it is a plain file name, else its hash: a workspace may come from somebody else."""
    if re.fullmatch(r"[\w-][\w.-]*", run_id):
        return run_id
    return hashlib.sha256(run_id.encode()).hexdigest()[:16]


def gather(workspace: Workspace, run: pd.Series) -> ReportData:
    """Everything that a report about this run shows."""
    run_id = str(run["run_id"])
    scoring = scoring_name(workspace)
    scores = scores_of(workspace, run_id)
    utterances = workspace.read("utterances")
    figures = _overall(workspace, scores, utterances, run)
    section = workspace.config.workspace
    planted, planted_note = _planted(workspace)
    suspects, outdated = standing_suspects(workspace)
    return ReportData(
        title=f"{section.name}: what to fix next",
        workspace=section.name,
        created_at=datetime.now(UTC),
        language=section.language,
        targets=_targets(workspace, figures, run),
        run=run.to_dict(),
        overall=figures,
        quality=workspace.read("audio_quality"),
        quality_tags=audio_tags(workspace),
        conflicts=workspace.read("conflicts"),
        suspects=suspects,
        duplicates=standing_duplicates(workspace),
        splits=dict(utterances.loc[utterances["split"].notna(), ["utterance_id", "split"]].itertuples(index=False)),
        conventions=workspace.read("conventions"),
        rule_summary=judged_summary(workspace),
        flags=usable_flags(workspace)[FLAGS.names],
        slices=workspace.read("slices", run_id=run_id, scoring=scoring),
        confusions=workspace.read("confusions", run_id=run_id, scoring=scoring),
        backlog=workspace.read("backlog", run_id=run_id, scoring=scoring),
        faults=workspace.read("faults"),
        worst=_worst(workspace, scores, utterances),
        planted=planted,
        planted_note=planted_note,
        notes=_notes(workspace, scores, utterances, run_id) + outdated,
    )


def _overall(workspace: Workspace, scores: pd.DataFrame, utterances: pd.DataFrame, run: pd.Series) -> dict[str, Any]:
    scored = utterances[utterances["utterance_id"].isin(scores["utterance_id"])]
    unit, groups = resampling_unit(scored)
    counts = np.column_stack([scores[_ERRORS].sum(axis=1), scores["ref_words"]]).astype(float)
    sums = group_sums(counts, groups.loc[scores["utterance_id"]].to_numpy())
    low, high = ratio_interval(sums[:, [0]], sums[:, [1]])
    hypotheses = workspace.read("hypotheses")
    seconds = hypotheses["audio_seconds"][hypotheses["run_id"] == run["run_id"]].sum()
    return {
        **overall(scores),
        "speakers": int(scored["speaker"].nunique()),
        "audio_seconds": float(seconds) or None,
        "wer_low": float(low[0]),
        "wer_high": float(high[0]),
        "scoring": scoring_name(workspace),
        "resampled": unit,
    }


def _targets(workspace: Workspace, figures: dict[str, Any], run: pd.Series) -> list[Target]:
    scope = workspace.config.scope
    asked = [
        ("WER", figures["wer"], scope.target_wer, "rate", True),
        ("Real-time factor", run["real_time_factor"], scope.max_real_time_factor, "×", False),
        ("Latency, 90th percentile", run["latency_p90"], scope.max_latency_p90, "s", False),
    ]
    targets = []
    for name, measured, threshold, unit, optimise in asked:
        if threshold is not None:
            value = number(measured)
            targets.append(
                Target(name, value, threshold, unit, None if value is None else value <= threshold, optimise)
            )
    return targets


def _worst(workspace: Workspace, scores: pd.DataFrame, utterances: pd.DataFrame) -> list[WorstUtterance]:
    errors = scores[_ERRORS].sum(axis=1)
    rate = errors / scores["ref_words"].where(scores["ref_words"] > 0)
    order = pd.DataFrame({"errors": errors, "rate": rate}).sort_values(["errors", "rate"], ascending=False).index
    speakers = utterances.set_index("utterance_id")["speaker"]
    quality = workspace.read("audio_quality").set_index("utterance_id")["output"]
    tags = all_tags(workspace)
    found = []
    for index in order[:_WORST]:
        row = scores.loc[index]
        if not errors[index]:
            break
        name = row["utterance_id"]
        of_utterance = tags.loc[name].dropna().to_dict() if name in tags.index else {}
        found.append(
            WorstUtterance(
                utterance_id=name,
                speaker=None if pd.isna(speakers[name]) else str(speakers[name]),
                reference=row["reference"],
                hypothesis=row["hypothesis"],
                wer=None if pd.isna(rate[index]) else float(rate[index]),
                errors=int(errors[index]),
                alignment=[(s["op"], s["reference"], s["hypothesis"]) for s in row["alignment"]],
                audio=workspace.to_path(quality[name]) if name in quality.index else None,
                tags=of_utterance,
            )
        )
    return found


def _notes(workspace: Workspace, scores: pd.DataFrame, utterances: pd.DataFrame, run_id: str) -> list[str]:
    run = choose_run(workspace, run_id)
    warning = language_warning(workspace, str(run["backend"]), str(run["model"]))
    notes = [warning[0].upper() + warning[1:] + "."] if warning else []
    flags = workspace.read("flags")
    others = flags["run_id"][flags["run_id"].notna() & (flags["run_id"] != run_id)]
    if len(others):
        notes.append(f"The flags were made with the hypotheses of run {others.iloc[0]}; run `workbench check` again.")
    current = current_transcripts(workspace.read("transcripts"))[["utterance_id", "annotator", "text"]]
    flags = flags[flags["annotator"] != ""]
    stale = len(flags) - len(flags.merge(current, on=["utterance_id", "annotator", "text"]))
    if stale:
        notes.append(f"{stale} flags are of labels that have changed since; run `workbench check` again.")
    left_out = len(utterances) - len(scores)
    if left_out:
        notes.append(f"{left_out} of {len(utterances)} utterances are not in the rates: no hypothesis or no reference.")
    if workspace.config.workspace.note:
        notes.append(workspace.config.workspace.note)
    return notes


def _planted(workspace: Workspace) -> tuple[pd.DataFrame | None, str]:
    """Problems planted on purpose against what was found; most workspaces have none."""
    planted = workspace.config.workspace.planted
    if not planted:
        return None, ""
    if not (workspace.root / planted).is_file():
        raise BadInput(f"[workspace] planted = {planted!r} is no file in {workspace.root}; correct it, or empty it")
    from workbench.demo.planted import evaluate, read_planted

    result = evaluate(read_planted(workspace.root / planted), workspace.read("flags"), audio_tags(workspace))
    return result.table, result.note
