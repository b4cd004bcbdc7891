"""Many people behind one account: more languages, countries and clients than one user, or one product, has.

A relay serves its own users from a pool of accounts (serve-and-harvest, threat-intelligence report of September 2026;
CISA AA26-251A: one credential over many addresses and user agents), and sends all of them from one copy of an official
client. Resellers, gateways and apps serve many people too, which is why the comparison is with accounts that make as
many requests, and why those who signed up as resellers do not count. Strangers with one client are nobody's fault, so
that counts only on top of the first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.verification import declared
from detectors.linking.houses import houses
from detectors.linking.members import Groups
from detectors.linking.norms import breadth, octave
from detectors.linking.traits import agents, sum_bits, varieties
from detectors.partials import VARIETIES

NAME = "relay"
PRIOR = 5.0
"""Accounts of ordinary taste added to every group when its user agents are looked at."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return e (1 + u): how many people there are behind an account, and how uniform the clients are all the same.

    e is the mean over the members of ln(b / b₉₀), not below 0, and 0 for declared resellers, where b is languages ×
    countries × user agents and b₉₀ is exceeded by one in ten of the accounts with about as many requests; u is the
    part of the group's organisations with one user agent, less the part of all accounts. NaN where less than half of
    the members can be compared.
    """
    wide = breadth(groups.graph, groups.account)
    usual = groups.population.norms.breadth[octave(groups.graph.accounts["counts"][groups.account, 0])]
    excess = np.maximum(wide - usual, 0.0) * ~declared(groups)
    known = ~np.isnan(excess)
    count = groups.sum(known.astype(np.float64))
    mean = groups.sum(np.where(known, excess, 0.0)) / np.maximum(count, 1.0)
    return np.where(count >= groups.size / 2, mean * (1.0 + uniformity(groups)), np.nan)


def uniformity(groups: Groups) -> NDArray[np.float64]:
    """Return how much larger one user agent's share is than among all accounts, 0 … 1, shape (G,).

    An organisation counts once, however many keys it has; user agents are told apart in 64 buckets.
    """
    usual = groups.population.norms.agents
    if np.isnan(usual).any():
        return np.zeros(len(groups))
    used = agents(groups.graph.accounts, groups.account)
    house = houses(groups.graph.accounts["organization"][groups.account], groups.account)
    order = np.lexsort((house, groups.group))
    apart = np.diff(house[order]).astype(bool) | np.diff(groups.group[order]).astype(bool)
    start = np.flatnonzero(np.concatenate([[True], apart]))
    weight = np.empty(len(order))
    members = np.diff(np.append(start, len(order)))
    weight[order] = 1.0 / np.repeat(members, members)
    weight *= used > 0
    total = sum_bits(used, groups.group, weight, len(groups))
    share = (total + PRIOR * usual) / (groups.sum(weight) + PRIOR)[:, None]
    return np.asarray(np.clip(share - usual, 0.0, 1.0).max(1))


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    alone = Groups(groups.graph, [groups.parts[group]], groups.population)
    counted = varieties(groups.graph.accounts, alone.account)
    parts = ", ".join(f"{np.median(row):.0f} {name}" for name, row in zip(VARIETIES, counted.T, strict=True))
    return (
        f"many people seem to share each account (median values of an account: {parts}), more than nine in ten "
        f"accounts of like volume show; one user agent is {100 * float(uniformity(alone)[0]):.0f} points more "
        f"common than elsewhere (strength {value:.2f}, honest groups {median:.2f})"
    )
