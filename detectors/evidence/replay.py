"""Reasoning replayed across accounts: a thinking signature issued to one account comes back from another.

Honest clients send a signature back in the conversation it was issued in, from the account it was issued to, or from
another key of the same organisation. A pool that relays its users' sessions, or cleans captured traces, does not care
which of its accounts it uses (threat-intelligence report of September 2026, serve-and-harvest and trace cleaning).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.links import across_organisations
from detectors.linking.components import SIGNATURE
from detectors.linking.members import Groups

NAME = "replay"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return the mean share of the members' requests that replay signatures which accounts share.

    Only the requests of members that replayed one which another organisation's member replayed too. A gateway whose
    sessions fail over from one account to the next now and then does that as well, in few of its requests.
    """
    recent = groups.graph.accounts["recent"][groups.account, SIGNATURE - 1]
    member, place = np.nonzero(recent >= 0)
    key = groups.group[member].astype(np.int64) << 32 | recent[member, place]
    crossed = np.zeros(len(groups.account))
    crossed[member[across_organisations(groups, member, key)]] = 1.0
    table = groups.graph.accounts
    share = table["replayed"][groups.account] / np.maximum(table["counts"][groups.account, 0], 1e-9)
    return groups.mean(crossed * np.minimum(share, 1.0))


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    return (
        f"{100 * value:.1f} % of the requests send back thinking signatures that accounts of other organisations in "
        f"the group have, too (honest groups: {100 * median:.1f} %)"
    )
