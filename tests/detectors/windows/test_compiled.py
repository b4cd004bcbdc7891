"""Sums by pane against numpy; rings and bitmaps have tests of their own."""

import numpy as np

from detectors.compiled import by_row, sort_runs
from detectors.windows.compiled import join_panes, sum_by_pane

REQUESTS, PANE_MS, RATIO = 500, 100, 4


def plain(rows: np.ndarray, pane: np.ndarray, values: np.ndarray) -> tuple[list, list]:
    keys, inverse = np.unique(np.stack([rows, pane], axis=1), axis=0, return_inverse=True)
    sums = np.zeros((len(keys), values.shape[1]))
    np.add.at(sums, inverse, values)
    return keys.tolist(), sums.tolist()


def test_sums_by_short_and_long_panes() -> None:
    rng = np.random.default_rng(0)
    number, times = rng.integers(0, 9, REQUESTS), rng.integers(0, 3_000, REQUESTS)
    counts = rng.integers(0, 100_000, (REQUESTS, 5)).astype(np.float32)
    order, active, start = by_row(number, 9)
    sort_runs(order, start, times)
    chosen = np.array([0, 3])
    rows, pane, sums = sum_by_pane(active * 10, order, start, times, counts, PANE_MS, chosen)
    keys, expected = plain(number * 10, times // PANE_MS, counts[:, chosen])
    assert np.stack([rows, pane], axis=1).tolist() == keys
    assert sums.tolist() == [[*each, 1.0] for each in expected]
    longer = join_panes(rows, pane, sums, RATIO, np.array([1, 2]))
    keys, expected = plain(rows, pane // RATIO, sums[:, [1, 2]])
    assert np.stack(longer[:2], axis=1).tolist() == keys
    assert longer[2].tolist() == expected
