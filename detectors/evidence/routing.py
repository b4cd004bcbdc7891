"""Ways in that few others take: the accounts come through one cloud or aggregator rather than another.

Resold access goes through transfer stations and aggregators (CISA AA26-251A, indicator 5; threat-intelligence report of
September 2026). So do the customers of any cloud, so the measure is against all accounts, and counts little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.linking.norms import path_shares

NAME = "routing"
FIRST_PARTY = "first_party"
PRIOR = 5.0
"""Accounts of the population's mix added to every group."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return Σ p ln(p/q) in nats over the paths but the provider's own that the group takes more than all accounts.

    p is the mean share of a path in the members' requests, shrunk towards q, that of all accounts. NaN where fewer
    than half of the members have a known path.
    """
    p, known = shares(groups)
    q = groups.population.norms.paths
    more = np.where((p > q) & others(groups), p * np.log(np.maximum(p, 1e-9) / np.maximum(q, 1e-9)), 0.0)
    return np.where(known >= groups.size / 2, more.sum(1), np.nan)


def shares(groups: Groups) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shrunk mean share of each path, shape (G, paths), and how many members have a known one, (G,)."""
    mine, known = path_shares(groups.graph, groups.account)
    number = groups.sum(known.astype(np.float64))
    usual = groups.population.norms.paths
    return (groups.sum(mine) + PRIOR * usual) / (number + PRIOR)[:, None], number


def others(groups: Groups) -> NDArray[np.bool_]:
    """Tell which columns of the mix are no path of the provider's own, shape (paths,)."""
    names = groups.graph.paths.known
    own = names.index(FIRST_PARTY) if FIRST_PARTY in names else -1
    return np.arange(len(groups.population.norms.paths)) != own


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    p, q = shares(groups)[0][group], groups.population.norms.paths
    names = groups.graph.paths.known
    lift = np.where(others(groups) & (p > q), p - q, 0.0)[: len(names)]
    top = [int(place) for place in np.argsort(-lift, kind="stable") if lift[place] > 0][:2]
    parts = ", ".join(f"{names[place]} {100 * p[place]:.0f} % (all accounts {100 * q[place]:.0f} %)" for place in top)
    return f"ways in that others take less: {parts or 'none'} (strength {value:.2f}, honest groups {median:.2f})"
