"""The members' traffic as a whole against everybody's: maximum mean discrepancy of their profiles."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.counting import sum_rows
from detectors.linking.members import Groups
from detectors.linking.profile import embed, profile

NAME = "distribution"
MOST = 400
"""Members of a group that are looked at, evenly spread over them."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the squared distance of the group's mean embedding from the population's, free of the bias of few members.

    Gretton et al. (JMLR 2012) with random Fourier features; window tests of a provider's traffic calibrate the same
    figure on benign windows (arXiv 2606.05725), here it is ranked among honest groups (DETECTION §0, finding 11).
    """
    if not len(groups.population.embedding):
        return np.full(len(groups), np.nan)
    parts = [groups.account[first:end] for first, end in pairwise(groups.start.tolist())]
    parts = [part[:: len(part) // MOST + 1] for part in parts]
    accounts, place = np.unique(np.concatenate(parts), return_inverse=True)
    embedded = embed(profile(groups.graph, accounts))
    result = np.zeros(len(groups))
    for position, mine in enumerate(np.split(place, np.cumsum([len(part) for part in parts])[:-1])):
        mean = sum_rows(embedded, mine) / len(mine)
        spread = (1.0 - float(mean @ mean)) / max(len(mine) - 1, 1)
        apart = mean - groups.population.embedding
        result[position] = max(float(apart @ apart) - spread, 0.0)
    return result


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return (
        f"as a whole the members' traffic lies {np.sqrt(value):.2f} from everybody's, in the kernel's units "
        f"(honest groups: {np.sqrt(max(median, 0.0)):.2f}, at most about 1.4)"
    )
