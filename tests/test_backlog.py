"""The backlog: what each kind of item is expected to buy, from what it is computed, and in which order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.backlog import (
    Costs,
    Item,
    audio_items,
    backlog,
    collect_items,
    distinct_slices,
    label_items,
    rank,
    tune_item,
)
from analysis.error_counts import score
from analysis.errors import InvalidInput
from analysis.intervals import resampling_unit
from analysis.normalizers import get_normalizer
from analysis.slices import slice_membership, slices
from analysis.tuning import TuningEstimate, tuning_gain
from workbench.tables import BACKLOG

SPEAKERS, EACH = 20, 10
IDS = [f"u{index}" for index in range(SPEAKERS * EACH)]
SPEAKER = [f"s{index % SPEAKERS}" for index in range(len(IDS))]
UTTERANCES = pd.DataFrame({"utterance_id": IDS, "recording": IDS, "speaker": SPEAKER})
GROUPS = resampling_unit(UTTERANCES)[1]
REFERENCE = "a b c d e f g h i j"


def scored(references: list[str], hypotheses: list[str], ids: list[str] = IDS, run_id: str = "r1") -> pd.DataFrame:
    pairs = pd.DataFrame({"utterance_id": ids, "reference": references, "hypothesis": hypotheses})
    return score(pairs, get_normalizer("none")).assign(run_id=run_id)


def with_errors(rate: float | np.ndarray, seed: int = 0, run_id: str = "r1") -> pd.DataFrame:
    """Scores of a recogniser that gets each word wrong with this probability."""
    wrong = np.random.default_rng(seed).random((len(IDS), 10)) < np.broadcast_to(rate, (10, len(IDS))).T
    words = REFERENCE.split()
    hypotheses = [" ".join("x" if bad else word for word, bad in zip(words, row, strict=True)) for row in wrong]
    return scored([REFERENCE] * len(IDS), hypotheses, run_id=run_id)


def slice_row(**changes: object) -> pd.DataFrame:
    row = {
        "run_id": "r1",
        "scoring": "basic-1/unit",
        "slice": "room = kitchen",
        "tag": "room",
        "value": "kitchen",
        "utterances": 30,
        "speakers": 4,
        "ref_words": 300,
        "errors": 120,
        "wer": 0.4,
        "word_share": 0.3,
        "rest_wer": 0.2,
        "gap": 0.2,
        "gain": 0.06,
        "gain_low": 0.02,
        "gain_high": 0.09,
        "resampled": "speakers",
    }
    return pd.DataFrame([row | changes])


def item(item_id: str, gain: float, cost_hours: float = 2.0) -> Item:
    return Item(item_id, "label", "Do it", 1, gain, None, None, cost_hours, "Measured.", "r1", "basic-1/unit")


# label items


def test_a_label_item_is_worth_what_rescoring_with_the_suggestions_measures() -> None:
    heard = ["um so a b"] * 10 + ["so a b"] * 190
    now = scored(["so a b"] * 200, heard)
    fixed = scored(["um so a b"] * 10, heard[:10], IDS[:10])
    (made,) = label_items(now, {"conflict.filler": fixed}, GROUPS)
    assert (made.item_id, made.kind, made.utterances) == ("label.conflict.filler", "label", 10)
    assert made.gain == pytest.approx(10 / 600)
    assert made.gain_low is not None and made.gain_high is not None
    assert 0 < made.gain_low < made.gain < made.gain_high
    assert made.cost_hours == pytest.approx(10 / 60)
    assert "WER 0.0167 with today's references, 0.0000 with the 10 suggested ones" in made.how
    assert (made.run_id, made.scoring) == ("r1", "none-1/unit")


def test_a_suggestion_that_makes_the_rate_worse_stays_listed_with_its_value() -> None:
    now = scored(["a b"] * 200, ["a b"] * 200)
    (made,) = label_items(now, {"bad": scored(["a x"] * 2, ["a b"] * 2, IDS[:2])}, GROUPS)
    assert made.gain == pytest.approx(-2 / 400)


def test_references_that_stay_as_they_are_make_no_item() -> None:
    now = scored(["a b"] * 200, ["a b"] * 200)
    assert label_items(now, {"idle": now}, GROUPS) == []
    whole = scored(["a c", *["a b"] * 199], ["a b"] * 200)
    assert [made.utterances for made in label_items(now, {"whole": whole}, GROUPS)] == [1]


def test_one_speaker_gives_no_interval() -> None:
    now = scored(["a b"] * 10, ["a c"] * 10, IDS[:10])
    fixed = scored(["a c"] * 10, ["a c"] * 10, IDS[:10])
    (made,) = label_items(now, {"rule": fixed}, pd.Series(0, index=IDS[:10]))
    assert (made.gain, made.gain_low, made.gain_high) == (0.5, None, None)


def test_scores_that_cannot_be_compared_are_refused() -> None:
    now = scored(["a b"] * 200, ["a b"] * 200)
    other = scored(["a x"], ["a y"], IDS[:1])
    with pytest.raises(InvalidInput, match="utterance 'u0' has another hypothesis"):
        label_items(now, {"rule": other}, GROUPS)
    with pytest.raises(InvalidInput, match="utterance 'u0' has another scoring"):
        label_items(now, {"rule": other.assign(scoring="basic-1/unit")}, GROUPS)
    with pytest.raises(InvalidInput, match="'v1', which is not scored now"):
        label_items(now, {"rule": scored(["a"], ["a"], ["v1"])}, GROUPS)
    with pytest.raises(InvalidInput, match="have no group, the first is 'u1'"):
        label_items(now, {}, GROUPS.drop("u1"))


# audio and collect items


def test_a_slice_item_is_worth_closing_the_gap() -> None:
    (made,) = collect_items(slice_row(), {"clipping"}, Costs(collect_hours_per_item=8))
    assert made == Item(
        item_id="collect.room=kitchen",
        kind="collect",
        title="Collect and train on data where room = kitchen",
        utterances=30,
        gain=0.06,
        gain_low=0.02,
        gain_high=0.09,
        cost_hours=8,
        how="WER 0.4000 here and 0.2000 elsewhere: a gap of 0.2000, times the slice's share of the words, 0.3000, "
        "is 0.0600. A ceiling: assumes that the slice becomes as good as the rest. The interval resamples speakers.",
        run_id="r1",
        scoring="basic-1/unit",
    )


def test_audio_tags_make_audio_items_and_all_others_collect_items() -> None:
    frame = pd.concat([slice_row(), slice_row(slice="clipping = clipped", tag="clipping", value="clipped")])
    audio, collect = audio_items(frame, {"clipping"}), collect_items(frame, {"clipping"})
    assert [(made.item_id, made.cost_hours) for made in audio] == [("audio.clipping=clipped", 0.25)]
    assert [made.item_id for made in collect] == ["collect.room=kitchen"]


@pytest.mark.parametrize(
    "changes",
    [
        {"gap": 0.0},
        {"gap": -0.1},
        {"gap": np.nan},
        {"speakers": 1},
        {"ref_words": 49},
        {"value": "(missing)", "slice": "room = (missing)"},
        {"resampled": "utterances", "speakers": 0, "utterances": 1},
    ],
)
def test_slices_that_make_no_item(changes: dict[str, object]) -> None:
    assert collect_items(slice_row(**changes), set()) == []


def test_where_no_speakers_are_known_utterances_count() -> None:
    assert len(collect_items(slice_row(resampled="recordings", speakers=0), set())) == 1


@pytest.mark.parametrize("value", ["clean", "clean (>=30 dB)", "good (20-30 dB)", "normal", "wideband", "speech"])
def test_sound_audio_needs_no_repair(value: str) -> None:
    assert audio_items(slice_row(value=value), {"room"}) == []


def test_slices_of_the_same_utterances_stand_once() -> None:
    tags = pd.DataFrame({"room": ["in", "out"] * 100, "place": ["indoors", "outdoors"] * 100}, index=pd.Index(IDS))
    scores = with_errors(np.tile([0.1, 0.3], 100))
    frame, membership = slices(scores, UTTERANCES, tags), slice_membership(tags)
    assert frame["slice"].tolist() == ["place = outdoors", "room = out", "place = indoors", "room = in"]
    assert distinct_slices(frame, membership)["slice"].tolist() == ["place = outdoors", "place = indoors"]
    with pytest.raises(InvalidInput, match="'place = outdoors' is not in the membership"):
        distinct_slices(frame, {})


# tuning


def estimate(runs: dict[str, pd.DataFrame], current: str) -> TuningEstimate:
    made = tuning_gain(runs, current, GROUPS)
    assert made is not None
    return made


def test_a_run_that_is_better_gives_its_gain_about() -> None:
    made = estimate({"r1": with_errors(0.30, 1, "r1"), "r2": with_errors(0.20, 2, "r2")}, "r1")
    assert (made.best_run, made.runs, made.utterances) == ("r2", 2, 200)
    assert made.gain == pytest.approx(made.observed_gain, abs=0.01) == pytest.approx(0.1, abs=0.03)
    assert 0 < made.gain_low < made.gain < made.gain_high


def test_the_best_of_many_equal_runs_is_given_no_credit_for_luck() -> None:
    many = [
        estimate({f"r{run}": with_errors(0.3, 100 * corpus + run, f"r{run}") for run in range(8)}, "r0")
        for corpus in range(25)
    ]
    observed, expected = np.mean([made.observed_gain for made in many]), np.mean([made.gain for made in many])
    assert observed > 0.01
    assert expected < observed / 2
    assert min(made.gain for made in many) >= 0


def test_when_the_current_run_is_the_best_nothing_is_promised() -> None:
    made = estimate({"r1": with_errors(0.2, 1, "r1"), "r2": with_errors(0.3, 2, "r2")}, "r1")
    assert (made.best_run, made.observed_gain, made.gain, made.gain_low, made.gain_high) == ("r1", 0, 0, 0, 0)


def test_runs_that_cannot_tell() -> None:
    one = with_errors(0.2)
    assert tuning_gain({"r1": one}, "r1", GROUPS) is None
    assert tuning_gain({"r1": one, "r2": one}, "r1", pd.Series(0, index=IDS)) is None
    assert tuning_gain({"r1": one.iloc[:100], "r2": one.iloc[100:]}, "r1", GROUPS) is None


def test_runs_are_compared_where_they_were_scored_against_the_same_reference() -> None:
    one = with_errors(0.2, 1, "r1")
    two = pd.concat([scored(["z"], ["q"], IDS[:1], "r2"), with_errors(0.2, 2, "r2").iloc[1:150]])
    assert estimate({"r1": one, "r2": two}, "r1").utterances == 149


def test_runs_that_may_not_be_compared_are_refused() -> None:
    one = with_errors(0.2)
    with pytest.raises(InvalidInput, match="run 'r3' is not among the runs 'r1', 'r2'"):
        tuning_gain({"r1": one, "r2": one}, "r3", GROUPS)
    with pytest.raises(InvalidInput, match="scored in different ways, basic-1/unit, none-1/unit"):
        tuning_gain({"r1": one, "r2": one.assign(scoring="basic-1/unit")}, "r1", GROUPS)


def test_the_tune_item() -> None:
    made = estimate({"r1": with_errors(0.30, 1, "r1"), "r2": with_errors(0.20, 2, "r2")}, "r1")
    (tune,) = tune_item(made, Costs(tune_hours_per_run=3))
    assert (tune.item_id, tune.kind, tune.title) == ("tune.parameters", "tune", "Use the parameters of run r2")
    assert (tune.gain, tune.cost_hours, tune.run_id) == (made.gain, 3, "r1")
    assert tune_item(replace(made, best_run="r1"))[0].title == "Try other parameters"
    assert tune_item(None) == []


# ranking


def test_the_largest_gain_comes_first_and_equal_gains_by_id() -> None:
    frame = rank([item("label.b", 0.01), item("label.c", -0.02), item("label.a", 0.01), item("label.d", 0.5, 0.0)])
    assert frame[["rank", "item_id", "gain"]].to_numpy().tolist() == [
        [1, "label.d", 0.5],
        [2, "label.a", 0.01],
        [3, "label.b", 0.01],
        [4, "label.c", -0.02],
    ]
    assert frame["gain_per_hour"].iloc[1:].tolist() == [0.005, 0.005, -0.01]
    assert np.isnan(frame["gain_per_hour"].iloc[0])


def test_no_items_are_an_empty_table() -> None:
    frame = rank([])
    assert list(frame.columns) == list(rank([item("label.a", 0.1)]).columns)
    assert BACKLOG.to_arrow(frame).num_rows == 0


def test_an_item_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'label\\.a' stands twice"):
        rank([item("label.a", 0.1), item("label.a", 0.2)])


def test_all_kinds_stand_in_one_table() -> None:
    noisy = np.where(np.arange(200) % 5 == 0, 0.5, 0.1)
    now = with_errors(noisy)
    tags = pd.DataFrame(
        {
            "snr_band": np.where(np.arange(200) % 5 == 0, "noisy (<10 dB)", "clean (>=30 dB)"),
            "age_group": np.where(np.arange(200) % 4 == 0, "child", "adult"),
        },
        index=pd.Index(IDS),
    )
    first = now.iloc[:40]
    fixed = scored(first["hypothesis"].tolist(), first["hypothesis"].tolist(), IDS[:40])
    frame = backlog(
        now,
        slices(now, UTTERANCES, tags),
        slice_membership(tags),
        {"model.contradicts": fixed},
        GROUPS,
        {"snr_band"},
        tuning_gain({"r1": now, "r2": with_errors(0.15, 5, "r2")}, "r1", GROUPS),
    )
    assert set(frame["kind"]) == {"label", "audio", "collect", "tune"}
    assert frame["item_id"].iloc[0] == "audio.snr_band=noisy (<10 dB)"
    assert frame["gain"].is_monotonic_decreasing and frame["rank"].tolist() == list(range(1, len(frame) + 1))
    assert BACKLOG.to_arrow(frame).num_rows == len(frame)
    assert sorted(frame.columns) == sorted(BACKLOG.names)
