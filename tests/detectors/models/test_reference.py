"""Ranks among what honest accounts left."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.models.reference import Ring, Thinning, conformal_p


def test_p_values_of_the_same_kind_are_not_too_small() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        p = conformal_p(np.sort(rng.normal(size=2_000)), rng.normal(size=500))
        shares.append([(p <= level).mean() for level in (0.005, 0.02, 0.1)])
    low, middle, high = np.mean(shares, axis=0)
    assert 0 < low < 0.005
    assert 0.005 < middle < 0.02
    assert 0.06 < high < 0.1


def test_p_values_never_fall_below_what_the_reference_can_tell() -> None:
    known = np.arange(3_999.0)
    assert conformal_p(known, np.array([1e9]))[0] == pytest.approx(1e-3)
    assert conformal_p(known, np.array([-1.0]))[0] == 1.0


@pytest.mark.parametrize("candidates", [48, 960, 40_008])
def test_thinning_lets_a_constant_flow_through_evenly_over_the_day(candidates: int) -> None:
    thinning, rng = Thinning(1_000), np.random.default_rng(1)
    kept = np.zeros((6, 24))
    for day in range(6):
        for hour in range(24):
            kept[day, hour] = thinning.choose(day, rng.random(candidates // 24)).sum()
    steady = kept[1:]
    assert steady.sum(1).mean() == pytest.approx(min(1_000, candidates), rel=0.1)
    assert steady[:, :12].sum() == pytest.approx(steady[:, 12:].sum(), rel=0.15)


def test_the_first_day_is_not_lost_and_not_unlimited() -> None:
    thinning, rng = Thinning(100), np.random.default_rng(2)
    assert thinning.choose(5, rng.random(80)).all()
    rest = sum(int(thinning.choose(5, rng.random(1_000)).sum()) for _ in range(50))
    assert 0 < rest < 800


def test_votes_count_from_the_next_settling_and_the_oldest_go() -> None:
    ring = Ring(3)
    ring.add(np.array([5.0, 1.0]), np.array([10, 11]))
    assert len(ring) == 0
    ring.settle()
    assert ring.sorted().tolist() == [1.0, 5.0]
    ring.add(np.array([3.0, 4.0]), np.array([12, 10]))
    ring.settle()
    assert ring.sorted().tolist() == [1.0, 3.0, 4.0]
    assert ring.sorted_without(lambda accounts: accounts == 10).tolist() == [1.0, 3.0]


def test_waiting_votes_survive_a_restart() -> None:
    ring, other = Ring(10), Ring(10)
    ring.add(np.array([2.0]))
    ring.settle()
    ring.add(np.array([1.0]))
    other.load(ring.state())
    assert other.sorted().tolist() == [2.0]
    other.settle()
    assert other.sorted().tolist() == [1.0, 2.0]
