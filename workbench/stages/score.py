"""References and hypotheses to error counts and alignments."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.error_counts import score
from analysis.errors import InvalidInput
from analysis.scoring import Scoring
from workbench.config import CONFIG_NAME
from workbench.errors import BadInput
from workbench.stages.alternatives import choose_scoring
from workbench.stages.rates import Scored, how_made, overall_rates
from workbench.stages.stage import Outcome, record_faults
from workbench.stages.tags import all_tags
from workbench.transcripts import references
from workbench.workspace import Workspace


def choose_run(workspace: Workspace, run_id: str | None = None) -> pd.Series:
    """The row of the run that is asked for, else of the one begun last among those that were finished once.

    A run that never was holds hypotheses of a part of the utterances, of those that labellers have opened maybe, and
    is chosen only where there is no other. One that new utterances have come to since stays chosen.

    Raises:
        BadInput: there is no run, or none of this name.
    """
    runs = workspace.read("runs")
    if runs.empty:
        raise BadInput("nothing has been transcribed yet; run `workbench transcribe` or `workbench import-hypotheses`")
    if run_id is None:
        history = workspace.read("runs", history=True)
        whole = runs["run_id"].isin(history["run_id"][history["finished"].astype(bool)])
        return (runs[whole] if whole.any() else runs).sort_values("started_at", kind="stable").iloc[-1]
    found = runs[runs["run_id"] == run_id]
    if found.empty:
        raise BadInput(f"no run {run_id!r}; the runs are {', '.join(runs['run_id'])}")
    return found.iloc[0]


def scoring_name(workspace: Workspace) -> str:
    """The name of the workspace's scoring: scores of different names are never mixed."""
    return workspace_scoring(workspace).label


def workspace_scoring(workspace: Workspace) -> Scoring:
    """The scoring of `[scoring]` in workbench.toml.

    Raises:
        BadInput: it names alternatives that there are not, or a file of them that cannot be read.
    """
    section = workspace.config.scoring
    try:
        return choose_scoring(
            section.normalizer,
            section.alignment,
            section.alternatives,
            section.fillers,
            section.notation or None,
            workspace.root,
        )
    except (BadInput, InvalidInput) as problem:
        raise BadInput(f"{workspace.root / CONFIG_NAME} [scoring]: {problem}") from problem


def score_runs(workspace: Workspace, run_id: str | None = None) -> Outcome:
    """Score every run, or one: what is new, or whose reference or hypothesis has changed.

    Raises:
        BadInput: there are no hypotheses or no references.
    """
    scoring = workspace_scoring(workspace)
    with workspace.lock():
        choose_run(workspace, run_id)
        pairs, unlabelled = scored_pairs(workspace)
        if pairs.empty and not unlabelled and workspace.read("transcripts").empty:
            raise BadInput("no utterance has a transcript to score against; import some with `workbench import`")
        runs = workspace.read("runs")["run_id"] if run_id is None else [run_id]
        fresh = _changed(workspace.read("scores"), pairs[pairs["run_id"].isin(runs)], scoring.label)
        for of_run, rows in fresh.groupby("run_id", sort=False):
            scored = score(rows[["utterance_id", "reference", "hypothesis"]].reset_index(drop=True), scoring)
            workspace.append("scores", scored.assign(run_id=of_run))
        recorded = pd.concat(
            [record_faults(workspace, "score", _unscored(workspace, pairs, str(one)), str(one)) for one in runs]
        )
    table = _rates(workspace, [str(one) for one in runs], scoring)
    counts: dict[str, Any] = {
        "scored": len(fresh),
        "unchanged": int(pairs["run_id"].isin(runs).sum()) - len(fresh),
        "faults": len(recorded),
    }
    if run_id is not None:
        counts |= {"wer": table["wer"].iloc[0], "cer": table["cer"].iloc[0]}
    notes = list(dict.fromkeys(how_made(row) for row in table.to_dict("records")))
    if unlabelled:
        notes.append(f"{unlabelled} hypotheses have no transcript to be scored against and were left out")
    return Outcome("score", counts, table, recorded.reset_index(drop=True), notes)


def scored_pairs(workspace: Workspace) -> tuple[pd.DataFrame, int]:
    """Each hypothesis with its current reference, and how many hypotheses have none.

    The frame has the columns utterance_id, run_id, reference and hypothesis.
    """
    hypotheses = workspace.read("hypotheses")[["utterance_id", "run_id", "text"]]
    current = references(workspace.read("transcripts"))[["utterance_id", "reference"]]
    pairs = hypotheses.rename(columns={"text": "hypothesis"}).merge(current, on="utterance_id", how="left")
    labelled = pairs["reference"].notna()
    return pairs[labelled].reset_index(drop=True), int((~labelled).sum())


def _changed(known: pd.DataFrame, pairs: pd.DataFrame, scoring: str) -> pd.DataFrame:
    """The pairs that are not scored as they stand."""
    key = ["utterance_id", "run_id"]
    known = known[known["scoring"] == scoring][[*key, "reference", "hypothesis"]]
    merged = pairs.merge(known, on=key, how="left", suffixes=("", "_known"))
    same = (merged["reference"] == merged["reference_known"]) & (merged["hypothesis"] == merged["hypothesis_known"])
    return merged[~same.fillna(False).astype(bool)][[*key, "reference", "hypothesis"]]


def _unscored(workspace: Workspace, pairs: pd.DataFrame, run_id: str) -> list[dict[str, str]]:
    """Labelled utterances that a run has no hypothesis for: they would silently make a run look better."""
    heard = set(pairs["utterance_id"][pairs["run_id"] == run_id])
    labelled = references(workspace.read("transcripts"))["utterance_id"]
    reason = (
        "the run has no hypothesis for this labelled utterance; it is left out of the rates; "
        "`workbench show faults` says why, or the imported file lacks it"
    )
    return [
        {"stage": "score", "item": utterance_id, "location": run_id, "reason": reason}
        for utterance_id in labelled
        if utterance_id not in heard
    ]


def scores_of(workspace: Workspace, run_id: str) -> pd.DataFrame:
    """The run's scores under the workspace's scoring, one a labelled utterance that the run has a hypothesis for.

    Raises:
        BadInput: there are none, or labels or hypotheses have changed since they were made.
    """
    scoring = scoring_name(workspace)
    scores = workspace.read("scores")
    scores = scores[(scores["run_id"] == run_id) & (scores["scoring"] == scoring)]
    pairs, _ = scored_pairs(workspace)
    pairs = pairs[pairs["run_id"] == run_id]
    if scores.empty and len(pairs):
        raise BadInput(f"run {run_id} is not scored with {scoring}; run `workbench score`")
    if scores.empty:
        raise BadInput(f"run {run_id} has no hypothesis of a labelled utterance; see `workbench show faults`")
    changed = _changed(scores, pairs, scoring)
    if len(changed):
        first = changed["utterance_id"].iloc[0]
        raise BadInput(
            f"{len(changed)} labels or hypotheses of run {run_id} have changed since they were scored, the first is "
            f"{first!r}; run `workbench score`"
        )
    return scores[scores["utterance_id"].isin(pairs["utterance_id"])].reset_index(drop=True)


def scored_run(workspace: Workspace, run_id: str) -> Scored:
    """The run's scores under the workspace's scoring, with the tags that they can be grouped by.

    Raises:
        BadInput: there are none, or labels or hypotheses have changed since they were made.
    """
    scores = scores_of(workspace, run_id)
    return Scored(scores, workspace.read("utterances"), all_tags(workspace), workspace_scoring(workspace))


def _rates(workspace: Workspace, runs: list[str], scoring: Scoring) -> pd.DataFrame:
    """One row a run: its counts and rates, and how they were made."""
    scores, utterances = workspace.read("scores"), workspace.read("utterances")
    scores = scores[scores["scoring"] == scoring.label]
    of_runs = [scores[scores["run_id"] == run_id].reset_index(drop=True) for run_id in runs]
    rows = [overall_rates(Scored(of_run, utterances, pd.DataFrame(), scoring)) for of_run in of_runs]
    return pd.DataFrame([{"run_id": run_id, **row} for run_id, row in zip(runs, rows, strict=True)])
