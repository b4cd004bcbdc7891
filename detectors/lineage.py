"""One campaign after another set of accounts: the work is handed on, or the flow of requests goes on elsewhere.

A banned pool is followed within minutes by another with other cards, devices and exits (hydra clusters; failover on
403). What stays is the work: the same prompts, and as many requests of the same sort.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS, HOUR_MS, Graph
from detectors.linking.rarity import rarity

SAME_WORK = 0.3
"""Cosine of the requests through templates of their own from which two sets of accounts do the same work."""
OWN = 0.6
"""Rarity among all others from which templates are a set's own: tools that everybody has make no heirs."""
OWN_PART = 1.0 / 3.0
"""Or such as a set makes up so much of, the other set left out: a large operation's own prompt is not rare."""
ALIKE = 0.8
SILENCED, FRESH = 0.6, 0.6
"""Parts of the old accounts that fell silent together, and of the new ones that began then."""
TOGETHER_MS, HANDOVER_MS = 12 * HOUR_MS, 2 * DAY_MS
MISSED, LEAST_REST_MS = 3.0, HOUR_MS // 2
"""An account is silent when it would have sent so many requests since its last, and for half an hour: accounts at rest
are not cut off."""
FLOW = 4.0
"""The new flow is within this factor of the old one."""
LEAST_DAYS = 0.25
"""Flows of shorter spans are anything between what they are and what they would be over so long, …"""
SHORTEST_DAYS = HOUR_MS / DAY_MS
"""… and those of spans yet shorter count as of so long."""


def continues(graph: Graph, old: NDArray, new: NDArray, now: int) -> bool:
    """Tell whether the accounts `new` go on with what the accounts `old` did.

    Args:
        old, new: account rows; none in both.
        now: ms of event time.
    """
    return same_work(graph, old, new) >= SAME_WORK or took_over(graph, old, new, now)


def same_work(graph: Graph, one: NDArray, other: NDArray) -> float:
    """Return the cosine, 0 … 1, of two sets' requests per template, each weighed by its rarity among others.

    NaN where one of them has no templates of its own, so that nothing can be compared.

    Args:
        one: the one whose own a template may be though others use it, see `OWN_PART`.
    """
    uses = graph.uses
    prompts = (graph.values["family"][uses["value"][: uses.rows]] == 0) & (uses["live"][: uses.rows] > 0)
    vectors = []
    for accounts in (one, other):
        rows = np.flatnonzero(prompts & np.isin(uses["account"][: uses.rows], accounts))
        vectors.append((uses["value"][rows], uses["counts"][rows, 0].astype(np.float64)))
    values, inverse = np.unique(np.concatenate([value for value, _ in vectors]), return_inverse=True)
    split = len(vectors[0][0])
    mine = np.bincount(inverse[:split], minlength=len(values))
    others = graph.values["accounts"][values] - np.bincount(inverse, minlength=len(values))
    weight = rarity(others, graph.population)
    weight[(weight < OWN) & (mine < OWN_PART * (mine + others))] = 0.0
    left = np.log1p(np.bincount(inverse[:split], vectors[0][1], len(values))) * weight
    right = np.log1p(np.bincount(inverse[split:], vectors[1][1], len(values))) * weight
    length = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / length if length else np.nan


def took_over(graph: Graph, old: NDArray, new: NDArray, now: int) -> bool:
    """Tell whether `old` fell silent together and `new` began then, with a like flow of like requests.

    Heirs are found in parts: those that `old` has already count with `new`, not with the accounts that fell silent.
    """
    table = graph.accounts
    silent, heirs = _handover(graph, old, now)
    elders = np.setdiff1d(old, heirs)
    if not len(silent) or len(silent) < SILENCED * len(elders):
        return False
    stop = int(np.median(table["last"][silent]))
    first = table["first"][new]
    fresh = (first >= stop - TOGETHER_MS) & (first <= stop + HANDOVER_MS)
    if fresh.mean() < FRESH or float(np.median(table["last"][new])) <= stop:
        return False
    mixes = [table["capabilities"][rows].sum(0).astype(np.float64) for rows in (elders, new)]
    length = float(np.linalg.norm(mixes[0]) * np.linalg.norm(mixes[1]))
    flows = (elders, np.union1d(heirs, new))
    least, most = ([_flow(graph, rows, days) for rows in flows] for days in (LEAST_DAYS, SHORTEST_DAYS))
    alike = length > 0 and float(mixes[0] @ mixes[1]) >= ALIKE * length
    return alike and least[0] <= FLOW * most[1] and least[1] <= FLOW * most[0]


def _handover(graph: Graph, accounts: NDArray, now: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which of the accounts fell silent together, and which are at work and began after that."""
    table = graph.accounts
    rest = MISSED * DAY_MS * len(accounts) / max(_flow(graph, accounts, LEAST_DAYS), 1e-9)
    still = table["last"][accounts] <= now - max(LEAST_REST_MS, rest)
    quiet = accounts[still][np.argsort(table["last"][accounts[still]], kind="stable")]
    if not len(quiet):
        return quiet, quiet
    last = table["last"][quiet]
    window = np.searchsorted(last, last + TOGETHER_MS, "right") - np.arange(len(last))
    at = int(window.argmax())
    silent = quiet[at : at + int(window[at])]
    working, stop = accounts[~still], int(np.median(table["last"][silent]))
    return silent, working[(table["first"][working] >= stop) & (table["first"][working] <= stop + HANDOVER_MS)]


def _flow(graph: Graph, rows: NDArray, least: float) -> float:
    """Return the requests a day of `rows` together while they were at work, over `least` days or longer."""
    table = graph.accounts
    first, last = table["first"][rows].min(keepdims=True), table["last"][rows].max(keepdims=True)
    return float(graph.daily(table["counts"][rows, 0].sum(keepdims=True), first, last, least)[0])
