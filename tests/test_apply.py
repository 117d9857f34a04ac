"""The applier: what it accepts, its three outcomes, its tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InvalidInput
from label_rules.apply import Applied, apply_rules
from label_rules.builtin import BUILTIN_RULES
from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Finding, Outcome, Rule, each_text
from workbench.tables import CONFLICTS, CONVENTIONS, FAULTS, FLAGS, RULE_SUMMARY


def frame(*texts: str, **columns: object) -> pd.DataFrame:
    """One utterance a text."""
    ids = [f"u{number}" for number in range(len(texts))]
    return pd.DataFrame({"utterance_id": ids, "annotator": "ann", "text": list(texts)} | columns)


def rule(rule_id: str, check: object) -> Rule:
    return Rule(rule_id, "A rule for this test.", "style", check, (), ())  # type: ignore[arg-type]


def find_x(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
    if text == "crash":
        raise KeyError("no such thing")
    if "x" in text:
        at = text.index("x")
        yield at, at + 1, 0.5, "an x", text.replace("x", "")


def fits_its_tables(applied: Applied) -> None:
    FLAGS.to_arrow(applied.flags.assign(text=""))  # the application adds the text that was checked
    CONFLICTS.to_arrow(applied.conflicts)
    CONVENTIONS.to_arrow(applied.conventions)
    RULE_SUMMARY.to_arrow(applied.summary)
    FAULTS.to_arrow(applied.faults)


def test_a_crash_on_one_text_is_a_fault_and_stops_nothing() -> None:
    applied = apply_rules(frame("ax", "crash", "bx"), [rule("t.x", each_text(find_x))])
    assert applied.flags["utterance_id"].tolist() == ["u0", "u2"]
    assert applied.faults["stage"].tolist() == ["check"]
    assert applied.faults["item"].tolist() == ["t.x"]
    assert applied.faults["location"].tolist() == ["utterance u1, annotator ann"]
    (reason,) = applied.faults["reason"]
    assert reason.startswith("the rule crashed with KeyError: 'no such thing' (test_apply.py, line ")
    assert [type(each) for each in applied.exceptions] == [KeyError]
    assert applied.summary["faults"].tolist() == [1]


def test_a_crash_of_the_whole_rule_keeps_what_it_found_and_the_other_rules() -> None:
    def half(corpus: Corpus) -> Iterator[Outcome]:
        yield Finding([0], 0, 1, 0.5, "found")
        raise RuntimeError("out of luck")

    applied = apply_rules(frame("ax", "b"), [rule("t.half", half), rule("t.x", each_text(find_x))])
    assert applied.flags["rule_id"].tolist() == ["t.half", "t.x"]
    assert applied.faults["item"].tolist() == ["t.half"]
    assert str(applied.exceptions[0]) == "out of luck"


def test_a_check_that_yields_something_else_is_a_fault() -> None:
    applied = apply_rules(frame("a"), [rule("t.odd", lambda corpus: ["what?"])])
    assert "yielded 'what?'" in applied.faults["reason"][0]


def test_abstentions_are_counted_once_a_transcript() -> None:
    check = rule("t.abstain", lambda corpus: [Abstention([0, 1]), Abstention([1])])
    assert apply_rules(frame("a", "b", "c"), [check]).summary["abstained"].tolist() == [2]


def test_the_summary_counts_flags_transcripts_coverage_and_overlaps() -> None:
    def twice(corpus: Corpus) -> Iterator[Outcome]:
        yield Finding([0, 1], 0, 1, 0.5, "here")
        yield Finding([0], 1, 2, 0.5, "there")

    rules = [rule("t.twice", twice), rule("t.x", each_text(find_x)), rule("t.never", lambda corpus: [])]
    summary = apply_rules(frame("ax", "b ", "c", "d"), rules).summary
    counts = ["rule_id", "flags", "transcripts", "coverage", "abstained", "overlaps", "faults"]
    assert summary[counts].values.tolist() == [
        ["t.twice", 3, 2, 0.5, 0, 1, 0],
        ["t.x", 1, 1, 0.25, 0, 1, 0],
        ["t.never", 0, 0, 0.0, 0, 0, 0],
    ]


def test_of_two_flags_on_the_same_characters_the_surer_stays() -> None:
    check = rule("t.two", lambda corpus: [Finding([0], 0, 1, 0.3, "less"), Finding([0], 0, 1, 0.7, "more")])
    assert apply_rules(frame("a"), [check]).flags["evidence"].tolist() == ["more"]


def test_equal_texts_are_looked_at_once() -> None:
    seen: list[str] = []

    def look(text: str) -> list[tuple[int, int, float, str, str | None]]:
        seen.append(text)
        return [(0, 1, 0.5, "seen", None)]

    flags = apply_rules(frame("a", "b", "a"), [rule("t.look", each_text(look))]).flags
    assert seen == ["a", "b"]
    assert sorted(flags["utterance_id"]) == ["u0", "u1", "u2"]


def test_ids_and_texts_are_enough_and_rules_that_lack_something_abstain() -> None:
    applied = apply_rules(frame("hello there", "um, yes"))
    abstained = applied.summary.set_index("rule_id")["abstained"]
    for rule_id in ("timing.rate", "timing.empty", "model.disagrees", "model.swapped", "conflict.content"):
        assert abstained[rule_id] == 2
    assert applied.faults.empty
    fits_its_tables(applied)


def test_no_transcripts_give_empty_tables() -> None:
    applied = apply_rules(frame())
    assert applied.flags.empty
    assert applied.faults.empty
    assert len(applied.summary) == len(BUILTIN_RULES)
    fits_its_tables(applied)


def test_missing_values_of_every_kind_are_no_data() -> None:
    applied = apply_rules(
        frame("a", "b", "c", "d", audio_key=[None, np.nan, pd.NA, ""], duration=[None, np.nan, -1, float("inf")],
              speech_seconds=[None, "", "x", 0], hypothesis=[None, np.nan, pd.NA, ""], confidence=[None] * 4)
    )  # fmt: skip
    assert applied.faults.empty
    assert applied.summary.set_index("rule_id").loc["timing.rate", "abstained"] == 4


@pytest.mark.parametrize(
    ("transcripts", "message"),
    [
        (pd.DataFrame({"utterance_id": ["u"], "text": ["a"]}), "no column 'annotator'"),
        (frame("a", "b").assign(text=["a", None]), "row 1 of the transcripts has no text"),
        (frame("a", "b").assign(text=pd.Series(["a", 3], dtype=object)), "row 1 of the transcripts holds 3"),
        (frame("a", "b").assign(utterance_id="u"), "utterance 'u' by 'ann' stands twice"),
    ],
)
def test_what_cannot_be_checked_is_refused(transcripts: pd.DataFrame, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        apply_rules(transcripts)


def test_two_rules_of_one_id_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"two rules have the id 't\.x'"):
        apply_rules(frame("a"), [rule("t.x", each_text(find_x))] * 2)


TEXTS = st.text(max_size=30) | st.text(alphabet="umhok 0123.,'’()/%[]<>오늘음 \u200b\u0430", max_size=30)

ROWS = st.tuples(st.integers(0, 3), TEXTS, st.none() | TEXTS, st.none() | st.floats(0, 30))


@settings(deadline=None, max_examples=60)
@given(st.lists(ROWS, min_size=1, max_size=12))
def test_any_text_gives_valid_tables_and_no_fault(rows: list[tuple[int, str, str | None, float | None]]) -> None:
    transcripts = pd.DataFrame(
        {
            "utterance_id": [f"u{row[0]}" for row in rows],
            "annotator": [f"a{number}" for number in range(len(rows))],
            "text": [row[1].encode("utf-8", "ignore").decode() for row in rows],
            "hypothesis": [row[2] and row[2].encode("utf-8", "ignore").decode() for row in rows],
            "speech_seconds": [row[3] for row in rows],
        }
    )
    applied = apply_rules(transcripts)
    assert applied.exceptions == ()
    fits_its_tables(applied)
    flags = applied.flags.merge(transcripts, on=["utterance_id", "annotator"])
    assert len(flags) == len(applied.flags)
    assert ((flags["start"] >= 0) & (flags["start"] <= flags["end"]) & (flags["end"] <= flags["text"].str.len())).all()


def test_crowd_transcripts_of_read_speech(shared_data: Path) -> None:
    crowd = pd.read_csv(
        shared_data / "crowdspeech" / "crowdspeech-dev-clean-crowd.tsv", sep="\t", dtype=str, keep_default_na=False
    )
    crowd.columns = ["utterance_id", "text", "annotator"]
    crowd = crowd[crowd["utterance_id"].isin(crowd["utterance_id"].unique()[:200])]
    applied = apply_rules(crowd.drop_duplicates(["utterance_id", "annotator"]))
    fits_its_tables(applied)
    assert applied.faults.empty
    assert applied.conflicts["group"].nunique() > 190
    coverage = applied.summary.set_index("rule_id")["coverage"]
    # The speech is read: hesitations hardly occur, while other words are what crowds differ in most.
    assert coverage["conflict.filler"] < 0.02
    assert coverage["conflict.content"] > 0.5


def test_swapped_labels_among_real_recognition_errors(shared_data: Path) -> None:
    clips = pd.read_csv(
        shared_data / "asr_outputs" / "common-voice-four-systems" / "deepspeech.csv", dtype=str, keep_default_na=False
    )
    texts = clips["actual"].tolist()
    order = np.random.default_rng(0).permutation(len(texts))[:120]
    for one, other in zip(order[::2], order[1::2], strict=True):
        texts[one], texts[other] = texts[other], texts[one]
    applied = apply_rules(frame(*texts, hypothesis=clips["transcription_en-US"].tolist()))
    assert applied.faults.empty
    wrong = {f"u{number}" for number in order}
    told = set(applied.flags.query("rule_id == 'model.swapped'")["utterance_id"])
    assert len(told - wrong) <= 0.05 * len(told)
    assert len(told & wrong) >= 0.6 * len(wrong)
    suspects = set(applied.flags.query("rule_id == 'model.disagrees'")["utterance_id"])
    assert len(suspects) <= 0.03 * len(texts)
    assert len(suspects & wrong) >= 0.6 * len(suspects)
