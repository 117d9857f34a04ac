"""Tables that compare systems: all of them, slice by slice, and utterance by utterance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.compare import changed_utterances, compare_slices, compare_systems, system_rates
from analysis.error_counts import score
from analysis.errors import InvalidInput
from analysis.mapsswe import mapsswe
from analysis.normalizers import get_normalizer
from analysis.paired_tests import randomization_p
from analysis.scoring import get_scoring

WORDS = "one two three four five six seven eight nine ten"


def scored(references: list[str], hypotheses: list[str]) -> pd.DataFrame:
    ids = [f"u{number}" for number in range(len(references))]
    pairs = pd.DataFrame({"utterance_id": ids, "reference": references, "hypothesis": hypotheses})
    return score(pairs, get_normalizer("none"))


def corpus(*error_rates: tuple[float, float], speakers: int = 24, each: int = 12) -> tuple[list[pd.DataFrame], ...]:
    """Scores of systems, utterances, and tags; each system's error rates for children and for adults.

    One speaker in four is a child.
    """
    rng = np.random.default_rng(5)
    speaker = np.repeat(np.arange(speakers), each)
    child = speaker % 4 == 0
    systems = []
    for child_rate, adult_rate in error_rates:
        rate = np.where(child, child_rate, adult_rate)
        heard = [" ".join(w if rng.random() > r else "x" for w in WORDS.split()) for r in rate]
        systems.append(scored([WORDS] * len(speaker), heard))
    ids = systems[0]["utterance_id"]
    utterances = pd.DataFrame({"utterance_id": ids, "recording": ids, "speaker": [f"spk{s}" for s in speaker]})
    tags = pd.DataFrame({"group": np.where(child, "child", "adult")}, index=pd.Index(ids))
    tags.loc[["u1", "u2"], "group"] = None
    return systems, utterances, tags


def test_better_overall_and_worse_for_children() -> None:
    (old, new), utterances, tags = corpus((0.2, 0.3), (0.4, 0.1))
    overall = compare_systems({"old": old, "new": new}, utterances).iloc[0]
    assert overall["verdict"] == "B better" and overall["difference_high"] < 0
    by_slice = compare_slices(old, new, utterances, tags)
    worst = by_slice.iloc[0]
    assert (worst["slice"], worst["verdict"]) == ("group = child", "A better")
    assert 0 < worst["difference_low"] < worst["difference"] < worst["difference_high"]
    assert by_slice.set_index("slice")["verdict"].to_dict() == {
        "group = child": "A better",
        "group = adult": "B better",
        "group = (missing)": "too little data",
    }


def test_a_pair_of_systems() -> None:
    (a, b), utterances, _ = corpus((0.2, 0.2), (0.2, 0.19))
    frame = compare_systems({"a": a, "b": b}, utterances, resamples=300, seed=2)
    assert list(frame.columns) == [
        "system_a",
        "system_b",
        "utterances",
        "ref_words",
        "wer_a",
        "wer_b",
        "difference",
        "difference_low",
        "difference_high",
        "probability_b_better",
        "resampled",
        "groups",
        "segments",
        "mapsswe_z",
        "mapsswe_p",
        "sign_p",
        "wilcoxon_p",
        "randomization_p",
        "p_corrected",
        "verdict",
        "note",
    ]
    row = frame.iloc[0]
    test = mapsswe(a["alignment"], b["alignment"])
    assert (row["segments"], row["mapsswe_z"], row["mapsswe_p"]) == (test.segments, test.z, test.p)
    assert (row["utterances"], row["ref_words"], row["resampled"], row["groups"]) == (288, 2880, "speakers", 24)
    assert row["difference"] == pytest.approx(row["wer_b"] - row["wer_a"])
    assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    assert (row["verdict"], row["note"]) == ("no difference shown", "")
    pd.testing.assert_frame_equal(frame, compare_systems({"a": a, "b": b}, utterances, resamples=300, seed=2))


def test_every_pair_in_order_and_corrected_over_the_pairs() -> None:
    systems, utterances, _ = corpus((0.3, 0.3), (0.28, 0.28), (0.2, 0.2))
    frame = compare_systems(dict(zip("xyz", systems, strict=True)), utterances)
    assert list(zip(frame["system_a"], frame["system_b"], strict=True)) == [("x", "y"), ("x", "z"), ("y", "z")]
    raw = frame["mapsswe_p"]
    assert frame["p_corrected"].min() == pytest.approx(3 * raw.min())
    assert frame["verdict"].tolist()[1:] == ["B better", "B better"]
    turned = compare_systems(dict(zip("zx", [systems[2], systems[0]], strict=True)), utterances).iloc[0]
    assert (turned["verdict"], turned["difference"]) == ("A better", -frame["difference"][1])
    assert turned["probability_b_better"] == 0 and frame["probability_b_better"][1] == 1


def test_rows_may_stand_in_any_order() -> None:
    (a, b), utterances, tags = corpus((0.2, 0.3), (0.3, 0.2))
    mixed = b.sample(frac=1, random_state=0), utterances.sample(frac=1, random_state=1)
    straight = compare_systems({"a": a, "b": b}, utterances)
    pd.testing.assert_frame_equal(straight, compare_systems({"a": a, "b": mixed[0]}, mixed[1]))
    by_slice = compare_slices(a, b, utterances, tags)
    pd.testing.assert_frame_equal(by_slice, compare_slices(a, mixed[0], mixed[1], tags))


def test_a_difference_of_one_speaker_is_said_to_be_of_one() -> None:
    (a, b), utterances, _ = corpus((0.05, 0.05), (0.05, 0.05))
    rows = utterances["speaker"] == "spk3"
    b = scored(
        a["reference"].tolist(), [("x " * 10 if of3 else text) for text, of3 in zip(a["hypothesis"], rows, strict=True)]
    )
    row = compare_systems({"a": a, "b": b}, utterances).iloc[0]
    assert (row["verdict"], row["note"]) == (
        "A better",
        "the interval over 24 speakers holds 0: speakers other than these may not show it",
    )
    alone = compare_systems({"a": a[rows], "b": b[rows]}, utterances).iloc[0]
    assert alone[["difference_low", "difference_high", "probability_b_better"]].isna().all()
    assert "1 speaker: no interval" in alone["note"]


def test_too_little_data_says_why() -> None:
    few = scored(["a b c", "a b c"], ["a x c", "a b"])
    utterances = pd.DataFrame({"utterance_id": ["u0", "u1"]})
    row = compare_systems({"a": few, "b": few}, utterances).iloc[0]
    assert (row["verdict"], row["note"]) == ("too little data", "2 segments with errors; MAPSSWE wants 30")
    silent = scored(["", ""], ["um", ""])
    row = compare_systems({"a": silent, "b": silent}, utterances).iloc[0]
    assert (row["verdict"], row["note"]) == ("too little data", "no reference words")
    assert np.isnan([row["wer_a"], row["difference"], row["sign_p"]]).all()


def test_no_utterances_at_all() -> None:
    none = scored([], [])
    utterances = pd.DataFrame({"utterance_id": pd.Series([], dtype=object)})
    assert compare_systems({"a": none, "b": none}, utterances)["verdict"].tolist() == ["too little data"]
    assert np.isnan(system_rates({"a": none}, utterances)["wer"][0])
    assert changed_utterances(none, none, utterances).empty
    tags = pd.DataFrame({"group": pd.Series([], dtype=object)}, index=pd.Index([], name="utterance_id"))
    assert compare_slices(none, none, utterances, tags).empty


def test_a_slice_has_the_randomization_test_over_speakers() -> None:
    (a, b), utterances, tags = corpus((0.2, 0.3), (0.22, 0.29))
    frame = compare_slices(a, b, utterances, tags, correction="none").set_index("slice")
    child = (tags["group"] == "child").to_numpy()
    sums = [
        (frame_[["substitutions", "deletions", "insertions"]].sum(axis=1))[child]
        .groupby(utterances["speaker"][child])
        .sum()
        for frame_ in (a, b)
    ]
    row = frame.loc["group = child"]
    assert row["p"] == randomization_p(*(side.to_numpy() for side in sums)) == row["p_corrected"]
    assert (row["tag"], row["value"], row["utterances"], row["groups"], row["ref_words"]) == (
        "group",
        "child",
        70,
        6,
        700,
    )
    few = frame.loc["group = (missing)"]
    assert (few["verdict"], few["note"]) == ("too little data", "1 speaker; 6 are the fewest to show anything")
    assert np.isnan([few["p"], few["p_corrected"], few["difference_low"]]).all()


def test_slices_are_corrected_together_and_bins_are_named() -> None:
    (a, b), utterances, tags = corpus((0.3, 0.3), (0.2, 0.2))
    tags["length"] = np.arange(len(tags)) % 10
    frame = compare_slices(a, b, utterances, tags, bins={"length": [4]}, correction="holm")
    assert set(frame["slice"]) >= {"length <= 4", "length > 4"}
    tested = frame.dropna(subset="p")
    assert (tested["p_corrected"] >= tested["p"]).all() and (tested["p_corrected"] > tested["p"]).any()
    assert frame["difference"].is_monotonic_decreasing


def test_rates_of_systems() -> None:
    a = scored(["a b c d", "a b"], ["a x c", "a b c"])
    b = scored(["a b c d", "a b"], ["a b c d", "a b"])
    utterances = pd.DataFrame({"utterance_id": ["u0", "u1"], "speaker": ["spk1", "spk2"]})
    frame = system_rates({"a": a, "b": b}, utterances)
    first = frame.iloc[0].to_dict()
    low, high = first.pop("wer_low"), first.pop("wer_high")
    assert low <= first["wer"] <= high
    assert first == {
        "system": "a",
        "utterances": 2,
        "ref_words": 6,
        "hits": 4,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 1,
        "wer": 0.5,
        "cer": pytest.approx(5 / 10),
        "resampled": "speakers",
        "groups": 2,
    }
    assert frame["wer"].tolist() == [0.5, 0.0]


def test_changes_by_utterance() -> None:
    references = ["a b c", "a b c", "a b c", "a b c"]
    a = scored(references, ["a b c", "x y z", "a b c", "a b"])
    b = scored(references, ["a b", "a b c", "x y z", "b c"])
    utterances = pd.DataFrame({"utterance_id": ["u0", "u1", "u2", "u3"]})
    frame = changed_utterances(a, b, utterances)
    shown = frame.to_dict("split", index=False)
    assert shown["columns"] == [
        "utterance_id",
        "ref_words",
        "errors_a",
        "errors_b",
        "change",
        "reference",
        "hypothesis_a",
        "hypothesis_b",
    ]
    assert shown["data"] == [
        ["u2", 3, 0, 3, 3, "a b c", "a b c", "x y z"],
        ["u1", 3, 3, 0, -3, "a b c", "x y z", "a b c"],
        ["u0", 3, 0, 1, 1, "a b c", "a b c", "a b"],
        ["u3", 3, 1, 1, 0, "a b c", "a b", "b c"],
    ]


TEN = scored(["a b"] * 10, ["a b"] * 10)
KNOWN = pd.DataFrame({"utterance_id": [f"u{number}" for number in range(10)]})


@pytest.mark.parametrize(
    ("other", "utterances", "message"),
    [
        (TEN.assign(scoring="basic-1/sclite"), KNOWN, "'a' is scored with 'none-1/unit' and 'b' with 'basic-1/sclite'"),
        (
            TEN.iloc[:3],
            KNOWN,
            "'a' has scores of 10 utterances and 'b' of 3; 7 only in 'a': 'u3', 'u4', 'u5', 'u6', 'u7', ...",
        ),
        (
            TEN.assign(reference=["a c"] * 2 + ["a b"] * 8),
            KNOWN,
            "different references in 2 of 10 utterances: 'u0', 'u1'",
        ),
        (pd.concat([TEN, TEN.iloc[:1]]), KNOWN, "1 of 11 rows of the scores of 'b' repeat an utterance: 'u0'"),
        (TEN.assign(scoring=["x"] * 5 + ["y"] * 5), KNOWN, "the scores of 'b' hold 2 scorings: 'x', 'y'"),
        (TEN.drop(columns="alignment"), KNOWN, "the scores of 'b' have no column 'alignment'"),
        (TEN, KNOWN.iloc[:9], "1 of 10 scored utterances are not among the 9 utterances: 'u9'"),
        (TEN, pd.concat([KNOWN, KNOWN]), "'u0' stands twice among the utterances"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(
    other: pd.DataFrame, utterances: pd.DataFrame, message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        compare_systems({"a": TEN, "b": other}, utterances)
    assert message in str(refused.value)


def test_one_system_is_not_compared() -> None:
    with pytest.raises(InvalidInput, match="found 1 systems; give the scores of two at least"):
        compare_systems({"a": TEN}, KNOWN)
    with pytest.raises(InvalidInput, match="found no scores"):
        system_rates({}, KNOWN)


def test_segments_that_all_differ_alike_are_no_proof_of_the_same() -> None:
    """One error of B in each of 40 utterances, and none of A: MAPSSWE's variance is 0, and it has no Z."""
    references = [("u" + str(number), "a b c d") for number in range(40)]
    made = {
        name: score(
            pd.DataFrame([(key, text, text.replace("b", heard)) for key, text in references], columns=PAIR),
            get_scoring("none"),
        )
        for name, heard in (("A", "b"), ("B", "x"))
    }
    frame = compare_systems(made, pd.DataFrame({"utterance_id": [key for key, _ in references]}))
    assert frame["verdict"].tolist() == ["A better"]
    assert frame["mapsswe_z"].isna().all() and frame["randomization_p"].iloc[0] < 0.001


PAIR = ["utterance_id", "reference", "hypothesis"]
