"""Tests over paired groups: their exact values, what sc_stats says, and how often they see what is not there."""

from __future__ import annotations

import math
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import paired_tests as module
from analysis.corrections import corrected
from analysis.errors import InvalidInput
from analysis.intervals import resample_weights
from analysis.paired_tests import (
    SignTest,
    paired_bootstrap,
    percentages,
    randomization_p,
    sign_test,
    wilcoxon_test,
)
from tests.sc_stats_program import Alignments, sc_stats, two_systems

rates = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=9)


def sides(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.array(pairs, float).T
    return a, b


def test_the_sign_test_halves_the_groups_that_are_equal() -> None:
    a, b = np.array([9.0, 9, 9, 9, 9, 9, 5, 5]), np.array([8.0, 8, 8, 8, 8, 8, 5, 5])
    assert sign_test(a, b) == SignTest(6, 0, 2, 2 * (1 + 8) / 2**8)
    assert sign_test(b, a) == SignTest(0, 6, 2, 2 * (1 + 8) / 2**8)


def test_the_odd_equal_group_makes_the_sign_test_more_careful() -> None:
    a, b = np.array([9.0, 9, 9, 9, 9, 9, 5]), np.array([8.0, 8, 8, 8, 8, 8, 5.004])
    assert sign_test(a, b) == SignTest(6, 0, 1, 2 * (1 + 7) / 2**7)


@given(rates)
@settings(deadline=None)
def test_the_sign_test_is_the_binomial_distribution(pairs: list[tuple[int, int]]) -> None:
    a, b = sides([(x, y) for x, y in pairs if x != y] or [(1, 0)])
    fewer, n = min((a > b).sum(), (a < b).sum()), len(a)
    tosses = [min(sum(toss), n - sum(toss)) <= fewer for toss in product((0, 1), repeat=n)]
    assert sign_test(a, b).p == pytest.approx(np.mean(tosses))


def test_many_groups_go_on_where_exact_counting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = np.where(np.arange(1000) < 540, 10.0, 0.0), np.full(1000, 5.0)
    exact = sign_test(a, b).p
    monkeypatch.setattr(module, "_MOST_EXACT_SIGNS", 999)
    further = sign_test(a, b).p
    assert further == pytest.approx(exact, rel=0.01)
    assert further != exact


@given(rates)
@settings(deadline=None)
def test_wilcoxons_p_is_the_share_of_choices_of_signs(pairs: list[tuple[int, int]]) -> None:
    result = wilcoxon_test(*sides(pairs))
    sizes = sorted(abs(a - b) for a, b in pairs)
    ranks = [np.mean([place for place, other in enumerate(sizes, 1) if other == size]) for size in sizes]
    sums = [
        sum(r for r, plus in zip(ranks, signs, strict=True) if plus) for signs in product((0, 1), repeat=len(ranks))
    ]
    extreme = max(result.a_worse_ranks, result.b_worse_ranks)
    as_far = np.mean([max(total, sum(ranks) - total) >= extreme - 1e-9 for total in sums])
    assert result.a_worse_ranks + result.b_worse_ranks == pytest.approx(len(pairs) * (len(pairs) + 1) / 2)
    assert result.p == pytest.approx(as_far)


def test_equal_differences_share_a_rank_whatever_division_left() -> None:
    a, b = (
        percentages(np.array([1.0, 3, 5, 4]), np.full(4, 19.0)),
        percentages(np.array([2.0, 2, 4, 5]), np.full(4, 19.0)),
    )
    result = wilcoxon_test(a, b)
    assert (result.a_worse_ranks, result.b_worse_ranks) == (5.0, 5.0)


def test_wilcoxon_beyond_exact_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(28) + 0.12, rng.random(28)
    exact = wilcoxon_test(a, b).p
    monkeypatch.setattr(module, "_MOST_EXACT_RANKS", 27)
    further = wilcoxon_test(a, b).p
    assert further == pytest.approx(exact, abs=0.01)
    assert further != exact


@given(rates)
@settings(deadline=None)
def test_randomization_is_the_share_of_exchanges(pairs: list[tuple[int, int]]) -> None:
    a, b = sides(pairs)
    totals = [abs(np.dot(signs, b - a)) for signs in product((-1, 1), repeat=len(pairs))]
    assert randomization_p(a, b) == pytest.approx(np.mean(np.array(totals) >= abs((b - a).sum())))


def test_randomization_beyond_exact_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.poisson(5, 200), rng.poisson(5.3, 200)
    exact = randomization_p(a, b)
    monkeypatch.setattr(module, "_MOST_EXACT_CELLS", 0)
    further = randomization_p(a, b)
    assert further == pytest.approx(exact, abs=0.005)
    assert further != exact


def test_no_groups_and_no_differences() -> None:
    none, same = np.zeros(0), np.array([3.0, 4.0])
    assert math.isnan(sign_test(none, none).p) and math.isnan(wilcoxon_test(none, none).p)
    assert math.isnan(randomization_p(none, none))
    assert (sign_test(same, same).p, wilcoxon_test(same, same).p, randomization_p(same, same)) == (1.0, 1.0, 1.0)
    assert sign_test(np.array([np.nan, 3.0]), np.array([1.0, 2.0])) == SignTest(1, 0, 0, 1.0)


def per_speaker(alignments: Alignments) -> np.ndarray:
    """Each speaker's percentage of errors, NaN without words."""
    sums: dict[str, list[int]] = {}
    for key, steps in alignments.items():
        counts = sums.setdefault(key.split("-")[0], [0, 0])
        counts[0] += sum(step.op != "equal" for step in steps)
        counts[1] += sum(step.op != "insert" for step in steps)
    return percentages(*np.array(list(sums.values())).T)


@pytest.mark.parametrize("speakers", [2, 5, 8, 13, 20])
@pytest.mark.parametrize("given_rates", [(0.1, 0.16), (0.3, 0.15), (0.01, 0.01)])
def test_values_and_verdicts_are_those_of_sc_stats(
    speakers: int, given_rates: tuple[float, float], tmp_path: Path
) -> None:
    rng = np.random.default_rng(speakers)
    verdicts = sc_stats(*two_systems(rng, speakers * 10, speakers, given_rates), tmp_path)
    a, b = per_speaker(verdicts.a), per_speaker(verdicts.b)
    sign, wilcoxon = sign_test(a, b), wilcoxon_test(a, b)
    better = "a" if a.sum() < b.sum() else "b"
    assert (f"{sign.p:.3f}", better if sign.p < 0.05 else "") == verdicts.sign
    differences = np.abs(a - b)
    if len(np.unique(differences)) == len(np.unique(differences.round(9))):
        # Where division parts equal differences, sc_stats ranks them apart.
        assert f"{wilcoxon.z:.2f}" == verdicts.wilcoxon.value.lstrip("-")
        assert bool(verdicts.wilcoxon.better) == (wilcoxon.z > 1.96)


def column(*values: float) -> np.ndarray:
    return np.array(values, float)[:, None]


def test_the_paired_bootstrap_draws_both_systems_together() -> None:
    errors_a, errors_b, words = column(3, 9, 1, 4, 6), column(2, 8, 1, 4, 4), column(10, 20, 10, 15, 18)
    found = paired_bootstrap(errors_a, errors_b, words, words, resamples=400, seed=3)
    drawn = [float((w @ (errors_b - errors_a) / (w @ words))[0]) for w in resample_weights(5, 400, 3)]
    assert [found.low[0], found.high[0]] == pytest.approx(np.percentile(drawn, [2.5, 97.5]))
    assert found.probability_b_better[0] == np.mean([(d < 0) + (d == 0) / 2 for d in drawn])


def test_equal_systems_are_even_and_one_speaker_says_nothing() -> None:
    errors = np.array([[1.0, 1.0], [2.0, 0.0], [3.0, 0.0]])
    words = np.array([[9.0, 9.0], [9.0, 0.0], [9.0, 0.0]])
    low, high, probability = paired_bootstrap(errors, errors, words, words)
    assert (low[0], high[0], probability[0]) == (0, 0, 0.5)
    assert np.isnan([low[1], high[1], probability[1]]).all()


def test_errors_that_are_half_one_speakers_do_not_pass_for_proof() -> None:
    """Speakers differ in which system suits them, and neither is better: the tests over speakers hold their level."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(400):
        words = rng.integers(100, 400, 12)
        a, b = rng.binomial(words, rng.beta(4, 16, 12)), rng.binomial(words, rng.beta(4, 16, 12))
        found += randomization_p(a, b) < 0.05
    assert 0.02 <= found / 400 <= 0.08


def test_holm_and_benjamini_hochberg() -> None:
    p = [0.01, 0.04, 0.03, math.nan, 0.005]
    assert corrected(p, "holm") == pytest.approx([0.03, 0.06, 0.06, math.nan, 0.02], nan_ok=True)
    assert corrected(p, "benjamini-hochberg") == pytest.approx([0.02, 0.04, 0.04, math.nan, 0.02], nan_ok=True)
    assert corrected(p, "none") == pytest.approx(p, nan_ok=True)
    assert corrected([]).tolist() == [] == corrected([], "benjamini-hochberg").tolist()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrections_keep_the_order_and_never_lower_a_p(p: list[float]) -> None:
    holm, fdr = corrected(p, "holm"), corrected(p, "benjamini-hochberg")
    assert (holm >= fdr - 1e-12).all() and (fdr >= np.array(p) - 1e-12).all() and (holm <= 1).all()
    for adjusted in (holm, fdr):
        assert all(first <= second for first, second in pairwise(adjusted[np.argsort(p, kind="stable")]))


@pytest.mark.parametrize(("p", "method", "message"), [([0.1], "bonferoni", "no correction"), ([1.5], "holm", "1.5")])
def test_wrong_corrections_are_refused(p: list[float], method: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        corrected(p, method)
