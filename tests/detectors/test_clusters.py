"""Which cluster a component, a bundle or a cell goes on with, and how many chances of a false alarm clusters are."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.clusters import Clusters
from detectors.linking.graph import Graph
from detectors.linking.members import BEHAVIOUR
from tests.detectors.made import use


@pytest.fixture
def clusters() -> Clusters:
    """Return clusters over sixty accounts: two grids with the same cell of forty, and one with a cell of twenty."""
    graph = Graph(14.0, 1_000)
    graph.accounts.take(60)
    made = Clusters(graph)
    cell = np.where(np.arange(60) < 40, 1001, -1)
    made.assign_cells([cell, np.where(cell > 0, 2002, 3003)])
    return made


def parts(clusters: Clusters, *components: range) -> list[int]:
    """Let `components` of accounts be what there is now; return the cluster of each."""
    label = np.full(clusters.graph.accounts.rows, -1)
    for number, rows in enumerate(components):
        label[rows] = number
    clusters.assign_components(label)
    column = clusters.graph.accounts["component"]
    found = [int(column[rows[0]]) for rows in components]
    for cluster, rows in zip(found, components, strict=True):
        assert clusters.group(cluster).account.tolist() == list(rows)
        assert (column[rows] == cluster).all()
    assert (column[: len(label)][label < 0] == -1).all()
    assert set(clusters.component_members) == set(found)
    assert len(set(found)) == len(found)
    return found


def test_a_component_that_grows_or_loses_accounts_keeps_its_cluster(clusters: Clusters) -> None:
    before = parts(clusters, range(10), range(10, 20))
    assert parts(clusters, range(10), range(10, 50)) == before
    assert parts(clusters, range(10), range(40, 50)) == before, "what is left of it"


def test_the_order_in_which_components_are_found_does_not_show(clusters: Clusters) -> None:
    small, large = parts(clusters, range(10), range(10, 40))
    assert parts(clusters, range(10, 40), range(10)) == [large, small]


def test_of_a_component_that_splits_the_larger_part_keeps_the_cluster(clusters: Clusters) -> None:
    (before,) = parts(clusters, range(30))
    other, same = parts(clusters, range(10), range(10, 30))
    assert same == before
    assert clusters.table["campaign"][other] == -1
    assert parts(clusters, range(10), range(10, 30)) == [other, same]


@pytest.mark.parametrize(("border", "kept"), [(10, 1), (20, 0)])
def test_components_that_merge_go_on_with_the_cluster_of_most_members(
    clusters: Clusters, border: int, kept: int
) -> None:
    parts(clusters, range(border))
    before = parts(clusters, range(border), range(border, 30))
    assert parts(clusters, range(40)) == [before[kept]]


@pytest.mark.parametrize(("stay", "same"), [(10, True), (9, False)])
def test_a_component_that_swaps_most_of_its_members_is_another(clusters: Clusters, stay: int, same: bool) -> None:
    (before,) = parts(clusters, range(20))
    (after,) = parts(clusters, range(20 - stay, 40 - stay))
    assert (after == before) is same


def joined(clusters: Clusters, *bundles: range) -> list[int]:
    """Let `bundles` of templates be what there is now; return the cluster of each."""
    clusters.assign_bundles([np.array(templates) for templates in bundles])
    found = [clusters.bundle_of[templates[0]] for templates in bundles]
    for cluster, templates in zip(found, bundles, strict=True):
        assert clusters.bundles[cluster].tolist() == list(templates)
    assert clusters.bundle_of == {
        value: cluster for cluster, templates in zip(found, bundles, strict=True) for value in templates
    }
    assert set(clusters.bundles) == set(found)
    assert len(set(found)) == len(found)
    return found


@pytest.fixture
def prompts(clusters: Clusters) -> Clusters:
    """Return the clusters over twelve prompts, each used by five accounts ten times."""
    graph = clusters.graph
    for value in graph.values.take(12).tolist():
        use(graph, np.arange(5), value)
    graph.members.rebuild()
    return clusters


def test_a_bundle_of_the_same_prompts_or_of_more_or_fewer_keeps_its_cluster(prompts: Clusters) -> None:
    before = joined(prompts, range(3), range(3, 6))
    assert joined(prompts, range(3, 6), range(3)) == before[::-1]
    assert joined(prompts, range(3), range(3, 12)) == before
    assert joined(prompts, range(3), range(10, 12)) == before


def test_of_a_bundle_that_splits_the_larger_part_keeps_the_cluster(prompts: Clusters) -> None:
    (before,) = joined(prompts, range(10))
    other, same = joined(prompts, range(4), range(4, 10))
    assert same == before
    prompts.count(np.array([other]), np.ones((1, 11), np.float32), 1)
    assert prompts.table["requests"][other] == 4 * 5 * 10, "what its prompts were sent so far, the tick included"


@pytest.mark.parametrize(("border", "kept"), [(4, 1), (6, 0)])
def test_bundles_that_merge_go_on_with_the_cluster_of_most_prompts(prompts: Clusters, border: int, kept: int) -> None:
    joined(prompts, range(border))
    before = joined(prompts, range(border), range(border, 10))
    assert joined(prompts, range(12)) == [before[kept]]


def test_a_bundle_of_other_prompts_is_another(prompts: Clusters) -> None:
    (before,) = joined(prompts, range(6))
    (after,) = joined(prompts, range(6, 12))
    assert after != before


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
