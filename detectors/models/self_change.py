"""D2, an account against its own past: sequential evidence that it does something else now than it used to.

A residual is prewhitened by the autocorrelation usual in its peer group, ranked among the residuals of the group's
accounts, and its p-value turned into an e-value; the e-values of the series are averaged and multiplied up in an
e-CUSUM (Shin, Ramdas and Rinaldo 2022; DETECTION §4.3, D2). Evidence about what is odd in the *population* must not
be multiplied so: tenants that are odd for good would all be reported (DETECTION §0.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.models.account_columns import SERIES
from detectors.models.reference import Ring, Thinning, conformal_p
from detectors.models.residuals import NOISE, learn, residual
from detectors.windows import Table

MODEL_MIX = SERIES.index("model_mix")
NOISES = np.array([NOISE, NOISE, NOISE, 0.01])
"""A distance of models of 0.1 is chance."""
POOL = 8_192
MIN_POOL = 1_000
"""Fewer residuals to rank among give no evidence: the smallest p-value would be 0.004."""
MAX_AUTOCORRELATION = 0.95
PHI_KEPT = 0.999
"""Share of what is known of the autocorrelation that remains after each batch."""


@dataclass
class Change:
    """What the accounts of one tick did, beside what they used to do.

    Attributes:
        rows: account rows, shape (B,).
        values, usual: the series now, and their means before, shape (B, S).
        nats: of each series, shape (B, S); 0 where nothing can be said.
    """

    rows: NDArray
    values: NDArray
    usual: NDArray
    nats: NDArray


class SelfChange:
    """The residuals' pools and autocorrelation per peer group, and the e-CUSUM of each account.

    Args:
        fading_factor: of the means and variances once an account has been seen often enough; a plain mean before.
        mature: values that an account must have shown before its residuals count.
        pool_days: how long a residual stays in the pool.
        groups: number of peer groups.
    """

    def __init__(self, fading_factor: float, mature: int, pool_days: int, groups: int) -> None:
        self.fading_factor, self.mature = fading_factor, mature
        self.pools = [[Ring(POOL) for _ in SERIES] for _ in range(groups)]
        self._thinning = [Thinning(POOL // pool_days) for _ in range(groups)]
        self._phi = np.zeros((groups, 2, len(SERIES)))

    def phi(self) -> NDArray[np.float64]:
        """Return the autocorrelation of the residuals, shape (groups, S)."""
        return np.clip(self._phi[:, 0] / np.maximum(self._phi[:, 1], 1.0), 0.0, MAX_AUTOCORRELATION)

    def step(
        self,
        table: Table,
        rows: NDArray,
        peer: NDArray,
        values: NDArray,
        honest: NDArray[np.bool_],
        chance: NDArray,
        day: int,
        held: bool,
    ) -> Change:
        """Score the values of B accounts, then learn them.

        Args:
            table: the accounts; their evidence, ln of the e-CUSUM, is left in its column.
            rows, peer: account rows and their peer groups, shape (B,).
            values: shape (B, S).
            honest: which accounts may vote into the pools.
            chance: a uniform random number per account.
            day: number of the day.
            held: the references are held: nobody votes, and a change of model says nothing.
        """
        parts = [f"change_{part}" for part in ("mean", "variance", "before")]
        mean, variance, before = (table[part][rows].astype(np.float64) for part in parts)
        seen = table["change_seen"][rows].astype(np.float64)[:, None]
        window = np.minimum(seen, 2.0 / self.fading_factor)
        score = np.where(seen > 0, residual(mean, variance, np.maximum(window, 1.0), values, NOISES), 0.0)
        known = seen[:, 0] >= self.mature
        white = score - self.phi()[peer] * before
        nats = np.zeros(values.shape)
        for group in np.unique(peer[known]).tolist():
            mine = np.flatnonzero(known & (peer == group))
            nats[mine] = self._nats(group, white[mine], held)
            if not held:
                self._teach(group, score[mine], before[mine], white[mine], honest[mine], chance[mine], day)
        usual = mean.copy()
        learn(mean, variance, values, np.maximum(self.fading_factor, 1.0 / (seen + 1.0)))
        for part, column in zip(parts, (mean, variance, score), strict=True):
            table[part][rows] = column
        table["change_seen"][rows] = np.minimum(seen[:, 0] + 1, np.iinfo(np.uint16).max)
        evidence = np.maximum(table["change_evidence"][rows], 0.0) + np.log(np.exp(nats).mean(1))
        table["change_evidence"][rows] = np.where(known, evidence, 0.0)
        return Change(rows, values, usual, nats)

    def _nats(self, group: int, white: NDArray, held: bool) -> NDArray[np.float64]:
        """Return ln of the e-value of each residual, ½ p^(−½) and at most ½ √(n + 1), shape (B, S)."""
        nats = np.zeros(white.shape)
        for series, pool in enumerate(self.pools[group]):
            known = pool.sorted()
            if len(known) >= MIN_POOL and not (held and series == MODEL_MIX):
                p = conformal_p(known, white[:, series].astype(np.float32))
                nats[:, series] = np.log(np.minimum(0.5 / np.sqrt(p), 0.5 * np.sqrt(len(known) + 1)))
        return nats

    def _teach(
        self,
        group: int,
        score: NDArray,
        before: NDArray,
        white: NDArray,
        honest: NDArray,
        chance: NDArray,
        day: int,
    ) -> None:
        votes = np.flatnonzero(honest)
        votes = votes[self._thinning[group].choose(day, chance[votes])]
        if not len(votes):
            return
        bounded = np.clip(score[votes], -3.0, 3.0), np.clip(before[votes], -3.0, 3.0)
        both = np.stack([(bounded[0] * bounded[1]).sum(0), (bounded[1] ** 2).sum(0)])
        self._phi[group] = self._phi[group] * PHI_KEPT + both
        for series, pool in enumerate(self.pools[group]):
            pool.add(white[votes, series])

    def settle(self) -> None:
        """Let the votes of the last hour count."""
        for pools in self.pools:
            for pool in pools:
                pool.settle()

    def state(self) -> dict[str, bytes]:
        """Return the learned state, a piece per peer group and one more."""
        names = ("values", "waiting")
        entries = {
            f"self_change/{group}": msgspec.msgpack.encode([[p.state()[n].tobytes() for n in names] for p in pools])
            for group, pools in enumerate(self.pools)
        }
        thinning = [one.state() for one in self._thinning]
        return entries | {"self_change/rest": msgspec.msgpack.encode((thinning, self._phi.tobytes()))}

    def load(self, entries: Mapping[str, bytes]) -> None:
        """Put back what `state` returned."""
        for group, pools in enumerate(self.pools):
            parts = msgspec.msgpack.decode(entries[f"self_change/{group}"], type=list[list[bytes]])
            for pool, (values, waiting) in zip(pools, parts, strict=True):
                arrays = [np.frombuffer(data, np.float32) for data in (values, waiting)]
                nobody = [np.full(len(array), -1, np.int32) for array in arrays]
                pool.load(
                    dict(zip(("values", "waiting", "accounts", "waiting_accounts"), (*arrays, *nobody), strict=True))
                )
        thinning, phi = msgspec.msgpack.decode(entries["self_change/rest"], type=tuple[list[list[int]], bytes])
        for one, state in zip(self._thinning, thinning, strict=True):
            one.load(state)
        self._phi = np.frombuffer(phi).reshape(self._phi.shape).copy()
