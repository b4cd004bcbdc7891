"""More requests per account than people make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups, daily_rate

NAME = "volume"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return ln(median member's requests per day / median account's), not below 0."""
    rate = daily_rate(groups.column("first"), groups.column("last"), groups.requests)
    return np.maximum(np.log(np.maximum(groups.quantile(rate, 0.5), 1e-3) / max(groups.population.rate, 1e-3)), 0.0)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    rate = daily_rate(groups.column("first"), groups.column("last"), groups.requests)[groups.group == group]
    return (
        f"the median account makes {np.median(rate):.0f} requests a day inside the group alone, "
        f"{np.exp(value):.1f} × an ordinary account (honest groups: {np.exp(median):.1f} ×)"
    )
