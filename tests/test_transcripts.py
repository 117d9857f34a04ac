"""Views of the transcripts: the current text, the reference among several, edits and undo."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench.errors import BadInput
from workbench.transcripts import current_transcripts, edit, is_merged, references, revision, undo


def transcripts(*rows: tuple[str, str, int, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["utterance_id", "annotator", "revision", "text"])
    return frame.assign(source="import")


WEATHER = transcripts(
    ("w", "a", 1, "Um, today's weather"),
    ("w", "b", 1, "Um... today's weather"),
    ("w", "c", 1, "Today's weather"),
    ("x", "reference", 1, "played jazz"),
    ("x", "a", 1, "play jazz"),
    ("x", "reference", 2, "play some jazz"),
)


def test_the_latest_revision_is_current() -> None:
    current = current_transcripts(WEATHER)
    assert current["text"].tolist() == [
        "Um, today's weather",
        "Um... today's weather",
        "Today's weather",
        "play some jazz",
        "play jazz",
    ]


def test_the_reference_annotator_wins_and_else_the_medoid() -> None:
    assert references(WEATHER).to_dict("records") == [
        {"utterance_id": "w", "reference": "Um, today's weather", "annotator": "a"},
        {"utterance_id": "x", "reference": "play some jazz", "annotator": "reference"},
    ]


def test_the_medoid_of_two_is_the_first_annotator() -> None:
    two = transcripts(("u", "b", 1, "yes"), ("u", "a", 1, "no"))
    assert references(two)["annotator"].tolist() == ["a"]


def grow(history: pd.DataFrame, row: dict) -> pd.DataFrame:
    return pd.concat([history, pd.DataFrame([row])], ignore_index=True)


def test_undo_goes_back_step_by_step_and_an_edit_after_it_counts_anew() -> None:
    history = transcripts(("u", "a", 1, "one"))
    for text in ("two", "three"):
        history = grow(history, edit(history, "u", "a", text, "ann_a", "heard it"))
    texts = []
    for _ in range(2):
        history = grow(history, undo(history, "u", "a", "ann_a"))
        texts.append(history["text"].iloc[-1])
    assert texts == ["two", "one"]
    with pytest.raises(BadInput, match="nothing to undo"):
        undo(history, "u", "a", "ann_a")
    history = grow(history, edit(history, "u", "a", "four", "ann_a", "again"))
    assert undo(history, "u", "a", "ann_a")["text"] == "one"
    assert history["revision"].tolist() == [1, 2, 3, 4, 5, 6]


def test_an_edit_of_what_is_not_there_says_what_is() -> None:
    with pytest.raises(BadInput, match="'d' has not transcribed 'w'; those who have: a, b, c"):
        edit(WEATHER, "w", "d", "x", "ann_a", "y")
    with pytest.raises(BadInput, match="no transcript of utterance 'v'"):
        undo(WEATHER, "v", "a", "ann_a")
    with pytest.raises(BadInput, match=r"by c reads .* already; nothing to change"):
        edit(WEATHER, "w", "c", "Today's weather", "ann_a", "y")


def test_a_consensus_stays_one_until_somebody_writes_another_text() -> None:
    rows = [("w", 1, "consensus"), ("w", 2, "edit"), ("w", 3, "undo")]
    rows += [("x", 1, "consensus"), ("x", 2, "rule"), ("y", 1, "consensus"), ("y", 2, "edit"), ("y", 3, "rule")]
    rows += [("z", 1, "consensus"), ("z", 2, "retract"), ("z", 3, "edit")]
    history = pd.DataFrame(rows, columns=["utterance_id", "revision", "source"]).assign(annotator="reference", text="t")
    assert is_merged(history, current_transcripts(history)).tolist() == [True, True, False, False]


def test_an_undo_of_a_deletion_elsewhere_brings_back_the_text_that_stood_before_it() -> None:
    rows = [
        ("first", "label_studio", "task 1 annotation 1 version 2026-01-01T00:00:00Z u"),
        ("second", "label_studio", "task 1 annotation 1 version 2026-01-02T00:00:00Z u"),
        ("first", "undo", "undoes revision 2: annotation u was deleted there"),
        ("", "retract", "undoes revision 1: annotation u was deleted there"),
    ]
    made = [revision("u1", "ann_a", number, *row) for number, row in enumerate(rows, start=1)]
    back = undo(pd.DataFrame(made), "u1", "ann_a", "ann_c")
    assert (back["revision"], back["text"], back["source"], back["author"]) == (5, "second", "edit", "ann_c")
    again = undo(pd.DataFrame([*made, back]), "u1", "ann_a", "ann_c")
    assert (again["text"], again["source"]) == ("", "retract")
