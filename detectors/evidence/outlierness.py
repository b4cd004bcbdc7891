"""Members that are all a little odd: the median member's novelty among its peers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups

NAME = "outlierness"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return −ln(2 p), p the tail rank of the median member's decayed score among all accounts; not below 0.

    Half of the members must be odd, whatever their dependence ("twice the median", DETECTION §4.2).
    """
    median = groups.quantile(groups.graph.accounts["score"][groups.account], 0.5)
    known = groups.population.scores
    rank = (len(known) - np.searchsorted(known, median, "left") + 1) / (len(known) + 1)
    return np.maximum(-np.log(2.0 * rank), 0.0)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    odder = (
        f"are odder than {100 * (1 - np.exp(-value) / 2):.0f} % of" if value > 0 else "are no odder than half of all"
    )
    return (
        f"half of the accounts {odder} accounts by the online models "
        f"(honest groups: {100 * (1 - np.exp(-median) / 2):.0f} %)"
    )
