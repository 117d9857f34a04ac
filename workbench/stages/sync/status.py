"""Where labelling stands: what waits to be sent and fetched, how far people are, and whether they agree."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.agreement import MOST_INTERVALS
from workbench.stages.stage import faults_frame
from workbench.stages.sync.annotators import agreement, departures
from workbench.stages.sync.pending_fixes import pending_fixes
from workbench.stages.sync.progress import (
    deletions,
    people_s_annotations,
    progress_of_people,
    progress_of_project,
    tasks_there,
)
from workbench.stages.sync.waiting import waiting
from workbench.tables import FAULTS
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

WAITING, PROJECT, ANNOTATORS = "waiting", "project", "annotators"
AGREEMENT, PAIRS, OTHERS = "agreement", "pairs", "others"
CONVENTIONS, CONFLICTS, DELETED, FIXES = "conventions", "conflicts", "deleted", "fixes"
SECTIONS = (WAITING, PROJECT, ANNOTATORS, AGREEMENT, PAIRS, OTHERS, CONVENTIONS, CONFLICTS, DELETED, FIXES)
_OPEN_FIXES = ("conflict", "pending", "intended", "changed")


@dataclass
class Status:
    """What is known of a workspace and its server.

    Attributes:
        head: server, project_id and title; reached: whether the server was asked; why_not, in a sentence.
        tables: each section that was asked for, in the order of `SECTIONS`.
        rate: which error rate of agreement, pairs and others to look at: wer, or cer where alpha is over syllables.
        notes: whole sentences.
    """

    head: dict[str, Any]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    rate: str = "wer"
    notes: list[str] = field(default_factory=list)
    faults: pd.DataFrame = field(default_factory=FAULTS.empty)


def status(
    workspace: Workspace,
    connection: Connection | None,
    sections: Collection[str] = SECTIONS,
    everything: bool = False,
    distance: str | None = None,
) -> Status:
    """The sections that are asked for; nothing is written, here or there.

    Where the server is not reached, what is known here is told all the same, and `head` says why.

    Args:
        connection: None asks no server.
        everything: agreement over every transcript of the workspace, and not only what was written on the server.
        distance: that alpha is stated on; see `workbench.stages.sync.annotators.agreement`.

    Raises:
        BadInput: the workspace's settings are not as they must be, or there is no such distance.
    """
    head, notes = _head(workspace, connection)
    made = Status(head, notes=notes)
    conflicts, fixes = _open_conflicts(workspace), _open_fixes(workspace)
    if WAITING in sections:
        made.tables[WAITING], notes, why = waiting(workspace, connection, len(fixes), len(conflicts))
        made.notes += notes
        made.head |= {"reached": connection is not None and not why, "why_not": why}
    made.tables |= _progress(workspace, int(head["project_id"]), sections)
    if {AGREEMENT, PAIRS, OTHERS} & set(sections):
        agreed = agreement(workspace, everything, distance, between=bool({PAIRS, OTHERS} & set(sections)))
        made.tables |= {AGREEMENT: agreed.overall, PAIRS: agreed.pairs, OTHERS: agreed.others}
        made.notes += agreed.notes
        made.rate = "cer" if agreed.overall["distance"].iloc[0] == "syllable" else "wer"
        if PAIRS in sections and len(agreed.pairs) > MOST_INTERVALS:
            several = f"{len(agreed.pairs):,} pairs of people"
            made.notes.append(f"only the {MOST_INTERVALS} of {several} that share most have an interval")
    if CONVENTIONS in sections:
        made.tables[CONVENTIONS], faults = _departures(workspace, everything)
        made.faults = faults_frame(faults)
    made.tables |= {CONFLICTS: conflicts, FIXES: fixes}
    made.tables = {name: made.tables[name] for name in SECTIONS if name in sections}
    return made


def _head(workspace: Workspace, connection: Connection | None) -> tuple[dict[str, Any], list[str]]:
    """The project on the server that is asked, or else the one that was bound last; notes."""
    head: dict[str, Any] = {"server": None, "project_id": 0, "title": None, "reached": False, "why_not": ""}
    rows = workspace.read("sync_project")
    rows = rows[rows["project_id"] > 0].sort_values("bound_at", kind="stable")
    own, notes = rows, []
    if connection is not None:
        head["server"] = connection.server
        own = rows[rows["server"] == connection.server]
        if own.empty and len(rows):
            known = str(rows["server"].iloc[-1])
            notes.append(f"no project on {connection.server} is this workspace's; people's work is that on {known}")
    chosen = own if len(own) else rows
    if chosen.empty:
        return head, notes
    row = chosen.iloc[-1]
    title = None if pd.isna(row["title"]) else str(row["title"])
    return head | {"server": str(row["server"]), "project_id": int(row["project_id"]), "title": title}, notes


def _open_conflicts(workspace: Workspace) -> pd.DataFrame:
    conflicts = workspace.read("sync_conflicts")
    return conflicts[conflicts["decision"] == "open"].reset_index(drop=True)


def _open_fixes(workspace: Workspace) -> pd.DataFrame:
    fixes = pending_fixes(workspace)
    return fixes[fixes["state"].isin(_OPEN_FIXES)].reset_index(drop=True)


def _progress(workspace: Workspace, project: int, sections: Collection[str]) -> dict[str, pd.DataFrame]:
    if not {PROJECT, ANNOTATORS, DELETED} & set(sections):
        return {}
    annotations, tasks = people_s_annotations(workspace, project), tasks_there(workspace, project)
    deleted = deletions(annotations, workspace.read("sync_tasks"), project)
    durations = _durations(workspace)
    return {
        PROJECT: progress_of_project(annotations, tasks, int((deleted["what"] == "task").sum())),
        ANNOTATORS: progress_of_people(annotations, tasks["utterance_id"].nunique(), durations),
        DELETED: deleted,
    }


def _durations(workspace: Workspace) -> pd.Series:
    """Seconds of audio by utterance: as the manifest says, else as measured, else of its span."""
    utterances = workspace.read("utterances").set_index("utterance_id")
    measured = workspace.read("audio_quality").set_index("utterance_id")["duration"]
    given, start, end = (utterances[name].astype(float) for name in ("duration", "start", "end"))
    return given.fillna(measured.reindex(given.index)).fillna(end - start.fillna(0.0))


def _departures(workspace: Workspace, everything: bool) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Those of people who label on the server; of everybody where nobody does."""
    table, faults = departures(workspace)
    people = set(workspace.read("annotations")["annotator"])
    if people and not everything:
        table = table[table["annotator"].isin(people)].reset_index(drop=True)
    return table, faults
