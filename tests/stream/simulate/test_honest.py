"""The honest world beside the published figures it was made after."""

from __future__ import annotations

import numpy as np
import pytest

from stream.simulate.arrivals import WINDOW_MS, renewal_times
from stream.simulate.figures import HONEST_CARD_FANOUT, Quantiles
from stream.simulate.lookalikes import LOOKALIKES, lookalike
from stream.simulate.networks import Networks, shared
from stream.simulate.tenants import Tenants
from stream.simulate.world import World

N = 162


class Traffic:
    """Four days of as many tenants as ServeGen's pool m-large has."""

    def __init__(self, seed: int) -> None:
        world = World(seed, 0.005, 4)
        world.populations.append(Tenants(world, Networks(world, world.rng("networks")), N, 1.2e6))
        rows = np.concatenate([r[["time", "account"]] for r in world.slices()])
        self.window = (rows["time"] - world.start) // WINDOW_MS
        self.time, self.account = rows["time"], rows["account"]
        self.counts = np.zeros((N, 4 * 144))
        np.add.at(self.counts, (self.account, self.window), 1)

    def cvs(self) -> list[float]:
        out = []
        for a in range(N):
            mine = self.account == a
            times, window = self.time[mine], self.window[mine]
            for k in np.flatnonzero(self.counts[a] >= 20):
                gaps = np.diff(times[window == k])
                out.append(gaps.std() / max(gaps.mean(), 1e-9))
        return out


@pytest.fixture(scope="module")
def pool() -> list[Traffic]:
    return [Traffic(seed) for seed in (1, 2, 3)]


def test_volumes_are_as_unequal_as_servegen(pool: list[Traffic]) -> None:
    gini = []
    for t in pool:
        n = np.sort(t.counts.sum(axis=1))
        gini.append((2 * np.arange(1, N + 1) - N - 1) @ n / (N * n.sum()))
    assert np.mean(gini) == pytest.approx(0.83, rel=0.2)


def test_gaps_within_windows_vary_as_servegen(pool: list[Traffic]) -> None:
    cvs = [cv for t in pool for cv in t.cvs()]
    assert np.quantile(cvs, 0.5) == pytest.approx(1.17, rel=0.2)
    assert np.quantile(cvs, 0.25) == pytest.approx(0.95, rel=0.25)
    assert 3 < np.quantile(cvs, 0.95) < 14
    assert 0.02 < np.mean(np.array(cvs) < 0.5) < 0.12, "near-periodic windows"


def test_some_tenants_run_flat_day_and_night_and_half_hardly_ever(pool: list[Traffic]) -> None:
    flat, seldom = [], []
    for t in pool:
        active = (t.counts > 0).mean(axis=1)
        seldom.append((active < 0.07).mean())
        daily = t.counts[active > 0.8].reshape(-1, 4, 24, 6).sum(axis=(1, 3))
        daily /= daily.mean(axis=1, keepdims=True)
        flat += list((daily.min(axis=1) > 0.5) & (daily.max(axis=1) < 1.5))
    assert 0.12 < np.mean(flat) < 0.38
    assert np.mean(seldom) == pytest.approx(0.5, abs=0.12)


def test_tenants_of_one_owner_move_together(pool: list[Traffic]) -> None:
    above = 0
    for t in pool:
        busy = (t.counts > 2).mean(axis=1) > 0.5
        steps = np.corrcoef(np.diff(np.log1p(t.counts[busy]), axis=1))
        above += int((steps[np.triu_indices(len(steps), 1)] > 0.5).sum())
    assert above >= 2


def test_renewal_keeps_rate_and_variation() -> None:
    rng = np.random.default_rng(3)
    windows = np.arange(600) * WINDOW_MS
    for cv in (0.3, 1.0, 4.0):
        times, _ = renewal_times(rng, windows, np.full(600, 100.0), cv, 0.5)
        gaps = np.diff(times)
        assert len(times) == pytest.approx(60_000, rel=0.06)
        assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.06)


def test_renewal_over_pieces_is_renewal_over_the_whole() -> None:
    rng = np.random.default_rng(4)
    owed, total = 0.3, 0
    for k in range(200):
        times, owed = renewal_times(rng, (np.arange(3) + 3 * k) * WINDOW_MS, np.full(3, 0.2), 1.0, owed)
        total += len(times)
    assert total == pytest.approx(120, abs=40)


def test_cards_are_shared_as_published() -> None:
    groups = shared(np.random.default_rng(1), 40_000, HONEST_CARD_FANOUT)
    sizes = np.bincount(groups)[groups]
    assert np.quantile(sizes, 0.5) == 1
    assert 2 <= np.quantile(sizes, 0.75) <= 4
    assert 150 < np.quantile(sizes, 0.90) < 350
    assert sizes.max() <= 500


def test_quantiles_invert_their_table() -> None:
    draws = Quantiles((0, 0.5, 1), (1, 10, 1000)).draw(np.random.default_rng(1), 20_000)
    assert np.median(draws) == pytest.approx(10, rel=0.05)
    assert 1 <= draws.min() <= draws.max() <= 1000


@pytest.mark.parametrize("kind", LOOKALIKES)
def test_lookalike_sends_on_its_own(kind: str) -> None:
    world = World(11, 0.005, 14)
    world.populations.append(lookalike(world, Networks(world, world.rng("networks")), kind, 0))
    rows = np.concatenate(list(world.slices()))
    assert len(np.unique(rows["account"])) >= 0.6 * len(world.accounts) >= 1
    assert len(rows) > 300
    assert set(world.kind) == {kind}
    assert set(world.campaign) == {None}


def test_without_one_kind_the_others_keep_their_traffic() -> None:
    def times(kinds: list[str], of: str) -> list[int]:
        world = World(5, 0.005, 3)
        networks = Networks(world, world.rng("networks"))
        for kind in kinds:
            world.populations.append(lookalike(world, networks, kind, 0))
        rows = np.concatenate(list(world.slices()))
        mine = np.array([k == of for k in world.kind])
        return rows["time"][mine[rows["account"]]].tolist()

    assert times(["ci_review", "synthetic_data"], "synthetic_data") == times(["synthetic_data"], "synthetic_data")


def test_memory_of_a_slice_does_not_depend_on_the_length_of_the_run() -> None:
    def largest(days: float) -> int:
        world = World(5, 0.002, days)
        world.populations.append(lookalike(world, Networks(world, world.rng("networks")), "synthetic_data", 0))
        return max(map(len, world.slices()))

    assert largest(20) < 1.4 * largest(5)
