"""Distinct counts by registers."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.windows.registers import REGISTERS, distinct, register_and_rank


def registers_of(values: np.ndarray) -> np.ndarray:
    registers = np.zeros((1, REGISTERS), np.uint8)
    register, rank = register_and_rank(values.astype(np.uint64))
    np.maximum.at(registers, (0, register), rank)
    return registers


@pytest.mark.parametrize("count", [5, 100, 3_000, 100_000])
def test_the_error_is_that_of_sixteen_registers(count: int) -> None:
    rng = np.random.default_rng(count)
    made = [float(distinct(registers_of(rng.integers(0, 1 << 63, count)))[0]) for _ in range(60)]
    assert np.mean(made) == pytest.approx(count, rel=0.15)
    assert np.std(made) < 0.45 * count


def test_repeats_count_once_and_maxima_join() -> None:
    low, high = np.arange(1, 400), np.arange(200, 600)
    joined = np.maximum(registers_of(low), registers_of(np.concatenate([high, high])))
    assert np.array_equal(joined, registers_of(np.arange(1, 600)))
    assert distinct(np.zeros((1, REGISTERS), np.uint8))[0] == 0.0
