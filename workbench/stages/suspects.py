"""Every transcript's score of how likely it is wrong, of a workspace or a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.stage import Outcome, faults_frame
from workbench.stages.transcript_files import read_transcript_file
from workbench.transcripts import current_transcripts, is_merged
from workbench.workspace import Workspace


def suspects_of_file(path: Path, models_vote: bool = True) -> Outcome:
    """The transcripts of a file with their scores, the most suspect first.

    Raises:
        BadInput: the file cannot be read, or has no column `text`.
    """
    frame, faults = read_transcript_file(path)
    table = _suspects(frame, models_vote)
    return Outcome("suspects", {}, table, faults_frame(faults), _notes(table), kept=False)


def suspects(workspace: Workspace, run_id: str | None = None, models_vote: bool = True) -> Outcome:
    """The workspace's current transcripts with their scores, written down as table `suspects`.

    Args:
        run_id: whose hypotheses are the main ones; those of all other runs are seen too.

    Raises:
        BadInput: there are no transcripts, or no such run.
    """
    from workbench.stages.check import checked_transcripts
    from workbench.stages.score import choose_run

    with workspace.lock():
        if run_id is not None or len(workspace.read("runs")):
            run_id = str(choose_run(workspace, run_id)["run_id"])
        frame = checked_transcripts(workspace, run_id)
        frame = frame[~is_merged(workspace.read("transcripts"), frame).to_numpy()].reset_index(drop=True)
        if frame.empty:
            raise BadInput("the workspace has no transcripts; add some with `workbench import MANIFEST`")
        table = _suspects(frame, models_vote)
        texts = frame[["utterance_id", "annotator", "text"]]
        table = table.merge(texts, on=["utterance_id", "annotator"], how="left").assign(run_id=run_id)
        workspace.snapshot("suspects", table)
    return Outcome("suspects", {"transcripts": len(table)}, table, notes=_notes(table))


def standing_suspects(workspace: Workspace) -> tuple[pd.DataFrame, list[str]]:
    """The scores of how likely transcripts are wrong, of utterances whose texts are all as they were; and what is not.

    A transcript is judged by the others of its utterance: where one has changed, none of their scores holds.
    """
    suspects, transcripts = workspace.read("suspects"), workspace.read("transcripts")
    current = current_transcripts(transcripts)[["utterance_id", "annotator", "text"]]
    current = current[~is_merged(transcripts, current).to_numpy()]
    judged = current[current["utterance_id"].isin(suspects["utterance_id"])]
    both = suspects[current.columns].merge(judged, how="outer", indicator=True)
    changed = set(both["utterance_id"][both["_merge"] != "both"])
    if not changed:
        return suspects, []
    what = "1 utterance" if len(changed) == 1 else f"{len(changed)} utterances"
    note = f"Suspects of {what} are left out: labels have changed since; run `workbench suspects` again."
    return suspects[~suspects["utterance_id"].isin(changed)], [note]


def _suspects(frame: pd.DataFrame, models_vote: bool) -> pd.DataFrame:
    from label_rules.corpus import Corpus
    from label_rules.suspects.score import suspects as scored

    return scored(Corpus(frame), models_vote)


def _notes(table: pd.DataFrame) -> list[str]:
    unjudged = int(table["score"].isna().sum())
    if not unjudged:
        return []
    what = "1 transcript has" if unjudged == 1 else f"{unjudged} transcripts have"
    return [f"{what} nothing to be judged by: no other transcript of the audio, and no hypothesis"]
