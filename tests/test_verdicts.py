"""Reviewers' verdicts: what they write, what takes them back, and what they do to the order of flags."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from label_rules.verdicts import ranks, wilson
from workbench.config import config_text
from workbench.errors import BadInput
from workbench.merged_edits import merge_edits
from workbench.stages.backlog import fixed_scores
from workbench.stages.check import check, checked_transcripts
from workbench.stages.conventions import apply_convention, undo_conventions
from workbench.stages.labels import set_label, undo_label
from workbench.stages.verdicts import (
    accept_flags,
    choose_flags,
    judged_flags,
    judged_summary,
    reject_flags,
    undo_verdicts,
)
from workbench.transcripts import current_transcripts, references
from workbench.workspace import Workspace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = {
    "u1": {"ann_a": "um what is the weather today", "ann_b": "what is the weather today"},
    "u2": {"ann_a": "the weather ", "ann_b": "the weather"},
    "u3": {"ann_a": "um  the weather now", "ann_b": "um  the weather now"},
}


def workspace_of(root: Path, texts: dict[str, dict[str, str]], toml: str = "") -> Workspace:
    workspace = Workspace.create(root, toml or config_text("w", "en", 0.2))
    workspace.append(
        "utterances",
        pd.DataFrame([{"utterance_id": name, "recording": f"{name}.wav", "source": "m.csv:1"} for name in texts]),
    )
    rows = [
        {"utterance_id": u, "annotator": a, "revision": 1, "text": text, "created_at": NOW, "source": "import"}
        for u, by in texts.items()
        for a, text in by.items()
    ]
    workspace.append("transcripts", pd.DataFrame(rows))
    return workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = workspace_of(tmp_path, TEXTS)
    made.snapshot("flags", pd.DataFrame(FLAGS))
    return made


def flag(utterance: str, rule: str, start: int, end: int, suggestion: str | None, **changes: object) -> dict:
    text = TEXTS[utterance]["ann_a"]
    row = {"utterance_id": utterance, "annotator": "ann_a", "rule_id": rule, "start": start, "end": end, "text": text}
    known = {"severity": "style", "score": 0.8, "evidence": "seen", "suggestion": suggestion, "group": None}
    return row | known | {"run_id": None} | changes


FLAGS = [
    flag("u1", "t.filler", 0, 2, "what is the weather today"),
    flag("u1", "t.word", 15, 22, "um what is the forecast today"),
    flag("u1", "t.other_filler", 0, 2, "uh what is the weather today"),
    flag("u1", "t.same", 0, 3, "what is the weather today"),
    flag("u1", "t.only_says", 0, 28, None, severity="harmful", score=0.1),
    flag("u2", "t.audio", 0, 0, None, annotator="", text=""),
]


def ids(workspace: Workspace, *rules: str) -> list[str]:
    flags = judged_flags(workspace).drop_duplicates("rule_id").set_index("rule_id")["flag"]
    return [flags[rule] for rule in rules]


def verdict(workspace: Workspace, rule: str) -> str:
    return judged_flags(workspace).set_index("rule_id")["verdict"][rule]


def text(workspace: Workspace, utterance: str = "u1", annotator: str = "ann_a") -> str:
    current = current_transcripts(workspace.read("transcripts")).set_index(["utterance_id", "annotator"])["text"]
    return current[utterance, annotator]


def test_an_accepted_suggestion_is_a_new_revision_with_author_and_reason(workspace: Workspace) -> None:
    outcome = accept_flags(workspace, ids(workspace, "t.filler"), "ann_c", "not spoken")
    assert outcome.counts == {"accepted": 1, "texts": 1, "faults": 0}
    row = workspace.read("transcripts").query("utterance_id == 'u1' and annotator == 'ann_a'").iloc[-1]
    assert (row["revision"], row["text"], row["source"]) == (2, "what is the weather today", "rule")
    assert (row["author"], row["reason"]) == ("ann_c", "t.filler: seen (not spoken)")
    assert verdict(workspace, "t.filler") == "accepted"
    assert text(workspace, annotator="ann_b") == TEXTS["u1"]["ann_b"]


def test_flags_on_different_words_compose_and_none_undoes_another(workspace: Workspace) -> None:
    accept_flags(workspace, ids(workspace, "t.word"), "ann_c")
    outcome = accept_flags(workspace, ids(workspace, "t.filler", "t.same", "t.only_says"), "ann_c")
    assert outcome.counts == {"accepted": 3, "texts": 1, "faults": 0}
    assert text(workspace) == "what is the forecast today"


def test_a_flag_on_words_that_another_has_changed_is_a_fault(workspace: Workspace) -> None:
    outcome = accept_flags(workspace, ids(workspace, "t.filler", "t.other_filler", "t.audio"), "ann_c")
    assert outcome.counts == {"accepted": 2, "texts": 1, "faults": 1}
    assert "changed the same words; run `workbench check` again" in outcome.faults["reason"][0]
    assert text(workspace) == "what is the weather today"


def test_a_text_that_a_person_has_changed_since_the_check_is_left_alone(workspace: Workspace) -> None:
    set_label(workspace, "u1", "ann_a", "what is this", "ann_c", "heard again")
    assert verdict(workspace, "t.filler") == "outdated"
    outcome = accept_flags(workspace, ids(workspace, "t.filler", "t.only_says"), "ann_c")
    assert outcome.counts == {"accepted": 0, "texts": 0, "faults": 2}
    assert text(workspace) == "what is this"


def test_undo_takes_back_what_was_written_last_first(workspace: Workspace) -> None:
    accept_flags(workspace, ids(workspace, "t.filler", "t.word"), "ann_c")
    first = undo_verdicts(workspace, ids(workspace, "t.filler"), "ann_c")
    later = text(workspace)
    assert later == "what is the forecast today"
    assert "has a later one" in first.faults["reason"][0]
    assert undo_verdicts(workspace, ids(workspace, "t.filler", "t.word"), "ann_c").counts["withdrawn"] == 2
    assert text(workspace) == TEXTS["u1"]["ann_a"]
    assert verdict(workspace, "t.word") == "open"
    with pytest.raises(BadInput, match="there is no verdict"):
        undo_verdicts(workspace, ids(workspace, "t.word"), "ann_c")


def test_a_revision_on_which_two_flags_rest_stays_until_both_are_taken_back(workspace: Workspace) -> None:
    accept_flags(workspace, ids(workspace, "t.filler", "t.same"), "ann_c")
    undo_verdicts(workspace, ids(workspace, "t.filler"), "ann_c")
    assert text(workspace) == "what is the weather today"
    undo_verdicts(workspace, ids(workspace, "t.same"), "ann_c")
    assert text(workspace) == TEXTS["u1"]["ann_a"]


def test_undo_of_the_label_opens_the_flag_again(workspace: Workspace) -> None:
    accept_flags(workspace, ids(workspace, "t.filler"), "ann_c")
    undo_label(workspace, "u1", "ann_a", "ann_c")
    assert verdict(workspace, "t.filler") == "open"
    accept_flags(workspace, ids(workspace, "t.filler"), "ann_c")
    assert text(workspace) == "what is the weather today"


def test_a_suggestion_can_become_the_reference_instead(workspace: Workspace) -> None:
    outcome = accept_flags(workspace, ids(workspace, "t.filler", "t.word"), "ann_c", to_reference=True)
    assert outcome.counts["faults"] == 0
    assert text(workspace) == TEXTS["u1"]["ann_a"]
    chosen = references(workspace.read("transcripts")).set_index("utterance_id").loc["u1"]
    assert list(chosen) == ["what is the forecast today", "reference"]
    undo_verdicts(workspace, ids(workspace, "t.filler", "t.word"), "ann_c")
    assert "reference" not in set(references(workspace.read("transcripts"))["annotator"])


def test_a_reference_that_reads_otherwise_is_not_overwritten(workspace: Workspace) -> None:
    set_label(workspace, "u1", "reference", "what's the weather", "ann_c", "heard")
    outcome = accept_flags(workspace, ids(workspace, "t.filler"), "ann_c", to_reference=True)
    assert "reference's text is no longer the one that was checked" in outcome.faults["reason"][0]


def test_rejected_flags_stay_rejected_after_the_next_check_and_accepted_ones_cannot_be(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, TEXTS)
    check(workspace)
    rule = "conflict.filler"
    assert reject_flags(workspace, [], "ann_c", "spoken", rule).counts["rejected"] > 0
    before = judged_flags(workspace).query("rule_id == @rule")
    check(workspace)
    after = judged_flags(workspace).query("rule_id == @rule")
    assert set(after["verdict"]) == {"rejected"}
    assert sorted(after["flag"]) == sorted(before["flag"])
    summary = workspace.read("rule_summary").set_index("rule_id").loc[rule]
    assert (summary["accepted"], summary["rejected"], summary["precision"]) == (0, len(after), 0.0)
    assert summary["posterior"] == pytest.approx(1 / (len(after) + 2))


def test_flags_are_found_by_first_letters_and_a_wrong_name_is_refused(workspace: Workspace) -> None:
    flags = judged_flags(workspace)
    name = flags["flag"][0]
    assert choose_flags(flags, [name[:6], name])["flag"].tolist() == [name]
    with pytest.raises(BadInput, match="no flag 'zzzzzz'; `workbench flags` lists them"):
        choose_flags(flags, ["zzzzzz"])
    with pytest.raises(BadInput, match=r"did you mean 't\.filler'"):
        choose_flags(flags, [], "t.fillers")


def test_an_accepted_flag_that_is_gone_after_a_check_can_still_be_taken_back(workspace: Workspace) -> None:
    (name,) = ids(workspace, "t.filler")
    accept_flags(workspace, [name], "ann_c")
    workspace.snapshot("flags", workspace.read("flags").iloc[:0])
    assert judged_flags(workspace)["verdict"].tolist() == ["accepted"]
    undo_verdicts(workspace, [name], "ann_c")
    assert text(workspace) == TEXTS["u1"]["ann_a"]


def test_rejected_suggestions_promise_no_gain(workspace: Workspace) -> None:
    scores = pd.DataFrame({"utterance_id": ["u1"], "hypothesis": ["what is the weather today"]})
    workspace.append("transcripts", pd.DataFrame([_reference("u1", TEXTS["u1"]["ann_a"])]))
    workspace.snapshot("flags", pd.DataFrame(FLAGS[:2]).assign(annotator="reference"))
    assert set(fixed_scores(workspace, scores)) == {"t.filler", "t.word"}
    reject_flags(workspace, ids(workspace, "t.filler"), "ann_c")
    assert set(fixed_scores(workspace, scores)) == {"t.word"}


def _reference(utterance: str, text: str) -> dict[str, object]:
    row = {"utterance_id": utterance, "annotator": "reference", "revision": 1, "text": text}
    return row | {"created_at": NOW, "source": "import"}


def test_without_verdicts_severity_and_score_rank_and_rejections_make_a_rule_sink() -> None:
    flags = pd.DataFrame(
        {
            "rule_id": ["s", "h", "s", "h"],
            "severity": ["style", "harmful", "style", "harmful"],
            "score": [0.9, 0.2, 0.1, 0.9],
        }
    )
    none = pd.DataFrame({"rule_id": [], "verdict": []}, dtype="str")
    assert ranks(flags, none).sort_values(ascending=False).index.tolist() == [3, 1, 0, 2]
    rejected = pd.DataFrame({"rule_id": ["h"] * 10, "verdict": ["rejected"] * 10})
    assert ranks(flags, rejected).sort_values(ascending=False).index.tolist() == [0, 3, 1, 2]


def test_wilsons_interval() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29, method 3.
    low, high = wilson(np.array([81.0, 15.0, 0.0, 1.0]), np.array([263.0, 148.0, 20.0, 29.0]))
    assert low.round(4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]
    assert high.round(4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ("b c d", "a b c e", "b c e"),
        ("a b c d", "a x c d", "a x c d"),
        ("a x c d", "a y c d", None),
        ("a b c d e", "a b c d f", None),
        ("", "a b c x", None),
    ],
)
def test_two_changes_of_one_text(one: str, other: str, merged: str | None) -> None:
    assert merge_edits("a b c d", one, other) == merge_edits("a b c d", other, one) == merged


def test_the_rules_see_one_run_of_every_model(workspace: Workspace) -> None:
    models = {"main": "a", "other-1": "b", "other.1": "c", "main with other settings": "a", "other-1, again": "b"}
    began = pd.Timestamp("2026-03-01", tz="UTC")
    for number, (name, model) in enumerate(models.items()):
        rows = [{"utterance_id": "u1", "run_id": name, "text": f"by {name}", "audio": ""}]
        workspace.append("hypotheses", pd.DataFrame(rows))
        run = {"run_id": name, "backend": "imported", "model": model, "parameters": "{}", "utterances": 1}
        run |= {"started_at": began + pd.Timedelta(days=number), "finished": True}
        workspace.append("runs", pd.DataFrame([run]))
    seen = checked_transcripts(workspace, "main").set_index(["utterance_id", "annotator"]).loc[("u1", "ann_a")]
    texts = {name: seen[name] for name in seen.index if name.startswith("hypothesis")}
    assert texts == {
        "hypothesis": "by main",
        "hypothesis_other_1": "by other.1",
        "hypothesis_other_1__again": "by other-1, again",
    }


def test_the_summary_of_an_older_workspace_has_verdicts_too(workspace: Workspace) -> None:
    check(workspace)
    assert judged_summary(workspace)["posterior"].eq(0.5).all()


def test_undo_of_a_verdict_leaves_what_a_convention_wrote(tmp_path: Path) -> None:
    texts = {f"u{i}": {"ann_a": f"{'ok' if i == 0 else 'okay'} number {i}"} for i in range(8)}
    workspace = workspace_of(tmp_path, texts)
    row = {"utterance_id": "u0", "annotator": "ann_a", "rule_id": "t.okay", "start": 0, "end": 2, "text": "ok number 0"}
    row |= {"severity": "style", "score": 0.8, "evidence": "seen", "suggestion": "okay number 0", "group": None}
    workspace.snapshot("flags", pd.DataFrame([row | {"run_id": None}]))
    batch = apply_convention(workspace, "spelling.okay", "okay", None, "ann_c", "guideline").counts["batch"]
    flags = judged_flags(workspace)["flag"].tolist()
    accept_flags(workspace, flags, "ann_c")
    undo_verdicts(workspace, flags, "ann_c")
    assert text(workspace, "u0") == "okay number 0"
    assert undo_conventions(workspace, batch, "ann_c").counts["undone"] == 1
    assert text(workspace, "u0") == "ok number 0"
