"""The main job on the bundled corpus, in a workspace of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from workbench.config import CONFIG_NAME, config_text
from workbench.errors import BadInput
from workbench.jobs.local import Progress
from workbench.stages.import_manifest import import_manifest
from workbench.stages.normalize import normalize
from workbench.stages.score import score_runs
from workbench.stages.stage import Outcome
from workbench.stages.transcribe import transcribe
from workbench.stages.whole import run_stages
from workbench.workspace import Workspace

NOTE = (
    "The demo corpus is synthetic: speech synthesisers, not people, speak it. It shows what the workbench does; "
    "its figures say nothing about any recogniser."
)
LANGUAGE_WEIGHTS = (4.0, 9.0)
"""Settings of pocketsphinx's `lw` tried beside its default, so that there is a spread of runs to judge tuning by."""


def demo(
    directory: Path,
    workers: int | None,
    progress: Callable[[str], AbstractContextManager[Progress]],
    on_outcome: Callable[[Outcome], None],
) -> tuple[Workspace, str]:
    """Copy the corpus into a new workspace and run every stage; returns the workspace and the run's id.

    Run again, it goes on where it was.

    Raises:
        BadInput: the directory holds something other than a demo workspace.
    """
    workspace = _demo_workspace(directory)
    on_outcome(import_manifest(workspace, workspace.root / "corpus" / "manifest.csv"))
    with progress("normalize") as shown:
        on_outcome(normalize(workspace, workers, shown))
    for weight in LANGUAGE_WEIGHTS:
        with progress(f"transcribe with lw={weight:g}, for comparison") as shown:
            on_outcome(transcribe(workspace, parameters={"lw": weight}, workers=workers, progress=shown))
    on_outcome(score_runs(workspace))
    return workspace, run_stages(workspace, workers, progress, on_outcome)


def _demo_workspace(directory: Path) -> Workspace:
    from workbench.demo.corpus import CORPUS

    if (directory / CONFIG_NAME).is_file():
        workspace = Workspace.open(directory)
        if not workspace.config.workspace.planted:
            raise BadInput(f"{directory} is a workspace of yours; give the demo a new directory")
    elif directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadInput(f"{directory} is there already; give the demo a new directory")
    else:
        text = config_text("demo", "en", 0.2, NOTE, "corpus/planted.csv")
        workspace = Workspace.create(directory, text)
    shutil.copytree(CORPUS, workspace.root / "corpus", dirs_exist_ok=True)
    return workspace
