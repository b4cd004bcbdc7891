"""What accounts share: a class behind one address is a crowd, a few on a rare one are linked."""

import numpy as np
import pytest

from detectors.linking.graph import Graph
from detectors.linking.ties import CROWD, beyond_chance, crowded, linked, ringed, rings, twice_joined
from detectors.partials import FAMILIES
from tests.detectors.made import pairs, population, share

NETWORK, PAYMENT = FAMILIES.index("network"), FAMILIES.index("payment")


@pytest.fixture
def graph() -> Graph:
    return population()


def test_a_common_address_makes_a_crowd_and_a_rare_one_a_link(graph: Graph) -> None:
    accounts = np.arange(60)
    share(graph, accounts[:CROWD], NETWORK, 2_000)
    share(graph, accounts[-4:], NETWORK, 4)
    assert np.flatnonzero(crowded(graph, accounts)).tolist() == list(range(CROWD))
    assert np.flatnonzero(linked(graph, accounts, accounts)).tolist() == [56, 57, 58, 59]


def test_newcomers_that_share_among_themselves_are_not_linked_to_the_members(graph: Graph) -> None:
    members, came, guest = np.arange(10), np.arange(20, 30), 40
    share(graph, came, PAYMENT, 10)
    share(graph, np.append(members[:1], guest), NETWORK, 2)
    assert linked(graph, np.append(came, guest), members).tolist() == [False] * 10 + [True]


def test_a_ring_of_cards_and_devices_is_told_from_households(graph: Graph) -> None:
    members = np.arange(100)
    for first in range(0, 20, 4):
        share(graph, members[first : first + 4], PAYMENT, 4)
        share(graph, members[first + 3 : first + 5], FAMILIES.index("device"), 2)
    for first in range(60, 80, 2):
        share(graph, members[first : first + 2], PAYMENT, 2)
    assert np.flatnonzero(ringed(graph, members)).tolist() == list(range(21))


def test_two_families_join_an_operation_and_not_those_who_meet_on_its_exits(graph: Graph) -> None:
    first, second, guests = np.arange(20), np.arange(20, 30), np.arange(30, 40)
    for own in (first, second):
        share(graph, own, PAYMENT, len(own))
        share(graph, own, NETWORK, len(own))
    everybody = np.arange(40)
    share(graph, everybody, NETWORK, 40, 1)
    assert len(set(rings(graph, everybody).tolist())) == 1
    assert twice_joined(graph, guests).tolist() == [-1] * 10
    found = twice_joined(graph, everybody)
    assert [len(set(found[own].tolist())) for own in (first, second, guests)] == [1, 1, 1]
    assert len({found[0], found[20], -1}) == 3
    assert found[30] == -1
    assert (twice_joined(graph, first[:4]) == -1).all(), "four are no ring"


def test_what_chance_brings_together_in_a_large_group_is_no_ring(graph: Graph) -> None:
    crowd = np.arange(1_000)
    for first in range(0, 400, 8):
        share(graph, crowd[first : first + 8], NETWORK, 40)
    assert not ringed(graph, crowd).any()
    assert ringed(graph, crowd[:8]).all()


def beyond(graph: Graph, accounts: np.ndarray) -> float:
    return beyond_chance(graph, accounts, linked(graph, accounts, accounts))


def test_how_many_are_linked_says_more_than_who_is(graph: Graph) -> None:
    members = np.arange(200)
    pairs(graph, members[:160], 4)
    graph.accounts["carries"][members] = 1 << NETWORK
    assert not ringed(graph, members).any()
    assert beyond(graph, members) > 0.7
    graph.values["accounts"][:] = 60
    assert beyond(graph, members) < 0.3, "chance alone joins most of them"
    assert beyond(graph, np.arange(1_000, 1_200)) == 0.0
