"""A file of transcripts as rules and estimates take it, with no workspace."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from workbench.errors import BadInput
from workbench.manifests.faults import Faults


def read_transcript_file(path: Path) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """The transcripts of a file with its other columns, and the rows that cannot be used, as faults.

    Several transcripts of one utterance whose annotators are not named are taken as by different, unknown people.

    Raises:
        BadInput: the file cannot be read, has no column `text`, or no row of it can be used.
    """
    from label_rules.consensus.estimate import ANONYMOUS
    from workbench.manifests.transcripts import read_transcripts

    faults = Faults()
    frame = read_transcripts(path, faults=faults, anonymous=ANONYMOUS)
    if "text" not in frame.columns:
        expected = "utterance_id, annotator and text"
        raise BadInput(f"{path}: found the columns {', '.join(frame.columns)}; expected {expected}")
    return frame, faults.rows
