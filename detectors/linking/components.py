"""Accounts that share two different kinds of rare value, joined into components.

Any one shared attribute joins almost everybody (a carrier's address, a card hub, a popular agent's prompt), so an edge
needs a thinking signature, or values of two families whose rarities sum to a threshold. Two accounts have such an edge
exactly when they share a pair (value of one family, value of another), so components are found over pairs, without
listing edges.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from detectors.linking.graph import Graph
from detectors.linking.houses import crosses, houses
from detectors.partials import FAMILIES

SIGNATURE = FAMILIES.index("signature")
"""A thinking signature is issued once, to one account: shared outside one organisation it joins two on its own."""
VALUES_PER_FAMILY = 8
"""The rarest values of an account that take part, per family."""
GIANT_SHARE = 0.2
"""A component with a larger share of all accounts than this raises the threshold (BotGraph, NSDI 2009)."""
THETA_STEP = 0.2


def rarity(accounts: NDArray, population: int) -> NDArray[np.float64]:
    """Return ln(N/d) / ln(N/2): 1 for a value of two accounts, 0 for a value of all.

    Args:
        accounts: d, how many accounts have the value.
        population: N, how many accounts there are.
    """
    return np.maximum(np.log(population / np.maximum(accounts, 2)) / np.log(max(population, 4) / 2), 0.0)


def components(graph: Graph, theta: float, min_accounts: int, verified: NDArray[np.bool_], since_ms: int) -> NDArray:
    """Return the component of each account, shape (accounts,), −1 for none; numbers are dense from 0.

    Args:
        theta: the rarity that two shared values of different families must sum to.
        min_accounts: smaller components are left out.
        verified: whether an account's organisation is verified; pairs within one such organisation do not count, nor
            do signatures within any.
        since_ms: uses not seen since then do not count.
    """
    keys, accounts, weight = _pairs(graph, since_ms)
    trusted = verified[accounts] | (keys >> 32 == keys & 0xFFFF_FFFF)
    outside = crosses(keys, houses(np.where(trusted, graph.accounts["organization"][accounts], 0), accounts))
    keys, accounts, weight = keys[outside], accounts[outside], weight[outside]
    everyone, population = graph.accounts.rows, graph.population
    while True:
        label, sizes = _join(keys[weight >= theta], accounts[weight >= theta], everyone)
        if not len(sizes) or sizes.max() <= max(GIANT_SHARE * population, 50) or theta > 2.0:
            break
        theta += THETA_STEP
    large = np.flatnonzero(sizes >= min_accounts)
    dense = np.full(len(sizes) + 1, -1)
    dense[large] = np.arange(len(large))
    return dense[label]


def _pairs(graph: Graph, since_ms: int) -> tuple[NDArray, NDArray, NDArray]:
    """Return every account's pairs of values of two families: pair number, account, summed rarity."""
    uses, population = graph.uses, graph.population
    live = np.flatnonzero(uses["last"][: uses.rows] >= since_ms)
    value = uses["value"][live]
    degree = graph.values["accounts"][value]
    account, family = uses["account"][live], graph.values["family"][value]
    weight = rarity(degree, population)
    kept = _rarest(account, family, weight)
    account, family, value, weight = account[kept], family[kept], value[kept], weight[kept]
    parts = []
    for one, other in combinations(range(len(FAMILIES)), 2):
        left, right = _same_account(account, np.flatnonzero(family == one), np.flatnonzero(family == other))
        parts.append((value[left] * np.int64(1 << 32) + value[right], account[left], weight[left] + weight[right]))
    replayed = np.flatnonzero(family == SIGNATURE)
    parts.append((value[replayed] * np.int64((1 << 32) + 1), account[replayed], 2.0 * weight[replayed]))
    keys, accounts, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    return keys, accounts, weights


def _rarest(account: NDArray, family: NDArray, weight: NDArray) -> NDArray:
    order = np.lexsort((-weight, family, account))
    changed = (np.diff(account[order]) != 0) | (np.diff(family[order]) != 0)
    start = np.flatnonzero(np.concatenate([[len(order) > 0], changed]))
    place = np.arange(len(order)) - np.repeat(start, np.diff(np.append(start, len(order))))
    return order[place < VALUES_PER_FAMILY]


def _same_account(account: NDArray, left: NDArray, right: NDArray) -> tuple[NDArray, NDArray]:
    """Return every pair of a position in `left` and one in `right` that belong to the same account."""
    right = right[np.argsort(account[right], kind="stable")]
    first = np.searchsorted(account[right], account[left], "left")
    count = np.searchsorted(account[right], account[left], "right") - first
    start = np.cumsum(count) - count
    offset = np.arange(count.sum()) - np.repeat(start, count) + np.repeat(first, count)
    return np.repeat(left, count), right[offset]


def _join(keys: NDArray, accounts: NDArray, population: int) -> tuple[NDArray, NDArray]:
    """Return the component of each account (−1 alone) and the sizes."""
    unique, inverse, count = np.unique(keys, return_inverse=True, return_counts=True)
    shared = count[inverse] >= 2
    if not shared.any():
        return np.full(population, -1), np.zeros(0, np.int64)
    nodes = population + len(unique)
    edges = (np.ones(int(shared.sum()), np.int8), (accounts[shared], population + inverse[shared]))
    _, label = connected_components(coo_array(edges, shape=(nodes, nodes)), directed=False)
    joined = np.unique(accounts[shared])
    _, dense, sizes = np.unique(label[joined], return_inverse=True, return_counts=True)
    result = np.full(population, -1)
    result[joined] = dense
    return result, sizes
