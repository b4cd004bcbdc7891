"""Intervals hold what they promise, and say nothing where nothing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from stream.evaluate.intervals import Estimate, mean, proportion, rate


def inside(estimate: Estimate, truth: float) -> bool:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high


def test_mean_is_students_interval() -> None:
    made = mean([1.0, 2.0, 4.0, None])
    low, high = stats.t.interval(0.95, 2, loc=7 / 3, scale=stats.sem([1, 2, 4]))
    assert (made.n, made.method) == (3, "t")
    assert (made.value, made.high) == (pytest.approx(7 / 3), pytest.approx(high))
    assert low < 0
    assert made.low == 0


def test_mean_of_shares_stays_below_its_ceiling() -> None:
    made = mean([0.9, 1.0], 1)
    assert (made.low, made.high) == (pytest.approx(max(0.95 - 12.7062 * 0.05, 0), abs=1e-4), 1)


def test_values_below_zero_keep_their_interval() -> None:
    made = mean([-1.0, 0.0])
    assert made.low is not None
    assert made.low <= -0.5


def test_one_and_equal_values_have_no_interval() -> None:
    assert mean([3.0]) == Estimate(value=3.0, n=1, method="one")
    assert mean([3.0, 3.0]) == Estimate(value=3.0, n=2, method="equal")
    assert mean([0.5, 0.5], 1).low is None
    assert mean([None]) == Estimate(value=None, n=0, method="none")


@pytest.mark.parametrize("n", [1, 3, 10])
def test_values_all_at_one_end_have_the_binomial_bound(n: int) -> None:
    top, bottom = mean([1.0] * n, 1), mean([0.0] * n, 1)
    assert top.low == pytest.approx(0.025 ** (1 / n))
    assert (bottom.low, bottom.high) == (0, pytest.approx(1 - 0.025 ** (1 / n)))


@pytest.mark.parametrize(("k", "n"), [(0, 3), (2, 3), (3, 3), (7, 30)])
def test_proportion_is_clopper_and_pearsons(k: int, n: int) -> None:
    expected = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    made = proportion(k, n)
    assert (made.low, made.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


@pytest.mark.parametrize("truth", [0.03, 0.3, 0.5, 0.9])
def test_proportion_covers_at_least_what_it_says(truth: float) -> None:
    n = 12
    covered = sum(stats.binom.pmf(k, n, truth) for k in range(n + 1) if inside(proportion(k, n), truth))
    assert covered >= 0.95


@pytest.mark.parametrize("truth", [0.2, 1.0, 4.0, 20.0])
def test_rate_covers_at_least_what_it_says(truth: float) -> None:
    covered = sum(stats.poisson.pmf(k, truth) for k in range(100) if inside(rate(k, 1.0), truth))
    assert covered >= 0.95


def test_rate_has_garwoods_table_values_per_exposure() -> None:
    none, three = rate(0, 2.0), rate(3, 0.5)
    assert (none.value, none.low, none.high) == (0, 0, pytest.approx(-math.log(0.025) / 2))
    assert (three.value, three.low, three.high) == (6, pytest.approx(1.2373, abs=1e-3), pytest.approx(17.534, abs=1e-2))


def test_without_trials_or_exposure_nothing_is_known() -> None:
    assert proportion(0, 0).value is None
    assert rate(0, 0).value is None


def test_mean_covers_about_what_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = sum(inside(mean(list(rng.normal(50, 5, 5))), 50) for _ in range(2000))
    assert 0.93 < hits / 2000 < 0.97
