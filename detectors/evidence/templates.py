"""Slot filling: few shared prompts, every time with another content, and little else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups

NAME = "templates"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return (different contents / requests) × (share of the members' whole traffic through shared prompts).

    A class works on the same exercises and popular prompts repeat, so their first factor is low; people who use a
    popular agent also do other things, so their second is.
    """
    table = groups.graph.accounts
    own = table["counts"][groups.account, 0].astype(np.float64)
    shared = np.minimum(table["shared"][groups.account], own)
    return different_share(groups) * groups.sum(shared) / np.maximum(groups.sum(own), 1.0)


def different_share(groups: Groups) -> NDArray[np.float64]:
    """Return different contents / requests: by sketch for a template, by the members' own counts otherwise."""
    values = groups.values
    row = np.maximum(values, 0)
    seen = groups.graph.values["content_requests"][row].astype(np.float64)
    sketched = groups.graph.different_contents(row) / np.maximum(seen, 1.0)
    own = groups.sum(groups.column("contents")) / np.maximum(groups.sum(groups.requests), 1.0)
    return np.minimum(np.where((values >= 0) & (seen > 0), sketched, own), 1.0)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    members = groups.group == group
    requests = groups.requests[members].sum()
    return (
        f"{int(members.sum())} accounts sent about {requests:,.0f} requests through shared prompt templates, "
        f"{100 * different_share(groups)[group]:.0f} % of them with a content of their own; slot-filling share "
        f"{value:.2f} (honest groups: {median:.2f})"
    )
