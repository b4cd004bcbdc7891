"""Massive volume in few areas, the first hallmark of the February disclosure: what the group asks for altogether."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups

NAME = "mass"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return ln(requests a day of the group altogether / requests a day of the median account of the population)."""
    requests = groups.sum(groups.requests)
    first = np.minimum.reduceat(groups.column("first"), groups.start[:-1])
    last = np.maximum.reduceat(groups.column("last"), groups.start[:-1])
    return np.log(np.maximum(groups.graph.daily(requests, first, last) / max(groups.population.rate, 1e-3), 1e-3))


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return (
        f"together the accounts ask as much as {np.exp(value):,.0f} ordinary accounts "
        f"(honest groups: {np.exp(median):,.0f})"
    )
