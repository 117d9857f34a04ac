"""What labellers' work says of flags: who wrote what was suggested, or the flagged text again, has judged the flag.

A label is a judgement of a flag only where the flag was found without it: a suggestion is often another annotator's
text, which says nothing new when it is pulled once more. Only the verdict is written; the text of the labeller is a
transcript already, and nobody else's is touched.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from workbench.label_studio.records import BAD_AUDIO
from workbench.stages.stage import Outcome
from workbench.stages.sync.mirrored import EMPTY, SUBMITTED
from workbench.stages.verdicts import ACCEPTED, KEY, REJECTED, WITHDRAWN
from workbench.workspace import Workspace

SOURCE = "label_studio"
PUSH = "sync push"
_HOW = {ACCEPTED: "wrote what was suggested", REJECTED: "wrote the flagged text"}
_HEARD = "called the audio bad"

Row = dict[str, Any]


def verdicts_of_annotations(workspace: Workspace, rows: pd.DataFrame | None = None) -> Outcome:
    """Write the verdicts that labellers have given by their work, and take back those that no longer hold.

    It goes by what the tables hold, so that after an interruption the next call does what is missing, and a second one
    does nothing. Verdicts given by hand stand, whatever labellers do. Where labellers disagree there is none.

    Args:
        rows: rows of the table `annotations`, only whose utterances are looked at; None: all.
    """
    with workspace.lock():
        judged = _judged(workspace, None if rows is None else set(rows["utterance_id"]))
        if judged:
            workspace.append("verdicts", pd.DataFrame(judged).astype({"revision": "Int64"}))
    counts = {name: sum(row["verdict"] == name for row in judged) for name in (ACCEPTED, REJECTED, WITHDRAWN)}
    return Outcome("verdicts", counts, pd.DataFrame([counts]))


@dataclass(frozen=True)
class _Said:
    """What an annotation says now, and how it came to be judged by.

    Attributes:
        is_news: it says something that it did not say when the flags were found.
        was_shown: it was made when the flags stood on the server already.
    """

    row: Row
    is_news: bool
    was_shown: bool

    @property
    def text(self) -> str | None:
        return _folded(self.row["text"]) if self.row["state"] == SUBMITTED else None

    def says_of(self, flag: Row) -> str | None:
        """The verdict that lies in it, whenever it was made."""
        if not flag["annotator"]:
            heard = self.row["state"] in (SUBMITTED, EMPTY) and BAD_AUDIO in self.row["remarks"].split(", ")
            return ACCEPTED if heard else None
        text, flagged = self.text, _folded(flag["text"])
        suggested = _folded(flag["suggestion"]) if isinstance(flag["suggestion"], str) else None
        if text is None or suggested == flagged:
            return None
        return ACCEPTED if text == suggested else REJECTED if text == flagged else None

    def judges(self, flag: Row) -> str | None:
        """The verdict that lies in it, where it is one on this flag."""
        verdict = self.says_of(flag)
        # Annotators who write their own text again say nothing of a flag that they have not seen.
        again = verdict == REJECTED and self.row["annotator"] == flag["annotator"]
        return verdict if self.was_shown or (self.is_news and not again) else None


def _judged(workspace: Workspace, utterances: set[str] | None) -> list[Row]:
    """Rows that the table `verdicts` gets."""
    history, verdicts = workspace.read("annotations", history=True), workspace.read("verdicts")
    if utterances is not None:
        history = history[history["utterance_id"].isin(utterances)]
        verdicts = verdicts[verdicts["utterance_id"].isin(utterances)]
    history = history[~history["is_ours"].astype(bool)]
    found_at = workspace.written_at("flags")
    known = {_key(row): row for row in _records(verdicts)}
    given = {key: row for key, row in known.items() if row["source"] == SOURCE and row["verdict"] != WITHDRAWN}
    # What was pulled before the flags were found judges none of them, unless it has already.
    late = history["uid"][history["seen_at"] > found_at] if found_at else history["uid"].iloc[:0]
    history = history[history["uid"].isin({*late, *map(_uid, given.values())})]
    pushed_at = workspace.written_at("faults", stage=PUSH) if len(late) else None
    said = _said(history, found_at, pushed_at)
    by_utterance: dict[str, list[_Said]] = {}
    for one in said.values():
        if one.is_news or one.was_shown:
            by_utterance.setdefault(one.row["utterance_id"], []).append(one)
    flags = _flags(workspace, set(by_utterance))
    judged = []
    for key, flag in {**given, **flags}.items():
        if key in known and known[key]["source"] != SOURCE:
            continue
        before = given.get(key)
        said_of = {
            one.row["annotator"]: (verdict, one)
            for one in by_utterance.get(flag["utterance_id"], [])
            if (verdict := one.judges(flag))
        }
        giver = said.get(_uid(before)) if before else None
        if before and giver and giver.says_of(flag) == before["verdict"]:
            said_of.setdefault(giver.row["annotator"], (before["verdict"], giver))
        row = _news(flag, before, giver, list(said_of.values()))
        if row:
            judged.append(row)
    return judged


def _said(history: pd.DataFrame, found_at: datetime | None, pushed_at: datetime | None) -> dict[str, _Said]:
    """By unique id what each annotation says now, in the order in which they were made."""
    versions: dict[str, list[Row]] = {}
    for row in _records(history):
        versions.setdefault(row["uid"], []).append(row)
    said = []
    for rows in versions.values():
        row = rows[-1]
        earlier = [one for one in rows if found_at is not None and one["seen_at"] <= found_at]
        was_known = bool(earlier) and _content(earlier[-1]) == _content(row)
        was_shown = found_at is not None and pushed_at is not None and found_at < pushed_at < row["updated_at"]
        said.append(_Said(row, found_at is not None and not was_known, was_shown))
    # Of several by one person the last one counts.
    said.sort(key=lambda one: (one.row["updated_at"], one.row["annotation_id"]))
    return {one.row["uid"]: one for one in said}


def _content(row: Row) -> tuple[str, str, str]:
    return row["state"], _folded(row["text"]), row["remarks"]


def _flags(workspace: Workspace, utterances: set[str]) -> dict[tuple[Any, ...], Row]:
    if not utterances:
        return {}
    flags = workspace.read("flags")
    return {_key(row): row for row in _records(flags[flags["utterance_id"].isin(utterances)])}


def _news(flag: Row, before: Row | None, giver: _Said | None, verdicts: list[tuple[str, _Said]]) -> Row | None:
    """The row that a flag gets; None where nothing changes."""
    kinds = {verdict for verdict, _ in verdicts}
    if len(kinds) == 1:
        verdict, one = verdicts[-1]
        if before and before["verdict"] == verdict:
            return None
        how = _HOW[verdict] if flag["annotator"] else _HEARD
        row = one.row
        reason = f"{how}: task {row['task_id']} annotation {row['annotation_id']} {row['uid']}"
        return _row(flag, verdict, row["annotator"], reason, row["updated_at"])
    if before is None:
        return None
    if kinds:
        why = "labellers disagree: " + ", ".join(one.row["annotator"] for _, one in verdicts)
    elif giver is None or giver.row["state"] not in (SUBMITTED, EMPTY):
        why = f"the annotation is gone: {_uid(before)}"
    else:
        why = f"the annotation says something else now: {_uid(before)}"
    return _row(flag, WITHDRAWN, before["author"], why, datetime.now(UTC))


def _row(flag: Row, verdict: str, author: str, reason: str, at: datetime) -> Row:
    row = {name: flag[name] for name in (*KEY, "evidence", "suggestion")}
    row |= {"verdict": verdict, "author": author, "reason": reason, "created_at": at, "source": SOURCE}
    return row | {"written_to": None, "revision": None}


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEY)


def _uid(verdict: Row) -> str:
    """The annotation that a verdict was given by."""
    return str(verdict["reason"] or "").rpartition(" ")[2]


def _records(frame: pd.DataFrame) -> Iterable[Row]:
    plain = frame.astype(object).where(frame.notna(), None)
    return plain.to_dict("records")


def _folded(text: str) -> str:
    """The text without what two keyboards write differently: composed characters, and white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())
