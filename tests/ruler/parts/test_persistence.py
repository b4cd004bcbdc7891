"""Persistence: a ring on rare values outlasts a chain through half-popular ones of the same size."""

import numpy as np
import pytest

from detectors.linking.graph import Graph, Tick
from detectors.partials import SCHEMA
from tests.benchmarks.detection.parts.candidates.persistence import THETAS, persistence
from tests.detectors.made import TICK_MS, partial

Uses = list[tuple[str, str, int]]


def graph(uses: Uses) -> Graph:
    """Return a graph of `uses`, seen twice, among bystanders who share nothing."""
    subject = Graph(14.0, 10**6)
    for _ in range(2):
        one = partial(1, uses + [(f"zz{n}", "network", 10**6 + n) for n in range(500)])
        subject.update(Tick(2 * TICK_MS, one.accounts, {name: one.column(name) for name in SCHEMA}))
    return subject


def score(subject: Graph, since_ms: int = 0) -> dict[str, float]:
    values = persistence(subject, np.zeros(subject.accounts.rows, bool), since_ms)
    return dict(zip(subject.ids, values.tolist(), strict=True))


def pairs(members: int) -> Uses:
    """Return a chain in which each neighbouring pair shares a card and a device that nobody else has."""
    return [
        (f"ring{n + side}", family, 10_000 + n)
        for n in range(members - 1)
        for side in (0, 1)
        for family in ("payment", "device")
    ]


def popular(members: int) -> Uses:
    """Return as many accounts on one network and one prompt."""
    return [(f"crowd{n}", family, 77) for n in range(members) for family in ("network", "template")]


def test_rare_ties_outlast_popular_ones() -> None:
    found = score(graph(pairs(25) + popular(25)))
    assert found["ring7"] == pytest.approx(np.log(25))
    assert 0 <= found["crowd7"] < 0.5 * found["ring7"]
    assert found["zz3"] == 0.0


def test_the_mean_is_over_thresholds() -> None:
    subject = graph(popular(25))
    everyone = np.zeros(subject.accounts.rows, bool)
    each = [persistence(subject, everyone, 0, (theta,)) for theta in THETAS]
    assert persistence(subject, everyone, 0) == pytest.approx(np.mean(each, axis=0))
    assert max(map(max, each)) == pytest.approx(np.log(25))


def test_old_uses_do_not_count() -> None:
    assert set(score(graph(pairs(10)), since_ms=10 * TICK_MS).values()) == {0.0}
