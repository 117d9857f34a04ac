"""Flags, slices and runs to one ranked list of what to fix next."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pandas as pd

from analysis.backlog import FEWEST_REF_WORDS, FEWEST_SPEAKERS, Costs
from analysis.backlog import backlog as backlog_of
from analysis.error_counts import score
from analysis.intervals import resampling_unit
from analysis.tuning import TuningEstimate, tuning_gain
from workbench.stages.score import choose_run, scoring_name, workspace_scoring
from workbench.stages.slices import slice_run
from workbench.stages.stage import Outcome
from workbench.stages.tags import audio_tags
from workbench.stages.verdicts import usable_flags
from workbench.transcripts import references
from workbench.workspace import Workspace

_NO_FIX = ["duration_band", "split"]
"""Tags that say where the model is wrong, but name nothing that could be repaired or recruited for."""


def backlog(workspace: Workspace, run_id: str | None = None) -> Outcome:
    """Rank label fixes, audio fixes, data collection and tuning by expected gain, and write the list down.

    The slices that it rests on are computed anew, so that both are of the same scores and tags.

    Raises:
        BadInput: the run is not scored.
    """
    with workspace.lock():
        run = choose_run(workspace, run_id)
        run_id = str(run["run_id"])
        scores, _, _, membership, sliced = slice_run(workspace, run_id)
        utterances = workspace.read("utterances")
        _, groups = resampling_unit(utterances[utterances["utterance_id"].isin(scores["utterance_id"])])
        table = backlog_of(
            scores,
            sliced[~sliced["tag"].isin(_NO_FIX)],
            membership,
            fixed_scores(workspace, scores),
            groups,
            audio_tags=set(audio_tags(workspace).columns),
            tuning=tuning(workspace, run, groups),
            costs=Costs(**dataclasses.asdict(workspace.config.costs)),
        )
        workspace.snapshot("backlog", table, run_id=run_id, scoring=scoring_name(workspace))
    notes = []
    if not table["kind"].isin(["audio", "collect"]).any():
        notes.append(
            f"no audio and no collect item: no slice that is worse than the rest has {FEWEST_SPEAKERS} speakers and "
            f"{FEWEST_REF_WORDS} reference words"
        )
    if not (table["kind"] == "tune").any():
        notes.append("no tuning item: it needs two recorded runs of one model; transcribe with other parameters")
    if not (table["kind"] == "label").any():
        notes.append("no label item: no flag suggests another text for a reference; see `workbench check`")
    return Outcome("backlog", {"items": len(table)}, table, notes=notes)


def fixed_scores(workspace: Workspace, scores: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """For each rule, the scores of the references that it would change, against the texts that it suggests.

    Flags that a reviewer rejected suggest nothing.
    """
    flags = usable_flags(workspace)
    current = references(workspace.read("transcripts")).rename(columns={"reference": "text"})
    # A suggestion for a text that has changed since would undo the change.
    usable = flags[flags["suggestion"].notna()].merge(current, on=["utterance_id", "annotator", "text"])
    usable = usable[usable["utterance_id"].isin(scores["utterance_id"])]
    # One reference can take one text only: that of the flag that ranks first.
    usable = usable.sort_values("rank", ascending=False, kind="stable")
    usable = usable.drop_duplicates(["rule_id", "utterance_id"])
    scoring = workspace_scoring(workspace)
    hypotheses = scores.set_index("utterance_id")["hypothesis"]
    fixed = {}
    for rule_id, of_rule in usable.groupby("rule_id"):
        pairs = of_rule[["utterance_id", "suggestion"]].rename(columns={"suggestion": "reference"})
        pairs = pairs.assign(hypothesis=hypotheses.loc[pairs["utterance_id"]].to_numpy()).reset_index(drop=True)
        fixed[str(rule_id)] = score(pairs, scoring)
    return fixed


def tuning(workspace: Workspace, run: pd.Series, groups: pd.Series) -> TuningEstimate | None:
    """What the recorded runs of the same model say about tuning; None where there is only this run."""
    runs = workspace.read("runs")
    same = runs[(runs["backend"] == run["backend"]) & (runs["model"] == run["model"]) & runs["finished"]]
    scores = workspace.read("scores")
    scores = scores[scores["scoring"] == scoring_name(workspace)]
    by_run = {str(i): scores[scores["run_id"] == i] for i in same["run_id"] if (scores["run_id"] == i).any()}
    if len(by_run) < 2 or run["run_id"] not in by_run:
        return None
    return tuning_gain(by_run, str(run["run_id"]), groups)
