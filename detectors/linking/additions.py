"""Loops that add a tick's traffic to rows of tables, and count meetings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled


@compiled("void(int64[::1], int64[::1], int64[::1], float64[::1], float32[:,::1], float32[:,::1])")
def add_decayed(order: NDArray, start: NDArray, rows: NDArray, kept: NDArray, table: NDArray, values: NDArray) -> None:
    """Let `table` (T, C) keep a part of `rows` (A,), and add `values` (B, C) to them, summed in double precision.

    Args:
        order, start: the values of each row (`detectors.compiled.by_row`).
        kept: of each row, shape (A,).
    """
    held = np.zeros(table.shape[1])
    for run in range(len(rows)):
        for column in range(len(held)):
            held[column] = 0.0
        for place in range(start[run], start[run + 1]):
            for column in range(len(held)):
                held[column] += values[order[place], column]
        for column in range(len(held)):
            table[rows[run], column] = table[rows[run], column] * kept[run] + held[column]


@compiled("void(int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])")
def extend_spans(
    order: NDArray,
    start: NDArray,
    rows: NDArray,
    table_first: NDArray,
    table_last: NDArray,
    first: NDArray,
    last: NDArray,
) -> None:
    """Let the spans of `rows` reach from the least of their `first` times to the greatest of their `last` ones.

    A first time of 0 in the table is not known.
    """
    for run in range(len(rows)):
        row = rows[run]
        for place in range(start[run], start[run + 1]):
            one = order[place]
            if table_first[row] == 0 or first[one] < table_first[row]:
                table_first[row] = first[one]
            table_last[row] = max(table_last[row], last[one])


@compiled("float64[::1](int64[::1], int64[::1], float64[::1])")
def sums_by_run(order: NDArray, start: NDArray, values: NDArray) -> NDArray:
    """Return the sum of the values (B,) of each run, one after the other, shape (A,)."""
    result = np.zeros(len(start) - 1)
    for run in range(len(result)):
        for place in range(start[run], start[run + 1]):
            result[run] += values[order[place]]
    return result


@compiled("void(int64[::1], float64[::1], float32[:,::1], int64[::1], int64[::1], float32[::1])")
def add_to_mix(
    rows: NDArray, kept: NDArray, table: NDArray, account: NDArray, name: NDArray, requests: NDArray
) -> None:
    """Let `table` (T, N) keep a part (A,) of `rows` (A,), and add the requests of each account and name to it."""
    for place in range(len(rows)):
        for column in range(table.shape[1]):
            table[rows[place], column] = table[rows[place], column] * kept[place]
    for place in range(len(account)):
        table[rows[account[place]], name[place]] += requests[place]


@compiled("boolean(int64[::1], int64[::1], uint64[::1])")
def ascending(first: NDArray, second: NDArray, third: NDArray) -> bool:
    """Tell whether rows of three numbers are in order."""
    for place in range(1, len(first)):
        if first[place] != first[place - 1]:
            if first[place] < first[place - 1]:
                return False
        elif second[place] != second[place - 1]:
            if second[place] < second[place - 1]:
                return False
        elif third[place] < third[place - 1]:
            return False
    return True
