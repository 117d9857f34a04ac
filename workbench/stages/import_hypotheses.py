"""Another recogniser's texts as a run."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.stage import Outcome, record_faults
from workbench.workspace import Workspace


def import_hypotheses(workspace: Workspace, path: Path, run_id: str, model: str) -> Outcome:
    """Import a file of utterance ids and texts as the hypotheses of a run; run again, it replaces changed texts.

    Rows that cannot be used, and ids that the workspace does not have, are faults.

    Raises:
        BadInput: the file cannot be read, or the run was made by a backend here.
    """
    from workbench.manifests.faults import Faults
    from workbench.manifests.transcripts import read_hypotheses

    # Reports lie in a directory of this name.
    if not re.fullmatch(r"[\w-][\w.-]{0,99}", run_id):
        raise BadInput(f"{run_id!r} cannot name a run; use up to 100 letters, digits, `-`, `_` and `.`")
    bad = Faults()
    given = read_hypotheses(path, faults=bad)
    with workspace.lock():
        runs = workspace.read("runs")
        if ((runs["run_id"] == run_id) & (runs["backend"] != "imported")).any():
            raise BadInput(f"run {run_id!r} was made by a backend here; give the imported hypotheses another name")
        known = given["utterance_id"].isin(workspace.read("utterances")["utterance_id"])
        if not known.any():
            raise BadInput(f"{path}: none of its {len(given)} ids is an utterance of the workspace; compare the ids")
        faults = [{**fault, "stage": "import-hypotheses"} for fault in bad.rows]
        faults += [
            {
                "stage": "import-hypotheses",
                "item": utterance_id,
                "location": str(path),
                "reason": "the workspace has no utterance of this id; import its manifest first or correct the id",
            }
            for utterance_id in given["utterance_id"][~known]
        ]
        rows = given[known]
        hypotheses = pd.DataFrame(
            {"utterance_id": rows["utterance_id"], "run_id": run_id, "text": rows["hypothesis"], "audio": ""}
        )
        if "confidence" in rows:
            hypotheses["confidence"] = pd.to_numeric(rows["confidence"], errors="coerce").clip(0, 1)
        workspace.append("hypotheses", hypotheses)
        stored = workspace.read("hypotheses")
        earlier = runs["started_at"][runs["run_id"] == run_id]
        run = {
            "run_id": run_id,
            "backend": "imported",
            "model": model,
            "parameters": "{}",
            "started_at": earlier.iloc[0] if len(earlier) else datetime.now(UTC),
            "utterances": int((stored["run_id"] == run_id).sum()),
            "finished": True,
        }
        workspace.append("runs", pd.DataFrame([run]))
        recorded = record_faults(workspace, "import-hypotheses", faults, run_id)
    counts = {"run_id": run_id, "hypotheses": len(hypotheses), "faults": len(recorded)}
    return Outcome("import-hypotheses", counts, pd.DataFrame([counts]), recorded)
