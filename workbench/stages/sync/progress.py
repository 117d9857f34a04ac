"""How far labelling is: by person, and for the whole project, from what was pulled."""

from __future__ import annotations

import pandas as pd

from workbench.workspace import Workspace

DONE = ("submitted", "empty", "skipped", "cancelled")
_SKIPPED = ("skipped", "cancelled")
_DRAFT = "draft-"
_EDIT_AFTER = pd.Timedelta(milliseconds=100)
"""A server writes created_at and updated_at of a new annotation one after the other."""

PEOPLE = {
    "annotator": "str", "done": "int64", "share": "float64", "submitted": "int64", "edited": "int64", "empty": "int64",
    "skipped": "int64", "drafts": "int64", "deleted": "int64", "lead_time": "float64", "lead_time_p90": "float64",
    "audio_per_hour": "float64", "prelabels": "int64", "accepted": "int64", "accepted_share": "float64",
}  # fmt: skip


def tasks_there(workspace: Workspace, project: int) -> pd.DataFrame:
    """The tasks of a project that were there when the server was asked last: utterance_id and task_id."""
    tasks = workspace.read("sync_tasks")
    present = tasks[(tasks["project_id"] == project) & (tasks["state"] == "present") & (tasks["task_id"] > 0)]
    return present[["utterance_id", "task_id"]].reset_index(drop=True)


def people_s_annotations(workspace: Workspace, project: int) -> pd.DataFrame:
    """Rows of the table `annotations` of a project, as they were pulled last.

    Those that we sent are left out, and drafts that are there no longer: most of them were submitted.
    """
    annotations = workspace.read("annotations")
    of_people = (annotations["project_id"] == project) & ~annotations["is_ours"].astype(bool)
    finished = (annotations["state"] == "deleted") & annotations["uid"].str.startswith(_DRAFT)
    return annotations[of_people & ~finished].reset_index(drop=True)


def progress_of_people(annotations: pd.DataFrame, tasks: int, durations: pd.Series) -> pd.DataFrame:
    """One row an annotator, who has done most first: what they have done, how fast, and what became of pre-labels.

    The columns: annotator; done (utterances submitted, empty or skipped) and the share of the tasks that they are;
    submitted (with a text), edited (of those, changed after they were submitted), empty, skipped (also with a text),
    drafts, deleted; lead_time (median, s) and lead_time_p90 (s) of what was submitted or empty; audio_per_hour
    (seconds of audio for each hour of lead time); prelabels (begun from a hypothesis), accepted (unchanged), and the
    share of it; last_active_at. What is not known is missing.

    Args:
        annotations: of people, one row an annotation or draft.
        tasks: how many tasks there are.
        durations: seconds of audio, by utterance.
    """
    who, state = annotations["annotator"].astype("str"), annotations["state"]

    def several(rows: pd.Series) -> pd.Series:
        return rows.astype("int64").groupby(who).sum()

    worked = state.isin(["submitted", "empty"])
    lead = annotations["lead_time"].astype(float).where(worked)
    lead = lead.where(lead > 0)
    audio = annotations["utterance_id"].map(durations).astype(float).where(lead.notna())
    begun = worked & annotations["prelabel"].notna()
    done = annotations.loc[state.isin(DONE), "utterance_id"].groupby(who).nunique()
    edited = (state == "submitted") & (annotations["updated_at"] - annotations["created_at"] > _EDIT_AFTER)
    table = pd.DataFrame(
        {
            "done": done.reindex(sorted(who.unique()), fill_value=0),
            "submitted": several(state == "submitted"),
            "edited": several(edited),
            "empty": several(state == "empty"),
            "skipped": several(state.isin(_SKIPPED)),
            "drafts": several(state == "draft"),
            "deleted": several(state == "deleted"),
            "lead_time": lead.groupby(who).median(),
            "lead_time_p90": lead.groupby(who).quantile(0.9),
            "audio_per_hour": _quotient(3600 * audio.groupby(who).sum(), lead.where(audio.notna()).groupby(who).sum()),
            "prelabels": several(begun),
            "accepted": several(begun & (annotations["prelabel"] == "accepted")),
            "last_active_at": annotations["updated_at"].groupby(who).max(),
        }
    )
    table["share"] = table["done"] / tasks if tasks else float("nan")
    table["accepted_share"] = _quotient(table["accepted"], table["prelabels"])
    table = table.rename_axis("annotator").reset_index()[[*PEOPLE, "last_active_at"]].astype(PEOPLE)
    return table.sort_values("done", ascending=False, kind="stable", ignore_index=True)


def _quotient(above: pd.Series, below: pd.Series) -> pd.Series:
    """The quotients; missing where the divisor is 0."""
    return above / below.where(below > 0)


def progress_of_project(annotations: pd.DataFrame, tasks: pd.DataFrame, gone: int) -> pd.DataFrame:
    """One row: the tasks, and how many of them have labels of two people or more, of one, or none.

    The columns: tasks; two_labels (texts of two people or more), one_label, no_text (only skipped or empty), begun
    (drafts only), untouched, which add up to tasks; labelled_share (of one label or more); gone (deleted there).

    Args:
        annotations: of people, one row an annotation or draft.
        tasks: those that are there, with utterance_id.
        gone: tasks that were deleted on the server.
    """
    utterances = pd.Index(tasks["utterance_id"].unique())
    of_tasks = annotations[annotations["utterance_id"].isin(utterances)]
    submitted = of_tasks[of_tasks["state"] == "submitted"].groupby("utterance_id")["annotator"].nunique()
    labels = submitted.reindex(utterances, fill_value=0)
    left = labels.index[labels == 0]
    states = of_tasks[of_tasks["utterance_id"].isin(left)]
    without_text = states.loc[states["state"].isin(DONE), "utterance_id"].unique()
    begun = set(states.loc[states["state"] == "draft", "utterance_id"]) - set(without_text)
    row = {
        "tasks": len(utterances),
        "two_labels": int((labels >= 2).sum()),
        "one_label": int((labels == 1).sum()),
        "no_text": len(without_text),
        "begun": len(begun),
        "untouched": len(left) - len(without_text) - len(begun),
        "labelled_share": float((labels > 0).mean()) if len(labels) else None,
        "gone": gone,
    }
    return pd.DataFrame([row]).astype({"labelled_share": "float64"})


def deletions(annotations: pd.DataFrame, all_tasks: pd.DataFrame, project: int) -> pd.DataFrame:
    """What was seen on the server and is there no longer: what, utterance_id, annotator, text, missed_at.

    Args:
        annotations: of people.
        all_tasks: the table `sync_tasks`.
    """
    of_project = all_tasks[all_tasks["project_id"] == project]
    gone = of_project[of_project["state"] == "gone"]
    gone = gone[~gone["utterance_id"].isin(of_project.loc[of_project["state"] == "present", "utterance_id"])]
    tasks = gone[["utterance_id", "at"]].rename(columns={"at": "missed_at"}).assign(what="task", annotator="", text="")
    deleted = annotations[annotations["state"] == "deleted"].rename(columns={"seen_at": "missed_at"})
    both = [tasks, deleted[["utterance_id", "annotator", "text", "missed_at"]].assign(what="annotation")]
    columns = ["what", "utterance_id", "annotator", "text", "missed_at"]
    return pd.concat([part[columns] for part in both if len(part)] or [tasks[columns]], ignore_index=True)
