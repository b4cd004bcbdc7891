"""Means and variances follow River's EWMean and EWVar, and its Mean and Var where every value counts alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import stats

from detectors.models.residuals import NOISE, learn, residual

SERIES = st.lists(st.floats(-50, 50), min_size=2, max_size=40)


@given(SERIES, st.sampled_from([0.1, 0.5, 0.01]))
def test_exponential_weights_are_those_of_river(series: list[float], factor: float) -> None:
    river_mean, river_variance = stats.EWMean(factor), stats.EWVar(factor)
    mean, variance = np.zeros((1, 1)), np.zeros((1, 1))
    for number, value in enumerate(series):
        learn(mean, variance, np.array([[value]]), factor if number else 1.0)
        river_mean.update(value)
        river_variance.update(value)
        assert mean[0, 0] == pytest.approx(river_mean.get(), abs=1e-9)
        assert variance[0, 0] == pytest.approx(river_variance.get(), abs=1e-6)


@given(SERIES)
def test_equal_weights_are_those_of_river(series: list[float]) -> None:
    river_mean, river_variance = stats.Mean(), stats.Var(ddof=0)
    mean, variance = np.zeros((1, 1)), np.zeros((1, 1))
    for number, value in enumerate(series, 1):
        learn(mean, variance, np.array([[value]]), np.full((1, 1), 1.0 / number))
        river_mean.update(value)
        river_variance.update(value)
        assert mean[0, 0] == pytest.approx(river_mean.get(), abs=1e-9)
        assert variance[0, 0] == pytest.approx(river_variance.get(), abs=1e-6)


def test_residuals_are_standard_deviations_of_a_new_value() -> None:
    rng = np.random.default_rng(0)
    past, new = rng.normal(3.0, 2.0, (20_000, 12)), rng.normal(3.0, 2.0, (20_000, 1))
    mean, variance = past.mean(1, keepdims=True), past.var(1, keepdims=True)
    score = residual(mean, variance, np.full((20_000, 1), 12.0), new, 0.0)
    assert score.mean() == pytest.approx(0.0, abs=0.03)
    assert score.std() == pytest.approx(np.sqrt(11 / 9), abs=0.03)  # Student's t with 11 degrees of freedom


def test_rows_and_series_do_not_mix() -> None:
    mean, variance = np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((2, 2))
    learn(mean, variance, np.array([[1.0, 2.0], [13.0, 4.0]]), 0.1)
    assert mean.tolist() == [[1.0, 2.0], [4.0, 4.0]]
    assert variance.round(9).tolist() == [[0.0, 0.0], [9.0, 0.0]]


def test_a_jump_after_a_steady_life_scores_high() -> None:
    mean, variance = np.full((1, 1), 2.0), np.zeros((1, 1))
    score = residual(mean, variance, np.full((1, 1), 1e9), np.array([[7.0]]), NOISE)
    assert score[0, 0] == pytest.approx(10.0)
