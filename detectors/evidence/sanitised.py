"""Requests that say less of who sends them than others do that come the same way.

Relays strip what would tell their users apart: device, client, language and place (CISA AA26-251A, indicator 6). A
cloud passes on less for everybody, and scripts say less than people, so the measure is against accounts on the same
path, and counts little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.linking.norms import FACTS, main_path, untold

NAME = "sanitised"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the mean share of `norms.FACTS` unknown of the members, less that of accounts on their paths, −1 … 1."""
    usual = groups.population.norms.untold[main_path(groups.graph, groups.account)]
    return groups.mean(untold(groups.graph, groups.account) - usual)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    inside = groups.account[groups.group == group]
    share = float(untold(groups.graph, inside).mean())
    return (
        f"of {', '.join(FACTS)}, {100 * share:.0f} % are unknown of the accounts, {100 * value:+.0f} points beside "
        f"others that come the same way (honest groups: {100 * median:+.0f})"
    )
