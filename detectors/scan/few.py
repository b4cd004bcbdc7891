"""The different values of an array that has few, compiled: one pass instead of a sort."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

SLOTS = 4_096
MOST = 1_024
"""With more different values than this, sorting is as good."""


@njit(
    types.Tuple((types.int64[::1], types.int64[::1]))(types.Array(types.uint64, 1, "A", readonly=True)),
    nogil=True,
    cache=True,
)
def _few(values):  # type: ignore[no-untyped-def]
    slots, inverse = np.full(SLOTS, -1), np.empty(len(values), np.int64)
    first, count = np.empty(MOST, np.int64), 0
    for place in range(len(values)):
        value = values[place]
        slot = np.int64(value * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(52))
        while slots[slot] >= 0 and values[first[slots[slot]]] != value:
            slot = (slot + 1) % SLOTS
        if slots[slot] < 0:
            if count == MOST:
                return first[:0], inverse
            first[count] = place
            slots[slot] = count
            count += 1
        inverse[place] = slots[slot]
    return first[:count], inverse


def few(values: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the different values, where each comes first, and which of them each value is, as `numpy.unique` does.

    In the order in which they come, if there are few.
    """
    first, inverse = _few(values)
    if len(values) and not len(first):
        return np.unique(values, return_index=True, return_inverse=True)
    return values[first], first, inverse
