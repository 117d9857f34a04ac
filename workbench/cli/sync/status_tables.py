"""The sections of `workbench sync status` as people read them, each as wide as a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.cli.output import Format, print_frame, say, shown

if TYPE_CHECKING:
    from workbench.stages.sync.status import Status

_MOST_ROWS = 15
_ENDS = ("", "_low", "_high")


def _titled(frame: pd.DataFrame, title: str, format: Format, section: str = "") -> None:
    """Print a table; on a screen its first rows, and how to get at all of them."""
    if format is Format.markdown:
        print(f"## {title}\n")
    more = len(frame) - _MOST_ROWS if section and format is Format.table else 0
    print_frame(frame.head(_MOST_ROWS) if more > 0 else frame, format, title)
    if more > 0:
        say(f"… and {more:,} more; --section {section} --format csv holds all")
    if format is Format.markdown or len(frame) == 1:
        print()


def _known(name: str, value: Any) -> str:
    """A value as people read it, also one that is missing."""
    return "–" if value is None or pd.isna(value) else shown(name, value)


def _with_interval(name: str, value: Any, low: Any, high: Any) -> str:
    if pd.isna(value):
        return "–"
    ends = "" if pd.isna(low) else f" (95 %: {shown(name, low).removesuffix(' %')} … {shown(name, high)})"
    return shown(name, value) + ends


def _seconds(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.1f} s"


def _minutes(seconds: float) -> str:
    return "–" if pd.isna(seconds) else f"{seconds / 60:.1f} min"


def waiting(made: Status, format: Format, asked: bool) -> None:
    table = made.tables["waiting"]
    if format is Format.table:
        # What nobody asked the server for is said at the end, and what there is none of needs no line.
        table = table[table["number"].fillna(0) > 0]
    if len(table) == 1 and format is Format.table:
        row = table.iloc[0]
        print(f"what waits: {row['what']} ({row['number']}); {row['command']}\n")
    elif len(table):
        _titled(table[["number", "what", "command"]], "what waits", format)
    elif made.head["reached"]:
        say("nothing waits to be pushed, pulled or decided")


def project(made: Status, format: Format, asked: bool) -> None:
    row = made.tables["project"].iloc[0]
    if not row["tasks"] and not asked:
        return
    readable = {
        "tasks there": row["tasks"],
        "labelled": f"{int(row['one_label'] + row['two_labels'])} ({_known('share', row['labelled_share'])})",
        "by two people or more": row["two_labels"],
        "skipped or empty only": row["no_text"],
        "drafts only": row["begun"],
        "untouched": row["untouched"],
        "deleted there": row["gone"],
    }
    _titled(pd.DataFrame([readable]), "the project's tasks", format)


def annotators(made: Status, format: Format, asked: bool) -> None:
    table = made.tables["annotators"]
    if table.empty:
        say("nobody's work has been pulled yet; `workbench sync pull` fetches it")
        return
    work = ["annotator", "done", "share", "submitted", "edited", "empty", "skipped", "drafts"]
    readable = table[work].rename(columns={"submitted": "texts"})
    _titled(readable, "people's work; done is a share of the tasks", format, "annotators")
    pace = pd.DataFrame(
        {
            "annotator": table["annotator"],
            "median": table["lead_time"].map(_seconds),
            "p90": table["lead_time_p90"].map(_seconds),
            "audio/hour": table["audio_per_hour"].map(_minutes),
            "prelabels": [
                f"{accepted} of {begun}" if begun else "–"
                for accepted, begun in zip(table["accepted"], table["prelabels"], strict=True)
            ],
            "last active": table["last_active_at"].dt.strftime("%Y-%m-%d %H:%M"),
        }
    )
    title = "people's pace: lead time, and audio in an hour of it"
    if table["prelabels"].any():
        title += "; prelabels kept"
    else:
        pace = pace.drop(columns="prelabels")
    _titled(pace, title, format, "annotators")


def agreement(made: Status, format: Format, asked: bool) -> None:
    row = made.tables["agreement"].iloc[0]
    if not row["comparisons"]:
        say("agreement is not known: no utterance has been labelled by two people yet")
        return
    rate = made.rate
    expected = _known("score", row["expected"])
    if row["expected_error"]:
        expected += f" (± {row['expected_error']:.1g}, from {row['pairs']:,} pairs)"
    readable = {
        "Krippendorff's alpha": row["why"] or _with_interval("score", *(row["alpha" + end] for end in _ENDS)),
        "distance": f"{row['distance']}, after normalizer {row['normalizer']}",
        "disagreement": f"{_known('score', row['observed'])} observed, {expected} expected",
        f"{rate.upper()} between people": _with_interval(rate, *(row[rate + end] for end in _ENDS)),
        "texts": f"{row['labels']:,} of {row['utterances']:,} utterances by {row['annotators']:,} people",
        "equal pairs": f"{row['same']:,} of {row['comparisons']:,}",
        "intervals over": row["resampled"],
    }
    _titled(pd.DataFrame([readable]), "agreement", format)


def _rate_columns(made: Status, names: list[str]) -> list[str]:
    errors = "char_errors" if made.rate == "cer" else "errors"
    return [*names, errors, *(made.rate + end for end in _ENDS)]


def pairs(made: Status, format: Format, asked: bool) -> None:
    table = made.tables["pairs"]
    if table.empty:
        if asked:
            say("no two people have labelled the same utterance yet")
        return
    columns = _rate_columns(made, ["annotator_a", "annotator_b", "utterances", "same"])
    renamed = {"annotator_a": "one", "annotator_b": "other", "char_errors": "errors"}
    readable = table[columns].rename(columns=renamed)
    _titled(readable, "error rates between two people", format, "pairs")


def others(made: Status, format: Format, asked: bool) -> None:
    table = made.tables["others"]
    # Of two people the one differs from the other as the other from the one.
    if len(table) < 3 and not asked:
        return
    if table.empty:
        say("no two people have labelled the same utterance yet")
        return
    readable = table[_rate_columns(made, ["annotator", "utterances", "comparisons", "same"])]
    readable = readable.sort_values(readable.columns[-3], ascending=False, kind="stable")
    readable = readable.rename(columns={"char_errors": "errors", "comparisons": "pairs"})
    _titled(readable, "error rates between one and all others", format, "others")


def conventions(made: Status, format: Format, asked: bool) -> None:
    table = made.tables["conventions"]
    counted = table[(table["uses"] > 0) | (table["habits"] != "")]
    if counted.empty:
        if asked:
            say("nothing is written in several ways with a clear majority")
        return
    readable = pd.DataFrame(
        {
            "annotator": counted["annotator"],
            "uses": counted["uses"],
            "departing": counted["departing"],
            "share": counted["share"],
            "most often": [
                f"{row.most}: {row.writes} and not {row.majority}, {row.most_departing} of {row.most_uses}"
                if row.most
                else ""
                for row in counted.itertuples()
            ],
            "habits": counted["habits"],
        }
    )
    if (counted["habits"] == "").all():
        readable = readable.drop(columns="habits")
    _titled(readable, "who departs from clear majorities", format, "conventions")


def conflicts(made: Status, format: Format, asked: bool) -> None:
    columns = ["conflict_id", "utterance_id", "annotator", "workspace_text", "server_text"]
    _rows(
        made,
        format,
        asked,
        "conflicts",
        columns,
        "labels that both sides changed",
        "no label was changed on both sides",
    )


def deleted(made: Status, format: Format, asked: bool) -> None:
    columns = ["what", "utterance_id", "annotator", "text", "missed_at"]
    _rows(made, format, asked, "deleted", columns, "deleted on the server", "nothing that was seen is gone there")


def fixes(made: Status, format: Format, asked: bool) -> None:
    columns = ["utterance_id", "annotator", "state", "there", "here", "why"]
    _rows(
        made,
        format,
        asked,
        "fixes",
        columns,
        "decisions that the server does not have",
        "the server has every decision",
    )


def _rows(made: Status, format: Format, asked: bool, name: str, columns: list[str], title: str, none: str) -> None:
    table = made.tables[name]
    if len(table):
        _titled(table[columns], title, format, name)
    elif asked:
        say(none)


SHOWN: dict[str, Callable[[Status, Format, bool], None]] = {
    "waiting": waiting,
    "project": project,
    "annotators": annotators,
    "agreement": agreement,
    "pairs": pairs,
    "others": others,
    "conventions": conventions,
    "conflicts": conflicts,
    "deleted": deleted,
    "fixes": fixes,
}
"""How each section is printed: by the status, the format, and whether it was asked for by name."""
