"""The different values of an array that has few, compiled: one pass instead of a sort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import SPREAD, compiled

SLOTS = 4_096
MOST = 1_024
"""With more different values than this, sorting is as good."""


@compiled("Tuple((int64[::1], int64[::1]))(Array(uint64, 1, 'A', readonly=True))")
def _few(values: NDArray) -> tuple[NDArray, NDArray]:
    slots, inverse = np.full(SLOTS, -1), np.empty(len(values), np.int64)
    first, count = np.empty(MOST, np.int64), 0
    for place in range(len(values)):
        value = values[place]
        slot = np.int64(value * SPREAD >> np.uint64(52))
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
