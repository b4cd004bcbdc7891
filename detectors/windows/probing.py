"""Loops over open addressing: row numbers by key (`index`), keys in buckets (`keyset`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined

EMPTY, REMOVED = -1, -2
MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
ABSENT, PRESENT, UNSURE = 0, 1, 2


@inlined
def _home(key: np.uint64, size: np.uint64) -> Any:
    return np.int64((((key * MIX) >> _HALF) * size) >> _HALF)


@compiled("void(int32[::1], uint64[::1], uint64[::1], int64[::1], int64[::1])")
def find(slots: NDArray, column: NDArray, keys: NDArray, rows: NDArray, ends: NDArray) -> None:
    """Write the row of each key, `EMPTY` for one not known, to `rows`, and the slot where the search ended to `ends`.

    Args:
        slots: row numbers, `EMPTY` or `REMOVED`; some are `EMPTY`.
        column: the key of each row.
    """
    size = np.uint64(len(slots))
    for place in range(len(keys)):
        slot = _home(keys[place], size)
        row = slots[slot]
        while row != EMPTY and (row < 0 or column[row] != keys[place]):
            slot = slot + 1 if slot + 1 < len(slots) else 0
            row = slots[slot]
        rows[place], ends[place] = row, slot


@compiled("void(int32[::1], int32[::1], int32[::1], uint64[::1], int64[::1], int64[::1])")
def find_pair(slots: NDArray, high: NDArray, low: NDArray, keys: NDArray, rows: NDArray, ends: NDArray) -> None:
    """Do what `find` does where two columns are the halves of the key."""
    size = np.uint64(len(slots))
    for place in range(len(keys)):
        first, second = np.int64(keys[place] >> _HALF), np.int64(keys[place] & np.uint64(0xFFFF_FFFF))
        slot = _home(keys[place], size)
        row = slots[slot]
        while row != EMPTY and (row < 0 or high[row] != first or low[row] != second):
            slot = slot + 1 if slot + 1 < len(slots) else 0
            row = slots[slot]
        rows[place], ends[place] = row, slot


@compiled("void(int32[::1], uint64[::1], int32[::1])")
def put(slots: NDArray, keys: NDArray, rows: NDArray) -> None:
    """Put rows, none of which is there, into the first free slot from the home of their keys on."""
    size = np.uint64(len(slots))
    for place in range(len(rows)):
        slot = _home(keys[place], size)
        while slots[slot] != EMPTY:
            slot = slot + 1 if slot + 1 < len(slots) else 0
        slots[slot] = rows[place]


@compiled("uint8[::1](uint64[:,::1], uint8[::1], uint64, uint64[::1])")
def in_buckets(buckets: NDArray, held: NDArray, shift: np.uint64, mixed: NDArray) -> NDArray:
    """Return whether each key is `PRESENT` or `ABSENT` in the bucket that its leading bits name, or `UNSURE`: full."""
    result = np.zeros(len(mixed), np.uint8)
    for place in range(len(mixed)):
        bucket = np.int64(mixed[place] >> shift)
        for way in range(held[bucket]):
            if buckets[bucket, way] == mixed[place]:
                result[place] = PRESENT
        if result[place] == ABSENT and held[bucket] == buckets.shape[1]:
            result[place] = UNSURE
    return result


@compiled("boolean[::1](uint64[:,::1], uint8[::1], uint64, uint64[::1])")
def put_in_buckets(buckets: NDArray, held: NDArray, shift: np.uint64, mixed: NDArray) -> NDArray:
    """Put keys, none of which is there, into their buckets; return which found theirs full."""
    beside = np.zeros(len(mixed), np.bool_)
    for place in range(len(mixed)):
        bucket = np.int64(mixed[place] >> shift)
        if held[bucket] == buckets.shape[1]:
            beside[place] = True
        else:
            buckets[bucket, held[bucket]] = mixed[place]
            held[bucket] += 1
    return beside
