"""More requests per account than people make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.linking.norms import daily

NAME = "volume"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return ln(median member's requests per day / median account's), not below 0."""
    rate = daily(groups.graph, groups.account, groups.graph.accounts["counts"][groups.account, 0])
    return np.maximum(np.log(np.maximum(groups.quantile(rate, 0.5), 1e-3) / max(groups.population.rate, 1e-3)), 0.0)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    much = f"{np.exp(value):.1f} × the requests" if value > 0 else "no more requests"
    return (
        f"the median account makes {much} a day {'of' if value > 0 else 'than'} an ordinary one "
        f"(honest groups: {np.exp(median):.1f} ×)"
    )
