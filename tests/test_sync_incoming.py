"""Annotations brought in, on plain records: whatever a server says, in whatever order, and killed wherever."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labelled_project import result
from workbench.label_studio.accounts import describe
from workbench.label_studio.annotations import NOBODY, ExportedTask, exported_tasks
from workbench.label_studio.errors import BadReply
from workbench.label_studio.records import Account, FoundAnnotation, FoundTask
from workbench.stages.sync.changes import changes, version_of
from workbench.stages.sync.incoming import Held, News, ReadTask, bring_in, retractions
from workbench.stages.sync.mirrored import Names
from workbench.stages.sync.revisions import pulled_from
from workbench.tables import TABLES
from workbench.transcripts import RETRACTED, revision, standing_of

PROJECT, MARK = 7, "f00dfeed"
START = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = ("transcripts", "conflicts", "remarks", "fixes", "annotations")
STORED = {"conflicts": "sync_conflicts", "fixes": "sync_fixes"}


class Replies:
    """A connection that gives these exports, as no server of ours would."""

    server = "https://labels.example.com"

    def __init__(self, reply: Any) -> None:
        self._reply = reply

    def get(self, path: str, params: Any = None) -> Any:
        return self._reply


def exported(**changes: Any) -> dict[str, Any]:
    """A task with one annotation, as the export gives it."""
    annotation = {
        "id": 8, "unique_id": "6503f704-88e9-4d51-ba70-4733b3b3f709", "completed_by": 1, "updated_by": 1,
        "result": result("so it is"), "was_cancelled": False, "ground_truth": False, "lead_time": 3.5,
        "created_at": "2026-01-01T00:00:00.000001Z", "updated_at": "2026-01-01T00:00:00.000002Z",
        "prediction": {}, "parent_prediction": None,
    }  # fmt: skip
    task = {"id": 3, "data": {}, "annotations": [annotation | changes], "drafts": []}
    return task | {"total_annotations": 1, "cancelled_annotations": 0}


def read(reply: Any) -> ExportedTask:
    accounts = {1: Account(1, "ann_a@example.com")}
    ((task,),) = exported_tasks(Replies(reply), PROJECT, None, accounts)  # type: ignore[arg-type]
    return task


def test_people_whose_account_is_gone_still_have_names() -> None:
    assert read([exported()]).found[0].user == "ann_a@example.com"
    assert read([exported(completed_by=7)]).found[0].user == "user-7"
    assert read([exported(completed_by=None)]).found[0].user == NOBODY


@pytest.mark.parametrize("email", ["ann_a\n@example.com", "\x1b[2J", "\u202e", " ", "", "a" * 321, None, 7, ["a"]])
def test_what_would_break_a_line_is_nobodys_name(email: Any) -> None:
    records: Any = {"api/version": {"release": "1"}, "api/users/": []}
    records["api/current-user/whoami"] = {"id": 7, "email": email}
    server = SimpleNamespace(server="http://127.0.0.1:1", get=records.get)
    assert describe(server).account.email == "user-7"
    draft = exported()["annotations"][0] | {"user": email}
    seen = read([exported() | {"annotations": [], "drafts": [draft]}])
    assert [one.user for one in seen.found] in ([], [NOBODY], ["user-7"])


def test_nobody_there_can_take_the_name_of_the_official_transcripts() -> None:
    assert Names({}).of("reference") == "reference (there)"
    assert Names({"ann_a@example.com": "reference"}).of("ann_a@example.com") == "reference"


@pytest.mark.parametrize("lead_time", [10**400, -1, math.inf, math.nan, "3", True])
def test_a_lead_time_that_is_none_is_not_known(lead_time: Any) -> None:
    assert read([exported(lead_time=lead_time)]).found[0].lead_time is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "8"}, "id = '8', which must be a whole number"),
        ({"id": 10**400}, "which must be a whole number"),
        ({"unique_id": "../../etc"}, "unique_id is '../../etc', which is no unique id"),
        ({"completed_by": {"id": 1}}, "which is no account"),
        ({"updated_at": "yesterday"}, "updated_at is 'yesterday', which is no time"),
        ({"updated_at": "2026-01-01T00:00:00"}, "no time with a time zone"),
        ({"result": "text"}, "its result is JSON of type str, not a list"),
        ({"parent_prediction": "5"}, "parent_prediction = '5'"),
    ],
)
def test_an_annotation_that_cannot_be_read_is_a_problem_of_its_own(change: dict[str, Any], reason: str) -> None:
    task = exported(**change)
    task["annotations"].append(exported()["annotations"][0])
    seen = read([task])
    assert len(seen.found) == 1
    assert reason in seen.problems[0][1]
    news = bring_in(World().held(), PROJECT, [ReadTask("u1", seen)], (), Names({}), MARK)
    assert (len(news.transcripts), len(news.faults), news.faulty) == (1, 1, {3})


@pytest.mark.parametrize("reply", [{}, None, [1], [{"id": 3}], [{"id": -1}]])
def test_what_is_no_export_is_refused(reply: Any) -> None:
    with pytest.raises(BadReply):
        read(reply)


def test_a_task_tells_whether_it_was_changed_while_it_was_read() -> None:
    assert read([exported()]).agrees
    assert not read([exported(was_cancelled=True)]).agrees
    assert not read([exported() | {"total_annotations": 2}]).agrees


def test_half_a_character_is_named_and_not_replaced() -> None:
    task = read([exported(result=result("half \ud83d"))])
    news = bring_in(World().held(), PROJECT, [ReadTask("u1", task)], (), Names({}), MARK)
    assert not news.transcripts
    assert "half of a character" in news.faults[0]["reason"]
    real = read([exported(result=result("typed \N{REPLACEMENT CHARACTER}"))])
    news = bring_in(World().held(), PROJECT, [ReadTask("u1", real)], (), Names({}), MARK)
    assert news.transcripts[0]["text"] == "typed \N{REPLACEMENT CHARACTER}"


def test_one_unique_id_in_two_tasks_is_named() -> None:
    task = exported()
    other = exported(id=9) | {"id": 4}
    tasks = [ReadTask("u1", read([task])), ReadTask("u2", read([other]))]
    news = bring_in(World().held(), PROJECT, tasks, (), Names({}), MARK)
    assert len(news.annotations) == 1
    assert "another annotation with the unique id" in news.faults[0]["reason"]


def test_a_renamed_account_stays_the_annotator_and_is_named() -> None:
    world, names = World(), Names({})
    world.add("u1", "ann_a", "so it is")
    world.bring(world.everything())
    uid = next(iter(world.server))
    world.server[uid] |= {"user": "ann_b"}
    world.edit(uid, "so is it")
    bring_in(world.held(), PROJECT, world.everything(), (), names, MARK)
    assert names.renamed == {("ann_a", "ann_b"): 1}


def test_an_account_that_was_deleted_stays_the_annotator_of_what_it_wrote() -> None:
    names = Names({"ANN_A@example.com": "ann_a"})
    assert names.of("ann_a@example.com") == "ann_a"
    before = {"annotator": "ann_a", "is_ours": False}
    assert [names.still(email, before) for email in (NOBODY, "user-7", "ann_a@example.com")] == ["ann_a"] * 3
    assert names.still(NOBODY, None) == NOBODY
    assert not names.renamed


# -- which tasks to read ----------------------------------------------------------------------------------------


def listed(number: int, annotations: int = 0, utterance: str | None = "", at: str = "t1") -> FoundTask:
    name = f"u{number}" if utterance == "" else utterance
    return FoundTask(number, name, {}, at, annotations, 0)


def mirror(*rows: tuple[str, int, str]) -> pd.DataFrame:
    """Rows of the table `annotations`: unique id, number of the task, state."""
    made = [
        {"uid": uid, "task_id": number, "utterance_id": f"u{number}", "state": state} for uid, number, state in rows
    ]
    return pd.DataFrame(made, columns=["uid", "task_id", "utterance_id", "state"])


def test_only_tasks_that_differ_or_have_drafts_are_read() -> None:
    tasks = [listed(1, 1), listed(2, 1, at="t2"), listed(3, 2), listed(4), listed(5, 1), listed(6)]
    pulled = {(number, f"u{number}"): version_of(listed(number, 1)) for number in (1, 2, 3)}
    found = changes(tasks, {6}, mirror(("a", 1, "submitted"), ("b", 2, "submitted"), ("c", 3, "empty")), pulled)
    assert found.read == (2, 3, 5, 6)
    assert (found.gone, found.lost, found.known, found.is_doubtful) == ((), 0, 3, False)


def test_what_is_gone_is_told_by_task_and_key() -> None:
    rows = mirror(
        ("a", 1, "submitted"), ("b", 2, "submitted"), ("c", 2, "draft"), ("d", 3, "draft"), ("e", 4, "deleted")
    )
    found = changes([listed(1, 1, "another"), listed(3), listed(9, 4, None)], set(), rows, {})
    assert sorted(found.gone) == ["a", "b", "c", "d"]
    assert (found.lost, found.known, found.foreign, found.read) == (2, 2, 4, (1,))


@pytest.mark.parametrize(
    ("there", "is_doubtful"), [(range(20), False), (range(10), False), (range(9), True), ([], True)]
)
def test_when_more_than_half_of_many_is_gone_nobody_believes_it(there: Any, is_doubtful: bool) -> None:
    rows = mirror(*((str(number), number, "submitted") for number in range(20)))
    assert changes([listed(number, 1) for number in there], set(), rows, {}).is_doubtful == is_doubtful


def test_what_this_workspace_took_back_itself_is_no_surprise() -> None:
    rows = mirror(*((str(number), number, "submitted") for number in range(20)))
    there = [listed(number, int(number < 5)) for number in range(20)]
    found = changes(there, set(), rows, {}, undone={str(number) for number in range(5, 20)})
    assert (found.lost, found.known, found.is_doubtful) == (0, 5, False)
    assert found.read == tuple(range(20))
    assert changes(there, set(), rows, {}).is_doubtful


def test_a_project_without_any_task_of_ours_is_doubtful_however_few_are_gone() -> None:
    rows = mirror(("a", 1, "submitted"))
    assert changes([listed(1, 1, None)], set(), rows, {}).is_doubtful
    assert not changes([listed(2)], set(), rows, {}).is_doubtful


# -- any history of a server, pulled anyhow ---------------------------------------------------------------------


class World:
    """A server, and the tables of a workspace that pulls from it."""

    def __init__(self) -> None:
        self.server: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, list[dict[str, Any]]] = {name: [] for name in ORDER}
        self.clock = 0
        self.written_over: list[str] = []
        "Texts of this workspace that stood no longer after a pull."

    def _at(self) -> str:
        self.clock += 1
        return (START + timedelta(seconds=self.clock)).isoformat()

    def add(self, utterance: str, who: str, text: str) -> None:
        number, at = self.clock + 1, self._at()
        uid = f"{number:08d}-0000-4000-8000-000000000000"
        self.server[uid] = {"utterance": utterance, "user": who, "text": text, "number": number, "at": at}

    def edit(self, uid: str, text: str) -> None:
        self.server[uid] |= {"text": text, "at": self._at()}

    def everything(self) -> list[ReadTask]:
        """Every utterance as a task that was read just now; annotations stand in no order."""
        tasks = {f"u{number}": [] for number in (1, 2)} | {one["utterance"]: [] for one in self.server.values()}
        for uid, one in reversed(self.server.items()):
            tasks[one["utterance"]].append(
                FoundAnnotation(
                    uid, one["number"], int(one["utterance"][1:]), one["user"], one["user"], False, False, False,
                    result(one["text"]), one["at"], one["at"], 1.0,
                )
            )  # fmt: skip
        return [
            ReadTask(name, ExportedTask(int(name[1:]), {}, (len(found), 0), tuple(found)))
            for name, found in tasks.items()
        ]

    def held(self) -> Held:
        frames = {}
        for name in ORDER:
            table = TABLES[STORED.get(name, name)]
            frame = pd.DataFrame(self.tables[name], columns=table.names, dtype=object)
            if name not in ("transcripts", "annotations"):
                frame = frame.drop_duplicates(list(table.key), keep="last")
            frames[name] = frame
        return Held(**frames)

    def bring(self, tasks: list[ReadTask], killed_before: str = "") -> News:
        before = self.current()
        news = bring_in(self.held(), PROJECT, tasks, (), Names({}), MARK)
        for name in ORDER:
            if name == killed_before:
                break
            self.tables[name] += getattr(news, name)
        after = self.current()
        self.written_over += [text for key, text in before.items() if text in "xyz" and after.get(key) != text]
        return news

    def change_here(self, utterance: str, who: str, text: str) -> None:
        """An edit in the workspace, where there is something to edit."""
        history = dict(self.histories()).get((utterance, who), [])
        if standing_of(history):
            row = revision(utterance, who, len(history) + 1, text, "edit", author="ann_c", reason="heard")
            self.tables["transcripts"].append(row)

    def current(self) -> dict[tuple[str, str], str]:
        standing = {key: standing_of(history) for key, history in self.histories()}
        return {key: revisions[-1][1] for key, revisions in standing.items() if revisions}

    def retract(self) -> None:
        self.tables["transcripts"] += retractions(self.held(), PROJECT)[0]

    def histories(self) -> Iterator[tuple[tuple[str, str], list[tuple[int, str, str]]]]:
        histories: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
        for row in self.tables["transcripts"]:
            history = histories.setdefault((row["utterance_id"], row["annotator"]), [])
            history.append((row["revision"], row["text"], row["source"]))
        yield from histories.items()

    def plain(self) -> list[list[dict[str, Any]]]:
        """The tables without the times of writing."""
        timeless = ("seen_at", "at", "created_at")
        return [
            [{name: value for name, value in row.items() if name not in timeless} for row in self.tables[name]]
            for name in ("transcripts", "remarks")
        ]


PEOPLE = ["ann_a", "ann_b"]
STEP = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(["u1", "u2"]), st.sampled_from(PEOPLE), st.sampled_from("abc")),
    st.tuples(st.just("edit"), st.integers(0, 5), st.sampled_from("abc")),
    st.tuples(st.just("delete"), st.integers(0, 5)),
    st.tuples(st.just("pull"), st.sampled_from([(0,), (1,), (0, 1)]), st.sampled_from(["", *ORDER])),
)
STEPS = st.lists(STEP, max_size=16)


def play(steps: list[tuple[Any, ...]], with_kills: bool) -> World:
    world = World()
    for name, *more in deepcopy(steps):
        uids = list(world.server)
        if name == "add":
            world.add(*more)
        elif name == "here":
            world.change_here(*more)
        elif name == "pull":
            tasks = [task for place, task in enumerate(world.everything()) if place in more[0]]
            if with_kills and more[1]:
                world.bring(tasks, more[1])
            world.bring(tasks)
        elif uids and name == "edit":
            world.edit(uids[more[0] % len(uids)], more[1])
        elif uids:
            del world.server[uids[more[0] % len(uids)]]
    world.bring(world.everything())
    return world


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_any_history_of_a_server_ends_as_the_server_does_with_every_version_once(steps: list[tuple[Any, ...]]) -> None:
    world = play(steps, with_kills=True)
    latest = {row["uid"]: row for row in world.tables["annotations"]}
    live = {uid: (row["text"], row["version"]) for uid, row in latest.items() if row["state"] != "deleted"}
    assert live == {uid: (one["text"], one["at"]) for uid, one in world.server.items()}
    versions = [pulled_from(row["source"], row["source_detail"]) for row in world.tables["transcripts"]]
    pulled = [version[:2] for version in versions if version]
    assert len(pulled) == len(set(pulled))
    for _, history in world.histories():
        assert [number for number, _, _ in history] == list(range(1, len(history) + 1))
    assert not world.bring(world.everything()).transcripts
    world.retract()
    last = sorted(world.server.values(), key=lambda one: one["at"])
    assert world.current() == {(one["utterance"], one["user"]): one["text"] for one in last}
    for row in world.tables["transcripts"]:
        assert row["source"] in ("label_studio", "undo", RETRACTED)


HERE = st.tuples(st.just("here"), st.sampled_from(["u1", "u2"]), st.sampled_from(PEOPLE), st.sampled_from("xyz"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(STEP, HERE), max_size=16))
def test_what_was_changed_here_is_never_written_over(steps: list[tuple[Any, ...]]) -> None:
    world = play(steps, with_kills=True)
    assert not world.written_over
    for row in world.tables["conflicts"]:
        assert row["workspace_text"] in "xyz"
        assert row["server_text"] in "abc"
        assert row["base_text"] != row["server_text"]


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_a_pull_that_is_killed_and_run_again_is_as_one_that_was_not(steps: list[tuple[Any, ...]]) -> None:
    assert play(steps, with_kills=True).plain() == play(steps, with_kills=False).plain()
