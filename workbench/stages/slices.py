"""Scores and tags to error rates by slice, and the confusions of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from analysis.confusions import confusions
from analysis.slices import Slice, skipped_tags, slice_membership
from analysis.slices import slices as slices_of
from workbench.stages.score import choose_run, scores_of, scoring_name
from workbench.stages.stage import Outcome
from workbench.stages.tags import all_tags
from workbench.workspace import Workspace


class Sliced(NamedTuple):
    """A run's slices and what they were computed from; membership has the order of the scores."""

    scores: pd.DataFrame
    tags: pd.DataFrame
    bins: Mapping[str, Sequence[float]]
    membership: dict[str, Slice]
    table: pd.DataFrame


def slice_run(workspace: Workspace, run_id: str) -> Sliced:
    """Slice a run's errors by every tag, and write the slices and their confusions down.

    Raises:
        BadInput: the run is not scored.
    """
    with workspace.lock():
        scores = scores_of(workspace, run_id)
        tags = all_tags(workspace)
        bins = bins_for(workspace, tags)
        table = slices_of(scores, workspace.read("utterances"), tags, bins)
        membership = slice_membership(tags.reindex(scores["utterance_id"]), bins)
        scope = {"run_id": run_id, "scoring": scoring_name(workspace)}
        workspace.snapshot("slices", table, **scope)
        workspace.snapshot("confusions", confusions(scores, membership), **scope)
    return Sliced(scores, tags, bins, membership, table)


def slices(workspace: Workspace, run_id: str | None = None) -> Outcome:
    """Slice a run's errors by every tag; the notes say which tags are left out, and why.

    Raises:
        BadInput: the run is not scored.
    """
    sliced = slice_run(workspace, str(choose_run(workspace, run_id)["run_id"]))
    notes = [
        f"[slices.bins] has edges for {tag!r}, whose values are not all numbers: they were not used"
        for tag in workspace.config.slices.bins
        if tag in sliced.tags.columns and tag not in sliced.bins
    ]
    skipped = skipped_tags(sliced.tags, sliced.bins)
    notes += [f"tag {tag!r} is not sliced by: it {reason}" for tag, reason in skipped.items()]
    return Outcome("slices", {"slices": len(sliced.table)}, sliced.table, notes=notes)


def bins_for(workspace: Workspace, tags: pd.DataFrame) -> Mapping[str, Sequence[float]]:
    """The configured bins of the tags that there are and that hold numbers."""
    bins = workspace.config.slices.bins
    return {tag: edges for tag, edges in bins.items() if tag in tags.columns and _are_numbers(tags[tag])}


def _are_numbers(values: pd.Series) -> bool:
    present = values.dropna()
    return bool(pd.to_numeric(present, errors="coerce").notna().all())
