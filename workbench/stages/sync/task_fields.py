"""What a labeller is told of each utterance, and what tasks are found by: their fields, one row an utterance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.slices import slice_membership
from analysis.tag_values import MISSING
from workbench.stages.score import choose_run, scoring_name
from workbench.stages.slices import bins_for
from workbench.stages.stage import number
from workbench.stages.suspects import standing_suspects
from workbench.stages.tags import all_tags
from workbench.stages.verdicts import ACCEPTED, OPEN, usable_flags
from workbench.transcripts import current_transcripts, references
from workbench.workspace import Workspace

JOINED = ", "
"""What stands between the names in a field of several."""

# The hypothesis stands in the predictions: here a new run would change every task, each by a request of its own.
TEXT_FIELDS = (
    "reference",
    "reference_by",
    "suggestion",
    "why",
    "flags",
    "slices",
    "backlog",
    "speaker",
    "split",
)
NUMBER_FIELDS = ("suspect_score", "duration")
TAG_PREFIX = "tag_"

_LONGEST_WHY = 240  # characters
_ODD = re.compile(r"(?:[^\w \-]|_)+")
"""Signs that the server takes for a path into a value, in filters, and runs of them."""


@dataclass(frozen=True)
class Fields:
    """The fields of every utterance, and what they can be chosen by.

    Attributes:
        frame: indexed by utterance_id; texts are empty and numbers None where nothing is known.
        groups: the utterances of each slice, rule and backlog item, as booleans in the frame's order.
        kinds: whether each of these names is a slice, a rule or a backlog item.
    """

    frame: pd.DataFrame
    groups: dict[str, np.ndarray] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)


def task_fields(workspace: Workspace, utterances: pd.DataFrame, hypotheses: pd.DataFrame) -> Fields:
    """The fields of every utterance of the workspace.

    Args:
        utterances, hypotheses: the tables.
    """
    index = pd.Index(utterances["utterance_id"])
    transcripts = workspace.read("transcripts")
    chosen = references(transcripts).set_index("utterance_id").reindex(index)
    flags = _standing_flags(workspace, transcripts)
    run = _main_run(workspace)
    heard = _heard(hypotheses, run, index)
    # What the backlog was worked out from: its items have no other utterances.
    scored = (heard.notna() & chosen["reference"].notna()).to_numpy()
    slices = _slices(workspace, index, scored)
    rules = {str(rule_id): index.isin(of_rule["utterance_id"]) for rule_id, of_rule in flags.groupby("rule_id")}
    known_rules = workspace.read("rule_summary")["rule_id"]
    rules = {str(rule_id): np.zeros(len(index), bool) for rule_id in known_rules} | rules
    items = {name: of & scored for name, of in _items(workspace, run, index, flags, chosen, slices).items()}
    numbers = {
        "suspect_score": _suspect_scores(workspace, chosen, index),
        "duration": _durations(workspace, utterances),
    }
    texts = {
        "reference": chosen["reference"],
        "reference_by": chosen["annotator"],
        "suggestion": _suggestions(flags, chosen),
        "why": _why(flags),
        "flags": _joined(rules, index),
        "slices": _joined({name: members for name, members in slices.items() if MISSING not in name}, index),
        "backlog": _joined(items, index),
        "speaker": utterances.set_index("utterance_id")["speaker"],
    }
    tags = all_tags(workspace).reindex(index)
    split = tags.pop("split") if "split" in tags else pd.Series(None, index=index, dtype=object)
    frame = pd.DataFrame({name: _texts(column.reindex(index)) for name, column in texts.items()}, index=index)
    frame["split"] = _texts(split)
    for name, column in numbers.items():
        frame[name] = column
    for tag, name in _names_of_tags(list(map(str, tags.columns))).items():
        frame[name] = _plain(tags[tag])
    kinds = dict.fromkeys(slices, "slice") | dict.fromkeys(rules, "rule") | dict.fromkeys(items, "backlog item")
    return Fields(frame, {**slices, **rules, **items}, kinds)


def _main_run(workspace: Workspace) -> str | None:
    return str(choose_run(workspace)["run_id"]) if len(workspace.read("runs")) else None


def _heard(hypotheses: pd.DataFrame, run: str | None, index: pd.Index) -> pd.Series:
    of_run = hypotheses.loc[hypotheses["run_id"] == (run or ""), ["utterance_id", "text"]]
    return of_run.set_index("utterance_id")["text"].reindex(index)


def _standing_flags(workspace: Workspace, transcripts: pd.DataFrame) -> pd.DataFrame:
    """Flags of the texts of today that nobody rejected, those most worth a look first."""
    flags = usable_flags(workspace)
    flags = flags[flags["verdict"].isin([OPEN, ACCEPTED])]
    current = current_transcripts(transcripts)[["utterance_id", "annotator", "text"]]
    stands = pd.MultiIndex.from_frame(flags[["utterance_id", "annotator", "text"]]).isin(
        pd.MultiIndex.from_frame(current)
    )
    return flags[stands | (flags["annotator"] == "").to_numpy()].reset_index(drop=True)


def _suggestions(flags: pd.DataFrame, chosen: pd.DataFrame) -> pd.Series:
    """For each utterance the best suggestion for its reference."""
    suggested = flags[flags["suggestion"].notna() & (flags["verdict"] == OPEN)]
    best = _of_references(suggested, chosen).drop_duplicates("utterance_id")
    return best.set_index("utterance_id")["suggestion"]


def _of_references(flags: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    by = chosen.reset_index(names="utterance_id").rename(columns={"reference": "text"})
    return flags.merge(by[["utterance_id", "annotator", "text"]], on=["utterance_id", "annotator", "text"])


def _why(flags: pd.DataFrame) -> pd.Series:
    """For each utterance what the best flags of different rules saw, harmful ones first."""
    ordered = flags.assign(is_style=flags["severity"] != "harmful").sort_values("is_style", kind="stable")
    several = ordered.drop_duplicates(["utterance_id", "rule_id"])
    place = several.groupby("utterance_id").cumcount()
    reasons = (several["rule_id"] + ": " + several["evidence"]).set_axis(several["utterance_id"])
    first, second = (reasons[(place == number).to_numpy()] for number in (0, 1))
    joined = first + ("; " + second).reindex(first.index, fill_value="")
    long = joined.str.len() > _LONGEST_WHY
    return joined.mask(long, joined.str.slice(0, _LONGEST_WHY - 1) + "…")


def _suspect_scores(workspace: Workspace, chosen: pd.DataFrame, index: pd.Index) -> pd.Series:
    """How likely the reference is wrong; where it is a consensus, which is not judged, the highest of the labels'."""
    if workspace.read("suspects").empty:
        return pd.Series(np.nan, index=index)
    suspects, _ = standing_suspects(workspace)
    suspects = suspects[suspects["score"].notna()]
    highest = suspects.groupby("utterance_id")["score"].max().reindex(index)
    own = suspects.merge(chosen[["annotator"]].reset_index(names="utterance_id"), on=["utterance_id", "annotator"])
    return own.set_index("utterance_id")["score"].reindex(index).fillna(highest).round(2)


def _durations(workspace: Workspace, utterances: pd.DataFrame) -> pd.Series:
    """Seconds, as the manifest has them; else as measured; else of the span."""
    given, start, end = (pd.to_numeric(utterances[name], errors="coerce") for name in ("duration", "start", "end"))
    measured = workspace.read("audio_quality").set_index("utterance_id")["duration"]
    measured = pd.to_numeric(measured.reindex(utterances["utterance_id"]), errors="coerce").set_axis(given.index)
    known = given.fillna(measured).fillna(end - start.fillna(0.0))
    return known.astype(float).round(3).set_axis(pd.Index(utterances["utterance_id"]))


def duration_of(utterance: Mapping[str, Any], quality: Mapping[str, Any] | None) -> float | None:
    """The field `duration` (s) of one utterance, from its row and that of its audio quality."""
    start, end = number(utterance["start"]), number(utterance["end"])
    span = None if end is None else end - (start or 0.0)
    known = (number(utterance["duration"]), None if quality is None else number(quality["duration"]), span)
    return next((float(np.round(seconds, 3)) for seconds in known if seconds is not None), None)


def _slices(workspace: Workspace, index: pd.Index, scored: np.ndarray) -> dict[str, np.ndarray]:
    """The utterances of each slice: named as the table `slices` names them, those that are not scored among them."""
    tags = all_tags(workspace).reindex(index)
    bins = bins_for(workspace, tags)
    named = {name: one.members for name, one in slice_membership(tags, bins).items()}
    if scored.all() or not scored.any():
        return named
    # Bins of numbers lie where the scored ones have them.
    of_scored = slice_membership(tags[scored], bins)
    both = {}
    for name, one in of_scored.items():
        both[name] = named[name] & ~scored if name in named else np.zeros(len(index), bool)
        both[name][np.flatnonzero(scored)[one.members]] = True
    return both


def _items(
    workspace: Workspace,
    run: str | None,
    index: pd.Index,
    flags: pd.DataFrame,
    chosen: pd.DataFrame,
    slices: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """The utterances of each backlog item, in the backlog's order; tuning has none."""
    if run is None:
        return {}
    backlog = workspace.read("backlog", run_id=run, scoring=scoring_name(workspace)).sort_values("rank")
    by_slice = {name.replace(" = ", "=", 1): members for name, members in slices.items()}
    changing = _of_references(flags[flags["suggestion"].notna() & (flags["suggestion"] != flags["text"])], chosen)
    changing = changing.drop_duplicates(["rule_id", "utterance_id"])
    items = {}
    for item_id, kind in zip(backlog["item_id"], backlog["kind"], strict=True):
        name = item_id.removeprefix(f"{kind}.")
        if kind == "label":
            items[item_id] = index.isin(changing["utterance_id"][changing["rule_id"] == name])
        elif name in by_slice:
            items[item_id] = by_slice[name]
    return items


def _joined(groups: dict[str, np.ndarray], index: pd.Index) -> pd.Series:
    """For each utterance the names of its groups, in the order of the groups."""
    names: list[list[str]] = [[] for _ in index]
    for name, members in groups.items():
        for place in np.flatnonzero(members):
            names[place].append(name)
    return pd.Series([JOINED.join(several) for several in names], index=index, dtype=object)


def _texts(column: pd.Series) -> pd.Series:
    # PostgreSQL takes no JSON with a NUL: one text would stop its whole batch.
    values = column.to_numpy(dtype=object, na_value="")
    texts = [text.replace("\0", "\N{REPLACEMENT CHARACTER}") for text in values]
    return pd.Series(texts, index=column.index, dtype=object)


def _plain(values: pd.Series) -> pd.Series:
    """A tag's values as JSON has them: text, whole numbers, numbers or booleans; nothing known is empty, or None."""
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        rounded = values.round(6) if pd.api.types.is_float_dtype(values) else values
        plain = rounded.astype(object)
        finite = (
            plain.notna() if pd.api.types.is_bool_dtype(values) else np.isfinite(values.astype(float).fillna(np.inf))
        )
        return plain.where(finite, None)
    return _texts(values.where(values.isna(), values.astype(str)))


def _names_of_tags(tags: list[str]) -> dict[str, str]:
    """The field of each tag: its own name, but for signs that fields cannot have, and for names that are taken."""
    from workbench.label_studio.labelling_config import FIELDS

    taken = {*FIELDS, *TEXT_FIELDS, *NUMBER_FIELDS}
    names: dict[str, str] = {}
    for tag in tags:
        name = _ODD.sub("_", tag)
        while name in taken:
            name = TAG_PREFIX + name
        taken.add(name)
        names[tag] = name
    return names
