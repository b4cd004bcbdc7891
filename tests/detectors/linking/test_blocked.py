"""What turned an account away, and what became of it."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.linking.blocked import drops, note_failures
from detectors.linking.graph import Graph
from detectors.linking.updates import note_update

DAY_MS = 86_400_000


def fail(graph: Graph, name: int, failed: float, end_ms: int = 100 * DAY_MS) -> None:
    columns = {
        "mix_account": np.array([0, 0]),
        "mix_kind": np.array([0, 0]),
        "mix_name": np.array([name, 9]),
        "mix_failed": np.array([failed, 0.0]),
    }
    note_failures(graph.accounts, np.array([0]), columns, end_ms)
    note_update(graph.accounts, np.array([0]), end_ms)


def blocked(graph: Graph) -> tuple[int, float, float]:
    name, failures, drop = drops(graph.accounts, np.array([0]), 0)
    return int(name[0]), float(failures[0]), float(drop[0])


@pytest.fixture
def graph() -> Graph:
    made = Graph(14.0, 1_000)
    made.accounts.extend(1)
    made.accounts["models"][0, [3, 4]] = [30.0, 10.0]
    return made


def test_the_share_is_that_of_the_time_of_the_failures(graph: Graph) -> None:
    fail(graph, 3, 2.0)
    assert blocked(graph) == (3, 2.0, pytest.approx(0.0))
    graph.accounts["models"][0, [3, 4]] = [1.0, 9.0]
    assert blocked(graph) == (3, 2.0, pytest.approx(0.65))


def test_the_name_with_most_failures_stays(graph: Graph) -> None:
    fail(graph, 3, 5.0)
    fail(graph, 4, 2.0)
    assert blocked(graph)[:2] == (3, pytest.approx(3.0))
    fail(graph, 4, 4.0)
    assert blocked(graph) == (4, pytest.approx(1.0), pytest.approx(0.0))


def test_failures_fade(graph: Graph) -> None:
    fail(graph, 3, 4.0)
    fail(graph, 3, 1.0, 114 * DAY_MS)
    assert blocked(graph)[:2] == (3, pytest.approx(3.0))


def test_failures_fade_no_faster_when_the_requests_come_late(graph: Graph) -> None:
    fail(graph, 3, 4.0)
    graph.accounts["last"][0] = 86 * DAY_MS
    fail(graph, 3, 1.0)
    assert blocked(graph)[:2] == (3, pytest.approx(5.0))


def test_an_account_that_never_failed_lost_nothing(graph: Graph) -> None:
    assert blocked(graph)[1:] == (0.0, 0.0)
