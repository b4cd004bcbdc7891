"""Members that are like the group, and strangers who only do the same work."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from detectors.linking.graph import Graph
from detectors.typicality import HOURS, belonging, differ, independence, nearness, typical

DAY_MS = 86_400_000
CAMPAIGN = 150


@pytest.fixture
def graph() -> Graph:
    """Return 2,000 accounts, the first 150 of them new, alike and busy round the clock."""
    graph, rng = Graph(14.0, 1_000), np.random.default_rng(5)
    rows = graph.accounts.extend(2_000)
    table = graph.accounts
    table["first"][rows], table["last"][rows] = 100 * DAY_MS, 110 * DAY_MS
    table["counts"][rows, 0] = rng.lognormal(3, 1.5, len(rows)) + 1
    table["created"][rows] = 100 * DAY_MS - rng.integers(0, 400, len(rows)) * DAY_MS
    table["hours"][rows, 0] = rng.integers(0, 1 << 24, len(rows))
    campaign = rows[:CAMPAIGN]
    table["counts"][campaign, 0] = rng.poisson(300, len(campaign))
    table["created"][campaign] = 99 * DAY_MS
    table["hours"][campaign, 0] = (1 << 24) - 1
    return graph


def test_strangers_in_the_cell_are_told_from_members(graph: Graph) -> None:
    cell = np.concatenate([np.arange(CAMPAIGN), np.arange(500, 520)])
    found = typical(graph, cell)
    assert found[:CAMPAIGN].mean() > 0.95
    assert found[CAMPAIGN:].mean() < 0.2


def test_the_sure_show_what_the_others_must_be_like(graph: Graph) -> None:
    members = np.concatenate([np.arange(CAMPAIGN), np.arange(500, 700)])
    sure = np.arange(len(members)) < 40
    found = belonging(graph, members, sure)
    assert found[:CAMPAIGN].mean() > 0.95
    assert (found[CAMPAIGN:] > 0.95).mean() < 0.02


def test_a_mixture_of_strangers_alone_holds_nobody(graph: Graph) -> None:
    members = np.concatenate([np.arange(20), np.arange(500, 700)])
    assert (belonging(graph, members, np.arange(len(members)) < 20)[20:] > 0.95).mean() < 0.02
    assert belonging(graph, members[:20], np.ones(20, bool)).tolist() == [1.0] * 20


def test_parts_of_one_campaign_do_not_differ_and_strangers_do(graph: Graph) -> None:
    members = np.concatenate([np.arange(CAMPAIGN), np.arange(500, 560)])
    first, second, strangers = (np.isin(members, np.arange(*ends)) for ends in ((0, 75), (75, 150), (500, 560)))
    assert not differ(graph, members, first, second)
    assert differ(graph, members, first, strangers)


def test_having_been_here_for_longer_makes_no_difference(graph: Graph) -> None:
    members = np.arange(CAMPAIGN)
    graph.accounts["hours"][members[:75]] = [1, 0]
    assert not differ(graph, members, members < 75, members >= 75)
    assert (nearness(graph, members, members < 75, members >= 75, (HOURS,))[:75] <= 0.5).all()
    assert (nearness(graph, members, members < 75, members >= 75)[:75] > 0.5).all()


@pytest.mark.parametrize("kinds", [2, 3, 11])
def test_the_g_test_is_that_of_scipy(kinds: int) -> None:
    rng = np.random.default_rng(kinds)
    for size in (6, 40, 3_000):
        table = np.stack([rng.multinomial(size, rng.dirichlet(np.ones(kinds))) for _ in range(2)])
        told = table[:, table.sum(0) > 0]
        if told.shape[1] > 1:
            expected = chi2_contingency(told, lambda_="log-likelihood").pvalue
            assert independence(table) == pytest.approx(expected, rel=1e-9)


def test_one_kind_tells_nothing() -> None:
    assert independence(np.array([[0, 7], [0, 9]])) == 1.0
