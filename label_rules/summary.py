"""One row a rule: what it flagged, what it had no opinion on, and how often it crashed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from label_rules.rule import Rule

_COLUMNS = ["rule_id", "reason", "flags", "transcripts", "coverage", "abstained", "overlaps", "faults"]


def summarize(
    rules: Sequence[Rule], flags: pd.DataFrame, transcripts: int, abstained: dict[str, int], faults: dict[str, int]
) -> pd.DataFrame:
    """The table rule_summary, given the flags, how many transcripts there are, and counts by rule id."""
    flagged = flags[["rule_id", "utterance_id", "annotator"]].drop_duplicates()
    by_rules = flagged.groupby(["utterance_id", "annotator"])["rule_id"].transform("size")
    flag_counts = flags["rule_id"].value_counts()
    transcript_counts = flagged["rule_id"].value_counts()
    overlap_counts = flagged["rule_id"][by_rules > 1].value_counts()
    rows = []
    for rule in rules:
        of_rule = int(transcript_counts.get(rule.rule_id, 0))
        rows.append(
            (
                rule.rule_id,
                rule.reason,
                int(flag_counts.get(rule.rule_id, 0)),
                of_rule,
                of_rule / transcripts if transcripts else 0.0,
                abstained.get(rule.rule_id, 0),
                int(overlap_counts.get(rule.rule_id, 0)),
                faults.get(rule.rule_id, 0),
            )
        )
    return pd.DataFrame(rows, columns=_COLUMNS)
