"""Exponential decay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.windows import decay


def test_half_is_left_after_a_half_life() -> None:
    assert decay([0, 1_000, 2_000], 1_000).tolist() == [1.0, 0.5, 0.25]


def test_time_running_back_does_not_inflate() -> None:
    assert decay(-5_000, 1_000) == 1.0


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(1e3, 1e10))
def test_two_steps_decay_like_one(one: int, other: int, half_life: float) -> None:
    assert decay(one, half_life) * decay(other, half_life) == pytest.approx(
        float(decay(one + other, half_life)), abs=1e-12
    )


def test_each_half_life_of_a_row_has_its_own_factor() -> None:
    assert decay(np.array([[10], [20]]), np.array([10.0, 20.0])).tolist() == [[0.5, 2**-0.5], [0.25, 0.5]]
