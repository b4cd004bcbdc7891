"""Rings of panes against a dictionary of panes."""

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.windows import PaneRing, Table
from detectors.windows.compiled import NARROW_MAX

PANE_MS, PANES = 1_000, 4
SUBJECTS = 3
BATCH = st.dictionaries(
    st.tuples(st.integers(0, SUBJECTS - 1), st.one_of(st.integers(0, 12), st.integers(10_000, 10_010))),
    st.tuples(st.integers(0, 100), st.integers(0, 100)),
    max_size=12,
)


def ring() -> PaneRing:
    table = Table(PaneRing.columns("r", PANES, 1, 1))
    table.extend(SUBJECTS)
    return PaneRing(table, "r", PANE_MS)


def add(target: PaneRing, batch: dict[tuple[int, int], tuple[int, int]]) -> None:
    keys = np.array(list(batch), np.int64).reshape(-1, 2)
    target.update(keys[:, 0], keys[:, 1], np.array(list(batch.values()), float).reshape(-1, 2))


class BruteForce:
    """Keeps every pane; a pane counts while no later one has taken its slot."""

    def __init__(self) -> None:
        self.panes: dict[int, dict[int, np.ndarray]] = defaultdict(lambda: defaultdict(lambda: np.zeros(2)))

    def add(self, row: int, pane: int, amount: tuple[int, int]) -> None:
        panes = self.panes[row]
        if any(other > pane and other % PANES == pane % PANES for other in panes):
            return
        panes[pane] += amount

    def sums(self, row: int, now: int) -> np.ndarray:
        panes = self.panes[row]
        live = [
            pane
            for pane in panes
            if now - PANES < pane <= now and not any(other > pane and other % PANES == pane % PANES for other in panes)
        ]
        return sum((panes[pane] for pane in live), np.zeros(2))


@given(st.lists(BATCH, max_size=6), st.integers(0, 12))
def test_sums_equal_brute_force_in_any_order_and_however_far_apart(batches: list[dict], now: int) -> None:
    subject, truth = ring(), BruteForce()
    for batch in batches:
        add(subject, batch)
        for (row, pane), amount in sorted(batch.items(), key=lambda item: item[0][1]):
            truth.add(row, pane, amount)
    newest = max((pane for batch in batches for _, pane in batch), default=0)
    for moment in (newest, newest + now, newest + 10_000):
        found = subject.sums(np.arange(SUBJECTS), moment * PANE_MS + 999)
        assert found.tolist() == [truth.sums(row, moment).tolist() for row in range(SUBJECTS)]


def test_out_of_order_within_the_ring_counts_and_older_does_not() -> None:
    subject = ring()
    add(subject, {(0, 9): (1, 1)})
    add(subject, {(0, 7): (2, 2)})
    add(subject, {(0, 5): (4, 4)})
    assert subject.sums(np.array([0]), 9 * PANE_MS).tolist() == [[3.0, 3.0]]


def test_panes_leave_the_window_one_by_one() -> None:
    subject = ring()
    add(subject, {(0, pane): (1, 1) for pane in range(4)})
    totals = [subject.sums(np.array([0]), pane * PANE_MS)[0, 0] for pane in range(3, 9)]
    assert totals == [4, 3, 2, 1, 0, 0]


def test_narrow_counts_stop_at_their_maximum() -> None:
    subject = ring()
    for _ in range(3):
        add(subject, {(0, 1): (40_000, 40_000)})
    assert subject.sums(np.array([0]), PANE_MS).tolist() == [[120_000.0, float(NARROW_MAX)]]
