"""The online models of each peer group: how odd is an account among accounts like it, and against itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS, HOUR_MS, Graph, Tick
from detectors.models import activity
from detectors.models.drift_watch import DriftWatch
from detectors.models.reference import Ring, Thinning, conformal_p
from detectors.models.self_change import MODEL_MIX, Change, SelfChange
from detectors.models.twin import Twin, pack, unpack
from detectors.windows import decay

PEERS = ("organization", "new", "established")
NEW_MS = 14 * DAY_MS
ACCOUNT_DAYS = 16_384
ACCOUNT_DAYS_KEPT = 7
"""Days for which an account-day stays in the reference."""
MIN_ACCOUNT_DAYS = 1_000
SCORE_HALF_LIFE_MS = DAY_MS
PRIOR_TICKS = 4.0
"""Weight of the prior mean of −ln of a rank, which is 1: one odd hour of an account seldom at work is no odd day."""
HOLD_MS = 2 * DAY_MS
MIN_WATCHED = 5
HOUR_FADING = 1.0 - 2.0 ** (-1 / 168)
"""Half-life of 14 days of twelve active hours: an hour is compared with two weeks, since a baseline that gives in
within a day takes a step, or a ramp of days, for the new usual before the evidence has added up (DETECTION §4.3: 1 h
against 14 d). Whole days against the same past saw no ramp of volume, and next to none that the hours did not."""
MATURE_HOURS = 12
RESIDUAL_DAYS = 7
"""Days for which a residual stays among those that others are ranked among."""
ORGANIZATION_PLANS = ("team", "enterprise")
ORGANIZATION_CHECKS = ("contract", "document")
Accused = Callable[[NDArray], NDArray[np.bool_]]


class PeerModels:
    """Per peer group: two half-space-trees models (`Twin`), the account-days, and self-change.

    An account is scored, then learned, at most once an hour of event time. D1: its score is the mean, decayed with a
    half-life of a day, of −ln of its tail rank, the stronger of the two models'. Raw scores crowd near 1 and are never
    compared with a threshold (DETECTION §1.2). D2: see `SelfChange`.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.twins = [Twin(seed + peer) for peer in range(len(PEERS))]
        self.account_days = [Ring(ACCOUNT_DAYS) for _ in PEERS]
        self._thinning = [Thinning(ACCOUNT_DAYS // ACCOUNT_DAYS_KEPT) for _ in PEERS]
        self.self_change = SelfChange(HOUR_FADING, MATURE_HOURS, RESIDUAL_DAYS, len(PEERS))
        self._novelty_drift, self._mix_drift = DriftWatch(len(PEERS)), DriftWatch(len(PEERS))
        self._hour = 0
        self.hold_until = 0
        """While a peer group drifts (a model release, say), references do not learn: until this time, ms."""
        self.latest: list[float] = []
        """Tail ranks under `live` given since somebody last emptied the list."""
        self.change: Change | None = None
        """What the latest tick compared."""

    @property
    def drifting(self) -> list[str]:
        """Peer groups that `ref` alone finds odd in more than a fifth of their hours."""
        return [name for name, twin in zip(PEERS, self.twins, strict=True) if twin.drifting]

    def observe(self, graph: Graph, tick: Tick, rows: NDArray, cluster: NDArray, accused: Accused) -> None:
        """Take in one tick that `graph` has taken in.

        Args:
            rows: account rows of the tick, shape (A,).
            cluster: the cluster each of them is capped with, −1 for none, shape (A,).
            accused: tells of account rows which belong to an open campaign or are under an account alert.
        """
        table, end_ms = graph.accounts, tick.end_ms
        self._turn(end_ms, accused)
        honest = ~accused(rows)
        self._close_days(graph, rows, honest, end_ms)
        table["hour_sums"][rows] += activity.amounts(graph, tick, rows)
        features = tick.columns["features"]
        due = np.flatnonzero(table["scored"][rows] <= end_ms - HOUR_MS)
        self.update(graph, rows[due], features[due], honest[due], end_ms, cluster[due])
        self._compare(graph, rows[due], features[due], honest[due], end_ms)

    def update(
        self,
        graph: Graph,
        rows: NDArray,
        features: NDArray,
        learn: NDArray[np.bool_],
        end_ms: int,
        cluster: NDArray | None = None,
    ) -> None:
        """Score the accounts in `rows` not scored within the hour, then learn those that `learn` allows.

        Args:
            rows: account rows, shape (A,).
            features: their features, shape (A, 16).
            learn: shape (A,).
            end_ms: end of the tick.
            cluster: the cluster of each, −1 for none, shape (A,); None: all in none.
        """
        self._turn(end_ms, _nobody)
        due = graph.accounts["scored"][rows] <= end_ms - HOUR_MS
        rows, features, learn = rows[due], features[due].astype(np.float64), learn[due]
        cluster = np.full(len(rows), -1) if cluster is None else cluster[due]
        peer = peers(graph, rows)
        chance = self._chance(end_ms, 0).random((3, len(rows)))
        novelty = np.full(len(rows), np.nan)
        for number, twin in enumerate(self.twins):
            mine = np.flatnonzero(peer == number)
            if not len(mine):
                continue
            raw, rank = twin.score(features[mine])
            if (rank[0] < 1).any():
                novelty[mine] = -np.log(rank.min(0))
                self.latest += rank[0].tolist()
                self._hold(self._novelty_drift.update(number, float(np.median(rank[0]))), end_ms)
            taught = learn[mine]
            votes = mine[taught]
            twin.learn(
                rows[votes], features[votes], raw[:, taught], rank[:, taught], cluster[votes], chance[:, votes], end_ms
            )
        self._remember(graph, rows, novelty, end_ms)

    def novelty_p(self, graph: Graph, rows: NDArray, accused: Accused) -> NDArray[np.float64]:
        """Return D1, the conformal rank of each account's score among the account-days of its peers, shape (B,).

        The votes of accused accounts are left out. A reference day counts with the day's highest score, so that an
        account may be looked at whenever it suits (DETECTION §4.3). 1 where there is too little to compare with.
        """
        result, peer = np.ones(len(rows)), peers(graph, rows)
        for number in np.unique(peer).tolist():
            known = self.account_days[number].sorted_without(accused)
            if len(known) >= MIN_ACCOUNT_DAYS:
                result[peer == number] = conformal_p(known, graph.accounts["score"][rows[peer == number]])
        return result

    def provisional(self, graph: Graph, rows: NDArray) -> bool:
        """Tell whether the frozen model of an account's peers still lacks a week of agreement."""
        return not all(self.twins[peer].settled for peer in peers(graph, rows).tolist())

    def _turn(self, end_ms: int, accused: Accused) -> None:
        """Let the votes of the hour count, and the twins compare themselves."""
        if end_ms // HOUR_MS == self._hour:
            return
        self._hour = end_ms // HOUR_MS
        for twin in self.twins:
            twin.turn(end_ms, end_ms < self.hold_until, accused)
        for ring in self.account_days:
            ring.settle()
        self.self_change.settle()

    def _chance(self, end_ms: int, use: int) -> np.random.Generator:
        """Return the random numbers of one tick and use: the rows of a tick are in the order of the account ids."""
        return np.random.default_rng([self.seed, end_ms, use])

    def _hold(self, drifts: bool, end_ms: int) -> None:
        if drifts:
            self.hold_until = end_ms + HOLD_MS

    def _remember(self, graph: Graph, rows: NDArray, novelty: NDArray, end_ms: int) -> None:
        """Let the novelty of the hour, NaN where nothing can be compared yet, join the mean of each account."""
        table, known = graph.accounts, ~np.isnan(novelty)
        who = rows[known]
        kept = decay(end_ms - table["scored"][who], SCORE_HALF_LIFE_MS)
        weight = table["novelty_weight"][who].astype(np.float64)
        before = table["score"][who] * (weight + PRIOR_TICKS) - PRIOR_TICKS  # the prior mean is 1
        weight = np.where(weight > 0, weight * kept, 0.0)
        total = np.where(weight > 0, before * kept, 0.0) + novelty[known]
        score = (total + PRIOR_TICKS) / (weight + 1.0 + PRIOR_TICKS)
        table["score"][who], table["novelty_weight"][who] = score, weight + 1.0
        table["peak"][who] = np.maximum(table["peak"][who], score)
        table["scored"][rows] = end_ms
        table.touch(rows)

    def _close_days(self, graph: Graph, rows: NDArray, honest: NDArray, end_ms: int) -> None:
        """Let each account whose day is over vote with it."""
        table, today = graph.accounts, (end_ms - 1) // DAY_MS
        over = np.flatnonzero(activity.days_over(table, rows, end_ms))
        if len(over):
            closing = rows[over]
            peer = peers(graph, closing)
            chance = self._chance(end_ms, 1).random(len(over))
            for number, ring in enumerate(self.account_days):
                mine = np.flatnonzero((peer == number) & honest[over] & (table["peak"][closing] > 0))
                mine = mine[self._thinning[number].choose(today, chance[mine])]
                ring.add(table["peak"][closing[mine]], closing[mine])
            table["peak"][closing] = 0
        table["day"][rows] = today
        table.touch(rows)

    def _compare(self, graph: Graph, rows: NDArray, features: NDArray, honest: NDArray, end_ms: int) -> None:
        table, peer = graph.accounts, peers(graph, rows)
        values = activity.hourly(table["hour_sums"][rows], features.astype(np.float64))
        table["hour_sums"][rows] = 0
        for number in range(len(PEERS)):
            mine = peer == number
            if mine.sum() >= MIN_WATCHED:
                self._hold(self._mix_drift.update(number, float(values[mine, MODEL_MIX].mean())), end_ms)
        chance, held = self._chance(end_ms, 2).random(len(rows)), end_ms < self.hold_until
        today = (end_ms - 1) // DAY_MS
        self.change = self.self_change.step(table, rows, peer, values, honest, chance, today, held)

    def state(self) -> dict[str, bytes]:
        """Return the learned state, a piece per model."""
        entries: dict[str, bytes] = {}
        for number, (twin, ring) in enumerate(zip(self.twins, self.account_days, strict=True)):
            entries |= {f"{number}/{name}": data for name, data in twin.state().items()}
            entries[f"{number}/account_days"] = pack(ring.state())
        drift = (self._novelty_drift.state(), self._mix_drift.state(), self.hold_until, self._hour, self.seed)
        entries["drift"] = msgspec.msgpack.encode((*drift, [one.state() for one in self._thinning]))
        return entries | self.self_change.state()

    def load(self, entries: Mapping[str, bytes]) -> None:
        """Put back what `state` returned."""
        for number, (twin, ring) in enumerate(zip(self.twins, self.account_days, strict=True)):
            prefix = f"{number}/"
            twin.load({name.removeprefix(prefix): data for name, data in entries.items() if name.startswith(prefix)})
            ring.load(unpack(entries[prefix + "account_days"]))
        novelty, mix, self.hold_until, self._hour, self.seed, thinning = msgspec.msgpack.decode(entries["drift"])
        self._novelty_drift.load(novelty)
        self._mix_drift.load(mix)
        for one, state in zip(self._thinning, thinning, strict=True):
            one.load(state)
        self.self_change.load(entries)


def _nobody(rows: NDArray) -> NDArray[np.bool_]:
    return np.zeros(len(rows), bool)


def peers(graph: Graph, rows: NDArray) -> NDArray[np.int64]:
    """Return the peer group of each account: age and kind are keys here, so that new is not itself odd."""
    table = graph.accounts
    created, first = table["created"][rows], table["first"][rows]
    new = (created >= 0) & (table["last"][rows] - np.maximum(created, first - NEW_MS) < NEW_MS)
    return np.where(organized(graph, rows), 0, np.where(new, 1, 2))


def organized(graph: Graph, rows: NDArray) -> NDArray[np.bool_]:
    """Return whether each account is an organisation's, by its plan or the checks it passed."""
    plan = graph.accounts["plan"][rows]
    return _among(plan, graph.names.codes(ORGANIZATION_PLANS)) | verified(graph, rows)


def verified(graph: Graph, rows: NDArray) -> NDArray[np.bool_]:
    """Return whether each account passed a document check or is under contract."""
    return _among(graph.accounts["verification"][rows], graph.names.codes(ORGANIZATION_CHECKS))


def _among(values: NDArray, few: NDArray) -> NDArray[np.bool_]:
    """Return what `np.isin` does, which is slow when there are only a few to look for."""
    return np.asarray(np.logical_or.reduce([values == one for one in few]), bool)
