"""Traffic added to tables in loops, as numpy adds it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.compiled import by_row
from detectors.linking import additions
from detectors.linking.traits import BITS, sum_bits

ROWS, VALUES = 12, 300


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_rows_keep_a_part_and_take_in_sums(rng: np.random.Generator) -> None:
    rows = rng.integers(0, ROWS, VALUES)
    table = rng.random((ROWS, 3)).astype(np.float32)
    values = rng.random((VALUES, 3)).astype(np.float32)
    order, unique, start = by_row(rows, ROWS)
    kept = rng.random(len(unique))
    sums = np.zeros((len(unique), 3))
    np.add.at(sums, np.searchsorted(unique, rows), values)
    expected = table.copy()
    expected[unique] = expected[unique] * kept[:, None] + sums
    additions.add_decayed(order, start, unique, kept, table, values)
    assert np.array_equal(table, expected)
    one = values[:, 0].astype(np.float64)
    found = additions.sums_by_run(order, start, one)
    assert found.tolist() == np.bincount(np.searchsorted(unique, rows), one).tolist()


def test_spans_reach_as_far_as_the_times(rng: np.random.Generator) -> None:
    rows = rng.integers(0, ROWS, VALUES)
    first = rng.integers(1, 1_000, VALUES)
    last = first + rng.integers(0, 100, VALUES)
    began, ended = rng.integers(0, 2, ROWS) * 500, np.full(ROWS, 700)
    expected = [
        [min([*first[rows == row], *([began[row]] if began[row] else [])]) for row in range(ROWS)],
        [max([*last[rows == row], 700]) for row in range(ROWS)],
    ]
    order, unique, start = by_row(rows, ROWS)
    additions.extend_spans(order, start, unique, began, ended, first, last)
    assert [began.tolist(), ended.tolist()] == expected


def test_mixes_fade_and_grow(rng: np.random.Generator) -> None:
    rows, kept = np.array([4, 1, 7]), rng.random(3)
    table = rng.random((ROWS, 5)).astype(np.float32)
    account, name = rng.integers(0, 3, 40), rng.integers(0, 5, 40)
    requests = rng.integers(1, 9, 40).astype(np.float32)
    expected = table.copy()
    expected[rows] *= kept[:, None]
    np.add.at(expected, (rows[account], name), requests)
    additions.add_to_mix(rows, kept, table, account, name, requests)
    assert np.array_equal(table, expected)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), max_size=6))
def test_what_is_in_order(numbers: list[tuple[int, int, int]]) -> None:
    first, second, third = np.array(numbers, np.int64).reshape(-1, 3).T.copy()
    assert additions.ascending(first, second, third.astype(np.uint64)) == (numbers == sorted(numbers))


def test_weights_of_bits(rng: np.random.Generator) -> None:
    words, group, weight = rng.integers(0, 1 << 63, 50).astype(np.uint64), rng.integers(0, 3, 50), rng.random(50)
    bits = (words[:, None] >> np.arange(BITS, dtype=np.uint64)) & np.uint64(1)
    expected = [(bits * weight[:, None])[group == number].sum(0) for number in range(3)]
    assert sum_bits(words, group, weight, 3) == pytest.approx(np.array(expected))
