"""Parts of a group that hang on the rest by a thread, or do another thing: each must tell something by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from detectors.evidence.fusion import Fusion
from detectors.linking.graph import Graph
from detectors.linking.members import COMPONENT, Groups, young
from detectors.linking.ties import joined_by, rings, shared_values
from detectors.membership import CORE
from detectors.partials import FAMILIES
from detectors.typicality import HOURS, REFINEMENTS, differ, nearness

NETWORK = FAMILIES.index("network")
MOST = 16
"""So many parts of a group, the largest ones, are looked at: each costs as much as the group is large."""


def telling_parts(groups: Groups, position: int, who: NDArray, fusion: Fusion) -> NDArray:
    """Return the accounts `who` of a group without the parts that nothing but their neighbours speaks against.

    A gateway one of whose exits an account of a campaign uses too is in its component, not in its evidence; a vendor's
    drift monitors may be in the cell of those who search for techniques. A part that is of another kind than the rest
    and the rest are judged apart; where only one of them tells anything (`fusion.Fusion.is_telling`), the other is left
    out.

    Args:
        who: account rows, those of the group that are accused.
    """
    graph, part = groups.graph, groups.parts[position]
    if len(who) < 2 * CORE:
        return who
    kept = np.ones(len(who), bool)
    apart_by = _strands_apart if part.kind == COMPONENT else _rings_apart
    for apart in chain(apart_by(graph, who), _hands_apart(graph, who)):
        mine, rest = kept & apart, kept & ~apart
        if min(mine.sum(), rest.sum()) < CORE or not differ(graph, who, mine, rest):
            continue
        inside = [np.isin(part.account, who[side]) for side in (mine, rest)]
        sides = [replace(part, rows=part.rows[side], account=part.account[side]) for side in inside]
        alone, others = fusion.telling(Groups(graph, sides, groups.population))
        if alone != others:
            kept = mine if alone else rest
    return who[kept]


def _strands_apart(graph: Graph, who: NDArray) -> Iterator[NDArray[np.bool_]]:
    strand = strands(graph, who)
    for number in _largest_first(strand)[:MOST]:
        yield strand == number


def _rings_apart(graph: Graph, who: NDArray) -> Iterator[NDArray[np.bool_]]:
    """Yield the accounts that are nearer to the largest ring than to another, for each other ring."""
    ring = rings(graph, who)
    order = _largest_first(ring)
    for other in order[1 : 1 + MOST]:
        side, rest = ring == order[0], ring == other
        for _ in range(REFINEMENTS):
            side = nearness(graph, who, side, rest, (HOURS,)) > 0.0
            rest = ~side
        yield side


def _hands_apart(graph: Graph, who: NDArray) -> Iterator[NDArray[np.bool_]]:
    """Yield the accounts of the hands that are rather of the young ones' kind than of the others'.

    A hand is who has cards, devices or replayed traces in common: strangers meet behind one network every day, hardly
    ever behind one card. The larger a campaign is, the more of its accounts come through a gateway's exits, until no
    single tie holds the two together.
    """
    account, value = shared_values(graph, who)
    close = graph.values["family"][value] != NETWORK
    hand = joined_by(len(who), account[close], value[close], 1)
    new = young(graph, who)
    side = 2.0 * np.bincount(hand, new)[hand] > np.bincount(hand)[hand]
    for _ in range(REFINEMENTS):
        side = np.bincount(hand, nearness(graph, who, side, ~side, (HOURS,)))[hand] > 0.0
    yield side


def _largest_first(part: NDArray[np.int64]) -> list[int]:
    names, count = np.unique(part[part >= 0], return_counts=True)
    return list(names[np.argsort(-count, kind="stable")].tolist())


def strands(graph: Graph, accounts: NDArray) -> NDArray[np.int64]:
    """Return the strand of each account, −1 for none: five or more that no single use of a rare value holds together.

    One account on another operation's exit joins the two by chance; a second way from one to the other is none.
    """
    who, value = shared_values(graph, accounts)
    value = np.unique(value, return_inverse=True)[1]
    kept = ~bridges(np.stack([who, len(accounts) + value]))
    return joined_by(len(accounts), who[kept], value[kept])


def bridges(edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which edges (2, E) of an undirected graph without double edges are the only way from one end to the other.

    Every edge outside a spanning tree is given a random word; the words of those that leave the part of the tree below
    an edge add up (exclusive or) to zero if there are none, else to zero by a chance of 2⁻⁶³ (Pritchard and Thurimella,
    ACM Trans. Algorithms 7(4), 2011).
    """
    nodes = int(edges.max(initial=-1)) + 1
    first = np.unique(connected_components(_adjacent(edges, nodes), directed=False)[1], return_index=True)[1]
    rooted = np.concatenate([edges, np.stack([np.full(len(first), nodes), first])], axis=1)
    order, parent = breadth_first_order(_adjacent(rooted, nodes + 1), nodes, directed=False)
    beside = (parent[edges[0]] != edges[1]) & (parent[edges[1]] != edges[0])
    word = np.random.default_rng(0).integers(1, 1 << 63, int(beside.sum()))
    below = np.zeros(nodes + 1, np.int64)
    for end in edges[:, beside]:
        np.bitwise_xor.at(below, end, word)
    for node in order[:0:-1].tolist():
        below[parent[node]] ^= below[node]
    child = np.where(parent[edges[0]] == edges[1], edges[0], edges[1])
    return np.asarray(~beside & (below[child] == 0), bool)


def _adjacent(edges: NDArray[np.int64], nodes: int) -> coo_array:
    return coo_array((np.ones(edges.shape[1], np.int8), (edges[0], edges[1])), shape=(nodes, nodes))
