"""What to fix next: relabelling, audio repair, new data and tuning side by side, by expected gain in corpus WER."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import chain

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
)
from analysis.slices import Slice
from analysis.tag_values import MISSING
from analysis.tuning import TuningEstimate

FEWEST_SPEAKERS = 2
FEWEST_REF_WORDS = 50
SOUND_VALUES = frozenset({"normal", "clean", "good", "speech", "wideband"})
"""First words of the values of audio tags that leave nothing to repair."""

_ERRORS = ["substitutions", "deletions", "insertions"]


@dataclass(frozen=True)
class Costs:
    """What fixes cost in hours of work; estimates that every team should replace with its own."""

    relabel_minutes_per_utterance: float = 1.0
    "Listening to a flagged utterance and deciding on its text."
    audio_minutes_per_utterance: float = 0.5
    "Repairing or recording again one utterance of a slice."
    collect_hours_per_item: float = 20.0
    "Recording, transcribing and training on enough new data for one slice."
    tune_hours_per_run: float = 2.0
    "Setting up, running and checking one more run."


@dataclass(frozen=True)
class Item:
    """One row of table `backlog`, not yet ranked. Gains are fractions of the corpus's reference words."""

    item_id: str
    kind: str
    title: str
    utterances: int
    gain: float
    gain_low: float | None
    gain_high: float | None
    cost_hours: float
    how: str
    run_id: str
    scoring: str


def label_items(
    scores_now: pd.DataFrame,
    scores_fixed_by_rule: Mapping[str, pd.DataFrame],
    groups: pd.Series,
    costs: Costs = Costs(),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Item]:
    """One item a rule: by how much the corpus WER falls when the rule's suggested references are scored instead.

    The hypotheses are the same, so this measures what the wrong labels add to the WER, not what a model trained
    on better labels would do. A gain of 0 or below stays as it is. The interval is of the difference, with the
    same groups drawn on both sides, and is empty where fewer than two groups are scored.

    Args:
        scores_now: table `scores` of one run and scoring.
        scores_fixed_by_rule: for each rule id the scores of the utterances whose reference it would replace.
        groups: group codes indexed by utterance_id, from `resampling_unit`.

    Raises:
        InvalidInput: a rule has scores of an utterance that is not scored now, or scored in another way or from
            another hypothesis; or an utterance has no group.
    """
    now = scores_now.set_index("utterance_id")
    unknown = now.index.difference(groups.index)
    if len(unknown):
        raise InvalidInput(f"{len(unknown)} scored utterances have no group, the first is {unknown[0]!r}")
    codes = pd.factorize(groups.loc[now.index])[0]
    run_id, scoring = _made_from(scores_now)
    items = []
    for rule_id, fixed_scores in scores_fixed_by_rule.items():
        changed = _changed(rule_id, now, fixed_scores.set_index("utterance_id"))
        if changed.empty:
            continue
        before, after, gain, low, high = _paired_gain(now, changed, codes, resamples, seed)
        items.append(
            Item(
                item_id=f"label.{rule_id}",
                kind="label",
                title=f"Review {_references(len(changed))} that {rule_id} would change",
                utterances=len(changed),
                gain=gain,
                gain_low=low,
                gain_high=high,
                cost_hours=len(changed) * costs.relabel_minutes_per_utterance / 60,
                how=f"Measured: WER {before:.4f} with today's references, {after:.4f} with the {len(changed)} "
                f"suggested ones and the same hypotheses: {gain:.4f} saved. Assumes that every suggestion is right; "
                "what training on the better labels adds is not counted.",
                run_id=run_id,
                scoring=scoring,
            )
        )
    return items


def _references(number: int) -> str:
    return "1 reference" if number == 1 else f"{number} references"


def _made_from(scores: pd.DataFrame) -> tuple[str, str]:
    for name in ("run_id", "scoring"):
        if scores[name].nunique() > 1:
            raise InvalidInput(f"the scores hold several values of {name}; give those of one, they are never mixed")
    return ("", "") if scores.empty else (str(scores["run_id"].iloc[0]), str(scores["scoring"].iloc[0]))


def _changed(rule_id: str, now: pd.DataFrame, fixed: pd.DataFrame) -> pd.DataFrame:
    """Rows of fixed whose reference differs from now's."""
    unknown = fixed.index.difference(now.index)
    if len(unknown):
        raise InvalidInput(f"rule {rule_id} has scores of utterance {unknown[0]!r}, which is not scored now")
    for name in ("scoring", "hypothesis"):
        unequal = fixed.index[fixed[name].to_numpy() != now.loc[fixed.index, name].to_numpy()]
        if len(unequal):
            raise InvalidInput(f"rule {rule_id}: utterance {unequal[0]!r} has another {name} than in the scores of now")
    return fixed[fixed["reference"].to_numpy() != now.loc[fixed.index, "reference"].to_numpy()]


def _paired_gain(
    now: pd.DataFrame, changed: pd.DataFrame, codes: Array, resamples: int, seed: int
) -> tuple[float, float, float, float | None, float | None]:
    """WER now, WER with the changed rows, their difference and the ends of its interval."""
    counts = np.column_stack([now[_ERRORS].sum(axis=1), now["ref_words"]]).astype(float)
    fixed = counts.copy()
    fixed[now.index.get_indexer(changed.index)] = np.column_stack([changed[_ERRORS].sum(axis=1), changed["ref_words"]])
    sums = group_sums(np.hstack([counts, fixed]), codes)
    totals = np.vstack([sums.sum(axis=0), resampled_sums(sums, resamples, seed)])
    before, after = divide(totals[:, 0], totals[:, 1]), divide(totals[:, 2], totals[:, 3])
    gains = before - after
    low, high = percentile_interval(gains[1:, None])
    known = contributing_groups(sums).max(initial=0) >= FEWEST_GROUPS
    gain = 0.0 if np.isnan(gains[0]) else float(gains[0])
    return float(before[0]), float(after[0]), gain, _known(low[0], known), _known(high[0], known)


def _known(value: float, known: bool = True) -> float | None:
    return float(value) if known and not np.isnan(value) else None


def distinct_slices(slices: pd.DataFrame, membership: Mapping[str, Slice]) -> pd.DataFrame:
    """The slices without those that hold exactly the utterances of one above them.

    Args:
        slices: table `slices`, the largest gain first.
        membership: what they were computed from, by slice name, from `slice_membership`.

    Raises:
        InvalidInput: a slice is not in the membership.
    """
    unknown = [name for name in slices["slice"] if name not in membership]
    if unknown:
        raise InvalidInput(f"slice {unknown[0]!r} is not in the membership; take both from the same tags and bins")
    members = [np.packbits(membership[name].members).tobytes() for name in slices["slice"]]
    return slices[~pd.Series(members, index=slices.index, dtype=object).duplicated()].reset_index(drop=True)


def audio_items(slices: pd.DataFrame, audio_tags: Collection[str], costs: Costs = Costs()) -> list[Item]:
    """One item for each slice by an audio tag with a gap to close: repair its audio.

    A slice becomes an item when its gap is above 0, it has two speakers (two utterances where speakers are
    unknown) and 50 reference words, and its value is neither missing nor sound by `SOUND_VALUES`.

    Args:
        slices: table `slices`, best without doubles: see `distinct_slices`.
        audio_tags: names of the tags that audio measurement gives.
    """
    audio = slices[slices["tag"].isin(list(audio_tags))]
    candidates = _with_gap(audio[~audio["value"].str.split(" ").str[0].isin(list(SOUND_VALUES))])
    return [
        _slice_item(row, "audio", "Repair the audio", int(row["utterances"]) * costs.audio_minutes_per_utterance / 60)
        for _, row in candidates.iterrows()
    ]


def collect_items(slices: pd.DataFrame, audio_tags: Collection[str], costs: Costs = Costs()) -> list[Item]:
    """One item for each slice by any other tag with a gap to close: collect data like it. See `audio_items`."""
    candidates = _with_gap(slices[~slices["tag"].isin(list(audio_tags))])
    return [
        _slice_item(row, "collect", "Collect and train on data", costs.collect_hours_per_item)
        for _, row in candidates.iterrows()
    ]


def _with_gap(slices: pd.DataFrame) -> pd.DataFrame:
    speakers = slices["speakers"].where(slices["resampled"] == "speakers", slices["utterances"])
    enough = (speakers >= FEWEST_SPEAKERS) & (slices["ref_words"] >= FEWEST_REF_WORDS)
    return slices[enough & (slices["gap"] > 0) & (slices["value"] != MISSING)]


def _slice_item(row: pd.Series, kind: str, action: str, cost_hours: float) -> Item:
    return Item(
        item_id=f"{kind}.{row['slice'].replace(' = ', '=', 1)}",
        kind=kind,
        title=f"{action} where {row['slice']}",
        utterances=int(row["utterances"]),
        gain=float(row["gain"]),
        gain_low=_known(row["gain_low"]),
        gain_high=_known(row["gain_high"]),
        cost_hours=cost_hours,
        how=f"WER {row['wer']:.4f} here and {row['rest_wer']:.4f} elsewhere: a gap of {row['gap']:.4f}, times the "
        f"slice's share of the words, {row['word_share']:.4f}, is {row['gain']:.4f}. A ceiling: assumes that the "
        f"slice becomes as good as the rest. The interval resamples {row['resampled']}.",
        run_id=str(row["run_id"]),
        scoring=str(row["scoring"]),
    )


def tune_item(estimate: TuningEstimate | None, costs: Costs = Costs()) -> list[Item]:
    """The item for going over to the best of the recorded runs; none without an estimate."""
    if estimate is None:
        return []
    found = (
        f"run {estimate.best_run} has {estimate.best_wer:.4f}, {estimate.observed_gain:.4f} less"
        if estimate.best_run != estimate.current_run
        else "none of the others has less"
    )
    title = (
        f"Use the parameters of run {estimate.best_run}"
        if estimate.best_run != estimate.current_run
        else "Try other parameters"
    )
    item = Item(
        item_id="tune.parameters",
        kind="tune",
        title=title,
        utterances=estimate.utterances,
        gain=estimate.gain,
        gain_low=estimate.gain_low,
        gain_high=estimate.gain_high,
        cost_hours=costs.tune_hours_per_run,
        how=f"WER {estimate.current_wer:.4f} now; among {estimate.runs} recorded runs of this model {found}. Expected "
        f"is {estimate.gain:.4f}: the best run picked on resampled groups of utterances and measured on the groups "
        "not drawn, at least 0. Assumes that the recorded runs show what other parameters can do.",
        run_id=estimate.current_run,
        scoring=estimate.scoring,
    )
    return [item]


def rank(items: Iterable[Item]) -> pd.DataFrame:
    """Table `backlog`: the items by expected gain, the largest first, and by item_id where gains are equal.

    Raises:
        InvalidInput: two items have the same id.
    """
    ordered = sorted(items, key=lambda item: (-item.gain, item.item_id))
    ids = [item.item_id for item in ordered]
    repeated = [item_id for item_id in dict.fromkeys(ids) if ids.count(item_id) > 1]
    if repeated:
        raise InvalidInput(f"item {repeated[0]!r} stands twice among the items; rank those of one run at a time")
    rows = [
        {"rank": index, **asdict(item), "gain_per_hour": item.gain / item.cost_hours if item.cost_hours else None}
        for index, item in enumerate(ordered, start=1)
    ]
    return pd.DataFrame(rows, columns=list(_BACKLOG_TYPES)).astype(_BACKLOG_TYPES)


_BACKLOG_TYPES = {
    "rank": "int64",
    "item_id": "str",
    "kind": "str",
    "title": "str",
    "utterances": "int64",
    "gain": "float64",
    "gain_low": "float64",
    "gain_high": "float64",
    "cost_hours": "float64",
    "gain_per_hour": "float64",
    "how": "str",
    "run_id": "str",
    "scoring": "str",
}


def backlog(
    scores_now: pd.DataFrame,
    slices: pd.DataFrame,
    membership: Mapping[str, Slice],
    scores_fixed_by_rule: Mapping[str, pd.DataFrame],
    groups: pd.Series,
    audio_tags: Collection[str],
    tuning: TuningEstimate | None = None,
    costs: Costs = Costs(),
) -> pd.DataFrame:
    """Table `backlog` of one run: label, audio, collect and tune items in one ranking. See the functions of each."""
    distinct = distinct_slices(slices, membership)
    return rank(
        chain(
            label_items(scores_now, scores_fixed_by_rule, groups, costs),
            audio_items(distinct, audio_tags, costs),
            collect_items(distinct, audio_tags, costs),
            tune_item(tuning, costs),
        )
    )
