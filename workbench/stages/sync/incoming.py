"""Annotations brought in: what the tables get of what the server holds now. Nothing here asks the server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from workbench.label_studio.annotations import ExportedTask
from workbench.label_studio.records import FoundAnnotation
from workbench.label_studio.results import Reading, read_result
from workbench.stages.sync.conflicts import OPEN, OUTDATED, TEXT, WORKSPACE, conflict_row, known_conflicts, outdated
from workbench.stages.sync.mirrored import (
    CANCELLED,
    DELETED,
    DRAFT,
    EMPTY,
    SKIPPED,
    SUBMITTED,
    Names,
    Ours,
    Row,
    annotation_row,
    known_rows,
    prelabel_of,
    remark_rows,
    state_of,
    unstorable,
)
from workbench.stages.sync.pending_fixes import CHANGED
from workbench.stages.sync.revisions import Taken, Transcripts, Version
from workbench.workspace import Workspace

STAGE = "sync pull"
NEW, EDITED = "new", "edited"


@dataclass(frozen=True)
class ReadTask:
    """A task that was read, of an utterance of this workspace.

    Attributes:
        is_whole: everything that it holds was read, so that what is missing was deleted.
    """

    utterance_id: str
    task: ExportedTask
    is_whole: bool = True


@dataclass(frozen=True)
class Held:
    """The tables as they stand, of all utterances or of those that are brought in; histories of the first two."""

    transcripts: pd.DataFrame
    annotations: pd.DataFrame
    remarks: pd.DataFrame
    conflicts: pd.DataFrame
    fixes: pd.DataFrame

    @classmethod
    def read(cls, workspace: Workspace) -> Held:
        """Those of a workspace."""
        return cls(
            workspace.read("transcripts", history=True),
            workspace.read("annotations", history=True),
            workspace.read("remarks"),
            workspace.read("sync_conflicts"),
            workspace.read("sync_fixes"),
        )


@dataclass
class News:
    """Rows that the tables get, in the order in which they must be written, and what to tell people of them."""

    transcripts: list[Row] = field(default_factory=list)
    conflicts: list[Row] = field(default_factory=list)
    remarks: list[Row] = field(default_factory=list)
    fixes: list[Row] = field(default_factory=list)
    annotations: list[Row] = field(default_factory=list)
    current: list[Row] = field(default_factory=list)
    "Every annotation of the tasks that were read, as it is now, new or not."
    faults: list[dict[str, str]] = field(default_factory=list)
    faulty: set[int] = field(default_factory=set)
    "Tasks of which something could not be taken."
    came: list[Row] = field(default_factory=list)
    "Utterance, annotator, what, text and time of what is new."
    counts: dict[str, int] = field(default_factory=dict)
    twice: set[tuple[str, str]] = field(default_factory=set)
    "Utterances and annotators with several annotations by one person."
    odd: list[str] = field(default_factory=list)
    "What results held that was not understood."

    def write(self, workspace: Workspace) -> None:
        """Add the rows to the tables: the texts first, which would go unseen if they were missing."""
        workspace.append("transcripts", pd.DataFrame(self.transcripts))
        workspace.append("sync_conflicts", newest(self.conflicts, "conflict_id"))
        workspace.append("remarks", pd.DataFrame(self.remarks))
        workspace.append("sync_fixes", newest(self.fixes, "uid", "revision", "task_id", "remote_id"))
        workspace.append("annotations", newest(self.annotations, "uid", "revision"))

    def count(self, what: str, more: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + more

    def fault(self, utterance_id: str, task_id: int, annotation: str, reason: str) -> None:
        where = f"task {task_id}, annotation {annotation}"
        self.faults.append({"stage": STAGE, "item": utterance_id, "location": where, "reason": reason})
        self.faulty.add(task_id)


def newest(rows: Sequence[Row], key: str, *whole: str) -> pd.DataFrame:
    """The last row of each key, as a frame with whole numbers that may be missing in the columns `whole`."""
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.drop_duplicates(key, keep="last").astype(dict.fromkeys(whole, "Int64"))


def bring_in(
    held: Held, project_id: int, tasks: Sequence[ReadTask], gone: Collection[str], names: Names, mark: str
) -> News:
    """What the tables get of tasks that were read, and of annotations that are known to be gone.

    All tasks of an utterance that were read must be among them. Brought in a second time, they change nothing.

    Args:
        gone: unique ids of annotations whose task is gone.
    """
    return _Incoming(held, project_id, tasks, gone, names, mark).news


class _Incoming:
    def __init__(
        self, held: Held, project_id: int, tasks: Sequence[ReadTask], gone: Collection[str], names: Names, mark: str
    ) -> None:
        self.news = News()
        self._project_id, self._names, self._now = project_id, names, datetime.now(UTC)
        utterances = {task.utterance_id for task in tasks}
        uids = {one.uid for task in tasks for one in task.task.found} | set(gone)
        concerned = held.annotations["utterance_id"].isin(utterances) | held.annotations["uid"].isin(uids)
        self._rows = known_rows(held.annotations[concerned])
        utterances |= {self._rows[uid]["utterance_id"] for uid in gone if uid in self._rows}
        rows_of = held.annotations[held.annotations["utterance_id"].isin(utterances)]
        self._transcripts = Transcripts(
            held.transcripts[held.transcripts["utterance_id"].isin(utterances)],
            rows_of[~rows_of["is_ours"].astype(bool)],
        )
        self._ours = Ours.of(mark, held.fixes)
        self._conflicts: dict[str, list[Row]] = {}
        for row in known_conflicts(held.conflicts).values():
            self._conflicts.setdefault(row["uid"], []).append(row)
        self._of_task: dict[int, list[str]] = {}
        for uid, row in self._rows.items():
            if row["project_id"] == project_id and row["state"] != DELETED:
                self._of_task.setdefault(int(row["task_id"]), []).append(uid)
        self._seen: set[str] = set()
        self._gone = {uid for uid, row in self._rows.items() if row["state"] == DELETED} | set(gone)
        by_utterance: dict[str, list[ReadTask]] = {}
        for task in tasks:
            by_utterance.setdefault(task.utterance_id, []).append(task)
        missing = set(gone) & self._rows.keys()
        for utterance_id, several in by_utterance.items():
            self._bring(utterance_id, several)
        for uid in sorted(missing - self._seen):
            self._delete(self._rows[uid])
        self._finish(utterances, held.remarks)

    def _bring(self, utterance_id: str, tasks: Sequence[ReadTask]) -> None:
        found = [(one, read_result(one.result)) for task in tasks for one in task.task.found]
        for task in tasks:
            for annotation, reason in task.task.problems:
                self.news.fault(
                    utterance_id, task.task.task_id, annotation, f"the server's record cannot be read: {reason}"
                )
        there = {one.uid for one, _ in found}
        whole = {task.task.task_id for task in tasks if task.is_whole and not task.task.problems}
        for task_id in sorted(whole):
            for uid in self._of_task.get(task_id, []):
                if uid not in there and uid not in self._seen:
                    self._delete(self._rows[uid])
        self._gone -= there
        for one, reading in sorted(found, key=lambda pair: (_time(pair[0]), pair[0].annotation_id)):
            self._take(utterance_id, one, reading)

    def _delete(self, row: Row) -> None:
        self._gone.add(row["uid"])
        deleted = row | {"state": DELETED, "seen_at": self._now}
        self._rows[row["uid"]] = deleted
        self.news.annotations.append(deleted)
        self._outdate(row["uid"], "the annotation was deleted there")
        if row["state"] != DRAFT and not row["is_ours"]:
            self.news.count("deleted")
            self._tell(deleted, DELETED)

    def _take(self, utterance_id: str, found: FoundAnnotation, reading: Reading) -> None:
        problem = unstorable(found, reading)
        if found.uid in self._seen:
            problem = f"the server has another annotation with the unique id {found.uid}"
        if problem:
            self.news.fault(utterance_id, found.task_id, str(found.annotation_id), problem)
            return
        self._seen.add(found.uid)
        before = self._rows.get(found.uid)
        is_back = before is not None and before["state"] == DELETED
        place = (found.updated_at, found.task_id, found.annotation_id)
        if (
            before is not None
            and (before["version"], before["task_id"], before["annotation_id"]) == place
            and not is_back
            and not self._is_missing(before)
        ):
            self.news.current.append(before)
            return
        if reading.problems:
            self.news.odd.append(f"task {found.task_id}, annotation {found.annotation_id}: {reading.problems[0]}")
        row = self._row(utterance_id, found, reading, before)
        if state_of(found, reading) == SUBMITTED and not row["is_ours"]:
            row["revision"] = self._text(row, is_back)
        elif found.uid in self._conflicts:
            self._outdate(found.uid, "a later version came")
        self._rows[found.uid] = row
        self.news.annotations.append(row)
        self.news.current.append(row)
        self._count(row, NEW if before is None or is_back or before["state"] == DRAFT else EDITED)

    def _is_missing(self, row: Row) -> bool:
        """Whether the revision is gone that an annotation became: a part of the table was lost."""
        revisions = self._transcripts.of(row["utterance_id"], row["annotator"]).revisions
        return row["revision"] is not None and all(one.number != row["revision"] for one in revisions)

    def _row(self, utterance_id: str, found: FoundAnnotation, reading: Reading, before: Row | None) -> Row:
        """The row of the table `annotations`, ours told from people's; a fix of ours that somebody changed is noted."""
        changed_by = None if found.updated_by in (None, found.user) else self._names.of(str(found.updated_by))
        prelabel = (None, None) if found.is_draft else prelabel_of(reading, found.begun_from, before)
        row = annotation_row(
            found,
            reading,
            utterance_id,
            self._project_id,
            self._names.still(found.user, None if found.is_draft else before),
            changed_by,
            prelabel,
            self._now,
        )
        if found.is_draft:
            return row
        sent = self._ours.sent(found.uid, utterance_id, self._transcripts.of_utterance(utterance_id))
        if sent is None:
            return row
        # Who has changed it and changes it back has written that text.
        is_theirs = before is not None and not before["is_ours"] and changed_by is not None
        if sent == reading.text and not reading.remarks and not found.was_cancelled and not is_theirs:
            return row | {"annotator": self._names.of(found.user), "is_ours": True}
        fix = self._ours.fixes.get(found.uid)
        if fix is not None and fix["state"] != CHANGED:
            self.news.fixes.append(fix | {"state": CHANGED, "version": found.updated_at, "at": self._now})
        return row | {"annotator": self._names.of(found.updated_by or found.user)}

    def _text(self, row: Row, is_back: bool) -> int | None:
        """The revision that a submitted text becomes; None where it is in conflict."""
        author = row["updated_by"] if row["updated_by"] != row["annotator"] else None
        version = Version(
            row["uid"], row["version"], row["task_id"], row["annotation_id"], row["updated_at"], row["text"], author
        )
        earlier = self._conflicts.get(row["uid"], [])
        transcript = self._transcripts.of(row["utterance_id"], row["annotator"])
        taken: Taken = transcript.take(version, self._gone, self._is_decided(version), is_back)
        # One that was outdated is to be decided again when its version is back.
        known = [one for one in earlier if one["version"] == version.version and one["decision"] != OUTDATED]
        self._outdate(row["uid"], "a later version came", version.version)
        if taken.here is not None and not known:
            conflict = conflict_row(row["utterance_id"], row["annotator"], version, taken.base, taken.here)
            self._conflicts.setdefault(row["uid"], []).append(conflict)
            self.news.conflicts.append(conflict)
            self.news.count("conflicts")
        return taken.number

    def _is_decided(self, version: Version) -> bool:
        """Whether somebody has decided for the text here against this one, and the annotator has left it since."""
        before = self._rows.get(version.uid)
        of_text = [one for one in self._conflicts.get(version.uid, []) if one["server_text"] == version.text]
        if before is None or before["text"] != version.text or not of_text:
            return False
        return max(of_text, key=lambda one: one["at"])["decision"] in (WORKSPACE, TEXT)

    def _outdate(self, uid: str, reason: str, version: str = "") -> None:
        """Args: version: the one that is there now, whose conflict stays."""
        rows = self._conflicts.get(uid, [])
        for place, row in enumerate(rows):
            if row["decision"] == OPEN and row["version"] != version:
                rows[place] = outdated(row, reason)
                self.news.conflicts.append(rows[place])

    def _count(self, row: Row, what: str) -> None:
        state = row["state"]
        if row["is_ours"]:
            self.news.count("ours")
            return
        if state == DRAFT:
            self.news.count("drafts")
            self._tell(row, DRAFT)
            return
        self.news.count(what)
        if state in (SKIPPED, CANCELLED, EMPTY):
            self.news.count(state)
        conflict = any(
            one["decision"] == OPEN and one["version"] == row["version"] for one in self._conflicts.get(row["uid"], [])
        )
        self._tell(row, "conflict" if conflict else what if state == SUBMITTED else state)

    def _tell(self, row: Row, what: str) -> None:
        told = {"what": what, "updated_at": row["seen_at"] if what == DELETED else row["updated_at"]}
        self.news.came.append({name: row[name] for name in ("utterance_id", "annotator", "text")} | told)

    def _finish(self, utterances: set[str], remarks: pd.DataFrame) -> None:
        self.news.transcripts = self._transcripts.rows
        of_these = [row for row in self._rows.values() if row["utterance_id"] in utterances]
        self.news.remarks = remark_rows(remarks, of_these, utterances, self._now)
        self.news.count("remarks", len(self.news.remarks))
        by_person: dict[tuple[str, str], int] = {}
        for row in of_these:
            if row["state"] == SUBMITTED and not row["is_ours"]:
                key = (row["utterance_id"], row["annotator"])
                by_person[key] = by_person.get(key, 0) + 1
        self.news.twice = {key for key, number in by_person.items() if number > 1}


def _time(found: FoundAnnotation) -> datetime:
    return datetime.fromisoformat(found.updated_at)


def retractions(held: Held, project_id: int) -> tuple[list[dict[str, Any]], int]:
    """Revisions that take back what people have deleted on the server, and how many transcripts they leave alone.

    What was changed here since is left alone, and so is a text that another annotation of the same person says.
    """
    rows = known_rows(held.annotations)
    gone = {uid for uid, row in rows.items() if row["project_id"] == project_id and row["state"] == DELETED}
    utterances = {rows[uid]["utterance_id"] for uid in gone}
    of_these = held.annotations["utterance_id"].isin(utterances)
    transcripts = Transcripts(
        held.transcripts[held.transcripts["utterance_id"].isin(utterances)], held.annotations[of_these]
    )
    keys = {(rows[uid]["utterance_id"], rows[uid]["annotator"]) for uid in gone}
    said: dict[tuple[str, str], set[int]] = {}
    for row in rows.values():
        if row["state"] == SUBMITTED and row["revision"] is not None:
            said.setdefault((row["utterance_id"], row["annotator"]), set()).add(int(row["revision"]))
    kept = 0
    for key in sorted(keys):
        transcript = transcripts.of(*key)
        transcript.retract(gone, said.get(key, set()))
        top = transcript.current
        changed_here = top is not None and top.pulled is None and top.source != "import"
        kept += changed_here and any(one.pulled and one.pulled[0] in gone for one in transcript.standing)
    return transcripts.rows, kept
