"""Each account against itself: River's EWMean and EWVar, one row of an array per account."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOISE = 0.25
"""Variance added before dividing: ln counts of a few requests jitter by this much anyway."""


def learn(mean: NDArray, variance: NDArray, values: NDArray, fading_factor: NDArray | float) -> None:
    """Learn `values` in place; all are of shape (B, S): S series of B accounts.

    With a constant factor f the recurrences are those of `river.stats.EWMean` and `river.stats.EWVar`,
    m ← f·x + (1 − f)·m and variance = m(x²) − m(x)², the latter written so that it needs no squares of large numbers.
    With f = 1/n for the n-th value they give `river.stats.Mean` and the population variance of `river.stats.Var`.

    Args:
        fading_factor: shape (B, 1) or one for all; 1 for the first value of an account.
    """
    apart = values - mean
    mean += fading_factor * apart
    variance[:] = (1.0 - fading_factor) * (variance + fading_factor * apart**2)


def residual(
    mean: NDArray, variance: NDArray, seen: NDArray, values: NDArray, noise: NDArray | float
) -> NDArray[np.float64]:
    """Return how far `values` are from what was learned, in standard deviations of a new value; shape (B, S).

    Args:
        seen: how many values the mean and the variance of each account stand on, 1 or more, shape (B, 1).
        noise: variance added before dividing.
    """
    unbiased = variance * seen / np.maximum(seen - 1.0, 1.0)
    return np.asarray((values - mean) / np.sqrt((unbiased + noise) * (1.0 + 1.0 / seen)), np.float64)
