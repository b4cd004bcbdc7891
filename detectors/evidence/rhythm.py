"""No night: members at work at every hour of the day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.linking.traits import hours_of_day

NAME = "rhythm"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the mean over the members of: different hours of the day with a request / those of a steady machine.

    A machine that spreads t active ticks evenly over the clock meets 24 (1 − (1 − 1/24)^t) different hours. Ticks are
    counted, not requests, so a burst says nothing; members with fewer than six active ticks are left out;
    NaN where too few remain.
    """
    hours = hours_of_day(groups.column("hours"))
    whole = groups.graph.accounts["ticks"][groups.account]
    ticks = np.minimum(groups.column("ticks"), whole).astype(np.float64)
    expected = 24.0 * (1.0 - (1.0 - 1.0 / 24.0) ** ticks)
    counted = ticks >= 6.0
    total = groups.sum(np.where(counted, np.minimum(hours / np.maximum(expected, 1e-9), 1.0), 0.0))
    enough = groups.sum(counted.astype(np.float64))
    return np.where(enough >= np.maximum(3.0, groups.size / 4), total / np.maximum(enough, 1.0), np.nan)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return (
        f"the accounts cover {100 * value:.0f} % of the hours of the day that a machine with as much to do would "
        f"(honest groups: {100 * median:.0f} %)"
    )
