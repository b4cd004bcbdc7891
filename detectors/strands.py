"""Parts of a component that hang on the rest by a thread: each must tell something by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from detectors.evidence.fusion import Fusion
from detectors.linking.components import rarity
from detectors.linking.graph import Graph
from detectors.linking.houses import crosses, houses
from detectors.linking.members import COMPONENT, Groups
from detectors.membership import CORE, RARE, joined_by
from detectors.typicality import differ


def telling_strands(groups: Groups, position: int, who: NDArray, fusion: Fusion) -> NDArray:
    """Return the accounts `who` of a group without the strands that nothing but their neighbours speaks against.

    A gateway one of whose exits an account of a campaign uses too is in its component, not in its evidence. A
    strand that is of another kind than the rest and the rest are judged apart; where only one of them tells anything
    (`fusion.Fusion.is_telling`), the other is left out. Groups of other kinds than components are left as they are.

    Args:
        who: account rows, those of the group that are accused.
    """
    graph, part = groups.graph, groups.parts[position]
    if part.kind != COMPONENT:
        return who
    strand, kept = strands(graph, who), np.ones(len(who), bool)
    for number in np.unique(strand[strand >= 0]).tolist():
        mine, rest = kept & (strand == number), kept & (strand != number)
        if min(mine.sum(), rest.sum()) < CORE or not differ(graph, who, mine, rest):
            continue
        inside = [np.isin(part.account, who[side]) for side in (mine, rest)]
        sides = [replace(part, rows=part.rows[side], account=part.account[side]) for side in inside]
        alone, others = fusion.judge(Groups(graph, sides, groups.population)).telling
        if alone != others:
            kept = mine if alone else rest
    return who[kept]


def strands(graph: Graph, accounts: NDArray) -> NDArray[np.int64]:
    """Return the strand of each account, −1 for none: five or more that no single use of a rare value holds together.

    One account on another operation's exit joins the two by chance; a second way from one to the other is none.
    """
    recent = graph.accounts["recent"][accounts].reshape(len(accounts), -1)
    who, place = np.nonzero((recent >= 0) & (rarity(graph.values["accounts"][recent], graph.population) >= RARE))
    value = recent[who, place]
    shared = crosses(value, houses(graph.accounts["organization"][accounts], accounts)[who])
    who, value = np.unique(np.stack([who[shared], value[shared]]), axis=1)
    value = np.unique(value, return_inverse=True)[1]
    kept = ~bridges(np.stack([who, len(accounts) + value]))
    return joined_by(len(accounts), who[kept], value[kept])


def bridges(edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which edges (2, E) of an undirected graph without double edges are the only way from one end to the other.

    Every edge outside a spanning tree is given a random word; the words of those that leave the part of the tree below
    an edge add up (exclusive or) to zero if there are none, else to zero by a chance of 2⁻⁶⁴ (Pritchard and Thurimella,
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
