"""How likely each transcript is harmfully wrong, by what recognisers heard.

What is learned is learned from the corpus at hand, with no label known to be right or wrong: wrong labels are made
from its own (words left out, exchanged, cut off, whole labels swapped), and boosted trees learn to tell these from the
labels as they stand, most of which are right. So the recogniser's usual errors, its confusions, the words it makes up
and how hard the clips are all count as they are found here. With p the chances so learned, the odds p / (1 - p) are
how much more often such evidence is found with wrong labels than with the corpus's, and the share of wrong labels can
be no more than one by the highest odds (Elkan and Noto, KDD 2008).

Every transcript is judged by trees that have not seen it. With fewer than 30 transcripts nothing is learned, and a
plain rule judges: how many letters differ, how far they are from the label's, among how many words that match.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from label_rules.corpus import Corpus
from label_rules.evidence import quoted
from label_rules.model.boosted import learn
from label_rules.model.distances import distances
from label_rules.model.heard import Spoken, in_words, spoken
from label_rules.model.place_features import Case, Keys, Place, Places, places_of
from label_rules.model.wrong_labels import Wrong, wrong_labels
from label_rules.once import once_per_corpus

LEAST_ROWS = 30
_MOST_LEARNED = 6000
_LEAST_WRONG = 5000
_MOST_REPEATED = 20
_ROUNDS, _DEPTH = 40, 3
_FOLDS, _PASSES = 4, 2
_MOST_EXAMPLES = 20_000
# So much weight have the labels as they stand, and the wrong ones, where there are fewer.
_LEAST_WORTH = 400.0
_NOTHING_DIFFERS = -6.0
# From so many letters on that differ the label as a whole is in doubt, and not a place in it.
_WHOLE = 0.6
_LEAST_SHARE, _MOST_SHARE = 0.002, 0.25
# How soon the chance gives way to 1, which it may not reach.
_SOFT = 3.0
_BINS = 20
# From so many transcripts on, what is counted says as much of the odds as the trees do.
_COUNTED = 200
# Keeps transcripts apart, and in order, where the counted odds are alike.
_APART = 0.02


@dataclass(frozen=True)
class ModelEvidence:
    """What the hypotheses say against each transcript; one value a row of the corpus.

    `score`, in [0, 1], is NaN where there is no hypothesis to judge by; `start` and `end` are the characters of the
    worst place, equal where words are missing; `heard` is what the model heard there (None where nothing differs).
    """

    score: np.ndarray
    evidence: list[str | None]
    start: np.ndarray
    end: np.ndarray
    heard: list[str | None]
    whole: np.ndarray
    "Whether hardly anything of the transcript was heard, so that the whole of it is in doubt."


@once_per_corpus
def model_evidence(corpus: Corpus) -> ModelEvidence:
    """What the recognisers' hypotheses say against every transcript."""
    return _judge(corpus)


def _judge(corpus: Corpus) -> ModelEvidence:
    of_text = [spoken(text) for text in corpus.texts]
    labels = [of_text[number] for number in corpus.text_of_row]
    hypotheses = [[spoken(text).keys if text else None for text in model.hypotheses] for model in corpus.models]
    judged = [row for row in range(len(corpus)) if any(texts[row] for texts in hypotheses)]
    cases = [Case(row, labels[row].keys) for row in judged]
    wrong = _made_wrong(labels, judged) if len(judged) >= LEAST_ROWS else []
    all_cases = cases + [Case(judged[each.source], each.keys) for each in wrong]
    found = places_of(all_cases, hypotheses, _ranks(corpus), len(cases))
    logits, at_worst = _logits(corpus, found, all_cases, wrong, len(cases))
    described = _described(corpus, labels, hypotheses, judged, found, logits, at_worst[: len(cases)])
    # Where few labels are wrong and those are another clip's, the share of all kinds together says too little of one:
    # there, how far labels of other clips would be tells more.
    known = distances(corpus)
    of_others = np.zeros(len(corpus))
    of_others[known.rows] = known.chance_wrong
    return replace(described, score=np.maximum(described.score, np.where(described.whole, of_others, 0.0)))


def _made_wrong(labels: list[Spoken], judged: list[int]) -> list[Wrong]:
    rng = np.random.default_rng(0)
    words = [_words(labels[row]) for row in judged]
    several = min(max(len(judged), _LEAST_WRONG), _MOST_REPEATED * len(judged), _MOST_LEARNED)
    order = np.concatenate([rng.permutation(len(judged)) for _ in range(-(-several // len(judged)))])[:several]
    return wrong_labels(words, order.tolist(), rng)


def _words(label: Spoken) -> tuple[Keys, ...]:
    """The label's keys, word by word."""
    found: list[list[str]] = []
    last = None
    for key, start in zip(label.keys, label.starts, strict=True):
        if start == last:
            found[-1].append(key)
        else:
            found.append([key])
        last = start
    return tuple(map(tuple, found))


def _ranks(corpus: Corpus) -> np.ndarray:
    """Each model's confidences as ranks in [0, 1], (models, rows)."""
    ranks = np.full((len(corpus.models), len(corpus)), np.nan)
    for number, model in enumerate(corpus.models):
        known = np.flatnonzero(np.isfinite(model.confidence))
        order = np.argsort(np.argsort(model.confidence[known], kind="stable"), kind="stable")
        ranks[number, known] = (order + 0.5) / max(1, len(known))
    return ranks


def _logits(
    corpus: Corpus, found: Places, cases: list[Case], wrong: list[Wrong], usual: int
) -> tuple[np.ndarray, np.ndarray]:
    """The logit of each case, and its worst place (-1: none)."""
    groups = corpus.group_of_row[[case.row for case in cases]] if cases else np.zeros(0, np.int64)
    fold = groups % _FOLDS
    if not wrong:
        worst, top = _worst(found, found.base, len(cases))
        return top, worst
    rng = np.random.default_rng(1)
    learned = np.ones(len(cases), bool)
    if usual > _MOST_LEARNED:
        learned[:usual] = False
        learned[rng.choice(usual, _MOST_LEARNED, replace=False)] = True
    is_wrong = found.case >= usual
    at_spot = np.zeros(len(found.case), bool)
    for at in np.flatnonzero(is_wrong).tolist():
        made = wrong[found.case[at] - usual]
        place = found.places[at]
        at_spot[at] = place.start <= made.end and place.end >= made.start
    used = learned[found.case] & (at_spot | ~is_wrong)
    wanted = np.arange(len(cases)) >= usual
    # Labels of the corpus that turn out to be wrong are no examples of right ones.
    right = np.ones(len(cases))
    for _ in range(_PASSES):
        place_logits = _crossed(found.features, at_spot, used * right[found.case], found.base, fold[found.case])
        worst, top = _worst(found, place_logits, len(cases))
        features = _case_features(corpus, found, cases, place_logits, worst, top)
        logits = _crossed(features, wanted, learned * right, top, fold)
        right[:usual] = 1 - _chances(logits[:usual], logits[usual:])
    return logits, worst


def _crossed(
    features: np.ndarray, wanted: np.ndarray, used: np.ndarray, base: np.ndarray, fold: np.ndarray
) -> np.ndarray:
    """Logits of all rows, each by trees learned on the other fold; the wanted count as much as all others."""
    logits, rng = base.copy(), np.random.default_rng(2)
    for held in range(_FOLDS):
        rows = np.flatnonzero((used > 0) & (fold != held))
        if len(rows) > _MOST_EXAMPLES:
            rows = np.sort(rng.choice(rows, _MOST_EXAMPLES, replace=False))
        inside = fold == held
        several = used[rows][wanted[rows]].sum()
        others = used[rows].sum() - several
        if not several or not others:
            continue
        worth = max(_LEAST_WORTH, min(others, several))
        weights = used[rows] * np.where(wanted[rows], worth / several, worth / others)
        model = learn(features[rows], wanted[rows].astype(float), weights, base[rows], _ROUNDS, _DEPTH)
        logits[inside] = model.logits(features[inside], base[inside])
    return logits


def _worst(found: Places, logits: np.ndarray, several: int) -> tuple[np.ndarray, np.ndarray]:
    """Each case's worst place, and its logit; -1 and a low one where no place differs."""
    worst = np.full(several, -1, np.int64)
    order = np.argsort(logits, kind="stable")
    worst[found.case[order]] = order
    return worst, np.where(worst >= 0, logits[worst] if len(logits) else 0.0, _NOTHING_DIFFERS)


def _case_features(
    corpus: Corpus, found: Places, cases: list[Case], logits: np.ndarray, worst: np.ndarray, top: np.ndarray
) -> np.ndarray:
    """What is known of each case as a whole, (cases, features)."""
    models = found.distance.shape[1]
    of_model = np.full((len(cases), models), _NOTHING_DIFFERS)
    np.maximum.at(of_model, (found.case, found.model), logits)
    of_model[np.isnan(found.distance)] = np.nan
    summed = np.bincount(found.case, 1 / (1 + np.exp(-logits)), len(cases))
    known = np.isfinite(found.distance).sum(axis=1)
    words = np.array([len(case.keys) for case in cases], float)
    spelled = np.array([sum(map(len, case.keys)) for case in cases], float)
    seconds = corpus.number("duration")[[case.row for case in cases]]
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.log(spelled / seconds)
    at = np.where(worst >= 0, worst, 0)
    of_worst = found.features[at] if len(found.features) else np.full((len(cases), found.features.shape[1]), np.nan)
    of_worst = np.where((worst >= 0)[:, None], of_worst, np.nan)
    return np.column_stack(
        [
            top,
            np.nanmean(of_model, axis=1),
            np.nanmin(of_model, axis=1),
            summed / np.maximum(known, 1),
            np.nanmean(found.distance, axis=1),
            np.nanmin(found.distance, axis=1),
            np.nanmax(found.distance, axis=1),
            np.nanmean(found.ratio, axis=1),
            known,
            words,
            spelled,
            np.where(np.isfinite(speed), speed, np.nan),
            of_worst,
        ]
    )


def _described(
    corpus: Corpus,
    labels: list[Spoken],
    hypotheses: list[list[Keys | None]],
    judged: list[int],
    found: Places,
    logits: np.ndarray,
    worst: np.ndarray,
) -> ModelEvidence:
    several = len(corpus)
    score, whole = np.full(several, np.nan), np.zeros(several, bool)
    start, end = np.zeros(several, np.int64), np.zeros(several, np.int64)
    evidence: list[str | None] = [None] * several
    words_heard: list[str | None] = [None] * several
    of_models = _models_that_differ(found, worst)
    score[judged] = _chances(logits[: len(judged)], logits[len(judged) :])
    for number, row in enumerate(judged):
        at = int(worst[number])
        if at < 0:
            evidence[row] = "the model heard what the transcript says"
            continue
        place, model = found.places[at], int(found.model[at])
        theirs = hypotheses[model][row] or ()
        start[row], end[row] = characters(labels[row], place)
        words_heard[row] = in_words(theirs[place.heard_start : place.heard_end])
        several_models = len(corpus.models) > 1
        name = corpus.models[model].name or "the model of the main run"
        who = name if several_models else "the model"
        whole[row] = found.distance[number, model] >= _WHOLE
        if whole[row]:
            said = quoted(corpus.models[model].hypotheses[row] or "")
            evidence[row] = f"{found.distance[number, model]:.0%} of the letters differ from what {who} heard: {said}"
        else:
            ours = quoted(corpus.text(row)[start[row] : end[row]])
            evidence[row] = f"{who} heard {quoted(words_heard[row] or '')} where the transcript has {ours}"
        if several_models:
            differ, judging = of_models[number], int(np.isfinite(found.distance[number]).sum())
            evidence[row] = f"{evidence[row]}; {differ} of {judging} models hear something else there"
    return ModelEvidence(score, evidence, start, end, words_heard, whole)


def _models_that_differ(found: Places, worst: np.ndarray) -> np.ndarray:
    """For each case how many models hear something else than the label says at its worst place."""
    bounds = np.array([(place.start, place.end) for place in found.places], np.int64).reshape(-1, 2)
    own = found.case < len(worst)
    at = worst[found.case[own]]
    meet = (bounds[own, 0] <= bounds[at, 1]) & (bounds[own, 1] >= bounds[at, 0])
    pairs = np.unique(np.column_stack([found.case[own][meet], found.model[own][meet]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=len(worst)) if len(pairs) else np.zeros(len(worst), np.int64)


def characters(label: Spoken, place: Place) -> tuple[int, int]:
    """The characters of a place in the text; an empty span behind the word before where the label lacks words."""
    if place.end > place.start:
        return label.starts[place.start], label.ends[place.end - 1]
    at = label.ends[place.start - 1] if place.start else 0
    return at, at


def _chances(logits: np.ndarray, of_wrong: np.ndarray) -> np.ndarray:
    """The chances of labels whose logits are given, beside the logits of labels that were made wrong."""
    log_odds = np.clip(logits, -30, 30)
    if not len(of_wrong):
        return np.asarray(1 / (1 + np.exp(-log_odds)))
    weight = len(logits) / (len(logits) + _COUNTED)
    log_odds = weight * _counted(logits, of_wrong) + (1 - weight) * log_odds
    chance = _share_of_wrong(logits, of_wrong) * np.exp(log_odds)
    return np.asarray(chance / (1 + chance**_SOFT) ** (1 / _SOFT))


def _counted(logits: np.ndarray, of_wrong: np.ndarray) -> np.ndarray:
    """How much more often wrong labels have such a logit than the corpus's labels: logarithms, counted in bins.

    Trees that are held back understate the odds. Neighbouring bins that would fall are pooled.
    """
    edges = np.quantile(of_wrong, np.linspace(0, 1, _BINS + 1)[1:-1])
    made, there = (np.bincount(np.searchsorted(edges, x, "right"), minlength=_BINS) for x in (of_wrong, logits))
    pools: list[list[float]] = []
    for one, other in zip(made.tolist(), there.tolist(), strict=True):
        pools.append([one, other, 1])
        while len(pools) > 1 and pools[-2][0] * (pools[-1][1] + 1) >= pools[-1][0] * (pools[-2][1] + 1):
            last = pools.pop()
            pools[-1] = [mine + its for mine, its in zip(pools[-1], last, strict=True)]
    ratios = [
        (np.log((one + 1) / len(of_wrong)) - np.log((other + 1) / len(logits)), bins) for one, other, bins in pools
    ]
    steps = np.repeat([ratio for ratio, _ in ratios], [int(bins) for _, bins in ratios])
    centres = np.quantile(of_wrong, (np.arange(_BINS) + 0.5) / _BINS)
    below = np.minimum(0.0, logits - centres[0])
    return np.asarray(np.interp(logits, centres, steps) + below + _APART * logits)


def _share_of_wrong(logits: np.ndarray, of_wrong: np.ndarray) -> float:
    """The largest share of wrong labels that the corpus leaves room for.

    Above any limit there are at least so many labels as the wrong ones alone would give (Scott, AISTATS 2015).
    """
    limits = np.quantile(of_wrong, np.linspace(0.1, 0.8, 15))
    made = np.array([(of_wrong >= limit).mean() for limit in limits])
    there = np.array([((logits >= limit).sum() + 1) / (len(logits) + 1) for limit in limits])
    return float(np.clip((there / made).min(), _LEAST_SHARE, _MOST_SHARE))
