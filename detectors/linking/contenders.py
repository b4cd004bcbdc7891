"""Which names of models and access paths have a column of their own in the accounts' mixes: those that accounts use.

Names are clients' text: there are columns for so few that whoever makes up some dozens would hide every later model in
the last one, that of all others. Once all columns are taken, names without one contend for the least used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.columns import OTHER, Names
from detectors.hashing import digests
from detectors.linking.blocked import MIXES
from detectors.linking.traits import BITS, counted
from detectors.windows import Table

DAY_MS = 86_400_000
MIN_USERS = 3
"""Accounts that must ask for a name before it gets a column; a name that fewer use may lose its own."""
LEAST_SHARE, USER_SHARE = 0.005, 0.01
"""… as may one used by less than this part of the accounts; who uses a name has this part of its mix in it."""
MORE = 2.0
"""Times as many accounts must ask for a contender in a day as used the other in the last week."""
MOST = 64
"""Contenders remembered from one tick to the next: those that most accounts ask for."""


class Contenders:
    """Names of one kind without a column, with the accounts that were served under them today.

    Args:
        kind: position in `MIXES`.
        names: those with a column.
    """

    def __init__(self, kind: int, names: Names) -> None:
        self._mix, self._kind, self._names = MIXES[kind], kind, names
        self._asked: dict[str, int] = {}
        """A bit of 64 for each account's hash (linear counting, as in `traits.varieties`)."""
        self._given = np.zeros(names.limit, np.int64)
        self._day = 0

    def note(self, asked: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Take in the names without a column that accounts were served under, in any order, each with the ids."""
        for name, ids in asked:
            bits = np.uint64(1) << digests(ids) % np.uint64(BITS)
            self._asked[name] = self._asked.get(name, 0) | int(np.bitwise_or.reduce(bits))

    def settle(self, accounts: Table, active: NDArray, end_ms: int) -> list[int]:
        """Give columns of names that hardly anybody uses to contenders; return which, each now empty.

        What stands in such a column joins that of all other names.

        Args:
            accounts: with a column `models` or `paths`.
            active: rows of the accounts of the last week.
            end_ms: now, ms.
        """
        if not self._asked:
            return []
        mix = accounts[self._mix][active].astype(np.float64)
        users = (mix >= USER_SHARE * np.maximum(mix.sum(1, keepdims=True), 1e-9)).sum(0).astype(np.float64)
        rare, other = max(MIN_USERS, LEAST_SHARE * len(active)), self._names.known.index(OTHER)
        users[(self._given > end_ms - DAY_MS) | (users >= rare)] = np.inf
        users[other] = users[len(self._names.known) :] = np.inf
        given: list[int] = []
        for name, count in self._ranked():
            column = int(users.argmin())
            if count < max(MIN_USERS, MORE * users[column]):
                break
            self._names.rename(column, name)
            self._empty(accounts, column, other)
            users[column], self._given[column] = np.inf, end_ms
            given.append(column)
            del self._asked[name]
        return given

    def _ranked(self) -> list[tuple[str, float]]:
        """Return the contenders with about how many accounts asked for each, most first."""
        count = counted(np.array([bits.bit_count() for bits in self._asked.values()])).tolist()
        return sorted(zip(self._asked, count, strict=True), key=lambda pair: (-pair[1], pair[0]))

    def _empty(self, accounts: Table, column: int, other: int) -> None:
        mix, blocked = accounts[self._mix][: accounts.rows], accounts["blocked_name"][: accounts.rows, self._kind]
        turned_away = (blocked == column) & (accounts["blocked"][: accounts.rows, self._kind, 0] > 0)
        mix[:, other] += mix[:, column]
        accounts.touch(np.flatnonzero((mix[:, column] > 0) | turned_away))
        mix[:, column] = 0
        blocked[turned_away] = other

    def end_tick(self, end_ms: int) -> None:
        """Forget all but those that most accounts ask for, and all of them with the day."""
        if end_ms // DAY_MS != self._day:
            self._day, self._asked = end_ms // DAY_MS, {}
        if len(self._asked) > MOST:
            self._asked = {name: self._asked[name] for name, _ in self._ranked()[:MOST]}

    def state(self) -> list:
        """Return what `load` takes."""
        return [dict(sorted(self._asked.items())), self._given.tolist(), self._day]

    def load(self, state: list) -> None:
        """Put back what `state` returned."""
        self._asked, given, self._day = state
        self._given = np.array(given, np.int64)
