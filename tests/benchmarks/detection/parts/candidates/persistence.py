"""How long an account stays in a group while the threshold rises.

One threshold joins hub users into loose chains or misses whole rings. A ring that shares rare things holds together up
to a high threshold, a chain through half-popular values falls apart at once (BotGraph, NSDI 2009, raises the threshold
to split components; HDBSCAN, Campello et al., PAKDD 2013, measures how long they persist).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.components import components
from detectors.linking.graph import Graph

THETAS = (1.0, 1.2, 1.4, 1.6, 1.8)
"""From the default threshold of a link to just below 2, what two values of two accounts each can reach."""


def persistence(
    graph: Graph, verified: NDArray[np.bool_], since_ms: int, thetas: tuple[float, ...] = THETAS
) -> NDArray[np.float64]:
    """Return the mean over thresholds of ln(accounts in the account's component), shape (accounts,); 0 for none.

    Args:
        graph: accounts and values.
        verified: whether an account's organisation is verified, shape (accounts,); see `components`.
        since_ms: uses not seen since then do not count.
        thetas: thresholds on the summed rarity of two shared values of two families.
    """
    total = np.zeros(graph.accounts.rows)
    for theta in thetas:
        label = components(graph, theta, 2, verified, since_ms)
        joined = label >= 0
        total[joined] += np.log(np.bincount(label[joined])[label[joined]])
    return total / len(thetas)
