"""Cells of behaviour as clusters, and how many chances of a false alarm clusters are."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.clusters import Clusters
from detectors.linking.graph import Graph
from detectors.linking.members import BEHAVIOUR


@pytest.fixture
def clusters() -> Clusters:
    """Return clusters over sixty accounts: two grids with the same cell of forty, and one with a cell of twenty."""
    graph = Graph(14.0, 1_000)
    graph.accounts.take(60)
    made = Clusters(graph)
    cell = np.where(np.arange(60) < 40, 1001, -1)
    made.assign_cells([cell, np.where(cell > 0, 2002, 3003)])
    return made


def test_a_cell_is_a_group_of_its_accounts_and_keeps_its_cluster(clusters: Clusters) -> None:
    cluster = clusters.cell_of[1001]
    group = clusters.group(cluster)
    assert group.kind == BEHAVIOUR
    assert group.account.tolist() == list(range(40))
    fewer = np.where(np.arange(60) < 30, 1001, -1)
    clusters.assign_cells([fewer, fewer])
    assert clusters.cell_of[1001] == cluster
    assert clusters.members(cluster) == 30


def test_clusters_of_the_same_accounts_are_one_chance(clusters: Clusters) -> None:
    twice, apart = (np.array([clusters.cell_of[code] for code in codes]) for codes in ((1001, 2002), (1001, 3003)))
    assert clusters.independent(twice).sum() == pytest.approx(1.0)
    assert clusters.independent(apart)[BEHAVIOUR] == pytest.approx(2.0)
    assert not clusters.independent(np.zeros(0, np.int64)).any()


def test_forgotten_accounts_leave_their_cells(clusters: Clusters) -> None:
    clusters.free_accounts(np.arange(10))
    assert clusters.group(clusters.cell_of[1001]).account.tolist() == list(range(10, 40))


def test_cells_survive_a_restart(clusters: Clusters) -> None:
    heir = Clusters(clusters.graph)
    heir.restore(clusters.snapshot().items())
    assert {cluster: rows.tolist() for cluster, rows in heir.cell_members.items()} == {
        cluster: rows.tolist() for cluster, rows in clusters.cell_members.items()
    }
