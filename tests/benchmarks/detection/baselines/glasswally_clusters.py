"""Glasswally's clusters, and the workers that look at them.

Accounts that share a payment, an organisation or a /24 with two or more others are one cluster with them, whatever the
value's popularity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.benchmarks.detection.baselines.glasswally_workers import Hours, Signal
from tests.benchmarks.detection.columns import HOUR_MS, Columns, runs, uses

SHARED = ("payment", "organization", "network")
PAYMENT, NETWORK = 0, 2
EVERY_MS = 6 * HOUR_MS
HYDRA_LEAST, PIVOT_LEAST, PIVOT_MS, STALE_MS = 3, 5, 6 * HOUR_MS, 24 * HOUR_MS


class Clusters:
    """The cluster of each account and hour, as of the latest multiple of six hours.

    `label` and `size` are per row of `hours`; label −1 is none.
    """

    def __init__(self, columns: Columns, hours: Hours) -> None:
        self.hours, self.columns = hours, columns
        self.label = np.full(len(hours.end), -1, np.int64)
        self.size = np.zeros(len(hours.end), np.int64)
        self._score, self._confidence = np.zeros(len(hours.end)), np.zeros(len(hours.end))
        self._uses = uses(columns, SHARED)
        period = hours.end // EVERY_MS
        for now in np.unique(period).tolist():
            rows = np.flatnonzero(period == now)
            if (number := int(np.searchsorted(self._uses.first, now * EVERY_MS))) > 0:
                self._as_of(now * EVERY_MS, number, rows)

    def _as_of(self, now: int, number: int, rows: NDArray) -> None:
        """Fill in the rows judged with the clusters of the first `number` uses."""
        account, value = self._uses.account[:number], self._uses.value[:number]
        accounts = len(self.columns.ids)
        values = int(self._uses.value.max()) + 1
        wide = np.bincount(value, minlength=values)[value] >= HYDRA_LEAST
        edges = (np.ones(int(wide.sum()), np.int8), (account[wide], accounts + value[wide]))
        _, found = connected_components(coo_array(edges, shape=(accounts + values,) * 2), directed=False)
        found = found[:accounts]
        size = np.bincount(found)
        family = self._uses.family[:number]
        of_cluster = np.stack([found[account], family, value])
        different = np.unique(of_cluster, axis=1)
        payments, networks = (
            np.bincount(different[0, different[1] == kind], minlength=len(size)) for kind in (PAYMENT, NETWORK)
        )
        sharing = np.zeros(len(size), np.int64)
        paid = family == PAYMENT
        np.maximum.at(sharing, found[account[paid]], np.bincount(value[paid], minlength=values)[value[paid]])
        before = self.columns.time < now
        requests = np.bincount(found[self.columns.account[before]], minlength=len(size))
        china = np.bincount(found[self.columns.account[before & self.columns.china]], minlength=len(size)) > 0
        score = np.minimum(size / 25, 1) * 0.40 + np.minimum(payments * 0.07, 0.35) + np.minimum(networks * 0.03, 0.15)
        score += 0.10 * china + 0.15 * (sharing >= 4)
        mine = found[self.hours.account[rows]]
        inside = size[mine] >= HYDRA_LEAST
        self.label[rows] = np.where(inside, mine, -1)
        self.size[rows] = np.where(inside, size[mine], 0)
        self._score[rows] = np.where(inside, np.minimum(score[mine], 1.0), 0.0)
        self._confidence[rows] = np.where(inside, np.minimum(requests[mine] / 100, 1.0), 0.2)

    def hydra(self) -> Signal:
        """The cluster's size, its payments and networks, access from China, four accounts on one payment."""
        return self._score, self._confidence

    def pivot(self) -> Signal:
        """A change of model in the last 24 hours, and five or more of the cluster that made it within six hours."""
        hours, model = self.hours, self.columns.model[self.hours.order]
        account = self.columns.account[hours.order]
        changed = (np.diff(account, prepend=-1) == 0) & (np.diff(model, prepend=-1) != 0)
        latest = np.full(len(hours.start), -1, np.int64)
        event = np.flatnonzero(changed)
        np.maximum.at(latest, hours.row[event], event)
        carried = _carry(latest, hours.account)
        switched = np.where(carried >= 0, hours.time[carried], 0)
        fresh = (carried >= 0) & (hours.end - switched <= STALE_MS)
        together = self._together(event, model)
        count = np.where(fresh, together[np.maximum(carried, 0), 0], 0)
        score = np.where(count >= PIVOT_LEAST, np.minimum(0.20 + count / 30 * 0.80, 1.0), 0.20)
        return np.where(fresh, score, 0.0), np.where(fresh, 0.85, 0.0)

    def _together(self, event: NDArray, model: NDArray) -> NDArray[np.int64]:
        """Return, for each change, how many accounts of its cluster made the same in the six hours before it."""
        out = np.zeros((len(model), 1), np.int64)
        label = self.label[self.hours.row[event]]
        event, label = event[label >= 0], label[label >= 0]
        period = self.hours.end[self.hours.row[event]] // EVERY_MS
        order, start = runs(period, label, model[event])
        for part in np.split(order, start[1:]):
            rows = event[part[np.argsort(self.hours.time[event[part]], kind="stable")]]
            accounts = self.columns.account[self.hours.order][rows]
            _, first = np.unique(accounts, return_index=True)
            new = np.zeros(len(rows), np.int64)
            new[first] = 1
            out[rows, 0] = np.cumsum(new)
        return out


def _carry(latest: NDArray, account: NDArray) -> NDArray[np.int64]:
    """Return the latest change so far of each row's account; positions grow within an account."""
    running = np.maximum.accumulate(latest)
    _, first = np.unique(account, return_index=True)
    begin = np.repeat(first, np.diff(np.append(first, len(account))))
    before = np.where(begin > 0, running[np.maximum(begin - 1, 0)], -1)
    return np.where(running > before, running, -1)
