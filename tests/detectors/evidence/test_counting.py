"""Values that members share, against counting them pair by pair."""

import numpy as np

from detectors.evidence.counting import sharing, sum_rows


def test_who_has_the_same_value() -> None:
    rng = np.random.default_rng(3)
    group, value = np.sort(rng.integers(0, 4, 80)), rng.integers(0, 9, 80).astype(np.int32)
    house = rng.integers(0, 3, 80).astype(np.uint64)
    count, crosses = sharing(group, value, house, 9)
    for place in range(80):
        same = (group == group[place]) & (value == value[place])
        assert count[place] == same.sum()
        assert crosses[place] == (len(set(house[same].tolist())) > 1)


def test_sums_of_rows_are_those_of_numpy() -> None:
    rng = np.random.default_rng(4)
    table, rows = rng.random((50, 256)).astype(np.float32), rng.integers(0, 50, 33)
    assert np.array_equal(sum_rows(table, rows) / 33, table[rows].mean(0, dtype=np.float64))
