"""Every annotator's current label aligned with the audio by a CTC model, in a job that can be killed and taken up."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.errors import BadInput
from workbench.jobs.local import Progress, in_parts, processors, silent
from workbench.stages.stage import Outcome, number, record_faults
from workbench.stages.transcribe import audio_inputs, run_name
from workbench.transcripts import current_transcripts
from workbench.workspace import Workspace

_PART_ROWS, _PART_SECONDS = 64, 10.0
NO_SOUND = "no_sound"


def align_labels(
    workspace: Workspace,
    backend_name: str | None = None,
    model: str | None = None,
    parameters: dict[str, Any] | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Align what the model has not: labels that are new or have changed, and those whose audio has changed.

    The model, its revision and its parameters make the aligner's id. The audio is the normalised one where there is
    one, else the recording.

    Raises:
        BadInput: there are no labels, the backend or the model is no CTC model, or a parameter is not known.
        BackendUnavailable: the model cannot be loaded here.
    """
    from workbench.asr.backend import Clip, Failure
    from workbench.asr.label_aligner import load_aligner

    section = workspace.config.asr
    backend_name = backend_name or ("transformers" if model else section.backend)
    own = backend_name == section.backend
    model = section.model if model is None and own else model
    parameters = dict(section.parameters) if parameters is None and own else parameters
    with workspace.lock():
        labels = current_transcripts(workspace.read("transcripts"))[["utterance_id", "annotator", "text"]]
        if labels.empty:
            raise BadInput("the workspace has no transcripts; add some with `workbench import MANIFEST`")
        aligner = load_aligner(backend_name, model or "", parameters, workers or processors())
        name = run_name(aligner.backend)
        labels = labels.merge(audio_inputs(workspace), on="utterance_id")
        missing = _missing(labels, workspace.read("label_scores"), name)
        clips = [
            Clip(r.utterance_id, Path(r.path), number(r.start), number(r.end), number(r.duration))
            for r in missing.drop_duplicates("utterance_id").itertuples()
        ]
        texts: dict[str, list[str]] = defaultdict(list)
        wanted: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in missing.itertuples():
            if (row.utterance_id, row.text) not in wanted:
                texts[row.utterance_id].append(row.text)
            wanted[row.utterance_id, row.text].append(row)
        faults: list[dict[str, str]] = []
        outcomes: dict[str, int] = defaultdict(int)
        seen = 0
        for part in in_parts(aligner.align(clips, texts) if clips else (), _PART_ROWS, _PART_SECONDS):
            rows = []
            for result in part:
                if isinstance(result, Failure):
                    fault = {"item": result.utterance_id, "location": result.location, "reason": result.reason}
                    faults.append({"stage": "align-labels", **fault})
                    seen += sum(len(wanted[result.utterance_id, text]) for text in texts[result.utterance_id])
                    continue
                rows += [_row(result, row, name) for row in wanted[result.utterance_id, result.text]]
            workspace.append("label_scores", pd.DataFrame(rows))
            for row in rows:
                outcomes[row["outcome"]] += 1
            seen += len(rows)
            progress(seen, len(missing))
        recorded = record_faults(workspace, "align-labels", faults, name)
    counts = {
        "aligner": name,
        "labels": len(labels),
        "aligned": sum(outcomes.values()),
        "unchanged": len(labels) - len(missing),
        "faults": len(recorded),
    }
    return Outcome("align-labels", counts, pd.DataFrame([counts]), recorded, _notes(outcomes))


def aligned_labels(workspace: Workspace) -> pd.DataFrame:
    """What the rules see of the label scores: utterance_id, annotator, text, label_score and word_scores.

    One row a text and annotator, of the aligner that was used last: scores of different models do not compare. Those of
    audio that has changed since, as far as it was measured again, are left out.
    `word_scores` holds (start, end, score, heard) of words and of gaps, whose start and end are equal.
    """
    scores = workspace.read("label_scores")
    if len(scores):
        scores = scores[scores["aligner"] == scores["aligner"][scores["created_at"].idxmax()]]
        scores = scores[_of_todays_audio(scores, workspace.read("audio_quality"))]
    word_scores = [
        [(word["start"], word["end"], word["score"], word["heard"]) for word in words if not pd.isna(word["score"])]
        + [(gap["at"], gap["at"], gap["score"], gap["heard"]) for gap in gaps]
        for words, gaps in zip(scores["words"], scores["gaps"], strict=True)
    ]
    named = scores[["utterance_id", "annotator", "text", "label_score"]].reset_index(drop=True)
    return named.assign(word_scores=pd.Series(word_scores, dtype=object))


def _of_todays_audio(scores: pd.DataFrame, quality: pd.DataFrame) -> pd.Series:
    """Whether each score's audio is what `audio_quality` has measured, in whatever settings, or was never measured."""
    measured = scores[["utterance_id", "audio"]].merge(quality, on="utterance_id", how="left").set_index(scores.index)
    samples = measured["audio"].str.rpartition("/")[0]
    same: pd.Series = (samples == measured["samples_hash"]) | (
        measured["audio"] == "recording/" + measured["content_hash"]
    )
    return same | measured["samples_hash"].isna()


def _missing(labels: pd.DataFrame, before: pd.DataFrame, aligner: str) -> pd.DataFrame:
    before = before[before["aligner"] == aligner]
    known = dict(
        zip(zip(before["utterance_id"], before["annotator"], before["text"], strict=True), before["audio"], strict=True)
    )
    keys = zip(labels["utterance_id"], labels["annotator"], labels["text"], strict=True)
    return labels[[known.get(key) != audio for key, audio in zip(keys, labels["audio"], strict=True)]]


def _row(result: Any, label: Any, aligner: str) -> dict[str, Any]:
    alignment = result.alignment
    row = {"utterance_id": label.utterance_id, "annotator": label.annotator, "aligner": aligner, "text": label.text}
    row |= {"audio": label.audio, "created_at": datetime.now(UTC)}
    if alignment is None:
        return row | {"outcome": NO_SOUND, "label_score": None, "heard": "", "words": [], "gaps": []}
    return row | {
        "outcome": alignment.outcome,
        "label_score": alignment.score,
        "heard": alignment.heard,
        "words": [word._asdict() for word in alignment.words],
        "gaps": [gap._asdict() for gap in alignment.gaps],
    }


def _notes(outcomes: dict[str, int]) -> list[str]:
    from workbench.asr.forced_alignment import OUTCOMES, TOO_LONG

    odd = {NO_SOUND: "the recording is digital silence, or under 25 ms: no score", TOO_LONG: OUTCOMES[TOO_LONG]}
    return [
        f"{outcomes[name]} {'label' if outcomes[name] == 1 else 'labels'} with the outcome {name}: {what}"
        for name, what in odd.items()
        if outcomes[name]
    ]
