"""Decisions of this workspace that a server does not know yet, and what became of those that were sent: from tables."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench.errors import BadInput
from workbench.label_studio.records import fix_uid
from workbench.label_studio.results import one_line
from workbench.transcripts import BATCH, standing_of
from workbench.workspace import Workspace

PENDING, INTENDED, SENT, UNDONE, CHANGED = "pending", "intended", "sent", "undone", "changed"
CONFLICT, DELETED, TAKEN_BACK, OVERTAKEN = "conflict", "deleted there", "taken back here", "overtaken here"
ON_THE_SERVER = (SENT, TAKEN_BACK, OVERTAKEN, CHANGED)

COLUMNS = {
    "utterance_id": "str", "annotator": "str", "revision": "int64", "there": "object", "here": "object", "why": "str",
    "state": "str", "rules": "object", "conventions": "object", "batches": "object", "source": "str", "sent": "object",
    "kind": "object", "stands": "bool", "uid": "object", "task_id": "int64",
}  # fmt: skip
_DECIDED = ("rule", "consensus", "edit")
_GIVEN = ("import", "label_studio")
_ORDER = (CONFLICT, PENDING, INTENDED, CHANGED, TAKEN_BACK, OVERTAKEN, DELETED, UNDONE, SENT)
_KEY = ["utterance_id", "annotator"]


def pending_fixes(workspace: Workspace, edits: bool = False, project_id: int | None = None) -> pd.DataFrame:
    """Each decision that a task is to hear of, or has: conflicts and what is to be sent first.

    The columns: utterance_id, annotator, revision, there (the annotator's own text on the server; missing: none), here,
    why, state, rules, conventions and batches (tuples: of what changed the text since it came in), source (of the
    revision), sent (the batch that it was sent in), kind (annotation or prediction), stands (it is the decision that
    stands here; else one that was sent before), uid, task_id.

    The states: pending; conflict (both sides changed the text; decide first); intended (a push broke off; the next one
    sees to it); sent; changed (by somebody on the server); taken back here, overtaken here (it was sent, and the text
    here is another one since); deleted there; undone. Nothing is asked of a server.

    Args:
        edits: people's edits of single labels too, not only rules, conventions and consensus.
        project_id: the project; the one that was bound last, if none is named.
    """
    projects = workspace.read("sync_project")
    projects = projects[projects["project_id"] > 0].sort_values("bound_at", kind="stable")
    if projects.empty:
        return _frame([])
    project = int(projects["project_id"].iloc[-1]) if project_id is None else project_id
    tasks = _tasks(workspace, project)
    if not tasks:
        return _frame([])
    mark = str(projects["mark"].iloc[-1])
    history = workspace.read("transcripts", history=True)
    fixes = workspace.read("sync_fixes")
    decided = history.loc[history["source"].isin(_DECIDED), _KEY]
    concerned = pd.concat([decided, fixes[_KEY]]).drop_duplicates()
    concerned = concerned[concerned["utterance_id"].isin(tasks.keys())]
    history = history.merge(concerned, on=_KEY).sort_values("revision", kind="stable")
    known = _Known.of(workspace, fixes, project)
    rows: list[dict[str, Any]] = []
    for text in _texts(history, mark):
        task, own = known.own.get((text.utterance_id, text.annotator), (tasks[text.utterance_id], None))
        rows += [row | {"there": own, "task_id": task} for row in _rows(text, known, own)]
    if not edits:
        rows = [row for row in rows if row["source"] != "edit" or row["state"] not in (PENDING, CONFLICT)]
    return _frame(rows)


@dataclass(frozen=True)
class Choice:
    """Which fixes: of a rule, a convention, a batch of `workbench conventions apply`, an annotator; so many at most."""

    rule: str | None = None
    convention: str | None = None
    batch: str | None = None
    annotator: str | None = None
    limit: int | None = None

    def of(self, fixes: pd.DataFrame) -> pd.DataFrame:
        """Those of the fixes that are meant.

        Raises:
            BadInput: none of them has the rule, convention, batch or annotator.
        """
        for what, value, column in (
            ("rule", self.rule, "rules"),
            ("convention", self.convention, "conventions"),
            ("batch", self.batch, "batches"),
            ("annotator", self.annotator, "annotator"),
        ):
            if value is None:
                continue
            has = [value in _several(cell) for cell in fixes[column]]
            if not any(has):
                known = sorted({one for cell in fixes[column] for one in _several(cell)})
                near = difflib.get_close_matches(value, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"those with fixes: {', '.join(known) or 'none'}"
                raise BadInput(f"no fix has the {what} {value!r}; {hint}")
            fixes = fixes[has]
        return fixes.reset_index(drop=True)

    def first(self, fixes: pd.DataFrame) -> pd.DataFrame:
        """The first of them, as many as are wanted."""
        return fixes if self.limit is None else fixes.head(self.limit)


def _several(cell: Any) -> tuple[str, ...]:
    return cell if isinstance(cell, tuple) else (cell,)


def _tasks(workspace: Workspace, project: int) -> dict[str, int]:
    """The task of every utterance that has one in the project; the first of several."""
    tasks = workspace.read("sync_tasks")
    present = tasks[(tasks["project_id"] == project) & (tasks["state"] == "present") & (tasks["task_id"] > 0)]
    first = present.sort_values("task_id", ascending=False, kind="stable")
    return dict(zip(first["utterance_id"], first["task_id"].astype(int), strict=True))


@dataclass(frozen=True)
class _Text:
    """One annotator's transcript of an utterance: what stands, and what of it was decided here."""

    utterance_id: str
    annotator: str
    mark: str
    standing: list[tuple[int, str, str]]
    sources: dict[int, str]
    details: dict[int, tuple[Any, Any]]

    @property
    def current(self) -> str | None:
        return self.standing[-1][1] if self.standing else None

    def decision(self) -> dict[str, Any] | None:
        """The fix that the text is, as the start of a row; None where nobody decided anything since it came in."""
        if not self.standing or self.standing[-1][2] not in _DECIDED:
            return None
        number, text, source = self.standing[-1]
        since: list[tuple[int, str]] = []
        for before, _, origin in reversed(self.standing):
            if origin in _GIVEN:
                break
            since.insert(0, (before, origin))
        reasons = [_reason(origin, *self.details[before]) for before, origin in since]
        return {
            "utterance_id": self.utterance_id, "annotator": self.annotator, "revision": int(number), "here": text,
            "why": "; ".join(dict.fromkeys(why for why, *_ in reasons)), "source": source, "stands": True,
            "rules": tuple(dict.fromkeys(rule for _, rule, _, _ in reasons if rule)),
            "conventions": tuple(dict.fromkeys(name for _, _, name, _ in reasons if name)),
            "batches": tuple(dict.fromkeys(batch for *_, batch in reasons if batch)),
            "uid": fix_uid(self.mark, self.utterance_id, self.annotator, int(number), text),
        }  # fmt: skip


def _texts(history: pd.DataFrame, mark: str) -> Iterator[_Text]:
    """The transcripts of these revisions, which are in their order."""
    columns = (*_KEY, "revision", "text", "source", "source_detail", "reason")
    of: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for utterance, annotator, *row in zip(*(history[name].tolist() for name in columns), strict=True):
        of.setdefault((utterance, annotator), []).append(tuple(row))
    for (utterance, annotator), rows in of.items():
        standing = standing_of((number, text, source) for number, text, source, _, _ in rows)
        sources = {number: source for number, _, source, _, _ in rows}
        details = {number: (detail, why) for number, _, _, detail, why in rows}
        yield _Text(utterance, annotator, mark, standing, sources, details)


def _reason(source: str, detail: Any, reason: Any) -> tuple[str, str, str, str]:
    """Why a revision was made, its rule, its convention, and the batch that it was made in; empty where it has none."""
    written = detail if isinstance(detail, str) else ""
    if source == "consensus":
        return f"consensus of {written}" if written else "consensus", "", "", ""
    if source != "rule":
        return f"edit: {reason}" if isinstance(reason, str) and reason else "edit", "", "", ""
    batch = BATCH.match(written)
    if batch is None:
        return written, written, "", ""
    return batch["what"], batch["rule"], batch["what"].partition(" as ")[0], batch["batch"]


@dataclass(frozen=True)
class _Known:
    """What tables say of the server, by utterance and annotator."""

    own: dict[tuple[str, str], tuple[int, str]]
    "The annotator's own latest annotation there: its task, and its text."
    sent: dict[tuple[str, str], list[Any]]
    deleted: dict[str, Any]
    "Annotations that are there no longer, and when that was seen."
    conflicts: set[tuple[str, str]]

    @classmethod
    def of(cls, workspace: Workspace, fixes: pd.DataFrame, project: int) -> _Known:
        annotations = workspace.read("annotations")
        annotations = annotations[annotations["project_id"] == project]
        theirs = annotations[(annotations["state"] == "submitted") & ~annotations["is_ours"].astype(bool)]
        theirs = theirs.sort_values("updated_at", kind="stable")
        own = {(row.utterance_id, row.annotator): (int(row.task_id), row.text) for row in theirs.itertuples()}
        sent: dict[tuple[str, str], list[Any]] = {}
        for row in fixes.itertuples():
            sent.setdefault((row.utterance_id, row.annotator), []).append(row)
        conflicts = workspace.read("sync_conflicts")
        open_ones = conflicts.loc[conflicts["decision"] == "open", _KEY].itertuples(index=False, name=None)
        gone = annotations[annotations["state"] == "deleted"]
        deleted = dict(zip(gone["uid"], gone["seen_at"], strict=True))
        return cls(own, sent, deleted, set(open_ones))

    def state(self, row: Any) -> str:
        """The state of what was sent, as far as the last pull saw it."""
        # What was sent again since is there again.
        is_gone = row.uid in self.deleted and self.deleted[row.uid] > row.at
        return DELETED if row.state == SENT and is_gone else str(row.state)


def _rows(text: _Text, known: _Known, own: str | None) -> list[dict[str, Any]]:
    rows, carried = [], False
    decision = text.decision()
    of_decision: list[Any] = []
    for row in known.sent.get((text.utterance_id, text.annotator), []):
        state = known.state(row)
        if state == SENT and text.current is not None and one_line(row.text) == one_line(text.current):
            carried = True
        elif decision is not None and int(row.revision) == decision["revision"]:
            of_decision.append(row)
            continue
        elif state == SENT:
            stands = int(row.revision) in {number for number, _, _ in text.standing}
            state = OVERTAKEN if stands else TAKEN_BACK
        rows.append(_sent_row(row, state, text))
    if decision is None or carried:
        return rows
    waits = (text.utterance_id, text.annotator) in known.conflicts
    if of_decision:
        row = min(of_decision, key=lambda one: _ORDER.index(known.state(one)))
        state = known.state(row)
        # What did not arrive, or was taken from there, must not go there again before the conflict is decided.
        state = CONFLICT if waits and state in (INTENDED, UNDONE, DELETED) else state
        return [*rows, decision | {"state": state, "sent": row.batch, "kind": row.kind, "uid": row.uid}]
    if own is not None and one_line(own) == one_line(decision["here"]):
        return rows
    state = CONFLICT if waits else PENDING
    return [*rows, decision | {"state": state, "sent": None, "kind": None}]


def _sent_row(row: Any, state: str, text: _Text) -> dict[str, Any]:
    number = int(row.revision)
    source = text.sources.get(number, "")
    _, rule, convention, batch = _reason(source, *text.details.get(number, (None, None)))
    return {
        "utterance_id": row.utterance_id, "annotator": row.annotator, "revision": number, "here": text.current,
        "why": row.why if isinstance(row.why, str) else "", "state": state, "rules": (rule,) if rule else (),
        "conventions": (convention,) if convention else (), "batches": (batch,) if batch else (), "source": source,
        "sent": row.batch, "kind": row.kind, "stands": False, "uid": row.uid,
    }  # fmt: skip


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    order = frame["state"].map({state: place for place, state in enumerate(_ORDER)})
    return frame.assign(_order=order).sort_values("_order", kind="stable").drop(columns="_order").reset_index(drop=True)
