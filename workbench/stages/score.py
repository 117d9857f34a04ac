"""References and hypotheses to error counts and alignments."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.error_counts import ErrorCounts, score
from analysis.normalizers import get_normalizer
from workbench.errors import BadInput
from workbench.stages.stage import Outcome, record_faults
from workbench.transcripts import references
from workbench.workspace import Workspace


def choose_run(workspace: Workspace, run_id: str | None = None) -> pd.Series:
    """The row of the run that is asked for, else of the one begun last.

    Raises:
        BadInput: there is no run, or none of this name.
    """
    runs = workspace.read("runs")
    if runs.empty:
        raise BadInput("nothing has been transcribed yet; run `workbench transcribe` or `workbench import-hypotheses`")
    if run_id is None:
        return runs.sort_values("started_at", kind="stable").iloc[-1]
    found = runs[runs["run_id"] == run_id]
    if found.empty:
        raise BadInput(f"no run {run_id!r}; the runs are {', '.join(runs['run_id'])}")
    return found.iloc[0]


def scoring_name(workspace: Workspace) -> str:
    """The name of the workspace's scoring: scores of different names are never mixed."""
    return f"{get_normalizer(workspace.config.scoring.normalizer).label}/unit"


def score_runs(workspace: Workspace, run_id: str | None = None) -> Outcome:
    """Score every run, or one: what is new, or whose reference or hypothesis has changed.

    Raises:
        BadInput: there are no hypotheses or no references.
    """
    normalizer = get_normalizer(workspace.config.scoring.normalizer)
    scoring = scoring_name(workspace)
    with workspace.lock():
        choose_run(workspace, run_id)
        hypotheses = workspace.read("hypotheses")
        if run_id is not None:
            hypotheses = hypotheses[hypotheses["run_id"] == run_id]
        current = references(workspace.read("transcripts"))
        if current.empty:
            raise BadInput("no utterance has a transcript to score against; import some with `workbench import`")
        pairs = hypotheses[["utterance_id", "run_id", "text"]].rename(columns={"text": "hypothesis"})
        pairs = pairs.merge(current[["utterance_id", "reference"]], on="utterance_id", how="left")
        unlabelled = pairs["reference"].isna()
        fresh = _changed(workspace.read("scores"), pairs[~unlabelled], scoring)
        for of_run, rows in fresh.groupby("run_id", sort=False):
            scored = score(rows[["utterance_id", "reference", "hypothesis"]].reset_index(drop=True), normalizer)
            workspace.append("scores", scored.assign(run_id=of_run))
        faults = _unscored(workspace, hypotheses, current)
        recorded = record_faults(workspace, "score", faults)
    table = rates_by_run(workspace)
    if run_id is not None:
        table = table[table["run_id"] == run_id].reset_index(drop=True)
    counts = {"scored": len(fresh), "unchanged": int((~unlabelled).sum()) - len(fresh), "faults": len(recorded)}
    notes = []
    if unlabelled.any():
        notes.append(f"{int(unlabelled.sum())} hypotheses have no transcript to be scored against and were left out")
    return Outcome("score", counts, table, recorded, notes)


def _changed(known: pd.DataFrame, pairs: pd.DataFrame, scoring: str) -> pd.DataFrame:
    key = ["utterance_id", "run_id"]
    known = known[known["scoring"] == scoring][[*key, "reference", "hypothesis"]]
    merged = pairs.merge(known, on=key, how="left", suffixes=("", "_known"))
    same = (merged["reference"] == merged["reference_known"]) & (merged["hypothesis"] == merged["hypothesis_known"])
    return merged[~same.fillna(False)][[*key, "reference", "hypothesis"]]


def _unscored(workspace: Workspace, hypotheses: pd.DataFrame, current: pd.DataFrame) -> list[dict[str, str]]:
    """Labelled utterances that a run has no hypothesis for: they would silently make a run look better."""
    faults = []
    for run_id, of_run in hypotheses.groupby("run_id", sort=False):
        for utterance_id in current["utterance_id"][~current["utterance_id"].isin(of_run["utterance_id"])]:
            faults.append(
                {
                    "stage": "score",
                    "item": utterance_id,
                    "location": str(run_id),
                    "reason": "the run has no hypothesis for this labelled utterance; it is left out of the rates; "
                    "see the faults of normalize and transcribe",
                }
            )
    return faults


def scores_of(workspace: Workspace, run_id: str) -> pd.DataFrame:
    """The run's scores under the workspace's scoring, of utterances that still have the scored reference.

    Raises:
        BadInput: there are none.
    """
    scores = workspace.read("scores")
    chosen = scores[(scores["run_id"] == run_id) & (scores["scoring"] == scoring_name(workspace))]
    if chosen.empty:
        raise BadInput(f"run {run_id} is not scored with {scoring_name(workspace)}; run `workbench score`")
    return chosen.reset_index(drop=True)


def rates_by_run(workspace: Workspace) -> pd.DataFrame:
    """One row a run under the workspace's scoring: utterances, word counts, WER and CER."""
    scores = workspace.read("scores")
    scores = scores[scores["scoring"] == scoring_name(workspace)]
    rows = [{"run_id": run_id, **overall(of_run)} for run_id, of_run in scores.groupby("run_id", sort=False)]
    return pd.DataFrame(rows)


def overall(scores: pd.DataFrame) -> dict[str, Any]:
    """The summed counts of scores with their rates: WER, and CER over characters; None without a reference."""
    words = _sum(scores, "ref_words", "hits", "substitutions", "deletions", "insertions")
    chars = _sum(scores, "ref_chars", "char_hits", "char_substitutions", "char_deletions", "char_insertions")
    return {
        "utterances": len(scores),
        "ref_words": words.ref_words,
        "hits": words.hits,
        "substitutions": words.substitutions,
        "deletions": words.deletions,
        "insertions": words.insertions,
        "wer": words.rate,
        "cer": chars.rate,
    }


def _sum(scores: pd.DataFrame, *columns: str) -> ErrorCounts:
    return ErrorCounts(*(int(scores[column].sum()) for column in columns))
