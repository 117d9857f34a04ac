"""Manifest to workspace: new utterances, new tags and new revisions of transcripts; never a label overwritten."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.stage import Outcome, record_faults
from workbench.tables import UTTERANCES
from workbench.transcripts import REFERENCE_ANNOTATOR, revision
from workbench.workspace import Workspace


def import_manifest(workspace: Workspace, path: Path, format: str | None = None, strict: bool = False) -> Outcome:
    """Import a manifest: what is new is added, what is there already and equal is left alone.

    A transcript that differs from the one imported before becomes a new revision, unless somebody has edited the
    label in the workspace since: then it is a fault, and the edited label stays.

    Raises:
        BadInput: the manifest cannot be read, or, with `strict`, has a row that cannot be used.
    """
    from workbench.manifests.manifest import read_manifest

    manifest = read_manifest(path, format=format, strict=strict)
    faults = list(manifest.faults)
    with workspace.lock():
        utterances = manifest.utterances.copy()
        utterances["recording"] = [workspace.to_stored(recording) for recording in utterances["recording"]]
        fresh, changed = _new_or_changed(workspace.read("utterances"), utterances)
        workspace.append("utterances", pd.concat([fresh, changed], ignore_index=True))
        rows = _new_revisions(workspace.read("transcripts", history=True), manifest.transcripts, faults)
        workspace.append("transcripts", pd.DataFrame(rows))
        recorded = record_faults(workspace, "import", faults)
    if strict and len(recorded):
        raise BadInput(f"{recorded['location'].iloc[0]}: {recorded['reason'].iloc[0]}")
    counts = {
        "utterances": len(utterances),
        "new": len(fresh),
        "changed": len(changed),
        "unchanged": len(utterances) - len(fresh) - len(changed),
        "new transcripts": len(rows),
        "faults": len(recorded),
    }
    return Outcome("import", counts, pd.DataFrame([counts]), recorded)


def _new_or_changed(known: pd.DataFrame, given: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    is_known = given["utterance_id"].isin(known["utterance_id"])
    fresh, old = given[~is_known], given[is_known]
    if old.empty:
        return fresh, old
    before = known.set_index("utterance_id").reindex(old["utterance_id"]).reset_index()
    # A manifest that knows less (no tag, no duration) does not take away what another one gave.
    merged = old.reset_index(drop=True).astype(object)
    for name in before.columns:
        merged[name] = merged[name].where(merged[name].notna(), before[name]) if name in merged else before[name]
    compared = [name for name in merged.columns if name != "source"]
    differs = pd.Series(False, index=merged.index)
    for name in compared:
        left, right = merged[name], before[name] if name in before else pd.Series(None, index=merged.index)
        differs |= ~((left.astype(str) == right.astype(str)) | (left.isna() & right.isna()))
    return fresh, merged[differs]


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
        if imported.get(key) == row.text or (key in latest and latest[key].text == row.text):
            continue
        if key in latest and latest[key].source != "import":
            faults.append(
                {
                    "stage": "import",
                    "item": row.utterance_id,
                    "location": row.source_detail,
                    "reason": f"the manifest now says {row.text!r} but the label was changed here to "
                    f"{latest[key].text!r}; the label was kept; decide with `workbench labels set`",
                }
            )
            continue
        number = 1 + (int(latest[key].revision) if key in latest else 0)
        rows.append(revision(*key, number, row.text, "import", row.source_detail))
    return rows


def tags_of(utterances: pd.DataFrame) -> pd.DataFrame:
    """The tag columns of the utterances table, indexed by utterance_id."""
    reserved = [name for name in UTTERANCES.names if name != "utterance_id"]
    return utterances.drop(columns=reserved).set_index("utterance_id")
