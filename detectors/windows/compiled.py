"""Loops over the rows of windows: rings of panes, bitmaps of distinct values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

NARROW_MAX = np.iinfo("u2").max
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_POPCOUNT = (np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F))


@compiled("void(float32[:,:,::1], uint16[:,:,::1], int32[::1], int64[::1], int64[::1], float32[:,::1])")
def add_to_panes(wide: NDArray, narrow: NDArray, newest: NDArray, rows: NDArray, pane: NDArray, sums: NDArray) -> None:
    """Add `sums` to the panes of rings, see `panes.PaneRing.update`; equal rows stand together."""
    panes, columns, small = wide.shape[1], wide.shape[2], narrow.shape[2]
    first = 0
    while first < len(rows):
        row, end = rows[first], first + 1
        latest = max(np.int64(newest[row]), pane[first])
        while end < len(rows) and rows[end] == row:
            latest = max(latest, pane[end])
            end += 1
        before = np.int64(newest[row])
        for gone in range(max(before - panes, latest - 2 * panes) + 1, latest - panes + 1):
            for column in range(columns):
                wide[row, gone % panes, column] = 0
            for column in range(small):
                narrow[row, gone % panes, column] = 0
        newest[row] = latest
        for place in range(first, end):
            if pane[place] > latest - panes:
                slot = pane[place] % panes
                for column in range(columns):
                    wide[row, slot, column] += sums[place, column]
                for column in range(small):
                    total = np.float32(narrow[row, slot, column]) + sums[place, columns + column]
                    narrow[row, slot, column] = np.uint16(min(total, np.float32(NARROW_MAX)))
        first = end


@compiled("float64[:,::1](float32[:,:,::1], uint16[:,:,::1], int32[::1], int64[::1], int64)")
def sum_panes(wide: NDArray, narrow: NDArray, newest: NDArray, rows: NDArray, now: int) -> NDArray:
    """Return the sums over the panes up to `now`, see `panes.PaneRing.sums`."""
    panes, columns, small = wide.shape[1], wide.shape[2], narrow.shape[2]
    result = np.zeros((len(rows), columns + small))
    for place in range(len(rows)):
        row = rows[place]
        latest = int(newest[row])
        for pane in range(max(latest, now) - panes + 1, min(latest, now) + 1):
            slot = pane % panes
            for column in range(columns):
                result[place, column] += wide[row, slot, column]
            for column in range(small):
                result[place, columns + column] += narrow[row, slot, column]
    return result


@compiled(
    "Tuple((int64[::1], int64[::1], float32[:,::1]))(int64[::1], int64[::1], int64[::1], int64[::1], float32[:,::1],"
    " int64, int64[::1])"
)
def sum_by_pane(
    rows: NDArray, order: NDArray, start: NDArray, times: NDArray, counts: NDArray, pane_ms: int, chosen: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Sum `counts` (B, C) over the rows' panes of `pane_ms`, in double precision, so that no order is better.

    Args:
        rows: shape (A,).
        order, start: the positions of each row in `times` and `counts`, by time (`detectors.compiled`).
        chosen: columns of `counts` that are summed, shape (K,).

    Returns:
        Rows (U,), panes (U,) and sums (U, K + 1), the last of them 1: the pane was active.
    """
    total = 0
    for run in range(len(rows)):
        pane = np.int64(-1)
        for place in range(start[run], start[run + 1]):
            now = times[order[place]] // pane_ms
            total += now != pane
            pane = now
    row, panes = np.empty(total, np.int64), np.empty(total, np.int64)
    sums = np.empty((total, len(chosen) + 1), np.float32)
    held = np.zeros(len(chosen))
    at = -1
    for run in range(len(rows)):
        pane = np.int64(-1)
        for place in range(start[run], start[run + 1]):
            one = order[place]
            now = times[one] // pane_ms
            if now != pane:
                pane, at = now, at + 1
                row[at], panes[at], sums[at, -1] = rows[run], pane, 1
                for column in range(len(chosen)):
                    held[column] = 0
            for column in range(len(chosen)):
                held[column] += counts[one, chosen[column]]
                sums[at, column] = held[column]
    return row, panes, sums


@compiled("Tuple((int64[::1], int64[::1], float32[:,::1]))(int64[::1], int64[::1], float32[:,::1], int64, int64[::1])")
def join_panes(
    rows: NDArray, pane: NDArray, sums: NDArray, ratio: int, chosen: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Sum what `sum_by_pane` returned over panes `ratio` times as long; `chosen` (K,) are columns of its sums."""
    total = 0
    for place in range(len(rows)):
        same = place > 0 and rows[place] == rows[place - 1] and pane[place] // ratio == pane[place - 1] // ratio
        total += not same
    row, panes = np.empty(total, np.int64), np.empty(total, np.int64)
    result = np.empty((total, len(chosen)), np.float32)
    held = np.zeros(len(chosen))
    at = -1
    for place in range(len(rows)):
        same = place > 0 and rows[place] == rows[place - 1] and pane[place] // ratio == pane[place - 1] // ratio
        if not same:
            at += 1
            row[at], panes[at] = rows[place], pane[place] // ratio
            for column in range(len(chosen)):
                held[column] = 0
        for column in range(len(chosen)):
            held[column] += sums[place, chosen[column]]
            result[at, column] = held[column]
    return row, panes, result


@compiled("void(uint64[:,:,::1], int32[::1], int64[::1], uint64[::1], int64, uint64)")
def mark_values(maps: NDArray, periods: NDArray, rows: NDArray, values: NDArray, now: int, shift: np.uint64) -> None:
    """Mark hashes in the bitmaps of rows, see `distinct.Distinct.update`."""
    for place in range(len(rows)):
        row = rows[place]
        if periods[row] < now:
            for word in range(maps.shape[2]):
                maps[row, 1, word] = maps[row, 0, word] if periods[row] == now - 1 else np.uint64(0)
                maps[row, 0, word] = 0
            periods[row] = now
        bit = (values[place] * _SPREAD) >> shift
        maps[row, 0, np.int64(bit >> np.uint64(6))] |= np.uint64(1) << (bit & np.uint64(63))


@compiled("int64[::1](uint64[:,:,::1], int32[::1], int64[::1], int64)")
def marked(maps: NDArray, periods: NDArray, rows: NDArray, now: int) -> NDArray:
    """Return how many bits are set in this period's and the previous one's map of each row, shape (B,)."""
    odd, pairs, fours = _POPCOUNT
    result = np.zeros(len(rows), np.int64)
    for place in range(len(rows)):
        row = rows[place]
        for word in range(maps.shape[2]):
            bits = np.uint64(0)
            if periods[row] == now:
                bits = maps[row, 0, word] | maps[row, 1, word]
            elif periods[row] == now - 1:
                bits = maps[row, 0, word]
            bits -= (bits >> np.uint64(1)) & odd
            bits = (bits & pairs) + ((bits >> np.uint64(2)) & pairs)
            bits = (bits + (bits >> np.uint64(4))) & fours
            result[place] += np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return result
