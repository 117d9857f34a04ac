"""Two or more recognisers on the same utterances: which is better, by how much, where, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from analysis.compare_matching import CHAR_ERRORS, WORD_ERRORS, Matched, match_scores
from analysis.corrections import corrected
from analysis.errors import InvalidInput
from analysis.intervals import FEWEST_GROUPS, RESAMPLES, Array, contributing_groups, divide, ratio_interval
from analysis.mapsswe import mapsswe
from analysis.paired_tests import paired_bootstrap, percentages, randomization_p, sign_test, wilcoxon_test
from analysis.slices import Slice, slice_membership
from analysis.tag_values import MISSING

LEVEL = 0.05
FEWEST_SEGMENTS = 30
"""With fewer segments the normal distribution is too narrow: Student's t with 29 degrees of freedom passes 1.96 in
6 cases of 100, and not in 5."""
FEWEST_SLICE_GROUPS = 6
"""Of fewer groups even the clearest result has p = 2 / 2 ** 5 > 0.05 in the randomization test."""

_INTERVAL = ["difference_low", "difference_high", "probability_b_better"]
_COMPARED = ["system_a", "system_b", "utterances", "ref_words", "wer_a", "wer_b", "difference", *_INTERVAL]
_COMPARED += ["resampled", "groups", "segments", "mapsswe_z", "mapsswe_p", "sign_p", "wilcoxon_p"]
_COMPARED += ["randomization_p", "p_corrected", "verdict", "note"]

A_BETTER, B_BETTER, NO_DIFFERENCE, TOO_LITTLE = "A better", "B better", "no difference shown", "too little data"


def system_rates(
    scores: Mapping[str, pd.DataFrame], utterances: pd.DataFrame, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """One row a system, in the order given: counts, WER with its 95 % interval, CER, and what was resampled.

    Args:
        scores: table `scores` of each system; the same utterances, references and scoring.
        utterances: table `utterances`.

    Raises:
        InvalidInput: as for `compare_systems`.
    """
    matched = match_scores(scores, utterances)
    sums = [matched.by_group(name) for name in matched.scores]
    errors, words = (np.hstack(side) for side in zip(*sums, strict=True))
    low, high = ratio_interval(errors, words, resamples, seed)
    rows = []
    for name, frame in matched.scores.items():
        counts = {column: int(frame[column].sum()) for column in ("ref_words", "hits", *WORD_ERRORS)}
        rows.append({"system": name, "utterances": len(frame)} | counts)
    made = pd.DataFrame(rows)
    made["wer"], made["wer_low"], made["wer_high"] = divide(errors.sum(axis=0), words.sum(axis=0)), low, high
    made["cer"] = [
        _rate(frame[CHAR_ERRORS].to_numpy(), frame["ref_chars"].to_numpy()) for frame in matched.scores.values()
    ]
    made["resampled"], made["groups"] = matched.unit, matched.group_count
    return made


def compare_systems(
    scores: Mapping[str, pd.DataFrame],
    utterances: pd.DataFrame,
    correction: str = "holm",
    resamples: int = RESAMPLES,
    seed: int = 0,
    of_words: bool = True,
) -> pd.DataFrame:
    """One row for each pair of systems, in the order given: rates, their difference, three tests and a verdict.

    The difference is B's WER less A's, below 0 where B is better, with a 95 % interval by the paired bootstrap over
    what `resampled` names. The verdict is MAPSSWE's, at the level 0.05 of its p corrected over the pairs: it says
    what these recordings show, and the column `note` says where the interval over speakers does not follow. Rates that
    are not over words have no such segments, and segments that all differ alike no Z; there the verdict is that of the
    randomization test, as in `compare_slices`. The sign test and Wilcoxon's are over the same groups' error rates, and
    are not corrected.

    Args:
        scores: table `scores` of each system; the same utterances, references and scoring.
        utterances: table `utterances`: the speakers and recordings that are resampled.
        correction: `holm`, `benjamini-hochberg` or `none`.
        of_words: whether the counts are of the words of the alignments; else of characters, or words otherwise parted.

    Raises:
        InvalidInput: fewer than two systems; or they differ in scoring, utterances or references.
    """
    if len(scores) < 2:
        raise InvalidInput(f"found {len(scores)} systems; give the scores of two at least")
    matched = match_scores(scores, utterances)
    pairs = list(combinations(matched.scores, 2))
    frame = pd.DataFrame([_compared(matched, a, b, of_words) for a, b in pairs])
    sums = {name: matched.by_group(name) for name in matched.scores}
    errors_a, words_a, errors_b, words_b = (
        np.hstack([sums[pair[side]][kind] for pair in pairs]) for side in (0, 1) for kind in (0, 1)
    )
    drawn = paired_bootstrap(errors_a, errors_b, words_a, words_b, resamples, seed)
    for name, values in zip(_INTERVAL, drawn, strict=True):
        frame[name] = values
    tested = frame["mapsswe_p"].astype(float).fillna(frame["randomization_p"].astype(float))
    frame["p_corrected"] = corrected(tested.to_numpy(), correction)
    verdicts = [_system_verdict(row, matched) for row in frame.to_dict("records")]
    frame["verdict"], frame["note"] = (list(column) for column in zip(*verdicts, strict=True))
    frame["resampled"], frame["groups"] = matched.unit, matched.group_count
    return frame[_COMPARED]


def _compared(matched: Matched, a: str, b: str, of_words: bool) -> dict[str, object]:
    (errors_a, words_a), (errors_b, words_b) = matched.by_group(a), matched.by_group(b)
    rates = percentages(errors_a, words_a)[:, 0], percentages(errors_b, words_b)[:, 0]
    tested: dict[str, Any] = {"segments": None, "mapsswe_z": math.nan, "mapsswe_p": math.nan}
    randomized = math.nan
    if of_words:
        segments = mapsswe(matched.scores[a]["alignment"], matched.scores[b]["alignment"])
        tested = {"segments": segments.segments, "mapsswe_z": segments.z, "mapsswe_p": segments.p}
        if segments.variance == 0 and segments.mean:
            # Where all segments differ alike there is no Z, which is not to say that there is no difference.
            tested |= {"mapsswe_z": math.nan, "mapsswe_p": math.nan}
    if math.isnan(tested["mapsswe_p"]) and matched.group_count >= FEWEST_SLICE_GROUPS:
        randomized = randomization_p(errors_a[:, 0], errors_b[:, 0])
    wer_a, wer_b = _rate(errors_a, words_a), _rate(errors_b, words_b)
    return {
        "system_a": a,
        "system_b": b,
        "utterances": len(matched.groups),
        "ref_words": int(words_a.sum()),
        "wer_a": wer_a,
        "wer_b": wer_b,
        "difference": wer_b - wer_a,
        **tested,
        "randomization_p": randomized,
        "sign_p": sign_test(*rates).p,
        "wilcoxon_p": wilcoxon_test(*rates).p,
    }


def _system_verdict(row: dict[str, float], matched: Matched) -> tuple[str, str]:
    groups, unit = matched.group_count, matched.unit
    notes = []
    if not row["ref_words"]:
        return TOO_LITTLE, "no reference words"
    by_segments = not math.isnan(row["mapsswe_p"])
    if by_segments and row["segments"] < FEWEST_SEGMENTS:
        verdict = TOO_LITTLE
        notes.append(f"{_counted(int(row['segments']), 'segments')} with errors; MAPSSWE wants {FEWEST_SEGMENTS}")
    elif math.isnan(row["p_corrected"]):
        verdict = TOO_LITTLE
        notes.append(f"{_counted(groups, unit)}; {FEWEST_SLICE_GROUPS} are the fewest to show anything")
    elif row["p_corrected"] >= LEVEL:
        verdict = NO_DIFFERENCE
    else:
        b_better = row["mapsswe_z"] > 0 if by_segments else row["difference"] < 0
        verdict = B_BETTER if b_better else A_BETTER
        if row["difference_low"] <= 0 <= row["difference_high"]:
            notes.append(f"the interval over {groups} {unit} holds 0: {unit} other than these may not show it")
    if groups < FEWEST_GROUPS:
        notes.append(f"{_counted(groups, unit)}: no interval, and nothing is said about others")
    return verdict, "; ".join(notes)


def compare_slices(
    scores_a: pd.DataFrame,
    scores_b: pd.DataFrame,
    utterances: pd.DataFrame,
    tags: pd.DataFrame | pd.Series,
    bins: Mapping[str, Sequence[float]] | None = None,
    correction: str = "holm",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """One row a slice, the largest regression first: both systems' WER, the difference, its interval, p and a verdict.

    p is that of the randomization test over what `resampled` names, speakers wherever they are known. MAPSSWE takes
    the segments for independent; but what one speaker says goes wrong together, and a slice often holds few
    speakers, so that one of them could make a hundred segments look like proof. The test exchanges the systems'
    names for whole speakers, weighs each by its words as WER does, and is exact with few of them, where the normal
    distribution is not and the bootstrap is too sure. It is over numbers of errors, as the references are the same.
    A slice of fewer than six groups can show nothing at the level 0.05: it has no p, and takes no part in the
    correction, which is over all the other slices.

    Args:
        scores_a, scores_b: table `scores` of two runs; the same utterances, references and scoring.
        utterances: table `utterances`.
        tags: tag columns indexed by utterance_id; an utterance without a row has every tag missing. Or one Series of
            texts, each of which is a slice, such as speakers.
        bins: as for `analysis.slices.slice_membership`.
        correction: `holm`, `benjamini-hochberg` or `none`.

    Raises:
        InvalidInput: the scores differ in scoring, utterances or references; or the tags name an utterance twice.
    """
    matched = match_scores({"A": scores_a, "B": scores_b}, utterances)
    if tags.index.has_duplicates:
        raise InvalidInput(f"utterance {tags.index[tags.index.duplicated()][0]!r} stands twice among the tags")
    tags = tags.reindex(pd.Index(matched.utterances["utterance_id"]))
    if isinstance(tags, pd.Series):
        values = tags.fillna(MISSING)
        made = {f"{tags.name} = {v}": Slice(str(tags.name), v, (values == v).to_numpy()) for v in sorted(set(values))}
    else:
        made = slice_membership(tags, bins)
    inside = np.array([part.members for part in made.values()], bool).reshape(len(made), len(matched.groups)).T
    errors_a, errors_b = (_slice_sums(matched, matched.errors(name), inside) for name in ("A", "B"))
    words_a, words_b = (_slice_sums(matched, matched.words(name), inside) for name in ("A", "B"))
    drawn = paired_bootstrap(errors_a, errors_b, words_a, words_b, resamples, seed)
    groups = contributing_groups(errors_a, errors_b, words_a, words_b)
    enough = (groups >= FEWEST_SLICE_GROUPS) & (words_a.sum(axis=0) > 0)
    p = [
        randomization_p(errors_a[:, column], errors_b[:, column]) if enough[column] else math.nan
        for column in range(len(made))
    ]
    wer_a, wer_b = divide(errors_a.sum(axis=0), words_a.sum(axis=0)), divide(errors_b.sum(axis=0), words_b.sum(axis=0))
    frame = pd.DataFrame(
        {
            "slice": pd.Series(list(made), dtype=str),
            "tag": pd.Series([part.tag for part in made.values()], dtype=str),
            "value": pd.Series([part.value for part in made.values()], dtype=str),
            "utterances": inside.sum(axis=0),
            "groups": groups,
            "ref_words": words_a.sum(axis=0).astype(np.int64),
            "wer_a": wer_a,
            "wer_b": wer_b,
            "difference": wer_b - wer_a,
            "difference_low": drawn.low,
            "difference_high": drawn.high,
            "p": pd.Series(p, dtype=float),
            "p_corrected": corrected(p, correction),
        }
    )
    verdicts = [_slice_verdict(row, matched.unit) for row in frame.to_dict("records")]
    frame["verdict"] = pd.Series([verdict for verdict, _ in verdicts], dtype=str)
    frame["note"] = pd.Series([note for _, note in verdicts], dtype=str)
    frame["resampled"] = pd.Series(matched.unit, index=frame.index, dtype=str)
    return frame.sort_values(["difference", "slice"], ascending=[False, True], na_position="last", ignore_index=True)


def _slice_sums(matched: Matched, values: Array, inside: Array) -> Array:
    """The sums of each group within each slice, of shape (groups, slices)."""
    made = np.zeros((matched.group_count, inside.shape[1]))
    for column, members in enumerate(inside.T):
        made[:, column] = np.bincount(matched.groups[members], weights=values[members], minlength=matched.group_count)
    return made


def _slice_verdict(row: dict[str, float], unit: str) -> tuple[str, str]:
    if not row["ref_words"]:
        return TOO_LITTLE, "no reference words"
    if row["groups"] < FEWEST_SLICE_GROUPS:
        return (
            TOO_LITTLE,
            f"{_counted(int(row['groups']), unit)}; {FEWEST_SLICE_GROUPS} are the fewest to show anything",
        )
    if row["p_corrected"] >= LEVEL:
        return NO_DIFFERENCE, ""
    return (A_BETTER if row["difference"] > 0 else B_BETTER), ""


def changed_utterances(scores_a: pd.DataFrame, scores_b: pd.DataFrame, utterances: pd.DataFrame) -> pd.DataFrame:
    """Every utterance with both systems' errors and texts, the largest changes first, and regressions before gains.

    `change` is B's errors less A's: above 0 is a regression. Utterances whose errors are as many stand last.

    Raises:
        InvalidInput: the scores differ in scoring, utterances or references.
    """
    matched = match_scores({"A": scores_a, "B": scores_b}, utterances)
    a, b = matched.scores["A"], matched.scores["B"]
    errors_a, errors_b = matched.errors("A"), matched.errors("B")
    frame = pd.DataFrame(
        {
            "utterance_id": a["utterance_id"].to_numpy(object),
            "ref_words": matched.words("A"),
            "errors_a": errors_a,
            "errors_b": errors_b,
            "change": errors_b - errors_a,
            "reference": a["reference"].to_numpy(object),
            "hypothesis_a": a["hypothesis"].to_numpy(object),
            "hypothesis_b": b["hypothesis"].to_numpy(object),
        }
    )
    order = np.lexsort([np.arange(len(frame)), -frame["change"], -frame["change"].abs()])
    return frame.iloc[order].reset_index(drop=True)


def _rate(errors: Array, words: Array) -> float:
    return float(divide(np.sum(errors, dtype=float), np.sum(words, dtype=float)))


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit[:-1] if number == 1 else unit}"
