"""How likely a transcript is wrong, by what recognisers heard: what may count against it, and what may not."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from label_rules.apply import apply_rules
from label_rules.corpus import Corpus
from label_rules.model.missing_words import MISSING_WORD_RULES
from label_rules.suspects.model import ModelEvidence, model_evidence
from scripts.planted_labels import (
    HARMFUL,
    HARMLESS,
    average_precision,
    corpus_of,
    measured,
    plant,
    read_clips,
    wer,
)
from scripts.real_pairs import SYSTEMS

_SUBJECTS = ("the dog", "my sister", "a teacher", "our neighbour", "the old man", "every child", "that farmer")
_ENDS = ("went home late", "reads a good book", "likes green apples", "sings in the rain", "saw the wide ocean")
_WHEN = ("yesterday", "on monday morning", "before the summer")
TEXTS = [f"{subject} {end} {when}" for subject in _SUBJECTS for end in _ENDS for when in _WHEN]
SAID = "our neighbour saw the wide ocean before the summer"


def hearings(texts: list[str], errors: float, seed: int) -> list[str]:
    """What a recogniser hears that now and then gets the last letters of a word wrong."""
    draw = random.Random(seed)
    return [" ".join(w[:-1] + draw.choice("aeiou") if draw.random() < errors else w for w in t.split()) for t in texts]


def judged(
    labels: list[str], *heard: str | list[str], texts: list[str] = TEXTS, errors: float = 0.08
) -> list[ModelEvidence]:
    """The evidence on each of the labels, which end a corpus; each model hears the same of all, or its list."""
    frame = pd.DataFrame({"text": [*texts, *labels]}).assign(annotator="ann_a")
    frame["utterance_id"] = [f"u{n}" for n in range(len(frame))]
    for number, words in enumerate(heard):
        own = [words] * len(labels) if isinstance(words, str) else words
        frame[f"hypothesis_m{number}" if number else "hypothesis"] = [*hearings(texts, errors, number), *own]
    found = model_evidence(Corpus(frame))
    columns = vars(found)
    return [
        ModelEvidence(**{name: values[len(texts) + n : len(texts) + n + 1] for name, values in columns.items()})
        for n in range(len(labels))
    ]


def test_what_is_only_written_otherwise_says_nothing() -> None:
    labels = [
        "Um, our neighbour saw the wide ocean before the summer",
        "OUR NEIGHBOUR SAW THE WIDE OCEAN, BEFORE THE SUMMER...",
        "our neighbor saw the [noise] wide ocean before the summer",
        "our  neighbour saw thewide ocean before the sum mer",
    ]
    found = judged([*labels, "it's 21 at 3", "do not"], [SAID] * 4 + ["It is twenty one at three", "don't"])
    for evidence in found:
        assert evidence.score[0] < 0.02
        assert evidence.evidence == ["the model heard what the transcript says"]


def test_what_is_wrong_outranks_what_was_misheard_and_is_pointed_out() -> None:
    labels = [
        "our neighbour saw the ocean before the summer",
        "our neighbour likes the wide ocean before the summer",
        "our neighbour saw the wide",
        "every child sings in the rain on monday morning",
        SAID,
    ]
    *wrong, misheard = judged(labels, [SAID] * 4 + [SAID.replace("ocean", "oceana")])
    assert misheard.score[0] < 0.02
    for label, evidence in zip(labels, wrong, strict=False):
        assert evidence.score[0] > 5 * misheard.score[0], label
    assert wrong[3].score[0] > 0.5
    spans = [(label[e.start[0] : e.end[0]], e.heard[0]) for label, e in zip(labels, wrong, strict=False)]
    assert spans[:3] == [("", "wide"), ("likes", "saw"), ("", "ocean before the summer")]
    assert wrong[0].evidence == ["the model heard “wide” where the transcript has nothing"]
    assert [bool(e.whole[0]) for e in wrong] == [False, False, False, True]


def test_several_models_that_agree_say_more_than_one_that_errs() -> None:
    label = "our neighbour likes the wide ocean before the summer"
    alone, agreeing = judged([label, label], SAID, [label, SAID], [label, SAID])
    assert agreeing.score[0] > 2 * alone.score[0]
    assert agreeing.evidence[0] is not None
    assert agreeing.evidence[0].endswith("; 3 of 3 models hear something else there")


@pytest.mark.parametrize("label", ["every child", "", "um", "..."])
def test_one_clip_is_judged_by_a_plain_rule(label: str) -> None:
    (wrong,) = (evidence.score for evidence in judged([label], SAID, texts=[]))
    (right,) = (evidence.score for evidence in judged([SAID], SAID, texts=[]))
    assert 0 <= right[0] < 0.05 < wrong[0] <= 1


def test_without_hypotheses_nothing_is_said() -> None:
    frame = pd.DataFrame({"utterance_id": ["a", "b"], "annotator": "ann_a", "text": ["yes", "no"]})
    for columns in ({}, {"hypothesis": [None, None]}, {"hypothesis": ["", None], "hypothesis_b": [None, "..."]}):
        found = model_evidence(Corpus(frame.assign(**columns)))
        assert np.isnan(found.score).all()
        assert found.evidence == [None, None]
    assert len(model_evidence(Corpus(frame.iloc[:0])).score) == 0


def test_korean_is_compared_without_its_spaces() -> None:
    days = ("오늘", "내일", "어제", "주말에", "아침에", "저녁에")
    ends = (
        "날씨가 아주 좋아요",
        "친구를 만났어요",
        "영화를 봤습니다",
        "학교에 갔어요",
        "밥을 먹었습니다",
        "비가 많이 왔어요",
    )
    texts = [f"{day} {end}" for day in days for end in ends]
    labels = ["다음 주에여행을 가려고해요", "새 자동차를 사고 싶어요"]
    respaced, other = judged(labels, "다음주에 여행을 가려고 해요", texts=texts, errors=0)
    assert respaced.score[0] < 0.05
    assert other.score[0] > 0.5


def test_the_same_corpus_is_judged_the_same_again() -> None:
    one, other = (judged(["our neighbour saw the ocean"], SAID)[0] for _ in range(2))
    np.testing.assert_array_equal(one.score, other.score)


@pytest.mark.parametrize(
    ("label", "heard", "suggestion"),
    [
        ("Please turn the off.", "please turn the lamp off", "Please turn the lamp off."),
        ("turn the lamp.", "turn the lamp off", "turn the lamp off."),
        ("the lamp off", "turn the lamp off", "turn the lamp off"),
        ("turn the kitchen lamp off", "turn the lamp off", "turn the lamp off"),
        ("turn the radio, now", "turn the lamp now", "turn the lamp, now"),
        ("It turned out well", "It's turned out well", "It is turned out well"),
        ("I am 25 years old", "I am twenty six years old", "I am twenty six years old"),
        ("it's raining now", "it was raining now", "it was raining now"),
        ("turn the radio, off", "turn the off", "turn the, off"),
        ("Elephants, we saw seven", "we saw seven", "we saw seven"),
        ("“Stop”, he said", "he said", None),
        ("오늘 날씨 어때", "오늘 날개 어때", "오늘 날개 어때"),
        ("오늘 날씨 어때", "오늘 서울 날씨 어때", "오늘 서울 날씨 어때"),
        ("(3시)/(세 시)에 봐", "세 시에 꼭 봐", "(3시)/(세 시)에 꼭 봐"),
    ],
)
def test_missing_words_are_put_where_they_were_heard(label: str, heard: str, suggestion: str | None) -> None:
    frame = pd.DataFrame({"utterance_id": ["a"], "annotator": "ann_a", "text": label, "hypothesis": heard})
    applied = apply_rules(frame.assign(hypothesis_b=heard.upper()), MISSING_WORD_RULES)
    assert applied.exceptions == ()
    assert applied.flags["suggestion"].astype(object).where(applied.flags["suggestion"].notna(), None).tolist() == [
        suggestion
    ]


def test_planted_labels_are_planted_once_and_found_better_than_by_wer(shared_data: Path) -> None:
    clips = read_clips(shared_data, ["azure", "google"], "develop").iloc[:700].reset_index(drop=True)
    texts, kinds = plant(clips["text"].tolist(), 0.05, seed=3)
    of = np.array(kinds)
    assert set(kinds) == {"clean", *HARMFUL, *HARMLESS}
    assert (of[np.array(texts) == clips["text"]] == "clean").all()
    harmful = np.isin(of, HARMFUL)
    score = model_evidence(corpus_of(clips, texts, ["azure"])).score
    plain = wer(texts, clips, ["azure"], str.casefold)
    assert average_precision(harmful, score) > average_precision(harmful, plain) + 0.1
    assert measured(of, score, 0.5)["harmless"][4] < 0.05
    assert set(SYSTEMS) >= {"azure", "google"}
