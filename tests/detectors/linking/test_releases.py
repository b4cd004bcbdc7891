"""What a release is, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.releases import Releases

START = 100 * DAY_MS
OLD, NEW = 0, 1


def used(releases: Releases, model: int, time: int) -> None:
    releases.see({"mix_kind": np.array([0, 1]), "mix_name": np.array([model, 7])}, time)


def world(adopters: int, share: float = 0.3, first: int = START) -> Graph:
    graph = Graph(14.0, 1_000)
    rows = graph.accounts.extend(1_000)
    graph.accounts["first"][rows], graph.accounts["last"][rows] = first, START + 5 * DAY_MS
    graph.accounts["models"][rows, OLD] = 1.0
    graph.accounts["models"][rows[:adopters], :2] = [1.0 - share, share]
    return graph


def released(graph: Graph, first_seen: int, now: int) -> Releases:
    releases = Releases()
    used(releases, OLD, START)
    used(releases, NEW, first_seen)
    used(releases, OLD, now)
    releases.refresh(graph, np.arange(1_000))
    return releases


def test_a_name_that_many_take_up_is_a_release() -> None:
    releases = released(world(100), START + 3 * DAY_MS, START + 4 * DAY_MS)
    assert (releases.model, releases.time) == (NEW, START + 3 * DAY_MS)
    assert releases.adoption == pytest.approx(0.03)
    again = Releases()
    again.load(releases.state())
    assert again.state() == releases.state()


def test_a_number_that_stands_for_another_model_is_new() -> None:
    releases = Releases()
    for model in (OLD, NEW):
        used(releases, model, START)
    releases.forget([NEW])
    used(releases, NEW, START + 3 * DAY_MS)
    releases.refresh(world(100), np.arange(1_000))
    assert (releases.model, releases.time) == (NEW, START + 3 * DAY_MS)


@pytest.mark.parametrize(
    ("adopters", "first_seen", "now"),
    [(19, 3, 4), (100, 1, 4), (100, 3, 11)],
    ids=["few use it", "seen while names were still being learned", "long ago"],
)
def test_other_new_names_are_none(adopters: int, first_seen: int, now: int) -> None:
    assert released(world(adopters), START + first_seen * DAY_MS, START + now * DAY_MS).model == -1


def test_newcomers_do_not_count() -> None:
    graph = world(100, first=START + 4 * DAY_MS)
    assert released(graph, START + 3 * DAY_MS, START + 4 * DAY_MS).model == -1
