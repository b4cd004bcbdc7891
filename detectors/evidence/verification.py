"""Somebody has checked who they are: documents or a contract speak for a customer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.models.peers import verified

NAME = "verification"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the share of the group's requests from accounts without a document check or a contract."""
    requests = groups.requests
    unknown = groups.sum(requests * ~verified(groups.graph, groups.account))
    return unknown / np.maximum(groups.sum(requests), 1e-9)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return f"{100 * (1 - value):.0f} % of the requests come from accounts with a document check or under contract"
