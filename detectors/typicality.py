"""Which accounts of a group are like the group rather than like everybody: a sum of log-likelihood ratios.

A cell of behaviour also holds strangers who happen to ask for the same. They differ in what was not used to form the
cell: how much they do, when, since when, how they came and how they were verified (naive Bayes with add-one counts).
"""

from __future__ import annotations

from collections.abc import Container

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, xlogy

from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.traits import ELICITED, REFUSED, hours_of_day

AGES_MS = (DAY_MS, 14 * DAY_MS, 60 * DAY_MS)
PARTS = (0.02, 0.1, 0.3, 0.6, 0.9)
"""Steps of the parts of an account's requests that elicit or grade, and that are refused."""
PRIOR = 5.0
"""Accounts of the population added to every group's counts."""
ROUNDS, REFINEMENTS = 30, 3
HOURS, OF_IDENTITY, OF_CELLS = 1, (3, 4, 5, 6), (8,)
"""Places among the traits: hours of the day grow with time; what accounts through clouds do not have in common with
others of one operator; and what cells of behaviour are made of, which all in one have in common."""
DIFFERENT = 0.01
"""Two sets of accounts are of different kinds when chance explains what tells them apart with less than this."""


def traits(graph: Graph, rows: NDArray) -> list[NDArray[np.int64]]:
    """Return small numbers ≥ 0 that describe each account, one array of shape (len(rows),) per trait."""
    table = graph.accounts
    first, last, created = (table[name][rows] for name in ("first", "last", "created"))
    counts = table["counts"][rows]
    rate = graph.daily(counts[:, 0], first, last)
    hours = hours_of_day(table["hours"][rows])
    shares = counts[:, [ELICITED, REFUSED]] / np.maximum(counts[:, :1], 1e-9)
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
        *(np.searchsorted(PARTS, share).astype(np.int64) for share in shares.T),
    ]


def typical(graph: Graph, members: NDArray, without: Container[int] = ()) -> NDArray[np.bool_]:
    """Tell which members are likelier as members than as accounts of the population, shape (len(members),)."""
    return np.asarray(likeness(graph, members, np.ones(len(members), bool), without) > 0.0, bool)


def likeness(
    graph: Graph, members: NDArray, sure: NDArray[np.bool_], without: Container[int] = ()
) -> NDArray[np.float64]:
    """Return ln(likelihood as one of the `sure` members / as an account of the population), shape (len(members),).

    Args:
        without: places of the traits that are left out.
    """
    return _likeness(_compared(graph, members, without), sure)


def nearness(
    graph: Graph, members: NDArray, core: NDArray[np.bool_], others: NDArray[np.bool_], without: Container[int] = ()
) -> NDArray[np.float64]:
    """Return ln(likelihood as one of the `core` / as one of the `others`) of every member, shape (len(members),).

    Args:
        without: places of the traits that are left out.
    """
    compared = _compared(graph, members, without)
    return _likeness(compared, core) - _likeness(compared, others)


def differ(graph: Graph, members: NDArray, some: NDArray[np.bool_], others: NDArray[np.bool_]) -> bool:
    """Tell whether `some` of the members are of another kind than `others`, by more than how long they have been here.

    The most telling of the traits' G-tests of independence, corrected for their number (Bonferroni).
    """
    found = []
    for place, (codes, population) in enumerate(_compared(graph, members)):
        if place != HOURS:
            table = np.stack([np.bincount(codes[who], minlength=len(population)) for who in (some, others)])
            found.append(independence(table))
    return bool(min(found) * len(found) < DIFFERENT)


def independence(table: NDArray[np.int64]) -> float:
    """Return the p-value of the G-test that two rows of counts, shape (2, K), have the same distribution.

    With one degree of freedom it is Yates's corrected one (Sokal and Rohlf, Biometry, 17.3), as in
    `scipy.stats.chi2_contingency`, which takes ten times as long.
    """
    table = table[:, table.sum(0) > 0].astype(np.float64)
    freedom = table.shape[1] - 1
    if freedom < 1:
        return 1.0
    expected = table.sum(0) * (table.sum(1, keepdims=True) / table.sum())
    if freedom == 1:
        table = table + np.clip(expected - table, -0.5, 0.5)
    return float(chdtrc(freedom, 2.0 * xlogy(table, table / expected).sum()))


def _compared(
    graph: Graph, members: NDArray, without: Container[int] = ()
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return for each trait that of the members, and its distribution in the population.

    The same members are compared with several of their parts in turn: what was found of them last is kept for the tick.
    """
    if "compared" not in graph.memo or not np.array_equal(graph.memo["compared"][0], members):
        graph.memo["compared"] = members.copy(), _described(graph, members)
    return [pair for place, pair in enumerate(graph.memo["compared"][1]) if place not in without]


def _described(graph: Graph, members: NDArray) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    if "traits" not in graph.memo:
        everyone = np.flatnonzero(graph.accounts["counts"][: graph.accounts.rows, 0] >= 1.0)
        graph.memo["traits"] = [np.bincount(codes) for codes in traits(graph, everyone)]
    result = []
    for mine, counts in zip(traits(graph, members), graph.memo["traits"], strict=True):
        size = max(int(mine.max(initial=0)) + 1, len(counts), 1)
        result.append((mine, (np.pad(counts, (0, size - len(counts))) + 1.0) / (counts.sum() + size)))
    return result


def _likeness(
    compared: list[tuple[NDArray[np.int64], NDArray[np.float64]]], chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    score = np.zeros(len(chosen))
    for mine, population in compared:
        group = np.bincount(mine[chosen], minlength=len(population)) + PRIOR * population
        score += np.log(group / (chosen.sum() + PRIOR) / population)[mine]
    return score


def belonging(
    graph: Graph, members: NDArray, sure: NDArray[np.bool_], without: Container[int] = ()
) -> NDArray[np.float64]:
    """Return the probability that each member is of the same kind as the `sure` ones, shape (len(members),).

    The others are a mixture of that kind and of the population; its share is found by expectation-maximisation over
    the mixing weight alone (Dempster, Laird and Rubin, J. R. Stat. Soc. B 1977).
    """
    ratio = np.exp(np.clip(likeness(graph, members, sure, without), -30.0, 30.0))
    result, share = np.ones(len(members)), 0.5
    if sure.all():
        return result
    for _ in range(ROUNDS):
        result = share * ratio / (share * ratio + 1.0 - share)
        share = float((result[~sure].sum() + 0.5) / ((~sure).sum() + 1.0))
    return np.where(sure, 1.0, result)


def alike(graph: Graph, members: NDArray, core: NDArray[np.bool_], without: Container[int] = ()) -> NDArray[np.bool_]:
    """Return the `core` without those who are likelier as accounts of the population than as the rest of it."""
    compared = _compared(graph, members, without)
    for _ in range(REFINEMENTS):
        if not core.any():
            break
        core = core & (_likeness(compared, core) > 0.0)
    return core
