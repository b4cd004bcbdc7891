"""Usage against the plan: members that take out of their subscription what hardly anybody on that plan does.

CISA AA26-251A (subscription-to-usage ratio; bulk premium subscriptions). Every plan has honest heavy users, so half of
the members must be among them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.linking.norms import daily_tokens

NAME = "subscription"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return −ln(2 p), p the median over the members of the tail rank of tokens a day on the same plan; not below 0.

    NaN where fewer than half of the members have a plan that enough accounts are on.
    """
    rank = ranks(groups)
    known = ~np.isnan(rank)
    count = groups.sum(known.astype(np.float64))
    order = np.lexsort((np.where(known, rank, np.inf), groups.group))
    middle = groups.start[:-1] + np.floor(0.5 * np.maximum(count - 1, 0)).astype(np.int64)
    median = np.where(known, rank, 1.0)[order][middle]
    return np.where(count >= groups.size / 2, np.maximum(-np.log(2.0 * median), 0.0), np.nan)


def ranks(groups: Groups) -> NDArray[np.float64]:
    """Return each member's tail rank in 0 … 1 among the accounts on its plan, NaN where they are few, shape (M,)."""
    plan = groups.graph.accounts["plan"][groups.account]
    tokens = daily_tokens(groups.graph, groups.account)
    result = np.full(len(plan), np.nan)
    for code, known in groups.population.norms.tokens.items():
        mine = plan == code
        at_least = len(known) - np.searchsorted(known, tokens[mine], "left")
        result[mine] = (at_least + 1) / (len(known) + 1)
    return result


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return (
        f"half of the accounts use more tokens a day than {100 * (1 - np.exp(-value) / 2):.0f} % of the accounts on "
        f"the same plan (honest groups: {100 * (1 - np.exp(-median) / 2):.0f} %)"
    )
