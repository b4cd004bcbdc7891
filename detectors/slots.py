"""When within a tick: a bit per slot, and how often accounts met in one beyond chance.

A tick has 90 slots (10 s of a 15-minute tick). Two accounts meet when they are active in the same slot. Chance is what
each account's own activity gives when its slots are shifted at random within the tick, so the hour of the day, which
moves everybody alike, does not count (DETECTION §3.3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    order = np.lexsort((account, group))
    group, account, slots = group[order], account[order], slots[order]
    changed = np.concatenate([[True], (np.diff(group) != 0) | (np.diff(account) != 0)])
    start = np.flatnonzero(changed)
    group, slots = group[start], np.bitwise_or.reduceat(slots, start, axis=0)
    unique, first, number = np.unique(group, return_index=True, return_inverse=True)
    row, slot = np.nonzero(np.unpackbits(np.ascontiguousarray(slots).view(np.uint8), axis=1))
    bits = 64 * WORDS
    each = np.bincount(number[row] * bits + slot, minlength=len(unique) * bits).reshape(-1, bits).astype(np.float64)
    count = np.bitwise_count(slots).sum(1).astype(np.float64)
    total, squares = np.add.reduceat(count, first), np.add.reduceat(count**2, first)
    return unique, (each * (each - 1.0)).sum(1) / 2.0, (total**2 - squares) / (2.0 * SLOTS)
