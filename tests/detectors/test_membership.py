"""Who of a group is accused: a class behind one address is a crowd, a few on a rare one are linked."""

import numpy as np

from detectors.linking.graph import Graph
from detectors.membership import CROWD, crowded, linked
from detectors.partials import FAMILIES

NETWORK = FAMILIES.index("network")


def test_a_common_address_makes_a_crowd_and_a_rare_one_a_link() -> None:
    graph = Graph(14.0, 1_000)
    accounts = graph.accounts.take(5_000)[:60]
    common, rare = graph.values.take(2)
    graph.values["family"][[common, rare]] = NETWORK
    graph.values["accounts"][[common, rare]] = 2_000, 4
    graph.accounts["recent"][accounts[:CROWD], NETWORK - 1, 0] = common
    graph.accounts["recent"][accounts[-4:], NETWORK - 1, 0] = rare
    assert np.flatnonzero(crowded(graph, accounts)).tolist() == list(range(CROWD))
    assert np.flatnonzero(linked(graph, accounts, accounts)).tolist() == [56, 57, 58, 59]
