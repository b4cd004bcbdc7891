"""Somebody has checked who they are: documents or a contract speak for a customer.

Signing up as a reseller is half a check: the provider knows what it lets in, but not whom.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.models.peers import verified

NAME = "verification"
RESELLER = "reseller"
"""The sign-up pathway of those who say that they serve others."""


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the share of the group's requests from accounts without a check: of declared resellers, half of them."""
    requests = groups.requests
    unknown = np.where(declared(groups), 0.5, 1.0) * ~verified(groups.graph, groups.account)
    return groups.sum(requests * unknown) / np.maximum(groups.sum(requests), 1e-9)


def declared(groups: Groups) -> NDArray[np.bool_]:
    """Tell which members signed up as resellers."""
    pathway = groups.graph.accounts["pathway"][groups.account]
    return np.asarray(pathway == groups.graph.names.codes([RESELLER])[0], bool)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return (
        f"{100 * (1 - value):.0f} % of the requests come from accounts with a document check or under contract "
        "(half of a declared reseller's count)"
    )
