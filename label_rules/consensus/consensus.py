"""Several transcripts of the same audio to one text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from analysis.merge_kernel import NOTHING, elect
from label_rules.consensus.estimate import estimate
from label_rules.consensus.units import Units, units_of
from label_rules.corpus import Corpus

# A vote weighs one over the annotator's errors: log-odds would trust the best too much, because annotators mishear the
# same words. What is added keeps a few clean clips from outweighing everybody, and a text that is far from all others,
# while two of those agree, from outvoting them: it may be another clip's.
_ADDED_ERROR = 0.02
# How much a word takes of the weight of another that is spelled like it.
_ALIKE = 0.3
_Form = TypeVar("_Form")


def consensus(corpus: Corpus, models_vote: bool = True) -> pd.DataFrame:
    """The consensus of each utterance's transcripts: utterance_id, text, score, transcripts and changed.

    Utterances whose transcripts are too long to be merged (see `analysis.merge_kernel.MOST_CELLS`) have no text.

    `score` is the mean share of the votes that its words have, in [0, 1]; `transcripts` counts the people's, and
    `changed` says whether none of them reads so. A single transcript is its own consensus. Case and punctuation are put
    to the vote too.

    Args:
        models_vote: the recognisers' hypotheses vote, each with the weight that its errors leave it.
    """
    known = estimate(corpus, models_vote)
    weights = 1 / (known.reliability[known.annotators] + _ADDED_ERROR + known.apart)
    chosen, shares = elect(
        known.clip_texts, known.slot_begins, known.cells, weights, _ALIKE, known.letter_begins, known.letters
    )
    clip_rows: list[tuple[str | None, float, int, bool]] = []
    at = 0
    for clip in range(known.clips):
        first, end = known.clip_texts[clip], known.clip_texts[clip + 1]
        begin, last = known.slot_begins[clip], known.slot_begins[clip + 1]
        size = (last - begin) * (end - first)
        cells = known.cells[at : at + size].reshape(last - begin, end - first)
        at += size
        if known.is_too_long(clip):
            clip_rows.append((None, np.nan, int((known.rows[first:end] >= 0).sum()), False))
            continue
        people = [corpus.text(int(row)) for row in known.rows[first:end] if row >= 0]
        text = _written(
            cells, chosen[begin:last], [units_of(each) for each in known.texts[first:end]], weights[first:end]
        )
        if len(set(people)) == 1 and end - first == len(people):
            text = people[0]
        share = float(shares[begin:last].mean()) if last > begin else 1.0
        clip_rows.append((text, share, len(people), text not in people))
    frame = pd.DataFrame({"utterance_id": corpus.utterance_ids, "clip": corpus.group_of_row})
    frame = frame.drop_duplicates("utterance_id").reset_index(drop=True)
    found = pd.DataFrame(clip_rows, columns=["text", "score", "transcripts", "changed"])
    found = found.iloc[frame["clip"].to_numpy()].reset_index(drop=True)
    return pd.concat([frame[["utterance_id"]], found], axis=1).astype({"text": "str"})


def annotator_reliability(corpus: Corpus, models_vote: bool = True) -> pd.DataFrame:
    """One row an annotator: transcripts, words, errors and expected_wer, the most reliable first.

    `errors` are the words that the other transcripts of the same clips speak against; `expected_wer` is the word error
    rate to expect of them on a clip of mean difficulty, near everybody's mean where there are few of their clips. How
    words are written is no error.
    Recognisers that voted stand as `model:NAME`.
    """
    known = estimate(corpus, models_vote, as_said=True)
    several = len(known.names)
    frame = pd.DataFrame(
        {
            "annotator": pd.Series(known.names, dtype="str"),
            "transcripts": np.bincount(known.annotators, minlength=several),
            "words": np.bincount(known.annotators, known.words, several).astype(int),
            "errors": np.bincount(known.annotators, known.by_others, several),
            "expected_wer": np.clip(known.reliability * known.mean_error, 0.0, 1.0),
        }
    )
    return frame.sort_values(["expected_wer", "annotator"], kind="stable").reset_index(drop=True)


def _written(cells: np.ndarray, chosen: np.ndarray, units: Sequence[Units], weights: np.ndarray) -> str:
    """The elected words in the writing that most of the weight behind them has."""
    # The unit of each text that a slot takes, counted on as the slots go by.
    reached = np.cumsum(cells != NOTHING, axis=0) - 1
    kept = [slot for slot in range(len(cells)) if cells[slot, chosen[slot]] != NOTHING]
    pieces = []
    for number, slot in enumerate(kept):
        voters = np.flatnonzero(cells[slot] == cells[slot, chosen[slot]]).tolist()
        held = [(voter, units[voter].units[reached[slot, voter]]) for voter in voters]
        written = _most((unit.written, weights[voter]) for voter, unit in held)
        at_end = [reached[slot, voter] == len(units[voter].units) - 1 for voter in voters]
        if number + 1 < len(kept):
            # The end of somebody's text says nothing of what stands between two words.
            inside = [pair for pair, end in zip(held, at_end, strict=True) if not end]
            behind = _most((unit.behind, weights[voter]) for voter, unit in inside) if inside else " "
        else:
            last = [pair for pair, end in zip(held, at_end, strict=True) if end]
            behind = _most((unit.behind, weights[voter]) for voter, unit in last) if last else ""
        pieces.append(written + behind)
    before = _most((each.before, weight) for each, weight in zip(units, weights, strict=True))
    text = (before + "".join(pieces)).strip()
    if not kept or (reached[kept[0]][cells[kept[0]] == cells[kept[0], chosen[kept[0]]]] == 0).any():
        return text
    # The first word is nobody's first: whether it takes a capital goes by those words that are.
    begun = [(each.units[0].written[0].isupper(), w) for each, w in zip(units, weights, strict=True) if each.units]
    return text[0].upper() + text[1:] if _most(begun) else text


def _most(votes: Iterable[tuple[_Form, float]]) -> _Form:
    """The form with the most weight, the first of equals."""
    totals: dict[_Form, float] = defaultdict(float)
    for form, weight in votes:
        totals[form] += weight
    return max(totals, key=lambda form: totals[form])
