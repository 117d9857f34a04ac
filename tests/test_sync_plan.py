"""The plan of a push: what it makes of what is wanted and what was found, and that carrying it out leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workbench.label_studio.batches import MOST_BYTES, Batches
from workbench.label_studio.plan import Plan, TaskCreate, changed_fields, is_untouched, merged_data, plan
from workbench.label_studio.records import FoundPrediction, FoundTask, WantedPrediction, WantedTask

OWN = frozenset({"utterance_id", "workspace", "text", "flags"})
RUNS = frozenset({"run-1", "run-2"})
MARK = "f00d"


def heard(text: str = "hello", version: str = "run-1", score: float | None = 0.5) -> WantedPrediction:
    return WantedPrediction(version, score, [{"type": "textarea", "value": {"text": [text]}}])


def wanted(name: str, *predictions: WantedPrediction, **fields: Any) -> WantedTask:
    return WantedTask(name, {"utterance_id": name, "workspace": MARK, "text": "one", **fields}, predictions)


def found(number: int, name: str | None, annotations: int = 0, cancelled: int = 0, **fields: Any) -> FoundTask:
    data = {"utterance_id": name, "workspace": MARK, "text": "one", **fields}
    return FoundTask(number, name, data, "2026-01-01T00:00:00Z", annotations, cancelled)


def stored(number: int, task: int, prediction: WantedPrediction) -> FoundPrediction:
    return FoundPrediction(number, task, prediction.model_version, prediction.score, prediction.result)


def planned(*args: Any, **options: Any) -> Plan:
    return plan(*args, **{"own_fields": OWN, "own_versions": RUNS, **options})


def test_what_is_there_as_it_is_to_be_is_left_alone() -> None:
    made = planned([wanted("u1", heard())], [found(7, "u1", theirs=1)], [stored(1, 7, heard())], kept=["u1"])
    assert made == Plan(unchanged=["u1"])
    assert made.to_do() == set()


def test_an_utterance_without_a_task_is_created_with_its_predictions() -> None:
    made = planned([wanted("u1", heard())], [], [])
    assert made == Plan(create=[TaskCreate(wanted("u1", heard()))])
    assert made.to_do() == {("create", "u1"), ("prediction", "u1", "run-1")}


def test_only_our_fields_are_compared_and_what_others_added_stays() -> None:
    there = found(7, "u1", text="two", flags="old", theirs={"a": [1]})
    made = planned([wanted("u1")], [there], [])
    assert [one.changed for one in made.update] == [("flags", "text")]
    assert merged_data(there.data, wanted("u1").data, OWN) == wanted("u1").data | {"theirs": {"a": [1]}}


def test_values_are_compared_as_json() -> None:
    assert changed_fields({"a": 1, "b": None, "c": True}, {"a": 1.0, "b": None, "c": 1}, ()) == ("c",)
    assert changed_fields({"a": [1, {"x": 2}]}, {"a": [1, {"x": 2.0}]}, ()) == ()
    assert changed_fields({"a": "1"}, {"a": 1}, ()) == ("a",)
    assert changed_fields({}, {"a": None}, ()) == ("a",)


def test_predictions_are_added_changed_and_kept_once() -> None:
    first, other = heard("hello"), heard("hello", "run-2", None)
    there = [
        stored(4, 7, heard("goodbye")),
        stored(5, 7, heard("hello")),
        stored(6, 7, heard("model", "theirs")),
        stored(8, 7, heard("model", "theirs")),
    ]
    made = planned([wanted("u1", first, other)], [found(7, "u1")], there)
    assert [(one.prediction_id, one.changed) for one in made.change] == [(4, ("result",))]
    assert [one.prediction for one in made.add] == [other]
    assert [one.prediction_id for one in made.drop] == [5], "other people's predictions may stand twice"


def test_a_score_that_came_back_with_another_last_digit_is_the_same() -> None:
    there = stored(4, 7, heard(score=0.1 + 0.2))
    assert planned([wanted("u1", heard(score=0.3))], [found(7, "u1")], [there]).unchanged == ["u1"]
    for score in (None, 0.30001):
        made = planned([wanted("u1", heard(score=score))], [found(7, "u1")], [there])
        assert [one.changed for one in made.change] == [("score",)]


def test_predictions_on_tasks_of_others_are_left_alone() -> None:
    made = planned([wanted("u1")], [found(7, "u1"), found(8, None)], [stored(1, 8, heard()), stored(2, 8, heard())])
    assert made == Plan(unchanged=["u1"], foreign=1)


def test_what_was_seen_and_is_not_there_was_deleted_there_and_comes_back_only_when_asked_for() -> None:
    assert planned([wanted("u1")], [], [], seen=["u1"]) == Plan(gone=["u1"])
    assert planned([wanted("u1")], [], [], seen=["u1"], again=True).create == [TaskCreate(wanted("u1"))]


def test_removed_is_what_the_workspace_has_no_longer_and_not_what_could_not_be_made() -> None:
    there = [found(7, "u1"), found(8, "u2"), found(9, "u3", annotations=1), found(10, None)]
    made = planned([wanted("u1")], there, [], kept=["u1", "u2"])
    assert [one.task.task_id for one in made.removed] == [9]
    assert planned([wanted("u1")], there, []).removed == [], "part of the utterances says nothing of the others"


def test_removed_tasks_are_deleted_only_when_asked_for_and_never_with_work_in_them() -> None:
    made = planned([], [found(8, "u2"), found(9, "u3", annotations=1), found(10, "u4", cancelled=1)], [], kept=[])
    assert len(made.removed) == 3
    assert made.left(set(), delete_removed=False).removed == []
    assert [one.task.task_id for one in made.left(set(), delete_removed=True).removed] == [8]


def test_tasks_that_a_copy_of_the_workspace_sent_are_not_removed_ones() -> None:
    made = planned([], [found(8, "u2"), found(9, "u3"), found(10, "u3")], [], kept=[], sent=["u2"])
    assert [one.task.task_id for one in made.removed] == [8]
    assert made.copies == ["u3"] and made.left(set(), delete_removed=True).to_do() == {("delete", "u2", "8")}


def test_of_several_tasks_the_one_with_most_work_stays_then_the_oldest() -> None:
    there = [found(7, "u1"), found(8, "u1", cancelled=1), found(9, "u1", annotations=2), found(10, "u1")]
    (merge,) = planned([wanted("u1")], there, []).merge
    assert [task.task_id for task in merge.tasks] == [9, 8, 7, 10]
    (merge,) = planned([wanted("u1")], there[::3], []).merge
    assert [task.task_id for task in merge.tasks] == [7, 10]


def test_tasks_that_all_have_work_in_them_are_not_to_do() -> None:
    made = planned([wanted("u1")], [found(7, "u1", 1), found(8, "u1", 2)], [])
    assert not made.merge[0].is_open
    assert made.left(set(), delete_removed=True).to_do() == set()


def test_what_is_settled_is_not_left() -> None:
    made = planned([wanted("u1", heard()), wanted("u2")], [found(7, "u1", text="two")], [])
    assert made.to_do() == {("update", "u1"), ("prediction", "u1", "run-1"), ("create", "u2")}
    left = made.left({("update", "u1"), ("create", "u2")}, delete_removed=False)
    assert left.to_do() == {("prediction", "u1", "run-1")}


# -- laws --------------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["u1", "u2", "u3", "u4"])
TEXTS = st.sampled_from(["", "one", "두 번"])
PREDICTIONS = st.lists(
    st.builds(heard, TEXTS, st.sampled_from(sorted(RUNS)), st.sampled_from([None, 0.0, 0.5])),
    max_size=2,
    unique_by=lambda one: one.model_version,
)
WANTED = st.lists(
    st.builds(
        lambda name, text, several: replace(wanted(name, text=text), predictions=tuple(several)),
        NAMES,
        TEXTS,
        PREDICTIONS,
    ),
    max_size=4,
    unique_by=lambda one: one.utterance_id,
)
FOUND = st.lists(
    st.builds(
        found,
        st.integers(1, 9),
        NAMES | st.none(),
        st.integers(0, 1),
        st.integers(0, 1),
        text=TEXTS,
        flags=TEXTS,
        theirs=st.integers(),
    ),
    max_size=6,
    unique_by=lambda one: one.task_id,
)
STORED = st.lists(
    st.builds(
        stored,
        st.integers(1, 50),
        st.integers(1, 9),
        st.builds(heard, TEXTS, st.sampled_from(["run-1", "run-2", "theirs"])),
    ),
    max_size=8,
    unique_by=lambda one: one.prediction_id,
)


def carried_out(
    made: Plan, tasks: Sequence[FoundTask], predictions: Sequence[FoundPrediction]
) -> tuple[list[FoundTask], list[FoundPrediction]]:
    """What there is after a plan, when the server does what it is asked for."""
    there = {task.task_id: task for task in tasks}
    heard_there = {one.prediction_id: one for one in predictions}
    for merge in made.merge:
        for task in merge.tasks[1:]:
            if is_untouched(task):
                del there[task.task_id]
    for removal in made.removed:
        del there[removal.task.task_id]
    for update in made.update:
        task = there[update.task.task_id]
        there[task.task_id] = replace(task, data=merged_data(task.data, update.wanted.data, OWN))
    for drop in made.drop:
        del heard_there[drop.prediction_id]
    for change in made.change:
        old = heard_there[change.prediction_id]
        heard_there[old.prediction_id] = stored(old.prediction_id, old.task_id, change.prediction)
    new = 1000
    for lacking in made.add:
        heard_there[(new := new + 1)] = stored(new, lacking.task_id, lacking.prediction)
    for create in made.create:
        number = (new := new + 1)
        there[number] = FoundTask(number, create.wanted.utterance_id, create.wanted.data, "", 0, 0)
        for prediction in create.wanted.predictions:
            heard_there[(new := new + 1)] = stored(new, number, prediction)
    return list(there.values()), [one for one in heard_there.values() if one.task_id in there]


@given(WANTED, FOUND, STORED, st.sets(NAMES), st.booleans(), st.booleans(), st.randoms())
def test_a_plan_that_is_carried_out_leaves_nothing_to_do_and_nobody_s_work_undone(
    wishes: list[WantedTask],
    tasks: list[FoundTask],
    predictions: list[FoundPrediction],
    seen: set[str],
    again: bool,
    is_whole: bool,
    chance: Any,
) -> None:
    kept = [one.utterance_id for one in wishes] if is_whole else None
    options: dict[str, Any] = {"seen": seen, "again": again, "kept": kept}
    first = planned(wishes, tasks, predictions, **options).left(set(), delete_removed=is_whole)
    after, heard_after = carried_out(first, tasks, predictions)
    second = planned(wishes, after, heard_after, **options)
    assert second.left(set(), delete_removed=is_whole).to_do() == set()

    by_number = {task.task_id: task for task in after}
    for task in tasks:
        if not is_untouched(task) or task.utterance_id is None:
            assert task.task_id in by_number, "a task with work in it, or of somebody else, is never deleted"
        if task.task_id in by_number:
            assert by_number[task.task_id].data["theirs"] == task.data["theirs"]
        if task.utterance_id is None:
            assert by_number[task.task_id] == task
    heard_by_number = {one.prediction_id: one for one in heard_after}
    for one in predictions:
        if one.task_id in by_number and one.model_version not in RUNS:
            assert heard_by_number[one.prediction_id] == one

    gone = set(second.gone)
    for wish in wishes:
        there = [task for task in after if task.utterance_id == wish.utterance_id]
        assert wish.utterance_id in gone or there
        assert len([task for task in there if is_untouched(task)]) <= 1
        assert wish.utterance_id not in gone or (wish.utterance_id in seen and not again)

    chance.shuffle(tasks)
    chance.shuffle(predictions)
    again_planned = planned(wishes, tasks, predictions, **options).left(set(), delete_removed=is_whole)
    assert again_planned.to_do() == first.to_do(), "the order of lists decides nothing"


# -- batches -----------------------------------------------------------------------------------------------------------


def creations(number: int) -> list[TaskCreate]:
    return [TaskCreate(wanted(f"u{place}")) for place in range(number)]


def sizes(batches: Batches, items: Sequence[TaskCreate], body: Any = "x") -> list[int]:
    return [len(batch) for batch, _ in batches.of(items, lambda _: body)]


def test_batches_are_bounded_in_number_and_in_bytes() -> None:
    assert sizes(Batches(), creations(2100)) == [1000, 1000, 100]
    assert sizes(Batches(), creations(5), "x" * (MOST_BYTES // 2)) == [1, 1, 1, 1, 1]
    assert sizes(Batches(), creations(5), "x" * (2 * MOST_BYTES)) == [1, 1, 1, 1, 1]
    assert sizes(Batches(), []) == []


def test_batches_are_shorter_once_something_on_the_way_did_not_take_a_long_one() -> None:
    batches, body = Batches(), "x" * 500_000
    assert sizes(batches, creations(8), body) == [7, 1]
    batches.too_long()
    assert sizes(batches, creations(3), body) == [1, 1, 1]


def test_what_failed_together_is_sent_in_smaller_batches_until_the_culprit_is_alone_and_given_up() -> None:
    batches, items = Batches(), creations(8)
    culprit = items[5]
    rounds, left, given_up = 0, list(items), []
    while left:
        rounds += 1
        for batch, _ in list(batches.of(left, lambda _: 0)):
            if culprit in batch:
                given_up += batches.failed(batch)
            else:
                left = [one for one in left if one not in batch]
        left = [one for one in left if one not in given_up]
    assert given_up == [culprit]
    assert rounds <= 7
