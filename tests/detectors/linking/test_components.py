"""Components need two families, stay small, and leave a verified organisation alone."""

import numpy as np
import pytest

from detectors.linking.components import components
from detectors.linking.graph import Graph, Tick
from detectors.partials import SCHEMA
from tests.detectors.made import TICK_MS, partial

Uses = list[tuple[str, str, int]]


def graph(uses: Uses, bystanders: int = 500, number: int = 1) -> Graph:
    """Return a graph of `uses`, seen twice, in a crowd that shares nothing."""
    subject = Graph(14.0, 10**6)
    crowd = [(f"zz{n}", "network", 10**6 + n) for n in range(bystanders)]
    for _ in range(2):
        one = partial(number, uses + crowd)
        subject.update(Tick((number + 1) * TICK_MS, one.accounts, {name: one.column(name) for name in SCHEMA}))
    return subject


def found(subject: Graph, verified: np.ndarray | None = None, theta: float = 1.0, since_ms: int = 0) -> list[set[str]]:
    everyone = subject.accounts.rows
    label = components(subject, theta, 3, np.zeros(everyone, bool) if verified is None else verified, since_ms)
    assert label.shape == (everyone,)
    groups: dict[int, set[str]] = {}
    for account, number in zip(subject.ids, label.tolist(), strict=True):
        if number >= 0:
            groups.setdefault(number, set()).add(account)
    assert sorted(groups) == list(range(len(groups)))
    return [groups[number] for number in sorted(groups)]


def ring(size: int, families: tuple[str, ...], base: int = 1) -> Uses:
    return [(f"r{base}-{n}", family, base) for n in range(size) for family in families]


def test_two_families_join() -> None:
    assert found(graph(ring(5, ("payment", "device")))) == [{f"r1-{n}" for n in range(5)}]


@pytest.mark.parametrize("family", ["payment", "device", "network", "template"])
def test_one_family_alone_does_not(family: str) -> None:
    assert found(graph(ring(5, (family,)))) == []


def test_two_values_of_one_family_do_not() -> None:
    uses = [(f"r{n}", "network", value) for n in range(5) for value in (1, 2)]
    assert found(graph(uses)) == []


def test_two_families_shared_with_different_people_do_not() -> None:
    uses = [(f"r{n}", "payment", n // 2) for n in range(10)] + [(f"r{n}", "device", 100 + n % 5) for n in range(10)]
    assert found(graph(uses)) == []


def test_two_campaigns_stay_apart_and_small_groups_are_left_out() -> None:
    groups = found(
        graph(
            ring(5, ("payment", "device"), 1) + ring(4, ("network", "template"), 2) + ring(2, ("payment", "device"), 3)
        )
    )
    assert [len(group) for group in groups] == [5, 4]


def test_a_chain_of_pairs_is_one_component() -> None:
    uses = [
        (f"r{n + side}", family, 10 * n + 1) for n in range(5) for side in (0, 1) for family in ("payment", "device")
    ]
    assert found(graph(uses)) == [{f"r{n}" for n in range(6)}]


def test_common_values_do_not_reach_the_threshold() -> None:
    uses = [(f"r{n}", family, 1) for n in range(200) for family in ("payment", "network")]
    assert found(graph(uses, bystanders=300)) == []


def test_a_giant_raises_the_threshold_until_it_falls_apart() -> None:
    close = [(f"r{n}", family, 50 + n // 5) for n in range(100) for family in ("payment", "device")]
    loose = [(f"r{n}", family, 1) for n in range(100) for family in ("network", "template")]
    subject = graph(close + loose, bystanders=60)
    groups = found(subject, theta=0.3)
    assert sorted(len(group) for group in groups) == [5] * 20
    assert len(found(graph(loose, bystanders=2_000), theta=0.3)) == 1


def test_a_verified_organisation_is_left_alone_until_an_outsider_joins() -> None:
    inside = ring(6, ("payment", "device"))
    subject = graph(inside)
    subject.accounts["organization"][[subject.ids.index(f"r1-{n}") for n in range(6)]] = 77
    verified = np.array([account.startswith("r1-") for account in subject.ids])
    assert found(subject, verified) == []
    assert len(found(subject)) == 1
    subject.accounts["organization"][subject.ids.index("r1-0")] = 78
    assert len(found(subject, verified)) == 1


def test_old_uses_do_not_count() -> None:
    subject = graph(ring(5, ("payment", "device")), number=1)
    assert len(found(subject, since_ms=2 * TICK_MS - 1)) == 1
    assert found(subject, since_ms=2 * TICK_MS) == []


def test_an_empty_graph_has_no_components() -> None:
    assert components(Graph(14.0, 10), 1.0, 3, np.zeros(0, bool), 0).tolist() == []
