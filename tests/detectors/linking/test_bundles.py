"""Templates of the same people are one bundle; a popular prompt among them is not."""

import numpy as np

from detectors.linking.bundles import bundles, traffic
from detectors.linking.graph import Graph, Tick
from detectors.partials import SCHEMA
from tests.detectors.made import TICK_MS, partial

FARM, POPULAR, LONE = (11, 12, 13), 99, 77


def world(ticks: int = 12) -> Graph:
    """Return 20 accounts on three templates, who also touch a popular one that 60 others live on."""
    graph = Graph(14.0, 10**6)
    for number in range(1, ticks + 1):
        uses = [(f"farm{n:02}", "template", value) for n in range(20) for value in FARM]
        uses += [(f"people{n:02}", "template", POPULAR) for n in range(60)]
        if number == 1:
            uses += [(f"farm{n:02}", "template", POPULAR) for n in range(20)]
        one = partial(number, uses)
        graph.update(Tick((number + 1) * TICK_MS, one.accounts, {name: one.column(name) for name in SCHEMA}))
    return graph


def test_the_farm_is_one_bundle_without_the_popular_prompt() -> None:
    graph = world()
    found = bundles(graph, 5, 0)
    assert [len(part) for part in found] == [3]
    assert graph.values["accounts"][found[0]].tolist() == [20, 20, 20]


def young(operators: int, guests: int) -> Graph:
    """Return accounts that have sent eight requests each over twelve prompts, six of them known to each.

    Some are guests at a popular prompt too, on which others live.
    """
    graph, rng = Graph(14.0, 10**6), np.random.default_rng(5)
    known = [rng.choice(12, 6, replace=False) for _ in range(operators)]
    for number in range(1, 9):
        uses = [(f"farm{n:03}", "template", 100 + int(known[n][rng.integers(6)])) for n in range(operators)]
        uses += [(f"farm{n:03}", "template", POPULAR) for n in range(guests) if number % 4 == 1]
        uses += [(f"people{n:03}", "template", POPULAR) for n in range(120) if number % 3 == 1]
        one = partial(number, uses)
        graph.update(Tick((number + 1) * TICK_MS, one.accounts, {name: one.column(name) for name in SCHEMA}))
    return graph


def test_few_requests_over_many_prompts_show_one_operation() -> None:
    graph = young(150, 30)
    found = bundles(graph, 5, 0)
    assert len(found) == 1
    assert len(found[0]) >= 10
    assert graph.values["accounts"][found[0]].max() < 120, "the popular prompt is none of them"


def test_traffic_adds_up_over_the_templates() -> None:
    graph = world()
    columns = traffic(graph, bundles(graph, 5, 0)[0])
    assert [graph.ids[row] for row in columns["account"]] == [f"farm{n:02}" for n in range(20)]
    assert columns["templates"].tolist() == [3] * 20
    np.testing.assert_allclose(columns["counts"][:, 0], 3 * 12, rtol=0.1)


def test_what_was_not_seen_lately_takes_no_part() -> None:
    assert bundles(world(), 5, 10**15) == []


def test_nothing_seen_no_bundles() -> None:
    assert bundles(Graph(14.0, 10), 5, 0) == []
