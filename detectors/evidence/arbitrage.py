"""Safeguard arbitrage: turned away by one model or access path, the accounts move to another, together.

One laboratory abandoned the well-guarded model for a weaker-guarded one (threat-intelligence report of September 2026).
A fallback router moves single requests and comes back; everybody leaves a model that is superseded, so the measure is
against the accounts that were turned away by the same model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.blocked import MIXES, drops, failing
from detectors.linking.members import Groups

NAME = "arbitrage"
MOST_FAILURES = 10.0
MIN_FAILURES, MIN_MEMBERS = 10.0, 5
ELEVATED = 3.0
"""Times the share of failures of an ordinary account, below which nobody is driven away."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return how much of the share of what turned them away the members have lost, beyond what others lost, 0 … 1.

    A mean over members, weighed by their failures up to ten; of model and access path, the one with the larger. NaN
    for groups with fewer than ten failures or five members with any, or whose share of failures is not three times that
    of an ordinary account.
    """
    counts = groups.sum(groups.graph.accounts["counts"][groups.account])
    driven = failing(counts) >= ELEVATED * groups.population.norms.failing
    most = np.fmax(*(moved(groups, kind) for kind in range(len(MIXES))))
    return np.where(driven, np.maximum(most, 0.0), np.nan)


def moved(groups: Groups, kind: int) -> NDArray[np.float64]:
    """Return the mean lost share for one kind of mix, shape (G,); NaN without enough failures."""
    name, failures, drop = drops(groups.graph.accounts, groups.account, kind)
    weight = np.minimum(failures, MOST_FAILURES)
    total = groups.sum(weight)
    beyond = drop - groups.population.norms.retreat[kind][name]
    enough = (total >= MIN_FAILURES) & (groups.sum((failures >= 1).astype(np.float64)) >= MIN_MEMBERS)
    return np.where(enough, groups.sum(weight * beyond) / np.maximum(total, 1e-9), np.nan)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    kinds = np.array([moved(groups, kind)[group] for kind in range(len(MIXES))])
    kind = int(np.nanargmax(kinds)) if not np.isnan(kinds).all() else 0
    name, failures, _ = drops(groups.graph.accounts, groups.account[groups.group == group], kind)
    known = (groups.graph.models, groups.graph.paths)[kind].known
    top = int(np.bincount(name, failures).argmax()) if failures.sum() else -1
    what = known[top] if 0 <= top < len(known) else "nothing"
    return (
        f"after refusals and rejections by {what} the accounts moved elsewhere: they gave up {100 * value:.0f} points "
        f"of its share more than other accounts it turned away (honest groups: {100 * median:.0f})"
    )
