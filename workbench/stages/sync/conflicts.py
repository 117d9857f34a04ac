"""Texts that both sides changed: what is to be decided, and the decisions."""

from __future__ import annotations

import base64
import difflib
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.stage import Outcome
from workbench.stages.sync.mirrored import Row, known_rows
from workbench.stages.sync.revisions import Revision, Transcript, Transcripts, Version
from workbench.transcripts import revision
from workbench.workspace import Workspace

OPEN, OUTDATED, SERVER, WORKSPACE, TEXT = "open", "outdated", "server", "workspace", "text"
_SHORTEST_ID = 4


def conflict_id(utterance_id: str, annotator: str, uid: str, version: str) -> str:
    """The name of a conflict: eight letters and digits, the same whenever it is found.

    >>> conflict_id("utt-1", "ann_a", "f00d", "2026-01-01T00:00:00Z")
    '2xyk4t47'
    """
    written = "\0".join((utterance_id, annotator, uid, version))
    digest = hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(digest)[:8].decode().lower()


def conflict_row(utterance_id: str, annotator: str, version: Version, base: str | None, here: str) -> Row:
    """A row of the table `sync_conflicts`, to be decided."""
    return {
        "conflict_id": conflict_id(utterance_id, annotator, version.uid, version.version),
        "utterance_id": utterance_id,
        "annotator": annotator,
        "uid": version.uid,
        "version": version.version,
        "base_text": base,
        "workspace_text": here,
        "server_text": version.text,
        "decision": OPEN,
        "decided_by": None,
        "reason": None,
        "at": datetime.now(UTC),
    }


def outdated(row: Row, reason: str) -> Row:
    """The row of a conflict that nobody needs to decide any more."""
    return row | {"decision": OUTDATED, "reason": reason, "at": datetime.now(UTC)}


def open_conflicts(workspace: Workspace, everything: bool = False) -> Outcome:
    """The conflicts that are to be decided, newest first: id, utterance, annotator, base, here, there, differs, when.

    `here` is the text of today. `differs` is what the server has in place of its words.

    Args:
        everything: those that were decided or are outdated too.
    """
    rows = workspace.read("sync_conflicts")
    total = int((rows["decision"] == OPEN).sum())
    if not everything:
        rows = rows[rows["decision"] == OPEN]
    rows = rows.sort_values("at", ascending=False, kind="stable").reset_index(drop=True)
    transcripts = _transcripts(workspace, rows)
    here = []
    for utterance_id, annotator in zip(rows["utterance_id"], rows["annotator"], strict=True):
        current = transcripts.of(utterance_id, annotator).current
        here.append(current.text if current else "")
    table = rows.assign(here=pd.Series(here, dtype="str", index=rows.index))
    pairs = zip(table["here"], table["server_text"], strict=True)
    table["differs"] = pd.Series([_differs(*texts) for texts in pairs], dtype="str", index=rows.index)
    table = table.rename(columns={"base_text": "base", "server_text": "there", "conflict_id": "id", "at": "found_at"})
    names = ["id", "utterance_id", "annotator", "differs", "base", "here", "there", "decision", "found_at"]
    table = table[[*names, "decided_by", "reason", "uid", "version"]]
    notes = []
    if total:
        notes.append(
            f"{total} to decide: workbench sync resolve ID --take server, --take workspace or --text TEXT, and --reason"
        )
    return Outcome("sync conflicts", {"open": total}, table, notes=notes)


def resolve(
    workspace: Workspace,
    ids: Sequence[str],
    decision: str,
    author: str,
    reason: str,
    text: str | None = None,
    everything: bool = False,
) -> Outcome:
    """Decide conflicts. The server's text, or another one, becomes a revision of the annotator's transcript.

    Args:
        ids: conflicts by their ids, or the first letters of them.
        decision: server, workspace, or text.
        text: with `text` the text that shall stand.
        everything: all open ones instead.

    Raises:
        BadInput: there is no such conflict, it is outdated or decided, or there is no reason.
    """
    if not reason.strip():
        raise BadInput("--reason must say why; it is kept with the decision")
    if decision == TEXT and (text is None or not text.strip()):
        raise BadInput("--text must hold the text that shall stand; it is empty")
    with workspace.lock():
        rows = known_conflicts(workspace.read("sync_conflicts"))
        chosen = [row for row in rows.values() if row["decision"] == OPEN] if everything else _chosen(rows, ids)
        frame = pd.DataFrame(chosen, columns=["utterance_id", "uid"])
        transcripts = _transcripts(workspace, frame)
        annotations = known_rows(workspace.read("annotations"))
        decided: list[Row] = []
        mirrored: list[Row] = []
        shown: list[Row] = []
        for row in chosen:
            transcript = transcripts.of(row["utterance_id"], row["annotator"])
            if decision == SERVER:
                seen = annotations.get(row["uid"])
                if seen is None:
                    raise BadInput(f"conflict {row['conflict_id']}: its annotation is not in the table annotations")
                number = transcript.write(_version(seen, row), author, reason)
                mirrored.append(seen | {"revision": number})
            elif decision == TEXT:
                _edit(transcript, str(text), author, reason)
            change = {"decision": decision, "decided_by": author, "reason": reason, "at": datetime.now(UTC)}
            decided.append(row | change)
            current = transcript.current
            shown.append(
                {name: row[name] for name in ("conflict_id", "utterance_id", "annotator")}
                | {
                    "decision": decision,
                    "text": current.text if current else "",
                }
            )
        # The texts first: a decision that is missing can be given again, a text that is missing would go unseen.
        workspace.append("transcripts", pd.DataFrame(transcripts.rows))
        workspace.append("annotations", pd.DataFrame(mirrored))
        workspace.append("sync_conflicts", pd.DataFrame(decided))
        left = sum(row["decision"] == OPEN for row in rows.values()) - len(decided)
    counts = {"decided": len(decided), "texts": len(transcripts.rows), "open": left}
    columns = ["conflict_id", "utterance_id", "annotator", "decision", "text"]
    notes = []
    if transcripts.rows:
        notes.append("a text that was written is taken back with workbench labels undo UTTERANCE --annotator ANNOTATOR")
    if decided and decision != SERVER:
        notes.append("the server still has its own text; workbench sync fixes shows what could be sent there")
    return Outcome("sync resolve", counts, pd.DataFrame(shown, columns=columns), notes=notes)


def known_conflicts(frame: pd.DataFrame) -> dict[str, Row]:
    """The conflicts by their ids, with None for what is missing."""
    plain = frame.astype(object).where(frame.notna(), None)
    return {row["conflict_id"]: row for row in plain.to_dict("records")}


def _chosen(rows: dict[str, Row], ids: Sequence[str]) -> list[Row]:
    chosen: dict[str, Row] = {}
    for name in ids:
        found = [row for key, row in rows.items() if key.startswith(name.lower())] if len(name) >= _SHORTEST_ID else []
        if len(found) != 1:
            fact = f"{len(found)} conflicts begin with {name!r}" if found else f"no conflict {name!r}"
            raise BadInput(f"{fact}; `workbench sync conflicts` lists them with their ids")
        row = found[0]
        if row["decision"] == OUTDATED:
            raise BadInput(f"conflict {row['conflict_id']} is outdated ({row['reason']}); there is nothing to decide")
        if row["decision"] != OPEN:
            raise BadInput(
                f"conflict {row['conflict_id']} was decided for {row['decision']} by {row['decided_by']}; to change "
                f"the text, `workbench labels set {row['utterance_id']} TEXT --annotator {row['annotator']}`"
            )
        chosen[row["conflict_id"]] = row
    return list(chosen.values())


def _version(seen: Row, row: Row) -> Version:
    at = datetime.fromisoformat(row["version"])
    return Version(row["uid"], row["version"], int(seen["task_id"]), int(seen["annotation_id"]), at, row["server_text"])


def _edit(transcript: Transcript, text: str, author: str, reason: str) -> None:
    current = transcript.current
    if current is None or current.text != text:
        number = transcript.revisions[-1].number + 1 if transcript.revisions else 1
        row = revision(transcript.utterance_id, transcript.annotator, number, text, "edit", None, author, reason)
        transcript.rows.append(row)
        transcript.revisions.append(Revision(number, text, "edit", False))


def _transcripts(workspace: Workspace, rows: pd.DataFrame) -> Transcripts:
    utterances = set(rows["utterance_id"])
    history, annotations = workspace.read("transcripts", history=True), workspace.read("annotations", history=True)
    return Transcripts(
        history[history["utterance_id"].isin(utterances)], annotations[annotations["utterance_id"].isin(utterances)]
    )


def _differs(here: str, there: str) -> str:
    """The words here, and those that the server has in their place, as `um → (nothing)`; nothing for equal texts."""
    if here == there:
        return ""
    left, right = here.split(), there.split()
    # Words that a long text has all over are left aside: a text of one word again and again would take hours else.
    steps = difflib.SequenceMatcher(None, left, right).get_opcodes()
    changes = [
        f"{' '.join(left[a:b]) or '(nothing)'} → {' '.join(right[c:d]) or '(nothing)'}"
        for kind, a, b, c, d in steps
        if kind != "equal"
    ]
    return "; ".join(changes) or "(spaces only)"
