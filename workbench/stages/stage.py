"""What every stage returns: counts and a table for people, and the faults that it wrote down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from workbench.tables import FAULTS
from workbench.workspace import Workspace


@dataclass
class Outcome:
    """The result of a stage: its counts, the table to show, the faults, and notes in whole sentences."""

    stage: str
    counts: dict[str, Any]
    table: pd.DataFrame
    faults: pd.DataFrame = field(default_factory=FAULTS.empty)
    notes: list[str] = field(default_factory=list)
    kept: bool = True
    "Whether the faults stand in the workspace's table too."


def faults_frame(faults: list[dict[str, str]]) -> pd.DataFrame:
    """Faults as the table has them, repeated ones once."""
    if not faults:
        return FAULTS.empty()
    # File names need not be UTF-8; tables must.
    rows = [{name: _as_unicode(value) for name, value in fault.items()} for fault in faults]
    return pd.DataFrame(rows, columns=FAULTS.names).drop_duplicates(ignore_index=True)


def _as_unicode(text: str) -> str:
    return str(text).encode("utf-8", "replace").decode("utf-8")


def number(value: Any) -> float | None:
    """A number of a table as a float; None where it is missing."""
    return None if pd.isna(value) else float(value)


def record_faults(workspace: Workspace, stage: str, faults: list[dict[str, str]], subject: str = "") -> pd.DataFrame:
    """Write down the faults of a stage on a subject (a manifest, a run), in place of those of the time before."""
    frame = faults_frame(faults)
    workspace.snapshot("faults", frame, stage=stage, subject=subject)
    return frame
