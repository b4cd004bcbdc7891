"""Members that are like the group, and strangers who only do the same work."""

import numpy as np

from detectors.linking.graph import Graph
from detectors.typicality import typical

DAY_MS = 86_400_000


def test_strangers_in_the_cell_are_told_from_members() -> None:
    graph, rng = Graph(14.0, 1_000), np.random.default_rng(5)
    rows = graph.accounts.extend(2_000)
    table = graph.accounts
    table["first"][rows], table["last"][rows] = 100 * DAY_MS, 110 * DAY_MS
    table["counts"][rows, 0] = rng.lognormal(3, 1.5, len(rows)) + 1
    table["created"][rows] = 100 * DAY_MS - rng.integers(0, 400, len(rows)) * DAY_MS
    table["hours"][rows] = rng.integers(0, 1 << 24, len(rows))
    campaign = rows[:150]
    table["counts"][campaign, 0] = rng.poisson(300, len(campaign))
    table["created"][campaign] = 99 * DAY_MS
    table["hours"][campaign] = (1 << 24) - 1
    cell = np.concatenate([campaign, rows[500:520]])
    found = typical(graph, cell)
    assert found[: len(campaign)].mean() > 0.95
    assert found[len(campaign) :].mean() < 0.2
