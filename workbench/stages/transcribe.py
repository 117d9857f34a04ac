"""Audio to hypotheses, in a run that can be killed and taken up again."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.errors import BadInput
from workbench.jobs.local import Progress, in_parts, processors, silent
from workbench.stages.stage import Outcome, record_faults
from workbench.workspace import Workspace

_PART_ROWS, _PART_SECONDS = 64, 10.0


def transcribe(
    workspace: Workspace,
    backend_name: str | None = None,
    model: str | None = None,
    parameters: dict[str, Any] | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Transcribe what the run lacks: utterances that are new, or whose audio has changed.

    A run is a backend, a model, its revision and its parameters: the same ones take up the same run. The audio is
    the normalised one where there is one, else the recording.

    Raises:
        BadInput: there are no utterances, or a parameter is not known.
        BackendUnavailable: the model cannot be loaded here.
    """
    from workbench.asr.backend import Clip, Failure, load_backend

    section = workspace.config.asr
    backend_name = backend_name or section.backend
    model = section.model if model is None and backend_name == section.backend else model
    if parameters is None:
        parameters = dict(section.parameters) if backend_name == section.backend else {}
    with workspace.lock():
        inputs = _inputs(workspace)
        backend = load_backend(backend_name, model or "", parameters, workers or processors())
        run_id = run_name(backend)
        before = workspace.read("hypotheses")
        before = before[before["run_id"] == run_id]
        audio_before = dict(zip(before["utterance_id"], before["audio"], strict=True))
        missing = [row for row in inputs.itertuples() if audio_before.get(row.utterance_id) != row.audio]
        run = _run_row(workspace, run_id, backend)
        _record_run(workspace, run, before, len(inputs), finished=not missing)
        clips = [Clip(r.utterance_id, Path(r.path), _none(r.start), _none(r.end), _none(r.duration)) for r in missing]
        audio = dict(zip(inputs["utterance_id"], inputs["audio"], strict=True))
        faults: list[dict[str, str]] = []
        done = 0
        since = time.monotonic()
        for part in in_parts(backend.transcribe(clips) if clips else (), _PART_ROWS, _PART_SECONDS):
            rows = []
            for result in part:
                if isinstance(result, Failure):
                    fault = {"item": result.utterance_id, "location": result.location, "reason": result.reason}
                    faults.append({"stage": "transcribe", **fault})
                else:
                    rows.append(_hypothesis_row(result, run_id, audio[result.utterance_id]))
            workspace.append("hypotheses", pd.DataFrame(rows))
            now = time.monotonic()
            run["wall_seconds"] += now - since
            since = now
            done += len(part)
            progress(done, len(clips))
        after = workspace.read("hypotheses")
        after = after[after["run_id"] == run_id]
        run = _record_run(workspace, run, after, len(inputs), finished=True)
        recorded = record_faults(workspace, "transcribe", faults)
    counts = {
        "run_id": run_id,
        "utterances": len(inputs),
        "transcribed": len(clips) - len(recorded),
        "unchanged": len(inputs) - len(clips),
        "faults": len(recorded),
        "real_time_factor": run["real_time_factor"],
        "latency_p90": run["latency_p90"],
    }
    return Outcome("transcribe", counts, pd.DataFrame([counts]), recorded)


def run_name(backend: Any) -> str:
    """The run's id: backend, model and a hash of everything that decides the texts."""
    decides = json.dumps(
        [backend.name, backend.model, backend.revision, backend.parameters], sort_keys=True, ensure_ascii=False
    )
    model = "".join(c if c.isalnum() or c in "-." else "-" for c in Path(backend.model).name) or "model"
    return f"{backend.name}-{model}-{hashlib.sha256(decides.encode()).hexdigest()[:8]}"


def _inputs(workspace: Workspace) -> pd.DataFrame:
    """One row an utterance: utterance_id, path, start, end, duration and the audio's hash."""
    utterances = workspace.read("utterances")
    if utterances.empty:
        raise BadInput("the workspace has no utterances; add some with `workbench import MANIFEST`")
    quality = workspace.read("audio_quality")[["utterance_id", "samples_hash", "settings", "output", "duration"]]
    quality = quality.rename(columns={"duration": "measured"})
    merged = utterances.merge(quality, on="utterance_id", how="left")
    normalised = merged["output"].notna()
    return pd.DataFrame(
        {
            "utterance_id": merged["utterance_id"],
            "path": [
                str(workspace.to_path(output if there else recording))
                for output, recording, there in zip(merged["output"], merged["recording"], normalised, strict=True)
            ],
            "start": merged["start"].where(~normalised),
            "end": merged["end"].where(~normalised),
            "duration": merged["measured"].where(normalised, merged["duration"]),
            "audio": [
                f"{samples}/{settings}" if there else ""
                for samples, settings, there in zip(merged["samples_hash"], merged["settings"], normalised, strict=True)
            ],
        }
    )


def _none(value: Any) -> Any:
    return None if pd.isna(value) else float(value)


def _run_row(workspace: Workspace, run_id: str, backend: Any) -> dict[str, Any]:
    runs = workspace.read("runs")
    known = runs[runs["run_id"] == run_id]
    if len(known):
        row = known.iloc[0].to_dict()
        row["wall_seconds"] = 0.0 if pd.isna(row["wall_seconds"]) else row["wall_seconds"]
        return row
    return {
        "run_id": run_id,
        "backend": backend.name,
        "model": backend.model,
        "revision": backend.revision,
        "parameters": json.dumps(backend.parameters, sort_keys=True, ensure_ascii=False),
        "device": backend.device,
        "library_versions": json.dumps(backend.library_versions, sort_keys=True),
        "started_at": datetime.now(UTC),
        "wall_seconds": 0.0,
    }


def _record_run(
    workspace: Workspace, run: dict[str, Any], hypotheses: pd.DataFrame, total: int, finished: bool
) -> dict[str, Any]:
    seconds = float(hypotheses["audio_seconds"].sum())
    latency = hypotheses["compute_seconds"].dropna()
    quantiles = latency.quantile([0.5, 0.9, 0.99]) if len(latency) else [None] * 3
    row = dict(run)
    row |= {
        "utterances": len(hypotheses),
        "audio_seconds": seconds,
        "real_time_factor": run["wall_seconds"] / seconds if seconds and run["wall_seconds"] else None,
        "finished": finished,
    }
    row |= dict(zip(("latency_p50", "latency_p90", "latency_p99"), quantiles, strict=True))
    workspace.append("runs", pd.DataFrame([row]))
    return row


def _hypothesis_row(result: Any, run_id: str, audio: str) -> dict[str, Any]:
    return {
        "utterance_id": result.utterance_id,
        "run_id": run_id,
        "text": result.text,
        "confidence": result.confidence,
        "words": None if result.words is None else [asdict(word) for word in result.words],
        "audio": audio,
        "audio_seconds": result.audio_seconds,
        "compute_seconds": result.compute_seconds,
    }
