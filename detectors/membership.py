"""Which accounts of a group take part in what the group does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.components import rarity
from detectors.linking.graph import Graph
from detectors.linking.houses import crosses, houses
from detectors.linking.members import BEHAVIOUR, BUNDLE, COMPONENT, SUBPOPULATION, TEMPLATE, Groups, young
from detectors.partials import FAMILIES
from detectors.typicality import belonging, typical

ALIKE = 0.5
"""Members of a group that formed around shared infrastructure must ask for like things: cosine of capability mixes."""
WORK_SHARE = 0.3
"""Members give at least this part of their requests to the group's prompts, if they are to count as doing its work."""
RARE = 0.6
INFRASTRUCTURE_BITS = sum(1 << FAMILIES.index(name) for name in ("payment", "device", "network"))
CROWD = 20
MOSTLY, HARDLY, NEARLY = 0.5, 0.1, 0.8
"""Where so many of a cell are linked, those of whom no link can be known count as linked; where so few are, links tell
nothing of anybody; between the two a cell is a mixture, and only the linked are accused."""
CORE = 5
"""So many linked accounts show what the others must be like."""
SURE = 0.95
"""An account that nothing links is accused when it is one of the group with at least this probability."""
BREADTH = 0.3
"""Members of a bundle use at least this part of the templates that its busy accounts use."""


def accused(groups: Groups, position: int) -> NDArray[np.bool_]:
    """Tell which members of a group take part in what the group does, shape (members of the group,).

    The account does the group's work, and it shares something rare with another member, or is like those who do; one
    that only stands behind the same cards and exits must be young too, and ask for like things; where pairs of values
    made the group, it is young or linked in two families, and typical of the group; in a subpopulation it must share
    something rare, be young, and work through a good part of the prompts as often as others do. A stranger who uses the
    same popular prompt, or the same exit, has one.
    """
    graph, part, mine = groups.graph, groups.parts[position], groups.group == position
    accounts, requests = groups.account[mine], groups.requests[mine]
    own = graph.accounts["counts"][accounts, 0]
    joined, new = linked(graph, accounts, accounts), young(graph, accounts)
    if part.kind == BEHAVIOUR:
        bare = graph.accounts["carries"][accounts] & INFRASTRUCTURE_BITS == 0
        share = joined[~bare].mean() if (~bare).any() else 1.0
        core = typical(graph, accounts) & joined
        if core.sum() >= CORE and share >= HARDLY:
            likely = belonging(graph, accounts, core) >= SURE
            return np.asarray(core | (bare & likely & (share >= MOSTLY)), bool)
        apart = joined | (bare & (share >= MOSTLY)) | (~crowded(graph, accounts) & (share < HARDLY))
        return np.asarray(typical(graph, accounts) & apart, bool)
    if part.kind == SUBPOPULATION:
        used = part.traffic["templates"]
        broad = used >= BREADTH * np.average(used, weights=requests)
        busy = requests >= BREADTH * np.average(requests, weights=requests)
        return np.asarray(joined & new & broad & busy, bool)
    if part.kind in (TEMPLATE, BUNDLE):
        return _workers(groups, position, joined, new)
    mix = groups.column("capabilities")[mine].astype(np.float64)
    whole = mix.sum(0)
    length = np.linalg.norm(mix, axis=1) * np.linalg.norm(whole)
    alike = mix @ whole >= ALIKE * length  # so are two of which nothing is known
    shared = graph.accounts["shared"][accounts] >= WORK_SHARE * own
    at_work = new & shared
    if part.kind == COMPONENT:
        at_work = (new | (linked_families(graph, accounts, accounts) > 1)) & typical(graph, accounts)
        if (joined & alike & at_work).mean() < MOSTLY:
            at_work[:] = False  # a mixture: several campaigns and whoever shares their exits
    return np.asarray(joined & alike & at_work, bool)


def _workers(groups: Groups, position: int, joined: NDArray[np.bool_], new: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which users of a group's prompts are accused, shape (members of the group,).

    Besides the linked those who are like them, or, where hardly anybody is linked, the young among whom there can be
    few ordinary ones; where those do nearly all of the work, whoever is rather like them than not. Nobody is when they
    do less than half of it: the evidence is of another group's making, whose members use a popular prompt too.
    """
    graph, part, mine = groups.graph, groups.parts[position], groups.group == position
    accounts, requests = groups.account[mine], groups.requests[mine]
    busy = requests >= WORK_SHARE * graph.accounts["counts"][accounts, 0]
    works = busy
    if part.kind == BUNDLE:
        used = part.traffic["templates"]
        works = used >= BREADTH * np.average(used, weights=requests)
    core, apart = works & joined, works & busy & ~joined & ~crowded(graph, accounts)
    likely = np.zeros(len(accounts))
    if core.sum() >= CORE:
        likely = belonging(graph, accounts, core)
    elif ordinary_share(new[works & ~joined], groups.population.young) <= 1.0 - SURE:
        likely[new] = 1.0
    result = core | (apart & (likely >= SURE))
    if requests[result].sum() >= NEARLY * requests.sum():
        result |= works & busy & (likely >= 0.5)
    return np.asarray(result & (requests[result].sum() >= MOSTLY * requests.sum()), bool)


def ordinary_share(new: NDArray[np.bool_], usual: float) -> float:
    """Return about which part of the young accounts among these are ordinary ones.

    Old accounts among them tell how many ordinary ones there are, and those bring their part of young ones.

    Args:
        new: whether each account is young.
        usual: share of young accounts in the population.
    """
    share = float((new.sum() + usual) / (len(new) + 1.0))
    return min(usual * (1.0 - share) / max((1.0 - usual) * share, 1e-9), 1.0)


def linked(graph: Graph, accounts: NDArray, members: NDArray) -> NDArray[np.bool_]:
    """Tell which accounts share a rare payment, device, network or signature with a member of another organisation."""
    return linked_families(graph, accounts, members) > 0


def linked_families(graph: Graph, accounts: NDArray, members: NDArray) -> NDArray[np.int64]:
    """Return in how many families each account shares something rare with a member of another organisation."""
    table = graph.accounts
    everyone = np.union1d(accounts, members)
    recent = table["recent"][everyone].reshape(len(everyone), -1)
    who, place = np.nonzero(recent >= 0)
    value = recent[who, place]
    house = houses(table["organization"][everyone], everyone)
    rare = rarity(graph.values["accounts"][value], graph.population) >= RARE
    rare &= np.isin(value, table["recent"][members])
    shared = value[rare & crosses(value, house[who])]
    return np.isin(table["recent"][accounts], shared).any(axis=2).sum(axis=1)


def crowded(graph: Graph, accounts: NDArray) -> NDArray[np.bool_]:
    """Tell which of the accounts stand in a crowd: twenty of them have one common card, device or network."""
    recent = graph.accounts["recent"][accounts].reshape(len(accounts), -1)
    value, inverse, count = np.unique(recent, return_inverse=True, return_counts=True)
    common = (value >= 0) & (count >= CROWD) & (rarity(graph.values["accounts"][value], graph.population) < RARE)
    return np.asarray(common[inverse].reshape(recent.shape).any(1), bool)
