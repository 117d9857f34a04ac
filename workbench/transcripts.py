"""Views of the transcripts table: what each annotator says now, the current reference, and undo.

Revisions are only ever added. An undo is a revision of its own, which says the text of the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from analysis.align import count_char_errors
from workbench.errors import BadInput

REFERENCE_ANNOTATOR = "reference"
RETRACTED = "retract"
WRITTEN_HERE = ("edit", "consensus", "rule")
"""Sources of a first text that is no import, so that it can be taken back altogether."""
BATCH = re.compile(r"^(?P<rule>\S+) (?P<what>.*), batch (?P<batch>[0-9a-f]{8})$", re.DOTALL)
"""The `source_detail` of revisions that one command wrote together, to be taken back together."""
DELETED = re.compile(r"^undoes revision (?P<number>\d+): .* was deleted there$")
"""The `source_detail` of what takes a text back because its annotator deleted it where they label."""


def current_transcripts(transcripts: pd.DataFrame) -> pd.DataFrame:
    """The latest revision of every utterance and annotator, in the order in which they were first written.

    One that was taken back altogether (`undo` of a first text that was written here) is left out.
    """
    newest = transcripts.sort_values("revision", kind="stable").drop_duplicates(
        ["utterance_id", "annotator"], keep="last"
    )
    order = transcripts.drop_duplicates(["utterance_id", "annotator"])[["utterance_id", "annotator"]]
    current = order.merge(newest, on=["utterance_id", "annotator"], how="left")
    return current[current["source"] != RETRACTED].reset_index(drop=True)


def is_merged(transcripts: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """For each row (utterance_id, annotator) whether its current text is a consensus, and no evidence for itself.

    It still is one where rules have changed how it is written, and again where an edit of it was taken back.

    Args:
        transcripts: every revision.
    """
    key = ["utterance_id", "annotator"]
    current = current_transcripts(transcripts)
    newest = current.loc[current["source"] == "consensus", key]
    merged = set(newest.itertuples(index=False, name=None))
    before = transcripts.loc[transcripts["source"] == "consensus", key].drop_duplicates()
    changed = before.loc[[name not in merged for name in before.itertuples(index=False, name=None)]]
    histories = transcripts.merge(changed, on=key).sort_values("revision", kind="stable").groupby(key, sort=False)
    merged |= {name for name, history in histories if _written_by(history) == "consensus"}
    return pd.Series([name in merged for name in rows[key].itertuples(index=False, name=None)], dtype=bool)


def _written_by(history: pd.DataFrame) -> str | None:
    """Where the text of an annotator's transcript comes from, rules apart, which only rewrite one."""
    sources = [source for _, _, source in standing_revisions(history)]
    return next((source for source in reversed(sources) if source != "rule"), None)


def references(transcripts: pd.DataFrame) -> pd.DataFrame:
    """The current reference of every utterance: a frame with utterance_id, reference and annotator.

    It is the transcript of the annotator named `reference` where there is one; among several others, the one with
    the fewest character edits to all of them together (the medoid), the first of equals by annotator name.
    """
    current = current_transcripts(transcripts)[["utterance_id", "annotator", "text"]]
    official = current["annotator"] == REFERENCE_ANNOTATOR
    others = current[~official & ~current["utterance_id"].isin(current["utterance_id"][official])]
    chosen = pd.concat([current[official], _medoids(others)])
    order = current["utterance_id"].drop_duplicates()
    chosen = chosen.set_index("utterance_id").reindex(order).reset_index()
    return chosen.rename(columns={"text": "reference"})[["utterance_id", "reference", "annotator"]]


def _medoids(current: pd.DataFrame) -> pd.DataFrame:
    pairs = current.merge(current, on="utterance_id", suffixes=("", "_other"))
    pairs = pairs[pairs["annotator"] != pairs["annotator_other"]].reset_index(drop=True)
    if pairs.empty:
        return current
    counts = count_char_errors(list(pairs["text_other"]), list(pairs["text"]))
    edits = counts[["char_substitutions", "char_deletions", "char_insertions"]].sum(axis=1)
    pairs["edits"] = np.asarray(edits)
    distance = pairs.groupby(["utterance_id", "annotator"], sort=False)["edits"].sum().rename("distance")
    ranked = current.merge(distance, on=["utterance_id", "annotator"], how="left").fillna({"distance": 0})
    ranked = ranked.sort_values(["distance", "annotator"], kind="stable").drop_duplicates("utterance_id")
    return ranked[["utterance_id", "annotator", "text"]]


def revision(
    utterance_id: str,
    annotator: str,
    number: int,
    text: str,
    source: str,
    source_detail: str | None = None,
    author: str | None = None,
    reason: str | None = None,
) -> dict[str, object]:
    """One row of the transcripts table, made now."""
    return {
        "utterance_id": utterance_id,
        "annotator": annotator,
        "revision": number,
        "text": text,
        "created_at": datetime.now(UTC),
        "source": source,
        "source_detail": source_detail,
        "author": author,
        "reason": reason,
    }


def edit(
    transcripts: pd.DataFrame, utterance_id: str, annotator: str, text: str, author: str, reason: str
) -> dict[str, object]:
    """The revision that gives an annotator's transcript another text.

    The annotator `reference` need not have one yet: its first text is the decision between the others, or the first
    label of an utterance that has none.

    Raises:
        BadInput: there is no such transcript, or it has this text already.
    """
    of_both = (transcripts["utterance_id"] == utterance_id) & (transcripts["annotator"] == annotator)
    if annotator == REFERENCE_ANNOTATOR and not of_both.any():
        return revision(utterance_id, annotator, 1, text, "edit", author=author, reason=reason)
    history = _history(transcripts, utterance_id, annotator)
    if history["text"].iloc[-1] == text and history["source"].iloc[-1] != RETRACTED:
        raise BadInput(f"{utterance_id} by {annotator} reads {text!r} already; nothing to change")
    number = int(history["revision"].iloc[-1]) + 1
    return revision(utterance_id, annotator, number, text, "edit", author=author, reason=reason)


def undo(transcripts: pd.DataFrame, utterance_id: str, annotator: str, author: str) -> dict[str, object]:
    """The revision that takes an annotator's latest change back; undoing again goes one change further back.

    A first text that was written here, and not imported, is taken back altogether. What was taken back because it was
    deleted where people label comes back, as an edit.

    Raises:
        BadInput: there is no such transcript, or nothing is left to undo.
    """
    history = _history(transcripts, utterance_id, annotator)
    standing = standing_revisions(history)
    last = int(history["revision"].iloc[-1])
    deleted = _deleted_text(history)
    if deleted is not None:
        return revision(utterance_id, annotator, last + 1, deleted, "edit", f"undoes revision {last}", author)
    if not standing or (len(standing) == 1 and standing[0][2] not in WRITTEN_HERE):
        raise BadInput(f"{utterance_id} by {annotator} is at its first text; there is nothing to undo")
    number, detail = last + 1, f"undoes revision {standing[-1][0]}"
    if len(standing) == 1:
        return revision(utterance_id, annotator, number, "", RETRACTED, detail, author)
    return revision(utterance_id, annotator, number, standing[-2][1], "undo", detail, author)


def _deleted_text(history: pd.DataFrame) -> str | None:
    """The text that the newest revisions took back because it was deleted where people label."""
    text = None
    for detail in reversed(history["source_detail"].tolist()):
        deleted = DELETED.match(detail) if isinstance(detail, str) else None
        if not deleted:
            break
        text = str(history.loc[history["revision"] == int(deleted["number"]), "text"].iloc[0])
    return text


def standing_revisions(history: pd.DataFrame) -> list[tuple[int, str, str]]:
    """The revisions of one annotator's transcript that no undo took back: number, text and source, oldest first.

    Args:
        history: all its revisions, in their order.
    """
    return standing_of(zip(*(history[name].tolist() for name in ("revision", "text", "source")), strict=True))


def standing_of(revisions: Iterable[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Those of these revisions (number, text and source, in their order) that none of the others took back."""
    standing: list[tuple[int, str, str]] = []
    for number, text, source in revisions:
        if source in ("undo", RETRACTED):
            standing.pop()
        else:
            standing.append((number, text, source))
    return standing


def _history(transcripts: pd.DataFrame, utterance_id: str, annotator: str) -> pd.DataFrame:
    of_utterance = transcripts[transcripts["utterance_id"] == utterance_id]
    if of_utterance.empty:
        raise BadInput(f"no transcript of utterance {utterance_id!r}; `workbench labels history` lists what there is")
    history = of_utterance[of_utterance["annotator"] == annotator].sort_values("revision")
    if history.empty:
        names = ", ".join(sorted(set(of_utterance["annotator"])))
        raise BadInput(f"{annotator!r} has not transcribed {utterance_id!r}; those who have: {names}")
    return history
