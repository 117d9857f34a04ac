"""Who departs from what nearly everybody writes: counted for each annotator, over every convention with a majority."""

from __future__ import annotations

import pandas as pd
import pytest

from label_rules.conventions.departures import departures_by_annotator
from label_rules.corpus import Corpus
from label_rules.rule import Outcome, Rule


def corpus_of(by_annotator: dict[str, list[str]], same_audio: bool = False) -> Corpus:
    rows = [
        (f"u{place}" if same_audio else f"u{place}-{name}", name, text)
        for name, texts in by_annotator.items()
        for place, text in enumerate(texts)
    ]
    return Corpus(pd.DataFrame(rows, columns=["utterance_id", "annotator", "text"]))


def test_the_one_who_spells_otherwise_is_named_with_the_form() -> None:
    found = departures_by_annotator(
        corpus_of({"ann_a": ["um yes", "um no"], "ann_b": ["um right", "um so"], "ann_c": ["umm well", "um here"]})
    )
    table = found.annotators[found.annotators["most"] == "filler.um"]
    columns = ["annotator", "uses", "departing", "share", "most_departing", "most_uses", "writes", "majority"]
    assert table[columns].values.tolist() == [["ann_c", 2, 1, 0.5, 1, 2, "umm", "um"]]
    others = found.annotators[found.annotators["annotator"] != "ann_c"]
    assert others[["uses", "departing", "share", "most", "writes"]].values.tolist() == [[2, 0, 0.0, "", ""]] * 2
    assert found.faults.empty


def test_whether_a_filler_is_written_at_all_counts_for_the_same_audio() -> None:
    heard = {
        "ann_a": ["um today", "um here", "um now"],
        "ann_b": ["um today", "um here", "um now"],
        "ann_c": ["today", "here", "now"],
    }
    table = departures_by_annotator(corpus_of(heard, same_audio=True)).annotators.set_index("annotator")
    row = table.loc["ann_c"]
    assert (row["most"], row["writes"], row["majority"], row["departing"]) == ("filler.kept", "dropped", "kept", 3)
    assert table.loc["ann_a", "departing"] == 0


def test_where_both_forms_may_be_right_only_a_habit_is_told() -> None:
    texts = {
        "ann_a": ["they do not know it"] * 4 + ["they do not say it"] * 4,
        "ann_b": ["we do not hear it"] * 4 + ["you do not see it"] * 4,
        "ann_c": [
            "they don't know it",
            "they don't say it",
            "we don't hear it",
            "you don't see it",
            "we don't like it",
        ],
    }
    table = departures_by_annotator(corpus_of(texts)).annotators.set_index("annotator")
    assert "contraction" in table.loc["ann_c", "habits"]
    assert table.loc["ann_a", "habits"] == ""
    assert table["uses"].tolist() == [0, 0, 0]
    assert table["share"].isna().all()


def test_nothing_in_several_ways_leaves_everybody_without_a_share() -> None:
    table = departures_by_annotator(corpus_of({"ann_a": ["the cat"], "ann_b": [""]})).annotators
    assert table[["annotator", "uses", "most", "habits"]].values.tolist() == [
        ["ann_a", 0, "", ""],
        ["ann_b", 0, "", ""],
    ]
    assert departures_by_annotator(corpus_of({})).annotators.empty


def test_a_rule_that_crashes_is_a_fault_and_stops_nothing() -> None:
    def crash(_: Corpus) -> list[Outcome]:
        raise RuntimeError("broken")

    rule = Rule("convention.broken", "It crashes.", "style", crash, fires=(), passes=())
    found = departures_by_annotator(corpus_of({"ann_a": ["um"]}), [rule])
    assert found.faults["item"].tolist() == ["convention.broken"]
    assert found.annotators["annotator"].tolist() == ["ann_a"]


@pytest.mark.parametrize("times", [1, 3])
def test_uses_are_counted_once_for_each_transcript(times: int) -> None:
    table = departures_by_annotator(corpus_of({"ann_a": ["um yes", "um no", "uh well um"] * times, "ann_b": ["umm"]}))
    row = table.annotators.set_index("annotator").loc["ann_b"]
    assert (row["departing"], row["most_uses"]) == (1, 1)
