"""The main job: every stage in the usual order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from workbench.jobs.local import Progress
from workbench.stages.backlog import backlog
from workbench.stages.check import check
from workbench.stages.duplicates import duplicates
from workbench.stages.normalize import normalize
from workbench.stages.score import score_runs
from workbench.stages.stage import Outcome
from workbench.stages.suspects import suspects
from workbench.stages.transcribe import transcribe
from workbench.workspace import Workspace


def run_stages(
    workspace: Workspace,
    workers: int | None,
    progress: Callable[[str], AbstractContextManager[Progress]],
    on_outcome: Callable[[Outcome], None],
) -> str:
    """Normalise, find duplicates, transcribe, score, check, rank suspects, slices and fixes; returns the id of the run.

    Each stage does only what is missing, so that a run that was stopped goes on where it was.

    Raises:
        WorkbenchError: a stage cannot do its work at all; single items that fail are faults.
    """
    with progress("normalize") as shown:
        on_outcome(normalize(workspace, workers, shown))
    with progress("duplicates") as shown:
        on_outcome(duplicates(workspace, workers, shown))
    with progress("transcribe") as shown:
        outcome = transcribe(workspace, workers=workers, progress=shown)
    on_outcome(outcome)
    run_id = str(outcome.counts["run_id"])
    for stage in (score_runs, check, suspects, backlog):
        on_outcome(stage(workspace, run_id))
    return run_id
