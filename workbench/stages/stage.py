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
    table: pd.DataFrame | None = None
    faults: pd.DataFrame = field(default_factory=FAULTS.empty)
    notes: list[str] = field(default_factory=list)


def faults_frame(faults: list[dict[str, str]]) -> pd.DataFrame:
    """Faults as the table has them, repeated ones once."""
    if not faults:
        return FAULTS.empty()
    return pd.DataFrame(faults, columns=FAULTS.names).drop_duplicates(ignore_index=True)


def record_faults(workspace: Workspace, stage: str, faults: list[dict[str, str]]) -> pd.DataFrame:
    """Write the stage's faults down in place of those of its run before, and return them."""
    frame = faults_frame(faults)
    workspace.snapshot("faults", frame, stage=stage)
    return frame
