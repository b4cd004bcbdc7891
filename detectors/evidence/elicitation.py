"""Asking for the reasoning itself: prompts built to bring out a trace that can be trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups

NAME = "elicitation"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the share of requests with an elicitation flag, shrunk towards the population by 20 requests."""
    elicited = groups.sum(groups.column("counts")[:, 9])
    return (elicited + 20.0 * groups.population.elicited) / (groups.sum(groups.requests) + 20.0)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return (
        f"{100 * value:.0f} % of the requests try to elicit reasoning traces or to avoid filters "
        f"(honest groups: {100 * median:.0f} %, all accounts: {100 * groups.population.elicited:.1f} %)"
    )
