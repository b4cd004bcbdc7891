"""Accounts that keep doing the same thing at the same moment: lockstep pairs and the groups they form.

After SynchroTrap (Cao et al., CCS 2014): two accounts that act on one target (a template, a content, a rare attribute
value) within a window co-act; repeated co-action links them. What repetition is worth is read off the stream itself:
the same actions with every account delayed by a time of its own give the co-actions that popularity and daily rhythm
produce alone (DETECTION §3.3). A cron fleet is in lockstep too: this proposes groups, other evidence must judge them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from detectors.errors import StateError, StateVersionError
from tests.benchmarks.detection.parts.candidates.coactions import CoActions

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

STATE_VERSION = 1
LONGEST_DELAY = 60
"""Delays of the shifted worlds go up to so many windows: far beyond a co-action."""
APART = 2
"""Accounts whose delays differ by less windows are not told apart by a shift and do not count there."""
_TOLD_APART = (1 - APART / LONGEST_DELAY) ** 2
"""Share of pairs of accounts whose delays, even over the range, differ by more."""
MAX_ACTIONS = 500_000


@dataclass(frozen=True)
class Pairs:
    """Linked pairs of accounts, strongest first.

    Attributes:
        first, second: account numbers, shape (P,), first < second.
        actions: decayed co-actions, shape (P,).
        similarity: co-actions over all actions of either (Jaccard), shape (P,).
        nats: ln of how many pairs act together as often as this one for each pair that does so in the shifted worlds,
            shape (P,); 3.0 means that one such pair in twenty is chance.
    """

    first: IntArray
    second: IntArray
    actions: FloatArray
    similarity: FloatArray
    nats: FloatArray


class Lockstep:
    """Counts co-actions per pair of accounts, in the real stream and in worlds shifted in time.

    Call `update` once per tick, with the tick's actions. Memory is bounded: the actions of the last hour's worth of
    windows, at most half a million, and `max_pairs` pairs per world, of which the weakest are forgotten.

    Args:
        window_ms: greatest distance of two actions that count as one; an account's further actions on the same target
            in the same window-long slot do not count.
        half_life_ms: of the counts.
        shifts: number of shifted worlds.
        neighbours: each action meets at most so many next ones on its target, which bounds the work on a crowd.
        max_pairs: pairs remembered per world.
        seed: of the delays.

    Raises:
        ValueError: a size below 1.
    """

    def __init__(
        self,
        window_ms: int = 10_000,
        half_life_ms: float = 14 * 86_400_000.0,
        shifts: int = 4,
        neighbours: int = 64,
        max_pairs: int = 500_000,
        seed: int = 0,
    ) -> None:
        if min(window_ms, half_life_ms, shifts, neighbours, max_pairs) < 1:
            raise ValueError("window_ms, half_life_ms, shifts, neighbours and max_pairs must be at least 1")
        self.window_ms, self.shifts, self.neighbours = window_ms, shifts, neighbours
        self._seeds = np.random.default_rng(seed).integers(1, 2**63, shifts, np.uint64) | np.uint64(1)
        self._worlds = [CoActions(half_life_ms, max_pairs) for _ in range(1 + shifts)]
        self._alone = CoActions(half_life_ms, max_pairs)
        self._time = np.zeros(0, np.int64)
        self._account = np.zeros(0, np.int64)
        self._target = np.zeros(0, np.uint64)

    def update(self, end_ms: int, time_ms: IntArray, account: IntArray, target: NDArray[np.uint64]) -> None:
        """Take in the actions of one tick, in any order.

        Args:
            end_ms: end of the tick, not below that of the tick before.
            time_ms: when, shape (B,).
            account: account numbers below 2³¹, shape (B,).
            target: 64-bit hash of what was acted on, shape (B,).
        """
        known = len(self._time)
        time = np.concatenate([self._time, np.asarray(time_ms, np.int64)])
        account = np.concatenate([self._account, np.asarray(account, np.int64)])
        target = np.concatenate([self._target, np.asarray(target, np.uint64)])
        fresh = np.arange(len(time)) >= known
        kept = ~_repeats(target, account, time // self.window_ms, fresh, time)
        time, account, target, fresh = time[kept], account[kept], target[kept], fresh[kept]
        self._alone.add(account[fresh].astype(np.uint64), end_ms)
        for world, pairs in enumerate(self._worlds):
            delay = self._delay(account, world - 1) if world else np.zeros(len(account), np.int64)
            met = list(self._meetings(time, account, target, fresh, delay, APART * self.window_ms if world else -1))
            pairs.add(np.concatenate(met) if met else np.zeros(0, np.uint64), end_ms)
        recent = np.flatnonzero(time > end_ms - (LONGEST_DELAY + 1) * self.window_ms)
        recent = recent[np.argsort(time[recent], kind="stable")][-MAX_ACTIONS:]
        self._time, self._account, self._target = time[recent], account[recent], target[recent]

    def _delay(self, account: IntArray, shift: int) -> IntArray:
        """Return each account's delay in a shifted world: even over [0, 60 windows)."""
        mixed = (account.astype(np.uint64) + np.uint64(1)) * self._seeds[shift]
        mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        return ((mixed >> np.uint64(32)).astype(np.float64) / 2**32 * LONGEST_DELAY * self.window_ms).astype(np.int64)

    def _meetings(
        self,
        time: IntArray,
        account: IntArray,
        target: NDArray[np.uint64],
        fresh: NDArray[np.bool_],
        delay: IntArray,
        apart: int,
    ) -> Iterator[NDArray[np.uint64]]:
        """Yield the pairs that meet on a target when delayed, as (smaller << 32 | larger).

        One of the two actions is fresh, and the delays differ by more than `apart`.
        """
        order = np.lexsort((account, time + delay, target))
        time, account, target, fresh = (time + delay)[order], account[order], target[order], fresh[order]
        delay = delay[order]
        ahead = np.arange(len(order))
        for step in range(1, self.neighbours + 1):
            ahead = ahead[ahead < len(order) - step]
            behind = ahead + step
            close = (target[ahead] == target[behind]) & (time[behind] - time[ahead] <= self.window_ms)
            ahead, behind = ahead[close], behind[close]
            if not len(ahead):
                return
            counts = (fresh[ahead] | fresh[behind]) & (account[ahead] != account[behind])
            counts &= np.abs(delay[ahead] - delay[behind]) > apart
            one, other = account[ahead[counts]], account[behind[counts]]
            yield (np.minimum(one, other) << 32 | np.maximum(one, other)).astype(np.uint64)

    def pairs(self, end_ms: int, min_actions: float = 2.0) -> Pairs:
        """Return the pairs with at least `min_actions` co-actions left at `end_ms`."""
        keys, actions = self._worlds[0].counts(end_ms, min_actions)
        nats = self._nats(actions, end_ms)
        order = np.lexsort((keys, -actions))
        keys, actions, nats = keys[order], actions[order], nats[order]
        first, second = (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
        either = self._alone.of(first.astype(np.uint64), end_ms) + self._alone.of(second.astype(np.uint64), end_ms)
        similarity = actions / np.maximum(either - actions, actions)
        return Pairs(first, second, actions, np.minimum(similarity, 1.0), nats)

    def chance(self, end_ms: int, min_actions: float) -> tuple[int, float]:
        """Return how many pairs reach `min_actions`: in the real stream, and on average in the shifted worlds."""
        real, *shifted = (len(world.counts(end_ms, min_actions)[0]) for world in self._worlds)
        return real, float(np.mean(shifted)) / _TOLD_APART

    def _nats(self, actions: FloatArray, end_ms: int) -> FloatArray:
        """Return ln(pairs as strong / as strong in a shifted world), one pair of chance added; rises with strength."""
        real = np.sort(self._worlds[0].counts(end_ms, 0.0)[1])
        shifted = np.sort(np.concatenate([world.counts(end_ms, 0.0)[1] for world in self._worlds[1:]]))
        as_strong = len(real) - np.searchsorted(real, real, "left")
        by_chance = (len(shifted) - np.searchsorted(shifted, real, "left") + 1) / (self.shifts * _TOLD_APART)
        nats = np.maximum.accumulate(np.maximum(np.log(as_strong / by_chance), 0.0))
        result: FloatArray = nats[np.searchsorted(real, actions, "left")] if len(real) else np.zeros(0)
        return result

    def groups(
        self, end_ms: int, min_nats: float = 3.0, min_similarity: float = 0.0, min_accounts: int = 3
    ) -> list[IntArray]:
        """Return the accounts joined by pairs of at least `min_nats` (single linkage), largest group first."""
        pairs = self.pairs(end_ms, 0.0)
        strong = (pairs.nats >= min_nats) & (pairs.similarity >= min_similarity)
        first, second = pairs.first[strong], pairs.second[strong]
        if not len(first):
            return []
        accounts, place = np.unique(np.concatenate([first, second]), return_inverse=True)
        edges = (np.ones(len(first), np.int8), (place[: len(first)], place[len(first) :]))
        _, label = connected_components(coo_array(edges, shape=(len(accounts), len(accounts))), directed=False)
        order = np.argsort(label, kind="stable")
        parts = np.split(accounts[order], np.flatnonzero(np.diff(label[order])) + 1)
        return sorted((part for part in parts if len(part) >= min_accounts), key=lambda part: (-len(part), part[0]))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything learned, as arrays that `load_state` takes back."""
        tables = {f"world/{number}": world for number, world in enumerate(self._worlds)} | {"alone": self._alone}
        entries = {f"{name}/{key}": a for name, table in tables.items() for key, a in table.state().items()}
        settings = np.array([STATE_VERSION, self.window_ms, self.shifts], np.int64)
        recent = {"time": self._time.copy(), "account": self._account.copy(), "target": self._target.copy()}
        return {"settings": settings, "seeds": self._seeds.copy()} | recent | entries

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from `state`.

        Raises:
            StateVersionError: the state was written by another version.
            StateError: the state belongs to another window or number of shifts.
        """
        version, window_ms, shifts = state["settings"].tolist()
        if version != STATE_VERSION:
            raise StateVersionError(f"lockstep: state version {version}, not {STATE_VERSION}")
        if (window_ms, shifts) != (self.window_ms, self.shifts):
            raise StateError("lockstep: the state has another window or number of shifts")
        tables = {f"world/{number}": world for number, world in enumerate(self._worlds)} | {"alone": self._alone}
        for name, table in tables.items():
            table.load_state({key[len(name) + 1 :]: a for key, a in state.items() if key.startswith(name + "/")})
        self._seeds = state["seeds"].copy()
        self._time, self._account = state["time"].copy(), state["account"].copy()
        self._target = state["target"].copy()


def _repeats(target: NDArray, account: IntArray, slot: IntArray, fresh: NDArray, time: IntArray) -> NDArray[np.bool_]:
    """Tell which actions are not the first of their account on their target in their slot; known ones come first."""
    order = np.lexsort((time, fresh, slot, account, target))
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in (target, account, slot):
        same &= column[order[1:]] == column[order[:-1]]
    repeated = np.zeros(len(order), bool)
    repeated[order[1:]] = same
    return repeated
