"""Accounts that act at the same moments, or take turns: more or fewer meetings than their own activity explains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.settings import WindowSettings
from detectors.slots import SLOTS

NAME = "synchrony"
USUAL_S = WindowSettings().tick_s / SLOTS
PRIOR = 10.0
"""Meetings added on both sides, so that a few say little."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return |ln((met + 10) / (chance + 10))|, both ways: a common clock, or a dispatcher that deals in turn.

    NaN where chance alone gives fewer than ten meetings. Jobs that run on the hour are synchronous too.
    """
    met, chance = (np.array([part.meetings[side] for part in groups.parts]) for side in (0, 1))
    return np.where(chance >= PRIOR, np.abs(np.log((met + PRIOR) / (chance + PRIOR))), np.nan)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    met, chance = groups.parts[group].meetings
    return (
        f"two of the accounts were active in the same moment (1/{SLOTS} of a tick, {USUAL_S:.0f} s by default) about "
        f"{met:,.0f} times, where their own activity shifted at random gives {chance:,.0f} (with {PRIOR:.0f} added to "
        f"both, a factor of {np.exp(value):.2f}; honest groups: {np.exp(median):.2f})"
    )
