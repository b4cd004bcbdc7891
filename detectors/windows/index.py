"""Row numbers by 64-bit key, for a batch of keys at once: open addressing over one array of row numbers.

The keys stay in the table whose rows are indexed, so that an entry costs four bytes and the slack (linear probing:
Knuth, TAOCP vol. 3, section 6.4, algorithm L). An index is derived, hence no part of a snapshot; nothing but speed
depends on where an entry stands.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

EMPTY, REMOVED = -1, -2
FULL = 0.5
"""Load from which the array grows …"""
AFTER = 0.3
"""… to this load."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


class RowIndex:
    """Finds the row that holds a key.

    Args:
        keys: returns the keys of rows, (B,) to (B,) uint64; asked about rows −1 and −2 too, for which anything will do.
    """

    def __init__(self, keys: Callable[[NDArray], NDArray[np.uint64]]) -> None:
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
        slot = self._home(keys)
        found = self._slots[slot].astype(np.int64)
        open_ = np.flatnonzero((found != EMPTY) & ((found < 0) | (self._keys(found) != keys)))
        size = len(self._slots)
        while len(open_):
            at = slot[open_] + 1
            at[at == size] = 0
            row = self._slots[at]
            slot[open_], found[open_] = at, row
            more = (row != EMPTY) & ((row < 0) | (self._keys(row) != keys[open_]))
            open_ = open_[more]
        return found, slot

    def _home(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (((keys * _MIX) >> _HALF) * np.uint64(len(self._slots)) >> _HALF).astype(np.int64)

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
        slot = self._home(self._keys(rows))
        while len(rows):
            free = self._slots[slot] == EMPTY
            self._slots[slot[free]] = rows[free]
            left = self._slots[slot] != rows
            rows, slot = rows[left], (slot[left] + 1) % len(self._slots)

    def remove(self, keys: NDArray[np.uint64]) -> None:
        """Forget keys, all known and different; call before the rows lose them."""
        _, slot = self._find(keys)
        self._slots[slot] = REMOVED
        self._removed += len(keys)
