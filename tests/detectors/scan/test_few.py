"""Few different values, many, none: as numpy says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.scan.few import MOST, few


@given(st.lists(st.integers(0, 20) | st.integers(0, 2**64 - 1), max_size=50))
def test_few_values(values: list[int]) -> None:
    array = np.array(values, np.uint64)
    unique, first, inverse = few(array)
    assert unique.tolist() == list(dict.fromkeys(values))
    assert array[first].tolist() == unique.tolist()
    assert unique[inverse].tolist() == values


@pytest.mark.parametrize("many", [MOST, MOST + 1, 5 * MOST])
def test_many_values_are_sorted_at_last(many: int) -> None:
    array = np.random.default_rng(many).permutation(np.arange(many).repeat(2)).astype(np.uint64)
    unique, first, inverse = few(array)
    assert sorted(unique.tolist()) == list(range(many))
    assert (unique[inverse] == array).all()
    assert (array[first] == unique).all()


def test_a_column_of_a_table() -> None:
    table = np.arange(12, dtype=np.uint64).reshape(4, 3)
    assert few(table[:, 1])[0].tolist() == [1, 4, 7, 10]
