"""Agreement: error rates between transcribers, and Krippendorff's alpha against textbook and brute force."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from pathlib import Path
from statistics import mean

import jiwer
import numpy as np
import pandas as pd
import pytest

from analysis.agreement import Alpha, krippendorff_alpha, pairwise_wer, pooled_wer, wer_to_others
from analysis.errors import InvalidInput
from analysis.normalizers import get_normalizer
from analysis.text_distances import DISTANCES, DistinctTexts, get_distance

NONE, BASIC, KOREAN = (get_normalizer(name) for name in ("none", "basic", "korean"))

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: 4 observers, 12 units, missing values.
OBSERVERS = {
    "ann_a": "1 2 3 3 2 1 4 1 2 . . .",
    "ann_b": "1 2 3 3 2 2 4 1 2 5 . 3",
    "ann_c": ". 3 3 3 2 3 4 2 2 5 1 .",
    "ann_d": "1 2 3 3 2 4 4 1 2 5 1 .",
}
WORDS = ("the", "cat", "sat", "on", "a", "mat", "today", "um")


def labels_of(by_annotator: Mapping[str, Sequence[str | None]]) -> pd.DataFrame:
    """One row for each text that is not None; its place in the list is the utterance."""
    rows = [
        (f"utt{place:03}", name, text)
        for name, texts in by_annotator.items()
        for place, text in enumerate(texts)
        if text is not None
    ]
    return pd.DataFrame(rows, columns=["utterance_id", "annotator", "text"])


def observed_values() -> pd.DataFrame:
    values = {name: [None if one == "." else one for one in line.split()] for name, line in OBSERVERS.items()}
    return labels_of(values)


def random_labels(seed: int, units: int = 14, annotators: int = 4, longest: int = 6) -> pd.DataFrame:
    """Texts of few words, some of them missing and some of them empty, that often agree."""
    rng = random.Random(seed)
    texts: dict[str, list[str | None]] = {f"ann_{number}": [] for number in range(annotators)}
    for _ in range(units):
        spoken = [rng.choice(WORDS) for _ in range(rng.randint(0, longest))]
        for name in texts:
            heard = [rng.choice(WORDS) if rng.random() < 0.2 else word for word in spoken if rng.random() > 0.1]
            texts[name].append(None if rng.random() < 0.3 else " ".join(heard))
    return labels_of(texts)


def coincidence_alpha(labels: pd.DataFrame) -> float:
    """Nominal alpha by the textbook's coincidence matrix: 1 - (n - 1) (sum of o_ck) / (sum of n_c n_k), c not k."""
    coincidences: Counter[tuple[str, str]] = Counter()
    for _, values in labels.groupby("utterance_id")["text"]:
        for pair in permutations(values, 2):
            coincidences[pair] += 1 / (len(values) - 1)  # type: ignore[assignment]
    marginals: dict[str, float] = defaultdict(float)
    for (value, _), count in coincidences.items():
        marginals[value] += count
    n = sum(marginals.values())
    unlike = sum(count for (one, other), count in coincidences.items() if one != other)
    expected = sum(marginals[one] * marginals[other] for one, other in permutations(marginals, 2))
    return 1 - (n - 1) * unlike / expected


def edits(one: list[str], other: list[str]) -> int:
    """Levenshtein's table, cell by cell."""
    row = list(range(len(other) + 1))
    for number, mine in enumerate(one, 1):
        before, row = row, [number]
        for place, theirs in enumerate(other):
            row.append(min(before[place] + (mine != theirs), before[place + 1] + 1, row[place] + 1))
    return row[-1]


def share(one: list[str], other: list[str]) -> float:
    return edits(one, other) / max(len(one), len(other), 1)


PLAIN = {
    "exact": lambda one, other: float(one != other),
    "word": lambda one, other: share(one.split(), other.split()),
    "char": lambda one, other: share(list(one), list(other)),
    "syllable": lambda one, other: share(list(one.replace(" ", "")), list(other.replace(" ", ""))),
}


def brute_alpha(labels: pd.DataFrame, distance: str) -> tuple[float, float, float]:
    """Observed and expected disagreement and alpha by their definitions."""
    apart = PLAIN[distance]
    units = [list(texts) for _, texts in labels.groupby("utterance_id")["text"] if len(texts) > 1]
    values = [text for texts in units for text in texts]
    observed = sum(len(texts) * mean(apart(a, b) for a, b in permutations(texts, 2)) for texts in units) / len(values)
    expected = mean(apart(a, b) for a, b in permutations(values, 2))
    return observed, expected, 1 - observed / expected


# -- alpha ------------------------------------------------------------------------------------------------------------


def test_krippendorffs_own_example_with_missing_values() -> None:
    found = krippendorff_alpha(observed_values(), NONE, "exact")
    assert found.alpha is not None
    assert round(found.alpha, 3) == 0.743
    # Unit 12 has one value, which nothing can be paired with.
    assert (found.annotators, found.utterances, found.labels, found.pairs) == (4, 11, 40, 780)
    assert found.alpha == pytest.approx(coincidence_alpha(observed_values()[lambda f: f["utterance_id"] != "utt011"]))


@pytest.mark.parametrize("seed", range(5))
def test_alpha_for_exact_texts_is_the_one_of_the_coincidence_matrix(seed: int) -> None:
    labels = random_labels(seed, longest=2)
    pairable = labels[labels.groupby("utterance_id")["text"].transform("size") > 1]
    assert krippendorff_alpha(labels, NONE, "exact").alpha == pytest.approx(coincidence_alpha(pairable))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("seed", range(3))
def test_disagreement_is_that_of_the_definition(distance: str, seed: int) -> None:
    labels = random_labels(seed)
    found = krippendorff_alpha(labels, NONE, distance)
    assert (found.observed, found.expected, found.alpha) == pytest.approx(brute_alpha(labels, distance))
    assert found.expected_error == 0


def test_many_texts_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = random_labels(1)
    whole = krippendorff_alpha(labels, NONE, "word")
    monkeypatch.setattr("analysis.text_distances._BLOCK_CELLS", 50)
    assert krippendorff_alpha(labels, NONE, "word").alpha == pytest.approx(whole.alpha)


@pytest.mark.parametrize("distance", ["word", "char"])
def test_a_sample_of_pairs_says_its_error_and_keeps_to_it(distance: str) -> None:
    labels = random_labels(2, units=40)
    exact = krippendorff_alpha(labels, NONE, distance)
    sampled = krippendorff_alpha(labels, NONE, distance, most_cells=0, sampled_pairs=20_000)
    assert sampled.pairs == 20_000
    assert exact.expected is not None and sampled.expected is not None and sampled.expected_error is not None
    assert 0 < sampled.expected_error < 0.005
    assert abs(sampled.expected - exact.expected) < 4 * sampled.expected_error
    assert krippendorff_alpha(labels, NONE, distance, most_cells=0, sampled_pairs=20_000) == sampled
    assert (sampled.low, sampled.high) == pytest.approx((exact.low, exact.high), abs=0.02)


@pytest.mark.parametrize("distance", DISTANCES)
def test_identical_labels_agree_wholly_and_have_no_interval(distance: str) -> None:
    texts: list[str | None] = ["the cat", "a mat", "um", ""]
    found = krippendorff_alpha(labels_of({"ann_a": texts, "ann_b": texts}), NONE, distance)
    assert (found.alpha, found.observed, found.low, found.high, found.why) == (1.0, 0.0, None, None, "")


@pytest.mark.parametrize("distance", DISTANCES)
def test_texts_dealt_out_at_random_agree_by_chance_only(distance: str) -> None:
    labels = random_labels(3, units=300)
    labels["text"] = labels["text"].sample(frac=1, random_state=3).to_numpy()
    found = krippendorff_alpha(labels, NONE, distance)
    assert found.alpha is not None and found.low is not None and found.high is not None
    assert abs(found.alpha) < 0.05
    assert found.low < 0 < found.high


@pytest.mark.parametrize("most_cells", [0, 1e9])
def test_order_and_names_of_annotators_do_not_matter(most_cells: float) -> None:
    labels = random_labels(4)
    found = krippendorff_alpha(labels, NONE, "word", most_cells=most_cells)
    shuffled = labels.sample(frac=1, random_state=1)
    # Whoever was first by name is last now.
    renamed = shuffled.assign(annotator="x" + (9 - labels["annotator"].str[-1].astype(int)).astype(str))
    assert krippendorff_alpha(renamed, NONE, "word", most_cells=most_cells) == found
    rates, again = pairwise_wer(labels, NONE), pairwise_wer(shuffled, NONE)
    pd.testing.assert_frame_equal(rates, again)


def test_the_normalizer_says_what_counts_as_a_difference() -> None:
    labels = labels_of({"ann_a": ["Um, the cat", "a mat"], "ann_b": ["um the cat", "a mat"]})
    folded, written = krippendorff_alpha(labels, BASIC, "word"), krippendorff_alpha(labels, NONE, "word")
    assert (folded.normalizer, folded.alpha) == ("basic-1", 1.0)
    assert written.normalizer == "none-1"
    assert written.observed == pytest.approx((1 / 3) / 2)
    assert pooled_wer(labels, BASIC)["errors"].tolist() == [0]
    assert pooled_wer(labels, NONE)["errors"].tolist() == [1]


def test_korean_spacing_misleads_words_and_not_syllables() -> None:
    labels = labels_of({"ann_a": ["오늘 날씨 어때", "네"], "ann_b": ["오늘날씨 어때", "네"]})
    by_words = krippendorff_alpha(labels, KOREAN, "word")
    assert by_words.alpha is not None and by_words.alpha < 0.7
    assert krippendorff_alpha(labels, KOREAN, "syllable").alpha == 1
    assert pooled_wer(labels, KOREAN)[["errors", "char_errors"]].to_numpy().tolist() == [[2, 0]]


@pytest.mark.parametrize(
    ("texts", "observed", "says"),
    [
        ({}, None, "no utterance has transcripts of two people"),
        ({"ann_a": ["the cat", "a mat"]}, None, "no utterance has transcripts of two people"),
        ({"ann_a": ["the cat", None], "ann_b": ["a mat", "um"]}, 1.0, "only one utterance has transcripts"),
        ({"ann_a": ["um", "um"], "ann_b": ["um", "um"]}, 0.0, "the same text: there is nothing to tell apart"),
        ({"ann_a": ["", ""], "ann_b": ["", ""]}, 0.0, "the same text"),
    ],
)
def test_where_alpha_is_not_defined_it_says_why(
    texts: dict[str, list[str | None]], observed: float | None, says: str
) -> None:
    found = krippendorff_alpha(labels_of(texts), NONE, "word")
    assert (found.alpha, found.low, found.high, found.observed) == (None, None, None, observed)
    assert says in found.why


RARE = {
    "ann_a": ["yes"] * 26 + ["no"] * 3 + ["yes"],
    "ann_b": ["yes"] * 26 + ["no"] * 3 + ["no"],
}


def resampled_alphas(labels: pd.DataFrame, resamples: int = 3000) -> list[float]:
    """The bootstrap by its definition, where copies of an utterance are not compared with one another."""
    units = [list(texts) for _, texts in labels.groupby("utterance_id")["text"] if len(texts) > 1]
    apart = {(a, b): PLAIN["word"](a, b) for texts in units for a in texts for more in units for b in more}
    within = np.array([sum(apart[a, b] for a, b in permutations(texts, 2)) for texts in units])
    sizes = np.array([len(texts) for texts in units])
    across = np.array([[sum(apart[a, b] for a in one for b in other) for other in units] for one in units], float)
    np.fill_diagonal(across, within)
    pairs = np.outer(sizes, sizes)
    np.fill_diagonal(pairs, sizes * (sizes - 1))
    rng = np.random.default_rng(1)
    alphas = []
    for _ in range(resamples):
        weights = np.bincount(rng.integers(len(units), size=len(units)), minlength=len(units))
        both = np.outer(weights, weights)
        np.fill_diagonal(both, weights)
        expected = (both * across).sum() / (both * pairs).sum()
        observed = (weights * within / (sizes - 1)).sum() / (weights * sizes).sum()
        alphas += [1 - observed / expected] if expected else []
    return alphas


@pytest.mark.parametrize("labels", [random_labels(5, units=60), random_labels(6, units=8), labels_of(RARE)])
def test_the_interval_is_that_of_utterances_drawn_again(labels: pd.DataFrame) -> None:
    found = krippendorff_alpha(labels, NONE, "word", resamples=4000)
    low, high = np.percentile(resampled_alphas(labels), [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


@pytest.mark.parametrize("most_cells", [0, 1e9])
def test_the_interval_of_many_utterances_is_nearly_that(most_cells: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.agreement.MOST_RESAMPLED_EXACTLY", 0)
    # What is rare is where people differ: resamples with more disagreement expect more of it.
    uneven = labels_of({"ann_a": ["yes"] * 106 + ["no"] * 10, "ann_b": ["yes"] * 106 + ["well"] * 10})
    for labels in (random_labels(5, units=60), uneven):
        found = krippendorff_alpha(labels, NONE, "word", most_cells=most_cells, sampled_pairs=20_000)
        low, high = np.percentile(resampled_alphas(labels, 1000), [2.5, 97.5])
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.05)


def test_speakers_are_drawn_whole() -> None:
    labels = random_labels(6, units=40)
    utterances = labels["utterance_id"].unique()
    alone = krippendorff_alpha(labels, NONE, "word")
    one_speaker = pd.Series(0, index=utterances)
    together = krippendorff_alpha(labels, NONE, "word", groups=one_speaker)
    assert (alone.alpha, alone.expected) == pytest.approx((together.alpha, together.expected))
    assert alone.low is not None
    assert (together.groups, together.low, together.high) == (1, None, None)
    four = krippendorff_alpha(labels, NONE, "word", groups=pd.Series(np.arange(len(utterances)) % 4, index=utterances))
    assert four.groups == 4
    assert four.low is not None and four.high is not None and four.alpha is not None
    assert four.low <= four.alpha <= four.high


# -- error rates ------------------------------------------------------------------------------------------------------


def test_the_three_labellers_of_one_clip() -> None:
    labels = labels_of(
        {
            "ann_a": ["Um, today's weather", "the cat"],
            "ann_b": ["Um... today's weather", "the cat"],
            "ann_c": ["Today's weather", None],
        }
    )
    table = pairwise_wer(labels, BASIC)
    columns = ["annotator_a", "annotator_b", "utterances", "same", "words_a", "words_b", "errors"]
    assert table[columns].to_numpy().tolist() == [
        ["ann_a", "ann_b", 2, 2, 5, 5, 0],
        ["ann_a", "ann_c", 1, 0, 3, 2, 1],
        ["ann_b", "ann_c", 1, 0, 3, 2, 1],
    ]
    assert table["wer"].tolist() == pytest.approx([0, 1 / 2.5, 1 / 2.5])
    others = wer_to_others(labels, BASIC).set_index("annotator")
    assert others.loc["ann_c", ["utterances", "comparisons", "same", "words_a", "words_b", "errors"]].tolist() == [
        1, 2, 0, 4, 6, 2,
    ]  # fmt: skip
    assert others.loc["ann_c", "wer"] == pytest.approx(2 / 5)
    assert others.loc["ann_a", ["utterances", "comparisons", "errors"]].tolist() == [2, 3, 1]


@pytest.mark.parametrize("seed", range(3))
def test_errors_are_jiwers_in_either_direction_and_sum_up(seed: int) -> None:
    labels = random_labels(seed)
    table = pairwise_wer(labels, NONE)
    texts = labels.pivot(index="utterance_id", columns="annotator", values="text")
    assert len(table) == math.comb(4, 2)
    for row in table.itertuples():
        both = texts[[row.annotator_a, row.annotator_b]].dropna()
        sides = [both[row.annotator_a].tolist(), both[row.annotator_b].tolist()]
        expected = 0
        for one, other in zip(*sides, strict=True):
            expected += edits(one.split(), other.split())
        assert (row.errors, row.utterances) == (expected, len(both))
        assert (row.words_a, row.words_b) == tuple(sum(len(text.split()) for text in side) for side in sides)
        spoken = [(a, b) for a, b in zip(*sides, strict=True) if a and b]
        for references, hypotheses in (zip(*spoken, strict=True), zip(*(pair[::-1] for pair in spoken), strict=True)):
            counts = jiwer.process_words(list(references), list(hypotheses))
            silent = sum(len((a or b).split()) for a, b in zip(*sides, strict=True) if not (a and b))
            assert counts.substitutions + counts.deletions + counts.insertions + silent == row.errors
    pooled = pooled_wer(labels, NONE).iloc[0]
    assert pooled["errors"] == table["errors"].sum()
    assert pooled["wer"] == pytest.approx(2 * table["errors"].sum() / table[["words_a", "words_b"]].to_numpy().sum())
    others = wer_to_others(labels, NONE)
    assert others["errors"].sum() == 2 * table["errors"].sum()


def test_the_pair_that_shares_most_comes_first_and_only_the_first_get_intervals() -> None:
    labels = random_labels(7, units=60)
    table = pairwise_wer(labels, NONE, most_intervals=2)
    assert table["utterances"].is_monotonic_decreasing
    assert table["wer_low"].notna().tolist() == [True, True, False, False, False, False]
    row = table.iloc[0]
    assert row["wer_low"] < row["wer"] < row["wer_high"]
    assert row["cer_low"] < row["cer"] < row["cer_high"]


def test_no_words_have_no_rate_and_no_pair_has_no_row() -> None:
    silent = pairwise_wer(labels_of({"ann_a": ["", "..."], "ann_b": ["", ""]}), BASIC)
    assert silent[["utterances", "same", "errors", "words_a"]].to_numpy().tolist() == [[2, 2, 0, 0]]
    assert silent[["wer", "wer_low", "cer"]].isna().all(axis=None)
    for alone in (labels_of({}), labels_of({"ann_a": ["the cat"]}), labels_of({"ann_a": ["a"], "ann_b": [None, "a"]})):
        for table in (pairwise_wer, wer_to_others, pooled_wer):
            assert table(alone, BASIC).empty
    assert list(pairwise_wer(labels_of({}), BASIC).columns) == list(silent.columns)


def test_somebody_without_a_name_is_somebody_else() -> None:
    labels = labels_of({"": ["the cat"], "ann_a": ["the mat"]})
    assert pairwise_wer(labels, BASIC)[["annotator_a", "annotator_b", "errors"]].to_numpy().tolist() == [
        ["", "ann_a", 1]
    ]


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pd.DataFrame({"utterance_id": ["u"], "text": ["a"]}), "no column 'annotator'"),
        (pd.DataFrame({"utterance_id": ["u"], "annotator": ["ann_a"], "text": [None]}), "row 0 .* has no text"),
        (
            pd.DataFrame({"utterance_id": ["u", "u"], "annotator": ["ann_a", "ann_a"], "text": ["a", "b"]}),
            "'ann_a' has two texts of utterance 'u'",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(frame: pd.DataFrame, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        pairwise_wer(frame, BASIC)
    with pytest.raises(InvalidInput, match=says):
        krippendorff_alpha(frame, BASIC)


def test_unknown_distances_and_missing_groups_are_named() -> None:
    labels = observed_values()
    with pytest.raises(InvalidInput, match="no distance 'words'; choose one of exact, word, char, syllable"):
        krippendorff_alpha(labels, NONE, "words")
    with pytest.raises(InvalidInput, match="utterance 'utt001' has no group"):
        krippendorff_alpha(labels, NONE, "word", groups=pd.Series({"utt000": 0}))


# -- distances --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_are_those_of_the_table_of_edits(name: str) -> None:
    texts = sorted({*random_labels(8)["text"], "", "one", "one  two", "오늘 날씨", "오늘날씨", "x" * 200, "x " * 80})
    distinct = DistinctTexts([text.strip() for text in texts], get_distance(name))
    for one, other in combinations(range(len(texts)), 2):
        expected = PLAIN[name](texts[one].strip(), texts[other].strip())
        assert distinct.between(np.array([one]), np.array([other]))[0] == pytest.approx(expected)
    counts = np.arange(1.0, len(texts) + 1)
    sums = [
        sum(count * PLAIN[name](one.strip(), other.strip()) for other, count in zip(texts, counts, strict=True))
        for one in texts
    ]
    assert distinct.sums_to_all(counts) == pytest.approx(sums)


def test_white_space_around_a_text_is_no_character() -> None:
    padded = DistinctTexts([" um", "um "], get_distance("char"))
    assert padded.between(np.array([0]), np.array([1])).tolist() == [0]
    assert padded.table().tolist() == [[0, 0], [0, 0]]


def test_crowd_workers_agree_less_on_harder_speech(shared_data: Path) -> None:
    found: dict[str, Alpha] = {}
    for split in ("dev-clean", "dev-other"):
        path = shared_data / "crowdspeech" / f"crowdspeech-{split}-crowd.tsv"
        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        frame.columns = pd.Index(["utterance_id", "text", "annotator"])
        few = frame[frame["utterance_id"].isin(sorted(frame["utterance_id"].unique())[:150])]
        found[split] = krippendorff_alpha(few, BASIC, "word")
    clean, other = found["dev-clean"], found["dev-other"]
    assert (clean.utterances, clean.labels) == (150, 1050)
    assert clean.low is not None and other.high is not None
    assert other.high < clean.low
