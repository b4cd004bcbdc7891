"""Focus: traffic narrowed to what a training set needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.models.peers import organized
from detectors.partials import CAPABILITIES

NAME = "capability"
PRIOR = 20.0
"""Requests of the peers' mix added to a group's own."""
TARGETS = np.array([name != "other" for name in CAPABILITIES])


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return Σ p ln(p/q) in nats over the targeted capabilities that the group asks for more than its peers.

    p is the group's share of requests with a capability, shrunk towards q, the mean share over all accounts of its
    members' kind: an organisation is compared with organisations, people with people, whether new or not, since a
    large campaign is much of what is new.
    """
    p, q = shares(groups)
    return np.where(TARGETS & (p > q), p * np.log(p / q), 0.0).sum(1)


def shares(groups: Groups) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each group's capability shares and those of its members' peers, shapes (G, 10)."""
    asked = groups.column("capabilities").astype(np.float64)
    total, number = groups.sum(asked), asked.sum(1)
    weight = number + 1e-9
    kind = organized(groups.graph, groups.account).astype(np.int64)
    q = groups.sum(weight[:, None] * groups.population.capabilities[kind]) / groups.sum(weight)[:, None]
    return (total + PRIOR * q) / (total.sum(1, keepdims=True) + PRIOR), q


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    p, q = (rows[group] for rows in shares(groups))
    top = [position for position in np.argsort(-p) if TARGETS[position] and p[position] > q[position]][:3]
    parts = ", ".join(f"{CAPABILITIES[i]} {100 * p[i]:.0f} % (by its peers {100 * q[i]:.0f} %)" for i in top)
    return f"what is asked for more often than by others: {parts or 'nothing'}"
