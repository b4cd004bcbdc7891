"""Which accounts of a group take part in what the group does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import Graph
from detectors.linking.members import BEHAVIOUR, BUNDLE, COMPONENT, SUBPOPULATION, TEMPLATE, Groups, young
from detectors.linking.ties import (
    CHANCE,
    beyond_chance,
    crowded,
    linked_families,
    pairs,
    ringed,
    rings,
    twice_joined,
    without_infrastructure,
)
from detectors.typicality import HOURS, OF_CELLS, OF_IDENTITY, alike, belonging, differ, nearness, typical

ALIKE = 0.5
"""Members of a group that formed around shared infrastructure must ask for like things: cosine of capability mixes."""
WORK_SHARE = 0.3
"""Members give at least this part of their requests to the group's prompts, if they are to count as doing its work."""
MOSTLY, NEARLY = 0.5, 0.8
"""Those accused do at least the first part of a group's work; where they do the second, doubtful members go along."""
PART = 0.2
"""What is said of a group is not said of linked accounts that do less than this part of what it does."""
CORE = 5
"""So many linked accounts show what the others must be like."""
LINKED = 0.3
"""Where fewer than this part of those with a card, device or network are linked, the others are strangers."""
ODDS = 3.0
"""ln(20): an account joined to others of a cell is left alone when it is so much likelier as a stranger."""
SURE, LIKELIER = 0.95, 0.5
"""An account is accused when it is one of the group with at least this probability: one that nothing links, and one
that something does."""
BREADTH = 0.3
"""Members of a bundle use at least this part of the templates that its busy accounts use."""
HALF_A_REQUEST = 0.5
"""What is left of a use that counts; uses fade."""
CORE_USERS = 0.2
"""A template is the surely linked ones' own when they are this part of its users, and at least two."""
LIST = 5
"""Accounts that work through so many templates of a bundle have one list of work, linked or not; apps have a few."""


def accused(groups: Groups, position: int) -> NDArray[np.bool_]:
    """Tell which members of a group take part in what the group does, shape (members of the group,).

    The account does the group's work, and it shares something rare with another member, or is like those who do; one
    that only stands behind the same cards and exits must be young too, and ask for like things; where pairs of values
    made the group, it is young or linked in two families, and typical of the group; in a subpopulation it must share
    something rare, be young, and work through a good part of the prompts as often as others do. A stranger who uses the
    same popular prompt, or the same exit, has one. Where several are linked in two families, who is linked in one must
    be like them.
    """
    graph, part, mine = groups.graph, groups.parts[position], groups.group == position
    accounts, requests = groups.account[mine], groups.requests[mine]
    new = young(graph, accounts)
    if part.kind in (BEHAVIOUR, TEMPLATE, BUNDLE):
        ring = _joints(graph, accounts)
        return _cell(graph, accounts, ring, new) if part.kind == BEHAVIOUR else _workers(groups, position, ring, new)
    families = linked_families(graph, accounts, accounts)
    joined, twice = families > 0, families > 1
    if part.kind == SUBPOPULATION:
        used = part.traffic["templates"]
        broad = used >= BREADTH * np.average(used, weights=requests)
        busy = requests >= BREADTH * np.average(requests, weights=requests)
        return _part(requests, _like_those_linked_twice(graph, accounts, joined & new & broad & busy, twice))
    mix = groups.column("capabilities")[mine].astype(np.float64)
    whole = mix.sum(0)
    length = np.linalg.norm(mix, axis=1) * np.linalg.norm(whole)
    same = mix @ whole >= ALIKE * length  # so are two of which nothing is known
    if part.kind == COMPONENT:
        return _component(graph, accounts, joined & same, new, twice)
    shared = graph.accounts["shared"][accounts] >= WORK_SHARE * graph.accounts["counts"][accounts, 0]
    return _part(requests, _like_those_linked_twice(graph, accounts, joined & same & new & shared, twice))


def _part(requests: NDArray, result: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return `result`, or nobody where those do too small a part of a group's requests to be what is said of it."""
    return np.asarray(result & (requests[result].sum() >= PART * requests.sum()), bool)


def _joints(graph: Graph, accounts: NDArray) -> NDArray[np.int64]:
    """Return which ring each account is in, −1 for none; where few are in one but most are linked, which pair.

    Cards bought for two or three accounts each make no ring of five; but what links most of a group is no chance.
    """
    ring, carries = rings(graph, accounts), ~without_infrastructure(graph, accounts)
    if carries.any() and (ring[carries] >= 0).mean() < LINKED:
        pair = pairs(graph, accounts)
        if beyond_chance(graph, accounts, pair >= 0) >= MOSTLY:
            return pair
    return ring


def _like_those_linked_twice(
    graph: Graph, accounts: NDArray, result: NDArray[np.bool_], twice: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Leave out those linked in one family who are rather of everybody's kind than of that of those linked in two.

    An honest customer of a campaign's exits shares those and nothing else; and where those linked in two work through
    templates of their own, he works through others.
    """
    core = result & twice
    if core.sum() >= CORE:
        fits = (belonging(graph, accounts, core) >= LIKELIER) & _same_work(graph, accounts, core)
        result = result & (twice | fits)
    return np.asarray(result, bool)


def _same_work(graph: Graph, accounts: NDArray, core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which accounts work through the templates of the `core`; all do where those have none of their own."""
    rows, uses = np.sort(accounts), graph.uses
    place = np.searchsorted(rows, uses["account"][: uses.rows]).clip(max=len(rows) - 1)
    value = uses["value"][: uses.rows]
    mine = (rows[place] == uses["account"][: uses.rows]) & (uses["counts"][: uses.rows, 0] >= HALF_A_REQUEST)
    mine = np.flatnonzero(mine & (graph.values["family"][value] == 0))
    order = np.argsort(accounts, kind="stable")
    who, value, requests = order[place[mine]], value[mine], uses["counts"][mine, 0].astype(np.float64)
    names, template = np.unique(value, return_inverse=True)
    users = np.bincount(template[core[who]], minlength=len(names))
    theirs = (users >= 2) & (users >= CORE_USERS * graph.values["accounts"][names])
    through = np.bincount(who, requests * theirs[template], len(accounts))
    share = through / np.maximum(np.bincount(who, requests, len(accounts)), 1e-9)
    if np.median(share[core]) < WORK_SHARE:
        return np.ones(len(accounts), bool)
    return np.asarray(share >= WORK_SHARE, bool)


def _component(
    graph: Graph, accounts: NDArray, joined: NDArray[np.bool_], new: NDArray[np.bool_], twice: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell which accounts of a component are accused, shape (len(accounts),).

    Those linked in two families, and the young linked in one who are like them; not those whom two families join to
    each other but not to most, if they are of another kind. Nobody is where less than half would be: a mixture of
    several campaigns and whoever shares their exits.
    """
    result = joined & (new | twice) & typical(graph, accounts)
    result &= ~_of_other_rings(graph, accounts, twice_joined(graph, accounts))
    if result.mean() < MOSTLY:
        return np.zeros(len(accounts), bool)
    return _like_those_linked_twice(graph, accounts, result, twice)


def _cell(graph: Graph, accounts: NDArray, ring: NDArray[np.int64], new: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which accounts of a cell of behaviour are accused, shape (len(accounts),).

    The linked who are like each other, and where many are, those like them that carry no card, device or network. Some
    are surely linked: chance explains their rings in no cell as large. Where those are most of the linked, who is far
    likelier one of the unlinked is a stranger, however linked; where few are linked and most of those loosely, all are.
    """
    bare, others = without_infrastructure(graph, accounts), _of_other_rings(graph, accounts, ring)
    joined = (ring >= 0) & ~others
    share = joined[~bare].mean() if (~bare).any() else 1.0
    sure = ringed(graph, accounts, CHANCE / len(accounts))
    twice = linked_families(graph, accounts, accounts) > 1
    sure &= new | twice
    strangers = ~(joined | bare)
    sure &= ~others
    told = sure.sum() >= max(CORE, MOSTLY * joined.sum())
    if share < LINKED and not told:
        return np.zeros(len(accounts), bool)
    joined, bare = _of_one_kind(graph, accounts, joined, bare, sure & twice)
    if told and strangers.sum() >= CORE:
        joined = joined & (nearness(graph, accounts, sure, strangers) > -ODDS)
    core = alike(graph, accounts, typical(graph, accounts, OF_CELLS) & joined, OF_CELLS)
    if share < LINKED:
        work = graph.accounts["counts"][accounts, 0]
        return _part(work, core)
    likely = typical(graph, accounts, OF_CELLS)
    if core.sum() >= CORE:
        likely = belonging(graph, accounts, core, OF_CELLS) >= SURE
    return np.asarray(core | (bare & likely), bool)


def _of_one_kind(
    graph: Graph, accounts: NDArray, joined: NDArray[np.bool_], bare: NDArray[np.bool_], core: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the `joined` and the `bare` of a cell without those of another kind than its `core`.

    A cell may hold two rings: an operation's, linked in two families, and that of customers of one tool who do the same
    from its exits. Where those that are not of the core differ from it, each account goes with the one it is likelier
    of; what tells accounts with a card from accounts through clouds tells nothing about the latter.
    """
    others = ~(core | bare)
    if core.sum() < CORE or others.sum() < CORE or not differ(graph, accounts, core, others):
        return joined, bare
    near = core | (nearness(graph, accounts, core, others, (HOURS,)) > 0.0)
    unlike = nearness(graph, accounts, core, others & ~near, (HOURS, *OF_IDENTITY)) <= 0.0
    return joined & near, bare & ~unlike


def _workers(groups: Groups, position: int, ring: NDArray[np.int64], new: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which users of a group's prompts are accused, shape (members of the group,).

    Besides the linked those who are like them, or, where hardly anybody is linked, the young among whom there can be
    few ordinary ones; where those do nearly all of the work, whoever is rather like them than not, or works through one
    list of it with them, however he came. Nobody is when they do less than half of it: the evidence is of another
    group's making, whose members use a popular prompt too.

    Args:
        ring: of each member, see `rings`.
    """
    graph, part, mine = groups.graph, groups.parts[position], groups.group == position
    accounts, requests = groups.account[mine], groups.requests[mine]
    others = _of_other_rings(graph, accounts, ring)
    joined = (ring >= 0) & ~others
    busy = requests >= WORK_SHARE * graph.accounts["counts"][accounts, 0]
    works, listed = busy, np.zeros(len(accounts), bool)
    if part.kind == BUNDLE:
        used = part.traffic["templates"]
        works = used >= BREADTH * np.average(used, weights=requests)
        listed = works & busy & (used >= LIST)
    elif (joined & new).mean() >= MOSTLY:
        works = works | (joined & new)  # of one operation, which has more templates than this
    core, apart = works & joined, works & busy & ~joined & ~others & ~crowded(graph, accounts)
    families = linked_families(graph, accounts, accounts)
    core = like_the_sure(graph, accounts, alike(graph, accounts, core), busy & new, families > 1)
    likely, bare = np.zeros(len(accounts)), without_infrastructure(graph, accounts)
    if core.sum() < CORE and listed.mean() >= MOSTLY:
        return listed
    tied = families > 0
    loosely = works & ~joined & tied & ~others
    if max(core.sum() / max((works & ~bare).sum(), 1), beyond_chance(graph, accounts, tied)) < LINKED:
        apart, loosely = apart & bare, np.zeros(len(accounts), bool)
    if core.sum() >= CORE:
        likely = belonging(graph, accounts, core)
    elif ordinary_share(new[works & ~joined], groups.population.young) <= 1.0 - SURE:
        likely[new & bare] = 1.0
    result = core | (apart & (likely >= SURE)) | (loosely & (likely >= LIKELIER))
    if requests[result].sum() >= NEARLY * requests.sum():
        result |= works & busy & ~others & (listed | (likely >= LIKELIER))
    return np.asarray(result & (requests[result].sum() >= MOSTLY * requests.sum()), bool)


def like_the_sure(
    graph: Graph, accounts: NDArray, core: NDArray[np.bool_], given: NDArray[np.bool_], twice: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the `core` without those of another kind than the young ones who are given to the work and linked twice.

    Where those are most of the young workers of the core, who is linked in one family, works for others too or has been
    here for long may be another customer of the same exits.

    Args:
        given: who is young and gives much of what it asks to the group's prompts.
        twice: who is linked in two families.
    """
    sure = core & given & twice
    if sure.sum() < max(CORE, MOSTLY * (core & given).sum()):
        return core
    return np.asarray(core & (belonging(graph, accounts, sure) >= LIKELIER), bool)


def _of_other_rings(graph: Graph, accounts: NDArray, ring: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which accounts are in rings of other operations than the largest ring, shape (len(accounts),).

    A relay and an honest gateway bring the same tools' customers, each on its own cards. Rings are of another operation
    as a whole, when one holds most of those in rings, chance does not explain what tells the rest from it, and they are
    likelier of the rest.
    """
    joined = ring >= 0
    size = np.bincount(ring[joined], minlength=1)
    largest = ring == size.argmax()
    rest = joined & ~largest
    if size.max() < MOSTLY * joined.sum() or min(largest.sum(), rest.sum()) < CORE:
        return np.zeros(len(accounts), bool)
    if not differ(graph, accounts, largest, rest):
        return np.zeros(len(accounts), bool)
    nearer = nearness(graph, accounts, largest, rest, (HOURS,))
    foreign = np.bincount(ring[rest], nearer[rest], len(size)) <= 0.0
    return np.asarray(rest & foreign[ring], bool)


def akin(graph: Graph, accounts: NDArray, members: NDArray) -> NDArray[np.bool_]:
    """Tell which accounts are members of a known campaign or surely of their kind, shape (len(accounts),).

    Args:
        accounts: account rows, different ones.
        members: of the campaign.
    """
    everyone = np.union1d(accounts, members)
    likely = belonging(graph, everyone, np.isin(everyone, members))[np.searchsorted(everyone, accounts)]
    return np.asarray(likely >= SURE, bool)


def ordinary_share(new: NDArray[np.bool_], usual: float) -> float:
    """Return about which part of the young accounts among these are ordinary ones.

    Old accounts among them tell how many ordinary ones there are, and those bring their part of young ones.

    Args:
        new: whether each account is young.
        usual: share of young accounts in the population.
    """
    share = float((new.sum() + usual) / (len(new) + 1.0))
    return min(usual * (1.0 - share) / max((1.0 - usual) * share, 1e-9), 1.0)
