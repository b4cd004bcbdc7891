"""Joins what the partitions tell about one tick, so that it does not show how accounts are spread over them."""

from __future__ import annotations

from itertools import islice
from operator import lt

import numpy as np
from numpy.typing import NDArray

from detectors.columns import CUSTOMERS
from detectors.linking.additions import ascending
from detectors.linking.graph import Graph, Tick
from detectors.partials import SCHEMA, Partial


def merge(graph: Graph, end_ms: int, partials: list[Partial]) -> Tick:
    """Return the partials of one tick joined, accounts in the order of their ids.

    Args:
        graph: numbers the names; those that are new to it get their numbers here.
        end_ms: end of the tick, Unix ms.
        partials: at least one, in any order.
    """
    ids = [account for partial in partials for account in partial.accounts]
    order, place = np.arange(len(ids)), np.arange(len(ids))
    if shuffled := not all(map(lt, ids, islice(ids, 1, None))):
        order = np.array(sorted(range(len(ids)), key=ids.__getitem__))
        place[order] = np.arange(len(ids))
        ids = [ids[position] for position in order.tolist()]
    codes = _number(graph, partials)
    base = np.cumsum([0, *(len(partial.accounts) for partial in partials)])
    columns = {}
    for name in SCHEMA:
        parts = [partial.column(name) for partial in partials]
        if name == "mix_name":
            parts = [_mix_codes(graph, partial, part) for partial, part in zip(partials, parts, strict=True)]
        if name in CUSTOMERS:
            parts = [code[part] for code, part in zip(codes, parts, strict=True)]
        if name in ("use_account", "mix_account"):
            parts = [place[part + first] for part, first in zip(parts, base, strict=False)]
        columns[name] = np.concatenate(parts)
    per_account = [name for name in SCHEMA if not name.startswith(("use_", "mix_", "contents"))]
    if shuffled:
        columns |= {name: columns[name][order] for name in per_account}
    _sort_uses(columns)
    return Tick(end_ms, ids, columns)


def _number(graph: Graph, partials: list[Partial]) -> list[NDArray[np.int16]]:
    """Number what is named for the first time in a tick by the alphabet, not by which partial came first.

    Returns:
        For each partial the code of each of its names that says what customers are, that of −1 at the end.
    """
    told = [_of_customers(partial) for partial in partials]
    graph.names.codes(sorted({p.names[name] for p, mine in zip(partials, told, strict=True) for name in mine}))
    codes = [np.full(len(partial.names) + 1, -1, np.int16) for partial in partials]
    for partial, mine, code in zip(partials, told, codes, strict=True):
        code[mine] = graph.names.codes([partial.names[name] for name in mine])
    for number, known in enumerate((graph.models, graph.paths)):
        used = ((p, p.column("mix_name")[p.column("mix_kind") == number]) for p in partials)
        known.codes(sorted({p.names[name] for p, mine in used for name in np.unique(mine).tolist()}))
    return codes


def _of_customers(partial: Partial) -> list[int]:
    """Return the numbers of a partial's names that say what customers are, and not what they ask for."""
    used = np.zeros(len(partial.names) + 1, bool)  # the last for the −1 of no name
    for name in CUSTOMERS:
        used[partial.column(name)] = True
    return np.flatnonzero(used[:-1]).tolist()


def _mix_codes(graph: Graph, partial: Partial, names: NDArray) -> NDArray:
    kind, codes = partial.column("mix_kind"), np.zeros(len(names), np.int64)
    for number, known in enumerate((graph.models, graph.paths)):
        used, inverse = np.unique(names[kind == number], return_inverse=True)
        named = [partial.names[name] for name in used.tolist()]
        codes[kind == number] = known.codes(named)[inverse]
        if known.full:
            strange = [name for name in used.tolist() if partial.names[name] not in known.known]
            graph.contenders[number].note(_served(partial, number, name) for name in strange)
    return codes


def _served(partial: Partial, kind: int, name: int) -> tuple[str, list[str]]:
    """Return a name with the accounts that were not refused or turned away every time they asked for it."""
    mine = (partial.column("mix_kind") == kind) & (partial.column("mix_name") == name)
    mine &= partial.column("mix_failed") < partial.column("mix_requests")
    return partial.names[name], [partial.accounts[place] for place in partial.column("mix_account")[mine].tolist()]


def _sort_uses(columns: dict[str, NDArray]) -> None:
    """Put uses (with their contents) and mixes in an order that does not depend on the partition they came from."""
    names = [name for name in columns if name.startswith("mix_")]
    mixes = columns["mix_account"], columns["mix_kind"].astype(np.int64), columns["mix_name"].astype(np.uint64)
    if not ascending(*mixes):
        order = np.lexsort(mixes[::-1])
        columns.update({name: columns[name][order] for name in names})
    uses = columns["use_account"], columns["use_family"].astype(np.int64), columns["use_value"]
    if ascending(*uses):
        return
    order = np.lexsort(uses[::-1])
    per_use = columns["use_contents"].astype(np.int64)
    start = np.cumsum(per_use) - per_use
    count = per_use[order]
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    columns["contents"] = columns["contents"][np.repeat(start[order], count) + offset]
    columns.update({name: columns[name][order] for name in columns if name.startswith("use_")})
