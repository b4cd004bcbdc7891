"""Accounts that share a rare value and signed up in the same fortnight: the sign-up cohort as a link.

An operation makes its accounts in batches. Two of its accounts seldom share two values, but many share one: this pair a
card, that pair a device. Any one value joins households and offices too, whose members signed up years apart; those
who signed up together as well are few by chance, so what they chain to is somebody's work. (Registration synchrony of
two accounts with one attribute in common: Yuan et al., Ianus, CCS 2019; groups by registration address and date: Xiao
et al., AISec 2015.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.rarity import rarity
from detectors.partials import FAMILIES, PLACES
from detectors.windows.table import LIVE

COHORT_MS = 14 * DAY_MS
GRIDS = 2
"""Cohorts begin every week and last two, so that every two accounts less than a week apart are in one."""
COMPANIONS = 0.5
"""By chance fewer than so many others share both the cohort and one of an account's values, family by family. A chain
of chance companions dies out where each has less than one on average (Galton and Watson, J. Anthropol. Inst. 1875)."""
WHO = tuple(FAMILIES.index(name) for name in PLACES)
FIRST_KEY = np.int64(1) << 31
"""Cohorts stand among the graph's values, whose rows are smaller numbers."""


def cohort_pairs(
    graph: Graph, account: NDArray, value: NDArray, weight: NDArray, companions: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return every account's pairs of a rare value and a sign-up cohort: pair number, account, summed rarity.

    The rarest values of a family come first, for as long as chance gives fewer than `companions`.

    Args:
        account, value, weight: uses, as account row, value row and rarity of the value, shape (U,).
    """
    created = graph.accounts["created"]
    known = np.flatnonzero((graph.accounts[LIVE] > 0) & (created >= 0))
    mine = (created[account] >= 0) & np.isin(graph.values["family"][value], WHO)
    account, value, weight = account[mine], value[mine], weight[mine]
    owner = account * len(FAMILIES) + graph.values["family"][value]
    others = graph.values["accounts"][value] - 1.0
    parts = []
    for grid in range(GRIDS):
        cohort = (created + grid * COHORT_MS // GRIDS) // COHORT_MS
        numbers, size = np.unique(cohort[known], return_counts=True)
        peers = size[np.searchsorted(numbers, cohort[account])]
        chance = others * peers / max(len(known), 1)
        order = np.lexsort((chance, owner))
        order = order[_within(owner[order], chance[order]) < companions]
        number = FIRST_KEY + cohort[account[order]] * GRIDS + grid
        both = weight[order] + rarity(peers[order], len(known))
        parts.append((value[order] * (np.int64(1) << 32) + number, account[order], both))
    keys, accounts, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    return keys, accounts, weights


def _within(owner: NDArray, amount: NDArray) -> NDArray[np.float64]:
    """Return the running sum of `amount` within each owner, whose rows stand together."""
    total = np.cumsum(amount)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    before = np.repeat(total[first] - amount[first], np.diff(np.append(first, len(owner))))
    return np.asarray(total - before, np.float64)
