"""What an annotation of the server does to its annotator's transcript: a revision, nothing, or a conflict."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd

from workbench.transcripts import DELETED, RETRACTED, revision, standing_of

SOURCE = "label_studio"
_PULLED = re.compile(r"task (\d+) annotation (\d+) version (\S+) (\S+)")
_LATER = re.compile(r"undoes revision (\d+): annotation \S+ is later")


class Version(NamedTuple):
    """A text that somebody submitted: which annotation it stands in, and when it came to stand there.

    Attributes:
        version: the time `at` as the server writes it, which with the uid names this state of the annotation.
        author: who wrote it, where it is not the annotator.
    """

    uid: str
    version: str
    task_id: int
    annotation_id: int
    at: datetime
    text: str
    author: str | None = None

    @property
    def detail(self) -> str:
        return f"task {self.task_id} annotation {self.annotation_id} version {self.version} {self.uid}"

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.annotation_id


class Revision(NamedTuple):
    """A revision of a transcript.

    Attributes:
        agrees: after it both sides had the same text, because it came from there.
        pulled: of one from an annotation its unique id, its version, the time of that, and its number.
    """

    number: int
    text: str
    source: str
    agrees: bool
    pulled: tuple[str, str, datetime, int] | None = None


@dataclass(frozen=True)
class Taken:
    """What became of a version: the revision that says its text, or the conflict that it is in.

    Attributes:
        number: the revision; None: the text stands in no transcript.
        base: of a conflict the text that both sides last had; None: they never had one.
        here: of a conflict the text here; None: there is no conflict.
    """

    number: int | None
    base: str | None = None
    here: str | None = None


def pulled_from(source: Any, detail: Any) -> tuple[str, str, datetime, int] | None:
    """The annotation that a revision came from, by its `source` and `source_detail`; None where it is of no other.

    >>> pulled_from("label_studio", "task 3 annotation 8 version 2026-01-01T00:00:00Z f00d")[:2]
    ('f00d', '2026-01-01T00:00:00Z')
    """
    found = _PULLED.fullmatch(detail) if source == SOURCE and isinstance(detail, str) else None
    if not found:
        return None
    _, annotation, version, uid = found.groups()
    try:
        return uid, version, datetime.fromisoformat(version), int(annotation)
    except ValueError:
        return None


@dataclass
class Transcript:
    """One annotator's transcript of an utterance, and the rows that are to be added to it.

    Attributes:
        agreed: the newest revision whose text an annotation was found to have.
    """

    utterance_id: str
    annotator: str
    revisions: list[Revision] = field(default_factory=list)
    agreed: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def standing(self) -> list[Revision]:
        return _standing(self.revisions)

    @property
    def current(self) -> Revision | None:
        standing = self.standing
        return standing[-1] if standing else None

    def take(self, version: Version, gone: Collection[str] = (), decided: bool = False, back: bool = False) -> Taken:
        """Bring a submitted text in, and say what became of it. Bringing it in twice does nothing the second time.

        A text that is older than one of another annotation of the annotator's, which stands, goes beneath it.

        Args:
            gone: unique ids of annotations that are no longer on the server.
            decided: somebody has decided for the text here when this text was in conflict with it.
            back: the annotation was gone, and is there again.
        """
        standing = self.standing
        name = (version.uid, version.version)
        known = [one for one in self.revisions if one.pulled is not None and one.pulled[:2] == name]
        if known and not (back and not set(known) & set(standing)):
            return self._agree(known[-1].number)
        current = standing[-1] if standing else None
        own = [(one.pulled[2:], one.text) for one in standing if one.pulled and one.pulled[0] == version.uid]
        if current is not None and current.text != version.text and own and own[-1][0] > version.order:
            # Its server's clock went back, or its database did: which of both texts is the later one nobody knows.
            return Taken(None) if decided else Taken(None, own[-1][1], current.text)
        later = [
            (one, one.pulled[0])
            for one in standing
            if one.pulled and one.pulled[2:] > version.order and one.pulled[0] not in {version.uid, *gone}
        ]
        if later:
            before = _standing(self.revisions[: self.revisions.index(later[0][0])])
            if before and before[-1].text == version.text:
                return Taken(before[-1].number)
            number = self._add(version, agrees=False)
            self._take_back(f"annotation {later[-1][1]} is later", version.at, agrees=False)
            return Taken(number)
        if current is not None and current.text == version.text:
            # After an undo both sides agree on what it brought back, and no longer on what it took back.
            return self._agree(self.revisions[-1].number)
        base = self._base()
        if current is not None and self._changed_here(base, current):
            if base is not None and base.text == version.text:
                return self._agree(base.number)
            if decided:
                return Taken(None)
            return Taken(None, base.text if base else None, current.text)
        return self._agree(self._add(version))

    def retract(self, gone: Collection[str], held: Collection[int]) -> int:
        """Take back what came from annotations that are gone, newest first, as far as nothing stands on it.

        Args:
            held: revisions that annotations which are there say too.

        Returns: how many revisions were taken back.
        """
        taken = 0
        said = {standing[-1].number for number in held if (standing := self._standing_at(number))}
        while (top := self.current) is not None and top.pulled and top.pulled[0] in gone and top.number not in said:
            self._take_back(f"annotation {top.pulled[0]} was deleted there", None)
            taken += 1
        return taken

    def write(self, version: Version, author: str, reason: str) -> int:
        """Let a text of the server stand that was in conflict; the revision that says it."""
        current = self.current
        if current is not None and current.text == version.text:
            return self.revisions[-1].number
        return self._add(version._replace(author=author), reason)

    def _agree(self, number: int) -> Taken:
        self.agreed = max(self.agreed, number)
        return Taken(number)

    def _last_agreed(self) -> int:
        return max([self.agreed, *(one.number for one in self.revisions if one.agrees)])

    def _base(self) -> Revision | None:
        """What stood when both sides last had the same text, or None: they never had."""
        standing = self._standing_at(self._last_agreed())
        return standing[-1] if standing else None

    def _standing_at(self, number: int) -> list[Revision]:
        """What stood when this was the newest revision."""
        return _standing([one for one in self.revisions if one.number <= number])

    def _changed_here(self, base: Revision | None, current: Revision) -> bool:
        last = self._last_agreed()
        if last:
            return any(one.number > last for one in self.revisions) and (base is None or base.text != current.text)
        # What was only ever imported is no decision of this workspace's.
        return any(one.source != "import" for one in self.revisions)

    def _add(self, version: Version, reason: str | None = None, agrees: bool = True) -> int:
        number = self._next()
        row = revision(self.utterance_id, self.annotator, number, version.text, SOURCE, version.detail)
        self.rows.append(row | {"created_at": version.at, "author": version.author, "reason": reason})
        where = (version.uid, version.version, *version.order)
        self.revisions.append(Revision(number, version.text, SOURCE, agrees, where))
        return number

    def _take_back(self, why: str, at: datetime | None, agrees: bool = True) -> None:
        standing = self.standing
        number, detail = self._next(), f"undoes revision {standing[-1].number}: {why}"
        text, source = (standing[-2].text, "undo") if len(standing) > 1 else ("", RETRACTED)
        row = revision(self.utterance_id, self.annotator, number, text, source, detail)
        self.rows.append(row if at is None else row | {"created_at": at})
        self.revisions.append(Revision(number, text, source, agrees))

    def _next(self) -> int:
        return self.revisions[-1].number + 1 if self.revisions else 1


def _standing(revisions: Sequence[Revision]) -> list[Revision]:
    numbers = {number for number, _, _ in standing_of(one[:3] for one in revisions)}
    return [one for one in revisions if one.number in numbers]


class Transcripts:
    """The transcripts of some utterances, by utterance and annotator, made as they are asked for."""

    def __init__(self, history: pd.DataFrame, annotations: pd.DataFrame) -> None:
        """Args: every revision, and every row ever written of the table `annotations`, of these utterances."""
        self._of: dict[str, dict[str, Transcript]] = {}
        names = ("utterance_id", "annotator", "revision", "text", "source", "source_detail")
        ordered = history.sort_values("revision", kind="stable")
        beneath: set[tuple[str, str, int]] = set()
        "Revisions that went beneath a later one at once, and say nothing of what both sides agreed on."
        rows = list(zip(*(ordered[name].tolist() for name in names), strict=True))
        for utterance_id, annotator, _, _, _, detail in rows:
            later = _LATER.fullmatch(detail) if isinstance(detail, str) else None
            if later:
                beneath.add((utterance_id, annotator, int(later[1])))
        for utterance_id, annotator, number, text, source, detail in rows:
            pulled = pulled_from(source, detail)
            deleted = isinstance(detail, str) and DELETED.match(detail) is not None
            agrees = deleted or (pulled is not None and (utterance_id, annotator, number) not in beneath)
            self.of(utterance_id, annotator).revisions.append(Revision(number, text, source, agrees, pulled))
        agreed = annotations[annotations["revision"].notna()]
        columns = (agreed[name].tolist() for name in ("utterance_id", "annotator", "revision"))
        for utterance_id, annotator, number in zip(*columns, strict=True):
            if (utterance_id, annotator, int(number)) not in beneath:
                transcript = self.of(utterance_id, annotator)
                transcript.agreed = max(transcript.agreed, int(number))

    def of(self, utterance_id: str, annotator: str) -> Transcript:
        """The one of this annotator, which may have no revision yet."""
        of_utterance = self._of.setdefault(utterance_id, {})
        if annotator not in of_utterance:
            of_utterance[annotator] = Transcript(utterance_id, annotator)
        return of_utterance[annotator]

    def of_utterance(self, utterance_id: str) -> Iterable[Transcript]:
        """Those of everybody."""
        return self._of.get(utterance_id, {}).values()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The new revisions of all of them."""
        return [row for several in self._of.values() for transcript in several.values() for row in transcript.rows]
