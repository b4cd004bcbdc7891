"""Live and frozen models: a campaign does not become the normal, an honest change does after its quarantine."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from detectors.features import NAMES
from detectors.linking.graph import DAY_MS, HOUR_MS
from detectors.models.half_space_trees import HalfSpaceTrees
from detectors.models.quarantine import DAYS, PER_DAY, SIZE, Quarantine
from detectors.models.twin import HEIGHT, TREES, VOTES, WINDOW, Twin

START_MS = 20_000 * DAY_MS
HONEST = 300


def auc(honest: NDArray, odd: NDArray) -> float:
    """Return the chance that an odd one scores above an honest one."""
    rank = rankdata(np.concatenate([honest, odd]))
    pairs = len(honest) * len(odd)
    return float((rank[len(honest) :].sum() - len(odd) * (len(odd) + 1) / 2) / pairs)


class World:
    """Honest accounts with habits of their own; from day `begin` on others that all do one thing, `share` of all."""

    def __init__(self, seed: int, share: float, begin: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.others = round(HONEST * share / (1.0 - share))
        self.begin = begin
        self.habits = rng.beta(2, 5, (HONEST, len(NAMES)))
        self.work = rng.beta(2, 5, len(NAMES))
        self.work[[6, 9, 10, 11]], self.work[[0, 1]] = 0.9, 0.65

    def hour(self, number: int) -> tuple[NDArray, NDArray]:
        """Return the accounts active in an hour and their features; accounts from `HONEST` on are the others."""
        size = HONEST + self.others
        active = self.rng.random(size) < 0.4
        active[HONEST:] &= number >= 24 * self.begin
        rows = self.rng.permutation(np.flatnonzero(active))
        centre = np.concatenate([self.habits, np.tile(self.work, (self.others, 1))])[rows]
        return rows, np.clip(centre + 0.05 * self.rng.normal(size=centre.shape), 0.0, 1.0)


def lived(
    twin: Twin, world: World, days: int, accused: bool = False, cluster: int = -1
) -> tuple[list[float], list[float], list[float]]:
    """Return each day's AUC of the others, under an unprotected model, `live` and `ref`."""
    naive = HalfSpaceTrees(NAMES, TREES, HEIGHT, WINDOW, seed=1)
    curves: tuple[list[float], list[float], list[float]] = ([], [], [])
    for hour in range(24 * days):
        now = START_MS + hour * HOUR_MS
        twin.turn(now, False, lambda rows: (rows >= HONEST) & accused)
        rows, features = world.hour(hour)
        raw, rank = twin.score(features)
        others = rows >= HONEST
        if hour % 24 == 23 and others.any():
            for curve, scores in zip(curves, (naive.score_many(features), *raw), strict=True):
                curve.append(auc(scores[~others], scores[others]))
        naive.learn_many(features)
        taught = ~others | (not accused)
        own = np.where(others, cluster, -1)[taught]
        chance = world.rng.random((3, int(taught.sum())))
        twin.learn(rows[taught], features[taught], raw[:, taught], rank[:, taught], own, chance, now)
    return curves


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_fifth_of_a_peer_group_for_eight_days_does_not_become_the_normal(seed: int) -> None:
    twin = Twin(seed)
    naive, live, ref = lived(twin, World(seed, 0.2, begin=4), 12)
    assert np.mean(naive) < 0.8
    assert min(live) > 0.99
    assert min(ref) > 0.99
    assert twin.promotions == 1
    assert twin.drift_share > 0.15


def test_an_accused_campaign_is_never_learned_not_even_from_quarantine() -> None:
    twin = Twin(1)
    _, live, ref = lived(twin, World(1, 0.2, begin=2), 20, accused=True)
    assert min(live) > 0.99
    assert min(ref) > 0.99


def test_ref_follows_after_a_week_of_agreement_and_not_while_held() -> None:
    free, held = Twin(0), Twin(0)
    for twin, hold in ((free, False), (held, True)):
        world = World(0, 0.0, begin=99)
        for hour in range(24 * 10):
            now = START_MS + hour * HOUR_MS
            twin.turn(now, hold, lambda rows: np.zeros(len(rows), bool))
            rows, features = world.hour(hour)
            raw, rank = twin.score(features)
            chance = world.rng.random((3, len(rows)))
            twin.learn(rows, features, raw, rank, np.full(len(rows), -1), chance, now)
    assert (free.promotions, free.settled) == (2, True)
    assert (held.promotions, held.settled) == (1, False)
    assert free.drift_share < 0.05


MOVED, FOUR_WEEKS = 3, 28


class Moved(World):
    """Everybody's habits move on day `MOVED`, so what was frozen before agrees no more; others begin then too."""

    def hour(self, number: int) -> tuple[NDArray, NDArray]:
        if number == 24 * MOVED:
            self.habits = np.clip(self.habits + 0.1, 0.0, 1.0)
        return super().hour(number)


def moved(accused_from: int, held: range = range(0)) -> tuple[list[int], tuple[float, float]]:
    """Return on which days `ref` was replaced, and the AUC of the others under `live` and `ref` after that.

    The others vote until they are accused.
    """
    twin, world, promoted = Twin(0), Moved(0, 0.2, MOVED), []
    for hour in range(24 * (FOUR_WEEKS + 4)):
        now, before, day = START_MS + hour * HOUR_MS, twin.promotions, hour // 24
        twin.turn(now, day in held, lambda rows, day=day: (rows >= HONEST) & (day >= accused_from))
        promoted += [day] * (twin.promotions - before)
        rows, features = world.hour(hour)
        raw, rank = twin.score(features)
        taught = (rows < HONEST) | (day < accused_from)
        nobody, chance = np.full(int(taught.sum()), -1), world.rng.random((3, int(taught.sum())))
        twin.learn(rows[taught], features[taught], raw[:, taught], rank[:, taught], nobody, chance, now)
    return promoted, tuple(auc(scores[rows < HONEST], scores[rows >= HONEST]) for scores in raw)


@pytest.fixture(scope="module")
def forgiven() -> tuple[list[int], tuple[float, float]]:
    return moved(accused_from=99)


def test_ref_that_never_agrees_again_is_replaced_after_four_weeks(forgiven: tuple) -> None:
    assert forgiven[0] == [1, 1 + FOUR_WEEKS]


def test_nor_then_while_references_are_held() -> None:
    assert moved(99, held=range(MOVED, FOUR_WEEKS + 3))[0] == [1, FOUR_WEEKS + 3]


def test_who_is_accused_within_the_four_weeks_does_not_become_the_normal(forgiven: tuple) -> None:
    promoted, others = moved(accused_from=14)
    assert promoted == [1, 1 + FOUR_WEEKS]
    assert min(others) > 0.99
    assert forgiven[1][0] < 0.5, "who is not becomes it, or nothing is shown here"


def test_what_waits_in_quarantine_is_learned_unless_it_was_accused_meanwhile() -> None:
    twin, rows = Twin(0), np.random.default_rng(0).random((10, len(NAMES)))
    twin.turn(START_MS, False, lambda who: who < 4)
    twin.quarantine.add(np.arange(10), rows, np.zeros(10), START_MS)
    twin.turn(START_MS + (DAYS - 1) * DAY_MS, False, lambda who: who < 4)
    assert twin.live.counter == 0
    twin.turn(START_MS + DAYS * DAY_MS, False, lambda who: who < 4)
    assert twin.live.counter == 6


def test_one_cluster_fills_no_more_than_its_share_of_a_window() -> None:
    twin, rng = Twin(3), np.random.default_rng(3)
    rows = rng.random((600, len(NAMES)))
    cluster = np.where(np.arange(600) % 2, 5, -1)
    nothing, unranked = np.zeros((2, 600)), np.ones((2, 600))
    twin.learn(np.arange(600), rows, nothing, unranked, cluster, rng.random((3, 600)), START_MS)
    assert twin.live.counter == 300 + VOTES


def test_quarantine_gives_back_what_nobody_accused_after_two_weeks() -> None:
    quarantine = Quarantine(2)
    accounts, rows = np.arange(10), np.arange(20.0).reshape(10, 2)
    quarantine.add(accounts, rows, np.zeros(10), START_MS)
    assert not len(quarantine.release(START_MS + DAYS * DAY_MS - 1, lambda who: who < 0))
    cleared = quarantine.release(START_MS + DAYS * DAY_MS, lambda who: who < 4)
    assert cleared.tolist() == rows[4:].tolist()
    assert not len(quarantine)


def test_quarantine_gives_most_of_an_even_flow_back() -> None:
    quarantine, rng, released = Quarantine(2), np.random.default_rng(0), 0
    for hour in range(24 * 40):
        now = START_MS + hour * HOUR_MS
        released += len(quarantine.release(now, lambda rows: rows < 0)) if hour % 24 == 0 else 0
        quarantine.add(np.arange(100), np.zeros((100, 2)), rng.random(100), now)
    assert released > 0.8 * (40 - DAYS) * PER_DAY


def test_quarantine_is_bounded_whatever_comes() -> None:
    quarantine, rng = Quarantine(2), np.random.default_rng(0)
    for hour in range(24 * 20):
        quarantine.add(np.arange(500), np.zeros((500, 2)), rng.random(500), START_MS + hour * HOUR_MS)
    assert SIZE // 2 <= len(quarantine) <= SIZE
    assert START_MS + 24 * 20 * HOUR_MS - int(quarantine._since[0]) > 12 * DAY_MS


def test_state_round_trip_in_the_middle() -> None:
    one, world = Twin(4), World(4, 0.1, begin=1)
    lived(one, world, 4)
    other = Twin(4)
    other.load(one.state())
    assert other.state() == one.state()
    ends = []
    for twin in (one, other):
        again = World(5, 0.1, begin=0)
        ends.append(lived(twin, again, 2))
    assert ends[0] == ends[1]
    assert one.state() == other.state()
