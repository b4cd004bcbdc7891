"""Each account against itself: River's EWMean and EWVar, one row of an array per account."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FADING_FACTOR = 0.1
NOISE = 0.25
"""Variance added before dividing: ln counts of a few requests jitter by this much anyway."""


def residual(
    state: NDArray, seen: NDArray, values: NDArray, fading_factor: float = FADING_FACTOR
) -> NDArray[np.float64]:
    """Score `values` against what was learned, then learn them in place.

    The recurrences are those of `river.stats.EWMean` and `river.stats.EWVar`: m ← f·x + (1 − f)·m, started at x, and
    variance = m(x²) − m(x)².

    Args:
        state: means of x and of x², shape (B, 2, S).
        seen: whether each row has learned before, shape (B,).
        values: S series, shape (B, S).

    Returns:
        (x − mean) / √(variance + noise), shape (B, S); 0 for a row seen for the first time.
    """
    mean, square = state[:, 0], state[:, 1]
    score = (values - mean) / np.sqrt(np.maximum(square - mean**2, 0.0) + NOISE)
    fade = np.where(seen, fading_factor, 1.0)[:, None]
    state[:, 0] = fade * values + (1.0 - fade) * mean
    state[:, 1] = fade * values**2 + (1.0 - fade) * square
    return np.where(seen[:, None], score, 0.0)
