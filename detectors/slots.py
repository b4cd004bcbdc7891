"""When within a tick: a bit per slot, and how often accounts met in one beyond chance.

A tick has 90 slots (10 s of a 15-minute tick). Two accounts meet when they are active in the same slot. Chance is what
each account's own activity gives when its slots are shifted at random within the tick, so the hour of the day, which
moves everybody alike, does not count (DETECTION §3.3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import by_row, compiled, sort_runs

SLOTS = 90
WORDS = 2


def masks(time: NDArray, tick_ms: int) -> NDArray[np.uint64]:
    """Return the slot of each time (B,) in ms as one bit of two words, shape (B, 2)."""
    slot = time % tick_ms * SLOTS // tick_ms
    result = np.zeros((len(time), WORDS), np.uint64)
    result[np.arange(len(time)), slot >> 6] = np.uint64(1) << (slot & 63).astype(np.uint64)
    return result


def meetings(group: NDArray, account: NDArray, slots: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Count the meetings of different accounts in each group within one tick.

    Args:
        group, account: of each row, shape (B,); an account may have several rows in a group.
        slots: masks, shape (B, 2).

    Returns:
        The different groups (G,), their meetings (G,), and the meetings that chance gives (G,).
    """
    clusters, number = _numbered(group)
    order, _, start = by_row(number, len(clusters))
    sort_runs(order, start, account.astype(np.int64))
    met, total, squares = _slot_sums(order, start, account.astype(np.int64), slots)
    return clusters, met, (total**2 - squares) / (2.0 * SLOTS)


def _numbered(group: NDArray) -> tuple[NDArray, NDArray]:
    """Return the different groups (numbers from 0 on), ascending, and which of them each row is of."""
    seen = np.zeros(int(group.max(initial=-1)) + 1, bool)
    seen[group] = True
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[group]


@compiled("Tuple((float64[::1], float64[::1], float64[::1]))(int64[::1], int64[::1], int64[::1], uint64[:,::1])")
def _slot_sums(order: NDArray, start: NDArray, account: NDArray, slots: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return of each group its meetings, and the sum and the sum of squares of its accounts' active slots."""
    groups = len(start) - 1
    met, total, squares = np.zeros(groups), np.zeros(groups), np.zeros(groups)
    each = np.zeros(64 * WORDS, np.int64)
    for group in range(groups):
        for slot in range(len(each)):
            each[slot] = 0
        place = start[group]
        while place < start[group + 1]:
            one = account[order[place]]
            first, last = slots[order[place], 0], slots[order[place], 1]
            place += 1
            while place < start[group + 1] and account[order[place]] == one:
                first, last = first | slots[order[place], 0], last | slots[order[place], 1]
                place += 1
            active = 0
            for slot in range(len(each)):
                word = first if slot < 64 else last
                if (word >> np.uint64(slot & 63)) & np.uint64(1):
                    each[slot] += 1
                    active += 1
            total[group] += active
            squares[group] += active * active
        for slot in range(len(each)):
            met[group] += each[slot] * (each[slot] - 1.0) / 2.0
    return met, total, squares
