"""Probe, then scale: many different ways to get at the reasoning were tried, and turned down.

One laboratory sent 12,000 requests, each with another technique, most of them rejected, and then scaled what had worked
(threat-intelligence report of September 2026). Refusals of different elicitation prompts are counted, not their share,
so that the scaled winners do not drown the trail, and an honest crowd that tries one famous jailbreak has one. People
who try their luck are refused now and then, each with a prompt of their own: refusals that the population's taste and
that many requests explain do not count, or the many people behind a gateway's accounts would look like one searcher.
Requests that elicit explain nothing: those are what the winners are scaled to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.linking.norms import ordinary
from detectors.windows.registers import distinct

NAME = "sweep"
MIN_ELICITED = 10.0
TASTE = 4.0
"""Honest crowds differ from the population: up to this many times its refusals a request are a matter of taste."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return ln(1 + (d − 4 ρ n)₊ / members), over the last two to four weeks.

    d different elicitation templates were refused to the members, who made n requests that do not elicit; the
    population has ρ for each of those.
    NaN for groups with fewer than ten elicitation requests, or whose templates are not known.
    """
    table = groups.graph.accounts
    elicited = groups.sum(table["counts"][groups.account, 9])
    known = groups.sum((table["carries"][groups.account] & 1).astype(np.float64)) > 0
    requests = groups.sum(ordinary(groups.graph, groups.account))
    usual = TASTE * groups.population.norms.refusals * requests
    beyond = np.maximum(techniques(groups) - usual, 0.0)
    return np.where((elicited >= MIN_ELICITED) & known, np.log1p(beyond / groups.size), np.nan)


def techniques(groups: Groups) -> NDArray[np.float64]:
    """Return about how many different elicitation templates were refused in each group, shape (G,)."""
    registers = groups.graph.accounts["refused"][groups.account].max(1)
    return distinct(np.maximum.reduceat(registers, groups.start[:-1], axis=0))


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return (
        f"about {techniques(groups)[group]:,.0f} different prompts for eliciting reasoning or avoiding filters were "
        f"refused; {np.expm1(value):.1f} for each account are beyond what so many requests of others explain"
        f" (honest groups: {np.expm1(median):.1f})"
    )
