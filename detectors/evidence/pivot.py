"""Day-one move to a new model: the accounts turn to a release faster than everybody else.

One campaign redirected nearly half of its traffic within 24 hours of a release (February 2026 report; CISA AA26-251A,
"day-one retarget"). Enthusiasts and benchmarks do so too, so that it adds to other evidence and no more; without a
release in the last week it is not measured.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.linking.releases import shares

NAME = "pivot"
FLOOR = 0.02
MIN_MEMBERS = 5


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return ln((s + 0.02) / (q + 0.02)), not below 0: s the release's share in the members' mixes, q in all accounts'.

    Only accounts with traffic before and after the release count, on both sides; mixes forget with a half-life of three
    days, on both sides too. NaN without a release, or where fewer than five members or a third of them can be compared.
    """
    releases = groups.population.norms.releases
    if releases.model < 0:
        return np.full(len(groups), np.nan)
    mean, count = adopted(groups)
    excess = np.log((mean + FLOOR) / (releases.adoption + FLOOR))
    return np.where((count >= MIN_MEMBERS) & (count >= groups.size / 3), np.maximum(excess, 0.0), np.nan)


def adopted(groups: Groups) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean share of the release among the members that can be compared, and their number, shape (G,)."""
    releases = groups.population.norms.releases
    there, share = shares(groups.graph, groups.account, releases.model, releases.time)
    count = groups.sum(there.astype(np.float64))
    return groups.sum(np.where(there, share, 0.0)) / np.maximum(count, 1.0), count


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    releases = groups.population.norms.releases
    if releases.model < 0:
        return "no model was released in the last week, so none could be turned to"
    return (
        f"the accounts turned to the newly released model {groups.graph.models.known[releases.model]}: "
        f"{100 * adopted(groups)[0][group]:.0f} % of their recent traffic, against {100 * releases.adoption:.0f} % of "
        f"that of all accounts (a factor of {np.exp(value):.1f}, honest groups {np.exp(median):.1f})"
    )
