"""Scores to the tables that people read: overall, by speaker, recording or tag, and what alternatives forgave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.confusions import confusions
from analysis.error_counts import ErrorCounts, error_rate
from analysis.intervals import FEWEST_GROUPS, contributing_groups, group_sums, ratio_interval, resampling_unit
from analysis.scoring import Scoring
from analysis.slices import Slice
from analysis.tag_values import MISSING, MOST_VALUES
from workbench.errors import BadInput
from workbench.stages.measures import CHARS, WORDS, is_korean, korean_counts_of

# The percentile bootstrap of fewer groups is known to cover less than it says.
_FEW_GROUPS = 10
OVERALL, UTTERANCE = "overall", "utterance"


@dataclass(frozen=True)
class Scored:
    """Scores of one scoring with what they can be grouped by.

    Args:
        scores: table `scores`; run_id may be absent.
        utterances: utterance_id, and speaker and recording where they are known; every scored one is there.
        tags: tag columns indexed by utterance_id.
        notes: whole sentences about what was left out.
        faults: rows that cannot be used: item, location, reason.
    """

    scores: pd.DataFrame
    utterances: pd.DataFrame
    tags: pd.DataFrame
    scoring: Scoring
    notes: list[str] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)


def overall(scores: pd.DataFrame) -> dict[str, Any]:
    """The summed counts of scores with their rates: WER, and CER over characters; None without a reference."""
    words = _sum(scores, WORDS)
    counts = {name: getattr(words, name) for name in WORDS}
    return {"utterances": len(scores), **counts, "wer": words.rate, "cer": _sum(scores, CHARS).rate}


def _sum(scores: pd.DataFrame, columns: Sequence[str]) -> ErrorCounts:
    return ErrorCounts(*(int(scores[column].sum()) for column in columns))


def by_utterance(scores: pd.DataFrame) -> pd.DataFrame:
    """One row an utterance: ref_words, hits, substitutions, deletions, insertions, wer."""
    counts = scores[["utterance_id", *WORDS]].copy()
    errors = counts[WORDS[2:]].sum(axis=1)
    counts["wer"] = [error_rate(e, n) for e, n in zip(errors, counts["ref_words"], strict=True)]
    return counts


def overall_rates(scored: Scored) -> dict[str, Any]:
    """The whole's counts and rates, and how they were made.

    As `overall` has them, then the 95 % intervals of WER and CER (None where one cannot be given), forgiven words,
    scoring, what was resampled and the number of such groups. Korean scoring has the other rates of Korean, too.
    """
    scores = scored.scores
    unit, groups = resampling_unit(_in_order(scored))
    errors, words = scores[WORDS[2:]].sum(axis=1).to_numpy(), scores["ref_words"].to_numpy()
    char_errors, chars = scores[CHARS[2:]].sum(axis=1).to_numpy(), scores["ref_chars"].to_numpy()
    sums = group_sums(np.column_stack([errors, words, char_errors, chars]), groups.to_numpy())
    (low,), (high,) = ratio_interval(sums[:, [0]], sums[:, [1]])
    (cer_low,), (cer_high,) = ratio_interval(sums[:, [2]], sums[:, [3]])
    row = overall(scores)
    cer = row.pop("cer")
    return {
        **row,
        "wer_low": _number(low),
        "wer_high": _number(high),
        "cer": cer,
        "cer_low": _number(cer_low),
        "cer_high": _number(cer_high),
        **korean_rates(scored),
        "forgiven": int(forgiven_words(scored)["words"].sum()),
        "scoring": scored.scoring.label,
        "resampled": unit,
        "groups": int(contributing_groups(sums[:, [0]], sums[:, [1]])[0]),
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _in_order(scored: Scored) -> pd.DataFrame:
    """The utterances' rows in the order of the scores."""
    return scored.utterances.set_index("utterance_id").loc[scored.scores["utterance_id"]].reset_index()


def how_made(rates: dict[str, Any]) -> str:
    """A sentence on how the overall rates were made: their scoring, and their interval or why there is none."""
    made = f"scored with {rates['scoring']}"
    normalizer, alignment = rates["scoring"].split("/")[:2]
    if alignment == "sclite" and not normalizer.startswith(("none", "case")):
        made += ", whose words are not sclite's: --normalizer case has those"
    if normalizer.startswith("korean"):
        made += " (cer, the headline: characters without spaces; jer: jamo; swer: words with the reference's spacing)"
    if rates["ref_words"] == 0:
        return f"{made}; there are no reference words, and so no rate"
    return f"{made}; {how_resampled(rates['groups'], rates['resampled'])}"


def how_grouped(scored: Scored, by: str) -> str:
    """A sentence on how the rates of utterances or groups were made."""
    made = f"scored with {scored.scoring.label}"
    if by in (OVERALL, UTTERANCE):
        return made
    unit, groups = resampling_unit(_in_order(scored))
    return f"{made}; {how_resampled(groups.nunique(), unit)}"


def how_resampled(groups: int, unit: str) -> str:
    """What intervals are made from, or why there are none.

    >>> how_resampled(40, "speakers"), how_resampled(1, "recordings")
    ('95 % intervals resample 40 speakers', \
'no 95 % interval: there is 1 recording to resample, and it takes 2; no speakers are known')
    """
    unknown = "" if unit == "speakers" else "; no speakers are known"
    if groups >= FEWEST_GROUPS:
        few = ", so few that they are too narrow" if groups < _FEW_GROUPS else ""
        return f"95 % intervals resample {groups} {unit}{few}{unknown}"
    found = f"is 1 {unit[:-1]}" if groups == 1 else f"are no {unit}"
    return f"no 95 % interval: there {found} to resample, and it takes {FEWEST_GROUPS}{unknown}"


def group_labels(scored: Scored, by: str) -> pd.Series:
    """The value of a tag, the speaker or the recording of each row of the scores; `(missing)` where there is none.

    Raises:
        BadInput: there is nothing of that name; the message names what there is.
    """
    rows = _in_order(scored)
    own = [name for name in ("speaker", "recording") if has(scored, name)]
    if by in own:
        values = rows[by]
    elif by == "speaker" and "speaker" not in scored.tags.columns:
        found = speakers_or_spu_ids(scored)
        if all(one == speaker for one, speaker in found.items()):
            raise BadInput("no speakers are known, nor do ids hold one before a - or _; give the references a column")
        values = pd.Series(found.values())
    elif by in scored.tags.columns:
        values = scored.tags[by].reindex(scored.scores["utterance_id"])
    else:
        known = ", ".join(dict.fromkeys([OVERALL, UTTERANCE, "speaker", *own, *map(str, scored.tags.columns)]))
        raise BadInput(f"there is no {by!r} to group by; choose one of {known}, or give the references a column of it")
    return pd.Series([_label(value) for value in values.astype(object)], index=scored.scores.index)


def has(scored: Scored, name: str) -> bool:
    """Whether the speaker, or the recording, of any scored utterance is known."""
    return name in scored.utterances.columns and bool(_in_order(scored)[name].notna().any())


def _label(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    return MISSING if pd.isna(value) else str(value).strip() or MISSING


def _ordered(labels: pd.Series) -> list[str]:
    """The different labels, numbers by size, text by alphabet, what is missing last."""
    values = [str(value) for value in labels.unique()]

    def rank(value: str) -> tuple[bool, bool, float, str]:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        return value == MISSING, np.isnan(number), 0.0 if np.isnan(number) else number, value

    return sorted(values, key=rank)


def group_column(by: str) -> str:
    """The name of the column of values: `by` itself, or `value` where a column of counts has that name."""
    taken = {"utterances", *WORDS, "wer", "wer_low", "wer_high", "cer", "alternative", "times", "words", "op", "count"}
    taken |= {"utterance_id", "reference", "hypothesis"}
    return "value" if by in taken else by


def rates_by(scored: Scored, by: str) -> pd.DataFrame:
    """One row a value of a tag, speaker or recording: its counts, WER with its 95 % interval, and CER.

    Intervals resample speakers, else recordings or utterances; they are empty where fewer than two such groups are in
    the row, and for more than 50 values.

    Raises:
        BadInput: there is nothing of that name.
    """
    labels = group_labels(scored, by)
    values = _ordered(labels)
    rows = [{group_column(by): value, **overall(scored.scores[labels == value])} for value in values]
    frame = pd.DataFrame(rows)
    low = high = np.full(len(values), np.nan)
    if len(values) <= MOST_VALUES:
        low, high = _intervals(scored, np.column_stack([labels == value for value in values]))
    frame.insert(frame.columns.get_loc("wer") + 1, "wer_low", low)
    frame.insert(frame.columns.get_loc("wer") + 2, "wer_high", high)
    return frame


def _intervals(scored: Scored, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the intervals of the WER of each column of members."""
    _, groups = resampling_unit(_in_order(scored))
    errors = scored.scores[WORDS[2:]].sum(axis=1).to_numpy()
    words = scored.scores["ref_words"].to_numpy()
    above, below = (group_sums(values[:, None] * inside, groups.to_numpy()) for values in (errors, words))
    return ratio_interval(above, below)


def confusions_by(scored: Scored, by: str = OVERALL) -> pd.DataFrame:
    """The most frequent errors of each kind, of the whole or of each value: op, reference, hypothesis, count.

    Raises:
        BadInput: there is nothing of that name to group by.
    """
    whole = confusions(scored.scores, {})
    if by == OVERALL:
        return whole[["op", "reference", "hypothesis", "count"]].reset_index(drop=True)
    labels = group_labels(scored, by)
    parts = {value: Slice(by, value, (labels == value).to_numpy()) for value in _ordered(labels)}
    found = confusions(scored.scores, {f"{by} = {value}": part for value, part in parts.items()})
    found = found.iloc[len(whole) :].rename(columns={"slice": group_column(by)})
    found[group_column(by)] = found[group_column(by)].str.removeprefix(f"{by} = ")
    return found[[group_column(by), "op", "reference", "hypothesis", "count"]].reset_index(drop=True)


def forgiven_words(scored: Scored, by: str = OVERALL) -> pd.DataFrame:
    """What alternatives forgave: alternative, times it was taken, and the written reference words it stood for.

    Raises:
        BadInput: there is nothing of that name to group by.
    """
    scores = scored.scores
    taken = (
        [] if "forgiven" not in scores.columns else [rows or [] for rows in pa.array(scores["forgiven"]).to_pylist()]
    )
    labels = scores["utterance_id"] if by == UTTERANCE else None
    if by not in (OVERALL, UTTERANCE):
        labels = group_labels(scored, by)
    names = (
        ["alternative"] if labels is None else ["utterance_id" if by == UTTERANCE else group_column(by), "alternative"]
    )
    rows = [
        ([] if labels is None else [labels.iloc[i]]) + [one["alternative"], one["words"]]
        for i, several in enumerate(taken)
        for one in several
    ]
    frame = pd.DataFrame(rows, columns=[*names, "words"])
    counted = frame.groupby(names, sort=False).agg(times=("words", "size"), words=("words", "sum")).reset_index()
    counted = counted.astype({"times": "int64", "words": "int64"})
    return (
        counted
        if labels is not None
        else counted.sort_values("words", ascending=False, kind="stable", ignore_index=True)
    )


def speakers_or_spu_ids(scored: Scored) -> dict[str, str]:
    """The speaker of each scored utterance; where none is known what stands before the first `-` or `_` of its id.

    That is how sclite reads the ids of its type `spu_id`.
    """
    rows = _in_order(scored)
    ids = [str(one) for one in rows["utterance_id"]]
    if has(scored, "speaker"):
        return dict(zip(ids, map(_label, rows["speaker"].astype(object)), strict=True))
    return {one: re.split("[-_]", one, maxsplit=1)[0] for one in ids}


def korean_rates(scored: Scored) -> dict[str, float | None]:
    """The measures of Korean where the scoring is Korean: cer without spaces, cer_with_spaces, jer and swer.

    They are over the words of the alignments, and so over the reference with the alternatives that were taken.
    """
    if not is_korean(scored.scoring):
        return {}
    from analysis.korean_metrics import overall_korean

    rates = overall_korean(korean_counts_of(scored.scores, scored.scoring))
    return {name: rates[name] for name in ("cer", "cer_with_spaces", "jer", "swer")}
