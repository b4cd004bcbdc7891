"""Shared cards, devices and networks that few others have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.components import rarity
from detectors.linking.members import Groups
from detectors.partials import FAMILIES

NAME = "links"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the mean over the members of the rarity of the rarest value that each shares inside its group.

    Counted in families other than the one that the group formed around: two families agree or it is nothing. Members
    that carry no payment, device or address (they come through a cloud) are left out of the mean; a group in which
    fewer than a third carry any gets 0.
    """
    best = np.zeros(len(groups.account))
    carries = np.zeros(len(groups.account), bool)
    families = [groups.graph.values["family"][part.values[0]] if len(part.values) else -1 for part in groups.parts]
    own = np.array(families)
    for family in range(1, len(FAMILIES)):
        counted = (own != family)[groups.group]
        weight, present = _shared_rarity(groups, family)
        best = np.maximum(best, np.where(counted, weight, 0.0))
        carries |= counted & present
    carrying = groups.sum(carries.astype(np.float64))
    mean = groups.sum(best) / np.maximum(carrying, 1.0)
    return np.where(carrying >= groups.size / 3, mean, 0.0)


def _shared_rarity(groups: Groups, family: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return per member the rarity of its rarest value shared inside the group, and whether it has any value."""
    recent = groups.graph.accounts["recent"][groups.account, family - 1]
    weight = np.zeros(recent.shape)
    member, place = np.nonzero(recent >= 0)
    value = recent[member, place]
    key = groups.group[member].astype(np.int64) << 32 | value
    _, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    shared = count[inverse] >= 2
    degree = groups.graph.values["accounts"][value]
    inside = count[inverse] / np.maximum(degree, 1)
    weight[member, place] = np.where(shared, rarity(degree, groups.population.accounts) * np.minimum(2 * inside, 1.0), 0.0)
    return weight.max(1), recent[:, 0] >= 0


def counts(groups: Groups, group: int) -> dict[str, tuple[int, int]]:
    """Return, per family, how many values are shared inside the group and by how many members."""
    members = groups.account[groups.group == group]
    result = {}
    for family in range(1, len(FAMILIES)):
        recent = groups.graph.accounts["recent"][members, family - 1]
        value, count = np.unique(recent[recent >= 0], return_counts=True)
        shared = value[count >= 2]
        if len(shared):
            result[FAMILIES[family]] = (len(shared), int(np.isin(recent, shared).any(1).sum()))
    return result


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    shared = ", ".join(f"{n} accounts on {v} {family} values" for family, (v, n) in counts(groups, group).items())
    return f"the accounts share rare infrastructure: {shared or 'none'} (strength {value:.2f}, honest groups {median:.2f})"
