"""Which ids are remembered, and for how long."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.duplicates import RecentIds

IDS = st.lists(st.integers(0, 60), max_size=120)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=5)


def feed(subject: RecentIds, ids: list[int], sizes: list[int]) -> list[bool]:
    result: list[bool] = []
    turn = 0
    while len(result) < len(ids):
        result += subject.first_seen(ids[len(result) : len(result) + sizes[turn % len(sizes)]]).tolist()
        turn += 1
    return result


def test_the_first_of_each_id_is_new_within_a_batch_and_across() -> None:
    subject = RecentIds(10)
    assert subject.first_seen([1, 2, 1]).tolist() == [True, True, False]
    assert subject.first_seen([3, 2]).tolist() == [True, False]
    assert subject.first_seen([]).tolist() == []


@given(IDS, SIZES, st.integers(1, 20))
def test_the_latest_ids_are_remembered_and_memory_is_bounded(ids: list[int], sizes: list[int], capacity: int) -> None:
    subject = RecentIds(capacity)
    new = feed(subject, ids, sizes)
    assert len(subject) <= 2 * capacity
    accepted: list[int] = []
    for number, first in zip(ids, new, strict=True):
        if number in accepted[-capacity:]:
            assert not first
        if number not in accepted:
            assert first
        if first:
            accepted.append(number)


@given(IDS, SIZES, st.integers(1, 20))
def test_batches_do_not_show(ids: list[int], sizes: list[int], capacity: int) -> None:
    assert feed(RecentIds(capacity), ids, sizes) == feed(RecentIds(capacity), ids, [1])


@given(IDS, st.lists(st.integers(0, 120), max_size=4), st.integers(1, 20))
def test_restored_at_any_point_it_answers_the_same(ids: list[int], cuts: list[int], capacity: int) -> None:
    subject, log = RecentIds(capacity), {}
    start = 0
    for cut in sorted(cuts):
        feed(subject, ids[start:cut], [7])
        start = max(start, cut)
        log |= subject.snapshot()
    log |= subject.snapshot()
    restored = RecentIds(capacity)
    restored.restore(log.items())
    assert feed(restored, ids[start:], [5]) == feed(subject, ids[start:], [5])
    log |= restored.snapshot()
    again = RecentIds(capacity)
    again.restore(item for item in log.items() if item[1])
    assert len(again) == len(subject)
    assert feed(again, ids, [9]) == feed(subject, ids, [9])


def test_forgotten_generations_are_deleted_from_the_log() -> None:
    subject, log = RecentIds(10), {}
    for start in range(0, 100, 5):
        subject.first_seen(list(range(start, start + 5)))
        log |= subject.snapshot()
    kept = [value for value in log.values() if value]
    assert sum(len(value) for value in kept) <= 8 * 20


def test_snapshot_pieces_fit_a_message() -> None:
    subject = RecentIds(1 << 20)
    subject.first_seen(list(range(200_000)))
    entries = subject.snapshot()
    assert max(map(len, entries.values())) < 700_000
    restored = RecentIds(1 << 20)
    restored.restore(entries.items())
    assert not np.any(restored.first_seen(list(range(200_000))))
