"""A set of 64-bit keys in buckets of eight, one cache line each, asked about a batch at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.windows.probing import MIX, PRESENT, UNSURE, in_buckets, put_in_buckets

WAYS = 8
FULL = 4.5
"""Keys per bucket, on average, from which the buckets are doubled: 14 bytes a key when full, 28 just after."""
_UNMIX = np.uint64(pow(int(MIX), -1, 1 << 64))


class KeySet:
    """Keys are multiplied by an odd constant, which loses nothing; the leading bits name the bucket.

    What does not fit its bucket (under 2 % of the keys) stands in a set beside it. Key 0 shares the place of one other.

    Args:
        expected: how many keys to make room for.
    """

    def __init__(self, expected: int = 0) -> None:
        self._bits = max(4, int(np.ceil(np.log2(max(expected, 1) / FULL))))
        self._buckets = np.zeros((1 << self._bits, WAYS), np.uint64)
        self._held = np.zeros(1 << self._bits, np.uint8)
        self._beside: set[int] = set()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of the buckets."""
        return self._buckets.nbytes + self._held.nbytes

    def has(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which of `keys` (B,) are in the set."""
        mixed = _mixed(keys)
        found = in_buckets(self._buckets, self._held, self._shift, mixed)
        if self._beside:
            unsure = np.flatnonzero(found == UNSURE)
            found[unsure] = [key in self._beside for key in mixed[unsure].tolist()]
        return np.asarray(found == PRESENT, bool)

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Add `keys` (B,), all different and not in the set."""
        self._count += len(keys)
        mixed = _mixed(keys)
        if self._count > FULL * len(self._held):
            mixed = np.concatenate([self._all(), mixed])
            self._bits = max(int(np.ceil(np.log2(self._count / FULL))), self._bits + 1)
            self._buckets = np.zeros((1 << self._bits, WAYS), np.uint64)
            self._held = np.zeros(1 << self._bits, np.uint8)
            self._beside = set()
        beside = put_in_buckets(self._buckets, self._held, self._shift, mixed)
        if beside.any():
            self._beside.update(mixed[beside].tolist())

    def keys(self) -> NDArray[np.uint64]:
        """Return the keys, ascending."""
        return np.sort(self._all() * _UNMIX)

    def _all(self) -> NDArray[np.uint64]:
        return np.concatenate([self._buckets[self._buckets > 0], np.array(list(self._beside), np.uint64)])

    @property
    def _shift(self) -> np.uint64:
        """What leaves the bits that name the bucket."""
        return np.uint64(64 - self._bits)


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = keys * MIX
    mixed[mixed == 0] = 1
    return mixed
