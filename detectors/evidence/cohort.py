"""Accounts made for the purpose: signed up together, at work at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups

NAME = "cohort"
DAY_MS = 86_400_000
WINDOW_MS = 7 * DAY_MS
YOUNG_MS = 14 * DAY_MS


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the mean of two shares of the members: under 14 days old when first seen, and those born in one week too.

    An office or a reseller that opened its accounts in one week a year ago did not make them for what they do now.
    NaN where most sign-ups are not known: clouds do not tell.
    """
    created = groups.graph.accounts["created"][groups.account]
    known = created >= 0
    first = groups.graph.accounts["first"][groups.account]
    young = known & (first - created < YOUNG_MS)
    count = groups.sum(young.astype(np.float64))
    known_count = groups.sum(known.astype(np.float64))
    share = (count + densest(groups, np.where(young, created, -1))) / (2.0 * np.maximum(known_count, 1.0))
    return np.where(known_count >= groups.size / 2, share, np.nan)


def densest(groups: Groups, created: NDArray) -> NDArray[np.float64]:
    """Return how many members of each group were created within the same seven days, shape (G,)."""
    known = np.flatnonzero(created >= 0)
    if not len(known):
        return np.zeros(len(groups))
    key = groups.group[known].astype(np.int64) << 44 | created[known] & ((1 << 44) - 1)
    key = np.sort(key)
    inside = np.searchsorted(key, key + WINDOW_MS, "right") - np.arange(len(key))
    result = np.zeros(len(groups))
    np.maximum.at(result, key >> 44, inside)
    return result


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    created, first = (groups.graph.accounts[name][groups.account] for name in ("created", "first"))
    mine, known = groups.group == group, created >= 0
    young = known & (first - created < YOUNG_MS)
    together = densest(groups, np.where(young, created, -1))[group]
    return (
        f"{int(young[mine].sum())} of {int(known[mine].sum())} accounts with a known sign-up were under two weeks old "
        f"at their first request; {together:.0f} of these signed up within one week"
    )
