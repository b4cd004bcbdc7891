"""Cells of like behaviour: the same work falls together, whoever does it and however it is worded."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.linking.behaviour import LARGEST_HOUSE, SHIFTS, cells, crowds
from detectors.linking.graph import Graph
from detectors.partials import CAPABILITIES

RUBRIC, OTHER = CAPABILITIES.index("rubric_grading"), CAPABILITIES.index("other")


@pytest.fixture
def graph() -> Graph:
    return Graph(14.0, 1_000)


def add(graph: Graph, count: int, capability: int, tokens: float, requests: float = 20.0) -> np.ndarray:
    """Add accounts with `tokens` in and out per request, give or take 15 %."""
    rows, rng = graph.accounts.extend(count), np.random.default_rng(count)
    graph.accounts["counts"][rows, 0] = requests
    graph.accounts["counts"][rows, 1:3] = requests * tokens * rng.uniform(0.85, 1.15, (count, 2))
    graph.accounts["capabilities"][rows, capability] = requests
    return rows


def test_accounts_that_do_the_same_share_a_cell_of_one_of_the_grids(graph: Graph) -> None:
    for tokens in np.geomspace(50, 5_000, 12):
        rows = add(graph, 40, RUBRIC, float(tokens))
        share = max(np.unique(cells(graph, rows, shift), return_counts=True)[1].max() for shift in SHIFTS)
        assert share >= 0.9 * len(rows)


def test_other_work_and_other_lengths_are_other_cells(graph: Graph) -> None:
    rubric, vision = add(graph, 30, RUBRIC, 500), add(graph, 30, CAPABILITIES.index("vision"), 500)
    long = add(graph, 30, RUBRIC, 20_000)
    for shift in SHIFTS:
        found = [set(cells(graph, rows, shift).tolist()) for rows in (rubric, vision, long)]
        assert not found[0] & found[1]
        assert not found[0] & found[2]


def test_small_talk_and_the_idle_have_no_cell(graph: Graph) -> None:
    talk, idle = add(graph, 30, OTHER, 500), add(graph, 30, RUBRIC, 500, requests=2.0)
    assert (cells(graph, talk, 0.0) == -1).all()
    assert (cells(graph, idle, 0.0) == -1).all()


def test_a_customer_with_many_keys_is_no_crowd(graph: Graph) -> None:
    rows = add(graph, 30, RUBRIC, 500)
    code = np.full(graph.accounts.rows, 7)
    assert (crowds(graph, code, 20) == 7).all()
    graph.accounts["organization"][rows[: 3 * LARGEST_HOUSE]] = 99
    assert (crowds(graph, code, 20) == -1).all()
