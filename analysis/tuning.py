"""What other parameters of the same model are worth, from the runs there are, with no credit for luck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from analysis.errors import InvalidInput
from analysis.intervals import (
    FEWEST_GROUPS,
    RESAMPLES,
    Array,
    divide,
    group_sums,
    percentile_interval,
    weight_blocks,
)

_ERRORS = ["substitutions", "deletions", "insertions"]


@dataclass(frozen=True)
class TuningEstimate:
    """The expected gain of going over to the best of the recorded runs, as a fraction of the reference words."""

    current_run: str
    scoring: str
    best_run: str
    "The best on all utterances; the current run where none is better."
    runs: int
    utterances: int
    "Utterances that every run scored against the same reference."
    current_wer: float
    best_wer: float
    observed_gain: float
    "current_wer - best_wer: too high where the best of several was picked on the same utterances."
    gain: float
    gain_low: float
    gain_high: float


def tuning_gain(
    runs_scores: Mapping[str, pd.DataFrame],
    current_run: str,
    groups: pd.Series,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> TuningEstimate | None:
    """What switching to the best recorded run is expected to gain; None where the runs cannot tell.

    The best of several runs on some utterances is partly lucky on them. So in every bootstrap resample of the
    groups the best run is picked on the groups drawn, the current one staying where none beats it, and its gain
    over the current run is measured on the groups that were not drawn. The mean over resamples is the expected
    gain, its 2.5 and 97.5 percentiles the interval; measured on about 37 % of the groups, it is rather wide.
    A procedure that loses on utterances it has not seen is not followed: gain and interval end at 0 below.

    None with fewer than two runs, with fewer than two groups, or without utterances that all runs share.

    Args:
        runs_scores: table `scores` by run id, of one scoring, all of the same model with different parameters.
        current_run: the run in use, one of them.
        groups: group codes indexed by utterance_id, from `resampling_unit`.

    Raises:
        InvalidInput: the current run is not among the runs, the scorings differ, or an utterance has no group.
    """
    if current_run not in runs_scores:
        raise InvalidInput(f"run {current_run!r} is not among the runs {', '.join(map(repr, runs_scores))}")
    scorings = {scoring for scores in runs_scores.values() for scoring in scores["scoring"].unique()}
    if len(scorings) > 1:
        raise InvalidInput(f"the runs are scored in different ways, {', '.join(sorted(scorings))}; score them alike")
    runs = list(runs_scores)
    shared = _shared(runs_scores)
    unknown = shared.difference(groups.index)
    if len(unknown):
        raise InvalidInput(f"{len(unknown)} scored utterances have no group, the first is {unknown[0]!r}")
    codes = pd.factorize(groups.loc[shared])[0]
    if len(runs) < 2 or len(np.unique(codes)) < FEWEST_GROUPS:
        return None
    ordered = [scores.set_index("utterance_id").loc[shared] for scores in runs_scores.values()]
    errors = group_sums(np.column_stack([scores[_ERRORS].sum(axis=1) for scores in ordered]), codes)
    words = group_sums(ordered[0][["ref_words"]].to_numpy(), codes)
    if not words.sum():
        return None

    current = runs.index(current_run)
    blocks = weight_blocks(len(words), resamples, seed)
    gains = np.concatenate([_unseen_gains(errors, words, current, weights) for weights in blocks])
    if np.isnan(gains).all():
        return None
    low, high = percentile_interval(gains[:, None])
    wer = errors.sum(axis=0) / words.sum()
    best = int(_best(wer[None, :], current)[0])
    return TuningEstimate(
        current_run=current_run,
        scoring=scorings.pop(),
        best_run=runs[best],
        runs=len(runs),
        utterances=len(shared),
        current_wer=float(wer[current]),
        best_wer=float(wer[best]),
        observed_gain=float(wer[current] - wer[best]),
        gain=max(0.0, float(np.nanmean(gains))),
        gain_low=max(0.0, float(low[0])),
        gain_high=max(0.0, float(high[0])),
    )


def _shared(runs_scores: Mapping[str, pd.DataFrame]) -> pd.Index:
    """Utterances that every run has scored against the same reference, in the order of the first run."""
    references = [scores.set_index("utterance_id")["reference"] for scores in runs_scores.values()]
    together = pd.concat(references, axis="columns", join="inner")
    return together.index[together.nunique(axis="columns", dropna=False) == 1]


def _best(errors: Array, current: int) -> Array:
    """The run with the fewest errors of each row; the current one where none has fewer."""
    best = np.argmin(errors, axis=1)
    fewest = np.take_along_axis(errors, best[:, None], axis=1)[:, 0]
    return cast(Array, np.where(errors[:, current] <= fewest, current, best))


def _unseen_gains(errors: Array, words: Array, current: int, weights: Array) -> Array:
    """The gain of each resample's pick on the groups not drawn; NaN where all were drawn, or those have no words."""
    drawn, unseen = weights.astype(float), (weights == 0).astype(float)
    # All runs share the reference words, so the fewest errors are the lowest WER.
    picked = _best(drawn @ errors, current)
    unseen_errors = unseen @ errors
    gained = unseen_errors[:, current] - np.take_along_axis(unseen_errors, picked[:, None], axis=1)[:, 0]
    return divide(gained, (unseen @ words)[:, 0])
