"""Rows too odd to be learned at once: kept for two weeks, then learned unless their account was accused meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS
from detectors.models.reference import Thinning

DAYS = 14
SIZE = 2_048
PER_DAY = SIZE // DAYS // 2
"""Rows come unevenly, and go once a day: with room for no more than an even flow the oldest went before their time."""


class Quarantine:
    """Holds up to `SIZE` rows of features, an even flow of them over `DAYS` days (DETECTION §4.1, rule iii)."""

    def __init__(self, features: int) -> None:
        self._thinning = Thinning(PER_DAY)
        self._accounts = np.zeros(0, np.int32)
        self._since = np.zeros(0, np.int64)
        self._rows = np.zeros((0, features), np.float32)

    def __len__(self) -> int:
        return len(self._since)

    def add(self, accounts: NDArray, rows: NDArray, chance: NDArray, now: int) -> None:
        """Take rows of `accounts`, shape (B, F), each with a uniform random number; beyond `SIZE` the oldest go."""
        chosen = self._thinning.choose(now // DAY_MS, chance)
        if not chosen.any():
            return
        count = int(chosen.sum())
        self._accounts = np.concatenate([self._accounts, accounts[chosen].astype(np.int32)])[-SIZE:]
        self._since = np.concatenate([self._since, np.full(count, now)])[-SIZE:]
        self._rows = np.concatenate([self._rows, rows[chosen].astype(np.float32)])[-SIZE:]

    def release(self, now: int, accused: Callable[[NDArray], NDArray]) -> NDArray[np.float64]:
        """Return the rows whose time is over, shape (R, F), without those of accounts that `accused` tells to drop."""
        over = int(np.searchsorted(self._since, now - DAYS * DAY_MS, "right"))
        if not over:
            return np.zeros((0, self._rows.shape[1]))
        cleared = self._rows[:over][~accused(self._accounts[:over])]
        self._accounts, self._since, self._rows = self._accounts[over:], self._since[over:], self._rows[over:]
        return cleared.astype(np.float64)

    def state(self) -> dict[str, NDArray]:
        """Return what `load` takes."""
        thinning = np.array(self._thinning.state(), np.int64)
        return {"accounts": self._accounts, "since": self._since, "rows": self._rows, "thinning": thinning}

    def load(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` returned."""
        self._accounts, self._since, self._rows = state["accounts"], state["since"], state["rows"]
        self._thinning.load(state["thinning"].tolist())
