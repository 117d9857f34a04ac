"""How far annotators and transcripts are to be believed, estimated from the transcripts alone.

Everything is estimated together, with no transcript known to be right: each clip's transcripts are merged into a
network of slots; the votes in a slot say how likely each word is right; words that are likely wrong make their
annotator less reliable and their clip more difficult, which changes the votes. A transcript under judgement has no vote
on itself while annotators are judged, or one bad annotator with a high weight would confirm himself. After Dawid and
Skene (Applied Statistics 28, 1979), with an annotator's errors and a clip's difficulty as the two factors of a Poisson
rate and gamma priors, so that annotators with few clips stay near the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import pandas as pd

from analysis.merge_kernel import judge, merge
from label_rules.consensus.said import compounds_joined, said_keys
from label_rules.consensus.units import written_keys
from label_rules.corpus import Corpus
from label_rules.once import once_per_corpus

MODEL = "model:"
"""Before a recogniser's name, where it votes as an annotator."""
ANONYMOUS = "anonymous "
"""Before the number of a transcript by nobody knows whom; all of them are as reliable as everybody is on average."""

_ROUNDS = 6
_FIRST_ERROR = 0.15
_LEAST_ERROR, _MOST_ERROR = 0.005, 0.7
# The priors count as so many expected errors. These, the correlation of two annotators' errors and the number of ways
# in which a word is got wrong were chosen on CrowdSpeech dev-clean; dev-other was looked at once, afterwards.
_PRIOR_ANNOTATOR, _PRIOR_CLIP = 3.0, 3.0
CORRELATION, WRONG_WAYS = 0.05, 3.0


@dataclass(frozen=True)
class Estimate:
    """What the transcripts of a corpus say of each other. A *text* is a transcript, or a recogniser's hypothesis.

    Texts stand clip by clip; arrays hold one value a text unless they say otherwise.
    """

    clip_texts: np.ndarray
    "Where each clip's texts begin, with the end, (clips + 1,)."
    rows: np.ndarray
    "The corpus's row of a text; -1 where it is a hypothesis."
    annotators: np.ndarray
    "The annotator of a text, as a number into `names`."
    names: list[str]
    texts: list[str]
    letter_begins: np.ndarray
    letters: np.ndarray
    "The spellings of the words' codes, as code points."
    cells: np.ndarray
    slot_begins: np.ndarray
    "The networks, as `analysis.merge_kernel.merge` returns them."
    apart: np.ndarray
    "How much farther its nearest other text is than those two texts of the clip that are nearest, 0 to 1."
    words: np.ndarray
    "How many words a text has; of Korean, syllables."
    wrong: np.ndarray
    "The expected number of its slots that are wrong, as all votes have it."
    variance: np.ndarray
    "The variance of that number."
    by_others: np.ndarray
    "The expected number of its wrong slots as the other texts of its clip have it."
    reliability: np.ndarray
    "For each annotator the expected errors on a clip of mean difficulty, as a multiple of the mean annotator's."
    mean_error: float
    "Expected errors a word over all texts."

    @property
    def clips(self) -> int:
        return len(self.clip_texts) - 1

    def is_too_long(self, clip: int) -> bool:
        """Whether the clip's texts could not be merged."""
        first, end = self.clip_texts[clip], self.clip_texts[clip + 1]
        return bool(self.slot_begins[clip] == self.slot_begins[clip + 1] and self.words[first:end].any())


def estimate(corpus: Corpus, models_vote: bool = True, as_said: bool = False) -> Estimate:
    """The estimate for a corpus, worked out once.

    Args:
        models_vote: the recognisers' hypotheses are texts too, each recogniser an annotator of its own.
        as_said: words are compared by what is said, so that no convention of writing counts as an error.
    """
    # All callers' ways of giving the arguments come to one.
    return _estimated(corpus, models_vote, as_said)


@once_per_corpus
def _estimated(corpus: Corpus, models_vote: bool, as_said: bool) -> Estimate:
    texts = _texts(corpus, models_vote)
    clip_texts = np.concatenate([[0], np.cumsum(np.bincount(texts["clip"]))]).astype(np.int64)
    texts["annotator"] = [ANONYMOUS if name.startswith(ANONYMOUS) else name for name in texts["annotator"]]
    codes, names = pd.factorize(texts["annotator"].to_numpy(dtype=object))
    which, different = pd.factorize(texts["text"].to_numpy(dtype=object))
    keys_of_different = [said_keys(text) if as_said else written_keys(text) for text in different]
    text_keys = [keys_of_different[number] for number in which]
    if as_said:
        by_clip = (text_keys[first:end] for first, end in pairwise(clip_texts.tolist()))
        text_keys = [keys for clip in by_clip for keys in compounds_joined(clip)]
    words = np.array([len(keys) for keys in text_keys], dtype=np.int64)
    keys, vocabulary = pd.factorize(np.array(list(chain.from_iterable(text_keys)), dtype=object))
    letters, letter_begins = _spelled(vocabulary)
    text_words = np.concatenate([[0], np.cumsum(words)])
    cells, slot_begins, nearest = merge(clip_texts, text_words, keys.astype(np.int32), letter_begins, letters)
    lengths = np.maximum(words, 1).astype(float)
    clip = texts["clip"].to_numpy()
    least = np.minimum.reduceat(nearest, clip_texts[:-1]) if len(texts) else nearest
    errors = np.full(len(texts), _FIRST_ERROR)
    reliability, mean = np.ones(len(names)), _FIRST_ERROR
    wrong = variance = by_others = np.zeros(len(texts))
    for _ in range(_ROUNDS):
        wrong, variance, by_others = judge(clip_texts, slot_begins, cells, errors, CORRELATION, WRONG_WAYS)
        beside = np.diff(clip_texts)[clip] > 1
        reliability, difficulty, mean = _factors(
            np.where(beside, by_others, 0.0), np.where(beside, lengths, 0.0), codes, clip, len(names)
        )
        errors = np.clip(reliability[codes] * difficulty[clip], _LEAST_ERROR, _MOST_ERROR)
    return Estimate(
        clip_texts, texts["row"].to_numpy(), codes, list(names), texts["text"].tolist(), letter_begins, letters, cells,
        slot_begins, nearest - least[clip], words, wrong, variance, by_others, reliability, mean,
    )  # fmt: skip


def _texts(corpus: Corpus, models_vote: bool) -> pd.DataFrame:
    """Every transcript, and each recogniser's hypothesis of each clip once, clip by clip."""
    clips = corpus.group_of_row
    rows = pd.DataFrame({"clip": clips, "row": np.arange(len(corpus)), "annotator": corpus.annotators})
    rows["text"] = [corpus.text(row) for row in range(len(corpus))]
    parts = [rows]
    for model in corpus.models if models_vote else []:
        heard = pd.DataFrame({"clip": clips, "row": -1, "annotator": MODEL + model.name, "text": model.hypotheses})
        parts.append(heard[heard["text"].notna()].drop_duplicates("clip"))
    return pd.concat(parts).sort_values("clip", kind="stable").reset_index(drop=True)


def _spelled(vocabulary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The code points of all words, one after the other, and where each word's begin, with the end."""
    begins = np.concatenate([[0], np.cumsum([len(word) for word in vocabulary])]).astype(np.int64)
    points = np.fromiter((ord(letter) for letter in chain.from_iterable(vocabulary)), np.int32, int(begins[-1]))
    return points, begins


def _factors(
    errors: np.ndarray, words: np.ndarray, annotator: np.ndarray, clip: np.ndarray, annotators: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Each annotator's factor, around 1, each clip's errors a word, and the errors a word over all texts.

    The expected errors of a text are words * annotator's factor * clip's errors a word; each is fitted to the other
    in turn, with gamma priors.
    """
    clips = int(clip.max()) + 1 if len(clip) else 0
    mean = float(errors.sum() / words.sum()) if words.sum() > 0 and errors.sum() > 0 else _FIRST_ERROR
    factor, difficulty = np.ones(annotators), np.full(clips, mean)
    made, made_in_clip = np.bincount(annotator, errors, annotators), np.bincount(clip, errors, clips)
    for _ in range(10):
        expected = np.bincount(annotator, words * difficulty[clip], annotators)
        factor = (_PRIOR_ANNOTATOR + made) / (_PRIOR_ANNOTATOR + expected)
        expected = np.bincount(clip, words * factor[annotator], clips)
        difficulty = (_PRIOR_CLIP + made_in_clip) / (_PRIOR_CLIP / mean + expected)
    return factor, difficulty, mean
