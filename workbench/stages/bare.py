"""Scoring and checking plain files, with no workspace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from analysis.error_counts import score
from analysis.scoring import Scoring, get_scoring
from workbench.errors import BadInput
from workbench.manifests.faults import Faults
from workbench.stages.rates import Scored
from workbench.stages.stage import Outcome

STM, CTM, NLP = ".stm", ".ctm", ".nlp"
_NOT_TAGS = ["annotator", "reference", "hypothesis", "source_detail", "speaker", "recording", "start", "end"]


@dataclass(frozen=True)
class Paired:
    """Columns utterance_id, reference and hypothesis; what else is known of them; what was left out, and bad rows."""

    pairs: pd.DataFrame
    utterances: pd.DataFrame
    tags: pd.DataFrame
    notes: list[str]
    faults: list[dict[str, str]]


# A brace that opens a word, and later a slash or the closing brace.
_ALTERNATION = re.compile(r"(?<!\S)\{[^{}]*[/}]")
_DUAL = re.compile(r"\([^()]*\)\s*/\s*\([^()]*\)")


def score_files(reference: Path, hypothesis: Path, scoring: Scoring | str, partial: bool = False) -> Scored:
    """The scores (table `scores` without run_id) of two files, with the tags that the references come with.

    Args:
        scoring: or the name of a normalizer.
        partial: score the utterances that stand in both files, instead of refusing files that differ.

    Raises:
        BadInput: a file cannot be read, an id repeats, or the ids differ and `partial` is not set.
    """
    scoring = get_scoring(scoring) if isinstance(scoring, str) else scoring
    paired = pair_files(reference, hypothesis, partial, scoring.notation)
    scored = scored_pairs_of(paired, scoring)
    return replace(scored, notes=[*scored.notes, *unread_notation(paired.pairs, scoring)])


def unread_notation(pairs: pd.DataFrame, scoring: Scoring) -> list[str]:
    """Sentences where references hold what the scoring does not read as what it is."""
    found = []
    if scoring.normalizer.name != "korean" and pairs["reference"].str.contains("[가-힣]").mean() > 0.5:
        found.append("the references are in Hangul: --normalizer korean leaves out noise marks, and leads with CER")
    if scoring.notation != "plain":
        return found
    spelled_alone = "its spelled side alone counts" if scoring.normalizer.name == "korean" else "both sides are words"
    for pattern, what, how, remedy in (
        (_ALTERNATION, "NIST's {a / b}", "all of it is words", "alternations reads it, nist also (um) and part-"),
        (_DUAL, "(spelled)/(spoken)", spelled_alone, "dual lets either side match"),
    ):
        held = pairs["reference"].str.contains(pattern)
        if held.any():
            first = pairs["utterance_id"][held].iloc[0]
            number = held.sum()
            holding = f"{number} references hold" if number > 1 else "1 reference holds"
            found.append(f"{holding} {what}, the first is {first!r}; {how}; --notation {remedy}")
    return found


def scored_pairs_of(paired: Paired, scoring: Scoring) -> Scored:
    """The scores of pairs, with what they can be grouped by."""
    return Scored(score(paired.pairs, scoring), paired.utterances, paired.tags, scoring, paired.notes, paired.faults)


def pair_files(reference: Path, hypothesis: Path, partial: bool = False, notation: str = "plain") -> Paired:
    """The references of a file with the hypotheses of another, by id; by time where they are STM and CTM.

    Rev's `.nlp` files, and directories of them, are a text each, by the name of the file.

    A file with columns may be given as `FILE:COLUMN`, to say where its texts stand.

    Args:
        notation: in which the references are to be; in NIST's the candidates of `.nlp` files are alternations.

    Raises:
        BadInput: a file cannot be read, an id repeats, or the ids differ and `partial` is not set.
    """
    timed = [path.suffix.lower() == suffix for path, suffix in ((reference, STM), (hypothesis, CTM))]
    if all(timed):
        return _by_time(reference, hypothesis, partial)
    if any(timed):
        raise BadInput(
            f"{reference} and {hypothesis} do not go together: references in {STM} are scored by time against "
            f"hypotheses in {CTM}; give both so, or both with ids"
        )
    tagged = [path.suffix.lower() == NLP or path.is_dir() for path in (reference, hypothesis)]
    if all(tagged):
        return _of_nlp(reference, hypothesis, partial, notation)
    if any(tagged):
        raise BadInput(
            f"{reference} and {hypothesis} do not go together: give both as {NLP} files, or directories of them"
        )
    from workbench.manifests.transcripts import read_hypotheses, read_references

    faults = Faults() if partial else None
    references, hypotheses = read_references(reference, faults=faults), read_hypotheses(hypothesis, faults=faults)
    return _by_id(references, hypotheses, partial, [], faults.rows if faults else [])


def _by_id(
    references: pd.DataFrame, hypotheses: pd.DataFrame, partial: bool, notes: list[str], faults: list[dict[str, str]]
) -> Paired:
    from workbench.manifests.matching import match_ids

    # An utterance whose rows cannot be used on one side is no missing one on the other.
    unusable = {fault["item"] for fault in faults}
    pairs, report = match_ids(*(side[~side["utterance_id"].isin(unusable)] for side in (references, hypotheses)))
    if report and not partial:
        raise BadInput("; ".join(report))
    # The last sentence says to ask for --partial.
    left_out = [f"{sentence}; left out of every figure (--partial)" for sentence in report[:-1]]
    return _paired(pairs, notes + left_out, faults)


def _of_nlp(reference: Path, hypothesis: Path, partial: bool, notation: str) -> Paired:
    from workbench.manifests.nlp import find_nlp_files, read_nlp_hypothesis, read_nlp_reference

    written = {key: read_nlp_reference(files.nlp, files.norm) for key, files in find_nlp_files(reference).items()}
    heard = {key: read_nlp_hypothesis(files.nlp).text for key, files in find_nlp_files(hypothesis).items()}
    in_nist = notation in ("alternations", "nist")
    texts = {key: one.notation if in_nist else one.text for key, one in written.items()}
    notes = []
    if len(texts) == len(heard) == 1:
        # Two files that were named are meant for each other, whatever they are called.
        names = next(iter(texts)), next(iter(heard))
        if names[0] != names[1]:
            notes.append(f"the files are of two names, {names[0]!r} and {names[1]!r}: are they of one recording?")
        heard = dict(zip(texts, heard.values(), strict=True))
    if not in_nist and any(not isinstance(part, str) for one in written.values() for part in one.marked):
        notes.append(
            "the references come with other spellings (normalizations/*.norm.json), which --notation alternations "
            "counts as right"
        )
    frames = [
        pd.DataFrame({"utterance_id": list(of), name: list(of.values()), "source_detail": f"{path}:1"}, dtype="str")
        for of, name, path in ((texts, "reference", reference), (heard, "hypothesis", hypothesis))
    ]
    frames[0]["recording"] = frames[0]["utterance_id"]
    return _by_id(frames[0], frames[1], partial, notes, [])


def _by_time(reference: Path, hypothesis: Path, partial: bool) -> Paired:
    from workbench.manifests.ctm import read_ctm
    from workbench.manifests.stm import read_stm
    from workbench.manifests.time_mediated import pair_by_time

    pairs, unpaired = pair_by_time(read_stm(reference), read_ctm(hypothesis))
    if len(unpaired.unknown) and not partial:
        channels = (unpaired.unknown["recording"] + " " + unpaired.unknown["channel"]).unique()
        fact = listed_ids(
            channels, "channel has", "channels have", f"words in {hypothesis} and no segment in {reference}"
        )
        raise BadInput(f"{fact}; correct the names of recordings and channels, or leave the words out with --partial")
    return _paired(pairs, unpaired.facts(), [])


def _paired(pairs: pd.DataFrame, notes: list[str], faults: list[dict[str, str]]) -> Paired:
    """Pairs apart from what else their rows hold."""
    known = [name for name in ("utterance_id", "speaker", "recording") if name in pairs.columns]
    tags = pairs.set_index("utterance_id").drop(columns=_NOT_TAGS, errors="ignore")
    # One file may be read for both sides.
    found = list({(fault["location"], fault["reason"]): fault for fault in faults}.values())
    return Paired(pairs[["utterance_id", "reference", "hypothesis"]], pairs[known], tags, notes, found)


def listed_ids(ids: Sequence[str] | pd.Index, one: str, several: str, fact: str, most: int = 5) -> str:
    names = [repr(str(i)) for i in ids[:most]]
    shown = ", ".join(names) + (", …" if len(ids) > most else "")
    return f"{len(ids)} {one if len(ids) == 1 else several} {fact} ({shown})"


@dataclass(frozen=True)
class CheckedFile:
    """The flags, those most worth a look first, and the summary by rule; as outcomes, with faults and notes."""

    flags: Outcome
    summary: Outcome


def check_file(path: Path) -> CheckedFile:
    """What the rules say of a file of transcripts; its bad rows, and the crashes of rules, are faults.

    Columns that rules know (hypothesis, hypothesis_NAME, confidence_NAME, duration, snr, …) are what they see.

    Raises:
        BadInput: the file cannot be read, has no column `text`, or no row of it can be used.
    """
    from label_rules.apply import apply_rules
    from label_rules.verdicts import ranks
    from workbench.jobs.processes import spread_for
    from workbench.stages.stage import faults_frame
    from workbench.stages.transcript_files import read_transcript_file
    from workbench.tables import VERDICTS

    frame, bad = read_transcript_file(path)
    applied = apply_rules(frame, spread=spread_for(len(frame)))
    order = ranks(applied.flags, VERDICTS.empty()).sort_values(ascending=False, kind="stable").index
    groups = applied.conflicts["group"].nunique()
    note = f"transcripts: {len(frame)}; flags: {len(applied.flags)}; groups of conflicting transcripts: {groups}"
    faults = faults_frame([*({**fault, "stage": "check"} for fault in bad), *applied.faults.to_dict("records")])
    flags = applied.flags.loc[order].reset_index(drop=True)
    return CheckedFile(
        Outcome("check", {}, flags, faults, [note], kept=False),
        Outcome("check", {}, applied.summary, faults, [note], kept=False),
    )
