"""Scores of several systems made comparable: the same scoring, utterances and references, in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.errors import InvalidInput
from analysis.intervals import Array, group_sums, resampling_unit

WORD_ERRORS = ["substitutions", "deletions", "insertions"]
CHAR_ERRORS = ["char_substitutions", "char_deletions", "char_insertions"]
_NEEDED = ["utterance_id", "scoring", "ref_words", "hits", *WORD_ERRORS, "ref_chars", *CHAR_ERRORS]
_NEEDED += ["reference", "hypothesis", "alignment"]
_SHOWN = 5


@dataclass(frozen=True)
class Matched:
    """Several systems' scores of the same utterances, row by row."""

    scores: dict[str, pd.DataFrame]
    utterances: pd.DataFrame
    "The scored utterances, in the order of the scores."
    unit: str
    "What is resampled: speakers, recordings or utterances."
    groups: Array

    @property
    def group_count(self) -> int:
        """How many speakers, recordings or utterances there are."""
        return int(self.groups.max()) + 1 if len(self.groups) else 0

    def errors(self, name: str) -> Array:
        """The word errors of each utterance."""
        return self.scores[name][WORD_ERRORS].sum(axis=1).to_numpy()

    def words(self, name: str) -> Array:
        """The reference words of each utterance, as the system was scored on them."""
        return self.scores[name]["ref_words"].to_numpy()

    def by_group(self, name: str) -> tuple[Array, Array]:
        """The errors and the reference words of each group, each of shape (groups, 1)."""
        sums = group_sums(
            pd.DataFrame({"errors": self.errors(name), "words": self.words(name)}).to_numpy(), self.groups
        )
        return sums[:, [0]], sums[:, [1]]


def match_scores(scores: Mapping[str, pd.DataFrame], utterances: pd.DataFrame) -> Matched:
    """The systems' scores in one order, that of the first, with the group of each utterance.

    Args:
        scores: table `scores` of each system, one run and scoring each; run_id may be absent.
        utterances: table `utterances`; every scored one must be there.

    Raises:
        InvalidInput: no scores; a column is missing or an utterance stands twice; the systems differ in scoring,
            utterances or references; or a scored utterance is not among the utterances.
    """
    if not scores:
        raise InvalidInput("found no scores; give those of one system at least")
    for name, frame in scores.items():
        _check(name, frame)
    first, *others = scores
    for other in others:
        check_comparable(first, scores[first], other, scores[other])
    ids = pd.Index(scores[first]["utterance_id"])
    unknown = ids[~ids.isin(utterances["utterance_id"])].tolist()
    if unknown:
        raise InvalidInput(
            f"{len(unknown)} of {len(ids)} scored utterances are not among the {len(utterances)} utterances: "
            f"{_first(unknown)}; give the table utterances that they were scored from"
        )
    matched = {name: frame if _same(frame, ids) else _ordered(frame, ids) for name, frame in scores.items()}
    scored = utterances.set_index("utterance_id").loc[ids].reset_index()
    unit, groups = resampling_unit(scored)
    return Matched(matched, scored, unit, groups.to_numpy())


def check_comparable(name_a: str, a: pd.DataFrame, name_b: str, b: pd.DataFrame) -> None:
    """Refuse scores that differ in scoring, utterances or references; each is of one scoring."""
    label_a, label_b = (frame["scoring"].iloc[0] if len(frame) else None for frame in (a, b))
    if None not in (label_a, label_b) and label_a != label_b:
        raise InvalidInput(
            f"{name_a!r} is scored with {label_a!r} and {name_b!r} with {label_b!r}; score both in the same way"
        )
    ids_a, ids_b = pd.Index(a["utterance_id"]), pd.Index(b["utterance_id"])
    missing = [
        f"{len(only)} only in {name!r}: {_first(only)}"
        for name, only in ((name_a, ids_a.difference(ids_b, sort=False)), (name_b, ids_b.difference(ids_a, sort=False)))
        if len(only)
    ]
    if missing:
        raise InvalidInput(
            f"{name_a!r} has scores of {len(ids_a)} utterances and {name_b!r} of {len(ids_b)}; {'; '.join(missing)}; "
            "score both on the same utterances"
        )
    ordered = b if _same(b, ids_a) else _ordered(b, ids_a)
    differ = a["reference"].to_numpy(object) != ordered["reference"].to_numpy(object)
    if differ.any():
        raise InvalidInput(
            f"{name_a!r} and {name_b!r} are scored against different references in {int(differ.sum())} of {len(a)} "
            f"utterances: {_first(ids_a[differ])}; score both again, with the same references"
        )


def _check(name: str, frame: pd.DataFrame) -> None:
    absent = [column for column in _NEEDED if column not in frame.columns]
    if absent:
        raise InvalidInput(f"the scores of {name!r} have no column {absent[0]!r}; give rows of the table scores")
    labels = frame["scoring"].unique()
    if len(labels) > 1:
        raise InvalidInput(
            f"the scores of {name!r} hold {len(labels)} scorings: {_first(labels)}; give those of one, "
            "they are never mixed"
        )
    twice = frame["utterance_id"][frame["utterance_id"].duplicated()].unique()
    if len(twice):
        raise InvalidInput(
            f"{len(twice)} of {len(frame)} rows of the scores of {name!r} repeat an utterance: {_first(twice)}; "
            "give the scores of one run"
        )


def _same(frame: pd.DataFrame, ids: pd.Index) -> bool:
    return bool(len(frame) == len(ids) and (frame["utterance_id"].to_numpy(object) == ids.to_numpy(object)).all())


def _ordered(frame: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    return frame.iloc[pd.Index(frame["utterance_id"]).get_indexer(ids)].reset_index(drop=True)


def _first(ids: object) -> str:
    listed = list(ids)  # type: ignore[call-overload]
    return ", ".join(repr(str(value)) for value in listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")
