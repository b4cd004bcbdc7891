"""The honest world beside the published figures it was made after."""

from __future__ import annotations

import numpy as np
import pytest

from stream.simulate.arrivals import WINDOW_MS, scattered, window_counts
from stream.simulate.figures import HONEST_CARD_FANOUT, Quantiles, spread
from stream.simulate.lookalikes import LOOKALIKES, lookalike
from stream.simulate.networks import Networks, shared
from stream.simulate.pools import POOLS
from stream.simulate.tenants import tenants
from stream.simulate.world import World
from tests.benchmarks.detection import shapes
from tests.benchmarks.detection.honest_world import CLIENTS, PER_SECOND, mean

POOL = {pool.name: pool for pool in POOLS}
# ServeGen: a week of `m-large` and `m-mid` (../shared/data), and what is published of `m-small`
SERVEGEN = {
    "m-large": {
        "Gini of requests": 0.833, "top-1 share": 0.169, "top-10 share": 0.696, "CV per window, q25": 0.931,
        "CV per window, q50": 1.15, "CV per window, q75": 2.10, "CV per window, q95": 9.52,
        "near-periodic windows (CV < 0.5)": 0.0723, "flat 24/7 of the always active": 0.242,
        "pairs moving together (r > 0.5)": 3 / 1128,
    },
    "m-mid": {
        "Gini of requests": 0.856, "top-1 share": 0.464, "top-10 share": 0.766, "CV per window, q25": 1.02,
        "CV per window, q50": 1.29, "CV per window, q75": 2.57, "CV per window, q95": 9.67,
        "flat 24/7 of the always active": 0.213, "pairs moving together (r > 0.5)": 459 / 1225,
    },
    "m-small": {
        "Gini of requests": 0.84, "top-1 share": 0.30, "top-10 share": 0.93, "CV per window, q25": 1.06,
        "CV per window, q50": 1.21, "CV per window, q75": 2.49, "CV per window, q95": 9.2,
        "flat 24/7 of the always active": 0.41, "pairs moving together (r > 0.5)": 131 / 253,
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=SERVEGEN)
def pool(request: pytest.FixtureRequest) -> tuple[str, shapes.Figures]:
    name = request.param
    runs = [shapes.simulated(POOL[name], CLIENTS[name], PER_SECOND, seed) for seed in (1, 2)]
    return name, mean(map(shapes.pool_figures, runs))


def test_tenants_are_as_uneven_bursty_flat_and_synchronised_as_servegen(pool: tuple[str, shapes.Figures]) -> None:
    name, figures = pool
    assert {k: figures[k] for k in SERVEGEN[name]} == pytest.approx(SERVEGEN[name], rel=0.2)


@pytest.mark.parametrize("n", [60, 400, 1600])
def test_the_heavy_tail_is_there_whatever_the_number_of_tenants(n: int) -> None:
    world = World(4, 0.005, 2)
    counts = []
    for population in tenants(world, Networks(world, world.rng("networks")), n, 200_000):
        world.populations.append(population)
    rows = np.concatenate([r["account"] for r in world.slices()])
    counts = np.sort(np.bincount(rows, minlength=len(world.accounts)))
    assert len(rows) == pytest.approx(200_000, rel=0.35)
    assert 0.78 < shapes.gini(counts) < 0.95
    assert counts[-1] / counts.sum() > 0.05
    assert counts[-max(n // 20, 3) :].sum() / counts.sum() > 0.5


def test_lengths_of_tenants_are_as_uniform_as_servegen() -> None:
    figures = mean(shapes.simulated_lengths(POOL["m-large"], 135, seed) for seed in (1, 2))
    assert figures["uniform input length"] == pytest.approx(0.211, rel=0.2)
    assert figures["output / input, q50"] == pytest.approx(0.083, rel=0.3)
    assert 0.05 < figures["one single output length"] < 0.22


def test_small_users_come_and_ask_as_published() -> None:
    published = {
        "requests of a user, q50": 2, "requests of a user, q90": 11, "requests of a user, q99": 65,
        "CV of a user's gaps, q25": 2.8, "CV of a user's gaps, q50": 4.3, "CV of a user's gaps, q75": 5.3,
        "turns of a session, mean": 1.78, "sessions of one turn": 0.588, "turns of a session, q99": 8,
        "gap in a session, s, q10": 15, "gap in a session, s, q50": 40, "gap in a session, s, q90": 301,
        "inputs that occur again word by word": 0.166, "busiest local hour / mean": 1.64,
    }  # fmt: skip
    figures = mean(shapes.users(9000, seed) for seed in (1, 2, 3))
    assert {k: figures[k] for k in published} == pytest.approx(published, rel=0.2)
    assert figures["quietest local hour / mean"] < 0.12
    assert figures["requests on the new model, day 1"] < figures["requests on the new model, day 7"] < 0.62


@pytest.mark.parametrize("cv", [0.3, 1.0, 3.0])
def test_gaps_of_a_window_vary_as_told(cv: float) -> None:
    rng = np.random.default_rng(3)
    windows = np.arange(300) * WINDOW_MS
    counts = np.full(300, 200)
    times = scattered(rng, windows, counts, np.full(300, cv))
    assert (times // WINDOW_MS == np.repeat(np.arange(300), 200)).all()
    cvs = shapes.variation(times // WINDOW_MS, times, 20)
    assert len(cvs) == 300
    assert np.median(cvs) == pytest.approx(cv, rel=0.12)


def test_counts_keep_their_mean_and_burst_where_few_are_due() -> None:
    rng = np.random.default_rng(4)
    expected = np.full(200_000, 0.2)
    spreads = []
    for cv in (0.3, 1.0, 3.0):
        counts = window_counts(rng, expected, np.full(len(expected), cv))
        assert counts.mean() == pytest.approx(0.2, rel=0.05)
        spreads.append(counts.var())
    assert spreads[0] < spreads[1] < spreads[2] / 4


def test_a_spread_gives_small_groups_their_share() -> None:
    level = spread(np.random.default_rng(2), 20)
    assert (np.sort((level * 20).astype(int)) == np.arange(20)).all()


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
