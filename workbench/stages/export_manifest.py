"""Workspace to manifest."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import BadInput
from workbench.transcripts import current_transcripts
from workbench.workspace import Workspace

_BY_SUFFIX = {".csv": "csv", ".tsv": "tsv", ".jsonl": "nemo", ".json": "nemo", "": "kaldi"}


def export_manifest(workspace: Workspace, destination: Path, format: str | None) -> str:
    """Write utterances, tags and every annotator's current transcript; returns a sentence that says what was written.

    Raises:
        BadInput: the destination exists, or its format cannot be told or cannot hold the data.
    """
    from workbench.manifests.manifest import write_manifest

    format = format or _BY_SUFFIX.get(destination.suffix.lower())
    if format is None:
        raise BadInput(f"{destination}: which format? give --manifest-format csv, nemo or kaldi")
    utterances = workspace.read("utterances")
    utterances["recording"] = [str(workspace.to_path(recording)) for recording in utterances["recording"]]
    transcripts = current_transcripts(workspace.read("transcripts"))
    columns = ["utterance_id", "annotator", "text", "source_detail"]
    write_manifest(destination, format, utterances, transcripts[columns])
    return f"wrote {len(utterances)} utterances with {len(transcripts)} transcripts to {destination} ({format})"
