"""Accounts that share two different kinds of rare value, joined into components.

Any one shared attribute joins almost everybody (a carrier's address, a card hub, a popular agent's prompt), so an edge
needs a thinking signature, values of two families whose rarities sum to a threshold, or one rare value and the sign-up
cohort (`linking.cohorts`). Two accounts have such an edge exactly when they share a pair (value of one family, value
of another), so components are found over pairs, without listing edges.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from detectors.linking.cohorts import COMPANIONS, cohort_pairs
from detectors.linking.graph import Graph
from detectors.linking.houses import crosses, houses
from detectors.linking.rarity import rarity
from detectors.partials import FAMILIES

SIGNATURE = FAMILIES.index("signature")
"""A thinking signature is issued once, to one account: shared outside one organisation it joins two on its own."""
VALUES_PER_FAMILY = 8
"""The rarest values of an account that take part, per family."""
GIANT_SHARE = 0.2
"""A component with a larger share of all accounts than this raises the threshold (BotGraph, NSDI 2009)."""
THETA_STEP = 0.2
SMALL_GIANT = 50
"""No component of so few accounts is a giant."""
COHORT_SHARE = 0.03
"""Where sign-up cohorts join a larger share of all accounts than this, and twice the largest component without them,
chance does more than it should, …"""
LET_IN = (COMPANIONS, COMPANIONS / 2, COMPANIONS / 4, 0.0)
"""… and fewer chance companions are let in: the first of these with which it does not."""


def components(graph: Graph, theta: float, min_accounts: int, verified: NDArray[np.bool_], since_ms: int) -> NDArray:
    """Return the component of each account, shape (accounts,), −1 for none; numbers are dense from 0.

    Args:
        theta: the rarity that two shared values of different families must sum to.
        min_accounts: smaller components are left out.
        verified: whether an account's organisation is verified; pairs within one such organisation do not count, nor
            do signatures within any.
        since_ms: uses not seen since then do not count.
    """
    used = _used(graph, since_ms)
    pairs = _outside(graph, verified, *_pairs(graph, *used))
    for companions in LET_IN:
        cohorts = _outside(graph, verified, *cohort_pairs(graph, *used, companions))
        label, sizes, reached = _without_giants(graph, pairs, cohorts, theta)
        largest = sizes.max(initial=0)
        if largest <= max(COHORT_SHARE * graph.population, SMALL_GIANT):
            break
        _, alone = _join(graph, *pairs, reached)
        if largest <= 2.0 * alone.max(initial=0):
            break
    large = np.flatnonzero(sizes >= min_accounts)
    dense = np.full(len(sizes) + 1, -1)
    dense[large] = np.arange(len(large))
    return dense[label]


def _used(graph: Graph, since_ms: int) -> tuple[NDArray, NDArray, NDArray]:
    """Return the uses that take part: account row, value row, rarity of the value."""
    uses = graph.uses
    live = np.flatnonzero(uses["last"][: uses.rows] >= since_ms)
    value, account = uses["value"][live], uses["account"][live]
    weight = rarity(graph.values["accounts"][value], graph.population)
    kept = _rarest(account, graph.values["family"][value], weight)
    return account[kept], value[kept], weight[kept]


def _outside(
    graph: Graph, verified: NDArray[np.bool_], keys: NDArray, accounts: NDArray, weight: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Leave out the pairs within one verified organisation, and signatures within any."""
    trusted = verified[accounts] | (keys >> 32 == keys & 0xFFFF_FFFF)
    outside = crosses(keys, houses(np.where(trusted, graph.accounts["organization"][accounts], 0), accounts))
    return keys[outside], accounts[outside], weight[outside]


def _pairs(graph: Graph, account: NDArray, value: NDArray, weight: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return every account's pairs of values of two families: pair number, account, summed rarity."""
    family, parts = graph.values["family"][value], []
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


def _without_giants(
    graph: Graph, pairs: tuple[NDArray, ...], cohorts: tuple[NDArray, ...], theta: float
) -> tuple[NDArray, NDArray, float]:
    """Join accounts at the least threshold from `theta` on that makes no giant; return it after what `_join` does."""
    keys, accounts, weight = (np.concatenate(both) for both in zip(pairs, cohorts, strict=True))
    while True:
        label, sizes = _join(graph, keys, accounts, weight, theta)
        if sizes.max(initial=0) <= max(GIANT_SHARE * graph.population, SMALL_GIANT) or theta > 2.0:
            return label, sizes, theta
        theta += THETA_STEP


def _join(graph: Graph, keys: NDArray, accounts: NDArray, weight: NDArray, theta: float) -> tuple[NDArray, NDArray]:
    """Return the component of each account (−1 alone) and the sizes, by pairs that weigh `theta` or more."""
    keys, accounts, population = keys[weight >= theta], accounts[weight >= theta], graph.accounts.rows
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
