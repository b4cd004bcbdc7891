"""Exponentially decayed counters: a window without an edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def decay(elapsed_ms: ArrayLike, half_life_ms: ArrayLike) -> NDArray[np.float64]:
    """Return the factor 2^(−elapsed/half-life); no more than 1, so that late requests do not inflate.

    >>> decay([0, 3_600_000, -5], 3_600_000)
    array([1. , 0.5, 1. ])
    """
    return np.exp2(-np.maximum(np.asarray(elapsed_ms, np.float64), 0.0) / half_life_ms)
