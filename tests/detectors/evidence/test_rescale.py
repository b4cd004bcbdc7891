"""Re-weighed totals of honest groups keep the tail of the plain ones."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from detectors.evidence.fusion import NAMES, Fusion, Judgement
from detectors.evidence.rescale import ENOUGH, KEPT, HonestNats

FAMILIES = len(NAMES)


def groups(count: int, seed: int) -> np.ndarray:
    """Nats of honest groups, (count, F): most against, some for; the first family speaks against most of them."""
    nats = np.random.default_rng(seed).exponential(0.8, (count, FAMILIES)) - 1.2
    nats[:, 0] -= 4.0
    return nats


def held(count: int = 500, seed: int = 0) -> HonestNats:
    honest = HonestNats()
    for row in groups(count, seed):
        honest.add(row, 0.0)
    return honest


@pytest.mark.parametrize("seed", range(3))
def test_as_many_honest_groups_pass_a_threshold_as_before(seed: int) -> None:
    multipliers = np.random.default_rng(seed).uniform(0.5, 1.5, FAMILIES)
    multipliers[0] = 0.5
    factor, shift = held(seed=seed).line(multipliers)
    fresh = groups(20_000, seed + 100)
    plain, weighed = fresh.sum(1), factor * (fresh @ multipliers) + shift
    for share in (0.9, 0.99, 0.999):
        threshold = np.quantile(plain, share)
        assert (weighed > threshold).mean() == pytest.approx(1 - share, rel=0.6)
    assert (fresh @ multipliers > np.quantile(plain, 0.99)).mean() > 0.02  # so many pass where the line is left out


def test_multipliers_of_one_change_nothing() -> None:
    factor, shift = held().line(np.ones(FAMILIES))
    assert factor == pytest.approx(1.0)
    assert shift == pytest.approx(0.0, abs=1e-9)


def judgement(nats: np.ndarray) -> Judgement:
    zero = np.zeros((FAMILIES, len(nats)))
    total = nats.sum(1)
    return Judgement(zero, nats.T, total, nats.T, total, total, total > 0)


def test_nothing_is_reweighed_before_enough_honest_groups_voted_nor_without_verdicts() -> None:
    fusion, multipliers = Fusion(), np.linspace(0.5, 1.5, FAMILIES)
    judged = judgement(groups(ENOUGH, 1))
    for number in range(ENOUGH - 1):
        fusion.vote(judged, number, 0.0)
    fusion.reweigh(multipliers)
    assert (fusion.factors == 1.0).all()
    fusion.vote(judged, ENOUGH - 1, 0.0)
    fusion.reweigh(multipliers)
    assert fusion.factors / fusion.scale == pytest.approx(multipliers)
    restored = Fusion()
    restored.load(msgspec.msgpack.decode(msgspec.msgpack.encode(fusion.state())))
    assert restored.factors.tolist() == fusion.factors.tolist()
    assert (restored.scale, restored.shift) == (fusion.scale, fusion.shift)
    fusion.reweigh(np.ones(FAMILIES))
    assert (fusion.factors.tolist(), fusion.scale, fusion.shift) == ([1.0] * FAMILIES, 1.0, 0.0)


def test_only_the_latest_are_kept() -> None:
    assert len(held(KEPT + 7)) == KEPT
