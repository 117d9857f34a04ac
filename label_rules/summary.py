"""One row a rule: what it flagged, what it had no opinion on, how often it crashed, and what reviewers say."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from label_rules.rule import Rule
from label_rules.verdicts import with_verdicts

_COLUMNS = [
    "rule_id",
    "reason",
    "flags",
    "transcripts",
    "coverage",
    "abstained",
    "overlaps",
    "faults",
    "needs",
    "conflicts",
]
_NO_VERDICTS = pd.DataFrame({"rule_id": [], "verdict": []}, dtype="str")


def summarize(
    rules: Sequence[Rule], flags: pd.DataFrame, transcripts: int, abstained: dict[str, int], faults: dict[str, int]
) -> pd.DataFrame:
    """The table rule_summary, given the flags, how many transcripts there are, and counts by rule id.

    It knows no verdicts yet; `label_rules.verdicts.with_verdicts` adds them.
    """
    flagged = flags[["rule_id", "utterance_id", "annotator"]].drop_duplicates()
    by_rules = flagged.groupby(["utterance_id", "annotator"])["rule_id"].transform("size")
    flag_counts = flags["rule_id"].value_counts()
    transcript_counts = flagged["rule_id"].value_counts()
    overlap_counts = flagged["rule_id"][by_rules > 1].value_counts()
    conflict_counts = conflicting(flags)
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
                ", ".join(rule.needs),
                int(conflict_counts.get(rule.rule_id, 0)),
            )
        )
    return with_verdicts(pd.DataFrame(rows, columns=_COLUMNS), _NO_VERDICTS)


def conflicting(flags: pd.DataFrame) -> pd.Series:
    """By rule id the transcripts where another rule suggests another text for characters that both flag.

    A span of no characters overlaps those that it stands in or beside.
    """
    key = ["utterance_id", "annotator"]
    suggesting = flags.loc[flags["suggestion"].notna(), [*key, "rule_id", "start", "end", "suggestion"]]
    # Most transcripts have one suggestion only; these need no comparison.
    several = suggesting.groupby(key)["suggestion"].transform("nunique") > 1
    suggesting = suggesting[several]
    if suggesting.empty:
        return pd.Series(dtype=int)
    pairs = suggesting.merge(suggesting, on=key, suffixes=("", "_other"))
    empty = (pairs["start"] == pairs["end"]) | (pairs["start_other"] == pairs["end_other"])
    overlap = pairs[["end", "end_other"]].min(axis=1) - pairs[["start", "start_other"]].max(axis=1)
    differ = (pairs["rule_id"] != pairs["rule_id_other"]) & (pairs["suggestion"] != pairs["suggestion_other"])
    found = pairs[differ & ((overlap > 0) | (empty & (overlap == 0)))]
    return found[["rule_id", *key]].drop_duplicates()["rule_id"].value_counts()
