"""The tables as the page lays them out: grouped, counted, cut to length, placed on axes."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench.report.charts import Axis, Histogram, gain_axis, histogram, rate_axis
from workbench.report.clips import Clip, embed
from workbench.report.data import ReportData, WorstUtterance
from workbench.report.formats import is_missing
from workbench.report.highlight import Piece, highlight

ROWS_SHOWN = 200
GROUPS_SHOWN = 40
WORST_SHOWN = 50
STEPS_SHOWN = 300
CONFUSIONS_SHOWN = 15

Row = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """The first rows of a table, how many there are in all, and the file that holds the rest."""

    rows: list[Any]
    total: int
    file: str

    @property
    def is_cut(self) -> bool:
        return len(self.rows) < self.total


def rows(frame: pd.DataFrame, table: str, most: int = ROWS_SHOWN) -> Shown:
    """The frame's first rows as mappings, with None for every missing value."""
    records = frame.head(most).to_dict("records")
    clean = [{str(k): None if is_missing(v) else v for k, v in record.items()} for record in records]
    return Shown(clean, len(frame), f"tables/{table}.csv")


def _place(axis: Axis, value: Any) -> float | None:
    return None if is_missing(value) else axis.at(100 * value)


def backlog_view(data: ReportData) -> tuple[Shown, float]:
    """The backlog by rank, each row with the places of its bar; and the place of zero."""
    table = rows(data.backlog.sort_values("rank"), "backlog")
    axis = gain_axis(data.backlog)
    for row in table.rows:
        row.update({f"{name}_at": _place(axis, row[name]) for name in ("gain", "gain_low", "gain_high")})
    return table, axis.at(0.0)


@dataclass(frozen=True)
class SliceChart:
    """Slices grouped by tag on one axis."""

    groups: list[tuple[str, list[Row]]]
    axis: Axis
    corpus: float | None
    corpus_at: float | None
    table: Shown


def slices_view(data: ReportData) -> SliceChart:
    """The slices in their own order, tag by tag, each with its place on the axis.

    `side` says where the interval lies: `worse` wholly above the corpus WER, `better` wholly below, `near` around it.
    """
    table = rows(data.slices, "slices")
    corpus = data.overall.get("wer")
    corpus = None if is_missing(corpus) else corpus
    axis = rate_axis(data.slices.head(ROWS_SHOWN), corpus)
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        row.update({f"{name}_at": _place(axis, row[name]) for name in ("wer", "wer_low", "wer_high")})
        row["beyond"] = 100 * max(row["wer"] or 0.0, row["wer_high"] or 0.0) > axis.high + 1e-9
        row["radius"] = 3 + 3 * math.sqrt(min(max(row["word_share"] or 0.0, 0.0), 1.0))
        row["side"] = "near"
        if corpus is not None and row["wer_low"] is not None and row["wer_low"] > corpus:
            row["side"] = "worse"
        if corpus is not None and row["wer_high"] is not None and row["wer_high"] < corpus:
            row["side"] = "better"
        groups.setdefault(row["tag"], []).append(row)
    return SliceChart(list(groups.items()), axis, corpus, None if corpus is None else axis.at(100 * corpus), table)


def confusions_view(data: ReportData) -> tuple[list[tuple[str, dict[str, list[Row]]]], Shown]:
    """The most frequent confusions of the corpus, then of each slice, by kind of error; and the table's length."""
    by_slice: list[tuple[str, dict[str, list[Row]]]] = []
    for name, part in data.confusions.groupby("slice", sort=False):
        most = CONFUSIONS_SHOWN if name == "all" else CONFUSIONS_SHOWN // 3
        lists = {}
        for op in ("substitute", "delete", "insert"):
            found = part[part["op"] == op].sort_values("count", ascending=False, kind="stable").head(most)
            lists[op] = rows(found, "confusions").rows
        top = max((row["count"] for one in lists.values() for row in one), default=1)
        for row in (row for one in lists.values() for row in one):
            row["share"] = 100 * row["count"] / top
        by_slice.append((str(name), lists))
    by_slice.sort(key=lambda pair: pair[0] != "all")
    shown = [row for _, lists in by_slice[:ROWS_SHOWN] for one in lists.values() for row in one]
    return by_slice[:ROWS_SHOWN], Shown(shown, len(data.confusions), "tables/confusions.csv")


@dataclass(frozen=True)
class ConflictGroup:
    """Transcripts of the same audio that differ: equal texts together, with who wrote them."""

    utterance_ids: list[str]
    kinds: list[str]
    why: str
    texts: list[tuple[list[str], list[Piece]]]


def _split(joined: Any) -> list[str]:
    return [] if is_missing(joined) else [one.strip() for one in str(joined).split(",") if one.strip()]


def conflicts_view(data: ReportData) -> tuple[Shown, list[tuple[str, int]]]:
    """The first groups of conflicting transcripts, and how many groups there are of each kind."""
    kinds = data.conflicts[["group", "kinds"]].drop_duplicates()
    each = {(group, kind) for group, joined in kinds.itertuples(index=False) for kind in _split(joined)}
    of_kind = Counter(kind for _, kind in each)
    groups = []
    by_group = dict(iter(data.conflicts.groupby("group", sort=False)))
    for group in _worst_first(list(by_group), each)[:GROUPS_SHOWN]:
        part = by_group[group]
        ids = list(dict.fromkeys(part["utterance_id"]))
        by_text: dict[str, list[str]] = {}
        for one in part.itertuples():
            who = str(one.annotator) if len(ids) == 1 else f"{one.annotator} ({one.utterance_id})"
            by_text.setdefault(str(one.text), []).append(who)
        texts = sorted(by_text.items(), key=lambda pair: -len(pair[1]))
        pieces = highlight([text for text, _ in texts])
        found = list(dict.fromkeys(kind for joined in part["kinds"] for kind in _split(joined)))
        groups.append(
            ConflictGroup(
                [str(one) for one in ids],
                found,
                str(part["why"].iloc[0]),
                [(who, piece) for (_, who), piece in zip(texts, pieces, strict=True)],
            )
        )
    total = int(data.conflicts["group"].nunique())
    most_first = sorted(of_kind.items(), key=lambda pair: (-pair[1], pair[0]))
    return Shown(groups, total, "tables/conflicts.csv"), most_first


def _worst_first(groups: list[Any], kinds: set[tuple[Any, str]]) -> list[Any]:
    """The groups, those first that differ in what was said and not in how it is spelled.

    The few that lack a start or an end lead, and no more than half of what is shown: content would not be seen.
    """
    cut_off = [group for group in groups if (group, "cut_off") in kinds][: GROUPS_SHOWN // 2]
    first = set(cut_off)
    rest = [group for group in groups if group not in first]
    return cut_off + sorted(rest, key=lambda group: not {(group, "content"), (group, "cut_off")} & kinds)


def conventions_view(data: ReportData) -> tuple[list[tuple[str, list[Row]]], Shown]:
    """The conventions, each with its forms, most frequent first."""
    table = rows(data.conventions, "conventions")
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row["convention"], []).append(row)
    return [(name, sorted(forms, key=lambda r: -r["count"])) for name, forms in groups.items()], table


def quality_view(data: ReportData) -> tuple[list[Histogram], list[tuple[str, list[tuple[str, int, float]]]]]:
    """Histograms of the measured audio, and how many utterances carry each value of each tag."""
    drawn = [
        histogram(data.quality["loudness"], "Loudness as recorded", "LUFS"),
        histogram(data.quality["snr"], "Signal-to-noise ratio", "dB"),
        histogram(data.quality["duration"], "Duration", "s"),
    ]
    counted = []
    for tag in data.quality_tags.columns:
        values = data.quality_tags[tag].astype(object)
        counts = values.where(values.notna(), "(missing)").value_counts()
        total = max(int(counts.sum()), 1)
        counted.append((str(tag), [(str(v), int(n), 100 * n / total) for v, n in counts.head(12).items()]))
    return [one for one in drawn if one is not None], counted


@dataclass(frozen=True)
class WorstView:
    """An utterance with many errors, with its clip and the first steps of its alignment."""

    utterance: WorstUtterance
    clip: Clip
    steps: list[tuple[str, str, str]]
    steps_left: int


def worst_view(data: ReportData) -> Shown:
    """The utterances with the most errors, with audio as far as the page may hold it."""
    worst = list(data.worst)[:WORST_SHOWN]
    views = [
        WorstView(one, clip, list(one.alignment)[:STEPS_SHOWN], max(0, len(one.alignment) - STEPS_SHOWN))
        for one, clip in zip(worst, embed(worst), strict=True)
    ]
    return Shown(views, len(data.worst), "tables/worst.csv")


def planted_view(data: ReportData) -> list[Row] | None:
    """The planted problems with the share found; None where nothing was planted."""
    if data.planted is None:
        return None
    table = rows(data.planted, "planted").rows
    for row in table:
        row["share"] = 100 * (row["found"] or 0) / row["planted"] if row["planted"] else 0.0
    return table


def made_view(data: ReportData) -> list[tuple[str, dict[str, Any]]]:
    """The run, its parameters and the versions of its libraries, as lists of names and values."""
    if not data.run:
        return []
    run = {str(k): v for k, v in data.run.items()}
    nested = {name: _as_mapping(run.pop(name, None)) for name in ("parameters", "library_versions")}
    found = [("Run", run), ("Parameters", nested["parameters"]), ("Libraries", nested["library_versions"])]
    return [(name, values) for name, values in found if values]


def _as_mapping(text: Any) -> dict[str, Any]:
    """A JSON object as a mapping; anything else under one name, as it stands."""
    if isinstance(text, Mapping):
        return {str(k): v for k, v in text.items()}
    if is_missing(text) or text == "":
        return {}
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return {"as recorded": text}
    return value if isinstance(value, dict) else {"as recorded": value}
