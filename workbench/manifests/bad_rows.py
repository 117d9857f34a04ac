"""Rows that cannot be used, as one report: how many, the first five with place and reason, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import BadInput
from workbench.manifests.faults import Faults, UnusableRow, shown

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5


def refuse(path: Path, faults: Faults, good: int) -> None:
    """Stop where there are faults.

    Args:
        good: how many rows can be used.

    Raises:
        BadInput: there are any; the message names the first five.
    """
    number = len(faults.rows)
    if not number:
        return
    lines = [f"  {row['location']}: {row['item']}: {row['reason']}" for row in faults.rows[:SHOWN]]
    if number > SHOWN:
        lines.append(f"  … and {number - SHOWN} more")
    raise BadInput(
        f"{path}: found {number} {'problem' if number == 1 else 'problems'}; {good} rows can be used:\n"
        + "\n".join(lines)
        + "\ncorrect or remove them"
        + ("; score and compare leave them out with --partial" if good else "")
    )


def listed(names: list[str], most: int = SHOWN) -> str:
    """The first names, quoted, each at most 60 characters long.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b', …"
    """
    return ", ".join(shown(name) for name in names[:most]) + (", …" if len(names) > most else "")


def without_repeated(frame: pd.DataFrame, path: Path, faults: Faults, annotators: bool, fold: bool) -> pd.DataFrame:
    """The rows whose utterance stands once in the file; each that stands more often is a fault, and left out.

    Which of its texts is meant cannot be known, so none of them is taken.

    Args:
        annotators: an utterance may stand once for each annotator.
        fold: ids that differ only in upper and lower case are the same.
    """
    keys = frame[["utterance_id", "annotator"]] if annotators else frame[["utterance_id"]]
    if fold:
        keys = keys.assign(utterance_id=keys["utterance_id"].str.casefold())
    repeated = keys.duplicated(keep=False)
    if not repeated.any():
        return frame
    rows = frame.loc[repeated, ["utterance_id", "annotator", "source_detail"]]
    groups = keys[repeated].groupby(list(keys.columns), sort=False)
    copy, group = groups.cumcount(), groups.ngroup()
    firsts, seconds = (rows[copy == n].assign(group=group).sort_values("group") for n in (0, 1))
    for first, again in zip(firsts.itertuples(), seconds.itertuples(), strict=True):
        by = f" by {shown(again.annotator)}" if annotators else ""
        found = f"utterance {shown(again.utterance_id)}{by} again, after {first.source_detail}"
        if again.utterance_id != first.utterance_id:
            found += f", where it is {shown(first.utterance_id)}: sclite takes them for one"
        expected, do = "one text of each utterance", "remove or rename one"
        if annotators:
            expected, do = "one transcript of it by each annotator", "remove one, or name them in a column `annotator`"
        line = int(str(again.source_detail).rpartition(":")[2])
        faults.add(str(again.utterance_id), path, line, UnusableRow(found, expected, do))
    return frame[~repeated]
