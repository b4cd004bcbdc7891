"""What is forgotten: accounts, uses and values that nothing has used for long, and whatever goes beyond a bound.

Members of a campaign stay, with their uses, while it is open and for 30 days more, so that it is known again when
other accounts go on with it (`detectors.lineage`); those of a dismissed one until they have been silent for so long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.campaigns import Campaigns
from detectors.clusters import Clusters
from detectors.linking.graph import Graph

SPARE = 1 / 16
"""Part of the bound that is cleared at once, so that not every tick has to."""


def forget_idle(graph: Graph, clusters: Clusters, campaigns: Campaigns, before_ms: int, now_ms: int) -> int:
    """Forget accounts and uses silent since `before_ms`; return how many accounts.

    Call when components and bundles were just made of uses since `before_ms`: none of theirs is idle then. Call when
    nobody needs the rows of the tick any more: requests may be so late that theirs are idle. A use that has no traffic
    of its own yet (its account had the value before anybody else did) stays as long as its account.
    """
    campaigns.release(now_ms)
    member = campaigns.holds(np.arange(graph.accounts.rows))
    idle = (graph.accounts["last"][: graph.accounts.rows] < before_ms) & ~member & _live(graph)
    uses, account = graph.uses, graph.uses["account"]
    rows = np.flatnonzero(uses["live"][: uses.rows])
    silent = (uses["last"][rows] > 0) & (uses["last"][rows] < before_ms) & ~member[account[rows]]
    rows = rows[silent | idle[account[rows]]]
    _forget(graph, clusters, np.flatnonzero(idle), rows)
    clusters.free_silent(before_ms)
    return int(idle.sum())


def forget_surplus(graph: Graph, clusters: Clusters, campaigns: Campaigns, max_accounts: int) -> int:
    """Forget accounts beyond `max_accounts` and a sixteenth more; return how many.

    Those seen in a single tick that share no value go first, then whoever was silent longest. The values that an
    account shared stay known while others use them, and a value that it had alone is remembered as somebody's.
    """
    surplus = graph.population - max_accounts
    if surplus <= 0:
        return 0
    surplus += int(max_accounts * SPARE)
    table = graph.accounts
    rows = np.flatnonzero(_live(graph))
    rows = rows[~campaigns.holds(rows)]
    sharing = np.zeros(table.rows, bool)
    uses = np.flatnonzero(graph.uses["live"][: graph.uses.rows])
    sharing[graph.uses["account"][uses]] = True
    settled = sharing[rows] | (table["ticks"][rows] != 1.0)
    gone = rows[np.lexsort((rows, table["last"][rows], settled))[:surplus]]
    leaving = np.zeros(table.rows, bool)
    leaving[gone] = True
    _forget(graph, clusters, gone, uses[leaving[graph.uses["account"][uses]]])
    return len(gone)


def _forget(graph: Graph, clusters: Clusters, accounts: NDArray, uses: NDArray) -> None:
    if len(uses):
        values = graph.free_uses(uses, clusters.followed_values())
        clusters.free_values(values)
        graph.free_values(values)
    if len(accounts):
        clusters.free_accounts(accounts)
        graph.free_accounts(accounts)


def _live(graph: Graph) -> NDArray[np.bool_]:
    return graph.accounts["live"][: graph.accounts.rows] > 0
