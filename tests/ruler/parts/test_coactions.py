"""Decayed counts by key: like a dictionary, but bounded and in arrays."""

import numpy as np
import pytest

from tests.benchmarks.detection.parts.candidates.coactions import CoActions


def keys(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_counts_are_those_of_a_dictionary() -> None:
    subject, plain = CoActions(float("inf"), 10_000), {}
    rng = np.random.default_rng(1)
    for now in range(40):
        batch = rng.integers(0, 500, 60).astype(np.uint64)
        subject.add(batch, now)
        for key in batch.tolist():
            plain[key] = plain.get(key, 0) + 1
    found, counts = subject.counts(40, 0.0)
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == plain
    assert found.tolist() == sorted(plain)
    assert subject.of(keys(found[3], 10**9), 40).tolist() == [counts[3], 0.0]


def test_counts_halve() -> None:
    subject = CoActions(100.0, 10)
    subject.add(keys(7, 7), 0)
    subject.add(keys(7), 100)
    assert subject.of(keys(7), 100).item() == pytest.approx(2.0)
    assert subject.counts(300, 0.6)[0].tolist() == []
    assert subject.counts(300, 0.5)[1].tolist() == pytest.approx([0.5])


def test_the_weakest_are_forgotten_beyond_the_bound() -> None:
    subject = CoActions(float("inf"), 8)
    subject.add(keys(1, 1, 2, 2, 3), 0)
    subject.add(keys(*range(10, 17)), 5)
    assert len(subject) == 6
    assert {1, 2} <= set(subject.counts(5, 0.0)[0].tolist())
    assert 3 not in subject.counts(5, 0.0)[0].tolist()


def test_nothing_known() -> None:
    subject = CoActions(1.0, 8)
    subject.add(keys(), 0)
    assert len(subject) == 0
    assert subject.of(keys(1), 0).tolist() == [0.0]
    assert subject.counts(0, 0.0)[0].tolist() == []
