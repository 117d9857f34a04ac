"""What the page shows of labels: the most suspect transcripts, copies of recordings, the rules and their reviewers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from workbench.report.data import ReportData
from workbench.report.views import GROUPS_SHOWN, Row, Shown, rows

SUSPECTS_SHOWN = 20


def suspects_view(data: ReportData) -> Shown:
    """The transcripts that are most likely wrong, first the worst; those that nothing could judge are left out."""
    judged = data.suspects[data.suspects["score"].notna()]
    return rows(judged.sort_values("score", ascending=False, kind="stable"), "suspects", SUSPECTS_SHOWN)


@dataclass(frozen=True)
class Copies:
    """Utterances that are one recording, how their copies were made, and the splits that they stand in."""

    members: list[tuple[str, str | None]]
    "Each utterance with its split, None where it has none."
    kinds: list[str]
    similarity: float
    "The lowest of their correlations, 0 to 1."
    splits: list[str]


@dataclass(frozen=True)
class Part:
    """An utterance that is a part of another, and where in it it begins (s)."""

    utterance: tuple[str, str | None]
    whole: tuple[str, str | None]
    similarity: float
    offset: float


@dataclass(frozen=True)
class Duplicates:
    """The groups of copies and the parts of others; the groups that stand in several splits come first."""

    groups: Shown
    parts: Shown
    copies: int
    "Utterances more than there are recordings."
    across: int
    "Groups of copies, and parts with their wholes, that stand in several splits."


def duplicates_view(data: ReportData) -> Duplicates:
    """Copies by group, and parts of others."""
    pairs, splits = data.duplicates, data.splits
    groups = [_copies(part, splits) for _, part in pairs[pairs["group"].notna()].groupby("group", sort=False)]
    groups.sort(key=lambda group: (-len(group.splits), -len(group.members)))
    parts = [
        Part(
            (str(row.utterance_id), splits.get(str(row.utterance_id))),
            (str(row.other_id), splits.get(str(row.other_id))),
            float(row.similarity),
            float(row.offset),
        )
        for row in pairs[pairs["group"].isna()].itertuples()
    ]
    parted = [part for part in parts if _apart(part)]
    parts.sort(key=lambda part: not _apart(part))
    return Duplicates(
        Shown(groups[:GROUPS_SHOWN], len(groups), "tables/duplicates.csv"),
        Shown(parts[:GROUPS_SHOWN], len(parts), "tables/duplicates.csv"),
        sum(len(group.members) - 1 for group in groups),
        sum(len(group.splits) > 1 for group in groups) + len(parted),
    )


def _apart(part: Part) -> bool:
    return None not in (part.utterance[1], part.whole[1]) and part.utterance[1] != part.whole[1]


def _copies(pairs: pd.DataFrame, splits: Mapping[str, str]) -> Copies:
    ids = sorted({str(one) for one in [*pairs["utterance_id"], *pairs["other_id"]]})
    return Copies(
        [(one, splits.get(one)) for one in ids],
        sorted({str(kind) for kind in pairs["kind"]}),
        float(pairs["similarity"].min()),
        sorted({splits[one] for one in ids if one in splits}),
    )


@dataclass(frozen=True)
class RulesView:
    """The rules that found something, most flags first, and those that found nothing."""

    found: Shown
    quiet: list[Row]
    judged: bool
    "Whether a reviewer has judged any flag: without, there is no precision to show."


def rules_view(data: ReportData) -> RulesView:
    """The rules, by what they found; each row with `judged`, the number of verdicts on its flags."""
    table = rows(data.rule_summary, "rule_summary")
    for row in table.rows:
        row["judged"] = int((row["accepted"] or 0) + (row["rejected"] or 0))
    quiet = [row for row in table.rows if not (row["flags"] or row["faults"] or row["judged"])]
    found = sorted((row for row in table.rows if row not in quiet), key=lambda row: -row["flags"])
    total = table.total - len(quiet)
    return RulesView(Shown(found, total, table.file), quiet, any(row["judged"] for row in table.rows))
