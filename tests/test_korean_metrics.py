"""Korean units and rates: syllables, jamo, spacing as ESPnet's KsponSpeech recipe moves it, and the five metrics."""

from __future__ import annotations

import random
import unicodedata

import jiwer
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InvalidInput
from analysis.korean_metrics import KOREAN_COUNTS, METRICS, korean_counts, overall_korean
from analysis.korean_units import jamo, syllables
from analysis.spacing import space_normalise_all, space_normalised

FEW_LETTERS = st.text("가나다각a ", max_size=12).map(lambda text: " ".join(text.split()))
KOREAN = st.text([*"가각힣ㅋㅠ１a3é \t\u00a0", "\u1100", "\u1161", "\u11a8"], max_size=20)


def test_syllables_are_characters_without_spaces() -> None:
    assert syllables(" 오늘\t날씨\u00a0ㅋㅋ 70% ") == "오늘날씨ㅋㅋ70%"
    assert syllables(unicodedata.normalize("NFD", "닭이 é")) == "닭이é"


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("가", "\u1100\u1161"),
        ("각", "\u1100\u1161\u11a8"),
        ("까", "\u1101\u1161"),
        ("와", "\u110b\u116a"),
        ("닭", "\u1103\u1161\u11b0"),
        ("힣", "\u1112\u1175\u11c2"),
        ("ㅋ é ﾡ 3", "ㅋ é ﾡ 3"),
        ("", ""),
    ],
)
def test_jamo(text: str, letters: str) -> None:
    assert jamo(text) == letters


def test_the_jamo_of_every_syllable_make_it_up_again() -> None:
    every = "".join(map(chr, range(0xAC00, 0xD7A4)))
    assert unicodedata.normalize("NFC", jamo(every)) == every
    assert jamo(every) == unicodedata.normalize("NFD", every)
    assert all(len(jamo(syllable)) == (2 if (ord(syllable) - 0xAC00) % 28 == 0 else 3) for syllable in every)


@given(KOREAN)
def test_jamo_touch_syllables_only(text: str) -> None:
    assert jamo("".join(c for c in text if not "가" <= c <= "힣")) == "".join(c for c in text if not "가" <= c <= "힣")
    assert len(jamo(text)) >= len(text)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("오늘 날씨가 좋다", "오늘날씨가 좋다", "오늘 날씨가 좋다"),
        ("오늘 날씨가 좋다", "오 늘 날 씨 가 좋 다", "오늘 날씨가 좋다"),
        ("오늘 날씨가 좋다", "오늘날 씨가 좋네", "오늘 날씨가 좋네"),
        ("오늘 날씨가", "오늘 아주날씨가", "오늘 아주 날씨가"),
        ("오늘 날씨가", "오늘 아주 날 씨가", "오늘 아주 날씨가"),
        ("오늘 날씨가 좋다", "오늘 좋다", "오늘 좋다"),
        ("가 나 나", "나", "나"),
        ("가나", "나", "나"),
        ("가 나", "", ""),
        ("", "가 나", "가 나"),
        ("네", "네", "네"),
    ],
)
def test_equal_characters_take_over_the_spacing_of_the_reference(
    reference: str, hypothesis: str, expected: str
) -> None:
    assert space_normalised(reference, hypothesis) == expected


def by_the_recipe(reference: str, hypothesis: str) -> str:
    """ESPnet's `egs/ksponspeech/asr1/local/get_space_normalized_hyps.py`, restated cell by cell."""
    ref, hyp = ([f"▁{word}"[i : i + 2] if i == 0 else word[i] for word in text.split() for i in range(len(word))]
                for text in (reference, hypothesis))  # fmt: skip
    costs = [[r if h == 0 else h for r in range(len(ref) + 1)] for h in range(len(hyp) + 1)]

    def ways(h: int, r: int) -> tuple[int, int, int]:
        differ = hyp[h - 1].strip("▁") != ref[r - 1].strip("▁")
        return costs[h - 1][r - 1] + differ, costs[h - 1][r] + 1, costs[h][r - 1] + 1

    for h in range(1, len(hyp) + 1):
        for r in range(1, len(ref) + 1):
            costs[h][r] = min(ways(h, r))
    made: list[str] = []
    h, r = len(hyp), len(ref)
    while h:
        diagonal, insertion, deletion = ways(h, r) if r else (2, 0, 1)
        if diagonal <= min(insertion, deletion):
            h, r = h - 1, r - 1
            made.append(ref[r] if ref[r].strip("▁") == hyp[h].strip("▁") else hyp[h])
        elif insertion < deletion:
            h -= 1
            made.append(hyp[h])
        else:
            r -= 1
    return " ".join("".join(reversed(made)).replace("▁", " ").split())


@given(FEW_LETTERS, FEW_LETTERS)
@settings(max_examples=500, deadline=None)
def test_the_spacing_is_that_of_the_recipe_on_texts_full_of_ties(reference: str, hypothesis: str) -> None:
    assert space_normalised(reference, hypothesis) == by_the_recipe(reference, hypothesis)


def korean_pairs(count: int) -> tuple[list[str], list[str]]:
    """Random sentences of 1 to 10 words, and each with syllables and spaces lost, added and replaced."""
    random_numbers = random.Random(7)
    letters = [chr(point) for point in range(0xAC00, 0xD7A4, 97)]
    references, hypotheses = [], []
    for _ in range(count):
        lengths = random_numbers.choices([1, 2, 3, 4], k=random_numbers.randint(1, 10))
        reference = " ".join("".join(random_numbers.choices(letters, k=length)) for length in lengths)
        heard = [
            random_numbers.choices([c, "", " ", c + " ", f"{c}{random_numbers.choice(letters)}"], [80, 6, 3, 5, 6])[0]
            for c in reference
        ]
        references.append(reference)
        hypotheses.append(" ".join("".join(heard).split()))
    return references, hypotheses


def test_the_spacing_is_that_of_the_recipe_on_thousands_of_sentences() -> None:
    references, hypotheses = korean_pairs(4000)
    expected = [by_the_recipe(*pair) for pair in zip(references, hypotheses, strict=True)]
    assert space_normalise_all(references, hypotheses) == expected
    assert expected != hypotheses


@given(FEW_LETTERS, FEW_LETTERS)
@settings(deadline=None)
def test_moving_spaces_moves_nothing_else_and_settles(reference: str, hypothesis: str) -> None:
    spaced = space_normalised(reference, hypothesis)
    assert syllables(spaced) == syllables(hypothesis)
    assert space_normalised(reference, spaced) == spaced
    assert space_normalised(reference, reference) == reference


def test_the_five_metrics() -> None:
    counts = korean_counts(["오늘 날씨가 좋다", "네"], ["오늘날씨가 좋네", "예"])
    assert list(counts.columns) == KOREAN_COUNTS
    by_metric = {
        metric: counts[[f"{metric}_{c}" for c in ("ref", "hits", "substitutions", "deletions", "insertions")]]
        .to_numpy()
        .tolist()
        for metric in METRICS
    }
    assert by_metric == {
        "cer": [[7, 6, 1, 0, 0], [1, 0, 1, 0, 0]],
        "cer_with_spaces": [[9, 7, 1, 1, 0], [1, 0, 1, 0, 0]],
        "jer": [[17, 15, 2, 0, 0], [2, 0, 2, 0, 0]],
        "wer": [[3, 0, 2, 1, 0], [1, 0, 1, 0, 0]],
        "swer": [[3, 2, 1, 0, 0], [1, 0, 1, 0, 0]],
    }
    assert overall_korean(counts) == {"cer": 2 / 8, "cer_with_spaces": 3 / 10, "jer": 4 / 19, "wer": 1.0, "swer": 0.5}


def test_the_rates_are_those_of_jiwer_on_the_units() -> None:
    references, hypotheses = korean_pairs(300)
    rates = overall_korean(korean_counts(references, hypotheses))
    units = [[syllables(text) for text in side] for side in (references, hypotheses)]
    letters = [[jamo(text) for text in side] for side in units]
    spaced = [by_the_recipe(*pair) for pair in zip(references, hypotheses, strict=True)]
    assert rates == {
        "cer": jiwer.cer(*units),
        "cer_with_spaces": jiwer.cer(references, hypotheses),
        "jer": jiwer.cer(*letters),
        "wer": jiwer.wer(references, hypotheses),
        "swer": jiwer.wer(references, spaced),
    }


@given(st.lists(st.tuples(FEW_LETTERS, FEW_LETTERS), max_size=4))
@settings(deadline=None)
def test_counts_make_up_the_reference_and_spaces_of_equal_syllables_cost_words_only(
    pairs: list[tuple[str, str]],
) -> None:
    references, hypotheses = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    counts = korean_counts(references, hypotheses)
    assert len(counts) == len(pairs)
    for metric in METRICS:
        parts = counts[f"{metric}_hits"] + counts[f"{metric}_substitutions"] + counts[f"{metric}_deletions"]
        assert parts.tolist() == counts[f"{metric}_ref"].tolist()
    assert counts["cer_ref"].tolist() == [len(syllables(text)) for text in references]
    respaced = [" ".join(syllables(text)) for text in references]
    rates = overall_korean(korean_counts(references, respaced))
    assert {rates["cer"], rates["jer"], rates["swer"]} <= {0.0, None}


def test_nothing_to_say_has_no_rate() -> None:
    nothing = dict.fromkeys(METRICS)
    assert overall_korean(korean_counts([], [])) == nothing
    assert overall_korean(korean_counts(["", " "], ["네", ""])) == nothing


def test_the_costs_of_sclite_can_be_chosen() -> None:
    # At NIST's costs two gaps are cheaper than two substitutions where a hit is won.
    unit, sclite = (korean_counts(["가 나"], ["나 다"], alignment) for alignment in ("unit", "sclite"))
    assert unit["cer_substitutions"].tolist() == [2]
    assert sclite[["cer_hits", "cer_deletions", "cer_insertions"]].to_numpy().tolist() == [[1, 1, 1]]


def test_wrong_input_is_named() -> None:
    with pytest.raises(InvalidInput, match="found 2 references and 1 hypotheses"):
        korean_counts(["가", "나"], ["가"])
    with pytest.raises(InvalidInput, match="found 2 references and 1 hypotheses"):
        space_normalise_all(["가", "나"], ["가"])
    with pytest.raises(InvalidInput, match="the text at position 0 is missing"):
        korean_counts([None], ["가"])  # type: ignore[list-item]
    with pytest.raises(InvalidInput, match="the counts have no column jer_ref"):
        overall_korean(pd.DataFrame(columns=[c for c in KOREAN_COUNTS if c != "jer_ref"]))
