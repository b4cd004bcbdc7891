"""Meetings within ten seconds against chance."""

import numpy as np
import pytest

from detectors.slots import SLOTS, masks, meetings

TICK_MS = 900_000


def test_a_slot_is_a_ninetieth_of_a_tick() -> None:
    made = masks(np.array([0, 9_999, 10_000, 899_999, TICK_MS]), TICK_MS)
    assert made.tolist() == [[1, 0], [1, 0], [2, 0], [0, 1 << (SLOTS - 1 - 64)], [1, 0]]


def random_masks(rng: np.random.Generator, accounts: int, active: int) -> np.ndarray:
    made = np.zeros((accounts, 2), np.uint64)
    for row in range(accounts):
        for part in masks(rng.integers(0, TICK_MS, active), TICK_MS):
            made[row] |= part
    return made


def test_independent_accounts_meet_as_often_as_chance_says() -> None:
    rng = np.random.default_rng(1)
    met = chance = 0.0
    for _ in range(200):
        _, one, other = meetings(np.zeros(30, np.int64), np.arange(30), random_masks(rng, 30, 3))
        met, chance = met + one[0], chance + other[0]
    assert met / chance == pytest.approx(1.0, abs=0.05)


def test_a_common_clock_meets_more_and_turns_less() -> None:
    together = np.tile(masks(np.array([50_000]), TICK_MS), (20, 1))
    _, met, chance = meetings(np.zeros(20, np.int64), np.arange(20), together)
    assert (met[0], chance[0]) == (190.0, pytest.approx(190 / SLOTS))
    turns = masks(np.arange(20) * 10_000, TICK_MS)
    _, met, chance = meetings(np.zeros(20, np.int64), np.arange(20), turns)
    assert (met[0], chance[0]) == (0.0, pytest.approx(190 / SLOTS))


def test_rows_of_one_account_are_one_and_groups_are_apart() -> None:
    slots = masks(np.array([0, 5, 0, 0]), TICK_MS)
    group, met, _ = meetings(np.array([3, 3, 3, 7]), np.array([1, 1, 2, 3]), slots)
    assert group.tolist() == [3, 7]
    assert met.tolist() == [1.0, 0.0]


def test_meetings_as_counted_pair_by_pair() -> None:
    rng = np.random.default_rng(2)
    group, account, slots = rng.integers(0, 3, 60) * 7, rng.integers(0, 12, 60), random_masks(rng, 60, 4)
    found, met, chance = meetings(group, account, slots)
    for place, number in enumerate(np.unique(group).tolist()):
        masked = {one: np.bitwise_or.reduce(slots[(group == number) & (account == one)]) for one in range(12)}
        bits = [int(low) | int(high) << 64 for low, high in masked.values()]
        pairs = [(one, other) for at, one in enumerate(bits) for other in bits[:at]]
        assert (found[place], met[place]) == (number, sum((one & other).bit_count() for one, other in pairs))
        by_chance = sum(one.bit_count() * other.bit_count() for one, other in pairs) / SLOTS
        assert chance[place] == pytest.approx(by_chance)
