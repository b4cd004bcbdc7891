"""A crowd in one place: a class, an office, an event, a product's own servers. A campaign spreads over many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.counting import sharing
from detectors.linking.members import Groups
from detectors.partials import FAMILIES, PLACES

NAME = "place"
NOUNS = {"payment": "card", "device": "device", "network": "network"}


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return 1 − the largest share of the members that have one and the same card, device or network.

    Only in families other than the one that the group formed around. NaN where fewer than half carry any.
    """
    own = [groups.graph.values["family"][part.values[0]] if len(part.values) else -1 for part in groups.parts]
    largest, carrying = np.zeros(len(groups)), np.zeros(len(groups.account), bool)
    for family in map(FAMILIES.index, PLACES):
        counted = np.array(own) != family
        largest = np.maximum(largest, np.where(counted, _largest(groups, family), 0.0))
        carries = groups.graph.accounts["carries"][groups.account] >> family & 1
        carrying |= counted[groups.group] & carries.astype(bool)
    return np.where(groups.sum(carrying.astype(np.float64)) >= groups.size / 2, 1.0 - largest, np.nan)


def _largest(groups: Groups, family: int) -> NDArray[np.float64]:
    recent = groups.graph.accounts["recent"][groups.account, family - 1]
    member, place = np.nonzero(recent >= 0)
    group, value = groups.group[member], recent[member, place]
    count, _ = sharing(group, value, np.zeros(len(group), np.uint64), groups.graph.values.rows)
    result = np.zeros(len(groups))
    np.maximum.at(result, group, count)
    return np.minimum(result / groups.size, 1.0)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    values = groups.parts[group].values
    around = FAMILIES[groups.graph.values["family"][values[0]]] if len(values) else ""
    nouns = [NOUNS[family] for family in PLACES if family != around]
    return f"{100 * (1 - value):.0f} % of the accounts have one {', '.join(nouns[:-1])} or {nouns[-1]} in common"
