"""What compiled loops are made with: one way to compile them, sorting in place, and runs of equal numbers.

A loop has one signature, or is always called alike, so that it is compiled once and found in numba's cache from then
on. Arrays are contiguous and writable. A loop does what several passes of numpy would, in one; exp, log and the like
stay with numpy, whose results in the last bit are not those of the C library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

_Function = TypeVar("_Function", bound=Callable[..., Any])
SPREAD = np.uint64(0x9E3779B97F4A7C15)
SHORT = 24
"""Things that are sorted by insertion."""


def compiled(signature: str | None = None) -> Callable[[_Function], _Function]:
    """Compile a function for `signature`, in numba's words, or at its first call; it may run beside other threads."""

    def compile_(function: _Function) -> _Function:
        try:
            loop: _Function = njit(signature, nogil=True, cache=True)(function)
        except RuntimeError:  # numba finds no directory that it may write its cache to
            loop = njit(signature, nogil=True)(function)
        return loop

    return compile_


def inlined(function: _Function) -> _Function:
    """Let compiled loops contain a function instead of calling it."""
    inside: _Function = njit(inline="always")(function)
    return inside


def plain(array: NDArray, dtype: DTypeLike) -> NDArray:
    """Return an array as compiled loops take it, a copy only if it is not of that type, contiguous and writable."""
    return np.require(array, dtype, ["C", "W"])


@compiled("void(uint64[::1], int64[::1], int64, uint64[::1], int64[::1])")
def sort_by_key(keys: NDArray, places: NDArray, count: int, spare_keys: NDArray, spare_places: NDArray) -> None:
    """Sort the first `count` of `keys` and, along with them, `places`; equal keys keep their order.

    Args:
        spare_keys, spare_places: at least as long; overwritten.
    """
    for start in range(0, count, SHORT):
        end = min(start + SHORT, count)
        for right in range(start + 1, end):
            key, place, left = keys[right], places[right], right
            while left > start and keys[left - 1] > key:
                keys[left], places[left] = keys[left - 1], places[left - 1]
                left -= 1
            keys[left], places[left] = key, place
    width = SHORT
    while width < count:
        for start in range(0, count, 2 * width):
            middle, end = min(start + width, count), min(start + 2 * width, count)
            if middle >= end or keys[middle - 1] <= keys[middle]:
                continue
            for place in range(start, middle):
                spare_keys[place], spare_places[place] = keys[place], places[place]
            one, other = start, middle
            for to in range(start, end):
                if one == middle:
                    break
                if other < end and keys[other] < spare_keys[one]:
                    keys[to], places[to] = keys[other], places[other]
                    other += 1
                else:
                    keys[to], places[to] = spare_keys[one], spare_places[one]
                    one += 1
        width *= 2


@compiled("Tuple((int64[::1], int64[::1], int64[::1]))(int64[::1], int64)")
def by_row(rows: NDArray, size: int) -> tuple[NDArray, NDArray, NDArray]:
    """Group positions by row, in their order.

    Args:
        rows: shape (B,), each from 0 to before `size`.

    Returns:
        The positions (B,), the different rows, ascending (A,), and where each one's positions start, and the end of
        all (A + 1,).
    """
    begin = np.zeros(size + 1, np.int32)
    for row in rows:
        begin[row + 1] += 1
    different = 0
    for row in range(size):
        different += begin[row + 1] > 0
    active, start = np.empty(different, np.int64), np.empty(different + 1, np.int64)
    different, total = 0, 0
    for row in range(size):
        count = begin[row + 1]
        if count:
            active[different], start[different] = row, total
            different += 1
        begin[row] = total
        total += count
    start[different] = total
    order = np.empty(len(rows), np.int64)
    for place in range(len(rows)):
        row = rows[place]
        order[begin[row]] = place
        begin[row] += 1
    return order, active, start


@compiled("void(int64[::1], int64[::1], int64[::1])")
def sort_runs(order: NDArray, start: NDArray, times: NDArray) -> None:
    """Sort the positions of each row, as `by_row` returns them, by the times (0 or more) of what stands there."""
    spare = 0
    for run in range(len(start) - 1):
        spare = max(spare, start[run + 1] - start[run])
    keys, spare_keys, spare_places = np.empty(spare, np.uint64), np.empty(spare, np.uint64), np.empty(spare, np.int64)
    for run in range(len(start) - 1):
        first, end = start[run], start[run + 1]
        sorted_already = True
        for place in range(first + 1, end):
            sorted_already &= times[order[place - 1]] <= times[order[place]]
        if not sorted_already:
            for place in range(first, end):
                keys[place - first] = np.uint64(times[order[place]])
            sort_by_key(keys, order[first:end], end - first, spare_keys, spare_places)


@compiled("int64[::1](int64[::1])")
def rank_in_run(numbers: NDArray) -> NDArray:
    """Return the place of each number among its equals, which stand together, shape (B,)."""
    rank = np.zeros(len(numbers), np.int64)
    for place in range(1, len(numbers)):
        if numbers[place] == numbers[place - 1]:
            rank[place] = rank[place - 1] + 1
    return rank


@compiled("Tuple((int64[::1], int64[::1]))(uint64[::1])")
def numbered(keys: NDArray) -> tuple[NDArray, NDArray]:
    """Number different keys in the order in which they come.

    Returns:
        The number of each key (B,), and where each number comes first, ascending (U,).
    """
    size = 16
    while size < 2 * len(keys):
        size *= 2
    slots, mask = np.full(size, -1, np.int32), size - 1
    number, first, different = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64), 0
    for place in range(len(keys)):
        slot = np.int64((keys[place] * SPREAD) >> np.uint64(32)) & mask
        while slots[slot] >= 0 and keys[first[slots[slot]]] != keys[place]:
            slot = (slot + 1) & mask
        if slots[slot] < 0:
            slots[slot], first[different] = different, place
            different += 1
        number[place] = slots[slot]
    return number, first[:different].copy()
