"""Several transcripts of one clip to one, and how reliable their annotators are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from label_rules.consensus.consensus import annotator_reliability, consensus
from label_rules.consensus.estimate import ANONYMOUS, estimate
from label_rules.consensus.said import said_keys
from label_rules.consensus.units import written_keys
from label_rules.corpus import Corpus

SENTENCES = [
    "the old man went home late in the evening",
    "my sister reads a book about the sea",
    "every child likes green apples and pears",
    "a teacher sings in the rain with our neighbour",
    "the dog slept under the table all day",
    "nobody knows where the river begins to flow",
] * 5


def corpus(*rows: tuple[str, str, str], **columns: object) -> Corpus:
    frame = pd.DataFrame(rows, columns=["utterance_id", "annotator", "text"])
    return Corpus(frame.assign(**columns))


def agreed(*texts: str) -> str:
    return str(consensus(corpus(*((("u", f"ann_{n}", text)) for n, text in enumerate(texts))))["text"].iloc[0])


def garbled(text: str, rng: np.random.Generator, share: float) -> str:
    other = ["".join(rng.choice(list("bcdfgjkpqvxz"), 6)) for _ in text.split()]
    return " ".join(o if rng.random() < share else word for word, o in zip(text.split(), other, strict=True))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("turn the light on", "turn the lid on", "turn the light on"), "turn the light on"),
        (
            ("Um, today's weather", "Um... today's weather", "Today's weather", "today's weather."),
            "Um, today's weather",
        ),
        (("Um, today's weather", "Today's weather", "Today's weather"), "Today's weather"),
        (("a b c d", "b c d", "a b c"), "a b c d"),
        (("well-known fact", "well-known fact", "well known fact"), "well-known fact"),
        (("안녕 하세요", "안녕하세요", "안녕하세요."), "안녕하세요"),
        (("오늘 날씨 어때", "오늘 날시 어때", "오늘날씨 어때"), "오늘 날씨 어때"),
        (("“yes” he said", "“yes” he said", "yes he said"), "“yes” he said"),
        (("only one",), "only one"),
        (("", "", "noise"), ""),
        (("?!", "?!"), "?!"),
    ],
)
def test_words_and_their_writing_are_put_to_the_vote(texts: tuple[str, ...], expected: str) -> None:
    assert agreed(*texts) == expected


def test_a_misspelling_meets_the_word_it_stands_for_and_not_its_neighbour() -> None:
    assert agreed("he definately went", "he definitely went", "he went definitely went") == "he definitely went"


def test_the_consensus_does_not_depend_on_the_order_of_the_rows() -> None:
    texts = ["the cat sat on a mat", "the cat sat on the mat", "a cat sat on the mat", "the cat sat on the mat"]
    assert {agreed(*np.roll(texts, shift)) for shift in range(4)} == {"the cat sat on the mat"}


def test_two_careless_annotators_do_not_outvote_a_careful_one() -> None:
    rng = np.random.default_rng(1)
    rows = []
    for number, text in enumerate(SENTENCES):
        rows += [(f"u{number}", f"ann_{name}", garbled(text, rng, 0.45)) for name in "ab"]
        rows.append((f"u{number}", "ann_careful", garbled(text, rng, 0.02)))
    known = corpus(*rows)
    merged = consensus(known)["text"].tolist()
    reliability = annotator_reliability(known).set_index("annotator")["expected_wer"]
    assert reliability.idxmin() == "ann_careful"
    assert sum(one == other for one, other in zip(merged, SENTENCES, strict=True)) > 0.7 * len(SENTENCES)


def test_a_reliable_annotator_with_another_clips_text_does_not_win() -> None:
    rows = [(f"u{n}", name, text) for n, text in enumerate(SENTENCES) for name in ("ann_a", "ann_b", "ann_c")]
    rows = [
        (u, a, garbled(t, np.random.default_rng(n), 0.2 if a != "ann_a" else 0.0)) for n, (u, a, t) in enumerate(rows)
    ]
    rows += [
        ("swapped", "ann_a", SENTENCES[3]),
        ("swapped", "ann_b", "the twenties"),
        ("swapped", "ann_c", "The twenties"),
    ]
    assert consensus(corpus(*rows)).set_index("utterance_id")["text"]["swapped"].lower() == "the twenties"


def test_recognisers_vote_unless_they_are_told_not_to() -> None:
    known = corpus(
        ("u", "ann_a", "by the see"),
        ("u", "ann_b", "by the sea"),
        hypothesis="by the sea",
        hypothesis_other="by the sea",
    )
    assert consensus(known)["text"].tolist() == ["by the sea"]
    assert consensus(known)["score"].iloc[0] > consensus(known, models_vote=False)["score"].iloc[0]
    assert "model:other" in annotator_reliability(known)["annotator"].tolist()
    assert not annotator_reliability(known, models_vote=False)["annotator"].str.startswith("model").any()


def test_the_same_audio_under_two_ids_has_one_consensus() -> None:
    rows = [("u1", "ann_a", "good night"), ("u1", "ann_b", "good knight"), ("u2", "ann_a", "good night")]
    assert consensus(corpus(*rows, audio_key=["k", "k", "k"]))["text"].tolist() == ["good night", "good night"]


def test_unknown_annotators_are_nobody_in_particular() -> None:
    rows = [(f"u{n}", f"{ANONYMOUS}{k}", text) for n, text in enumerate(SENTENCES) for k in (1, 2, 3)]
    assert estimate(corpus(*rows)).names == [ANONYMOUS]


def test_transcripts_too_long_to_merge_have_no_consensus() -> None:
    long = "a b " * 10_000
    merged = consensus(corpus(("u", "ann_a", long), ("u", "ann_b", long + "c"), ("v", "ann_a", "yes")))
    assert merged["text"].isna().tolist() == [True, False]


def test_an_annotator_with_one_bad_clip_stays_near_the_mean_and_one_with_many_does_not() -> None:
    rng = np.random.default_rng(2)
    rows = []
    for number, text in enumerate(SENTENCES):
        rows += [(f"u{number}", name, garbled(text, rng, 0.1)) for name in ("ann_a", "ann_b", "ann_c")]
        bad = "ann_often" if number else "ann_once"
        rows.append((f"u{number}", bad, garbled(text, rng, 0.5)))
    expected = annotator_reliability(corpus(*rows)).set_index("annotator")["expected_wer"]
    assert expected["ann_often"] > expected["ann_once"] > expected["ann_a"]


def test_vowel_signs_are_letters_of_their_words() -> None:
    """Scripts write vowels as combining marks; without them these two words would be one."""
    assert estimate(corpus(("u", "ann_a", "किताब"), ("u", "ann_b", "कतब"))).wrong.min() > 0.1
    assert written_keys("किताब लाओ") == ["किताब", "लाओ"]
    assert written_keys("สวัสดี") == ["สวัสดี"]


def test_of_a_dual_transcription_the_spoken_side_is_said() -> None:
    assert said_keys("(70%)/(칠십 퍼센트) 맞죠") == said_keys("칠십 퍼센트 맞죠")
    assert said_keys("70% 맞죠") == ["70", "퍼", "센", "트", "맞", "죠"]
