"""How far transcribers of the same utterances agree: error rates between them, and Krippendorff's alpha.

An error rate between two people favours neither: errors over the mean of both sides' words. The fewest edits from one
text to another are as many as back, so that one count serves both directions, and either side's rate comes from the
same row: errors over words_a, or over words_b.

Alpha is Krippendorff's (Content Analysis, 4th ed., 2018, chapter 12), with a distance between texts in the place of
his metrics, as Braylan, Alonso and Lease have it (Measuring Annotator Agreement Generally across Complex Structured,
Multi-object, and Free-text Annotation Tasks, WWW 2022): 1 - observed / expected disagreement. Observed is the mean
distance between texts of the same utterance, where an utterance counts by its number of texts; expected is that
between all texts of all utterances. Texts of different utterances have little in common, so that the expected
disagreement over words is close to 1, and alpha close to 1 less the mean distance. Compare alphas of one distance only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import InvalidInput
from analysis.intervals import (
    FEWEST_GROUPS,
    RESAMPLES,
    divide,
    group_sums,
    percentile_interval,
    ratio_interval,
    resample_weights,
    resampled_sums,
)
from analysis.normalizers import Normalizer
from analysis.text_distances import DISTANCES, Distance, DistinctTexts, get_distance

Numbers = np.ndarray[Any, np.dtype[Any]]

MOST_CELLS = 2e10
"""Work, in cells of edit distances, up to which expected disagreement is computed and not estimated: some seconds."""
SAMPLED_PAIRS = 1_000_000
MOST_RESAMPLED_EXACTLY = 1000
"""Groups, and different texts, up to which each resample has its own expected disagreement."""
MOST_INTERVALS = 200
FEWEST_UNITS = 2
_TOO_FEW = f"{{}} transcripts of two people; what chance would give takes at least {FEWEST_UNITS}"

_COUNTS = ["words_a", "words_b", "errors", "chars_a", "chars_b", "char_errors"]
_RATES = {"wer": ["errors", "words_a", "words_b"], "cer": ["char_errors", "chars_a", "chars_b"]}


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha on a named distance, with what it was computed from.

    Attributes:
        distance: a name of `analysis.text_distances.DISTANCES`.
        normalizer: name and version of what was applied to every text.
        annotators, utterances, labels: those that count: utterances with two texts or more, and their texts.
        observed, expected: mean distances; None where there is nothing to compute one from.
        pairs: pairs of texts that the expected one rests on.
        expected_error: its standard error where these pairs are a sample; 0 where they are all there are.
        alpha: None where it is not defined; `why` says why, and is empty otherwise.
        low, high: the 95 % interval by the bootstrap over groups of utterances; None from fewer than two groups, and
            where nobody disagrees, for resampling no disagreement is no proof that there is none.
    """

    distance: str
    normalizer: str
    annotators: int
    utterances: int
    labels: int
    groups: int
    observed: float | None = None
    expected: float | None = None
    pairs: int = 0
    expected_error: float | None = None
    alpha: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


def pairwise_wer(
    labels: pd.DataFrame, normalizer: Normalizer, groups: pd.Series | None = None, most_intervals: int = MOST_INTERVALS
) -> pd.DataFrame:
    """Error rates between each two annotators, those with the most utterances in common first.

    The columns are annotator_a, annotator_b (by name), utterances (in common), same (of them with equal texts),
    words_a, words_b, errors, wer with wer_low and wer_high, and chars_a, chars_b, char_errors, cer with cer_low and
    cer_high. All but the rates can be summed. A rate is missing where neither side has any words.

    Args:
        labels: one row an utterance and annotator, with utterance_id, annotator and text.
        normalizer: applied to every text first; characters count spaces where its `spaces_count` says so.
        groups: what is resampled: a group's code for each utterance_id, as `resampling_unit` has it; utterances if
            there are none.
        most_intervals: how many pairs get 95 % intervals, the first ones.

    Raises:
        InvalidInput: a column or a text is missing, somebody has two texts of an utterance, or one has no group.
    """
    read = _Labels(labels, normalizer, groups)
    names = read.annotator_names
    first, second = read.annotators[read.ours], read.annotators[read.theirs]
    swapped = first > second
    rows = read.compared(np.where(swapped, read.theirs, read.ours), np.where(swapped, read.ours, read.theirs))
    rows["key"] = np.minimum(first, second) * len(names) + np.maximum(first, second)
    rates = _rates(rows, most_intervals)
    rates.insert(0, "annotator_a", names[rates["key"] // max(len(names), 1)])
    rates.insert(1, "annotator_b", names[rates["key"] % max(len(names), 1)])
    return rates.drop(columns=["key", "comparisons"])


def wer_to_others(
    labels: pd.DataFrame, normalizer: Normalizer, groups: pd.Series | None = None, most_intervals: int = MOST_INTERVALS
) -> pd.DataFrame:
    """Error rates between each annotator and all others of the same utterances, those who compare most first.

    The columns are those of `pairwise_wer` with annotator in place of the two, comparisons (with one other text each)
    and utterances (with at least one). Side a is the annotator, whose words count once a comparison; b are the others.

    Args and Raises are those of `pairwise_wer`.
    """
    read = _Labels(labels, normalizer, groups)
    rows = read.compared(np.concatenate([read.ours, read.theirs]), np.concatenate([read.theirs, read.ours]))
    rows["key"] = read.annotators[np.concatenate([read.ours, read.theirs])]
    rates = _rates(rows, most_intervals)
    rates.insert(0, "annotator", read.annotator_names[rates["key"]])
    return rates.drop(columns="key")


def pooled_wer(labels: pd.DataFrame, normalizer: Normalizer, groups: pd.Series | None = None) -> pd.DataFrame:
    """The error rates between all pairs of annotators together: one row, or none where there is no pair.

    The columns are those of `wer_to_others` without annotator; each pair is counted once, in no particular order.

    Args and Raises are those of `pairwise_wer`.
    """
    read = _Labels(labels, normalizer, groups)
    return _rates(read.compared(read.ours, read.theirs).assign(key=0), 1).drop(columns="key")


def krippendorff_alpha(
    labels: pd.DataFrame,
    normalizer: Normalizer,
    distance: str = "word",
    groups: pd.Series | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    most_cells: float = MOST_CELLS,
    sampled_pairs: int = SAMPLED_PAIRS,
) -> Alpha:
    """Krippendorff's alpha of the transcripts on a named distance.

    Expected disagreement is over all pairs of texts as far as `most_cells` goes, and else over a seeded sample of
    `sampled_pairs`. The interval resamples groups, observed and expected disagreement both; one that is drawn twice is
    not compared with its copy, with which it would agree. Of many groups or texts the expected one changes as the mean
    distances of each group's texts to all others do, which is so to first order.

    Args:
        labels, normalizer, groups: as for `pairwise_wer`.
        distance: a name of `analysis.text_distances.DISTANCES`; `exact` gives the alpha for nominal data.

    Raises:
        InvalidInput: as `pairwise_wer`, or there is no such distance.
    """
    chosen = get_distance(distance)
    read = _Labels(labels, normalizer, groups).pairable()
    distinct = DistinctTexts(read.distinct, chosen)
    apart = distinct.between(read.texts[read.ours], read.texts[read.theirs])
    disagreement = group_sums((2 * apart / (read.sizes[read.units[read.ours]] - 1))[:, None], read.groups[read.ours])
    people, units, several, n_groups = (
        len(np.unique(read.annotators)),
        len(read.sizes),
        len(read.texts),
        len(disagreement),
    )
    found = Alpha(chosen.name, normalizer.label, people, units, several, n_groups)
    if not units:
        return replace(found, why=_TOO_FEW.format("no utterance has"))
    found = replace(found, observed=float(disagreement.sum() / several))
    if units < FEWEST_UNITS:
        return replace(found, why=_TOO_FEW.format("only one utterance has"))
    expected, pairs, error, to_others = _expected(read, distinct, seed, most_cells, sampled_pairs)
    found = replace(found, expected=expected, pairs=pairs, expected_error=error)
    if expected == 0:
        return replace(found, why="all transcripts of all utterances are the same text: there is nothing to tell apart")
    found = replace(found, alpha=float(1 - disagreement.sum() / several / expected))
    if n_groups < FEWEST_GROUPS or not disagreement.any():
        return found
    resampled = _resampled_exactly if max(n_groups, len(read.distinct)) <= MOST_RESAMPLED_EXACTLY else _resampled
    own = resampled(read, distinct, disagreement[:, 0], expected, to_others, resamples, seed)
    low, high = (float(end[0]) for end in percentile_interval(own[:, None]))
    return found if np.isnan(low) else replace(found, low=low, high=high)


def _resampled_exactly(
    read: _Labels, distinct: DistinctTexts, disagreement: Numbers, expected: float, to_others: Numbers, *how: int
) -> Numbers:
    """Alpha of each resample; a group that is drawn twice is not compared with itself."""
    texts = np.zeros((len(read.distinct), len(disagreement)))
    np.add.at(texts, (read.texts, read.groups), 1)
    apart, several = texts.T @ distinct.table() @ texts, texts.sum(axis=0)
    weights = resample_weights(len(disagreement), *how).astype(float)
    # Of all pairs those of a group with its own copies go, and those within it count once a copy.
    copies = weights - weights**2
    above = ((weights @ apart) * weights).sum(axis=1) + copies @ np.diag(apart)
    pairs = (weights @ several) ** 2 + copies @ several**2 - weights @ several
    return 1 - divide(divide(weights @ disagreement, weights @ several), divide(above, pairs))


def _resampled(
    read: _Labels, distinct: DistinctTexts, disagreement: Numbers, expected: float, to_others: Numbers, *how: int
) -> Numbers:
    """The same to first order: the expected disagreement changes as the mean distances to all others do."""
    sums = np.column_stack([disagreement, to_others, np.bincount(read.groups, minlength=len(disagreement))])
    above, others, several = resampled_sums(sums, *how).T
    chance = 2 * divide(others, several) - expected
    return 1 - divide(divide(above, several), np.where(chance > 0, chance, 0))


def _expected(
    read: _Labels, distinct: DistinctTexts, seed: int, most_cells: float, sampled_pairs: int
) -> tuple[float, int, float, Numbers]:
    """The expected disagreement, its pairs and its standard error, and each group's sum of its texts' own means."""
    several = len(read.texts)
    if distinct.cells <= most_cells:
        counts = np.bincount(read.texts, minlength=len(read.distinct)).astype(float)
        to_others = distinct.sums_to_all(counts)[read.texts] / (several - 1)
        expected = float(to_others.mean())
        return expected, several * (several - 1) // 2, 0.0, group_sums(to_others[:, None], read.groups)[:, 0]
    rng = np.random.default_rng(seed)
    ours, theirs = rng.integers(several, size=sampled_pairs), rng.integers(several - 1, size=sampled_pairs)
    theirs += theirs >= ours
    apart = distinct.between(read.texts[ours], read.texts[theirs])
    expected, error = float(apart.mean()), float(apart.std(ddof=1) / np.sqrt(sampled_pairs))
    ends = read.groups[np.concatenate([ours, theirs])]
    size = np.bincount(read.groups)
    drawn = np.bincount(ends, minlength=len(size))
    means = divide(np.bincount(ends, weights=np.tile(apart, 2), minlength=len(size)), drawn)
    return expected, sampled_pairs, error, np.where(drawn > 0, means, expected) * size


class _Labels:
    """Texts of utterances as numbers: in the same order however the rows come and whatever annotators are called."""

    def __init__(self, labels: pd.DataFrame, normalizer: Normalizer, groups: pd.Series | None) -> None:
        _check(labels, groups)
        made = {text: normalizer(text) for text in dict.fromkeys(labels["text"])}
        frame = pd.DataFrame(
            {
                "utterance_id": labels["utterance_id"].to_numpy(),
                "annotator": labels["annotator"].to_numpy(),
                "text": [made[text] for text in labels["text"]],
            }
        ).sort_values(["utterance_id", "text", "annotator"], kind="stable", ignore_index=True)
        self.spaces_count = normalizer.spaces_count
        self.units = pd.factorize(frame["utterance_id"])[0]
        codes, names = pd.factorize(frame["annotator"], sort=True)
        self.annotators, self.annotator_names = codes, np.asarray(names, dtype=object)
        codes, distinct = pd.factorize(frame["text"], sort=True)
        self.texts, self.distinct = codes, list(distinct)
        self.groups = self.units if groups is None else pd.factorize(frame["utterance_id"].map(groups))[0]

    def pairable(self) -> _Labels:
        """Those of utterances with two texts or more, with numbers of their own."""
        kept = self.sizes[self.units] > 1
        self.__dict__.pop("sizes"), self.__dict__.pop("_pairs", None)
        self.units, self.groups = (pd.factorize(codes[kept])[0] for codes in (self.units, self.groups))
        self.annotators = self.annotators[kept]
        codes, chosen = pd.factorize(self.texts[kept], sort=True)
        self.texts, self.distinct = codes, [self.distinct[number] for number in chosen]
        return self

    @cached_property
    def sizes(self) -> Numbers:
        """How many texts each utterance has."""
        return np.bincount(self.units)

    @cached_property
    def _pairs(self) -> Numbers:
        starts = np.cumsum(self.sizes) - self.sizes
        pairs = [np.zeros((2, 0), np.int64)]
        for size in np.unique(self.sizes[self.sizes > 1]):
            corners = np.array(np.triu_indices(size, 1))
            pairs.append((starts[self.sizes == size][None, :, None] + corners[:, None, :]).reshape(2, -1))
        return np.concatenate(pairs, axis=1)

    @property
    def ours(self) -> Numbers:
        """With `theirs` every two texts of the same utterance, once."""
        return self._pairs[0]

    @property
    def theirs(self) -> Numbers:
        return self._pairs[1]

    def compared(self, ours: Numbers, theirs: Numbers) -> pd.DataFrame:
        """One row for each two texts, with their group and counts."""
        return pd.DataFrame(
            {"unit": self.units[ours], "group": self.groups[ours], "same": self.texts[ours] == self.texts[theirs]}
            | self._counts(DISTANCES["word"], ["words_a", "words_b", "errors"], ours, theirs)
            | self._counts(
                DISTANCES["char" if self.spaces_count else "syllable"],
                ["chars_a", "chars_b", "char_errors"],
                ours,
                theirs,
            )
        )

    def _counts(self, distance: Distance, names: list[str], ours: Numbers, theirs: Numbers) -> dict[str, Numbers]:
        distinct = DistinctTexts(self.distinct, distance)
        sides = self.texts[ours], self.texts[theirs]
        return dict(zip(names, (*(distinct.lengths[side] for side in sides), distinct.edits(*sides)), strict=True))


def _rates(rows: pd.DataFrame, most_intervals: int) -> pd.DataFrame:
    """One row a key, with its counts and rates."""
    by_key = rows.groupby("key")
    table = by_key[["same", *_COUNTS]].sum()
    table.insert(0, "utterances", by_key["unit"].nunique())
    table.insert(0, "comparisons", by_key.size())
    table = table.sort_values("comparisons", ascending=False, kind="stable").reset_index()
    for name, (errors, ours, theirs) in _RATES.items():
        words = (table[ours] + table[theirs]).to_numpy() / 2
        table[name] = divide(table[errors].to_numpy(float), words)
        ends = np.full((len(table), 2), np.nan)
        for row, key in enumerate(table["key"].head(most_intervals)):
            of_key = rows.iloc[by_key.indices[key]]
            values = np.column_stack([of_key[errors], (of_key[ours] + of_key[theirs]) / 2])
            sums = group_sums(values, pd.factorize(of_key["group"])[0])
            ends[row] = [end[0] for end in ratio_interval(sums[:, :1], sums[:, 1:])]
        table[f"{name}_low"], table[f"{name}_high"] = ends.T
    order = ["wer", "wer_low", "wer_high", "chars_a", "chars_b", "char_errors", "cer", "cer_low", "cer_high"]
    return table[[*(name for name in table.columns if name not in order), *order]]


def _check(labels: pd.DataFrame, groups: pd.Series | None) -> None:
    for name in ("utterance_id", "annotator", "text"):
        if name not in labels.columns:
            raise InvalidInput(f"the transcripts have no column {name!r}; they need utterance_id, annotator and text")
        wrong = np.flatnonzero([not isinstance(value, str) for value in labels[name].tolist()])
        if len(wrong):
            raise InvalidInput(
                f"row {wrong[0]} of the transcripts has no {name}: found {labels[name].iloc[wrong[0]]!r}"
            )
    twice = labels.duplicated(["utterance_id", "annotator"])
    if twice.any():
        first = labels[twice].iloc[0]
        raise InvalidInput(
            f"{first['annotator']!r} has two texts of utterance {first['utterance_id']!r}; keep the one that counts"
        )
    if groups is not None:
        lacking = labels["utterance_id"][~labels["utterance_id"].isin(groups.index)]
        if len(lacking):
            raise InvalidInput(f"utterance {lacking.iloc[0]!r} has no group to be resampled with; give one for each")
