"""Several transcripts of an utterance to one: shown, and taken as the reference once a person says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.check import checked_transcripts
from workbench.stages.stage import Outcome, faults_frame
from workbench.stages.transcript_files import read_transcript_file
from workbench.transcripts import REFERENCE_ANNOTATOR, is_merged, references, revision
from workbench.workspace import Workspace

_TOO_LONG = (
    "found transcripts of so many words that they cannot be merged; expected some thousand words at most; "
    "cut them into utterances"
)


def consensus_of_file(path: Path, models_vote: bool = True) -> tuple[Outcome, pd.DataFrame]:
    """The consensus of each utterance of a file, and the reliability of its annotators.

    Raises:
        BadInput: the file cannot be read, or has no column `text`.
    """
    frame, faults = read_transcript_file(path)
    table, annotators = _consensus(frame, models_vote)
    return _outcome(table, faults), annotators


def consensus(workspace: Workspace, models_vote: bool = True) -> tuple[Outcome, pd.DataFrame]:
    """The consensus of each of the workspace's utterances that several people transcribed, and their reliability.

    Nothing is written. The table holds the reference too, and whether somebody has decided on it.

    Raises:
        BadInput: no utterance has several transcripts.
    """
    transcripts = workspace.read("transcripts")
    frame = checked_transcripts(workspace, None)
    frame = frame[~is_merged(transcripts, frame).to_numpy()].reset_index(drop=True)
    table, annotators = _consensus(frame, models_vote)
    table = table[table["transcripts"] > 1].reset_index(drop=True)
    if table.empty:
        raise BadInput("no utterance has transcripts by several annotators; there is nothing to agree on")
    held = references(transcripts)
    held = held.assign(decided=held["annotator"] == REFERENCE_ANNOTATOR)[["utterance_id", "reference", "decided"]]
    table = table.merge(held, on="utterance_id", how="left")
    return _outcome(table, []), annotators


def accept_consensus(
    workspace: Workspace, author: str, reason: str, least: float = 0.0, models_vote: bool = True
) -> Outcome:
    """Make the consensus the reference of every utterance that has none by decision, as new revisions.

    Args:
        least: the least score of a consensus to be taken.

    Raises:
        BadInput: no utterance has several transcripts, or there is no reason.
    """
    if not reason.strip():
        raise BadInput("--reason must say why; it is kept with the revisions")
    with workspace.lock():
        outcome, _ = consensus(workspace, models_vote)
        table = outcome.table
        sure = table["text"].notna() & (table["score"] >= least)
        taken = table[~table["decided"] & sure]
        history = workspace.read("transcripts", history=True)
        of_reference = history[history["annotator"] == REFERENCE_ANNOTATOR]
        latest = of_reference.groupby("utterance_id")["revision"].max()
        rows = [
            revision(
                str(row.utterance_id), REFERENCE_ANNOTATOR, int(latest.get(row.utterance_id, 0)) + 1, str(row.text),
                "consensus", f"{row.transcripts} transcripts, score {row.score:.3f}", author, reason,
            )
            for row in taken.itertuples()
        ]  # fmt: skip
        if rows:
            workspace.append("transcripts", pd.DataFrame(rows))
    left = int((~table["decided"] & ~sure).sum())
    notes = [f"{len(rows)} references are the consensus now; one is taken back with workbench labels undo UTTERANCE"]
    if left:
        notes.append(f"{left} were left, their score is below {least:g}")
    if table["decided"].any():
        notes.append(f"{int(table['decided'].sum())} have a reference by decision already, which stands")
    return Outcome(
        "consensus", {"accepted": len(rows)}, taken.reset_index(drop=True), outcome.faults, notes, kept=False
    )


def _consensus(frame: pd.DataFrame, models_vote: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    from label_rules.consensus.consensus import annotator_reliability
    from label_rules.consensus.consensus import consensus as merged
    from label_rules.corpus import Corpus

    corpus = Corpus(frame)
    return merged(corpus, models_vote), annotator_reliability(corpus, models_vote)


def _outcome(table: pd.DataFrame, faults: list[dict[str, str]]) -> Outcome:
    too_long = table["text"].isna()
    faults = faults + [
        {"stage": "consensus", "item": str(i), "location": str(i), "reason": _TOO_LONG}
        for i in table["utterance_id"][too_long]
    ]
    return Outcome("consensus", {}, table[~too_long].reset_index(drop=True), faults_frame(faults), kept=False)
