"""Re-weighed totals of honest groups keep the tail of the plain ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import msgspec
import numpy as np
import pytest

from detectors.evidence.fusion import NAMES, Fusion, Judgement, bounded
from detectors.evidence.rescale import ENOUGH, KEPT, HonestNats, line
from detectors.linking.members import Groups

FAMILIES = len(NAMES)


def groups(count: int, seed: int) -> np.ndarray:
    """Nats of honest groups, (count, F): most against, some for; the first family speaks against most of them."""
    nats = np.random.default_rng(seed).exponential(0.8, (count, FAMILIES)) - 1.2
    nats[:, 0] -= 4.0
    return nats


def held(count: int = 500, seed: int = 0) -> HonestNats:
    honest = HonestNats()
    for row in groups(count, seed):
        honest.add(row)
    return honest


def held_line(multipliers: np.ndarray, seed: int = 0) -> tuple[float, float]:
    raw = held(seed=seed).raw
    return line(bounded(raw).sum(0), bounded(multipliers[:, None] * raw).sum(0))


def passing(seed: int) -> tuple[list[float], float]:
    """Return how many more honest groups pass three thresholds once re-weighed, and how many without the line."""
    multipliers = np.random.default_rng(seed).uniform(0.5, 1.5, FAMILIES)
    multipliers[0] = 0.5
    factor, shift = held_line(multipliers, seed)
    fresh = groups(20_000, seed + 100).T
    plain, bare = bounded(fresh).sum(0), bounded(multipliers[:, None] * fresh).sum(0)
    shares = (0.9, 0.99, 0.999)
    beyond = [float((factor * bare + shift > np.quantile(plain, share)).mean() / (1 - share)) for share in shares]
    return beyond, float((bare > np.quantile(plain, 0.99)).mean() / 0.01)


def test_as_many_honest_groups_pass_a_threshold_as_before() -> None:
    beyond, bare = zip(*map(passing, range(10)), strict=True)
    assert np.mean(beyond, 0) == pytest.approx(1.0, rel=0.4)
    assert np.max(beyond) < 4.0
    assert min(bare) > 2.0  # so many pass where the line is left out


def test_multipliers_of_one_change_nothing() -> None:
    factor, shift = held_line(np.ones(FAMILIES))
    assert factor == pytest.approx(1.0)
    assert shift == pytest.approx(0.0, abs=1e-9)


def judgement(nats: np.ndarray) -> Judgement:
    zero = np.zeros((FAMILIES, len(nats)))
    total = bounded(nats.T).sum(0)
    return Judgement(zero, nats.T, total, bounded(nats.T), total, total, total > 0)


def test_nothing_is_reweighed_before_enough_honest_groups_voted_nor_without_verdicts() -> None:
    fusion, multipliers = Fusion(), np.linspace(0.5, 1.5, FAMILIES)
    judged = judgement(groups(ENOUGH, 1))
    alike = cast("Groups", SimpleNamespace(kind=np.zeros(ENOUGH, np.int64), size=np.full(ENOUGH, 40.0)))
    for number in range(ENOUGH - 1):
        fusion.vote(judged, alike, number, 0.0)
    fusion.reweigh(multipliers)
    assert (fusion.factors == 1.0).all()
    fusion.vote(judged, alike, ENOUGH - 1, 0.0)
    fusion.reweigh(multipliers)
    assert fusion.factors.tolist() == multipliers.tolist()
    raw = groups(50, 2).T
    bare = bounded(multipliers[:, None] * raw).sum(0)
    assert fusion.weighed(raw).sum(0) + fusion.shift == pytest.approx(fusion.scale * bare + fusion.shift)
    assert fusion.weighed(raw[:, 0]) == pytest.approx(fusion.weighed(raw)[:, 0])
    assert np.abs(bare - bounded(raw).sum(0)).max() > 0.1
    restored = Fusion()
    restored.load(msgspec.msgpack.decode(msgspec.msgpack.encode(fusion.state())))
    assert restored.factors.tolist() == fusion.factors.tolist()
    assert (restored.scale, restored.shift) == (fusion.scale, fusion.shift)
    fusion.reweigh(np.ones(FAMILIES))
    assert (fusion.factors.tolist(), fusion.scale, fusion.shift) == ([1.0] * FAMILIES, 1.0, 0.0)


def test_only_the_latest_are_kept() -> None:
    assert len(held(KEPT + 7)) == KEPT
