"""Anything that people do on both sides, in any order: no label is lost, doubled, or decided by nobody.

The server here is a dict, and its clock is whatever a server's clock may be. The oracle knows nothing of how a pull
works: what is on the server is a revision or waits for a decision, what somebody wrote here stands until somebody
decides otherwise, and else an annotator's text is what the annotator submitted last.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.label_studio_server import RealServer
from tests.labelled_project import LabelledProject, email_of, result, workspace_of
from tests.test_sync_incoming import MARK, ORDER, PROJECT, START, STORED, World
from workbench.errors import BadInput
from workbench.label_studio.annotations import ExportedTask
from workbench.label_studio.records import FoundAnnotation, fix_uid
from workbench.stages.labels import set_label, undo_label
from workbench.stages.sync.conflicts import OPEN, SERVER, TEXT, WORKSPACE, resolve
from workbench.stages.sync.incoming import ReadTask, bring_in
from workbench.stages.sync.mirrored import Names
from workbench.stages.sync.pending_fixes import pending_fixes
from workbench.stages.sync.revisions import pulled_from
from workbench.transcripts import revision, undo

Key = tuple[str, str]
PEOPLE, UTTERANCES = ["ann_a", "ann_b"], ["u1", "u2"]


class Sides(World):
    """A server and a workspace, and what people have a right to find in the workspace."""

    def __init__(self) -> None:
        super().__init__()
        self.root = None
        self.made = 0
        self.backup: dict[str, dict[str, Any]] = {}
        self.mine: dict[Key, tuple[str | None, str | None]] = {}
        "What somebody wrote here, and what stood before, where the server has not said the same since."
        self.last: dict[Key, tuple[str, str, str | None]] = {}
        "Unique id, time and text of what each annotator submitted last, as far as a pull could see."
        self.known: set[tuple[str, str]] = set()
        self.decided: dict[str, str] = {}
        "The text of an annotation that somebody has decided against."

    def _at(self) -> str:
        self.clock += 1
        self.made += 1
        return (START + timedelta(seconds=self.clock, microseconds=self.made)).isoformat()

    # -- on the server ------------------------------------------------------------------------------------------

    def add(self, utterance: str, who: str, text: str) -> None:
        at = self._at()
        uid = f"{self.made:08d}-0000-4000-8000-000000000000"
        one = {"utterance": utterance, "user": who, "by": who, "text": text, "number": self.made, "at": at}
        self.server[uid] = one | {"skipped": False}

    def edit(self, uid: str, text: str, by: str = "", skipped: bool = False) -> None:
        by = by or self.server[uid]["user"]
        self.server[uid] = self.server[uid] | {"text": text, "at": self._at(), "by": by, "skipped": skipped}

    def everything(self) -> list[ReadTask]:
        tasks: dict[str, list[FoundAnnotation]] = {name: [] for name in UTTERANCES}
        for uid, one in reversed(self.server.items()):
            made = result(one["text"]) if one["text"] else []
            tasks[one["utterance"]].append(
                FoundAnnotation(
                    uid, one["number"], int(one["utterance"][1:]), one["user"], one["by"], False, one["skipped"],
                    False, made, one["at"], one["at"], 1.0,
                )
            )  # fmt: skip
        return [
            ReadTask(name, ExportedTask(int(name[1:]), {}, (len(found), 0), tuple(found)))
            for name, found in tasks.items()
        ]

    # -- as a workspace -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        yield

    def read(self, name: str, history: bool = False) -> pd.DataFrame:
        names = {stored: short for short, stored in STORED.items()}
        frame: pd.DataFrame = getattr(self.held(), names.get(name, name))
        return frame if history else frame.drop_duplicates("uid", keep="last") if name == "annotations" else frame

    def append(self, name: str, frame: pd.DataFrame) -> None:
        names = {stored: short for short, stored in STORED.items()}
        plain = frame.astype(object).where(frame.notna(), None)
        self.tables[names.get(name, name)] += plain.to_dict("records")

    # -- in the workspace ---------------------------------------------------------------------------------------

    def wrote(self, key: Key, before: str | None) -> None:
        """Somebody has decided here what a text is."""
        now = self.current().get(key)
        start = self.mine[key][1] if key in self.mine else before
        self.mine[key] = (now, start)
        if now == start:
            del self.mine[key]
            if key in self.last:
                self.last[key] = (*self.last[key][:2], now)

    def change_here(self, utterance: str, who: str, text: str) -> None:
        before = self.current()
        super().change_here(utterance, who, text)
        if before.get((utterance, who)) is not None:
            self.wrote((utterance, who), before[utterance, who])

    def undo_here(self, utterance: str, who: str) -> None:
        before = self.current()
        with contextlib.suppress(BadInput):
            self.tables["transcripts"].append(undo(self.held().transcripts, utterance, who, "ann_c"))
            self.wrote((utterance, who), before.get((utterance, who)))

    def decide(self, place: int, decision: str) -> None:
        rows = self.open_conflicts()
        if not rows:
            return
        row = rows[place % len(rows)]
        key = row["utterance_id"], row["annotator"]
        text = "w" if decision == TEXT else None
        resolve(self, [row["conflict_id"]], decision, "ann_c", "heard", text)  # type: ignore[arg-type]
        current = self.current().get(key)
        if decision == SERVER:
            assert current == row["server_text"]
            self.mine.pop(key, None)
            self.last[key] = (row["uid"], row["version"], current)
        else:
            self.decided[row["uid"]] = row["server_text"]
            self.mine[key] = (current, row["base_text"])

    def open_conflicts(self) -> list[dict[str, Any]]:
        return [row for row in self.conflicts().values() if row["decision"] == OPEN]

    def conflicts(self) -> dict[str, dict[str, Any]]:
        return {row["conflict_id"]: row for row in self.tables["conflicts"]}

    def take_back(self) -> None:
        before = self.current()
        super().retract()
        after = self.current()
        for key in before.keys() | after.keys():
            if before.get(key) != after.get(key):
                # An undo here that leaves a text which was deleted there has not made it ours.
                assert key not in self.mine or before[key] not in "xyw", "what was written here was taken back"
                self.mine.pop(key, None)
                self.last[key] = ("", "", after.get(key))

    # -- a pull, and what it must leave behind ------------------------------------------------------------------

    def pull(self, killed_before: str = "") -> None:
        for uid, text in list(self.decided.items()):
            if uid in self.server and self.server[uid]["text"] != text:
                del self.decided[uid]
        if killed_before:
            self._once(killed_before)
        self._once()
        self.check()
        assert not self._once(), "a second pull brings something"

    def _once(self, killed_before: str = "") -> int:
        standing = {name for history in self.standing_names().values() for name in history}
        news = bring_in(self.held(), PROJECT, self.everything(), (), Names({}), MARK)
        for row in news.transcripts:
            pulled = pulled_from(row["source"], row["source_detail"])
            assert pulled is None or pulled[:2] not in standing, "a version came twice"
        for name in ORDER:
            if name == killed_before:
                break
            self.tables[name] += getattr(news, name)
        return len(news.transcripts) + len(news.conflicts) + len(news.annotations)

    def standing_names(self) -> dict[Key, list[tuple[str, str]]]:
        found: dict[Key, list[tuple[str, str]]] = {}
        for row in self.tables["transcripts"]:
            history = found.setdefault((row["utterance_id"], row["annotator"]), [])
            if row["source"] in ("undo", "retract"):
                history.pop()
            else:
                name = pulled_from(row["source"], row["source_detail"])
                history.append(name[:2] if name else ("", ""))
        return found

    def check(self) -> None:
        current = self.current()
        texts = {
            (row["utterance_id"], row["annotator"], row["revision"]): row["text"] for row in self.tables["transcripts"]
        }
        rows = {row["uid"]: row for row in self.tables["annotations"]}
        waiting = {(row["utterance_id"], row["annotator"]) for row in self.open_conflicts()}
        fresh = []
        for uid, one in self.server.items():
            row, key = rows[uid], (one["utterance"], one["user"])
            assert (row["version"], row["text"]) == (one["at"], one["text"])
            if one["skipped"] or not one["text"]:
                continue
            if row["revision"] is not None:
                assert texts[*key, row["revision"]] == one["text"], "its revision says something else"
            else:
                of_it = [c for c in self.conflicts().values() if c["uid"] == uid and c["server_text"] == one["text"]]
                is_open = any(c["decision"] == OPEN and c["version"] == one["at"] for c in of_it)
                is_decided = any(
                    c["decision"] in (WORKSPACE, TEXT) and (c["version"] == one["at"] or uid in self.decided)
                    for c in of_it
                )
                assert is_open or is_decided, "a submitted text is nowhere"
            if (uid, one["at"]) not in self.known:
                self.known.add((uid, one["at"]))
                fresh.append((datetime.fromisoformat(one["at"]), uid, key, one))
        live = set(self.server)
        for _, uid, key, one in sorted(fresh, key=lambda each: each[0]):
            before = self.last.get(key)
            # Of two annotations by one person that a clock that went back has put in another order, either may stand.
            either = current.get(key) == one["text"]
            if before is None or before[0] == uid or before[0] not in live or one["at"] > before[1] or either:
                self.last[key] = (uid, one["at"], one["text"])
                if key in self.mine and self.mine[key][0] == one["text"]:
                    del self.mine[key]
        for key, (text, _) in self.mine.items():
            assert current.get(key) == text, "what was written here was written over"
        for key, (_, _, text) in self.last.items():
            if key not in self.mine and key not in waiting:
                assert current.get(key) == text, "what was submitted last does not stand, and nobody decided it"


WHERE = st.tuples(st.sampled_from(UTTERANCES[:1]), st.sampled_from(PEOPLE[:1]))
STEP = st.one_of(
    st.tuples(st.just("add"), WHERE, st.sampled_from("abc")),
    st.tuples(st.just("edit"), st.integers(0, 2), st.sampled_from("abcx"), st.sampled_from(["", "ann_b"])),
    st.tuples(st.just("touch"), st.integers(0, 2)),
    st.tuples(st.just("skip"), st.integers(0, 2)),
    st.tuples(st.just("empty"), st.integers(0, 2)),
    st.tuples(st.just("delete"), st.integers(0, 2)),
    st.tuples(st.just("clock"), st.integers(1, 5)),
    st.tuples(st.just("backup")),
    st.tuples(st.just("restore")),
    st.tuples(st.just("here"), WHERE, st.sampled_from("xya")),
    st.tuples(st.just("undo"), WHERE),
    st.tuples(st.just("decide"), st.integers(0, 2), st.sampled_from([SERVER, WORKSPACE, TEXT])),
    st.tuples(st.just("retract")),
    st.tuples(st.just("pull"), st.sampled_from(["", "", *ORDER])),
    st.tuples(st.just("pull"), st.sampled_from(["", "", *ORDER])),
)


def play(steps: list[tuple[Any, ...]]) -> Sides:
    sides = Sides()
    for name, *more in steps:
        uids = list(sides.server)
        uid = uids[more[0] % len(uids)] if uids and more and isinstance(more[0], int) else None
        if name == "add":
            sides.add(more[0][0], more[0][1], more[1])
        elif name == "clock":
            sides.clock -= more[0]
        elif name == "backup":
            sides.backup = deepcopy(sides.server)
        elif name == "restore":
            sides.server = deepcopy(sides.backup)
        elif name == "here":
            sides.change_here(more[0][0], more[0][1], more[1])
        elif name == "undo":
            sides.undo_here(*more[0])
        elif name == "decide":
            sides.decide(*more)
        elif name == "retract":
            sides.take_back()
        elif name == "pull":
            sides.pull(*more)
        elif uid is None:
            continue
        elif name == "edit":
            sides.edit(uid, *more[1:])
        elif name == "touch":
            sides.edit(uid, sides.server[uid]["text"], skipped=sides.server[uid]["skipped"])
        elif name == "skip":
            sides.edit(uid, sides.server[uid]["text"], skipped=True)
        elif name == "empty":
            sides.edit(uid, "")
        elif name == "delete":
            del sides.server[uid]
    sides.pull()
    return sides


HERE = ("u1", "ann_a")
CONFLICT: list[tuple[Any, ...]] = [
    ("add", HERE, "a"), ("pull", ""), ("here", HERE, "x"), ("edit", 0, "b", ""), ("pull", ""),
]  # fmt: skip


def waiting(sides: Sides) -> list[str]:
    return [row["server_text"] for row in sides.open_conflicts()]


def test_a_decision_is_about_one_text_and_not_about_every_later_time_that_it_comes() -> None:
    decided = [*CONFLICT, ("decide", 0, WORKSPACE)]
    assert waiting(play([*decided, ("touch", 0)])) == []
    again = [*decided, ("edit", 0, "c", ""), ("pull", ""), ("decide", 0, SERVER), ("here", HERE, "y")]
    sides = play([*again, ("edit", 0, "b", "")])
    assert (sides.current()[HERE], waiting(sides)) == ("y", ["b"])
    assert waiting(play([*again, ("edit", 0, "b", ""), ("pull", ""), ("touch", 0)])) == ["b"]


@pytest.mark.parametrize("meanwhile", [("delete", 0), ("edit", 0, "c", ""), ("skip", 0), ("empty", 0)])
def test_a_version_that_is_back_is_to_be_decided_again(meanwhile: tuple[Any, ...]) -> None:
    sides = play([*CONFLICT, ("backup",), meanwhile, ("pull", ""), ("restore",)])
    assert (sides.current()[HERE], waiting(sides)) == ("x", ["b"])
    sides.decide(0, SERVER)
    assert sides.current()[HERE] == "b"


def test_where_the_clock_of_a_server_went_back_nobody_knows_which_text_is_the_later_one() -> None:
    back = [("clock", -5), ("add", HERE, "a"), ("pull", ""), ("edit", 0, "b", ""), ("pull", ""), ("clock", 4)]
    sides = play([*back, ("edit", 0, "c", "")])
    assert (sides.current()[HERE], waiting(sides)) == ("b", ["c"])
    twice = play(
        [*back[:2], ("add", HERE, "b"), ("edit", 0, "a", ""), ("pull", ""), ("clock", 4), ("edit", 0, "c", "")]
    )
    assert (twice.current()[HERE], waiting(twice)) == ("a", ["c"])
    sides.decide(0, SERVER)
    sides.edit(next(iter(sides.server)), "d")
    sides.pull()
    assert (sides.current()[HERE], waiting(sides)) == ("d", [])


def test_what_both_sides_went_back_to_is_what_they_agree_on() -> None:
    both = [("add", HERE, "a"), ("pull", ""), ("edit", 0, "b", ""), ("pull", ""), ("undo", HERE), ("edit", 0, "a", "")]
    sides = play([*both, ("pull", ""), ("edit", 0, "b", "")])
    assert (sides.current()[HERE], waiting(sides)) == ("b", [])
    assert play([*both, ("pull", ""), ("delete", 0), ("pull", ""), ("retract",)]).current() == {}
    # Another annotation says what the undo brought back, so that it stands.
    twice = play([*both, ("add", HERE, "a"), ("pull", ""), ("delete", 0), ("pull", ""), ("retract",)])
    assert twice.current() == {HERE: "a"}


def test_a_text_whose_part_of_a_table_was_lost_comes_again() -> None:
    sides = play([("add", HERE, "a"), ("pull", ""), ("edit", 0, "b", "")])
    for kept in (1, 0):
        del sides.tables["transcripts"][kept:]
        sides.pull()
        assert sides.current() == {HERE: "b"}


def test_who_changes_a_fix_and_changes_it_back_has_written_what_it_says() -> None:
    sides = Sides()
    sides.add("u1", "ann_c", "x")
    (uid,) = sides.server
    fix = {"uid": uid, "kind": "annotation", "text": "x", "state": "sent", "utterance_id": "u1", "annotator": "ann_a"}
    sides.tables["fixes"].append(fix)
    for text, by, stands in (("x", "ann_c", {}), ("y", "ann_b", {"ann_b": "y"}), ("x", "ann_b", {"ann_b": "x"})):
        sides.edit(uid, text, by)
        sides._once()
        assert sides.current() == {("u1", who): said for who, said in stands.items()}


@pytest.mark.parametrize("state", ["intended", "undone"])
def test_a_fix_that_is_not_there_waits_for_the_decision_of_a_conflict(tmp_path: Path, state: str) -> None:
    workspace = workspace_of(tmp_path, ["u1"])
    sides = play([("add", HERE, "a"), ("pull", "")])
    fix = revision("u1", "ann_a", 2, "x", "rule", "label.rule um as x, batch 0123abcd")
    sides.tables["transcripts"].append(fix)
    sent: dict[str, Any] = {
        "uid": fix_uid(MARK, "u1", "ann_a", 2, "x"),
        "batch": "b1",
        "utterance_id": "u1",
        "annotator": "ann_a",
    }
    sent |= {"revision": 2, "text": "x", "kind": "annotation", "task_id": 1, "state": state, "at": START}
    task = {"project_id": PROJECT, "utterance_id": "u1", "task_id": 1, "state": "present", "at": START}
    bound = {"server": "https://labels.example.com", "project_id": PROJECT, "mark": MARK, "bound_at": START}
    for name, row in (("sync_project", bound), ("sync_tasks", task), ("sync_fixes", sent)):
        workspace.append(name, pd.DataFrame([row]))
    workspace.append("transcripts", pd.DataFrame(sides.tables["transcripts"]))
    assert pending_fixes(workspace)["state"].tolist() == [state]
    sides.edit(next(iter(sides.server)), "b")
    sides._once()
    workspace.append("sync_conflicts", pd.DataFrame(sides.tables["conflicts"]))
    assert pending_fixes(workspace)["state"].tolist() == ["conflict"]


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=16))
def test_no_label_is_lost_doubled_or_decided_by_nobody(steps: list[tuple[Any, ...]]) -> None:
    play(steps)


# -- the same on the real server ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_no_label_of_the_real_server_is_lost_or_written_over(
    label_studio: RealServer, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    project = LabelledProject(label_studio, tmp_path, tasks=2)
    workspace = project.workspace
    mine: dict[str, tuple[str | None, str | None]] = {}
    numbers: list[int] = []

    def written_here(utterance: str, write: Any) -> None:
        before = project.texts().get((utterance, "ann_a"))
        with contextlib.suppress(BadInput):
            write()
            after = project.texts().get((utterance, "ann_a"))
            mine[utterance] = (after, mine[utterance][1] if utterance in mine else before)
            if mine[utterance][0] == mine[utterance][1]:
                del mine[utterance]

    def step(what: str, utterance: str, text: str) -> None:
        if what == "annotate":
            numbers.append(project.annotate(utterance, "ann_a", text))
        elif what == "here":
            written_here(
                utterance, lambda: set_label(workspace, utterance, email_of("ann_a"), "here", "ann_c", "heard")
            )
        elif what == "undo":
            written_here(utterance, lambda: undo_label(workspace, utterance, email_of("ann_a"), "ann_c"))
        elif what == "pull":
            check()
        elif what == "decide":
            rows = workspace.read("sync_conflicts")
            for row in rows[rows["decision"] == OPEN].head(1).itertuples():
                resolve(workspace, [row.conflict_id], SERVER, "ann_c", "heard")
                assert project.texts()[row.utterance_id, "ann_a"] == row.server_text
                mine.pop(row.utterance_id, None)
        elif numbers:
            number = numbers.pop(chance.randrange(len(numbers)))
            if what == "delete":
                project.delete(number, "ann_a")
                return
            numbers.append(number)
            if what == "skip":
                project.change(number, "ann_a", text, was_cancelled=True)
            else:
                project.change(number, "ann_a", text or None, was_cancelled=False)

    def check() -> None:
        project.pull()
        assert project.pull().table.empty
        open_ones = workspace.read("sync_conflicts")
        open_ones = open_ones[open_ones["decision"] == OPEN]
        waits = set(zip(open_ones["uid"], open_ones["version"], strict=True))
        history = workspace.read("transcripts", history=True)
        texts = {(r.utterance_id, r.annotator, r.revision): r.text for r in history.itertuples()}
        pulled = [detail for detail in history["source_detail"].dropna() if detail.startswith("task ")]
        assert len(pulled) == len(set(pulled))
        for task in project.ask("GET", f"/api/projects/{project.project}/export?exportType=JSON"):
            for one in task["annotations"]:
                row = workspace.read("annotations").set_index("uid").loc[one["unique_id"]]
                assert row["version"] == one["updated_at"]
                if row["state"] == "submitted" and pd.isna(row["revision"]):
                    assert (one["unique_id"], one["updated_at"]) in waits, "a submitted text is nowhere"
                elif row["state"] == "submitted":
                    said = one["result"][0]["value"]["text"][0]
                    assert texts[row["utterance_id"], row["annotator"], row["revision"]] == said
        for utterance, (text, _) in mine.items():
            assert project.texts().get((utterance, "ann_a")) == text, "what was written here was written over"

    steps = [
        "annotate",
        "change",
        "change",
        "empty",
        "skip",
        "delete",
        "here",
        "undo",
        "decide",
        "pull",
        "pull",
        "pull",
    ]
    for _ in range(24):
        what = chance.choice(steps)
        step(what, chance.choice(project.utterances), "" if what == "empty" else chance.choice("abc"))
    check()
