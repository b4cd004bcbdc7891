"""Shared cards, devices and networks that few others have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.counting import sharing
from detectors.linking.components import SIGNATURE
from detectors.linking.graph import Graph
from detectors.linking.houses import crosses, houses
from detectors.linking.members import Groups
from detectors.linking.rarity import rarity
from detectors.partials import FAMILIES

NAME = "links"
WEIGHTS = (0.0, 1.0, 0.8, 0.35, 1.0)
"""By family, template first: unrelated people stand behind one network every day, behind one card hardly ever."""
SILENT = 0.3
"""The strength that speaks neither for a campaign nor against one; see `expected`."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the mean over the members of the best w · r · (1 − s) among the values that each shares inside its group.

    w is the weight of its family, r the rarity of the value, s the part of the group that has it: fake accounts share
    cards and devices a few at a time, while a class, an office or an event share one thing among all. What the keys of
    one organisation share does not count. Counted in families other than the one that the group formed around: two
    families agree or it is nothing. Members that carry no payment, device or address (they come through a cloud) are
    left out, whatever signatures they share: those are `replay`'s. The more of them there are, the nearer the value is
    to `SILENT` at least; NaN where nobody carries any.
    """
    best = np.zeros(len(groups.account))
    carries = np.zeros(len(groups.account), bool)
    families = [groups.graph.values["family"][part.values[0]] if len(part.values) else -1 for part in groups.parts]
    own = np.array(families)
    for family in range(1, len(FAMILIES)):
        counted = (own != family)[groups.group]
        weight, present = _shared_rarity(groups, family)
        best = np.maximum(best, np.where(counted, weight, 0.0))
        carries |= counted & present & (family != SIGNATURE)
    carrying = groups.sum(carries.astype(np.float64))
    mean = groups.sum(best * carries) / np.maximum(carrying, 1.0)
    silent = (1.0 - carrying / groups.size) * np.maximum(SILENT - mean, 0.0)
    return np.where(carrying > 0, mean + silent, np.nan)


def _shared_rarity(groups: Groups, family: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return per member its best r · (1 − s) in one family, and whether it has any value of the family."""
    recent = groups.graph.accounts["recent"][groups.account, family - 1]
    weight = np.zeros(recent.shape)
    member, place = np.nonzero(recent >= 0)
    value = recent[member, place]
    account = groups.account[member]
    house = houses(groups.graph.accounts["organization"][account], account)
    count, across = sharing(groups.group[member], value, house, groups.graph.values.rows)
    few = 1.0 - count / groups.size[groups.group[member]]
    known = rarity(groups.graph.values["accounts"][value], groups.population.accounts)
    weight[member, place] = np.where(across, known * few, 0.0)
    carries = groups.graph.accounts["carries"][groups.account]
    return WEIGHTS[family] * weight.max(1), (carries >> family & 1).astype(bool)


def across_organisations(groups: Groups, member: NDArray, value: NDArray) -> NDArray[np.bool_]:
    """Tell which rows hold a value that members of two organisations hold; an unknown one is an organisation."""
    account = groups.account[member]
    return crosses(value, houses(groups.graph.accounts["organization"][account], account))


def counts(graph: Graph, members: NDArray) -> dict[str, tuple[int, int]]:
    """Return, per family, how many values some accounts share among themselves, and how many accounts do."""
    result = {}
    for family in range(1, len(FAMILIES)):
        recent = graph.accounts["recent"][members, family - 1]
        value, count = np.unique(recent[recent >= 0], return_counts=True)
        shared = value[count >= 2]
        if len(shared):
            result[FAMILIES[family]] = (len(shared), int(np.isin(recent, shared).any(1).sum()))
    return result


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    found = counts(groups.graph, groups.account[groups.group == group])
    shared = ", ".join(f"{n} accounts on {v} {family} values" for family, (v, n) in found.items())
    return f"shared infrastructure: {shared or 'none'} (strength {value:.2f}, honest groups {median:.2f})"
