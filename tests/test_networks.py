"""References with choices: what is taken, what it is counted as, and what is said to be forgiven."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import kernel
from analysis.align import count_word_errors
from analysis.alternatives.source import Alternative, Heard
from analysis.errors import InvalidInput
from analysis.marked import Choice, Marked, Word, as_written
from analysis.network_align import NetworkAlignment, align_marked, counts_of
from analysis.nist_notation import parse_notation
from analysis.scoring import Scoring, get_scoring

ICE = Choice((("ice cream",), ("icecream",), ()), "notation")


class Pairs:
    """A source of alternatives from a dictionary."""

    name, version = "pairs", 1

    def __init__(self, pairs: dict[str, str]) -> None:
        self._pairs = pairs

    def find(self, reference: tuple[str, ...], heard: Heard) -> Iterable[Alternative]:
        for start in range(len(reference)):
            for end in range(start + 1, len(reference) + 1):
                other = tuple(self._pairs.get(" ".join(reference[start:end]), "").split())
                if other and heard.holds(other):
                    yield Alternative(start, end, other)


def align(marked: Marked | str, hypothesis: str, scoring: Scoring | None = None) -> NetworkAlignment:
    return align_marked((marked,) if isinstance(marked, str) else marked, hypothesis, scoring or get_scoring("none"))


def counts(alignment: NetworkAlignment) -> list[int]:
    """Reference words, hits, substitutions, deletions, insertions."""
    return counts_of([alignment])[0].tolist()


@pytest.mark.parametrize("mode", ["unit", "sclite"])
@pytest.mark.parametrize(
    ("hypothesis", "expected", "forgiven"),
    [
        ("buy ice cream now", [4, 4, 0, 0, 0], []),
        ("buy icecream now", [3, 3, 0, 0, 0], [(1, "notation", 2)]),
        ("buy now", [2, 2, 0, 0, 0], [(1, "notation", 2)]),
        ("buy ice now", [4, 3, 0, 1, 0], []),
    ],
)
def test_the_way_with_the_fewest_errors_is_taken(
    mode: str, hypothesis: str, expected: list[int], forgiven: list[tuple[int, str, int]]
) -> None:
    found = align(("buy", ICE, "now"), hypothesis, get_scoring("none", mode))
    assert counts(found) == expected
    assert [item[:3] for item in found.forgiven] == forgiven


def test_what_is_written_is_taken_where_another_way_costs_the_same() -> None:
    same = Choice((("grey",), ("gray",)), "notation")
    found = align((same,), "green")
    assert [step.reference for step in found.steps] == ["grey"]
    assert found.forgiven == []


def test_steps_say_which_part_and_which_alternative_they_come_from() -> None:
    found = align(("buy", ICE, "now please"), "buy icecream then now", get_scoring("none", "sclite"))
    assert [tuple(step) for step in found.steps] == [
        ("equal", "buy", "buy", "", 0),
        ("equal", "icecream", "icecream", "notation", 1),
        ("insert", "", "then", "", -1),
        ("equal", "now", "now", "", 2),
        ("delete", "please", "", "", 2),
    ]


def test_an_optional_word_that_is_left_out_is_a_hit() -> None:
    found = align(("so", Word("um", optional=True), "yes"), "so yes")
    assert counts(found) == [3, 3, 0, 0, 0]
    assert [item[:3] for item in found.forgiven] == [(1, "optional", 1)]


def test_a_fragment_equals_the_words_that_begin_so() -> None:
    found = align(("the", Word("infor-", fragment=True)), "the information", get_scoring("basic"))
    assert counts(found) == [2, 2, 0, 0, 0]
    assert [item[:3] for item in found.forgiven] == [(1, "fragment", 1)]
    assert counts(align((Word("infor-", fragment=True),), "formation")) == [1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("fillers", "expected"),
    [("count", [4, 2, 1, 1, 0]), ("optional", [2, 2, 0, 0, 0]), ("remove", [2, 2, 0, 0, 0])],
)
def test_fillers_are_counted_optional_or_removed(fillers: str, expected: list[int]) -> None:
    found = align("um it um rains", "uh it rains", get_scoring("basic", fillers=fillers))
    assert counts(found) == expected


def test_a_filler_that_is_heard_where_none_is_written_is_optional_too() -> None:
    found = align("it rains", "it um rains", get_scoring("basic", fillers="optional"))
    assert counts(found) == [2, 2, 0, 0, 0]
    assert [item[:3] for item in found.forgiven] == [(1, "fillers", 1)]


def test_sources_read_words_across_the_parts_of_a_reference() -> None:
    scoring = get_scoring("none", alternatives=[Pairs({"health care": "healthcare", "cream now": "creamnow"})])
    found = align(("health", "care", ICE, "now"), "healthcare ice creamnow", scoring)
    assert counts(found) == [3, 3, 0, 0, 0]
    assert [item[:3] for item in found.forgiven] == [(0, "pairs", 2), (2, "pairs", 2)]


def test_overlapping_alternatives_are_ways_of_their_own() -> None:
    scoring = get_scoring("none", alternatives=[Pairs({"a b": "ab", "b c": "bc", "a b c": "abc"})])
    assert counts(align("a b c", "ab c", scoring)) == [2, 2, 0, 0, 0]
    assert counts(align("a b c", "a bc", scoring)) == [2, 2, 0, 0, 0]
    assert counts(align("a b c", "abc ab", scoring)) == [1, 1, 0, 0, 1]


def test_alternatives_of_alternatives_are_not_looked_for() -> None:
    scoring = get_scoring("none", alternatives=[Pairs({"it's": "it is", "it is": "it's"})])
    found = align("it's", "it is it's", scoring)
    assert counts(found)[1] > 0


@pytest.mark.parametrize(
    ("marked", "hypothesis", "expected"),
    [
        ((), "", [0, 0, 0, 0, 0]),
        ((), "a b", [0, 0, 0, 0, 2]),
        (("",), "a", [0, 0, 0, 0, 1]),
        ((Choice(((), ("um",)), "notation"),), "", [0, 0, 0, 0, 0]),
        ((Choice(((), ("um",)), "notation"),), "um", [1, 1, 0, 0, 0]),
        (("a b",), "", [2, 0, 0, 2, 0]),
    ],
)
@pytest.mark.parametrize("mode", ["unit", "sclite"])
def test_empty_sides(mode: str, marked: Marked, hypothesis: str, expected: list[int]) -> None:
    assert counts(align(marked, hypothesis, get_scoring("none", mode))) == expected


WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=8).map(" ".join)


@given(WORDS, WORDS, st.sampled_from(["unit", "sclite"]))
def test_a_network_without_choices_has_the_errors_of_its_words(reference: str, hypothesis: str, mode: str) -> None:
    plain = count_word_errors([reference], [hypothesis], mode).iloc[0].tolist()
    mine = counts(align(reference, hypothesis, get_scoring("none", mode)))
    if mode == "unit":
        assert sum(mine[2:]) == sum(plain[2:])
    else:
        assert mine == plain


@given(WORDS, WORDS, WORDS, WORDS)
def test_an_alternative_never_adds_errors(before: str, one: str, other: str, hypothesis: str) -> None:
    written = counts(align((before, one), hypothesis))
    choice = counts(align((before, Choice(((one,), (other,)), "notation")), hypothesis))
    assert sum(choice[2:]) <= sum(written[2:])


@given(st.text("{}/ab@() -*;", max_size=40))
def test_notation_is_read_or_refused_with_a_reason(text: str) -> None:
    try:
        marked = parse_notation(text)
    except InvalidInput as problem:
        assert "{" in str(problem)
    else:
        as_written(marked)
        align(marked, "a b")


@pytest.mark.parametrize(
    ("text", "message"), [("a { b / c", "not closed"), ("{ / }", "no option"), ("{ " * 60 + "a" + " }" * 60, "deep")]
)
def test_faulty_notation_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_notation(text)


def test_scorings_are_named_by_everything_that_changes_a_score() -> None:
    labels = {
        get_scoring("basic", alignment, fillers=fillers, notation=notation).label
        for alignment in ("unit", "sclite")
        for fillers in ("count", "optional", "remove")
        for notation in ("plain", "alternations", "nist", "dual")
    }
    assert len(labels) == 24
    with pytest.raises(InvalidInput, match="alignment is 'levenshtein'; choose one of unit, sclite"):
        get_scoring("basic", "levenshtein")


def test_sclites_costs_come_with_its_notation() -> None:
    assert get_scoring("none", "sclite") == get_scoring("none", "sclite", notation="alternations")
    assert get_scoring("none", "sclite").label == "none-1/sclite"
    assert get_scoring("none", "sclite", notation="plain").label == "none-1/sclite/plain"


def test_a_nested_alternation_is_forgiven_once_for_what_is_written() -> None:
    marked = parse_notation("{ a b / c { d / e } }")
    assert align(marked, "c e").forgiven == [(0, "notation", 2, 2)]
    assert align(marked, "c d").forgiven == [(0, "notation", 2, 2)]
    assert align(marked, "a b").forgiven == []


def test_what_is_left_out_has_no_steps() -> None:
    found = align(parse_notation("so { um / @ } yes"), "so yes")
    assert found.forgiven == [(1, "notation", 1, 0)]


def test_alternatives_everywhere_leave_memory_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    """No node is passed by every path, and blocks of moves end all the same."""
    scoring = get_scoring("none", alternatives=[Pairs({"a b": "ab", "b a": "ba"})])
    reference, hypothesis = "a b " * 30, "ab ba a b " * 14
    whole = align(reference, hypothesis, scoring)
    monkeypatch.setattr(kernel, "MOST_CELLS", 50)
    assert align(reference, hypothesis, scoring) == whole
