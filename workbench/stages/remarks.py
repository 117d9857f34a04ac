"""What labellers said beside their texts, as the rules see it: with the transcripts, and where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from label_rules.reported.rules import BAD_AUDIO
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from label_rules.rule import Rule

_RULE = "reported.bad_audio"


def standing_remarks(workspace: Workspace) -> pd.DataFrame:
    """The remarks that nobody has taken back, with utterance_id, annotator and remark."""
    remarks = workspace.read("remarks")
    return remarks.loc[remarks["stands"].astype(bool), ["utterance_id", "annotator", "remark"]].reset_index(drop=True)


def with_remarks(frame: pd.DataFrame, workspace: Workspace) -> pd.DataFrame:
    """The transcripts with `remarks`, their annotators' own, and `called_bad_by`, who calls their audio bad.

    Where nobody has said anything, the frame as it is.
    """
    standing = standing_remarks(workspace)
    if standing.empty:
        return frame
    own = standing.groupby(["utterance_id", "annotator"])["remark"].agg(", ".join).rename("remarks")
    frame = frame.merge(own, left_on=["utterance_id", "annotator"], right_index=True, how="left")
    return frame.merge(_called_bad_by(standing), left_on="utterance_id", right_index=True, how="left")


def flags_without_transcript(workspace: Workspace, transcripts: pd.DataFrame, rules: Sequence[Rule]) -> pd.DataFrame:
    """Flags on audio that labellers call bad and that has no transcript, which rules over transcripts never see.

    Args:
        transcripts: those that were checked.
        rules: those that are enabled.
    """
    from label_rules.apply import apply_rules

    names = _called_bad_by(standing_remarks(workspace))
    names = names[~names.index.isin(transcripts["utterance_id"])]
    alone = names.reset_index().assign(annotator="", text="")
    return apply_rules(alone, [rule for rule in rules if rule.rule_id == _RULE]).flags


def _called_bad_by(standing: pd.DataFrame) -> pd.Series:
    """By utterance the names, by lines."""
    bad = standing[standing["remark"] == BAD_AUDIO]
    return bad.groupby("utterance_id")["annotator"].agg("\n".join).rename("called_bad_by")
