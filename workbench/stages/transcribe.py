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

from workbench.errors import BadInput, UnreadableAudio
from workbench.jobs.local import Progress, in_parts, processors, silent
from workbench.stages.stage import Outcome, number, record_faults
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

    chosen = chosen_model(workspace, backend_name, model, parameters)
    with workspace.lock():
        inputs = audio_inputs(workspace)
        backend = load_backend(*chosen, workers or processors())
        run_id = run_name(backend)
        before = workspace.read("hypotheses")
        before = before[before["run_id"] == run_id]
        audio_before = dict(zip(before["utterance_id"], before["audio"], strict=True))
        missing = [row for row in inputs.itertuples() if audio_before.get(row.utterance_id) != row.audio]
        clips = [
            Clip(r.utterance_id, Path(r.path), number(r.start), number(r.end), number(r.duration)) for r in missing
        ]
        audio = dict(zip(inputs["utterance_id"], inputs["audio"], strict=True))
        done = set(before["utterance_id"]) & set(inputs["utterance_id"])
        run = run_row(workspace, run_id, backend)
        _record(workspace, run, done, finished=not missing)
        faults: list[dict[str, str]] = []
        seen = 0
        since = time.monotonic()
        for part in in_parts(backend.transcribe(clips) if clips else (), _PART_ROWS, _PART_SECONDS):
            rows = []
            for result in part:
                if isinstance(result, Failure):
                    fault = {"item": result.utterance_id, "location": result.location, "reason": result.reason}
                    faults.append({"stage": "transcribe", **fault})
                else:
                    rows.append(hypothesis_row(result, run_id, audio[result.utterance_id]))
            workspace.append("hypotheses", pd.DataFrame(rows))
            now = time.monotonic()
            run["wall_seconds"] += now - since
            run["audio_seconds"] += sum(row["audio_seconds"] for row in rows)
            since = now
            done |= {row["utterance_id"] for row in rows}
            _record(workspace, run, done, finished=False)
            seen += len(part)
            progress(seen, len(clips))
        if clips:
            _add_latency(workspace, run)
            _record(workspace, run, done, finished=True)
        recorded = record_faults(workspace, "transcribe", faults, run_id)
    counts = {
        "run_id": run_id,
        "utterances": len(inputs),
        "transcribed": len(clips) - len(recorded),
        "unchanged": len(inputs) - len(clips),
        "faults": len(recorded),
        "real_time_factor": run["real_time_factor"],
        "latency_p90": run["latency_p90"],
    }
    notes = [note] if (note := language_warning(workspace, backend.name, backend.model)) else []
    return Outcome("transcribe", counts, pd.DataFrame([counts]), recorded, notes)


def chosen_model(
    workspace: Workspace, backend: str | None, model: str | None, parameters: dict[str, Any] | None
) -> tuple[str, str, dict[str, Any]]:
    """Backend, model and parameters: the given ones, else those of the workspace's settings where these go together."""
    section = workspace.config.asr
    backend = backend or section.backend
    model = section.model if model is None and backend == section.backend else model
    if parameters is None:
        parameters = dict(section.parameters) if backend == section.backend else {}
    return backend, model or "", parameters


def language_warning(workspace: Workspace, backend: str, model: str) -> str | None:
    """A sentence for those who let the embedded English model hear another language."""
    from workbench.asr.pocketsphinx_backend import EMBEDDED_MODEL

    language = workspace.config.workspace.language
    if backend != "pocketsphinx" or language.lower().startswith("en") or model != EMBEDDED_MODEL:
        return None
    return (
        f"the embedded model knows US English only, and the workspace's language is {language!r}: its texts, rates and "
        "slices mean nothing; set backend and model under [asr] in workbench.toml"
    )


def run_name(backend: Any) -> str:
    """The run's id: backend, model and a hash of everything that decides the texts."""
    decides = json.dumps(
        [backend.name, backend.model, backend.revision, backend.parameters], sort_keys=True, ensure_ascii=False
    )
    model = "".join(c if c.isalnum() or c in "-." else "-" for c in Path(backend.model).name) or "model"
    return f"{backend.name}-{model}-{hashlib.sha256(decides.encode()).hexdigest()[:8]}"


def audio_inputs(workspace: Workspace) -> pd.DataFrame:
    """One row an utterance: utterance_id, path, start, end, duration, and audio, which changes when the audio does."""
    utterances = workspace.read("utterances")
    if utterances.empty:
        raise BadInput("the workspace has no utterances; add some with `workbench import MANIFEST`")
    quality = workspace.read("audio_quality").set_index("utterance_id")
    normalised = {row.Index: row for row in quality.itertuples()}
    return pd.DataFrame(
        [audio_input(workspace, row, normalised.get(row.utterance_id)) for row in utterances.itertuples()]
    )


def audio_input(workspace: Workspace, utterance: Any, normalised: Any) -> dict[str, Any]:
    """One row of `audio_inputs`, from the utterance's row and that of its audio quality, or None."""
    from workbench.audio.fingerprint import content_hash

    path = workspace.to_path(utterance.recording)
    start, end = number(utterance.start), number(utterance.end)
    try:
        content: str | None = content_hash(path, start, end)
    except (UnreadableAudio, OSError):
        content = None
    row = {"utterance_id": utterance.utterance_id, "start": None, "end": None}
    # A recording that is gone cannot have changed; one that has changed is not what was normalised.
    if normalised is not None and content in (normalised.content_hash, None):
        row |= {"path": str(workspace.to_path(normalised.output)), "duration": normalised.duration}
        return row | {"audio": f"{normalised.samples_hash}/{normalised.settings}"}
    row |= {"path": str(path), "start": start, "end": end, "duration": utterance.duration}
    return row | {"audio": f"recording/{content}"}


def run_row(workspace: Workspace, run_id: str, backend: Any) -> dict[str, Any]:
    """The run's row as it stands, or that of a run which has not begun."""
    runs = workspace.read("runs")
    known = runs[runs["run_id"] == run_id]
    if len(known):
        return dict(known.iloc[0])
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
        "audio_seconds": 0.0,
        "latency_p90": None,
    }


def _record(workspace: Workspace, run: dict[str, Any], done: set[str], finished: bool) -> None:
    """Write down how far the run has come, its times included, so that a killed session's are not lost."""
    measured = run["wall_seconds"] and run["audio_seconds"]
    run["real_time_factor"] = run["wall_seconds"] / run["audio_seconds"] if measured else None
    run |= {"utterances": len(done), "finished": finished}
    workspace.append("runs", pd.DataFrame([run]))


def _add_latency(workspace: Workspace, run: dict[str, Any]) -> None:
    hypotheses = workspace.read("hypotheses")
    latency = hypotheses["compute_seconds"][hypotheses["run_id"] == run["run_id"]].dropna()
    if len(latency):
        quantiles = latency.quantile([0.5, 0.9, 0.99])
        run |= dict(zip(("latency_p50", "latency_p90", "latency_p99"), quantiles, strict=True))


def hypothesis_row(result: Any, run_id: str, audio: str) -> dict[str, Any]:
    """What a model heard, as the table of hypotheses has it."""
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
