"""What a push did, or would do, for people: counts, tables, and sentences on what they should know."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pandas as pd

from workbench.label_studio.audio_source import Audio
from workbench.label_studio.plan import Plan, TaskRemoval, is_untouched
from workbench.label_studio.sending import Sent

_FEW = 5
_IN_WORDS = {
    "created": "tasks created",
    "updated": "tasks updated",
    "predictions": "predictions sent",
    "duplicates": "duplicates deleted",
    "deleted": "tasks of removed utterances deleted",
    "uploaded": "audio files uploaded",
    "unchanged": "utterances unchanged",
    "removed": "tasks of removed utterances there",
    "gone": "tasks that were deleted there",
    "others": "tasks of others, left alone",
    "requests": "requests that change something",
}
_ALWAYS = ("created", "updated", "predictions", "unchanged", "requests")


def counts_of(sent: Sent, audio: Audio) -> dict[str, Any]:
    """How many of each kind were done, and are there now."""
    kinds = [key[0] for key in sent.done]
    return {
        "created": kinds.count("create"),
        "updated": kinds.count("update"),
        "predictions": kinds.count("prediction"),
        "duplicates": kinds.count("drop") + len(sent.merged),
        "deleted": kinds.count("delete"),
        "uploaded": audio.uploads,
        "unchanged": len(set(sent.plan.unchanged) - {key[1] for key in sent.done if key[0] in _OF_TASKS}),
        "removed": len(sent.plan.removed),
        "gone": len(sent.plan.gone),
        "others": sent.plan.foreign,
        "requests": sent.writes + audio.uploads,
    }


_OF_TASKS = ("create", "update", "prediction", "drop")


def planned_counts(plan: Plan, audio: Audio) -> dict[str, Any]:
    """How many of each kind would be done."""
    kinds = [key[0] for key in plan.to_do()]
    return {
        "created": kinds.count("create"),
        "updated": kinds.count("update"),
        "predictions": kinds.count("prediction"),
        "duplicates": kinds.count("drop") + sum(len(one.tasks) - 1 for one in plan.merge),
        "uploaded": audio.uploads,
        "unchanged": len(plan.unchanged),
        "removed": len(plan.removed),
        "gone": len(plan.gone),
        "others": plan.foreign,
        "requests": 0,
    }


def table_of(counts: dict[str, Any]) -> pd.DataFrame:
    """The counts as a table, without those of what there is none of."""
    rows = [(words, counts[name]) for name, words in _IN_WORDS.items() if counts.get(name) or name in _ALWAYS]
    return pd.DataFrame(rows, columns=["what", "number"])


def preview_table(plan: Plan, delete_removed: bool, sent_again: Collection[str]) -> pd.DataFrame:
    """What would be done, one row a thing."""
    rows: list[tuple[str | None, str, str]] = []
    for new in plan.create:
        name, number = new.wanted.utterance_id, len(new.wanted.predictions)
        why = "its task was deleted there" if name in sent_again else "it has no task"
        rows.append((name, "create", f"{why}; {number} {'prediction' if number == 1 else 'predictions'}"))
    for update in plan.update:
        rows.append((update.wanted.utterance_id, "update", f"differs: {', '.join(update.changed)}"))
    for lacking in plan.add:
        rows.append((lacking.utterance_id, "add prediction", f"run {lacking.prediction.model_version}"))
    for change in plan.change:
        why = f"run {change.prediction.model_version}: other {' and '.join(change.changed)}"
        rows.append((change.utterance_id, "change prediction", why))
    for drop in plan.drop:
        rows.append((drop.utterance_id, "delete prediction", f"prediction {drop.prediction_id} stands twice"))
    for merge in plan.merge:
        numbers = ", ".join(str(task.task_id) for task in merge.tasks)
        why = f"tasks {numbers} are of one utterance; {'' if merge.is_open else 'people worked in all, so all stay'}"
        rows.append((merge.tasks[0].utterance_id, "merge" if merge.is_open else "leave", why.rstrip("; ")))
    for removal in plan.removed:
        what, why = _removal(removal, delete_removed)
        rows.append((removal.task.utterance_id, what, why))
    rows += [(name, "leave", "its task was deleted there; --again sends it again") for name in plan.gone]
    return pd.DataFrame(rows, columns=["utterance_id", "what", "why"])


def _removal(removal: TaskRemoval, delete_removed: bool) -> tuple[str, str]:
    fact = f"task {removal.task.task_id} is of an utterance that the workspace has no longer"
    if not is_untouched(removal.task):
        return "leave", f"{fact}, and people worked in it"
    return ("delete", fact) if delete_removed else ("leave", f"{fact}; --delete-removed deletes it")


def notes_of(sent: Sent, delete_removed: bool) -> list[str]:
    """Sentences on what stays as it is, and why."""
    notes, plan = [], sent.plan
    if plan.removed:
        worked = [one for one in plan.removed if not is_untouched(one.task) or one.key in sent.worked_in]
        free = len(plan.removed) - len(worked)
        if free and not delete_removed:
            names = _first(one.task.utterance_id or "" for one in plan.removed if one not in worked)
            notes.append(
                f"{free} {_tasks(free)} of utterances that the workspace has no longer: {names}; "
                "--delete-removed deletes them"
            )
        if worked:
            names = _first(one.task.utterance_id or "" for one in worked)
            notes.append(
                f"{len(worked)} {_tasks(len(worked))} of removed utterances with people's work in them, which "
                f"stay: {names}"
            )
    if plan.copies:
        number = len(plan.copies)
        notes.append(
            f"{number} {_tasks(number)} with this workspace's mark, but not sent from here: {_first(plan.copies)}; "
            "a copy of the workspace sends to the same project, which each then changes over the other: give one of "
            "them a project of its own ([label_studio] project)"
        )
    if plan.gone:
        number = len(plan.gone)
        notes.append(f"{number} {_tasks(number)} deleted on the server: {_first(plan.gone)}; --again sends them again")
    if plan.merge:
        names = _first(one.tasks[0].utterance_id or "" for one in plan.merge)
        notes.append(
            f"people worked in several tasks of the same utterance, which all stay and are all pulled: {names}"
        )
    if sent.merged:
        notes.append(
            f"{len(sent.merged)} {_tasks(len(sent.merged))} deleted that were there twice, without work in them"
        )
    return notes


def _tasks(number: int) -> str:
    return "task" if number == 1 else "tasks"


def _first(names: Iterable[str]) -> str:
    several = list(dict.fromkeys(names))
    more = f" and {len(several) - _FEW} more" if len(several) > _FEW else ""
    return ", ".join(several[:_FEW]) + more
