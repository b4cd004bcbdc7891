"""Lockstep: repeated co-action is found, popularity and a shared rhythm are not."""

import numpy as np
import pytest

from detectors.errors import StateError, StateVersionError
from tests.benchmarks.detection.parts.candidates.synchrony import Lockstep

TICK_MS = 900_000
TICKS = 96
Actions = tuple[np.ndarray, np.ndarray, np.ndarray]


def crowd(accounts: int = 300, actions: int = 8_000, targets: int = 40, seed: int = 1) -> Actions:
    """Return independent people on popular targets, busier in the second half of the day; times sorted."""
    rng = np.random.default_rng(seed)
    time = np.sort((rng.beta(3, 2, actions) * TICKS * TICK_MS).astype(np.int64))
    target = rng.zipf(1.5, actions).clip(max=targets).astype(np.uint64)
    return time, rng.integers(0, accounts, actions), target


def ring(members: int, meetings: int, first: int = 1_000, spread_ms: int = 5_000, seed: int = 2) -> Actions:
    """Return accounts that meet again and again on the crowd's targets within `spread_ms`."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, TICKS * TICK_MS - spread_ms, meetings)
    time = start[:, None] + rng.integers(0, spread_ms, (meetings, members))
    account = np.broadcast_to(first + np.arange(members), time.shape)
    target = np.broadcast_to(rng.integers(1, 40, meetings)[:, None], time.shape)
    return time.ravel(), account.ravel(), target.ravel().astype(np.uint64)


def run(subject: Lockstep, *parts: Actions, ticks: range = range(TICKS)) -> int:
    """Feed the actions tick by tick; return the end of the last tick."""
    time, account, target = (np.concatenate(column) for column in zip(*parts, strict=True))
    for tick in ticks:
        now = time // TICK_MS == tick
        subject.update((tick + 1) * TICK_MS, time[now], account[now], target[now])
    return ticks[-1] * TICK_MS + TICK_MS


def plain(window_ms: int, time: np.ndarray, account: np.ndarray, target: np.ndarray) -> dict[tuple[int, int], int]:
    """Count co-actions pair by pair."""
    counts: dict[tuple[int, int], int] = {}
    for i in range(len(time)):
        for j in range(len(time)):
            if account[i] < account[j] and target[i] == target[j] and abs(time[i] - time[j]) <= window_ms:
                pair = (int(account[i]), int(account[j]))
                counts[pair] = counts.get(pair, 0) + 1
    return counts


def test_co_actions_are_counted_exactly_across_ticks() -> None:
    rng = np.random.default_rng(5)
    time = np.sort(rng.permutation(40)[:30]) * 60_000  # one action of an account per slot and target
    account, target = rng.integers(0, 6, 30), rng.integers(0, 2, 30).astype(np.uint64)
    subject = Lockstep(60_000, float("inf"))
    for start in range(0, len(time), 4):
        part = slice(start, start + 4)
        subject.update(int(time[part][-1]) + 1, time[part], account[part], target[part])
    pairs = subject.pairs(40 * 60_000, 0.0)
    found = dict(zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True), pairs.actions, strict=True))
    assert found == plain(60_000, time, account, target)


def test_a_ring_in_a_crowd_is_the_only_group() -> None:
    subject = Lockstep()
    groups = subject.groups(run(subject, crowd(), ring(8, 12)))
    assert [group.tolist() for group in groups] == [list(range(1_000, 1_008))]


def test_a_crowd_alone_has_no_group() -> None:
    for seed in range(4):
        subject = Lockstep(60_000)
        end = run(subject, crowd(seed=seed))
        assert subject.groups(end) == []
        real, chance = subject.chance(end, 1.0)
        assert real > 200
        assert real == pytest.approx(chance, rel=0.15)


def test_repetition_by_one_account_makes_no_pair_stronger() -> None:
    once, often = Lockstep(60_000, float("inf")), Lockstep(60_000, float("inf"))
    times, targets = np.array([0, 30_000]), np.array([9, 9], np.uint64)
    once.update(TICK_MS, times, np.array([1, 2]), targets)
    often.update(TICK_MS, np.repeat(times, 50), np.repeat([1, 2], 50), np.repeat(targets, 50))
    assert once.pairs(TICK_MS, 0.0).actions.tolist() == often.pairs(TICK_MS, 0.0).actions.tolist() == [1.0]


def test_similarity_is_jaccard() -> None:
    subject = Lockstep(1_000, float("inf"))
    time, account = np.array([0, 0, 10_000, 10_000, 20_000]), np.array([1, 2, 1, 2, 2])
    subject.update(TICK_MS, time, account, np.array([1, 1, 2, 2, 3], np.uint64))
    pairs = subject.pairs(TICK_MS)
    assert (pairs.actions.tolist(), pairs.similarity.tolist()) == ([2.0], [pytest.approx(2 / 3)])


def test_old_co_actions_fade() -> None:
    subject = Lockstep(1_000, half_life_ms=TICK_MS)
    subject.update(0, np.zeros(2, int), np.array([1, 2]), np.zeros(2, np.uint64))
    assert subject.pairs(TICK_MS, 0.0).actions.tolist() == [0.5]


def test_work_and_memory_are_bounded() -> None:
    subject = Lockstep(60_000, neighbours=4, max_pairs=300)
    flash = (np.arange(2_000), np.arange(2_000), np.zeros(2_000, np.uint64))
    subject.update(TICK_MS, *flash)
    assert len(subject.pairs(TICK_MS, 0.0).first) <= 300
    subject.update(100 * TICK_MS, *(column[:0] for column in flash))
    assert len(subject.state()["time"]) == 0


def test_a_restored_model_goes_on_as_if_nothing_had_happened() -> None:
    whole, first, second = Lockstep(), Lockstep(), Lockstep(seed=9)
    parts = crowd(), ring(8, 12)
    end = run(whole, *parts)
    run(first, *parts, ticks=range(50))
    second.load_state(first.state())
    run(second, *parts, ticks=range(50, TICKS))
    one, other = whole.pairs(end), second.pairs(end)
    for name in ("first", "second", "actions", "similarity", "nats"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


def test_wrong_use_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Lockstep(0)
    subject = Lockstep()
    with pytest.raises(StateError):
        Lockstep(5_000).load_state(subject.state())
    settings = subject.state()["settings"]
    settings[0] = 99
    with pytest.raises(StateVersionError):
        subject.load_state({**subject.state(), "settings": settings})


def test_nothing_seen_is_nothing_found() -> None:
    subject = Lockstep()
    assert subject.groups(0) == []
    assert len(subject.pairs(0).first) == 0


def test_a_ring_does_not_hide_in_its_own_null() -> None:
    alone = Lockstep(shifts=8)
    end = run(alone, ring(30, 10))
    real, chance = alone.chance(end, 5.0)
    assert real == 30 * 29 / 2
    assert chance == 0.0
