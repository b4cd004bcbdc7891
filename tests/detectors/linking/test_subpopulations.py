"""A component's shared work is told apart from what everybody asks and from what each asks alone."""

import numpy as np
import pytest

from detectors.linking.graph import Graph, Tick
from detectors.linking.subpopulations import Works, shared_work, subpopulations
from detectors.partials import SCHEMA
from detectors.windows import Table
from detectors.windows.table import LIVE
from tests.detectors.made import TICK_MS, partial

WORK, POPULAR = (11, 12), 99


def world(camouflage: int, strangers: int = 0) -> Graph:
    """Return 20 linked accounts with two templates of their own, a popular one and `camouflage` private ones each.

    Args:
        strangers: others who use the two as well.
    """
    graph = Graph(14.0, 10**6)
    uses = [(f"linked{n:02}", "template", value) for n in range(20) for value in (*WORK, POPULAR)]
    uses += [(f"linked{n:02}", "template", 1_000 + n * 100 + k) for n in range(20) for k in range(camouflage)]
    uses += [(f"people{n:02}", "template", POPULAR) for n in range(60)]
    uses += [(f"people{n:02}", "template", value) for n in range(strangers) for value in WORK]
    for number in (1, 2):
        one = partial(number, uses)
        graph.update(Tick((number + 1) * TICK_MS, one.accounts, {name: one.column(name) for name in SCHEMA}))
    return graph


def linked(graph: Graph) -> np.ndarray:
    return np.array([row for row, account in enumerate(graph.ids) if account.startswith("linked")])


def test_only_the_templates_of_their_own_are_the_work() -> None:
    graph = world(camouflage=17)
    found = subpopulations(graph, {7: linked(graph)}, 5, 0)
    assert list(found) == [7]
    columns = shared_work(graph, linked(graph), found[7])
    assert columns["account"].tolist() == linked(graph).tolist()
    np.testing.assert_allclose(columns["counts"][1:, 0], 2 * len(WORK), rtol=0.1)


@pytest.mark.parametrize(("strangers", "found"), [(10, [7]), (11, [])])
def test_a_template_is_everybodys_where_more_than_a_third_of_its_users_are_strangers(
    strangers: int, found: list[int]
) -> None:
    graph = world(17, strangers)
    assert list(subpopulations(graph, {7: linked(graph)}, 5, 0)) == found


@pytest.mark.parametrize(("min_accounts", "since"), [(21, 0), (5, 10**15)])
def test_work_of_few_and_old_work_is_none(min_accounts: int, since: int) -> None:
    graph = world(camouflage=17)
    assert subpopulations(graph, {7: linked(graph)}, min_accounts, since) == {}


def test_a_component_that_does_nothing_else_needs_no_second_look() -> None:
    graph = Graph(14.0, 10**6)
    one = partial(1, [(f"linked{n:02}", "template", value) for n in range(20) for value in WORK])
    graph.update(Tick(2 * TICK_MS, one.accounts, {name: one.column(name) for name in SCHEMA}))
    assert subpopulations(graph, {7: linked(graph)}, 5, 0) == {}
    assert subpopulations(graph, {}, 5, 0) == {}


def test_clusters_are_kept_and_uses_find_them() -> None:
    table, works = Table({LIVE: ("u1", ()), "value": ("i4", ())}), Works()
    works.assign({3: np.array([50, 40]), 2: np.array([40])}, table)
    component, value = np.array([3, 3, 2, 2, -1]), np.array([50, 40, 40, 50, 40])
    assert works.clusters(component, value).tolist() == [1, 1, 0, -1, -1]
    works.assign({3: np.array([60])}, table)
    assert works.clusters(component, value).tolist() == [-1] * 5
    works.assign({2: np.array([40]), 3: np.array([50])}, table)
    assert table.rows == 2
    again = Works()
    again.load(works.state())
    assert again.clusters(component, value).tolist() == works.clusters(component, value).tolist() == [1, -1, 0, -1, -1]


def test_what_is_forgotten_leaves_no_works() -> None:
    table, works = Table({LIVE: ("u1", ()), "value": ("i4", ())}), Works()
    table.take(4)
    works.assign({3: np.array([50, 40]), 2: np.array([40])}, table)
    works.forget_values(np.array([40]))
    assert [templates.tolist() for _, templates in works.parts.values()] == [[50]]
    works.forget_clusters(np.arange(table.rows) == 3)
    assert not works.parts
    works.assign({3: np.array([50])}, table)
    assert list(works.parts) == [6]
