"""Two or more recognisers on the same utterances, from files or from the runs of a workspace."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.compare import A_BETTER, B_BETTER, changed_utterances, compare_slices, compare_systems, system_rates
from analysis.error_counts import score
from analysis.scoring import Scoring
from workbench.errors import BadInput
from workbench.manifests.text_columns import split_column
from workbench.stages.bare import listed_ids, pair_files, unread_notation
from workbench.stages.measures import checked_measure, scores_in
from workbench.stages.rates import Scored, group_labels
from workbench.stages.score import choose_run, scores_of, workspace_scoring
from workbench.stages.slices import bins_for
from workbench.stages.tags import all_tags
from workbench.workspace import Workspace

_RESULT = re.compile(r"(^|_)(wer|cer|error_rate|scores?|confidence|hypothesis|prediction|transcription[^_]*)(\.\d+)?$")


@dataclass(frozen=True)
class Comparison:
    """The scores of several systems on the same utterances; the first is what the others are compared with.

    Args:
        scores: table `scores` of each system, by its name, with the counts of the measure as those of words.
        utterances: utterance_id, and speaker and recording where they are known.
        tags: tag columns indexed by utterance_id.
        measure: the error rate that is compared, as `workbench.stages.measures` has them.
        notes: whole sentences about what was left out.
        faults: rows that cannot be used: item, location, reason.
    """

    scores: dict[str, pd.DataFrame]
    utterances: pd.DataFrame
    tags: pd.DataFrame
    scoring: Scoring
    measure: str
    bins: Mapping[str, Sequence[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)


def compare_files(
    reference: Path, hypotheses: Sequence[Path], scoring: Scoring, partial: bool = False, measure: str | None = None
) -> Comparison:
    """The scores of files of hypotheses against the references of another, each system named by its file.

    Args:
        partial: compare the utterances that stand in all files, instead of refusing files that differ.
        measure: the scoring's headline where it is not given.

    Raises:
        BadInput: fewer than two systems, a file cannot be read, or the ids differ and `partial` is not set.
    """
    names = _system_names(hypotheses)
    measure = checked_measure(measure, scoring)
    paired = {
        name: pair_files(reference, hypothesis, partial, scoring.notation)
        for name, hypothesis in zip(names, hypotheses, strict=True)
    }
    first = paired[names[0]]
    common = set(first.pairs["utterance_id"]).intersection(*(one.pairs["utterance_id"] for one in paired.values()))
    if not common:
        raise BadInput(f"no utterance of {reference} stands in every file of hypotheses; compare the ids in them")
    scores = {
        name: score(one.pairs[one.pairs["utterance_id"].isin(common)].reset_index(drop=True), scoring)
        for name, one in paired.items()
    }
    scores = {name: scores_in(frame, measure, scoring) for name, frame in scores.items()}
    notes = list(dict.fromkeys(note for one in paired.values() for note in one.notes))
    notes += unread_notation(first.pairs, scoring)
    faults = {str(fault): fault for one in paired.values() for fault in one.faults}
    return Comparison(scores, first.utterances, first.tags, scoring, measure, notes=notes, faults=list(faults.values()))


def _system_names(hypotheses: Sequence[Path]) -> list[str]:
    """The names of the columns, or of the files without suffix; where two are the same, their paths."""
    if len(hypotheses) < 2:
        raise BadInput("give the references and at least two files of hypotheses, as workbench compare REF HYP_A HYP_B")
    split = [split_column(path) for path in hypotheses]
    short = [column or path.stem for path, column in split]
    names = short if len(set(short)) == len(short) else [str(path) for path in hypotheses]
    if len(set(names)) < len(names):
        raise BadInput(f"{next(n for n in names if names.count(n) > 1)} is given twice; give every system once")
    return names


def compare_runs(
    workspace: Workspace, run_ids: Sequence[str], partial: bool = False, measure: str | None = None
) -> Comparison:
    """The scores of runs of a workspace, under its scoring.

    Args:
        partial: compare the utterances that every run has, instead of refusing runs that differ.
        measure: the scoring's headline where it is not given.

    Raises:
        BadInput: fewer than two runs, a run is unknown or not scored, or they differ and `partial` is not set.
    """
    if len(run_ids) < 2:
        raise BadInput("give at least two runs, as workbench compare RUN_A RUN_B, or files: references and hypotheses")
    if len(set(run_ids)) < len(run_ids):
        raise BadInput(f"run {next(n for n in run_ids if run_ids.count(n) > 1)} is given twice; give every run once")
    scoring = workspace_scoring(workspace)
    measure = checked_measure(measure, scoring)
    scores = {one: scores_of(workspace, str(choose_run(workspace, one)["run_id"])) for one in run_ids}
    everywhere = set.intersection(*(set(frame["utterance_id"]) for frame in scores.values()))
    somewhere = pd.concat([frame["utterance_id"] for frame in scores.values()]).drop_duplicates()
    notes = []
    for name, frame in scores.items():
        lacking = somewhere[~somewhere.isin(frame["utterance_id"])]
        if len(lacking):
            notes.append(listed_ids(list(lacking), "utterance of another run has", "utterances of other runs have",
                                    f"no score in run {name}"))  # fmt: skip
    if not everywhere:
        raise BadInput("the runs have no utterance in common; transcribe the same ones, then run `workbench score`")
    if notes and not partial:
        raise BadInput(f"{'; '.join(notes)}; compare the {len(everywhere)} that every run has with --partial")
    scores = {
        name: scores_in(frame[frame["utterance_id"].isin(everywhere)].reset_index(drop=True), measure, scoring)
        for name, frame in scores.items()
    }
    tags = all_tags(workspace)
    return Comparison(
        scores, workspace.read("utterances"), tags, scoring, measure, bins_for(workspace, tags),
        [f"{note}; left out of every figure (--partial)" for note in notes],
    )  # fmt: skip


def systems(comparison: Comparison) -> pd.DataFrame:
    """One row a system, as `analysis.compare.system_rates` has it."""
    return system_rates(comparison.scores, comparison.utterances)


def pairs(comparison: Comparison, correction: str = "holm") -> pd.DataFrame:
    """One row for each two systems, as `analysis.compare.compare_systems` has it."""
    of_words = comparison.measure == "wer"
    return compare_systems(comparison.scores, comparison.utterances, correction, of_words=of_words)


def slice_changes(comparison: Comparison, correction: str = "holm", tag: str | None = None) -> pd.DataFrame:
    """One row a slice of each system against the first, the largest regression first.

    The columns are system_a and system_b and those of `analysis.compare.compare_slices`; p is corrected over all the
    slices of a pair, whatever tag is asked for.

    Args:
        tag: only the slices of this tag; or `speaker`, `recording`, or a tag of too many values to slice by, which
            has each of its values as a slice, and p corrected over those.

    Raises:
        BadInput: there is no such tag.
    """
    if tag is None:
        # What a recogniser's own file says of its results is no property of the speech.
        results = [name for name in comparison.tags.columns if _RESULT.search(str(name))]
        return _slice_changes(comparison, correction, comparison.tags.drop(columns=results))
    found = _slice_changes(comparison, correction, comparison.tags)
    if tag in set(found["tag"]):
        return found[found["tag"] == tag].reset_index(drop=True)
    scores = next(iter(comparison.scores.values()))
    scored = Scored(scores, comparison.utterances, comparison.tags, comparison.scoring)
    values = group_labels(scored, tag).set_axis(scores["utterance_id"]).rename(tag)
    return _slice_changes(comparison, correction, values)


def _slice_changes(comparison: Comparison, correction: str, tags: pd.DataFrame | pd.Series) -> pd.DataFrame:
    first, *others = comparison.scores
    frames = []
    for other in others:
        frame = compare_slices(
            comparison.scores[first], comparison.scores[other], comparison.utterances, tags,
            comparison.bins, correction,
        )  # fmt: skip
        frame.insert(0, "system_b", other)
        frame.insert(0, "system_a", first)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def utterance_changes(comparison: Comparison) -> pd.DataFrame:
    """One row an utterance of each system against the first, the largest changes first."""
    first, *others = comparison.scores
    frames = []
    for other in others:
        frame = changed_utterances(comparison.scores[first], comparison.scores[other], comparison.utterances)
        frame.insert(0, "system_b", other)
        frame.insert(0, "system_a", first)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def best_system(rates: pd.DataFrame, compared: pd.DataFrame, measure: str) -> str | None:
    """A sentence on the system of the lowest rate, and which others it is shown to beat; None without rates."""
    if rates["wer"].isna().all():
        return None
    best = rates.loc[rates["wer"].astype(float).idxmin()]
    name = best["system"]
    beaten = [
        pair.system_b if pair.system_a == name else pair.system_a
        for pair in compared.itertuples()
        if (pair.system_a == name and pair.verdict == A_BETTER) or (pair.system_b == name and pair.verdict == B_BETTER)
    ]
    others = len(rates) - 1
    lowest = f"{name} has the lowest {measure.upper()}, {100 * best['wer']:.1f} %"
    if (rates["wer"] == best["wer"]).sum() > 1:
        return f"the lowest {measure.upper()}, {100 * best['wer']:.1f} %, is that of several systems"
    if not beaten:
        return f"{lowest}, but is not shown to be better than another"
    shown = "each of the others" if others > 1 and len(beaten) == others else ", ".join(map(str, beaten))
    return f"{lowest}, and is shown to be better than {shown}"


def contrary_first(sliced: pd.DataFrame, compared: pd.DataFrame) -> pd.DataFrame:
    """The slices whose verdict is another than that on their pair of systems, then the others, each in their order."""
    verdicts = compared.set_index(["system_a", "system_b"])["verdict"]
    of_pair = verdicts.reindex(pd.MultiIndex.from_frame(sliced[["system_a", "system_b"]])).to_numpy()
    return (
        sliced.assign(agrees=sliced["verdict"].to_numpy() == of_pair)
        .sort_values("agrees", kind="stable")
        .drop(columns="agrees")
    )


def contradictions(compared: pd.DataFrame, sliced: pd.DataFrame) -> list[str]:
    """A sentence for each pair whose better system is shown to be the worse one in some slice."""
    found = []
    opposite = {A_BETTER: B_BETTER, B_BETTER: A_BETTER}
    for pair in compared.itertuples():
        of_pair = sliced[(sliced["system_a"] == pair.system_a) & (sliced["system_b"] == pair.system_b)]
        worse = of_pair[of_pair["verdict"] == opposite.get(pair.verdict)]
        if len(worse):
            better = pair.system_b if pair.verdict == B_BETTER else pair.system_a
            slices = ", ".join(f"{row.slice} ({100 * abs(row.difference):.1f} points)" for row in worse.itertuples())
            found.append(f"{better} is better overall, but worse in {slices}")
    return found
