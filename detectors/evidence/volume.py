"""More requests per account than people make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS
from detectors.linking.members import Groups
from detectors.linking.norms import daily

NAME = "volume"
TOLD = 0.5
"""Below this the statistic speaks against a campaign, so then it must be known."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return ln(median member's requests per day / median account's), not below 0.

    Of an account's first day only a part has been seen. Where that is so of half of the members, what they made is a
    lower bound: NaN where it says little, shape (G,).
    """
    accounts = groups.graph.accounts
    first, last = accounts["first"][groups.account], accounts["last"][groups.account]
    rate = daily(groups.graph, groups.account, accounts["counts"][groups.account, 0])
    found = np.log(np.maximum(groups.quantile(rate, 0.5), 1e-3) / max(groups.population.rate, 1e-3))
    now = np.maximum.reduceat(last, groups.start[:-1])
    early = groups.mean(now[groups.group] - first < DAY_MS) > 0.5
    return np.where(early & (found < TOLD), np.nan, np.maximum(found, 0.0))


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    much = f"{np.exp(value):.1f} × the requests" if value > 0 else "no more requests"
    return (
        f"the median account makes {much} a day {'of' if value > 0 else 'than'} an ordinary one "
        f"(honest groups: {np.exp(median):.1f} ×)"
    )
