from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.hashing import digests
from stream.distinct import Distinct


@given(st.lists(st.lists(st.integers(0, 40).map(str), max_size=30), max_size=6))
def test_few_values_are_counted_exactly(batches: list[list[str]]) -> None:
    counted = Distinct(kept=64)
    for batch in batches:
        counted.add(digests(batch))
    assert counted.count == len({value for batch in batches for value in batch})


@pytest.mark.parametrize("many", [1_025, 5_000, 200_000])
def test_many_are_estimated_in_bounded_memory(many: int) -> None:
    counted = Distinct(kept=1_024)
    for start in range(0, many, 500):
        counted.add(digests([f"account-{n}" for n in range(start, min(start + 500, many))]))
        counted.add(digests([f"account-{n}" for n in range(0, min(500, many))]))
        assert len(counted._hashes) <= 2 * 1_024
    assert counted.count == pytest.approx(many, rel=4 / 1_024**0.5)


def test_an_estimate_does_not_look_exact() -> None:
    counted = Distinct(kept=16)
    counted.add(digests([str(n) for n in range(12_345)]))
    assert counted.count % 10 == 0


def test_asking_changes_nothing_but_memory() -> None:
    asked, other = Distinct(kept=32), Distinct(kept=32)
    for n in range(3_000):
        asked.add(digests([str(n)]))
        other.add(digests([str(n)]))
        assert asked.count > 0
    assert asked.count == other.count
