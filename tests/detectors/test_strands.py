"""What hangs on a group by a thread is told apart, and left out where nothing but its neighbours speaks against it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.evidence.fusion import Fusion
from detectors.linking.graph import Graph
from detectors.linking.members import BEHAVIOUR, COMPONENT, Group, Groups, Population
from detectors.partials import COUNTS, FAMILIES
from detectors.strands import bridges, strands, telling_parts
from tests.detectors.made import DAY_MS, machines, population, share

ELICITED = COUNTS.index("elicited")


def islands(edges: list[tuple[int, int]]) -> int:
    parent = list(range(20))

    def root(node: int) -> int:
        while parent[node] != node:
            node = parent[node]
        return node

    for one, other in edges:
        parent[root(one)] = root(other)
    return sum(parent[node] == node for node in range(20))


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(10, 19)), max_size=25))
def test_bridges_are_the_edges_without_which_a_graph_falls_apart(drawn: set[tuple[int, int]]) -> None:
    edges = sorted(drawn)
    cut = [islands([e for e in edges if e != edge]) > islands(edges) for edge in edges]
    found = bridges(np.array(edges, np.int64).reshape(-1, 2).T)
    assert found.tolist() == cut


def among_all(graph: Graph, group: Group) -> Groups:
    population = Population()
    population.accounts = graph.accounts.rows
    return Groups(graph, [group], population)


def two_operations(ways: int, what: str = "network") -> tuple[Groups, np.ndarray, np.ndarray]:
    """Return a component of a campaign and an old gateway that have `ways` values of a family in common, and both."""
    graph = population()
    campaign, gateway = machines(graph, np.arange(30)), np.arange(1_000, 1_020)
    graph.accounts["counts"][campaign, ELICITED] = graph.accounts["counts"][campaign, 0]
    graph.accounts["counts"][gateway, 0] = 1_000.0
    graph.accounts["created"][gateway] = 100 * DAY_MS
    for family in ("payment", "device"):
        share(graph, campaign, FAMILIES.index(family), len(campaign))
        share(graph, gateway, FAMILIES.index(family), len(gateway))
    for way in range(ways):
        share(graph, np.append(campaign[way], gateway), FAMILIES.index(what), 21, way + 1)
    rows = np.concatenate([campaign, gateway])
    group = Group(COMPONENT, graph.accounts, rows, rows, np.zeros(0, np.int64))
    return among_all(graph, group), campaign, gateway


def test_one_account_on_a_gateways_exit_does_not_accuse_the_gateway() -> None:
    groups, campaign, gateway = two_operations(1)
    strand = strands(groups.graph, groups.account)
    assert len(set(strand[:30])) == len(set(strand[30:])) == 1
    assert strand[0] != strand[-1]
    assert telling_parts(groups, 0, groups.account, Fusion()).tolist() == campaign.tolist()
    assert telling_parts(groups, 0, gateway, Fusion()).tolist() == gateway.tolist(), "nothing to be told apart from"


def test_what_common_cards_join_in_two_ways_is_left_together() -> None:
    groups, _, _ = two_operations(2, "payment")
    assert len(set(strands(groups.graph, groups.account))) == 1
    assert telling_parts(groups, 0, groups.account, Fusion()).tolist() == groups.account.tolist()


def test_however_many_exits_two_operations_share_their_cards_tell_them_apart() -> None:
    groups, campaign, gateway = two_operations(3)
    assert len(set(strands(groups.graph, groups.account))) == 1
    assert telling_parts(groups, 0, groups.account, Fusion()).tolist() == campaign.tolist()
    assert telling_parts(groups, 0, gateway, Fusion()).tolist() == gateway.tolist(), "nothing to be told apart from"


def test_two_pools_that_both_tell_something_are_both_kept() -> None:
    groups, _, pool = two_operations(1)
    groups.graph.accounts["counts"][pool, ELICITED] = 1_000.0
    assert telling_parts(groups, 0, groups.account, Fusion()).tolist() == groups.account.tolist()


def test_those_of_a_cell_who_do_another_thing_are_not_accused_with_its_ring() -> None:
    graph = population()
    campaign, monitors = machines(graph, np.arange(20)), machines(graph, np.arange(1_000, 1_024))
    graph.accounts["counts"][campaign, ELICITED] = graph.accounts["counts"][campaign, 0]
    graph.accounts["created"][monitors] = 100 * DAY_MS
    for first in range(0, 20, 5):
        for family in ("payment", "network"):
            share(graph, campaign[first : first + 5], FAMILIES.index(family), 5)
        share(graph, monitors[first : first + 5], FAMILIES.index("network"), 5)
    rows = np.concatenate([campaign, monitors])
    group = Group(BEHAVIOUR, graph.accounts, rows, rows, np.zeros(0, np.int64))
    groups = among_all(graph, group)
    assert telling_parts(groups, 0, rows, Fusion()).tolist() == campaign.tolist()
    assert telling_parts(groups, 0, rows[:9], Fusion()).tolist() == rows[:9].tolist(), "too few to be told apart"
    assert telling_parts(groups, 0, rows[:0], Fusion()).tolist() == []
