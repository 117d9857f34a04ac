"""The most frequent substitutions, deletions and insertions, in the corpus and in each slice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.align import ALIGNMENT_TYPE
from analysis.errors import InvalidInput
from analysis.intervals import Array
from analysis.slices import Slice

_STEP = ["op", "reference", "hypothesis"]
ALL = "all"


def confusions(scores: pd.DataFrame, membership: Mapping[str, Slice], top: int = 20) -> pd.DataFrame:
    """Table `confusions`: for `all` and each slice the `top` most frequent errors of each kind, most frequent first.

    Args:
        scores: table `scores` of one run and scoring, with stored alignments; run_id may be absent.
        membership: slices of the same utterances in the same order, from `slice_membership`.

    Raises:
        InvalidInput: a slice is of another number of utterances, or there are several runs or scorings.
    """
    for name, part in membership.items():
        if len(part.members) != len(scores):
            raise InvalidInput(f"slice {name!r} is over {len(part.members)} utterances, the scores over {len(scores)}")
    rows, kinds, codes = _errors(scores)
    parts = {ALL: np.ones(len(scores), bool)} | {name: part.members for name, part in membership.items()}
    found = [_most_frequent(name, codes[members[rows]], kinds, top) for name, members in parts.items()]
    frame = pd.concat(found, ignore_index=True)
    for column in ("scoring", "run_id"):
        if column in scores.columns:
            if scores[column].nunique() > 1:
                raise InvalidInput(f"the scores hold several values of {column}; give those of one")
            frame.insert(0, column, scores[column].iloc[0] if len(scores) else "")
    return frame


def _errors(scores: pd.DataFrame) -> tuple[Array, pd.DataFrame, Array]:
    """The row in scores of every error, the different errors there are, and which of them each one is."""
    alignments = pa.array(scores["alignment"], type=ALIGNMENT_TYPE)
    if isinstance(alignments, pa.ChunkedArray):
        alignments = alignments.combine_chunks()
    flat = alignments.flatten()
    steps = pd.DataFrame({name: flat.field(name).to_pandas() for name in _STEP})
    rows = np.repeat(np.arange(len(scores)), np.diff(alignments.offsets.to_numpy()))
    wrong = (steps["op"] != "equal").to_numpy()
    grouped = steps[wrong].groupby(_STEP, sort=True)
    kinds = grouped.size().index.to_frame(index=False)
    return rows[wrong], kinds, grouped.ngroup().to_numpy()


def _most_frequent(name: str, codes: Array, kinds: pd.DataFrame, top: int) -> pd.DataFrame:
    counted = kinds.assign(slice=name, count=np.bincount(codes, minlength=len(kinds)))
    counted = counted[counted["count"] > 0]
    # `kinds` is in alphabetical order, which a stable sort keeps among equal counts.
    most = counted.sort_values("count", ascending=False, kind="stable").groupby("op", sort=False).head(top)
    order = most["op"].map({"substitute": 0, "delete": 1, "insert": 2})
    return most.iloc[np.argsort(order.to_numpy(), kind="stable")][["slice", *_STEP, "count"]]
