"""Batches of keys found, added and removed: as a dictionary would have it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.windows import KeySet, PairIndex, RowIndex
from detectors.windows.index import pairs

STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.sets(st.integers(0, 400), max_size=150)), max_size=12)
SPREAD = st.sampled_from([1, 0x9E3779B97F4A7C15, 1 << 40])


@given(STEPS, SPREAD)
def test_an_index_answers_like_a_dictionary(steps: list[tuple[str, set[int]]], spread: int) -> None:
    keys = np.arange(401, dtype=np.uint64) * np.uint64(spread)
    index, truth = RowIndex(lambda rows: keys[rows]), {}
    for what, chosen in steps:
        if what == "add":
            rows = np.array(sorted(chosen - truth.keys()), np.int64)
            index.add(rows)
            truth |= {row: row for row in rows.tolist()}
        else:
            rows = np.array(sorted(chosen & truth.keys()), np.int64)
            index.remove(keys[rows])
            for row in rows.tolist():
                del truth[row]
        assert index.get(keys).tolist() == [truth.get(row, -1) for row in range(401)]
        assert len(index) == len(truth)


@given(st.lists(st.sets(st.integers(0, 2**64 - 1), max_size=300), max_size=8), st.integers(0, 3))
def test_a_set_of_keys_answers_like_a_set_even_when_buckets_run_over(parts: list[set[int]], shift: int) -> None:
    subject, truth = KeySet(), set()
    crowd = {(number << 60 >> shift) * pow(0x9E3779B97F4A7C15, -1, 1 << 64) % (1 << 64) for number in range(1, 12)}
    for part in [*parts, crowd]:
        new = np.array(sorted(part - truth - {0}), np.uint64)
        subject.add(new)
        truth |= set(new.tolist())
        asked = np.array(sorted(truth | {number ^ 1 for number in truth} - {0}), np.uint64)
        assert subject.has(asked).tolist() == [number in truth for number in asked.tolist()]
    assert subject.keys().tolist() == sorted(truth)


def test_keys_of_one_bucket_stand_beside_it() -> None:
    unmix = pow(0x9E3779B97F4A7C15, -1, 1 << 64)
    keys = np.array([number * unmix % (1 << 64) for number in range(1, 40)], np.uint64)
    subject = KeySet()
    subject.add(keys)
    assert subject.has(keys).all()
    assert not subject.has(keys + np.uint64(unmix * 1_000 % (1 << 64))).any()


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 3)), unique=True, max_size=200))
def test_pairs_are_found_by_both_halves(numbers: list[tuple[int, int]]) -> None:
    high, low = np.array(numbers, np.int32).reshape(-1, 2).T.copy()
    index = PairIndex(lambda: (high, low))
    half = len(numbers) // 2
    index.add(np.arange(half))
    assert index.get(pairs(high, low)).tolist() == [*range(half), *[-1] * (len(numbers) - half)]
    index.remove(pairs(high[:half:2], low[:half:2]))
    assert index.get(pairs(high[:half], low[:half])).tolist() == [row if row % 2 else -1 for row in range(half)]
