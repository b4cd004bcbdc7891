"""The two half-space-trees models of one peer group: `live` learns, `ref` is frozen.

A campaign of a fifth of what a model learns becomes the normal (ROC-AUC 0.10, DETECTION §0.2). So `live` learns a
capped, thinned choice of rows, none that either model finds odd, and `ref` only ever takes over a window of `live`
that agreed with it for a week (DETECTION §4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from detectors.features import NAMES
from detectors.linking.graph import DAY_MS, HOUR_MS
from detectors.models.half_space_trees import HalfSpaceTrees
from detectors.models.quarantine import Quarantine
from detectors.models.reference import Ring, Thinning

TREES, HEIGHT, WINDOW = 25, 8, 1024
VOTES = 10
"""Rows of a window that one cluster may fill: 1 %."""
RESERVOIR = 4096
MIN_RANKED = 256
ODD = 0.05
"""Tail rank below which a row is quarantined."""
PAIRS_PER_DAY = 512
RANK_CORRELATION, MEDIAN_SHIFT, MAX_ODD = 0.7, 0.2, 2.0 * ODD
"""`live` and `ref` agree on a day when Spearman's correlation of their scores is at least the first, the median rank
under `ref` is no further from one half than the second, and `ref` finds no more odd than twice what chance would."""
AGREED_DAYS, STALE_DAYS = 7, 28
"""A `ref` that `live` has left for good is replaced after four weeks: two of quarantine, two to accuse somebody."""
DRIFT_SHARE = 0.2


class Twin:
    """One peer group's models, their ranks, quarantine and agreement.

    Args:
        seed: of the splits.
    """

    def __init__(self, seed: int) -> None:
        self.live = HalfSpaceTrees(NAMES, TREES, HEIGHT, WINDOW, seed=seed)
        self.quarantine = Quarantine(len(NAMES))
        self._ref: NDArray | None = None
        self._ranks = (Ring(RESERVOIR), Ring(RESERVOIR))
        self._votes, self._scores, self._sampled = Thinning(WINDOW), Thinning(RESERVOIR // 2), Thinning(PAIRS_PER_DAY)
        self._used: dict[int, int] = {}
        self._day = 0
        self._hour = 0
        self._agreed = 0
        self._frozen_day = 0
        self._pairs = np.zeros((3, 0))
        self._only_ref, self._seen = 0, 0
        self.drift_share = 0.0
        """Rows of the day before that `ref` alone found odd, as a share."""
        self.promotions = 0

    @property
    def drifting(self) -> bool:
        """Whether `ref` alone finds so many odd that it is the group that changed, or is being poisoned."""
        return self.drift_share > DRIFT_SHARE

    @property
    def settled(self) -> bool:
        """Whether `ref` was confirmed by a week of agreement."""
        return self.promotions > 1

    def score(self, rows: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return raw scores under `live` and `ref`, and the tail rank of each, all of shape (2, B).

        A rank is 1 where there is not enough to compare with.
        """
        raw = np.zeros((2, len(rows)))
        if self.live.ready:
            windows = [self.live.masses] if self._ref is None else [self.live.masses, self._ref]
            raw[: len(windows)] = self.live.score_against(rows, windows)
        rank = np.ones((2, len(rows)))
        for number, ring in enumerate(self._ranks):
            known = ring.sorted()
            if len(known) >= MIN_RANKED:
                at_least = len(known) - np.searchsorted(known, raw[number].astype(np.float32), "left")
                rank[number] = (at_least + 1) / (len(known) + 1)
        return raw, rank

    def learn(
        self,
        accounts: NDArray,
        rows: NDArray,
        raw: NDArray,
        rank: NDArray,
        cluster: NDArray,
        chance: NDArray,
        now: int,
    ) -> None:
        """Let honest rows vote: into `live`, or into quarantine, and into the ranks in any case.

        Args:
            accounts, rows, cluster: account rows (B,), features (B, F), and the cluster of each, −1 for none.
            raw, rank: from `score`, shape (2, B).
            chance: independent uniform random numbers, shape (3, B).
            now: ms.
        """
        odd = rank.min(0) <= ODD
        self.quarantine.add(accounts[odd], rows[odd], chance[0, odd], now)
        usual = np.flatnonzero(~odd)
        usual = usual[self._votes.choose(now // DAY_MS, chance[0, usual])]
        self._vote(rows[usual], cluster[usual])
        if not self.live.ready:
            return
        mine = self._scores.choose(now // DAY_MS, chance[1])
        self._ranks[0].add(raw[0, mine])
        if self._ref is not None:
            if len(self._ranks[1]) < RESERVOIR:
                self._ranks[1].add(raw[1, mine])
            self._compare(raw, rank, chance[2], now)

    def _vote(self, rows: NDArray, cluster: NDArray) -> None:
        """Learn rows in order, none beyond the share of a window that its cluster may fill."""
        keep = np.ones(len(rows), bool)
        for place in np.flatnonzero(cluster >= 0).tolist():
            key = int(cluster[place])
            self._used[key] = self._used.get(key, 0) + 1
            keep[place] = self._used[key] <= VOTES
        before = self.live.counter
        self.live.learn_many(rows[keep])
        if before + int(keep.sum()) >= WINDOW:
            self._used = {}

    def _compare(self, raw: NDArray, rank: NDArray, chance: NDArray, now: int) -> None:
        self._seen += rank.shape[1]
        self._only_ref += int(((rank[1] <= ODD) & (rank[0] > ODD)).sum())
        mine = self._sampled.choose(now // DAY_MS, chance)
        if mine.any():
            self._pairs = np.concatenate([self._pairs, np.concatenate([raw[:, mine], rank[1:, mine]])], axis=1)

    def turn(self, now: int, held: bool, accused: Callable[[NDArray], NDArray]) -> None:
        """Let votes count once an hour, and once a day release, compare and promote.

        Args:
            held: whether references are held for a drift.
            accused: which account rows are accused.
        """
        if now // HOUR_MS == self._hour:
            return
        self._hour = now // HOUR_MS
        for ring in self._ranks:
            ring.settle()
        if now // DAY_MS == self._day:
            return
        first, self._day = not self._day, now // DAY_MS
        cleared = self.quarantine.release(now, accused)
        self._vote(cleared, np.full(len(cleared), -1))
        if first:
            return
        self.drift_share = self._only_ref / max(self._seen, 1)
        self._agreed = self._agreed + 1 if self._agree() else 0
        self._pairs, self._only_ref, self._seen = np.zeros((3, 0)), 0, 0
        new = self._ref is None and self.live.ready
        stale = self._day - self._frozen_day >= STALE_DAYS
        if new or ((self._agreed >= AGREED_DAYS or (stale and self.live.ready)) and not held):
            self._promote()

    def _agree(self) -> bool:
        pairs = self._pairs
        if pairs.shape[1] < MIN_RANKED // 4 or np.ptp(pairs[0]) == 0 or np.ptp(pairs[1]) == 0:
            return False
        alike = float(stats.spearmanr(pairs[0], pairs[1]).statistic) >= RANK_CORRELATION
        central = abs(float(np.median(pairs[2])) - 0.5) <= MEDIAN_SHIFT
        return alike and central and float((pairs[2] <= ODD).mean()) <= MAX_ODD

    def _promote(self) -> None:
        self._ref = self.live.masses.copy()
        self._ranks = (self._ranks[0], Ring(RESERVOIR))
        self._agreed, self._frozen_day = 0, self._day
        self.promotions += 1

    def state(self) -> dict[str, bytes]:
        """Return the learned state, a piece per entry."""
        arrays = {f"live/{name}": array for name, array in self._ranks[0].state().items()}
        arrays |= {f"ref/{name}": array for name, array in self._ranks[1].state().items()}
        arrays["pairs"] = self._pairs
        thinnings = [one.state() for one in (self._votes, self._scores, self._sampled)]
        used = (self._used, self._day, self._hour, self._agreed, self._frozen_day, self._only_ref, self._seen)
        return {
            "trees": pack(self.live.state()),
            "ref": pack({} if self._ref is None else {"masses": self._ref.astype(np.int32)}),
            "ranks": pack(arrays),
            "quarantine": pack(self.quarantine.state()),
            "rest": msgspec.msgpack.encode((thinnings, used, self.drift_share, self.promotions)),
        }

    def load(self, entries: Mapping[str, bytes]) -> None:
        """Put back what `state` returned."""
        self.live.load_state(unpack(entries["trees"]))
        masses = unpack(entries["ref"]).get("masses")
        self._ref = None if masses is None else masses.astype(np.int64)
        arrays = unpack(entries["ranks"])
        for ring, prefix in zip(self._ranks, ("live/", "ref/"), strict=True):
            ring.load({name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)})
        self._pairs = arrays["pairs"]
        self.quarantine.load(unpack(entries["quarantine"]))
        rest: Any = msgspec.msgpack.decode(entries["rest"], strict=False)
        thinnings, used, self.drift_share, self.promotions = rest
        for one, state in zip((self._votes, self._scores, self._sampled), thinnings, strict=True):
            one.load(state)
        self._used, self._day, self._hour, self._agreed, self._frozen_day, self._only_ref, self._seen = used


def pack(arrays: Mapping[str, NDArray]) -> bytes:
    """Encode named arrays; they come back with `unpack`."""
    return msgspec.msgpack.encode({name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()})


def unpack(encoded: bytes) -> dict[str, NDArray]:
    """Return the arrays that `pack` encoded."""
    parts = msgspec.msgpack.decode(encoded, type=dict[str, tuple[str, tuple[int, ...], bytes]])
    return {name: np.frombuffer(data, dtype).reshape(shape).copy() for name, (dtype, shape, data) in parts.items()}
