"""Load balancing: members that carry the same share of the work."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups

NAME = "evenness"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return 1 / (1 + v): v is the squared coefficient of variation of the members' daily requests beyond chance.

    1 for a dispatcher, 0.37 for lognormal loads with σ = 1, under 0.1 for honest heavy tails (DETECTION §3.3). Loads
    that are all near one request say nothing, so groups with fewer than three requests a member get
    NaN.
    """
    requests = groups.requests
    rate = groups.graph.daily(requests, groups.column("first"), groups.column("last"))
    mean = groups.mean(rate)
    variance = groups.mean(rate**2) - mean**2
    chance = 1.0 / np.maximum(groups.mean(requests), 1e-9)
    excess = np.maximum(variance / np.maximum(mean, 1e-9) ** 2 - chance, 0.0)
    return np.where(groups.mean(requests) >= 3.0, 1.0 / (1.0 + excess), np.nan)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    spread, usual = (100 * np.sqrt(1.0 / max(v, 1e-3) - 1.0) for v in (value, median))
    return (
        f"the accounts' daily requests vary by {spread:.0f} % of their mean (standard deviation) beyond chance "
        f"(honest groups: {usual:.0f} %)"
    )
