"""Residuals follow River's EWMean and EWVar."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import stats

from detectors.models.residuals import FADING_FACTOR, NOISE, residual


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=40), st.sampled_from([FADING_FACTOR, 0.5, 0.01]))
def test_scores_are_those_of_river(series: list[float], factor: float) -> None:
    mean, variance = stats.EWMean(factor), stats.EWVar(factor)
    state, seen = np.zeros((1, 2, 1)), np.zeros(1, bool)
    for number, value in enumerate(series):
        score = residual(state, seen, np.array([[value]]), factor)[0, 0]
        expected = (value - mean.get()) / np.sqrt(max(variance.get(), 0.0) + NOISE) if number else 0.0
        assert score == pytest.approx(expected, abs=1e-6)
        mean.update(value)
        variance.update(value)
        seen[:] = True
        assert state[0, 0, 0] == pytest.approx(mean.get(), abs=1e-9)
        assert state[0, 1, 0] - state[0, 0, 0] ** 2 == pytest.approx(variance.get(), abs=1e-6)


def test_rows_and_series_do_not_mix() -> None:
    state, seen = np.zeros((2, 2, 2)), np.array([False, True])
    score = residual(state, seen, np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert score[0].tolist() == [0, 0]
    assert score[1].tolist() == pytest.approx([6.0, 8.0])
    assert state[0, 0].tolist() == [1.0, 2.0]
    assert state[1, 0].tolist() == pytest.approx([0.3, 0.4])


def test_a_jump_after_a_steady_life_scores_high() -> None:
    state, seen = np.zeros((1, 2, 1)), np.zeros(1, bool)
    for _ in range(50):
        residual(state, seen, np.array([[2.0]]))
        seen[:] = True
    assert residual(state, seen, np.array([[7.0]]))[0, 0] == pytest.approx(10.0)
