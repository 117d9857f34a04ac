"""The tags that slices are made of: those of the manifests and those measured on the audio."""

from __future__ import annotations

import pandas as pd

from workbench.errors import BadInput
from workbench.tables import UTTERANCES
from workbench.workspace import Workspace


def audio_tags(workspace: Workspace) -> pd.DataFrame:
    """Tags measured on the audio, indexed by utterance_id."""
    from workbench.audio.quality import quality_tags

    return quality_tags(workspace.read("audio_quality"))


def all_tags(workspace: Workspace) -> pd.DataFrame:
    """The utterances' tags and split, and the audio's, indexed by utterance_id.

    Raises:
        BadInput: [slices] skip names a tag that does not exist.
    """
    utterances = workspace.read("utterances")
    reserved = [name for name in UTTERANCES.names if name not in ("utterance_id", "split")]
    given = utterances.drop(columns=reserved).set_index("utterance_id")
    measured = audio_tags(workspace)
    # A tag of the manifest wins over a measured one of the same name: a person has said so.
    measured = measured.drop(columns=[name for name in measured.columns if name in given.columns])
    tags = given.join(measured, how="left")
    skip = workspace.config.slices.skip
    unknown = [name for name in skip if name not in tags.columns]
    if unknown:
        raise BadInput(f"[slices] skip names {unknown[0]!r}; the tags are {', '.join(map(str, tags.columns))}")
    return tags.drop(columns=skip).dropna(axis="columns", how="all")
