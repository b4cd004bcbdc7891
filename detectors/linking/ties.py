"""What accounts of a group share that few others have: cards, devices, networks, replayed traces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import binom

from detectors.linking.graph import Graph
from detectors.linking.houses import crosses, houses
from detectors.linking.rarity import rarity
from detectors.partials import FAMILIES, PLACES

RARE = 0.6
INFRASTRUCTURE_BITS = sum(1 << FAMILIES.index(name) for name in PLACES)
RING = 5
"""So many accounts that rare values join are a ring."""
CROWD = 20
CHANCE = 0.02
"""So likely may be what joins an account to others of a group, had its members been drawn from everybody."""


def rings(graph: Graph, accounts: NDArray, chance: float = CHANCE) -> NDArray[np.int64]:
    """Return the ring of each account, −1 for none: five or more, joined in steps from one rare value to the next.

    An account counts when chance does not explain that so many others with its values are among these: in a group of a
    tenth of everybody two of a household, or five of an office of fifty, are often found.
    """
    who, place = shared_values(graph, accounts)
    names, value, inside = np.unique(place, return_inverse=True, return_counts=True)
    holders = np.maximum(graph.values["accounts"][names], inside)
    likely = binom.sf(inside - 2, holders - 1, min(len(accounts) / max(graph.population, 1), 1.0))
    surprise = np.bincount(who, -np.log(np.maximum(likely, 1e-12))[value], len(accounts))
    told = (surprise >= -np.log(chance))[who]
    return joined_by(len(accounts), who[told], value[told])


def pairs(graph: Graph, accounts: NDArray) -> NDArray[np.int64]:
    """Return the pair, or more, that rare values join each account to, −1 for none; those joined by chance too."""
    return joined_by(len(accounts), *shared_values(graph, accounts), least=2)


def twice_joined(graph: Graph, accounts: NDArray) -> NDArray[np.int64]:
    """Return the ring of each account, −1 for none: five or more, joined in steps by rare values of two families.

    Who buys from the same exits meets on them; one operation's accounts also have cards or devices in common.
    """
    who, value = shared_values(graph, accounts)
    family, count = graph.values["family"][value], len(accounts)
    families = csr_array((count, count), dtype=np.int64)
    for number in np.unique(family).tolist():
        mine = family == number
        names, place = np.unique(value[mine], return_inverse=True)
        have = csr_array((np.ones(len(place), np.int64), (who[mine], place)), shape=(count, len(names)))
        families = families + (have @ have.T > 0)
    return _of_size(connected_components(families >= 2, directed=False)[1], RING)


def ringed(graph: Graph, accounts: NDArray, chance: float = CHANCE) -> NDArray[np.bool_]:
    """Tell which accounts are in a ring of at least five, see `rings`."""
    return np.asarray(rings(graph, accounts, chance) >= 0, bool)


def linked(graph: Graph, accounts: NDArray, members: NDArray) -> NDArray[np.bool_]:
    """Tell which accounts share a rare payment, device, network or signature with a member of another organisation."""
    return linked_families(graph, accounts, members) > 0


def linked_families(graph: Graph, accounts: NDArray, members: NDArray) -> NDArray[np.int64]:
    """Return in how many families each account shares something rare with a member of another organisation."""
    recent = graph.accounts["recent"]
    _, value = _shared(graph, np.union1d(accounts, members))
    shared = value[np.isin(value, recent[members])]
    return np.isin(recent[accounts], shared).any(axis=2).sum(axis=1)


def shared_values(graph: Graph, accounts: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each rare value of one of the accounts that another organisation among them has too, who has which.

    Returns:
        Places in `accounts`, in order, and rows of the graph's values, shape (P,) each; no pair twice.
    """
    who, value = np.unique(np.stack(_shared(graph, accounts)), axis=1)
    return who, value


def _shared(graph: Graph, accounts: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what `shared_values` does in any order, a pair once for each place where an account has the value."""
    recent = graph.accounts["recent"][accounts].reshape(len(accounts), -1)
    who, place = np.nonzero(recent >= 0)
    value = recent[who, place]
    house = houses(graph.accounts["organization"][accounts], accounts)
    shared = rarity(graph.values["accounts"][value], graph.population) >= RARE
    shared &= crosses(value, house[who])
    return who[shared], value[shared]


def joined_by(accounts: int, who: NDArray, value: NDArray, least: int = RING) -> NDArray[np.int64]:
    """Return a number for each of the accounts that values join to five or more (`least`), −1 for the others."""
    names, place = np.unique(value, return_inverse=True)
    size = accounts + len(names)
    edges = coo_array((np.ones(len(who)), (who, accounts + place)), shape=(size, size))
    return _of_size(connected_components(edges, directed=False)[1][:accounts], least)


def _of_size(label: NDArray, least: int) -> NDArray[np.int64]:
    """Return the labels that so many have at least, −1 for the others."""
    return np.where(np.bincount(label, minlength=1)[label] >= least, label, -1).astype(np.int64)


def beyond_chance(graph: Graph, accounts: NDArray, tied: NDArray[np.bool_]) -> float:
    """Return which part of the accounts with a card, device or network must be linked by more than chance, at least.

    Were they drawn from everybody, one of n out of N accounts would meet no other holder of its rare values with
    probability (1 − n/N)^Σ(d − 1), d being how many accounts have each. Linked are then that many less; what is left
    is a mixture of those and of accounts that are linked for sure.

    Args:
        tied: which of the accounts are `linked` to another of them.
    """
    carries = ~without_infrastructure(graph, accounts)
    if not carries.any():
        return 0.0
    values = graph.accounts["recent"][accounts[carries]].reshape(int(carries.sum()), -1)
    holders = np.where(values >= 0, graph.values["accounts"][values], 1).astype(np.float64)
    others = np.where(rarity(holders, graph.population) >= RARE, np.maximum(holders - 1.0, 0.0), 0.0).sum(1)
    share = min(len(accounts) / max(graph.population, 1), 1.0)
    chance = float((1.0 - (1.0 - share) ** others).mean()) if share < 1.0 else 1.0
    found = float(tied[carries].mean())
    return max(found - chance, 0.0) / max(1.0 - chance, 1e-9)


def crowded(graph: Graph, accounts: NDArray) -> NDArray[np.bool_]:
    """Tell which of the accounts stand in a crowd: twenty of them have one common card, device or network."""
    recent = graph.accounts["recent"][accounts].reshape(len(accounts), -1)
    value, inverse, count = np.unique(recent, return_inverse=True, return_counts=True)
    common = (value >= 0) & (count >= CROWD) & (rarity(graph.values["accounts"][value], graph.population) < RARE)
    return np.asarray(common[inverse].reshape(recent.shape).any(1), bool)


def without_infrastructure(graph: Graph, accounts: NDArray) -> NDArray[np.bool_]:
    """Tell of which accounts no card, device or network is known."""
    return np.asarray(graph.accounts["carries"][accounts] & INFRASTRUCTURE_BITS == 0, bool)
