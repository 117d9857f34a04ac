"""Whether annotators agree with one another, and who departs from the conventions."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from analysis.agreement import krippendorff_alpha, pairwise_wer, pooled_wer, wer_to_others
from analysis.intervals import resampling_unit
from analysis.normalizers import Normalizer
from workbench.stages.score import workspace_scoring
from workbench.transcripts import current_transcripts, is_merged
from workbench.workspace import Workspace

_KEY = ["utterance_id", "annotator"]


@dataclass(frozen=True)
class Agreement:
    """How far people agree: `overall` has one row; `pairs` and `others` have none where nobody shares an utterance."""

    overall: pd.DataFrame
    pairs: pd.DataFrame
    others: pd.DataFrame
    notes: list[str]


def people_s_texts(annotations: pd.DataFrame) -> pd.DataFrame:
    """What each person submitted last of each utterance: utterance_id, annotator and text, as they wrote it.

    What rules and edits have made of it here is not theirs, nor are drafts, and what they deleted or left empty.

    Args:
        annotations: the table `annotations`.
    """
    submitted = annotations[(annotations["state"] == "submitted") & ~annotations["is_ours"].astype(bool)]
    ordered = submitted.sort_values(["updated_at", "annotation_id"], kind="stable")
    return ordered.drop_duplicates(_KEY, keep="last")[[*_KEY, "text"]].reset_index(drop=True)


def everybody_s_texts(transcripts: pd.DataFrame) -> pd.DataFrame:
    """Every current transcript, wherever it comes from, but no consensus, which agrees with what it was made of."""
    current = current_transcripts(transcripts)
    return current.loc[~is_merged(transcripts, current).to_numpy(), [*_KEY, "text"]].reset_index(drop=True)


def agreement(
    workspace: Workspace, everything: bool = False, distance: str | None = None, between: bool = True
) -> Agreement:
    """Error rates between people, and Krippendorff's alpha, of the texts as the workspace's normalizer leaves them.

    `overall` names the distance, the normalizer, and what was resampled for its intervals, and has the alpha with its
    observed and expected disagreement beside the error rates of all pairs together.

    Args:
        everything: every transcript of the workspace, and not only what was written on the server.
        distance: a name of `analysis.text_distances.DISTANCES`; words if there is none, and syllables for Korean.
        between: fill `pairs` and `others` too.
    """
    if everything:
        texts = everybody_s_texts(workspace.read("transcripts", history=True))
    else:
        texts = people_s_texts(workspace.read("annotations"))
    normalizer = workspace_scoring(workspace).normalizer
    unit, groups = resampling_unit(workspace.read("utterances"))
    known = texts[texts["utterance_id"].isin(groups.index)].reset_index(drop=True)
    chosen = distance or default_distance(normalizer)
    alpha = krippendorff_alpha(known, normalizer, chosen, groups)
    pooled = pooled_wer(known, normalizer, groups)
    row = dict.fromkeys(pooled.columns) | asdict(alpha) | {"resampled": unit}
    row |= pooled.drop(columns="utterances").to_dict("records")[0] if len(pooled) else {"comparisons": 0}
    overall = pd.DataFrame([row]).rename(columns={"low": "alpha_low", "high": "alpha_high"})
    compared = known if between else known.head(0)
    pairs, others = (table(compared, normalizer, groups) for table in (pairwise_wer, wer_to_others))
    notes = []
    if len(known) < len(texts):
        notes.append(
            f"{len(texts) - len(known)} transcripts are left out: the workspace has their utterances no longer"
        )
    return Agreement(overall, pairs, others, notes)


def default_distance(normalizer: Normalizer) -> str:
    """The distance that suits a normalizer: syllables where spaces do not count, and else words."""
    return "word" if normalizer.spaces_count else "syllable"


def departures(workspace: Workspace) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Who departs from the conventions, as `departures_by_annotator` has it, of all who transcribed; faults of rules.

    Raises:
        BadInput: a file of rules lies outside the workspace.
    """
    from label_rules.conventions.departures import departures_by_annotator
    from label_rules.corpus import Corpus
    from workbench.stages.check import checked_transcripts
    from workbench.stages.team_rules import load_rules, prints_aside

    frame = checked_transcripts(workspace, None)[["utterance_id", "annotator", "text", "audio_key"]]
    loaded = load_rules(workspace)
    with prints_aside():
        found = departures_by_annotator(Corpus(frame), loaded.rules)
    return found.annotators, [*loaded.faults, *found.faults.to_dict("records")]
