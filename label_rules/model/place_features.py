"""What is known of each place where a recogniser heard something else than a label says, as numbers to learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analysis.align import count_char_errors
from analysis.language.sounds import sound_key
from label_rules.model.heard import Heard, Place, heard, letters

Keys = tuple[str, ...]
# A word's own errors count from so many occurrences on for half; before that the model's mean does.
_PRIOR = 5.0
_FAR = 4


@dataclass(frozen=True)
class Case:
    """A label to be judged, as it stands or made wrong: its row of the corpus, its words."""

    row: int
    keys: Keys


@dataclass(frozen=True)
class Places:
    """All places of all cases by all models; arrays hold one value, or row, a place.

    `features` is (places, features) with NaN for what is not known; `base` the logit by a plain rule, for where
    nothing can be learned; `distance`, (cases, models), the letter edits between a label and a hypothesis as a share
    of the longer, NaN where there is no hypothesis; `ratio` the hypothesis's letters by the label's.
    """

    case: np.ndarray
    model: np.ndarray
    places: list[Place]
    features: np.ndarray
    base: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray


def places_of(
    cases: Sequence[Case], hypotheses: Sequence[Sequence[Keys | None]], confidence: np.ndarray, usual: int
) -> Places:
    """The places where the models heard something else than the cases' labels say.

    Args:
        hypotheses: by model and row of the corpus.
        confidence: (models, rows), as ranks in [0, 1]; NaN where it is not known.
        usual: the first so many cases are the corpus as it stands; what is usual is counted there.
    """
    compared: list[dict[int, Heard]] = []
    distance = np.full((len(cases), len(hypotheses)), np.nan)
    ratio = np.full_like(distance, np.nan)
    for model, texts in enumerate(hypotheses):
        known = [(number, keys) for number, case in enumerate(cases) if (keys := texts[case.row])]
        numbers = [number for number, _ in known]
        theirs = [keys for _, keys in known]
        ours = [cases[number].keys for number in numbers]
        compared.append(dict(zip(numbers, heard(ours, theirs), strict=True)))
        one, other = [letters(keys) for keys in ours], [letters(keys) for keys in theirs]
        distance[numbers, model] = _apart(one, other)
        ratio[numbers, model] = [np.log((1 + len(b)) / (1 + len(a))) for a, b in zip(one, other, strict=True)]
    counts = [_Counts(cases[:usual], texts, found) for texts, found in zip(hypotheses, compared, strict=True)]
    label_words = Counter(key for case in cases[:usual] for key in case.keys)
    total = max(1, label_words.total())
    standing_of = {case.row: number for number, case in enumerate(cases[:usual])}
    case_of: list[int] = []
    model_of: list[int] = []
    all_places: list[Place] = []
    rows: list[list[float]] = []
    lost: list[Keys] = []
    got: list[Keys] = []
    for model, found in enumerate(compared):
        for number, against in found.items():
            if not against.places:
                continue
            keys, theirs_keys = cases[number].keys, hypotheses[model][cases[number].row] or ()
            matched = sum(at >= 0 for at in against.matched)
            # A label, also one made wrong of it, must not explain itself.
            standing = standing_of[cases[number].row]
            own = cases[standing].keys
            for place in against.places:
                ours_here = keys[place.start : place.end]
                theirs_here = theirs_keys[place.heard_start : place.heard_end]
                lost.append(ours_here)
                got.append(theirs_here)
                case_of.append(number)
                model_of.append(model)
                all_places.append(place)
                others = len(keys) - len(ours_here)
                before, after = _alike_beside(against.matched, place)
                rows.append(
                    [
                        len(ours_here),
                        len(theirs_here),
                        (place.start == 0) + 2.0 * (place.end == len(keys)),
                        before,
                        after,
                        matched / others if others else np.nan,
                        len(against.places),
                        len(keys),
                        min(
                            (np.log((label_words[w] - own.count(w) + 0.5) / total) for w in theirs_here), default=np.nan
                        ),
                        min(
                            (np.log((max(0, label_words[w] - keys.count(w)) + 0.5) / total) for w in ours_here),
                            default=np.nan,
                        ),
                        *counts[model].usual(ours_here, theirs_here, standing),
                        confidence[model, cases[number].row],
                    ]
                )
    shapes = _shapes(lost, got)
    case_array, model_array = np.array(case_of, np.int64), np.array(model_of, np.int64)
    plain = np.array(rows, float).reshape(len(rows), 14)
    of_others = _others(cases, hypotheses, compared, case_of, model_of, all_places, got)
    spelled = np.array([len(letters(case.keys)) for case in cases], float)
    inner = np.bincount(case_array * len(hypotheses) + model_array, shapes[:, 2], len(cases) * len(hypotheses))
    outside = inner[case_array * len(hypotheses) + model_array] - shapes[:, 2]
    rest = outside / np.maximum(1.0, spelled[case_array] - shapes[:, 0])
    features = np.hstack([plain, shapes, rest[:, None], of_others])
    return Places(case_array, model_array, all_places, features, _base(plain, shapes), distance, ratio)


class _Counts:
    """How often one model gets each word of the labels wrong, makes each word up, and takes what for what."""

    def __init__(self, cases: Sequence[Case], texts: Sequence[Keys | None], found: dict[int, Heard]) -> None:
        self.said: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.made_up: Counter[str] = Counter()
        self.taken: Counter[tuple[Keys, Keys]] = Counter()
        self.of_case: dict[int, tuple[Keys, Keys, list[str], list[str], list[tuple[Keys, Keys]]]] = {}
        for number, case in enumerate(cases):
            if number not in found:
                continue
            theirs = texts[case.row] or ()
            missed: list[str] = []
            made_up: list[str] = []
            taken: list[tuple[Keys, Keys]] = []
            self.said.update(case.keys)
            self.heard.update(theirs)
            for place in found[number].places:
                ours_here, theirs_here = case.keys[place.start : place.end], theirs[place.heard_start : place.heard_end]
                missed += ours_here
                made_up += theirs_here
                taken.append((ours_here, theirs_here))
            self.missed.update(missed)
            self.made_up.update(made_up)
            self.taken.update(taken)
            self.of_case[number] = case.keys, theirs, missed, made_up, taken
        self.miss_rate = (self.missed.total() + 1) / (self.said.total() + 2)
        self.made_rate = (self.made_up.total() + 1) / (self.heard.total() + 2)

    def usual(self, ours: Keys, theirs: Keys, own: int) -> tuple[float, float, float]:
        """The log rates at which these words are missed and made up, and how often just this was taken for that.

        All of them without the case `own`.
        """
        said, listened, missed, made_up, taken = self.of_case[own]
        least_missed = [
            _rate(self.missed[w] - missed.count(w), self.said[w] - said.count(w), self.miss_rate) for w in ours
        ]
        least_made = [
            _rate(self.made_up[w] - made_up.count(w), self.heard[w] - listened.count(w), self.made_rate) for w in theirs
        ]
        return (
            float(np.log(min(least_missed))) if ours else np.nan,
            float(np.log(min(least_made))) if theirs else np.nan,
            float(np.log1p(self.taken[ours, theirs] - taken.count((ours, theirs)))),
        )


def _rate(wrong: int, all_of: int, mean: float) -> float:
    return (wrong + _PRIOR * mean) / (all_of + _PRIOR)


def _alike_beside(matched: Sequence[int], place: Place) -> tuple[float, float]:
    """How many words in a row match before the place and after it; NaN at an edge of the label."""
    before = after = 0
    while before < _FAR and place.start - before > 0 and matched[place.start - before - 1] >= 0:
        before += 1
    while after < _FAR and place.end + after < len(matched) and matched[place.end + after] >= 0:
        after += 1
    return (before if place.start else np.nan), (after if place.end < len(matched) else np.nan)


def _shapes(lost: Sequence[Keys], got: Sequence[Keys]) -> np.ndarray:
    """By place: letters lost and got, edits and their share, the share of edits by sound, letters got above lost."""
    written = [[letters(keys) for keys in side] for side in (lost, got)]
    sounds = [[_sound(keys) for keys in side] for side in (lost, got)]
    lengths = np.array([[len(text) for text in side] for side in written], float).reshape(2, -1)
    longest = np.maximum(1, lengths.max(axis=0)) if len(lost) else np.zeros(0)
    share, by_sound = _apart(*written), _apart(*sounds)
    return np.column_stack([*lengths, share * longest, share, by_sound, lengths[1] - lengths[0]])


@lru_cache(maxsize=200_000)
def _sound(keys: Keys) -> str:
    return "".join(map(sound_key, keys))


def _apart(ours: Sequence[str], theirs: Sequence[str]) -> np.ndarray:
    """The character edits of each pair as a share of its longer text."""
    counts = count_char_errors(ours, theirs)
    edits = counts[["char_substitutions", "char_deletions", "char_insertions"]].sum(axis=1).to_numpy(dtype=float)
    return edits / np.array([max(len(a), len(b), 1) for a, b in zip(ours, theirs, strict=True)], float).reshape(-1)


def _others(
    cases: Sequence[Case],
    hypotheses: Sequence[Sequence[Keys | None]],
    compared: Sequence[dict[int, Heard]],
    case_of: Sequence[int],
    model_of: Sequence[int],
    places: Sequence[Place],
    got: Sequence[Keys],
) -> np.ndarray:
    """What the other models have at each place: mean and most of the words heard there that they hear too; mean and
    most of the label's words that they match; the share of them with no difference there; the share of the letters
    in which what they hear differs from what this one hears, at best and in the mean. NaN where there are none."""
    result = np.full((len(places), 7), np.nan)
    if len(hypotheses) < 2:
        return result
    pairs: list[tuple[str, str]] = []
    owner: list[int] = []
    for at, (number, model, place, here) in enumerate(zip(case_of, model_of, places, got, strict=True)):
        agree, keep, clean = [], [], []
        for other, found in enumerate(compared):
            one = found.get(number)
            if other == model or one is None:
                continue
            theirs = hypotheses[other][cases[number].row] or ()
            begin, end = _between(one.matched, place, len(theirs))
            there = theirs[begin:end]
            agree.append(sum(word in there for word in here) / len(here) if here else float(not there))
            matched = [one.matched[i] >= 0 for i in range(place.start, place.end)]
            keep.append(sum(matched) / len(matched) if matched else float(not there))
            clean.append(float(all(matched) and len(there) == len(matched)))
            pairs.append((letters(here), letters(there)))
            owner.append(at)
        if agree:
            result[at, :5] = np.mean(agree), max(agree), np.mean(keep), max(keep), np.mean(clean)
    apart = _apart([a for a, _ in pairs], [b for _, b in pairs])
    owners = np.array(owner, np.int64)
    count = np.bincount(owners, minlength=len(places))
    least = np.full(len(places), np.inf)
    np.minimum.at(least, owners, apart)
    with np.errstate(invalid="ignore"):
        result[:, 5] = np.where(count > 0, least, np.nan)
        result[:, 6] = np.bincount(owners, apart, len(places)) / np.where(count > 0, count, np.nan)
    return result


def _between(matched: Sequence[int], place: Place, several: int) -> tuple[int, int]:
    """The words of a hypothesis between the last one matched before the place and the first one behind it."""
    begin, end = 0, several
    for i in range(place.start - 1, -1, -1):
        if matched[i] >= 0:
            begin = matched[i] + 1
            break
    for i in range(place.end, len(matched)):
        if matched[i] >= 0:
            end = matched[i]
            break
    return begin, max(begin, end)


def _base(plain: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """The logit by a plain rule: many letters that are far apart, among words that match, heard rather than missed."""
    edits, share = shapes[:, 2], shapes[:, 3]
    around = np.nan_to_num(plain[:, 5], nan=0.5)
    missed = plain[:, 1] == 0
    at_edge = plain[:, 2] > 0
    return -4.0 + 3.0 * share + 0.3 * np.minimum(edits, 12) + 1.5 * around - missed * (1.0 + at_edge)
