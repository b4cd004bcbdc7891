"""Focus: traffic narrowed to what a training set needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.partials import CAPABILITIES

NAME = "capability"
TARGETS = np.array([name != "other" for name in CAPABILITIES])


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return Σ p ln(p/q) in nats over the targeted capabilities that the group asks for more than the population.

    p is the group's share of requests with a capability, shrunk towards q, the mean share over all accounts.
    """
    p, q = shares(groups), groups.population.capabilities
    return np.where(TARGETS & (p > q), p * np.log(p / q), 0.0).sum(1)


def shares(groups: Groups) -> NDArray[np.float64]:
    """Return each group's capability shares, shape (G, 10)."""
    total = groups.sum(groups.column("capabilities"))
    q = groups.population.capabilities
    return (total + 20.0 * q) / (total.sum(1, keepdims=True) + 20.0)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    p, q = shares(groups)[group], groups.population.capabilities
    top = [position for position in np.argsort(-p) if TARGETS[position] and p[position] > q[position]][:3]
    parts = ", ".join(f"{CAPABILITIES[i]} {100 * p[i]:.0f} % (population {100 * q[i]:.0f} %)" for i in top)
    return f"what is asked for more often than by others: {parts or 'nothing'}"
