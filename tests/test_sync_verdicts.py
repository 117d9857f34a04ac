"""Labels that judge flags: what is a verdict, what is none, and what takes one back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.label_studio_server import RealServer
from tests.labelled_project import LabelledProject
from tests.test_verdicts import workspace_of
from workbench.stages.check import check
from workbench.stages.stage import record_faults
from workbench.stages.sync.verdicts import verdicts_of_annotations
from workbench.stages.verdicts import accept_flags, judged_flags, reject_flags, standing_verdicts, undo_verdicts
from workbench.transcripts import current_transcripts
from workbench.workspace import Workspace

FLAGGED, SUGGESTED = "turn of the light", "turn off the light"
TEXTS = {name: {"ann_a": FLAGGED, "ann_b": "turn off the lights"} for name in ("u1", "u2")}
EARLIER = datetime.now(UTC) - timedelta(days=2)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = workspace_of(tmp_path, TEXTS)
    made.snapshot("flags", pd.DataFrame([flag("t.word"), flag("audio.noisy", annotator="", text="", suggestion=None)]))
    return made


def flag(rule: str, **changes: object) -> dict[str, object]:
    row = {"utterance_id": "u1", "annotator": "ann_a", "rule_id": rule, "start": 0, "end": 0, "text": FLAGGED}
    row |= {"severity": "harmful", "score": 0.8, "evidence": "seen", "suggestion": SUGGESTED}
    return row | {"group": None, "run_id": None} | changes


def annotated(
    workspace: Workspace,
    annotator: str = "ann_c",
    text: str = SUGGESTED,
    number: int = 1,
    seen_at: datetime | None = None,
    **changes: object,
) -> None:
    """An annotation as a pull writes it down, made a moment before it is seen, which is now unless told otherwise."""
    seen = seen_at or datetime.now(UTC)
    made = seen - timedelta(microseconds=1)
    row = {"uid": f"uid-{number}", "version": made.isoformat(), "utterance_id": "u1", "annotator": annotator}
    row |= {"project_id": 1, "task_id": 7, "annotation_id": number, "state": "submitted", "text": text, "remarks": ""}
    row |= {"segments": None, "is_ours": False, "updated_by": None, "created_at": made, "updated_at": made}
    row |= {"lead_time": 2.0, "ground_truth": False, "prelabel": None, "prelabel_run": None, "revision": 1}
    workspace.append("annotations", pd.DataFrame([row | {"seen_at": seen} | changes]).astype({"revision": "Int64"}))


def pushed(workspace: Workspace) -> None:
    record_faults(workspace, "sync push", [], "http://localhost")


def given(workspace: Workspace, rule: str = "t.word") -> list[tuple[str, str]]:
    """Verdict and author of every row ever written for a rule."""
    verdicts = workspace.read("verdicts", history=True)
    return list(verdicts.loc[verdicts["rule_id"] == rule, ["verdict", "author"]].itertuples(index=False, name=None))


# -- what is a verdict -------------------------------------------------------------------------------------------------


def test_who_writes_what_was_suggested_accepts_the_flag(workspace: Workspace) -> None:
    annotated(workspace)
    assert verdicts_of_annotations(workspace).counts == {"accepted": 1, "rejected": 0, "withdrawn": 0}
    row = standing_verdicts(workspace).iloc[0]
    assert (row["verdict"], row["author"], row["source"]) == ("accepted", "ann_c", "label_studio")
    assert row["reason"] == "wrote what was suggested: task 7 annotation 1 uid-1"
    shown = judged_flags(workspace).set_index("rule_id")["verdict"]
    assert shown.to_dict() == {"t.word": "accepted", "audio.noisy": "open"}


def test_who_writes_the_flagged_text_rejects_the_flag(workspace: Workspace) -> None:
    annotated(workspace, text=FLAGGED)
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("rejected", "ann_c")]


@pytest.mark.parametrize("text", ["turn off the lights", "Turn off the light", "turn off the light.", ""])
def test_any_other_text_is_no_verdict(workspace: Workspace, text: str) -> None:
    annotated(workspace, text=text, state="submitted" if text else "empty")
    verdicts_of_annotations(workspace)
    assert given(workspace) == []


def test_white_space_and_composed_characters_make_no_difference(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, {"u1": {"ann_a": "cafe"}})
    composed = flag("t.word", text="cafe", suggestion="caf\N{LATIN SMALL LETTER E WITH ACUTE} noir")
    workspace.snapshot("flags", pd.DataFrame([composed]))
    annotated(workspace, text=" cafe\N{COMBINING ACUTE ACCENT}  noir\n")
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("accepted", "ann_c")]


def test_a_suggestion_that_only_changes_white_space_is_not_judged_so(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, {"u1": {"ann_a": "so  it is"}})
    workspace.snapshot("flags", pd.DataFrame([flag("t.space", text="so  it is", suggestion="so it is")]))
    annotated(workspace, text="so it is")
    verdicts_of_annotations(workspace)
    assert given(workspace, "t.space") == []


def test_a_flag_without_a_suggestion_can_only_be_rejected(workspace: Workspace) -> None:
    workspace.snapshot("flags", pd.DataFrame([flag("t.says", suggestion=None)]))
    annotated(workspace, "ann_c", "quite another text", 1)
    verdicts_of_annotations(workspace)
    assert given(workspace, "t.says") == []
    annotated(workspace, "ann_d", FLAGGED, 2)
    verdicts_of_annotations(workspace)
    assert given(workspace, "t.says") == [("rejected", "ann_d")]


@pytest.mark.parametrize("state", ["submitted", "empty"])
def test_who_calls_the_audio_bad_accepts_flags_on_the_audio(workspace: Workspace, state: str) -> None:
    annotated(workspace, text="" if state == "empty" else "something", state=state, remarks="bad_audio, unsure")
    verdicts_of_annotations(workspace)
    assert given(workspace, "audio.noisy") == [("accepted", "ann_c")]
    assert given(workspace) == []


def test_audio_that_nobody_calls_bad_is_no_verdict(workspace: Workspace) -> None:
    annotated(workspace, text="something", remarks="unsure")
    annotated(workspace, "ann_d", "", 2, remarks="bad_audio", state="skipped")
    verdicts_of_annotations(workspace)
    assert given(workspace, "audio.noisy") == []


@pytest.mark.parametrize("state", ["draft", "skipped", "cancelled", "deleted"])
def test_only_what_was_submitted_counts(workspace: Workspace, state: str) -> None:
    annotated(workspace, state=state)
    verdicts_of_annotations(workspace)
    assert given(workspace) == []


def test_what_the_workbench_sent_is_no_judgement(workspace: Workspace) -> None:
    annotated(workspace, is_ours=True)
    verdicts_of_annotations(workspace)
    assert given(workspace) == []


# -- what was said without the flag, and what was said of it -----------------------------------------------------------


def test_a_text_that_the_flag_was_found_with_does_not_judge_it(workspace: Workspace) -> None:
    """The suggestion may be this very text: another annotator's, which the check had before it."""
    annotated(workspace, seen_at=EARLIER)
    annotated(workspace, "ann_d", FLAGGED, 2, seen_at=EARLIER)
    verdicts_of_annotations(workspace)
    assert given(workspace) == []
    # A new version that says the same is no news either.
    annotated(workspace, lead_time=5.0)
    verdicts_of_annotations(workspace)
    assert given(workspace) == []
    annotated(workspace, "ann_d", SUGGESTED, 2)
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("accepted", "ann_d")]


def test_annotators_who_write_their_own_text_again_judge_only_a_flag_that_was_sent(workspace: Workspace) -> None:
    annotated(workspace, "ann_a", FLAGGED)
    verdicts_of_annotations(workspace)
    assert given(workspace) == []
    pushed(workspace)
    verdicts_of_annotations(workspace)
    assert given(workspace) == []
    annotated(workspace, "ann_a", FLAGGED)
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("rejected", "ann_a")]


def test_annotators_who_take_a_suggestion_for_their_own_text_accept_it(workspace: Workspace) -> None:
    annotated(workspace, "ann_a", SUGGESTED)
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("accepted", "ann_a")]


def test_a_push_before_the_flags_were_found_has_shown_none_of_them(workspace: Workspace) -> None:
    pushed(workspace)
    workspace.snapshot("flags", pd.DataFrame([flag("t.word")]))
    annotated(workspace, "ann_a", FLAGGED)
    verdicts_of_annotations(workspace)
    assert given(workspace) == []


# -- again, and back ---------------------------------------------------------------------------------------------------


def test_the_second_time_nothing_is_written(workspace: Workspace) -> None:
    annotated(workspace)
    verdicts_of_annotations(workspace)
    parts = workspace.parts("verdicts")
    for _ in range(2):
        assert verdicts_of_annotations(workspace).counts == {"accepted": 0, "rejected": 0, "withdrawn": 0}
    assert workspace.parts("verdicts") == parts
    # A later check of the same text finds the same flag, and the verdict stands.
    workspace.snapshot("flags", workspace.read("flags"))
    verdicts_of_annotations(workspace)
    assert workspace.parts("verdicts") == parts


def test_only_the_utterances_that_are_asked_for_are_judged(workspace: Workspace) -> None:
    workspace.snapshot("flags", pd.DataFrame([flag("t.word"), flag("t.word", utterance_id="u2")]))
    annotated(workspace)
    annotated(workspace, number=2, utterance_id="u2")
    rows = workspace.read("annotations")
    verdicts_of_annotations(workspace, rows[rows["utterance_id"] == "u2"])
    assert standing_verdicts(workspace)["utterance_id"].tolist() == ["u2"]
    verdicts_of_annotations(workspace, rows.iloc[:0])
    assert len(standing_verdicts(workspace)) == 1
    verdicts_of_annotations(workspace)
    assert standing_verdicts(workspace)["utterance_id"].tolist() == ["u2", "u1"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": "deleted"}, "the annotation is gone: uid-1"),
        ({"state": "skipped", "text": ""}, "the annotation is gone: uid-1"),
        ({"text": "quite another text"}, "the annotation says something else now: uid-1"),
    ],
)
def test_a_verdict_goes_with_what_it_was_given_by(workspace: Workspace, change: dict[str, str], why: str) -> None:
    annotated(workspace)
    verdicts_of_annotations(workspace)
    annotated(workspace, **change)
    assert verdicts_of_annotations(workspace).counts["withdrawn"] == 1
    assert given(workspace) == [("accepted", "ann_c"), ("withdrawn", "ann_c")]
    assert workspace.read("verdicts")["reason"].tolist() == [why]
    assert len(standing_verdicts(workspace)) == 0
    assert verdicts_of_annotations(workspace).counts["withdrawn"] == 0


def test_a_verdict_goes_also_after_a_check_that_finds_nothing(workspace: Workspace) -> None:
    annotated(workspace)
    verdicts_of_annotations(workspace)
    workspace.snapshot("flags", workspace.read("flags").iloc[:0])
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("accepted", "ann_c")]
    annotated(workspace, state="deleted")
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("accepted", "ann_c"), ("withdrawn", "ann_c")]


def test_who_changes_their_mind_changes_the_verdict(workspace: Workspace) -> None:
    for text in (SUGGESTED, FLAGGED, SUGGESTED):
        annotated(workspace, text=text)
        verdicts_of_annotations(workspace)
    assert given(workspace) == [("accepted", "ann_c"), ("rejected", "ann_c"), ("accepted", "ann_c")]


def test_of_two_annotations_by_one_person_the_later_counts(workspace: Workspace) -> None:
    annotated(workspace, text=SUGGESTED, number=2)
    annotated(workspace, text=FLAGGED, number=1)
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("rejected", "ann_c")]


def test_labellers_who_disagree_give_no_verdict(workspace: Workspace) -> None:
    annotated(workspace, "ann_c", SUGGESTED, 1)
    verdicts_of_annotations(workspace)
    annotated(workspace, "ann_d", FLAGGED, 2)
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("accepted", "ann_c"), ("withdrawn", "ann_c")]
    assert "labellers disagree: " in workspace.read("verdicts")["reason"].iloc[0]
    assert verdicts_of_annotations(workspace).counts["withdrawn"] == 0
    annotated(workspace, "ann_d", SUGGESTED, 2)
    verdicts_of_annotations(workspace)
    assert given(workspace)[2:] == [("accepted", "ann_d")]


# -- with verdicts by hand, and with texts -----------------------------------------------------------------------------


@pytest.mark.parametrize("by_hand", [accept_flags, reject_flags])
def test_verdicts_by_hand_are_never_overridden(workspace: Workspace, by_hand) -> None:
    flags = judged_flags(workspace).set_index("rule_id")["flag"]
    by_hand(workspace, [flags["t.word"]], "ann_lead")
    before = workspace.read("verdicts")
    for text in (SUGGESTED, FLAGGED):
        annotated(workspace, text=text)
        verdicts_of_annotations(workspace)
    assert workspace.read("verdicts").equals(before)


def test_a_verdict_that_somebody_took_back_by_hand_is_not_given_again(workspace: Workspace) -> None:
    annotated(workspace)
    verdicts_of_annotations(workspace)
    flags = judged_flags(workspace).set_index("rule_id")["flag"]
    undo_verdicts(workspace, [flags["t.word"]], "ann_lead")
    annotated(workspace, "ann_d", SUGGESTED, 2)
    verdicts_of_annotations(workspace)
    assert given(workspace) == [("accepted", "ann_c"), ("withdrawn", "ann_lead")]


def test_what_a_labeller_accepted_can_be_written_by_hand_and_undone(workspace: Workspace) -> None:
    annotated(workspace)
    verdicts_of_annotations(workspace)
    name = judged_flags(workspace).set_index("rule_id").loc["t.word", "flag"]

    def text() -> str:
        current = current_transcripts(workspace.read("transcripts"))
        return current.set_index(["utterance_id", "annotator"]).loc[("u1", "ann_a"), "text"]

    assert accept_flags(workspace, [name], "ann_lead").counts == {"accepted": 1, "texts": 1, "faults": 0}
    assert text() == SUGGESTED
    assert accept_flags(workspace, [name], "ann_lead").notes == [f"{name} is accepted already"]
    verdicts_of_annotations(workspace)
    undo_verdicts(workspace, [name], "ann_lead")
    assert text() == FLAGGED
    assert given(workspace) == [("accepted", "ann_c"), ("accepted", "ann_lead"), ("withdrawn", "ann_lead")]


def test_no_transcript_is_changed_by_a_verdict(workspace: Workspace) -> None:
    before = workspace.read("transcripts", history=True)
    annotated(workspace)
    verdicts_of_annotations(workspace)
    annotated(workspace, state="deleted")
    verdicts_of_annotations(workspace)
    assert workspace.read("transcripts", history=True).equals(before)
    assert workspace.read("verdicts", history=True)[["written_to", "revision"]].isna().all(axis=None)


def test_verdicts_of_labellers_teach_the_order_of_flags(tmp_path: Path) -> None:
    """A real check, labels by another person, and the check again."""
    full, short = "turn on the light in {}", "turn on light in {}"
    texts = {
        f"u{number}": {"ann_a": full.format(place), "ann_b": short.format(place), "ann_d": full.format(place)}
        for number, place in enumerate(["oslo", "rome", "kyiv", "lima"])
    }
    workspace = workspace_of(tmp_path, texts)
    check(workspace)
    flags = workspace.read("flags")
    judged = flags[flags["suggestion"].notna()]
    assert judged["rule_id"].tolist() == ["conflict.content"] * 4
    for number, row in enumerate(judged.itertuples(), start=1):
        annotated(workspace, "ann_c", row.suggestion, number, utterance_id=row.utterance_id)
    assert verdicts_of_annotations(workspace).counts["accepted"] == 4
    check(workspace)
    rule = workspace.read("rule_summary").set_index("rule_id").loc["conflict.content"]
    assert (rule["accepted"], rule["posterior"]) == (4, 5 / 6)


# -- on the real server ------------------------------------------------------------------------------------------------


def test_a_pull_brings_verdicts_and_remarks_and_takes_them_back(label_studio: RealServer, tmp_path: Path) -> None:
    project = LabelledProject(label_studio, tmp_path)
    workspace = project.workspace
    row = {"utterance_id": "u1", "annotator": "ann_a", "revision": 1, "text": FLAGGED, "source": "import"}
    workspace.append("transcripts", pd.DataFrame([row | {"created_at": EARLIER}]))
    workspace.snapshot("flags", pd.DataFrame([flag("t.word")]))
    number = project.annotate("u1", "ann_c", SUGGESTED)
    project.annotate("u2", "ann_c", None, "bad_audio")
    project.pull()
    uid = project.mirrored().set_index("annotation_id").loc[number, "uid"]
    verdict = standing_verdicts(workspace).iloc[0]
    assert (verdict["rule_id"], verdict["verdict"]) == ("t.word", "accepted")
    assert verdict["reason"] == f"wrote what was suggested: task {project.task['u1']} annotation {number} {uid}"
    assert project.texts()["u1", "ann_a"] == FLAGGED

    project.delete(number, "ann_c")
    project.pull()
    assert standing_verdicts(workspace).empty

    # What somebody hears in audio without any transcript is a flag, and what the next person hears judges it.
    check(workspace)
    assert judged_flags(workspace).set_index("utterance_id").loc["u2", "evidence"].endswith("calls the audio bad")
    project.annotate("u2", "ann_d", None, "bad_audio")
    project.pull()
    judged = judged_flags(workspace)
    heard = judged[judged["rule_id"] == "reported.bad_audio"]
    assert heard["verdict"].tolist() == ["accepted"]
    assert project.pull().counts["new"] == 0
    assert len(standing_verdicts(workspace)) == 1
