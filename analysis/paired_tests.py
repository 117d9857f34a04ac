"""Tests and intervals over paired groups: what one speaker, or recording, is to two systems is one observation.

The sign test and Wilcoxon's are those of NIST's `sc_stats -t sign wilc`, over each speaker's word error rate in
percent, where that program is right; where it is not is said at each. The randomization test and the bootstrap draw
whole groups, because what one speaker says goes wrong together.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from analysis.intervals import (
    FEWEST_GROUPS,
    RESAMPLES,
    Array,
    contributing_groups,
    divide,
    percentile_interval,
    resampled_sums,
)
from analysis.mapsswe import normal_p

EQUAL_RATES = 0.005
"""Percentages that differ by no more are equal, as in `sc_stats`."""
_RANKED_DECIMALS = 9
"""What division leaves beyond is no difference, and must not part equal ranks."""
_MOST_EXACT_SIGNS = 1000
_MOST_EXACT_RANKS = 30
_MOST_EXACT_CELLS = 50_000_000


class SignTest(NamedTuple):
    """How many groups A is worse in, B is worse in, and in how many they are equal; the two-sided p."""

    a_worse: int
    b_worse: int
    equal: int
    p: float


class Wilcoxon(NamedTuple):
    """The sums of the ranks of groups where A, and where B, is worse; the statistic's z and the two-sided p."""

    a_worse_ranks: float
    b_worse_ranks: float
    z: float
    p: float


class Differences(NamedTuple):
    """For each column the 95 % interval of B's rate less A's, and the probability that B's is the lower one."""

    low: Array
    high: Array
    probability_b_better: Array


def percentages(errors: Array, words: Array) -> Array:
    """100 * errors / words, as `sc_stats` computes them; NaN where there are no words."""
    return divide(np.asarray(errors, float), np.asarray(words, float)) * 100.0


def sign_test(rates_a: Array, rates_b: Array) -> SignTest:
    """The sign test over groups, rates in percent; a group without a rate is left out, and p is NaN without any.

    Half of the equal groups count for either side, the odd one against the system that is worse in the sum, which
    makes the test the more careful. p is exact up to 1000 groups, and beyond them from the normal distribution
    with a correction for continuity. `sc_stats` agrees up to 20 groups; above, its approximation halves the count
    that it looks up, and so finds differences where there are none.

    >>> sign_test(np.array([10.0, 12.0, 9.0, 8.0, 7.0]), np.array([5.0, 6.0, 5.0, 5.0, 5.0])).p
    0.0625
    """
    a, b = _with_rates(rates_a, rates_b)
    equal = np.abs(a - b) <= EQUAL_RATES
    a_worse, b_worse = int((~equal & (a > b)).sum()), int((~equal & (a < b)).sum())
    half, odd = divmod(int(equal.sum()), 2)
    extra = (0, odd) if a.sum() > b.sum() else (odd, 0)
    p = _binomial_p(a_worse + half + extra[0], b_worse + half + extra[1])
    return SignTest(a_worse, b_worse, int(equal.sum()), p)


def wilcoxon_test(rates_a: Array, rates_b: Array) -> Wilcoxon:
    """Wilcoxon's signed-rank test over groups, rates in percent; a group without a rate is left out.

    As in `sc_stats`, equal groups are ranked with the others and given to the two sides in turn, first to that
    where the system is worse that is worse in the sum; equal differences share their mean rank. `z` is that
    program's Z without its sign: the variance has no correction for shared ranks. p is exact up to 30 groups, by
    all choices of signs, and from z beyond; `sc_stats` always takes it from z. NaN without groups.

    >>> wilcoxon_test(np.array([10.0, 12.0, 9.0, 8.0, 7.0]), np.array([5.0, 6.0, 5.0, 5.0, 5.0])).p
    0.0625
    """
    a, b = _with_rates(rates_a, rates_b)
    n = len(a)
    if not n:
        return Wilcoxon(0.0, 0.0, math.nan, math.nan)
    difference = a - b if a.sum() > b.sum() else b - a
    ranks = _mean_ranks(np.round(np.abs(difference), _RANKED_DECIMALS))
    equal = np.abs(difference) <= EQUAL_RATES
    plus = ~equal & (difference > 0)
    plus[np.flatnonzero(equal)[::2]] = True
    sums = float(ranks[plus].sum()), float(ranks[~plus].sum())
    z = (max(sums) - n * (n + 1) / 4) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    p = _signed_sum_p(np.rint(2 * ranks).astype(np.int64), max(sums) * 2) if n <= _MOST_EXACT_RANKS else normal_p(z)
    a_worse, b_worse = sums if a.sum() > b.sum() else sums[::-1]
    return Wilcoxon(a_worse, b_worse, z, p)


def randomization_p(errors_a: Array, errors_b: Array) -> float:
    """The two-sided p of the randomization test over groups: errors summed in each, whole numbers.

    Under the null hypothesis the names of the two systems may be exchanged in any group. p is the share of all
    such exchanges with a total difference at least as large as the one seen: exact, without drawing, as far as
    the table of possible totals is small enough, and from the normal distribution with the same variance beyond.
    Groups without a difference do not count. NaN where there is no group; 1 where none differs.

    Source: Fisher, The Design of Experiments, 1935; Edgington, Randomization Tests, 1980.

    >>> randomization_p(np.array([3, 4, 2, 5, 1, 2]), np.array([1, 2, 1, 2, 0, 1]))
    0.03125
    """
    if not len(errors_a):
        return math.nan
    difference = np.rint(np.asarray(errors_b) - np.asarray(errors_a)).astype(np.int64)
    sizes = np.abs(difference[difference != 0])
    if not len(sizes):
        return 1.0
    seen, largest = abs(int(difference.sum())), int(sizes.sum())
    if largest * len(sizes) <= _MOST_EXACT_CELLS:
        # Of all sizes, those with a plus sum to (largest + total) / 2.
        return _signed_sum_p(sizes, (largest + seen) / 2)
    # Totals stand two apart, so that half a step is 1.
    return normal_p(max(0, seen - 1) / math.sqrt(float((sizes.astype(float) ** 2).sum())))


def paired_bootstrap(
    errors_a: Array, errors_b: Array, words_a: Array, words_b: Array, resamples: int = RESAMPLES, seed: int = 0
) -> Differences:
    """The intervals of B's word error rate less A's, and how probably B's is lower, one for each column.

    Both systems' errors in a group are drawn together. The probability is the share of resamples where B's rate is
    lower; equal rates count half. NaN where fewer than two groups contribute: from one speaker nothing can be said
    about the next. Method: Bisani and Ney, Bootstrap estimates for confidence intervals in ASR performance
    evaluation, ICASSP 2004.

    Args:
        errors_a: sums a group, shape (groups, columns), as are the other three.
    """
    sides = [np.asarray(side, float) for side in (errors_a, errors_b, words_a, words_b)]
    totals = resampled_sums(np.hstack(sides), resamples, seed)
    drawn_a, drawn_b, drawn_words_a, drawn_words_b = np.hsplit(totals, 4)
    difference = divide(drawn_b, drawn_words_b) - divide(drawn_a, drawn_words_a)
    low, high = percentile_interval(difference)
    known = contributing_groups(*sides) >= FEWEST_GROUPS
    better = (difference < 0).sum(axis=0) + (difference == 0).sum(axis=0) / 2
    probability = divide(better, (~np.isnan(difference)).sum(axis=0).astype(float))
    return Differences(*(np.where(known, side, np.nan) for side in (low, high, probability)))


def _with_rates(rates_a: Array, rates_b: Array) -> tuple[Array, Array]:
    a, b = np.asarray(rates_a, float), np.asarray(rates_b, float)
    known = ~np.isnan(a) & ~np.isnan(b)
    return a[known], b[known]


def _binomial_p(first: int, second: int) -> float:
    """Twice the chance that so few of all tosses of a fair coin fall on the rarer side; NaN without tosses."""
    n, fewer = first + second, min(first, second)
    if not n:
        return math.nan
    if first == second:
        return 1.0
    if n > _MOST_EXACT_SIGNS:
        return normal_p((n / 2 - fewer - 0.5) / math.sqrt(n / 4))
    return float(Fraction(2 * sum(math.comb(n, k) for k in range(fewer + 1)), 2**n))


def _mean_ranks(values: Array) -> Array:
    """Ranks from 1 up; equal values share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]


def _signed_sum_p(sizes: Array, plus_sum: float) -> float:
    """The two-sided chance, all choices of signs being equal, that the sizes with a plus sum to plus_sum or more.

    plus_sum is at least half of all sizes. Sums are convolved one size at a time.
    """
    total = int(sizes.sum())
    chances: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(total + 1)
    chances[0] = 1.0
    reached = 0
    for size in sizes.tolist():
        chances[size : reached + size + 1] += chances[: reached + 1].copy()
        reached += size
        chances[: reached + 1] /= 2
    return min(1.0, 2 * float(chances[math.ceil(plus_sum - 1e-9) :].sum()))
