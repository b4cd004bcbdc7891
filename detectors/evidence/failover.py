"""Turned away here, served there: requests answered 429 or 403 that come back from somebody else within minutes.

Relays pool accounts and go on with the next one when one is limited or banned (CISA AA26-251A, automated failover; the
open relay tools do so on 401, 402, 403, 429 and 529). A fallback router stays within its organisation, which is left
out; prompts that many people send come back anyway, which is taken off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups

NAME = "failover"
MIN_FOLLOWED = 10.0
PRIOR = 10.0


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the share of turned-away contents that another organisation sent within minutes, beyond that of others.

    Shrunk towards 0 by ten contents, not below 0; NaN for fewer than ten contents of either sort.
    """
    followed, met = handed(groups)
    rate = met / np.maximum(followed, 1.0)
    excess = np.maximum(rate[:, 1] - rate[:, 0], 0.0) * followed[:, 1] / (followed[:, 1] + PRIOR)
    return np.where(followed.min(1) >= MIN_FOLLOWED, excess, np.nan)


def handed(groups: Groups) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return contents followed and met again, of those served (0) and of those turned away (1), shape (G, 2) each."""
    total = groups.sum(groups.graph.accounts["handed"][groups.account].sum(1))
    return total[:, :, 0], total[:, :, 1]


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    followed, met = (table[group] for table in handed(groups))
    return (
        f"of {followed[1]:,.0f} requests answered 429 or 403, {met[1]:,.0f} came back from accounts of other "
        f"organisations within minutes; of {followed[0]:,.0f} others, {met[0]:,.0f} did (strength {value:.2f}, honest "
        f"groups {median:.2f})"
    )
