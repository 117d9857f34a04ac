"""What a pull tells people: counts, what came, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from workbench.stages.stage import Outcome
from workbench.stages.sync.incoming import EDITED, NEW, STAGE, News
from workbench.stages.sync.mirrored import CANCELLED, DELETED, EMPTY, SKIPPED, Names

_PLURALS = ("drafts", "conflicts", "remarks", "faults")
COLUMNS = ["utterance_id", "annotator", "what", "text", "updated_at"]


def outcome_of(
    news: Sequence[News],
    before: int,
    faults: pd.DataFrame,
    names: Names,
    foreign: int = 0,
    unsteady: int = 0,
    retracted: int = 0,
    kept: int = 0,
    judged: Mapping[str, int] | None = None,
) -> Outcome:
    """The counts by what became of annotations, what came with the newest first, and notes.

    Args:
        before: annotations that were there after the pull before.
        foreign: annotations in tasks that are not this workspace's.
        unsteady: tasks that were changed again and again while they were read.
        retracted: revisions that were taken back, because they were deleted on the server.
        kept: transcripts that were deleted there and changed here.
        judged: counts of the verdicts that the annotations gave.
    """
    total = {name: sum(one.counts.get(name, 0) for one in news) for name in {key for one in news for key in one.counts}}

    def count(name: str) -> int:
        return total.get(name, 0)

    counts: dict[str, int] = {
        "new": count(NEW),
        "edited": count(EDITED),
        "deleted": count(DELETED),
        "unchanged": max(before - count(EDITED) - count(DELETED), 0),
        "drafts": count("drafts"),
        "skipped": count(SKIPPED),
        "cancelled": count(CANCELLED),
        "empty": count(EMPTY),
        "conflicts": count("conflicts"),
        "remarks": count("remarks"),
        "ours": count("ours"),
        "faults": len(faults),
    }
    came = [row for one in news for row in one.came]
    table = pd.DataFrame(came, columns=COLUMNS)
    table["updated_at"] = pd.to_datetime(table["updated_at"], utc=True)
    table = table.sort_values("updated_at", ascending=False, kind="stable").reset_index(drop=True)
    notes = list(_notes(counts, news, names, foreign, unsteady, retracted, kept))
    if judged and any(judged.values()):
        notes.insert(0, "verdicts: " + ", ".join(f"{number} {name}" for name, number in judged.items() if number))
    return Outcome(STAGE, counts, table, faults, notes)


def _notes(
    counts: Mapping[str, int],
    news: Sequence[News],
    names: Names,
    foreign: int,
    unsteady: int,
    retracted: int,
    kept: int,
) -> list[str]:
    notes = [", ".join(_counted(name, number) for name, number in counts.items() if number) or "nothing is there yet"]
    if counts["deleted"] and not retracted:
        notes.append(
            "what was deleted on the server is marked as deleted, and its text stays; "
            "workbench sync pull --retract-deleted takes it back"
        )
    if retracted:
        notes.append(
            f"{_several(retracted, 'revision')} of deleted annotations taken back; "
            "workbench labels undo UTTERANCE --annotator ANNOTATOR brings one again"
        )
    if kept:
        notes.append(f"{_several(kept, 'transcript')} deleted there and changed here since: they stay as they are")
    twice = sorted({key for one in news for key in one.twice})
    if twice:
        utterance_id, annotator = twice[0]
        notes.append(
            f"{_several(len(twice), 'utterance')} annotated more than once by one person (as {utterance_id} by "
            f"{annotator}): each text is a revision, and what was submitted last stands"
        )
    for (known, now), number in sorted(names.renamed.items()):
        notes.append(
            f"{_several(number, 'annotation')} of {known} now by {now}: they stay {known}'s; name both in "
            "[label_studio.annotators] if they are one person"
        )
    odd = [one for several in news for one in several.odd]
    if odd:
        notes.append(f"{_several(len(odd), 'annotation')} with something that is not the workbench's (as {odd[0]})")
    if foreign:
        notes.append(f"{_several(foreign, 'annotation')} in tasks that are not this workspace's; left alone")
    if unsteady:
        notes.append(f"{_several(unsteady, 'task')} changed while being read; the next pull reads them again")
    if counts["conflicts"]:
        notes.append(
            f"{_several(counts['conflicts'], 'text')} changed here and there; nothing was written: "
            "workbench sync conflicts"
        )
    if counts["new"] or counts["edited"]:
        notes.append("next: workbench check")
    return notes


def _counted(name: str, number: int) -> str:
    return _several(number, name[:-1]) if name in _PLURALS else f"{number} {name}"


def _several(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
