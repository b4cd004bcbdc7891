"""Contents that were turned away are looked for elsewhere, in their tick and the next."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.linking.graph import Graph
from detectors.linking.handovers import SAMPLED, Handovers

TICK_MS = 900_000
ASKED = 2 * 7_777
PLAIN = 2 * SAMPLED * 555


def world(*organizations: int) -> Graph:
    graph = Graph(14.0, 1_000)
    rows = graph.accounts.extend(len(organizations))
    graph.accounts["organization"][rows] = organizations
    return graph


def tick(graph: Graph, followed: Handovers, number: int, *sent: tuple[int, int]) -> None:
    """Take in one tick: pairs of account and content, one use each."""
    columns = {
        "use_account": np.array([account for account, _ in sent], np.int64),
        "use_contents": np.ones(len(sent), np.int64),
        "contents": np.array([content for _, content in sent], np.uint64),
    }
    followed.update(graph.accounts, np.arange(graph.accounts.rows), columns, number * TICK_MS)


@pytest.mark.parametrize(
    ("later", "organizations", "met"),
    [(0, (1, 2), 1), (1, (1, 2), 1), (2, (1, 2), 0), (5, (1, 2), 0), (1, (1, 1), 0), (1, (0, 0), 1)],
)
def test_what_another_organisation_sends_within_a_tick_came_back(
    later: int, organizations: tuple[int, int], met: int
) -> None:
    graph, followed = world(*organizations), Handovers()
    one, other = (0, ASKED | 1), (1, ASKED)
    tick(graph, followed, 10, one, *([other] if later == 0 else []))
    if later != 5:
        tick(graph, followed, 11, *([other] if later == 1 else []))
    tick(graph, followed, 10 + max(later, 2), *([other] if later >= 2 else []))
    assert graph.accounts["handed"][0, 0, 1].tolist() == [1, met]
    assert graph.accounts["handed"][1, 0].sum() == 0


def test_some_that_were_served_are_followed_for_comparison() -> None:
    graph, followed = world(1, 2), Handovers()
    tick(graph, followed, 10, (0, PLAIN), (0, PLAIN + 2), (1, PLAIN))
    again = Handovers()
    again.load(followed.state())
    tick(graph, again, 11)
    assert graph.accounts["handed"][0, 0].tolist() == [[1, 1], [0, 0]]
    assert graph.accounts["handed"][1, 0].tolist() == [[1, 1], [0, 0]]
