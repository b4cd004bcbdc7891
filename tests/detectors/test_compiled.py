"""Sorting and grouping in loops, as numpy does it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.compiled import by_row, numbered, rank_in_run, sort_by_key, sort_runs

NUMBERS = st.lists(st.integers(0, 40), max_size=300)


@given(NUMBERS)
def test_equal_keys_keep_their_order(numbers: list[int]) -> None:
    keys, places = np.array(numbers, np.uint64), np.arange(len(numbers))
    expected = np.argsort(keys, kind="stable")
    sort_by_key(keys, places, len(keys), keys.copy(), places.copy())
    assert places.tolist() == expected.tolist()
    assert keys.tolist() == sorted(numbers)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=300))
def test_requests_are_grouped_by_row_and_sorted_by_time(pairs: list[tuple[int, int]]) -> None:
    rows, times = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
    order, active, start = by_row(rows, 6)
    assert order.tolist() == np.argsort(rows, kind="stable").tolist()
    unique, first = np.unique(rows[order], return_index=True)
    assert (active.tolist(), start.tolist()) == (unique.tolist(), [*first.tolist(), len(rows)])
    sort_runs(order, start, times)
    assert order.tolist() == np.lexsort((times, rows)).tolist()


@given(NUMBERS)
def test_rank_among_equals(numbers: list[int]) -> None:
    ascending = np.sort(np.array(numbers, np.int64))
    expected = np.arange(len(ascending)) - np.searchsorted(ascending, ascending)
    assert rank_in_run(ascending).tolist() == expected.tolist()


@given(NUMBERS)
def test_keys_are_numbered_as_they_come(numbers: list[int]) -> None:
    number, first = numbered(np.array(numbers, np.uint64) << np.uint64(32))
    different = list(dict.fromkeys(numbers))
    assert number.tolist() == [different.index(one) for one in numbers]
    assert first.tolist() == [numbers.index(one) for one in different]
