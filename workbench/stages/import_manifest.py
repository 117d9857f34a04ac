"""Manifest to workspace: new utterances, new tags and new revisions of transcripts; never a label overwritten."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.stage import Outcome, record_faults
from workbench.transcripts import REFERENCE_ANNOTATOR, RETRACTED, revision
from workbench.workspace import Workspace

_OF_THE_RECORDING = ("start", "end", "sampling_rate", "duration")


def import_manifest(workspace: Workspace, path: Path, format: str | None = None, strict: bool = False) -> Outcome:
    """Import a manifest: what is new is added, what is there already and equal is left alone.

    A transcript that differs from the one imported before becomes a new revision, unless somebody has edited the
    label in the workspace since: then it is a fault, and the edited label stays.

    Raises:
        BadInput: the manifest cannot be read, or, with `strict`, has a row that cannot be used.
    """
    from workbench.manifests.fields import FIELD_NAMES
    from workbench.manifests.manifest import read_manifest

    manifest = read_manifest(path, format=format, strict=strict)
    faults = list(manifest.faults)
    with workspace.lock():
        utterances = manifest.utterances.copy()
        utterances["recording"] = [workspace.to_stored(recording) for recording in utterances["recording"]]
        fresh, changed = _new_or_changed(workspace.read("utterances"), utterances)
        rows = _new_revisions(workspace.read("transcripts", history=True), manifest.transcripts, faults)
        if strict and faults:
            raise BadInput(f"{faults[0]['location']}: {faults[0]['reason']}")
        workspace.append("utterances", pd.concat([fresh, changed], ignore_index=True))
        workspace.append("transcripts", pd.DataFrame(rows))
        recorded = record_faults(workspace, "import", faults, str(path.resolve()))
    counts = {
        "utterances": len(utterances),
        "new": len(fresh),
        "changed": len(changed),
        "unchanged": len(utterances) - len(fresh) - len(changed),
        "new transcripts": len(rows),
        "faults": len(recorded),
    }
    unlabelled = int((~utterances["utterance_id"].isin(manifest.transcripts["utterance_id"])).sum())
    notes = []
    if unlabelled:
        notes.append(
            f"{unlabelled} of {len(utterances)} utterances have no transcript; texts are read from a column named "
            f"{', '.join(FIELD_NAMES['text'])}"
        )
    return Outcome("import", counts, pd.DataFrame([counts]), recorded, notes)


def _new_or_changed(known: pd.DataFrame, given: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    is_known = given["utterance_id"].isin(known["utterance_id"])
    fresh, old = given[~is_known], given[is_known]
    if old.empty:
        return fresh, old
    before = known.set_index("utterance_id").reindex(old["utterance_id"]).reset_index()
    # A manifest that knows less (no tag, no duration) does not take away what another one gave; but where it names
    # another recording, the old one's times mean nothing.
    merged = old.reset_index(drop=True).astype(object)
    moved = merged["recording"] != before["recording"]
    for name in before.columns:
        if name not in merged:
            merged[name] = before[name]
        elif name in _OF_THE_RECORDING:
            merged[name] = merged[name].where(merged[name].notna() | moved, before[name])
        else:
            merged[name] = merged[name].where(merged[name].notna(), before[name])
    differs = pd.Series(False, index=merged.index)
    for name in merged.columns:
        if name != "source":
            known_values = before[name] if name in before else [None] * len(merged)
            pairs = zip(merged[name], known_values, strict=True)
            differs |= pd.Series([not _same(*pair) for pair in pairs], index=merged.index)
    return fresh, merged[differs]


def _same(left: object, right: object) -> bool:
    """Whether two values are equal as a table stores them: a number in a column of text stands there as text."""
    if pd.isna(left) or pd.isna(right):
        return bool(pd.isna(left) and pd.isna(right))
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return left == right or _stored(left) == _stored(right)


def _stored(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return repr(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(value)


def _new_revisions(known: pd.DataFrame, given: pd.DataFrame, faults: list[dict[str, str]]) -> list[dict[str, object]]:
    latest = {(r.utterance_id, r.annotator): r for r in known.sort_values("revision").itertuples()}
    imported = {
        (r.utterance_id, r.annotator): r.text
        for r in known[known["source"] == "import"].sort_values("revision").itertuples()
    }
    rows = []
    for row in given.itertuples():
        annotator = row.annotator if isinstance(row.annotator, str) and row.annotator else REFERENCE_ANNOTATOR
        key = (row.utterance_id, annotator)
        standing = latest[key].text if key in latest and latest[key].source != RETRACTED else None
        if row.text in (imported.get(key), standing):
            continue
        if standing is not None and standing != imported.get(key):
            faults.append(
                {
                    "stage": "import",
                    "item": row.utterance_id,
                    "location": row.source_detail,
                    "reason": f"the manifest now says {row.text!r} but the label was changed here to "
                    f"{standing!r}; the label was kept; decide with `workbench labels set`",
                }
            )
            continue
        number = 1 + (int(latest[key].revision) if key in latest else 0)
        rows.append(revision(*key, number, row.text, "import", row.source_detail))
    return rows
