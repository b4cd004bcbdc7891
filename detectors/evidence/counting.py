"""Loops over the members of groups laid end to end: who has the same value, and means of rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled


@compiled("Tuple((int64[::1], boolean[::1]))(int64[::1], int32[::1], uint64[::1], int64)")
def sharing(group: NDArray, value: NDArray, house: NDArray, values: int) -> tuple[NDArray, NDArray]:
    """Return how many rows of its group have the value of each row, and whether two houses have it there.

    Args:
        group: ascending, shape (R,).
        value: below `values`, shape (R,).
        house: shape (R,).
    """
    count, crosses = np.empty(len(group), np.int64), np.empty(len(group), np.bool_)
    seen, begun = np.zeros(values, np.int32), np.zeros(values, np.int32)
    low, high = np.empty(values, np.uint64), np.empty(values, np.uint64)
    first = 0
    while first < len(group):
        end = first
        while end < len(group) and group[end] == group[first]:
            one = value[end]
            if begun[one] != first + 1:
                begun[one], seen[one], low[one], high[one] = first + 1, 0, house[end], house[end]
            seen[one] += 1
            low[one], high[one] = min(low[one], house[end]), max(high[one], house[end])
            end += 1
        for place in range(first, end):
            count[place], crosses[place] = seen[value[place]], low[value[place]] < high[value[place]]
        first = end
    return count, crosses


@compiled("float64[::1](float32[:,::1], int64[::1])")
def sum_rows(table: NDArray, rows: NDArray) -> NDArray:
    """Return the sum of `rows` of a table, one after the other, shape (columns,)."""
    total = np.zeros(table.shape[1])
    for row in rows:
        for column in range(len(total)):
            total[column] += table[row, column]
    return total
