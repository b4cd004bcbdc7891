"""Partials of one tick become the same tick, whichever came first."""

import numpy as np

from detectors.linking.graph import Graph
from detectors.merge import merge
from detectors.partials import Partial
from tests.detectors.made import TICK_MS, partial


def test_the_order_of_arrival_does_not_show() -> None:
    one = partial(4, [("b", "payment", 1), ("d", "template", 2)], 0)
    two = partial(4, [("a", "payment", 1), ("c", "device", 3)], 1)
    ticks = [merge(Graph(14.0, 1_000), 5 * TICK_MS, order) for order in ([one, two], [two, one])]
    assert [tick.accounts for tick in ticks] == [["a", "b", "c", "d"]] * 2
    assert ticks[0].end_ms == 5 * TICK_MS
    for name, column in ticks[0].columns.items():
        np.testing.assert_array_equal(column, ticks[1].columns[name], name)
    owner = ticks[0].columns["use_account"]
    assert {(int(who), int(value)) for who, value in zip(owner, ticks[0].columns["use_value"], strict=True)} == {
        (0, 1), (1, 1), (2, 3), (3, 2)
    }  # fmt: skip


def test_names_are_numbered_by_the_alphabet() -> None:
    graph, first = Graph(14.0, 1_000), partial(4, [("a", "payment", 1)], 0)
    named = [Partial(p, 4, 0, True, False, names=[name]) for p, name in enumerate("zy")]
    merge(graph, 5 * TICK_MS, [*named, first])
    y, z = graph.names.codes(["y", "z"]).tolist()
    assert y < z
