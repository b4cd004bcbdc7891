"""The thresholds worth trying."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.detection.alerts import Flags
from tests.benchmarks.detection.columns import DAY_MS, runs

TRIED = 150


def of_flags(flags: Flags) -> NDArray[np.float64]:
    """Return thresholds, descending, that flag ever more accounts a day: evenly spread ranks on a log scale."""
    order, start = runs(flags.account, flags.time // DAY_MS)
    if not len(order):
        return np.zeros(0)
    highest = np.sort(np.maximum.reduceat(flags.score[order], start))[::-1]
    ranks = np.unique(np.geomspace(1, len(highest), TRIED).astype(int)) - 1
    return np.unique(highest[ranks])[::-1]
