"""Ranks among honest groups, and the tail beyond them."""

import numpy as np
import pytest

from detectors.evidence.expected import EXPECTED, Expected
from detectors.evidence.fusion import NAMES
from detectors.evidence.reference import OWN_ENOUGH, RESERVOIR, Reference
from detectors.evidence.shipped import SHIPPED, SHIPPED_TOTALS
from detectors.evidence.totals import UNTOLD


def filled(values: np.ndarray) -> Reference:
    reference = Reference("nothing shipped")
    for value in values.tolist():
        reference.add(value)
    return reference


def test_values_drawn_like_the_reference_exceed_a_level_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    reference = filled(rng.exponential(size=1_500))
    surprise = reference.minus_ln_p(rng.exponential(size=200_000))
    for p in (0.5, 0.1, 0.01, 0.001):
        assert (surprise >= -np.log(p)).mean() == pytest.approx(p, rel=0.5)


def test_surprise_grows_with_the_value_across_body_and_tail() -> None:
    reference = filled(np.random.default_rng(2).normal(size=900))
    surprise = reference.minus_ln_p(np.linspace(-4, 8, 500))
    assert np.all(np.diff(surprise) >= -1e-9)
    assert surprise[-1] > 10


def test_value_at_is_the_inverse_of_the_tail() -> None:
    reference = filled(np.random.default_rng(3).exponential(size=900))
    for surprise in (3.0, 8.0):
        assert reference.minus_ln_p(np.array([reference.value_at(surprise)]))[0] == pytest.approx(surprise)


def test_nothing_known_says_nothing() -> None:
    assert Reference("nothing shipped").minus_ln_p(np.array([1.0, 1e9])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("own", [0.0, 0.9])
def test_own_groups_speak_beside_the_shipped_ones_and_then_alone(own: float) -> None:
    reference, high = Reference("evenness"), np.array([0.95])
    shipped = reference.minus_ln_p(high)[0]
    for _ in range(OWN_ENOUGH):
        reference.add(own)
    alone = filled(np.full(OWN_ENOUGH, own)).minus_ln_p(high)[0]
    assert reference.minus_ln_p(high)[0] == pytest.approx(min(shipped, alone))
    for _ in range(RESERVOIR - OWN_ENOUGH):
        assert reference.provisional
        reference.add(own)
    assert not reference.provisional
    assert reference.shape() == (own, own)
    assert reference.minus_ln_p(high)[0] == pytest.approx(alone)


@pytest.mark.parametrize("votes", [OWN_ENOUGH, RESERVOIR])
def test_an_operators_own_groups_exceed_a_level_no_oftener_than_it_says_and_as_often_once_they_stand_alone(
    votes: int,
) -> None:
    rng, reference = np.random.default_rng(4), Reference("evenness")
    for value in rng.exponential(0.2, votes).tolist():
        reference.add(value)
    surprise = reference.minus_ln_p(rng.exponential(0.2, 100_000))
    for p in (0.5, 0.1, 0.01):
        exceeds = (surprise >= -np.log(p)).mean()
        assert exceeds <= 1.5 * p
        assert reference.provisional or exceeds >= 0.5 * p


def test_unmeasured_is_no_vote() -> None:
    reference = Reference("nothing shipped")
    reference.add(float("nan"))
    assert reference.own == 0


def test_state_round_trip() -> None:
    reference = filled(np.arange(50.0))
    other = Reference("nothing shipped")
    other.load(reference.state())
    assert other.shape() == reference.shape()


def test_what_a_provider_knows_of_its_customers_decides_what_is_shipped_and_own_groups_stay() -> None:
    reference, value = Reference("failover"), np.array([0.4])
    known = reference.minus_ln_p(value)[0]
    reference.suit(0)
    unknown = reference.minus_ln_p(value)[0]
    assert known > unknown + 2.0, "keys of a customer that nobody knows for one fail over to each other"
    reference.suit(2)
    assert reference.minus_ln_p(value)[0] == known
    for _ in range(RESERVOIR):
        reference.add(0.0)
    of_own = reference.minus_ln_p(value)[0]
    reference.suit(0)
    assert reference.minus_ln_p(value)[0] == of_own


def test_every_family_has_bounds_and_a_shipped_reference() -> None:
    assert set(EXPECTED) == set(NAMES)
    assert set(SHIPPED) == set(SHIPPED_TOTALS) == {0, 1, 2}
    assert all(set(part) == set(NAMES) for part in SHIPPED.values())
    assert all(list(values) == sorted(values) for part in SHIPPED.values() for values in part.values())
    known = [reservoir for part in SHIPPED_TOTALS.values() for reservoir in part.values()]
    assert all(untold >= 0 and list(totals) == sorted(totals) for untold, totals in known)
    assert min(total for _, totals in known for total in totals) > UNTOLD


def test_what_speaks_for_is_capped_and_what_falls_short_speaks_against() -> None:
    family = Expected(0.5, 2.0, low=0.5, width=0.5)
    statistic = np.array([0.9, 0.9, 0.25, 0.0, np.nan])
    assert family.weigh(statistic, np.array([1.0, 9.0, 9.0, 9.0, 9.0])).tolist() == [0.5, 2.5, -1.0, -2.0, 0.0]
