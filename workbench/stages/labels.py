"""One label of a workspace: its revisions, an edit, an undo."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.errors import BadInput
from workbench.transcripts import edit, undo
from workbench.workspace import Workspace


def label_history(workspace: Workspace, utterance_id: str) -> pd.DataFrame:
    """Every revision of an utterance's transcripts.

    Raises:
        BadInput: it has none.
    """
    rows = workspace.read("transcripts", history=True)
    rows = rows[rows["utterance_id"] == utterance_id]
    if rows.empty:
        raise BadInput(f"no transcript of utterance {utterance_id!r}; `workbench show transcripts` lists them")
    return rows


def set_label(
    workspace: Workspace, utterance_id: str, annotator: str, text: str, author: str, reason: str
) -> dict[str, Any]:
    """Give an annotator's transcript another text; returns the new revision.

    Raises:
        BadInput: the utterance or the transcript is not there, the text is the same, or there is no reason.
    """
    with workspace.lock():
        if utterance_id not in set(workspace.read("utterances")["utterance_id"]):
            raise BadInput(f"no utterance {utterance_id!r}; `workbench show utterances` lists them")
        if not reason.strip():
            raise BadInput("--reason must say why; it is kept with the revision")
        row = edit(workspace.read("transcripts", history=True), utterance_id, annotator, text, author, reason)
        workspace.append("transcripts", pd.DataFrame([row]))
    return row


def undo_label(workspace: Workspace, utterance_id: str, annotator: str, author: str) -> dict[str, Any]:
    """Take the latest change of an annotator's transcript back; returns the new revision.

    Raises:
        BadInput: there is no such transcript, or nothing to undo.
    """
    with workspace.lock():
        row = undo(workspace.read("transcripts", history=True), utterance_id, annotator, author)
        workspace.append("transcripts", pd.DataFrame([row]))
    return row
