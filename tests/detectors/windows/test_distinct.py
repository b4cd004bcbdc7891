"""Linear counting: its error, and its two periods."""

import numpy as np
import pytest

from detectors.windows import Distinct, Table

DAY = 86_400_000


def counter(rows: int, words: int = 8) -> Distinct:
    table = Table(Distinct.columns("d", words))
    table.extend(rows)
    return Distinct(table, "d", DAY)


def values(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 2**64, count, np.uint64)


@pytest.mark.parametrize(
    ("words", "different", "error"),
    [(8, 1, 0.001), (8, 10, 0.04), (8, 100, 0.05), (8, 300, 0.05), (8, 2_000, 0.1), (2, 30, 0.07), (2, 300, 0.15)],
)
def test_root_mean_square_error_is_as_documented(words: int, different: int, error: float) -> None:
    rows = 200
    subject = counter(rows, words)
    for row in range(rows):
        subject.update(np.full(different, row), values(different, row), 10 * DAY)
    found = subject.counts(np.arange(rows), 10 * DAY)
    assert np.sqrt(np.mean((found / different - 1) ** 2)) <= error


def test_a_full_map_answers_about_3000() -> None:
    subject = counter(1)
    subject.update(np.zeros(100_000, int), values(100_000, 1), DAY)
    assert 2_900 < subject.counts(np.array([0]), DAY)[0] < 3_300


def test_a_full_map_of_128_bits_answers_about_600() -> None:
    subject = counter(1, 2)
    subject.update(np.zeros(100_000, int), values(100_000, 1), DAY)
    assert 550 < subject.counts(np.array([0]), DAY)[0] < 650


def test_repeats_do_not_count() -> None:
    subject = counter(2)
    for _ in range(5):
        subject.update(np.array([0, 0, 1]), np.array([7, 8, 7], np.uint64), DAY)
    assert subject.counts(np.array([0, 1]), DAY).round().tolist() == [2, 1]


def test_the_previous_period_counts_and_the_one_before_does_not() -> None:
    subject, row = counter(1), np.array([0])
    subject.update(row, np.array([1], np.uint64), 5 * DAY)
    subject.update(row, np.array([2], np.uint64), 6 * DAY)
    assert subject.counts(row, 6 * DAY).round().tolist() == [2]
    assert subject.counts(row, 7 * DAY).round().tolist() == [1]
    assert subject.counts(row, 8 * DAY).round().tolist() == [0]
    subject.update(row, np.array([3], np.uint64), 9 * DAY)
    assert subject.counts(row, 9 * DAY).round().tolist() == [1]
