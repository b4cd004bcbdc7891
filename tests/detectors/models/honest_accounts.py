"""Made-up honest accounts, hour by hour, some of them odd for good: the null of the tests of self-change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.models.account_columns import COLUMNS, SERIES
from detectors.models.self_change import SelfChange
from detectors.windows import Table

ODD = ("all_day", "daily_burst", "all_elicited", "heavy_tailed")
"""Round the clock at thousands of requests an hour; a hundredfold hour every day; nothing but grading; Pareto noise."""


@dataclass
class Accounts:
    """A population whose hours are drawn one at a time.

    Attributes:
        kind: position in `ODD`, −1 for ordinary accounts, shape (A,).
        factor: volumes are multiplied by it, shape (A,); 1 at the start.
    """

    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        self.rng = rng = np.random.default_rng(self.seed)
        size = self.count
        self.kind = np.where(np.arange(size) % 20 == 0, np.arange(size) // 20 % len(ODD), -1)
        self.rate = rng.lognormal(np.log(6.0), 1.2, size)
        self.rate[self.kind == 0] = 5_000.0
        self.duty = np.where(self.kind == 0, 1.0, rng.beta(2.0, 4.0, size))
        self.start = rng.integers(24, size=size)
        self.tokens = rng.lognormal(6.0, 0.8, size)
        self.wanted = np.where(self.kind == 2, 1.0, rng.beta(0.3, 3.0, size))
        self.level = np.zeros(size)
        self.models = rng.beta(1.0, 6.0, size)
        self.factor = np.ones(size)

    def hour(self, number: int) -> tuple[NDArray, NDArray]:
        """Return the accounts active in hour `number` and the series of their hour, shape (B, 4)."""
        rng, size = self.rng, self.count
        self.level = 0.6 * self.level + 0.8 * 0.5 * rng.normal(size=size)
        daytime = (number + self.start) % 24 < 12
        active = np.flatnonzero(rng.random(size) < self.duty * np.where(daytime, 1.3, 0.4))
        rate = self.rate * np.exp(self.level) * self.factor
        burst = (self.kind == 1) & ((number + self.start) % 24 == 3)
        rate = rate * np.where(burst, 100.0, 1.0) * np.where(self.kind == 3, rng.pareto(1.2, size) + 0.2, 1.0)
        requests = rng.poisson(np.minimum(rate, 1e7)[active]) + 1
        tokens = requests * self.tokens[active] * rng.lognormal(0.0, 0.5, len(active))
        wanted = rng.binomial(requests, self.wanted[active])
        odds = np.log((wanted + 0.5) / (requests - wanted + 0.5))
        mix = np.clip(self.models[active] + 0.05 * rng.normal(size=len(active)), 0.0, 1.0)
        return active, np.stack([np.log1p(requests), np.log1p(tokens), odds, mix], axis=1)


def watched(
    accounts: Accounts, scale: SelfChange, hours: range, table: Table, honest: NDArray[np.bool_]
) -> Iterator[tuple[int, NDArray, NDArray]]:
    """Pass hours through a scale; yield each hour, the accounts active in it and their evidence, nats."""
    assert len(SERIES) == 4
    for number in hours:
        rows, values = accounts.hour(number)
        chance = np.random.default_rng([accounts.seed, number]).random(len(rows))
        scale.settle()
        scale.step(table, rows, np.zeros(len(rows), np.int64), values, honest[rows], chance, number // 24, False)
        yield number, rows, table["change_evidence"][rows].astype(np.float64)


def table_of(accounts: int) -> Table:
    """Return a table with the columns that the models need."""
    table = Table(COLUMNS)
    table.extend(accounts)
    return table
