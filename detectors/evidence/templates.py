"""Slot filling: few shared prompts, every time with another content, and little else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import BUNDLE, SUBPOPULATION, TEMPLATE, Groups

NAME = "templates"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return (different contents / requests) × (share of the members' whole traffic through shared prompts).

    A class works on the same exercises and popular prompts repeat, so their first factor is low; people who use a
    popular agent also do other things, so their second is; in a subpopulation the rest of the traffic is left out, so
    the second is 1. NaN where contents are not known, and where less than a tenth of the traffic of a group that formed
    around something else is shared: its prompts may be paraphrased.
    """
    table = groups.graph.accounts
    own = table["counts"][groups.account, 0].astype(np.float64)
    shared = np.minimum(table["shared"][groups.account], own)
    part = groups.sum(shared) / np.maximum(groups.sum(own), 1.0)
    part = np.where(groups.kind == SUBPOPULATION, 1.0, part)
    known = groups.sum(table["contents"][groups.account]) > 0
    around_prompts = np.isin(groups.kind, (TEMPLATE, BUNDLE))
    return np.where(known & (around_prompts | (part >= 0.1)), different_share(groups) * part, np.nan)


def different_share(groups: Groups) -> NDArray[np.float64]:
    """Return different contents / requests: by the templates' sketches, or by the members' own bitmaps without any."""
    table = groups.graph.accounts
    contents, requests = table["contents"][groups.account], table["counts"][groups.account, 0]
    contents = np.minimum(contents, groups.graph.asked(groups.account))
    result = groups.sum(contents) / np.maximum(groups.sum(requests), 1.0)
    for position, part in enumerate(groups.parts):
        if part.kind in (TEMPLATE, BUNDLE, SUBPOPULATION):
            seen = float(groups.graph.values["content_requests"][part.values].sum())
            if seen:
                result[position] = groups.graph.different_contents(part.values) / seen
    return np.minimum(result, 1.0)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    mine = groups.group == group
    if groups.parts[group].kind in (TEMPLATE, BUNDLE, SUBPOPULATION):
        sent, those = f"{groups.requests[mine].sum():,.0f} requests", "these"
    else:
        table, members = groups.graph.accounts, groups.account[mine]
        own = table["counts"][members, 0]
        shared = np.minimum(table["shared"][members], own)
        sent, those = f"{shared.sum():,.0f} of their {own.sum():,.0f} requests", "all their requests"
    return (
        f"{int(mine.sum())} accounts sent about {sent} through shared prompt templates; "
        f"{100 * different_share(groups)[group]:.0f} % of {those} have a content of their own; slot-filling share "
        f"{value:.2f} (honest groups: {median:.2f})"
    )
