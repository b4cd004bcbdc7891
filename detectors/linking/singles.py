"""Values that one account has used so far: the latest so many of them, twelve bytes each and an index."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detectors.windows import RowIndex, Table

NOBODY, GONE = -1, -2
"""In place of an account: the value is not known; it is, of an account that was forgotten since."""


class Singles:
    """A ring in the order of arrival, in which the newest value takes the place of the oldest.

    Args:
        capacity: values remembered.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.table = Table({"key": ("u8", ()), "account": ("i4", ())}, {"account": NOBODY})
        self.arrived = 0
        """Values that ever arrived; the next one's place is this modulo the capacity."""
        self._index = RowIndex(lambda rows: self.table["key"][rows])

    def __len__(self) -> int:
        return len(self._index)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.table.nbytes + self._index.nbytes

    def holders(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the account of each value, `NOBODY` or `GONE`, shape (B,)."""
        rows = self._index.get(keys)
        return np.where(rows >= 0, self.table["account"][rows], NOBODY)

    def add(self, keys: NDArray[np.uint64], accounts: NDArray) -> None:
        """Remember values (B,), different and not known, each of one account."""
        for start in range(0, len(keys), self.capacity):
            self._append(keys[start : start + self.capacity], accounts[start : start + self.capacity])

    def _append(self, keys: NDArray[np.uint64], accounts: NDArray) -> None:
        places = (self.arrived + np.arange(len(keys))) % self.capacity
        self.arrived += len(keys)
        old = places[places < self.table.rows]
        old = old[self.table["account"][old] != NOBODY]
        self._index.remove(self.table["key"][old])
        if places.max() >= self.table.rows:
            self.table.extend(int(places.max()) + 1 - self.table.rows)
        self.table["key"][places], self.table["account"][places] = keys, accounts
        self.table.touch(places)
        self._index.add(places)

    def remove(self, keys: NDArray[np.uint64]) -> None:
        """Forget values, all known and different."""
        rows = self._index.get(keys)
        self._index.remove(keys)
        self.table["account"][rows] = NOBODY
        self.table.touch(rows)

    def forget_accounts(self, gone: NDArray[np.bool_]) -> None:
        """Note that the accounts marked in `gone` (accounts,) are no longer known; their values are."""
        account = self.table["account"][: self.table.rows]
        rows = np.flatnonzero(account >= 0)
        rows = rows[gone[account[rows]]]
        self.table["account"][rows] = GONE
        self.table.touch(rows)

    def restore(self, items: Iterable[tuple[str, bytes]], arrived: int) -> None:
        """Put back the table's pages, `singles/…`, and `arrived`."""
        self.table.restore("singles", items)
        self.arrived = arrived
        self._index.load(np.flatnonzero(self.table["account"][: self.table.rows] != NOBODY))
