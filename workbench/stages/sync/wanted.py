"""A workspace's utterances as the tasks that the server is to hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.errors import BadInput
from workbench.label_studio.audio_source import AudioFile, AudioSource
from workbench.label_studio.records import KEY, MARK, WantedTask
from workbench.stages.sync.choice import Only, members
from workbench.stages.sync.predictions import STAGE as STAGE
from workbench.stages.sync.predictions import predictions
from workbench.stages.sync.task_fields import Fields, task_fields
from workbench.workspace import Workspace


@dataclass(frozen=True)
class Wanted:
    """What is to be on the server.

    Attributes:
        tasks: one an utterance, in the workspace's order; without audio, which `audio_source.with_audio` adds.
        audio: the audio of each of them.
        source: how the server gets at it.
        ids: every utterance of the workspace, whether it is asked for and can be sent or not: a task of one that is
            not among them is of a removed utterance.
        with_segments: some are labelled by regions.
        faults: what cannot be sent, as the table `faults` has it.
        fields: the fields of every utterance, for tabs.
    """

    tasks: list[WantedTask]
    audio: dict[str, AudioFile]
    source: AudioSource
    ids: frozenset[str]
    with_segments: bool
    faults: list[dict[str, str]]
    notes: list[str]
    fields: Fields = field(repr=False)


def wanted_tasks(workspace: Workspace, mark: str, only: Only | None = None) -> Wanted:
    """The tasks of the utterances that are asked for; an unchanged workspace gives the same ones every time.

    Args:
        mark: of the workspace.
        only: what is asked for; None: every utterance.

    Raises:
        BadInput: there are no utterances, `only` names something unknown, or [label_studio] can give no audio.
    """
    section = workspace.config.label_studio
    source = AudioSource(section.audio, section.document_root, section.url_template)
    source.check()
    utterances = workspace.read("utterances")
    if utterances.empty:
        raise BadInput("the workspace has no utterances; add some with `workbench import MANIFEST`")
    hypotheses = workspace.read("hypotheses")
    fields = task_fields(workspace, utterances, hypotheses)
    chosen = members(fields, only)
    faults: list[dict[str, str]] = []
    audio = _audio(workspace, utterances[chosen], source, faults)
    durations = {str(name): _number(value) for name, value in fields.frame["duration"][chosen].items()}
    predicted = predictions(workspace, hypotheses, durations, faults)
    tasks = [
        WantedTask(name, {KEY: name, MARK: mark, **data}, predicted.get(name, ()))
        for name, data in _records(fields.frame[chosen])
        if name in audio
    ]
    long = fields.frame["duration"].astype(float) >= section.segment_seconds
    with_segments = section.regions == "words" or bool(long.any())
    notes = []
    if only is not None and not chosen.any():
        notes.append(f"no utterance is in {', '.join(only.names)} now")
    return Wanted(tasks, audio, source, frozenset(fields.frame.index), with_segments, faults, notes, fields)


def _records(frame: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    columns = {name: _json(frame[name]) for name in frame.columns}
    rows = zip(*columns.values(), strict=True)
    return [(str(name), dict(zip(columns, row, strict=True))) for name, row in zip(frame.index, rows, strict=True)]


def _json(column: pd.Series) -> list[Any]:
    values = column.tolist()
    return values if column.dtype == object else [_number(value) for value in values]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _audio(
    workspace: Workspace, utterances: pd.DataFrame, source: AudioSource, faults: list[dict[str, str]]
) -> dict[str, AudioFile]:
    """For each utterance its normalised audio; else its recording where the utterance is all of it."""
    quality = workspace.read("audio_quality")
    outputs = dict(zip(quality["utterance_id"], quality["output"], strict=True))
    needs_file = source.kind != "url" or "path" in source.placeholders
    needs_whole = "recording" in source.placeholders
    audio: dict[str, AudioFile] = {}
    columns = ("utterance_id", "recording", "start", "end")
    for name, recording, start, end in zip(*(utterances[column].tolist() for column in columns), strict=True):
        is_whole = _is_missing(end) and (_is_missing(start) or start == 0)
        file: AudioFile | None = None
        reason = ""
        output = outputs.get(name)
        if needs_whole and not is_whole:
            reason = "url_template has {recording}, but the utterance is a part of it; use {path} or {utterance_id}"
        elif not needs_file:
            file = AudioFile(None, recording=recording)
        elif output is not None and (workspace.root / output).is_file():
            file = AudioFile(workspace.root / output, Path(output).name, output, recording)
        elif not is_whole:
            reason = "there is no audio of its part of the recording; run `workbench normalize`"
        elif (path := workspace.to_path(recording)).is_file():
            file = AudioFile(path, "", recording.lstrip("/"), recording)
        else:
            reason = f"{path} is not there; correct the manifest and import it again"
        if file is None:
            faults.append({"stage": STAGE, "item": name, "location": recording, "reason": reason})
        else:
            audio[name] = file
    return audio


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value != value
