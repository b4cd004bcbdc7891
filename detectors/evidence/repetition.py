"""The same questions again and again: a class, a benchmark, a probe; a work list asks each of its own once or twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.templates import different_share
from detectors.linking.members import Groups

NAME = "repetition"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return different contents / requests; NaN where contents are not known."""
    table = groups.graph.accounts
    known = groups.sum(table["contents"][groups.account]) > 0
    return np.where(known, different_share(groups), np.nan)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return f"{100 * value:.0f} % of the contents are different ones (honest groups: {100 * median:.0f} %)"
