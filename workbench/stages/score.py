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
    with workspace.lock():
        choose_run(workspace, run_id)
        pairs, unlabelled = scored_pairs(workspace)
        if pairs.empty and not unlabelled and workspace.read("transcripts").empty:
            raise BadInput("no utterance has a transcript to score against; import some with `workbench import`")
        runs = workspace.read("runs")["run_id"] if run_id is None else [run_id]
        fresh = _changed(workspace.read("scores"), pairs[pairs["run_id"].isin(runs)], scoring_name(workspace))
        for of_run, rows in fresh.groupby("run_id", sort=False):
            scored = score(rows[["utterance_id", "reference", "hypothesis"]].reset_index(drop=True), normalizer)
            workspace.append("scores", scored.assign(run_id=of_run))
        recorded = pd.concat(
            [record_faults(workspace, "score", _unscored(workspace, pairs, str(one)), str(one)) for one in runs]
        )
    table = _rates(workspace, [str(one) for one in runs])
    counts: dict[str, Any] = {
        "scored": len(fresh),
        "unchanged": int(pairs["run_id"].isin(runs).sum()) - len(fresh),
        "faults": len(recorded),
    }
    if run_id is not None:
        counts |= {"wer": table["wer"].iloc[0], "cer": table["cer"].iloc[0]}
    notes = []
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


def _rates(workspace: Workspace, runs: list[str]) -> pd.DataFrame:
    """One row a run under the workspace's scoring: utterances, word counts, WER and CER."""
    scores = workspace.read("scores")
    scores = scores[scores["scoring"] == scoring_name(workspace)]
    return pd.DataFrame([{"run_id": run_id, **overall(scores[scores["run_id"] == run_id])} for run_id in runs])


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
