"""Another recogniser's texts as a run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.stage import Outcome, record_faults
from workbench.workspace import Workspace

_TEXT_COLUMNS = ("hypothesis", "pred_text", "text")


def import_hypotheses(workspace: Workspace, path: Path, run_id: str, model: str) -> Outcome:
    """Import a file of utterance ids and texts as the hypotheses of a run; run again, it replaces changed texts.

    Raises:
        BadInput: the file cannot be read, or the run was made by a backend here.
    """
    from workbench.manifests.transcripts import read_transcripts

    given = read_transcripts(path)
    column = next((name for name in _TEXT_COLUMNS if name in given.columns), None)
    if column is None:
        raise BadInput(
            f"{path}: found the columns {', '.join(given.columns)}; expected one of {', '.join(_TEXT_COLUMNS)}"
        )
    with workspace.lock():
        runs = workspace.read("runs")
        if ((runs["run_id"] == run_id) & (runs["backend"] != "imported")).any():
            raise BadInput(f"run {run_id!r} was made by a backend here; give the imported hypotheses another name")
        known = given["utterance_id"].isin(workspace.read("utterances")["utterance_id"])
        faults = [
            {
                "stage": "import-hypotheses",
                "item": utterance_id,
                "location": str(path),
                "reason": "the workspace has no utterance of this id; import its manifest first or correct the id",
            }
            for utterance_id in given["utterance_id"][~known]
        ]
        rows = given[known].drop_duplicates("utterance_id", keep="last")
        hypotheses = pd.DataFrame(
            {"utterance_id": rows["utterance_id"], "run_id": run_id, "text": rows[column].fillna(""), "audio": ""}
        )
        if "confidence" in rows:
            hypotheses["confidence"] = pd.to_numeric(rows["confidence"], errors="coerce").clip(0, 1)
        run = {
            "run_id": run_id,
            "backend": "imported",
            "model": model,
            "parameters": "{}",
            "started_at": datetime.now(UTC),
            "utterances": len(hypotheses),
            "finished": True,
        }
        workspace.append("runs", pd.DataFrame([run]))
        workspace.append("hypotheses", hypotheses)
        recorded = record_faults(workspace, "import-hypotheses", faults)
    counts = {"run_id": run_id, "hypotheses": len(hypotheses), "faults": len(recorded)}
    return Outcome("import-hypotheses", counts, pd.DataFrame([counts]), recorded)
