"""A set of 64-bit keys in buckets of eight, one cache line each, asked about a batch at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WAYS = 8
FULL = 4.5
"""Keys per bucket, on average, from which the buckets are doubled: 14 bytes a key when full, 28 just after."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_UNMIX = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))


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
        bucket = self._bucket(mixed)
        same = self._buckets.take(bucket, axis=0) == mixed[:, None]
        result = same.view(np.uint64).reshape(-1) != 0  # eight booleans at once
        if self._beside:
            unsure = np.flatnonzero(~result & (self._held[bucket] == WAYS))
            result[unsure] = [key in self._beside for key in mixed[unsure].tolist()]
        return np.asarray(result, bool)

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
        mixed = np.sort(mixed)
        bucket = self._bucket(mixed)
        place = _rank(bucket) + self._held[bucket]
        fits = place < WAYS
        if not fits.all():
            self._beside.update(mixed[~fits].tolist())
            mixed, bucket, place = mixed[fits], bucket[fits], place[fits]
        self._buckets[bucket, place] = mixed
        self._held[bucket] = place + 1  # ascending: the last of a bucket stands

    def keys(self) -> NDArray[np.uint64]:
        """Return the keys, ascending."""
        return np.sort(self._all() * _UNMIX)

    def _all(self) -> NDArray[np.uint64]:
        return np.concatenate([self._buckets[self._buckets > 0], np.array(list(self._beside), np.uint64)])

    def _bucket(self, mixed: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (mixed >> np.uint64(64 - self._bits)).astype(np.int64)


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = keys * _MIX
    mixed[mixed == 0] = 1
    return mixed


def _rank(ascending: NDArray) -> NDArray[np.int64]:
    """Return the place of each number among its equals."""
    place = np.arange(len(ascending))
    first = np.ones(len(ascending), bool)
    first[1:] = ascending[1:] != ascending[:-1]
    return place - np.maximum.accumulate(np.where(first, place, 0))
