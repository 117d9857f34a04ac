"""The tables of sync: what of the server this workspace has seen, and what it sent there."""

from __future__ import annotations

from functools import partial

from workbench.table import BOOLEAN, INTEGER, NUMBER, STRING, TIME, Column, Table

_c, _o = Column, partial(Column, optional=True)
_UTTERANCE = _c("utterance_id", STRING, "the utterance's id, unique in the workspace")

SYNC_PROJECT = Table(
    "sync_project",
    (
        _c("server", STRING, "the server's URL"),
        _c("project_id", INTEGER, "the project there; 0: none yet"),
        _o("title", STRING, "its title"),
        _c("mark", STRING, "the mark of this workspace, which its tasks and its project carry"),
        _c("bound_at", TIME, "when"),
    ),
    key=("server",),
)

SYNC_TASKS = Table(
    "sync_tasks",
    (
        _c("project_id", INTEGER, "the project"),
        _UTTERANCE,
        _c("task_id", INTEGER, "its task; 0: none has been seen yet"),
        _c(
            "state",
            STRING,
            "intended (about to be sent), present (seen on the server), gone (was present), deleted here",
        ),
        _o("pulled_version", STRING, "updated_at and counts of the task when its annotations were read last"),
        _c("at", TIME, "when this was written down"),
    ),
    key=("project_id", "utterance_id", "task_id"),
)

ANNOTATIONS = Table(
    "annotations",
    (
        _c("uid", STRING, "the annotation's unique id on the server; of a draft `draft-` and its number"),
        _c("version", STRING, "when the server changed it last, as it writes it"),
        _UTTERANCE,
        _c("annotator", STRING, "who wrote it, as this workspace names them"),
        _c("project_id", INTEGER, "the project"),
        _c("task_id", INTEGER, "the task"),
        _c("annotation_id", INTEGER, "the number of the annotation, or of the draft"),
        _c("state", STRING, "submitted, empty, skipped, cancelled (a skip with a text), draft, or deleted"),
        _c("text", STRING, "the transcript in it; may be empty text"),
        _c("remarks", STRING, "bad_audio, unsure, joined by `, `"),
        _o("segments", STRING, "its regions with start, end (s) and text, as JSON"),
        _c("is_ours", BOOLEAN, "the workbench sent it, and nobody has changed it since"),
        _o("updated_by", STRING, "who changed it last"),
        _c("created_at", TIME, "when it was submitted"),
        _c("updated_at", TIME, "when it was changed last"),
        _o("lead_time", NUMBER, "seconds that the annotator took"),
        _c("ground_truth", BOOLEAN, "marked as such on the server"),
        _o("prelabel", STRING, "accepted or corrected, where it was begun from a prediction"),
        _o("prelabel_run", STRING, "model_version of this prediction: the run, mostly"),
        _o("revision", INTEGER, "the revision of the annotator's transcript that it became; empty: none"),
        _c("seen_at", TIME, "when it was pulled"),
    ),
    key=("uid",),
)

REMARKS = Table(
    "remarks",
    (
        _UTTERANCE,
        _c("annotator", STRING, "who said it"),
        _c("remark", STRING, "bad_audio or unsure"),
        _c("stands", BOOLEAN, "false: taken back since"),
        _c("at", TIME, "when"),
    ),
    key=("utterance_id", "annotator", "remark"),
)

SYNC_CONFLICTS = Table(
    "sync_conflicts",
    (
        _c("conflict_id", STRING, "eight letters of a hash of what follows, up to version"),
        _UTTERANCE,
        _c("annotator", STRING, "whose transcript both sides changed"),
        _c("uid", STRING, "the annotation"),
        _c("version", STRING, "its version that is in conflict"),
        _o("base_text", STRING, "the text that both sides last agreed on; empty: they never did"),
        _c("workspace_text", STRING, "the text here"),
        _c("server_text", STRING, "the text there"),
        _c("decision", STRING, "open, server, workspace, text (another one), or outdated (a later version came)"),
        _o("decided_by", STRING, "who decided"),
        _o("reason", STRING, "why"),
        _c("at", TIME, "when it was found, or decided"),
    ),
    key=("conflict_id",),
)

SYNC_FIXES = Table(
    "sync_fixes",
    (
        _c("uid", STRING, "unique id of the annotation, or of the prediction by us, that carries the fix"),
        _c("batch", STRING, "what was sent together, and can be taken back together"),
        _UTTERANCE,
        _c("annotator", STRING, "whose transcript was fixed"),
        _c("revision", INTEGER, "the revision with the fix"),
        _c("text", STRING, "the text that was sent"),
        _c("kind", STRING, "annotation or prediction"),
        _o("task_id", INTEGER, "the task that has it"),
        _o("remote_id", INTEGER, "the number of the annotation or prediction; empty while it is only intended"),
        _o(
            "version",
            STRING,
            "when the server changed it last, as it writes it: another one there is somebody's change",
        ),
        _c("state", STRING, "intended, sent, undone, or changed (by somebody on the server)"),
        _o("why", STRING, "the rule, convention or consensus"),
        _c("at", TIME, "when this was written down"),
    ),
    key=("uid",),
)

SYNC_TABLES = (SYNC_PROJECT, SYNC_TASKS, ANNOTATIONS, REMARKS, SYNC_CONFLICTS, SYNC_FIXES)
