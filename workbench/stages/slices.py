"""Scores and tags to error rates by slice, and the confusions of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.confusions import confusions
from analysis.slices import skipped_tags, slice_membership
from analysis.slices import slices as slices_of
from workbench.stages.score import choose_run, scores_of, scoring_name
from workbench.stages.stage import Outcome
from workbench.stages.tags import all_tags
from workbench.workspace import Workspace


def slices(workspace: Workspace, run_id: str | None = None) -> Outcome:
    """Slice a run's errors by every tag and write the slices and their confusions down.

    Raises:
        BadInput: the run is not scored.
    """
    with workspace.lock():
        run_id = str(choose_run(workspace, run_id)["run_id"])
        scores = scores_of(workspace, run_id)
        tags = all_tags(workspace)
        bins = bins_for(workspace, tags)
        table = slices_of(scores, workspace.read("utterances"), tags, bins)
        membership = slice_membership(tags.reindex(scores["utterance_id"]), bins)
        scope = {"run_id": run_id, "scoring": scoring_name(workspace)}
        workspace.snapshot("slices", table, **scope)
        workspace.snapshot("confusions", confusions(scores, membership), **scope)
    notes = [
        f"[slices.bins] has edges for {tag!r}, whose values are not all numbers: they were not used"
        for tag in workspace.config.slices.bins
        if tag in tags.columns and tag not in bins
    ]
    notes += [f"tag {tag!r} is not sliced by: it {reason}" for tag, reason in skipped_tags(tags, bins).items()]
    return Outcome("slices", {"slices": len(table)}, table, notes=notes)


def bins_for(workspace: Workspace, tags: pd.DataFrame) -> Mapping[str, Sequence[float]]:
    """The configured bins of the tags that there are and that hold numbers."""
    bins = workspace.config.slices.bins
    return {tag: edges for tag, edges in bins.items() if tag in tags.columns and _are_numbers(tags[tag])}


def _are_numbers(values: pd.Series) -> bool:
    present = values.dropna()
    return bool(pd.to_numeric(present, errors="coerce").notna().all())
