"""What accounts are seen to be, kept in bitmaps of two periods."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.linking import traits
from detectors.linking.graph import Graph
from detectors.linking.norms import Norms, octave
from detectors.linking.updates import note_update
from detectors.partials import COUNTS

PERIOD, SECOND = traits.PERIOD_MS, 1_000


def graph_of(size: int) -> Graph:
    graph = Graph(14.0, 1_000)
    graph.accounts.extend(size)
    return graph


def seen(graph: Graph, bits: list[int], end_ms: int) -> None:
    nothing = {f"mix_{name}": np.zeros(0, np.int64) for name in ("account", "kind", "name", "failed")}
    columns = nothing | {"variety": np.array([bits], np.uint64), "first": np.array([end_ms - 1])}
    columns["counts"] = np.ones((1, len(COUNTS)))
    columns["elicitations"] = np.array([[0.0, 1.0, 0.0, 0.0]])
    traits.note(graph.accounts, np.array([0]), columns, end_ms)
    accounts = graph.accounts
    accounts["first"][0] = accounts["first"][0] or end_ms - 1
    note_update(accounts, np.array([0]), end_ms)


def test_values_of_two_periods_count_and_older_ones_do_not() -> None:
    graph = graph_of(1)
    seen(graph, [0b1, 0b1, 0], 5 * PERIOD + SECOND)
    seen(graph, [0b10, 0b1, 0], 5 * PERIOD + 2 * SECOND)
    assert np.allclose(traits.varieties(graph.accounts, np.array([0])), [[2, 1, 0]], atol=0.1)
    seen(graph, [0b100, 0b1, 0], 6 * PERIOD + SECOND)
    assert np.allclose(traits.varieties(graph.accounts, np.array([0])), [[3, 1, 0]], atol=0.1)
    seen(graph, [0b1000, 0b1, 0], 8 * PERIOD + SECOND)
    assert np.allclose(traits.varieties(graph.accounts, np.array([0])), [[1, 1, 0]], atol=0.1)


def test_late_requests_begin_a_period_no_second_time() -> None:
    graph = graph_of(1)
    seen(graph, [0b1, 0b1, 0], 6 * PERIOD)
    graph.accounts["last"][0] = 6 * PERIOD - 1
    for tick in (1, 2):
        seen(graph, [0b10, 0b1, 0], 6 * PERIOD + tick * SECOND)
    assert np.allclose(traits.varieties(graph.accounts, np.array([0])), [[2, 1, 0]], atol=0.1)


def test_norms_are_those_of_accounts_of_like_volume_and_survive_a_restart() -> None:
    graph = graph_of(200)
    graph.accounts["counts"][:200, 0] = np.repeat([4.0, 1_000.0], 100)
    graph.accounts["variety"][:200, 0] = np.repeat([[1, 1, 1], [0xFF, 1, 1]], 100, axis=0)
    norms = Norms()
    norms.refresh(graph, np.arange(200))
    assert np.isclose(norms.breadth[octave(np.array([4.0]))], 0.0, atol=0.1)
    assert np.isclose(norms.breadth[octave(np.array([1_000.0]))], np.log(8), atol=0.1)
    assert np.isnan(norms.breadth[15])
    assert norms.agents[0] == 1.0
    again = Norms()
    again.load(norms.state())
    assert np.array_equal(again.breadth, norms.breadth, equal_nan=True)


def test_only_refused_elicitation_is_remembered() -> None:
    graph = graph_of(3)
    counts = np.zeros((3, len(COUNTS)))
    counts[0, traits.REFUSED] = counts[1, traits.ELICITED] = 1
    counts[2, [traits.REFUSED, traits.ELICITED]] = 1
    traits.note_refusals(graph.accounts, np.arange(3), np.arange(3, dtype=np.uint64), counts)
    assert graph.accounts["refused"][:3].any(axis=(1, 2)).tolist() == [False, False, True]


def test_the_first_day_ends_after_24_hours() -> None:
    graph = graph_of(1)
    for end_ms in (PERIOD, PERIOD + traits.DAY_MS - 1, PERIOD + traits.DAY_MS, PERIOD + 2 * traits.DAY_MS):
        seen(graph, [1, 1, 1], end_ms)
    assert graph.accounts["first_day"][0] == 2.0


def test_usage_is_ranked_by_plan() -> None:
    graph, norms = graph_of(160), Norms()
    graph.accounts["plan"][:160] = np.repeat([0, 1, -1], [100, 49, 11])
    graph.accounts["counts"][:160, :3] = np.arange(160)[:, None]
    norms.refresh(graph, np.arange(160))
    assert list(norms.tokens) == [0]
    a_day = graph.daily(np.ones(1), *np.zeros((2, 1)))[0]
    assert norms.tokens[0] == pytest.approx(2.0 * a_day * np.arange(100))
    assert norms.busy == pytest.approx(143.1 * a_day)
    again = Norms()
    again.load(norms.state())
    assert again.state()[3:] == norms.state()[3:]


def test_kinds_of_elicitation_fade() -> None:
    graph = graph_of(1)
    seen(graph, [1, 1, 1], 5 * PERIOD)
    seen(graph, [1, 1, 1], 6 * PERIOD)
    assert np.allclose(graph.accounts["elicitations"][0], [0, 1.5, 0, 0])
