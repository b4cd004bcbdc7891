"""Row numbers by 64-bit key, for a batch of keys at once: open addressing over one array of row numbers.

The keys stay in the table whose rows are indexed, so that an entry costs four bytes and the slack (linear probing:
Knuth, TAOCP vol. 3, section 6.4, algorithm L). An index is derived, hence no part of a snapshot; nothing but speed
depends on where an entry stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import plain
from detectors.windows.probing import EMPTY, REMOVED, find, find_pair, put

FULL = 0.5
"""Load from which the array grows …"""
AFTER = 0.3
"""… to this load."""
HALF = np.uint64(32)


class RowIndex:
    """Finds the row that holds a key.

    Args:
        keys: returns the keys of rows, (B,) to (B,) uint64; asked about all rows too, `slice(None)`, and then best a
            view of the column.
    """

    def __init__(self, keys: Callable[[Any], NDArray[np.uint64]]) -> None:
        self._keys = keys
        self._slots = np.full(64, EMPTY, np.int32)
        self._taken = 0
        self._removed = 0

    def __len__(self) -> int:
        return self._taken - self._removed

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._slots.nbytes

    def get(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the row of each key, −1 for one not known, shape (B,)."""
        return self._find(keys)[0]

    def _find(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the row of each key and the slot where the search ended."""
        keys = plain(keys, np.uint64)
        rows, ends = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
        self._search(keys, rows, ends)
        return rows, ends

    def _search(self, keys: NDArray, rows: NDArray, ends: NDArray) -> None:
        find(self._slots, self._keys(slice(None)), keys, rows, ends)

    def add(self, rows: NDArray) -> None:
        """Add rows whose keys are all different and not known."""
        if self._taken + len(rows) > FULL * len(self._slots):
            live = self._slots[self._slots >= 0]
            self.load(np.concatenate([live, np.asarray(rows, np.int32)]))
        else:
            self._place(np.asarray(rows, np.int32))

    def load(self, rows: NDArray) -> None:
        """Hold `rows` and nothing else; their keys are all different."""
        self._slots = np.full(max(64, int(len(rows) / AFTER)), EMPTY, np.int32)
        self._taken = self._removed = 0
        self._place(np.asarray(rows, np.int32))

    def _place(self, rows: NDArray[np.int32]) -> None:
        self._taken += len(rows)
        put(self._slots, self._keys(rows), rows)

    def remove(self, keys: NDArray[np.uint64]) -> None:
        """Forget keys, all known and different; call before the rows lose them."""
        _, slot = self._find(keys)
        self._slots[slot] = REMOVED
        self._removed += len(keys)


class PairIndex(RowIndex):
    """Finds the row that holds a pair of numbers from 0 to before 2^31.

    Args:
        columns: returns the two columns, int32.
    """

    def __init__(self, columns: Callable[[], tuple[NDArray, NDArray]]) -> None:
        super().__init__(lambda rows: pairs(*(column[rows] for column in columns())))
        self._columns = columns

    def _search(self, keys: NDArray, rows: NDArray, ends: NDArray) -> None:
        find_pair(self._slots, *self._columns(), keys, rows, ends)


def pairs(high: NDArray, low: NDArray) -> NDArray[np.uint64]:
    """Return the keys of pairs of numbers, shape (B,)."""
    return high.astype(np.uint64) << HALF | low.astype(np.uint64)
