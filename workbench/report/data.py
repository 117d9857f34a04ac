"""What a report shows: tables and figures that others computed, gathered in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.tables import (
    AUDIO_QUALITY,
    BACKLOG,
    CONFLICTS,
    CONFUSIONS,
    CONVENTIONS,
    DUPLICATES,
    FAULTS,
    FLAGS,
    RULE_SUMMARY,
    RUNS,
    SLICES,
    SUSPECTS,
)

PLANTED_COLUMNS = ("kind", "planted", "found", "missed", "other_flags")
OVERALL_KEYS = (
    "utterances",
    "speakers",
    "audio_seconds",
    "ref_words",
    "substitutions",
    "deletions",
    "insertions",
    "wer",
    "wer_low",
    "wer_high",
    "cer",
    "scoring",
    "resampled",
)


@dataclass(frozen=True)
class Target:
    """One metric of the scope, what it should reach, and whether it does.

    `unit` says how `value` and `threshold` are shown: `rate` for fractions (shown in %), `s` for seconds, any other
    text is set behind the number. `met` is None where the metric was not measured. `optimise` marks the metric that
    the team optimises; the others only have to pass.
    """

    name: str
    value: float | None
    threshold: float | None
    unit: str
    met: bool | None
    optimise: bool = False


@dataclass(frozen=True)
class WorstUtterance:
    """One utterance with many errors: its texts, its alignment over normalised words, and its audio file."""

    utterance_id: str
    speaker: str | None
    reference: str
    hypothesis: str
    wer: float | None
    errors: int
    alignment: Sequence[tuple[str, str, str]]
    "Steps (op, reference, hypothesis); op is equal, substitute, delete or insert, the absent side is empty text."
    audio: Path | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportData:
    """Everything that a report shows; each frame has the columns of its table in `workbench.tables`."""

    title: str
    workspace: str
    created_at: datetime
    language: str = ""
    targets: Sequence[Target] = ()
    run: Mapping[str, Any] = field(default_factory=dict)
    "The row of table runs that the report is about; empty when nothing was transcribed."
    overall: Mapping[str, Any] = field(default_factory=dict)
    "The keys of OVERALL_KEYS; empty when nothing was scored."
    quality: pd.DataFrame = field(default_factory=AUDIO_QUALITY.empty)
    quality_tags: pd.DataFrame = field(default_factory=pd.DataFrame)
    "Indexed by utterance_id, one column a tag; shown as counts of values."
    conflicts: pd.DataFrame = field(default_factory=CONFLICTS.empty)
    suspects: pd.DataFrame = field(default_factory=SUSPECTS.empty)
    duplicates: pd.DataFrame = field(default_factory=DUPLICATES.empty)
    splits: Mapping[str, str] = field(default_factory=dict)
    "The split of each utterance that has one: a recording in two of them is worth knowing."
    conventions: pd.DataFrame = field(default_factory=CONVENTIONS.empty)
    rule_summary: pd.DataFrame = field(default_factory=RULE_SUMMARY.empty)
    flags: pd.DataFrame = field(default_factory=FLAGS.empty)
    slices: pd.DataFrame = field(default_factory=SLICES.empty)
    confusions: pd.DataFrame = field(default_factory=CONFUSIONS.empty)
    backlog: pd.DataFrame = field(default_factory=BACKLOG.empty)
    faults: pd.DataFrame = field(default_factory=FAULTS.empty)
    worst: Sequence[WorstUtterance] = ()
    planted: pd.DataFrame | None = None
    "Only for a corpus whose problems are known: the columns of PLANTED_COLUMNS."
    planted_note: str = ""
    notes: Sequence[str] = ()


def report_tables(data: ReportData) -> dict[str, pd.DataFrame]:
    """The report's tables by name, as its JSON and CSV hold them: the workspace's tables, then the report's own."""
    tables = {
        "runs": pd.DataFrame([dict(data.run)] if data.run else [], columns=RUNS.names),
        "audio_quality": data.quality,
        "flags": data.flags,
        "conflicts": data.conflicts,
        "suspects": data.suspects,
        "duplicates": data.duplicates,
        "conventions": data.conventions,
        "rule_summary": data.rule_summary,
        "slices": data.slices,
        "confusions": data.confusions,
        "backlog": data.backlog,
        "faults": data.faults,
        "targets": pd.DataFrame(
            [(t.name, t.value, t.threshold, t.unit, t.met, t.optimise) for t in data.targets],
            columns=["name", "value", "threshold", "unit", "met", "optimise"],
        ),
        "overall": pd.DataFrame([dict(data.overall)] if data.overall else [], columns=list(OVERALL_KEYS)),
        "quality_tags": data.quality_tags.rename_axis("utterance_id").reset_index(),
        "worst": pd.DataFrame(
            [
                {
                    "utterance_id": one.utterance_id,
                    "speaker": one.speaker,
                    "reference": one.reference,
                    "hypothesis": one.hypothesis,
                    "wer": one.wer,
                    "errors": one.errors,
                    "alignment": [dict(zip(("op", "reference", "hypothesis"), s, strict=True)) for s in one.alignment],
                    "tags": dict(one.tags),
                }
                for one in data.worst
            ],
            columns=["utterance_id", "speaker", "reference", "hypothesis", "wer", "errors", "alignment", "tags"],
        ),
    }
    if data.planted is not None:
        tables["planted"] = data.planted
    return tables
