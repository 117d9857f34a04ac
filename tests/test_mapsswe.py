"""MAPSSWE: where segments are cut, and that all figures are those of NIST's sc_stats."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InvalidInput
from analysis.mapsswe import Mapsswe, mapsswe
from analysis.steps import ALIGNMENT_TYPE, Step
from tests.sc_stats_program import Verdicts, sc_stats, two_systems

OPS = {"C": "equal", "S": "substitute", "D": "delete", "I": "insert"}


def utterance(marks: str, words: str = "abcdefghijklmnopqrstuvwxyz") -> list[Step]:
    """An alignment from marks as sclite writes them: CCSDI; the reference words are those given, in order."""
    left = iter(words)
    return [Step(OPS[mark], "" if mark == "I" else next(left), "" if mark == "D" else mark.lower()) for mark in marks]


def counted(*pairs: tuple[str, str]) -> tuple[int, int, int]:
    """The number of segments, and the errors of A and of B in them."""
    result = mapsswe([utterance(a) for a, _ in pairs], [utterance(b) for _, b in pairs])
    return result.segments, result.errors_a, result.errors_b


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("CCCC", "CCCC", (0, 0, 0)),
        ("SCCS", "CCCC", (2, 2, 0)),
        ("SCS", "CCC", (1, 2, 0)),
        ("SCCC", "CCCS", (2, 1, 1)),
        ("SCCC", "CCSC", (1, 1, 1)),
        ("SCICS", "CCCC", (1, 3, 0)),
        ("SCCIC", "CCCC", (2, 2, 0)),
        ("ICC", "CCI", (2, 1, 1)),
        ("IC", "CI", (1, 1, 1)),
        ("CCCI", "CCC", (1, 1, 0)),
        ("CCC", "CCCI", (1, 0, 1)),
        ("III", "", (1, 3, 0)),
        ("", "I", (1, 0, 1)),
        ("", "", (0, 0, 0)),
        ("DDDD", "DDDD", (1, 4, 4)),
    ],
)
def test_two_neighbouring_good_words_part_segments(a: str, b: str, expected: tuple[int, int, int]) -> None:
    assert counted((a, b)) == expected


def test_an_utterance_ends_a_segment() -> None:
    assert counted(("CS", "CC"), ("SC", "CC")) == (2, 2, 0)


def test_the_figures_of_three_segments() -> None:
    result = mapsswe([utterance("SSCCSCCS")], [utterance("CCCCSCCC")])
    assert result == Mapsswe(3, 4, 1, 1.0, 1.0, pytest.approx(math.sqrt(3)), 0)
    assert result.std_dev == 1.0
    assert result.p == pytest.approx(0.0832645, abs=1e-7)
    assert result.better == ""


def test_the_better_system_is_the_one_with_fewer_errors() -> None:
    worse, better = [utterance("SSCC"), utterance("SCC"), utterance("CCS"), utterance("SCC")], [utterance("CCCC")]
    better += [utterance("CCC")] * 3
    assert (mapsswe(worse, better).better, mapsswe(better, worse).better) == ("b", "a")


def test_as_in_sc_stats_segments_that_all_differ_alike_have_no_z() -> None:
    result = mapsswe([utterance("SCCSCCS")], [utterance("CCCCCCC")])
    assert (result.segments, result.mean, result.variance, result.z, result.p) == (3, 1.0, 0.0, 0.0, 1.0)


def test_without_errors_there_is_no_mean() -> None:
    result = mapsswe([utterance("CC")], [utterance("CC")])
    assert math.isnan(result.mean) and (result.z, result.p, result.better) == (0.0, 1.0, "")


def word_by_word(a: list[list[Step]], b: list[list[Step]]) -> list[tuple[int, int]]:
    """The segments as the rule reads, one reference word after another."""
    made = []
    for steps_a, steps_b in zip(a, b, strict=True):
        good_since, errors = 2, [0, 0]
        slots = [_by_word(steps) for steps in (steps_a, steps_b)]
        for place in range(len(slots[0])):
            heard = [slot[place] for slot in slots]
            if any(inserted for inserted, _ in heard):
                made += _closed(good_since, errors)
                good_since = 0
            for side, (inserted, _) in enumerate(heard):
                errors[side] += inserted
            if place == len(slots[0]) - 1:
                break
            if any(op != "equal" for _, op in heard):
                made += _closed(good_since, errors)
                good_since = 0
            else:
                good_since += 1
            for side, (_, op) in enumerate(heard):
                errors[side] += op != "equal"
        made += _closed(2, errors)
    return made


def _by_word(steps: list[Step]) -> list[tuple[int, str]]:
    """For each reference word, and for the end, the insertions before it and its op."""
    made, inserted = [], 0
    for step in steps:
        if step.op == "insert":
            inserted += 1
        else:
            made.append((inserted, step.op))
            inserted = 0
    return [*made, (inserted, "end")]


def _closed(good_since: int, errors: list[int]) -> list[tuple[int, int]]:
    if good_since < 2 or not any(errors):
        return []
    done = (errors[0], errors[1])
    errors[:] = [0, 0]
    return [done]


@st.composite
def paired_utterances(draw: st.DrawFn) -> tuple[list[list[Step]], list[list[Step]]]:
    sides: tuple[list[list[Step]], list[list[Step]]] = ([], [])
    for length in draw(st.lists(st.integers(0, 12), max_size=6)):
        for side in sides:
            heard = draw(
                st.lists(st.sampled_from(["C", "C", "C", "S", "D", "IC", "IIS"]), min_size=length, max_size=length)
            )
            side.append(utterance("".join(heard) + draw(st.sampled_from(["", "", "I"]))))
    return sides


@given(paired_utterances())
@settings(deadline=None)
def test_all_at_once_is_as_word_by_word(sides: tuple[list[list[Step]], list[list[Step]]]) -> None:
    expected, result = word_by_word(*sides), mapsswe(*sides)
    differences = [a - b for a, b in expected]
    assert (result.segments, result.errors_a, result.errors_b) == (
        len(expected),
        sum(a for a, _ in expected),
        sum(b for _, b in expected),
    )
    if len(differences) > 1:
        assert result.mean == pytest.approx(np.mean(differences))
        assert result.variance == pytest.approx(np.var(differences, ddof=1))


@given(paired_utterances())
@settings(deadline=None)
def test_exchanging_the_systems_changes_the_sign_alone(sides: tuple[list[list[Step]], list[list[Step]]]) -> None:
    there, back = mapsswe(*sides), mapsswe(*sides[::-1])
    assert (there.segments, there.z, there.p) == (back.segments, pytest.approx(-back.z), pytest.approx(back.p))


def test_lists_arrow_arrays_and_columns_give_the_same() -> None:
    lists = [[utterance("SCCIS"), utterance(""), utterance("CS")], [utterance("CCSD"), utterance("I"), utterance("SS")]]
    arrays = [pa.array(side, ALIGNMENT_TYPE) for side in lists]
    columns = [pd.Series(pd.array(array, dtype=pd.ArrowDtype(ALIGNMENT_TYPE))) for array in arrays]
    sliced = [pa.concat_arrays([array, array]).slice(3) for array in arrays]
    chunked = [pa.chunked_array([array.slice(0, 1), array.slice(1)]) for array in arrays]
    for sides in (arrays, columns, sliced, chunked):
        assert mapsswe(*sides) == mapsswe(*lists)


def test_other_alternatives_are_brought_in_step_again() -> None:
    """One system was scored on `a um b c d e f`, the other on `a b c d e f`, and both get the same word wrong."""
    a, b = [utterance("CCCCCSC", "aubcdef")], [utterance("CCCCSC", "abcdef")]
    assert mapsswe(a, b) == Mapsswe(1, 1, 1, 0.0, 0.0, 0.0, 1)
    assert mapsswe(b, a) == Mapsswe(1, 1, 1, 0.0, 0.0, 0.0, 1)
    assert mapsswe([utterance("CSCCS", "axyeg")], [utterance("CCCS", "azeg")]).segments == 1
    assert mapsswe([utterance("SCCS", "axyg")], [utterance("CCS", "azg")]).segments == 1
    assert mapsswe([utterance("SCCCS", "axyeg")], [utterance("CCCS", "azeg")]).segments == 2


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([utterance("C")], [], "alignments of 1 and of 0 utterances"),
        (pa.array([None], ALIGNMENT_TYPE), pa.array([[]], ALIGNMENT_TYPE), "alignment at position 0 is missing"),
        ([[Step("hit", "a", "a")]], [utterance("C")], "op 'hit'; it must be one of equal, substitute"),
    ],
)
def test_what_cannot_be_tested_is_refused(a: object, b: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        mapsswe(a, b)


def agrees(verdicts: Verdicts, resynchronise: bool = True) -> Mapsswe:
    """The result, once it is seen to be sc_stats's, to each digit that it prints."""
    assert list(verdicts.a) == list(verdicts.b)
    result = mapsswe(list(verdicts.a.values()), list(verdicts.b.values()), resynchronise)
    printed = (f"{result.mean:.3f}", f"{result.std_dev:.3f}", f"{result.z:.3f}", result.better)
    assert (result.segments, *printed) == verdicts.mapsswe
    return result


@pytest.mark.parametrize("utterances", [3, 20, 100, 500, 2000])
@pytest.mark.parametrize("rates", [(0.3, 0.4), (0.1, 0.1), (0.15, 0.16), (0.9, 0.8)])
def test_the_figures_and_the_verdict_are_those_of_sc_stats(
    utterances: int, rates: tuple[float, float], tmp_path: Path
) -> None:
    rng = np.random.default_rng(utterances)
    agrees(sc_stats(*two_systems(rng, utterances, min(utterances, 8), rates), tmp_path))


def test_both_verdicts_of_sc_stats_are_met(tmp_path: Path) -> None:
    verdicts = {
        agrees(sc_stats(*two_systems(np.random.default_rng(1), 300, 5, rates), tmp_path)).better
        for rates in [(0.1, 0.2), (0.2, 0.1), (0.1, 0.1)]
    }
    assert verdicts == {"a", "b", ""}


def test_alternations_in_order_are_as_sc_stats_has_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    references, a, b = two_systems(rng, 300, 5, longest=15)
    ways = ["{{ {0} / {0}x }}", "{{ {0} / za zo }}", "{{ {0} / @ }}", "({0})"]
    references = {
        key: " ".join(str(rng.choice(ways)).format(word) if rng.random() < 0.12 else word for word in text.split())
        for key, text in references.items()
    }
    for side in (a, b):
        for key, text in side.items():
            said = rng.choice(["", "za zo", "same"], size=len(text.split()), p=[0.05, 0.05, 0.9])
            side[key] = " ".join(w if how == "same" else how for w, how in zip(text.split(), said, strict=True))
    verdicts = sc_stats(references, a, b, tmp_path, ["-D"])
    assert agrees(verdicts, resynchronise=False).resynchronised > 10
