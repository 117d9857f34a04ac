"""Errors on entities: which words and which insertions count to which entity, and sums of counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.entities import Entity, count_entity_errors, sum_counts
from analysis.error_counts import ErrorCounts
from analysis.errors import InvalidInput
from analysis.marked import Choice
from analysis.network_align import MarkedStep, align_marked
from analysis.scoring import get_scoring

NEW_YORK = Entity("7", "GPE", 1, 2)


def steps_of(*words: tuple[str, int]) -> list[MarkedStep]:
    return [MarkedStep(op, "r" if item >= 0 else "", "h", "", item) for op, item in words]


def counts(
    words: list[tuple[str, int]], entities: list[Entity], items: list[int], insertions: str = "inside"
) -> list[tuple[int, ...]]:
    counted = count_entity_errors(steps_of(*words), entities, items, insertions)
    return [(c.ref_words, c.hits, c.substitutions, c.deletions, c.insertions) for c in counted]


def test_words_count_to_the_entity_that_they_are_of() -> None:
    words = [("equal", 0), ("substitute", 1), ("delete", 2), ("equal", 3)]
    assert counts(words, [NEW_YORK], [0, 1, 2, 3]) == [(2, 0, 1, 1, 0)]


def test_insertions_count_between_two_words_of_the_entity_and_not_at_its_edges() -> None:
    words = [("insert", -1), ("equal", 0), ("insert", -1), ("equal", 1), ("insert", -1), ("insert", -1), ("equal", 2)]
    words += [("insert", -1), ("equal", 3), ("insert", -1)]
    assert counts(words, [NEW_YORK], [0, 1, 2, 3]) == [(2, 2, 0, 0, 2)]


def test_by_group_insertions_count_only_within_one_item() -> None:
    words = [("equal", 0), ("insert", -1), ("equal", 0), ("insert", -1), ("equal", 1)]
    entity = [Entity("3", "DATE", 0, 2)]
    assert counts(words, entity, [0, 0, 1], "group") == [(3, 3, 0, 0, 1)]
    assert counts(words, entity, [0, 0, 1]) == [(3, 3, 0, 0, 2)]


def test_an_insertion_between_two_neighbouring_entities_counts_to_neither() -> None:
    words = [("equal", 0), ("insert", -1), ("equal", 1)]
    entities = [Entity("1", "ORG", 0, 0), Entity("2", "GPE", 1, 1)]
    assert counts(words, entities, [0, 1]) == [(1, 1, 0, 0, 0), (1, 1, 0, 0, 0)]


def test_a_word_of_nested_entities_counts_to_each() -> None:
    words = [("equal", 0), ("insert", -1), ("delete", 1)]
    entities = [Entity("6", "DATE", 0, 1), Entity("0", "YEAR", 1, 1)]
    assert counts(words, entities, [0, 1]) == [(2, 1, 0, 1, 1), (1, 0, 0, 1, 0)]


def test_an_entity_that_leaves_no_words_has_no_rate() -> None:
    counted = count_entity_errors(steps_of(("equal", 0)), [Entity("1", "FALLBACK", 1, 1)], [0, 1])
    assert counted == [ErrorCounts.zero()]
    assert counted[0].rate is None


def test_the_reference_words_are_those_of_the_way_taken() -> None:
    marked = ("in", Choice((("2020",), ("twenty twenty",)), "candidates"), "fine")
    aligned = align_marked(marked, "in twenty one fine", get_scoring())
    counted = count_entity_errors(aligned.steps, [Entity("0", "YEAR", 1, 1)], [0, 1, 2])
    assert counted == [ErrorCounts(2, 1, 1, 0, 0)]


@pytest.mark.parametrize("tokens", [(1, 0), (-1, 0), (0, 3), (3, 3)])
def test_tokens_that_the_reference_lacks(tokens: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match=r"entity '7' has the tokens .* the reference has 3, counted from 0"):
        count_entity_errors([], [Entity("7", "GPE", *tokens)], [0, 1, 2])


def test_a_rule_that_there_is_not() -> None:
    with pytest.raises(InvalidInput, match="insertions is 'before'; choose one of inside, group"):
        count_entity_errors([], [], [], "before")


OPS = st.sampled_from(["equal", "substitute", "delete", "insert"])


@given(st.lists(OPS, max_size=30), st.integers(0, 30))
def test_an_entity_of_all_tokens_counts_all_but_the_insertions_at_the_edges(ops: list[str], cut: int) -> None:
    words, items = [], 0
    for op in ops:
        words.append((op, -1 if op == "insert" else items))
        items += op != "insert"
    whole = [Entity("1", "ORG", 0, items - 1)] if items else []
    inner = "".join("i" if op == "insert" else "w" for op in ops).strip("i")
    for ref_words, *_, insertions in counts(words, whole, list(range(items))):
        assert (ref_words, insertions) == (items, inner.count("i"))
    # Cut in two, each word still counts once; what was inserted at the cut counts to neither side.
    cut %= max(items, 1)
    if items > 1 and cut:
        parts = [Entity("1", "ORG", 0, cut - 1), Entity("2", "ORG", cut, items - 1)]
        halves = count_entity_errors(steps_of(*words), parts, list(range(items)))
        (one,) = count_entity_errors(steps_of(*words), whole, list(range(items)))
        both = sum_counts([("ORG", half) for half in halves])["ORG"]
        assert (both.hits, both.substitutions, both.deletions) == (one.hits, one.substitutions, one.deletions)
        assert both.insertions <= one.insertions


def test_sums_are_by_key_in_the_order_of_coming() -> None:
    one, two = ErrorCounts(2, 1, 1, 0, 0), ErrorCounts(1, 0, 0, 1, 3)
    summed = sum_counts([(("north", "ORG"), one), (("south", "ORG"), two), (("north", "ORG"), two)])
    assert list(summed.items()) == [(("north", "ORG"), one + two), (("south", "ORG"), two)]
