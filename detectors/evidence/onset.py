"""No ramp: accounts at full volume on their first day, as nobody is who is finding out what the product can do.

CISA AA26-251A asks for it by name (immediate maximum usage from new accounts). A class or a hackathon begins at once
too, but seldom at the pace of the busiest tenth, and seldom for days on end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.linking.norms import daily

NAME = "onset"
DAY_MS = 86_400_000
NEW_MS = 7 * DAY_MS
RAMPED = 0.8


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the share of the new members that were at work in full, and at a busy account's pace, on their first day.

    New is first seen within a week of sign-up and watched for two days since; in full is 0.8 of the later daily rate;
    busy is more than nine in ten accounts. NaN where fewer than five members, or a fifth of them, are new.
    """
    new, full = judged(groups)
    count = groups.sum(new.astype(np.float64))
    return np.where((count >= 5) & (count >= groups.size / 5), groups.sum(full & new) / np.maximum(count, 1.0), np.nan)


def judged(groups: Groups) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which members are new, and which had no ramp, shape (M,) each."""
    table, members = groups.graph.accounts, groups.account
    created, first, last = (table[name][members] for name in ("created", "first", "last"))
    new = (created >= 0) & (first - created < NEW_MS) & (last - first >= 2 * DAY_MS)
    day = table["first_day"][members].astype(np.float64)
    rate = daily(groups.graph, members, table["counts"][members, 0])
    return new, (day >= RAMPED * rate) & (day >= max(groups.population.norms.busy, 1.0))


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    new, full = (flags[groups.group == group] for flags in judged(groups))
    return (
        f"{int((full & new).sum())} of {int(new.sum())} new accounts began at full volume on their first day, each "
        f"with more requests than nine in ten accounts make a day (honest groups: {100 * median:.0f} %)"
    )
