"""Scoring and checking plain files, with no workspace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from analysis.error_counts import error_rate, score
from analysis.normalizers import get_normalizer
from workbench.errors import BadInput
from workbench.stages.stage import Outcome


def score_files(reference: Path, hypothesis: Path, normalizer: str, partial: bool = False) -> pd.DataFrame:
    """Table `scores` without run_id for two files whose utterances are matched by id.

    Args:
        partial: score the utterances that stand in both files, instead of refusing files that differ.

    Raises:
        BadInput: a file cannot be read, an id repeats, or the ids differ and `partial` is not set.
    """
    from workbench.manifests.transcripts import read_hypotheses, read_references

    references = read_references(reference).set_index("utterance_id")["reference"]
    hypotheses = read_hypotheses(hypothesis).set_index("utterance_id")["hypothesis"]
    missing = references.index.difference(hypotheses.index, sort=False)
    extra = hypotheses.index.difference(references.index, sort=False)
    if (len(missing) or len(extra)) and not partial:
        parts = []
        if len(missing):
            parts.append(_listed(missing, "reference has", "references have", f"no hypothesis in {hypothesis}"))
        if len(extra):
            parts.append(_listed(extra, "hypothesis has", "hypotheses have", f"no reference in {reference}"))
        matching = len(references) - len(missing)
        raise BadInput(f"{'; '.join(parts)}; correct the ids, or score the {matching} that match with --partial")
    references = references.drop(missing)
    if references.empty:
        raise BadInput(f"no utterance stands in both {reference} and {hypothesis}; compare the ids in them")
    pairs = pd.DataFrame(
        {"utterance_id": references.index, "reference": references, "hypothesis": hypotheses[references.index]}
    )
    return score(pairs.reset_index(drop=True), get_normalizer(normalizer))


def _listed(ids: Iterable[str], one: str, several: str, fact: str, most: int = 5) -> str:
    names = [repr(str(i)) for i in ids]
    shown = ", ".join(names[:most]) + (", …" if len(names) > most else "")
    return f"{len(names)} {one if len(names) == 1 else several} {fact} ({shown})"


def by_utterance(scores: pd.DataFrame) -> pd.DataFrame:
    """One row an utterance: ref_words, hits, substitutions, deletions, insertions, wer."""
    counts = scores[["utterance_id", "ref_words", "hits", "substitutions", "deletions", "insertions"]].copy()
    errors = counts[["substitutions", "deletions", "insertions"]].sum(axis=1)
    counts["wer"] = [error_rate(e, n) for e, n in zip(errors, counts["ref_words"], strict=True)]
    return counts


def check_file(path: Path) -> Outcome:
    """The flags that the rules raise on a file of transcripts, and the faults of rules that crashed.

    Raises:
        BadInput: the file cannot be read or has no column `text`.
    """
    from label_rules.apply import apply_rules
    from workbench.manifests.transcripts import read_transcripts

    frame = read_transcripts(path)
    if "text" not in frame.columns:
        raise BadInput(
            f"{path}: found the columns {', '.join(frame.columns)}; expected utterance_id, annotator and text"
        )
    for name in ("duration", "speech_seconds", "confidence"):
        if name in frame.columns:
            frame[name] = pd.to_numeric(frame[name], errors="coerce")
    applied = apply_rules(frame)
    groups = applied.conflicts["group"].nunique()
    note = f"transcripts: {len(frame)}; flags: {len(applied.flags)}; groups of conflicting transcripts: {groups}"
    return Outcome("check", {}, applied.flags, applied.faults, [note])
