"""Error rates by tag: named sets of utterances, and what closing each one's gap to the rest would buy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.errors import InvalidInput
from analysis.intervals import (
    FEWEST_GROUPS,
    RESAMPLES,
    Array,
    contributing_groups,
    divide,
    group_sums,
    percentile_interval,
    resampled_sums,
    resampling_unit,
)
from analysis.tag_values import Members, Unsliceable, named_members

NOT_TAGS = frozenset({"utterance_id", "recording", "start", "end", "speaker", "source", "id"})
_ERRORS = ["substitutions", "deletions", "insertions"]
_CHAR_ERRORS = ["char_substitutions", "char_deletions", "char_insertions"]


class Slice(NamedTuple):
    """The utterances that share a tag's value or bin: a boolean for each row of the tags."""

    tag: str
    value: str
    members: Members


def slice_membership(tags: pd.DataFrame, bins: Mapping[str, Sequence[float]] | None = None) -> dict[str, Slice]:
    """Every slice by its name, as `age_group = child` or `age <= 12`.

    Text tags are sliced by value. Tags of numbers, also of numbers written as text, fall into at most five bins
    with round edges near their quintiles, or into those of `bins`; up to five different numbers are values of
    their own. A bin holds its upper edge. Missing and blank values are the slice `(missing)`. Ids are no tags,
    and text tags with too many values are left out: `skipped_tags` lists those.

    Args:
        tags: one row an utterance, one column a tag.
        bins: edges by tag, as {"age": [12, 20, 40]}.

    Raises:
        InvalidInput: bins for a tag that is not there or that is not numbers, or edges that do not increase.
    """
    return _slices_and_skipped(tags, bins)[0]


def skipped_tags(tags: pd.DataFrame, bins: Mapping[str, Sequence[float]] | None = None) -> dict[str, str]:
    """The columns that `slice_membership` leaves out, each with the reason."""
    return _slices_and_skipped(tags, bins)[1]


def _slices_and_skipped(
    tags: pd.DataFrame, bins: Mapping[str, Sequence[float]] | None
) -> tuple[dict[str, Slice], dict[str, str]]:
    bins = bins or {}
    unknown = [tag for tag in bins if tag not in tags.columns]
    if unknown:
        raise InvalidInput(f"there are bins for {unknown[0]!r}, which is no tag; tags: {', '.join(map(str, tags))}")
    made: dict[str, Slice] = {}
    skipped: dict[str, str] = {}
    for tag in tags.columns:
        if tag.casefold() in NOT_TAGS or tag.casefold().endswith("_id"):
            skipped[tag] = "names or places an utterance, and is no tag"
            continue
        try:
            named = named_members(tags[tag], bins.get(tag))
        except Unsliceable as reason:
            skipped[tag] = str(reason)
            continue
        for value, members in named:
            name = f"{tag} {value}" if value.startswith(("<= ", "> ")) else f"{tag} = {value}"
            if name in made:
                name = f"{tag!r} = {value!r}"
            made[name] = Slice(tag, value, members)
    return made, skipped


def slices(
    scores: pd.DataFrame,
    utterances: pd.DataFrame,
    tags: pd.DataFrame,
    bins: Mapping[str, Sequence[float]] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Table `slices` of one run and scoring, the largest gain first, then the largest gap.

    The gain of a slice is what the corpus WER would fall by if the slice's WER fell to that of the rest:
    max(0, wer - rest_wer) times the slice's share of the reference words. Intervals are 95 %, by resampling what
    the column `resampled` names; they are empty where fewer than two such groups are in the slice, or, for the
    gain, outside it.

    Args:
        scores: table `scores` of one run and scoring; run_id may be absent, and then is in the result.
        utterances: table `utterances`; every scored one must be there.
        tags: tag columns indexed by utterance_id; an utterance without a row has every tag missing.
        bins: as for `slice_membership`.

    Raises:
        InvalidInput: several runs or scorings, or a scored utterance that is not among the utterances.
    """
    names = {name: _one(scores, name) for name in ("run_id", "scoring") if name in scores.columns}
    ids = scores["utterance_id"]
    unknown = ids[~ids.isin(utterances["utterance_id"])]
    if len(unknown):
        raise InvalidInput(f"{len(unknown)} scored utterances are unknown, the first is {unknown.iloc[0]!r}")
    if tags.index.has_duplicates:
        raise InvalidInput(f"utterance {tags.index[tags.index.duplicated()][0]!r} stands twice among the tags")
    scored = utterances.set_index("utterance_id").loc[ids].reset_index()
    unit, groups = resampling_unit(scored)
    membership = slice_membership(tags.reindex(pd.Index(ids)), bins)
    frame = _measured(scores, scored, list(membership.values()), groups.to_numpy(), resamples, seed)
    frame.insert(0, "slice", list(membership))
    for name, value in reversed(names.items()):
        frame.insert(0, name, value)
    frame["resampled"] = pd.Series(unit, index=frame.index, dtype=str)
    return frame.sort_values(
        ["gain", "gap", "slice"], ascending=[False, False, True], na_position="last", ignore_index=True
    )


def _one(scores: pd.DataFrame, name: str) -> str:
    values = scores[name].unique()
    if len(values) != 1:
        raise InvalidInput(f"the scores hold {len(values)} values of {name}; give those of one, they are never mixed")
    return str(values[0])


def _measured(
    scores: pd.DataFrame, utterances: pd.DataFrame, parts: list[Slice], groups: Array, resamples: int, seed: int
) -> pd.DataFrame:
    inside = np.array([part.members for part in parts]).reshape(len(parts), len(scores)).T
    errors, words = scores[_ERRORS].sum(axis=1).to_numpy(), scores["ref_words"].to_numpy()
    char_errors, chars = scores[_CHAR_ERRORS].sum(axis=1).to_numpy(), scores["ref_chars"].to_numpy()
    in_errors, in_words = errors @ inside, words @ inside
    wer, rest_wer = divide(in_errors, in_words), divide(errors.sum() - in_errors, words.sum() - in_words)
    speakers = utterances["speaker"] if "speaker" in utterances.columns else pd.Series(None, index=utterances.index)

    per_group = group_sums(np.column_stack([errors, words]), groups)
    slice_errors = np.column_stack([np.zeros((len(per_group), 0)), *_by_group(errors, inside, groups)])
    slice_words = np.column_stack([np.zeros((len(per_group), 0)), *_by_group(words, inside, groups)])
    rest_errors, rest_words = per_group[:, [0]] - slice_errors, per_group[:, [1]] - slice_words
    totals = resampled_sums(np.hstack([slice_errors, slice_words, per_group]), resamples, seed)
    drawn_errors, drawn_words = np.hsplit(totals[:, :-2], 2)
    all_errors, all_words = totals[:, [-2]], totals[:, [-1]]
    wer_low, wer_high = percentile_interval(divide(drawn_errors, drawn_words))
    gain_low, gain_high = percentile_interval(_gain(drawn_errors, drawn_words, all_errors, all_words))
    known = contributing_groups(slice_errors, slice_words) >= FEWEST_GROUPS
    gain_known = known & (contributing_groups(rest_errors, rest_words) >= FEWEST_GROUPS)
    return pd.DataFrame(
        {
            "tag": pd.Series([part.tag for part in parts], dtype=str),
            "value": pd.Series([part.value for part in parts], dtype=str),
            "utterances": inside.sum(axis=0),
            "speakers": np.array([speakers[part.members].nunique() for part in parts], np.int64),
            "ref_words": in_words,
            "errors": in_errors,
            "wer": wer,
            "wer_low": np.where(known, wer_low, np.nan),
            "wer_high": np.where(known, wer_high, np.nan),
            "cer": divide(char_errors @ inside, chars @ inside),
            "word_share": in_words / words.sum() if words.sum() else np.zeros(len(parts)),
            "rest_wer": rest_wer,
            "gap": wer - rest_wer,
            "gain": _gain(in_errors, in_words, errors.sum(), words.sum()),
            "gain_low": np.where(gain_known, gain_low, np.nan),
            "gain_high": np.where(gain_known, gain_high, np.nan),
        }
    )


def _by_group(values: Array, inside: Array, groups: Array) -> list[Array]:
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    return [np.bincount(groups[members], weights=values[members], minlength=n_groups) for members in inside.T]


def _gain(in_errors: Array, in_words: Array, errors: Array, words: Array) -> Array:
    """What closing the gap would buy; 0 for a slice without words, NaN where there is no rest to compare with."""
    gap = divide(in_errors, in_words) - divide(errors - in_errors, words - in_words)
    bought = np.maximum(gap, 0) * divide(in_words, words + 0 * in_words)
    return np.where((in_words == 0) & (words > 0), 0.0, bought)
