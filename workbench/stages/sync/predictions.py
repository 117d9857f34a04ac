"""Hypotheses as predictions: of the newest run of each model, scores and words as far as they are known."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from workbench.config import LabelStudioSection
from workbench.label_studio.records import WantedPrediction
from workbench.label_studio.results import prediction_result
from workbench.stages.check import newest_of_models
from workbench.stages.score import choose_run
from workbench.workspace import Workspace

STAGE = "sync push"


def predictions(
    workspace: Workspace,
    hypotheses: pd.DataFrame,
    durations: dict[str, float | None],
    faults: list[dict[str, str]],
) -> dict[str, tuple[WantedPrediction, ...]]:
    """The predictions of each utterance, those of the run begun last first.

    Args:
        hypotheses: the table.
        durations: of the utterances that are asked for (s).
        faults: takes one for each confidence that is none.
    """
    runs = workspace.read("runs")
    if runs.empty:
        return {}
    section = workspace.config.label_studio
    names = newest_of_models(runs, str(choose_run(workspace)["run_id"]))
    found: dict[str, list[WantedPrediction]] = {}
    columns = ("utterance_id", "run_id", "text", "confidence", "words")
    ordered = pd.concat([hypotheses[hypotheses["run_id"] == name] for name in reversed(names)])
    for utterance_id, run_id, text, confidence, words in zip(
        *(ordered[name].tolist() for name in columns), strict=True
    ):
        if utterance_id not in durations:
            continue
        prediction = prediction_of(section, run_id, text, confidence, words, durations[utterance_id])
        if prediction.score is None and not _unknown(confidence):
            faults.append(
                {
                    "stage": STAGE,
                    "item": utterance_id,
                    "location": f"run {run_id}",
                    "reason": f"the confidence {confidence!r} is not in [0, 1]; its prediction has no score",
                }
            )
        found.setdefault(utterance_id, []).append(prediction)
    return {utterance_id: tuple(several) for utterance_id, several in found.items()}


def prediction_of(
    section: LabelStudioSection, run_id: str, text: str, confidence: Any, words: Any, duration: float | None
) -> WantedPrediction:
    """A hypothesis as a prediction: with regions as the settings ask for, and a score where it has a confidence.

    Args:
        words: as the table of hypotheses has them, or None.
        duration: of the utterance (s).
    """
    kind = section.regions
    if kind == "segments" and not (duration is not None and duration >= section.segment_seconds):
        kind = "none"
    result = prediction_result(text, _list(words) if kind != "none" else (), kind, duration)
    return WantedPrediction(run_id, _score(confidence), result)


def _list(words: Any) -> list[dict[str, Any]]:
    return [] if words is None or isinstance(words, float) else list(words)


def _unknown(confidence: Any) -> bool:
    return confidence is None or confidence is pd.NA or (isinstance(confidence, float) and math.isnan(confidence))


def _score(confidence: Any) -> float | None:
    """The confidence as a score, with as many decimals as say something; None where it is none."""
    if _unknown(confidence) or not 0 <= confidence <= 1:
        return None
    return round(float(confidence), 6)
