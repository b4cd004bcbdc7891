"""Which accounts of a group are like the group rather than like everybody: a sum of log-likelihood ratios.

A cell of behaviour also holds strangers who happen to ask for the same. They differ in what was not used to form the
cell: how much they do, when, since when, how they came and how they were verified (naive Bayes with add-one counts).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.members import daily_rate

AGES_MS = (DAY_MS, 14 * DAY_MS, 60 * DAY_MS)
PRIOR = 5.0
"""Accounts of the population added to every group's counts."""
ROUNDS, REFINEMENTS = 30, 3


def traits(graph: Graph, rows: NDArray) -> list[NDArray[np.int64]]:
    """Return small numbers ≥ 0 that describe each account, one array of shape (len(rows),) per trait."""
    table = graph.accounts
    first, last, created = (table[name][rows] for name in ("first", "last", "created"))
    rate = daily_rate(first, last, table["counts"][rows, 0].astype(np.float64))
    hours = np.bitwise_count(table["hours"][rows]).astype(np.int64)
    age = np.where(created >= 0, 1 + np.searchsorted(AGES_MS, first - created), 0)
    return [
        np.clip(np.floor(np.log(np.maximum(rate, 0.1))), -2, 9).astype(np.int64) + 2,
        hours // 4,
        age.astype(np.int64),
        table["verification"][rows].astype(np.int64) + 1,
        table["plan"][rows].astype(np.int64) + 1,
        table["pathway"][rows].astype(np.int64) + 1,
        table["paths"][rows].argmax(1).astype(np.int64),
        table["models"][rows].argmax(1).astype(np.int64),
    ]


def typical(graph: Graph, members: NDArray) -> NDArray[np.bool_]:
    """Tell which members are likelier as members than as accounts of the population, shape (len(members),)."""
    return np.asarray(likeness(graph, members, np.ones(len(members), bool)) > 0.0, bool)


def likeness(graph: Graph, members: NDArray, sure: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return ln(likelihood as one of the `sure` members / as an account of the population), shape (len(members),)."""
    score = np.zeros(len(members))
    for mine, group, population in _densities(graph, members, sure):
        score += np.log(group / population)[mine]
    return score


def nearness(graph: Graph, members: NDArray, core: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return ln(likelihood as one of the `core` / as one of the `others`) of every member, shape (len(members),)."""
    score = np.zeros(len(members))
    both = zip(_densities(graph, members, core), _densities(graph, members, others), strict=True)
    for (mine, group, _), (_, rest, _) in both:
        score += np.log(group / rest)[mine]
    return score


def _densities(
    graph: Graph, members: NDArray, chosen: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray, NDArray]]:
    """Yield for each trait that of the members, and its distribution among the `chosen` of them and among everybody."""
    everyone = np.flatnonzero(graph.accounts["counts"][: graph.accounts.rows, 0] >= 1.0)
    for mine, all_of_them in zip(traits(graph, members), traits(graph, everyone), strict=True):
        size = int(max(mine.max(initial=0), all_of_them.max(initial=0))) + 1
        population = (np.bincount(all_of_them, minlength=size) + 1.0) / (len(all_of_them) + size)
        group = (np.bincount(mine[chosen], minlength=size) + PRIOR * population) / (chosen.sum() + PRIOR)
        yield mine, group, population


def belonging(graph: Graph, members: NDArray, sure: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the probability that each member is of the same kind as the `sure` ones, shape (len(members),).

    The others are a mixture of that kind and of the population; its share is found by expectation-maximisation over
    the mixing weight alone (Dempster, Laird and Rubin, J. R. Stat. Soc. B 1977).
    """
    ratio = np.exp(np.clip(likeness(graph, members, sure), -30.0, 30.0))
    result, share = np.ones(len(members)), 0.5
    if sure.all():
        return result
    for _ in range(ROUNDS):
        result = share * ratio / (share * ratio + 1.0 - share)
        share = float((result[~sure].sum() + 0.5) / ((~sure).sum() + 1.0))
    return np.where(sure, 1.0, result)


def alike(graph: Graph, members: NDArray, core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the `core` without those who are likelier as accounts of the population than as the rest of it."""
    for _ in range(REFINEMENTS):
        if not core.any():
            break
        core = core & (likeness(graph, members, core) > 0.0)
    return core
