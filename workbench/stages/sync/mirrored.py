"""Annotations of the server as rows of the table `annotations`: whose they are, what they say, in which state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from workbench.label_studio.annotations import NOBODY
from workbench.label_studio.records import FoundAnnotation, FoundPrediction, fix_uid
from workbench.label_studio.results import Reading, one_line, read_result
from workbench.stages.sync.revisions import Transcript
from workbench.transcripts import REFERENCE_ANNOTATOR

SUBMITTED, EMPTY, SKIPPED, CANCELLED, DRAFT, DELETED = (
    "submitted", "empty", "skipped", "cancelled", "draft", "deleted",
)  # fmt: skip
ACCEPTED, CORRECTED = "accepted", "corrected"
_NUMBERED = re.compile(r"user-\d+")
_REPLACED = "\N{REPLACEMENT CHARACTER}"

Row = dict[str, Any]


def known_rows(annotations: pd.DataFrame) -> dict[str, Row]:
    """The newest row of each annotation by its unique id, with None for what is missing.

    Args:
        annotations: rows of the table `annotations`, oldest first; superseded ones may be among them.
    """
    newest = annotations.drop_duplicates("uid", keep="last")
    plain = newest.astype(object).where(newest.notna(), None)
    return {row["uid"]: row for row in plain.to_dict("records")}


def state_of(found: FoundAnnotation, reading: Reading) -> str:
    """In which state somebody left an annotation."""
    if found.is_draft:
        return DRAFT
    if found.was_cancelled:
        return CANCELLED if reading.text.strip() else SKIPPED
    return SUBMITTED if reading.text.strip() else EMPTY


def prelabel_of(
    reading: Reading, begun_from: FoundPrediction | None, before: Row | None
) -> tuple[str | None, str | None]:
    """Whether a hypothesis was accepted as it was, or corrected, and the run that it is of; None where nobody knows.

    Only what the server says was begun from a prediction is told to be; a text that equals one proves nothing.

    Args:
        before: the row of an earlier version, which may know of a prediction that has been deleted since.
    """
    if begun_from is not None:
        same = read_result(begun_from.result).text == reading.text
        return ACCEPTED if same else CORRECTED, begun_from.model_version
    if before is None or before["prelabel"] is None:
        return None, None
    return before["prelabel"] if before["text"] == reading.text else CORRECTED, before["prelabel_run"]


def unstorable(found: FoundAnnotation, reading: Reading) -> str:
    """Why no table can hold what somebody wrote as they wrote it; empty text: one can."""
    names = "".join((found.user, found.updated_by or "", found.begun_from.model_version if found.begun_from else ""))
    if not _is_unicode(names):
        return "an account or a model has a name with half a character"
    written = reading.text + "".join(segment.text for segment in reading.segments)
    if _REPLACED in written and not _is_unicode(json.dumps(found.result, ensure_ascii=False)):
        return "the text holds half of a character, which no table can hold; correct it on the server"
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


@dataclass
class Names:
    """What this workspace calls the people of the server.

    Attributes:
        renamed: annotations that keep the name under which they came first, though the server has another one now.
    """

    given: Mapping[str, str]
    renamed: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, email: str) -> str:
        """The name that `[label_studio.annotators]` gives, or the email itself.

        Nobody gets the name of the official transcripts but who is given it here.
        """
        folded = {known.casefold(): name for known, name in self.given.items()}
        own = email if email != REFERENCE_ANNOTATOR else f"{email} (there)"
        return self.given.get(email) or folded.get(email.casefold()) or own

    def still(self, email: str, before: Row | None) -> str:
        """The annotator of an annotation, who stays the same when an account or its name here changes."""
        name = self.of(email)
        if before is None or before["is_ours"] or before["annotator"] == name:
            return name
        if email == NOBODY or _NUMBERED.fullmatch(email):
            return str(before["annotator"])  # the account was deleted, and the server has forgotten who it was
        pair = (before["annotator"], name)
        self.renamed[pair] = self.renamed.get(pair, 0) + 1
        return str(before["annotator"])


@dataclass(frozen=True)
class Ours:
    """Which annotations this workspace sent, and with which text."""

    mark: str
    fixes: Mapping[str, Row]

    @classmethod
    def of(cls, mark: str, fixes: pd.DataFrame) -> Ours:
        """Args: fixes: the table `sync_fixes`."""
        plain = fixes.astype(object).where(fixes.notna(), None)
        return cls(mark, {row["uid"]: row for row in plain.to_dict("records") if row["kind"] == "annotation"})

    def sent(self, uid: str, utterance_id: str, transcripts: Iterable[Transcript]) -> str | None:
        """The text that was sent under this id; None where it is somebody else's annotation."""
        if uid in self.fixes:
            return one_line(self.fixes[uid]["text"])
        if uid[14:15] != "5":
            return None  # servers make ids of version 4
        for transcript in transcripts:
            for one in transcript.revisions:
                if fix_uid(self.mark, utterance_id, transcript.annotator, one.number, one.text) == uid:
                    return one_line(one.text)
        return None


def annotation_row(
    found: FoundAnnotation,
    reading: Reading,
    utterance_id: str,
    project_id: int,
    annotator: str,
    updated_by: str | None,
    prelabel: tuple[str | None, str | None],
    seen_at: datetime,
) -> Row:
    """A row of the table `annotations`, of nobody's revision yet."""
    segments = [{"start": one.start, "end": one.end, "text": one.text} for one in reading.segments]
    return {
        "uid": found.uid,
        "version": found.updated_at,
        "utterance_id": utterance_id,
        "annotator": annotator,
        "project_id": project_id,
        "task_id": found.task_id,
        "annotation_id": found.annotation_id,
        "state": state_of(found, reading),
        "text": reading.text,
        "remarks": ", ".join(reading.remarks),
        "segments": json.dumps(segments, ensure_ascii=False) if segments else None,
        "is_ours": False,
        "updated_by": updated_by,
        "created_at": datetime.fromisoformat(found.created_at),
        "updated_at": datetime.fromisoformat(found.updated_at),
        "lead_time": found.lead_time,
        "ground_truth": found.ground_truth,
        "prelabel": prelabel[0],
        "prelabel_run": prelabel[1],
        "revision": None,
        "seen_at": seen_at,
    }


def remark_rows(known: pd.DataFrame, rows: Iterable[Row], utterances: Iterable[str], at: datetime) -> list[Row]:
    """What changes in the table `remarks`: a remark stands as long as an annotation by its author makes it.

    Args:
        known: the table `remarks`.
        rows: the annotations of these utterances as they are now.
    """
    wanted = {
        (row["utterance_id"], row["annotator"], remark)
        for row in rows
        if row["state"] not in (DRAFT, DELETED) and not row["is_ours"]
        for remark in row["remarks"].split(", ")
        if remark
    }
    of_these = known[known["stands"].astype(bool) & known["utterance_id"].isin(set(utterances))]
    standing = set(of_these[["utterance_id", "annotator", "remark"]].itertuples(index=False, name=None))
    return [
        {"utterance_id": name, "annotator": who, "remark": remark, "stands": stands, "at": at}
        for changed, stands in ((wanted - standing, True), (standing - wanted, False))
        for name, who, remark in sorted(changed)
    ]
