"""Totals are ranked among honest groups of their own kind and size."""

import numpy as np
import pytest

from detectors.evidence.reference import OWN_ENOUGH
from detectors.evidence.totals import ENOUGH, SIZES, UNTOLD, Totals, bucket
from detectors.linking.members import COMPONENT, KINDS, TEMPLATE

SMALL, LARGE = 30.0, 500.0


@pytest.fixture
def totals() -> Totals:
    """Return totals of honest groups: small ones reach higher."""
    made, rng = Totals(), np.random.default_rng(0)
    for _ in range(500):
        made.add(float(rng.exponential(3.0)), TEMPLATE, SMALL)
        made.add(float(rng.exponential(1.0)), TEMPLATE, LARGE)
    return made


def surprise(totals: Totals, value: float, kind: int, size: float) -> float:
    return float(totals.minus_ln_p(np.array([value]), np.array([kind]), np.array([size]))[0])


def test_the_same_total_is_rarer_where_honest_groups_stay_lower(totals: Totals) -> None:
    assert surprise(totals, 9.0, TEMPLATE, LARGE) > surprise(totals, 9.0, TEMPLATE, SMALL) + 2.0


def test_honest_totals_exceed_a_level_as_often_as_it_says(totals: Totals) -> None:
    drawn = np.random.default_rng(1).exponential(3.0, 100_000)
    found = totals.minus_ln_p(drawn, np.full(len(drawn), TEMPLATE), np.full(len(drawn), SMALL))
    for p in (0.1, 0.01, 0.001):
        assert (found >= -np.log(p)).mean() == pytest.approx(p, rel=0.6)


def test_value_at_is_the_inverse_of_the_tail(totals: Totals) -> None:
    value = totals.value_at(6.0, TEMPLATE, SMALL)
    assert surprise(totals, value, TEMPLATE, SMALL) == pytest.approx(6.0)


def test_value_at_below_the_tail_is_a_rank() -> None:
    totals = Totals({2: {bucket(TEMPLATE, SMALL): (0, tuple(map(float, range(100))))}})
    assert totals.value_at(0.7, TEMPLATE, SMALL) == pytest.approx(50.0, abs=2.0)


def test_what_can_hardly_ever_be_reported_is_rare_whatever_its_total() -> None:
    totals = Totals({2: {bucket(TEMPLATE, SMALL): (600, ()), bucket(COMPONENT, SMALL): (0, (9.0, 10.0, 11.0) * 20)}})
    assert surprise(totals, 9.5, TEMPLATE, SMALL) > surprise(totals, 9.5, COMPONENT, SMALL) + 5.0


def test_a_kind_that_nobody_has_seen_borrows_from_the_others(totals: Totals) -> None:
    few = ENOUGH - 1
    for _ in range(few):
        totals.add(0.0, COMPONENT, SMALL)
    assert surprise(totals, 1.0, COMPONENT, SMALL) < surprise(totals, 9.0, COMPONENT, SMALL) < 12.0


def test_three_honest_totals_borrow_of_other_providers_how_far_a_fourth_may_go() -> None:
    few = {bucket(TEMPLATE, SMALL): (497, (9.0, 10.6, 11.1))}
    many = {bucket(TEMPLATE, SMALL): (400, tuple(9.0 + np.random.default_rng(0).exponential(2.0, 100)))}
    alone, borrowing = Totals({2: few}), Totals({0: many, 2: few})
    assert surprise(alone, 9.5, TEMPLATE, SMALL) == surprise(borrowing, 9.5, TEMPLATE, SMALL)
    further = [
        surprise(one, 14.0, TEMPLATE, SMALL) - surprise(one, 11.2, TEMPLATE, SMALL) for one in (alone, borrowing)
    ]
    assert further[0] > 5.0
    assert further[1] == pytest.approx(2.8 / 2.0, rel=0.4)


def test_own_groups_of_one_kind_replace_what_is_shipped_of_that_kind_alone() -> None:
    shipped = {bucket(kind, SMALL): (60, (9.0, 10.0, 11.0) * 20) for kind in (TEMPLATE, COMPONENT)}
    totals = Totals({2: shipped})
    before = surprise(totals, 10.5, COMPONENT, SMALL)
    for _ in range(OWN_ENOUGH):
        totals.add(UNTOLD, TEMPLATE, SMALL)
    assert [totals.provisional(TEMPLATE), totals.provisional(COMPONENT)] == [False, True]
    assert surprise(totals, 10.5, COMPONENT, SMALL) == pytest.approx(before)
    assert surprise(totals, 10.5, TEMPLATE, SMALL) > before + 3.0


def test_own_groups_that_could_never_be_reported_do_not_tell_how_high_the_others_reach() -> None:
    totals = Totals({2: {bucket(TEMPLATE, SMALL): (400, (9.0, 10.0, 11.0))}})
    before = totals.value_at(10.0, TEMPLATE, SMALL)
    for _ in range(OWN_ENOUGH):
        totals.add(UNTOLD, TEMPLATE, SMALL)
    assert totals.value_at(10.0, TEMPLATE, SMALL) == pytest.approx(before, abs=1.0)


def replaced(doubts: bool, votes: int = 1_500, needed: float = 5.6) -> float:
    """Return how often honest groups call for an alert once they vote themselves, over how often they should."""
    rng = np.random.default_rng(0)
    totals = Totals({2: {bucket(TEMPLATE, SMALL): (0, tuple(9.0 + rng.exponential(2.0, 300)))}})
    for value in (9.0 + rng.exponential(2.0, votes)).tolist():
        doubt, rank = totals.doubtful(needed, TEMPLATE, SMALL), surprise(totals, value, TEMPLATE, SMALL)
        if rank < doubt:
            totals.add(value, TEMPLATE, SMALL)
        elif rank < needed and doubts:
            totals.doubt(totals.value_at(doubt, TEMPLATE, SMALL), TEMPLATE, SMALL)
    fresh = 9.0 + rng.exponential(2.0, 100_000)
    found = totals.minus_ln_p(fresh, np.full(len(fresh), TEMPLATE), np.full(len(fresh), SMALL))
    return float((found >= needed).mean() / np.exp(-needed))


def test_honest_groups_that_were_doubted_keep_the_tail_as_long_as_it_is() -> None:
    assert 0.3 < replaced(doubts=True) < 3.0
    assert replaced(doubts=False) > 5.0


def test_a_campaign_that_is_doubted_does_not_take_the_tail_along(totals: Totals) -> None:
    before = totals.value_at(6.0, TEMPLATE, SMALL)
    taken, doubted = Totals(), Totals()
    for other in (taken, doubted):
        other.load(totals.state())
    for _ in range(20):
        taken.add(60.0, TEMPLATE, SMALL)
        doubted.doubt(doubted.value_at(doubted.doubtful(6.0, TEMPLATE, SMALL), TEMPLATE, SMALL), TEMPLATE, SMALL)
    assert doubted.value_at(6.0, TEMPLATE, SMALL) - before < 0.4 * (taken.value_at(6.0, TEMPLATE, SMALL) - before)


def test_every_kind_and_size_has_a_reservoir_of_its_own() -> None:
    sizes = (0.0, *SIZES)
    assert len({bucket(kind, size) for kind in range(len(KINDS)) for size in sizes}) == len(KINDS) * len(sizes)


def test_state_round_trip(totals: Totals) -> None:
    other = Totals()
    other.load(totals.state())
    assert other.own == totals.own
    assert surprise(other, 7.0, TEMPLATE, LARGE) == surprise(totals, 7.0, TEMPLATE, LARGE)
