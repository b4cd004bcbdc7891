"""The work that linked accounts share, apart from all else that they do.

A component is found by cards, devices and exits, and judged over everything its accounts send; a relay that mixes one
part of extraction with nine of its customers' requests drowns the one (DOMAIN: a proxy of 20,000 accounts). What such
customers ask, each asks alone; what the campaign asks goes through templates that several of the accounts use and few
others do. That traffic is a group of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.bundles import traffic
from detectors.linking.graph import Graph
from detectors.windows import Table

OWN_SHARE = 2.0 / 3.0
"""The component makes up at least this part of a template's accounts: what strangers ask too, if only every third of
those who do, says what the template is for and nothing of the component."""
MOST_SHARE = 0.9
"""Where the shared work is more than this part of all traffic there is nothing to purify."""


def subpopulations(
    graph: Graph, components: dict[int, NDArray], min_accounts: int, since_ms: int
) -> dict[int, NDArray[np.int64]]:
    """Return the templates that several members of each component share, as value rows, by component.

    Args:
        components: the account rows of each.
        min_accounts: templates of fewer members take no part.
        since_ms: uses not seen since then do not count.
    """
    uses, values = graph.uses, graph.values
    number = np.full(graph.accounts.rows, -1)
    for position, accounts in enumerate(components.values()):
        number[accounts] = position
    value = uses["value"][: uses.rows]
    live = (uses["last"][: uses.rows] >= since_ms) & (values["family"][value] == 0)
    live &= (uses["counts"][: uses.rows, 0] >= 0.5) & (number[uses["account"][: uses.rows]] >= 0)
    rows = np.flatnonzero(live)
    key = number[uses["account"][rows]] << 32 | value[rows]
    pair, inverse, members = np.unique(key, return_inverse=True, return_counts=True)
    requests = np.bincount(inverse, uses["counts"][rows, 0], len(pair))
    template = pair & 0xFFFF_FFFF
    own = (members >= min_accounts) & (members >= OWN_SHARE * values["accounts"][template])
    result = {}
    for position, (component, accounts) in enumerate(components.items()):
        mine = own & (pair >> 32 == position)
        whole = float(graph.accounts["counts"][accounts, 0].sum())
        if mine.any() and requests[mine].sum() <= MOST_SHARE * whole:
            result[component] = template[mine].astype(np.int64)
    return result


def shared_work(graph: Graph, accounts: NDArray, templates: NDArray) -> dict[str, NDArray]:
    """Return the traffic of `accounts` through `templates`, a row per account (`bundles.traffic`)."""
    columns = traffic(graph, templates)
    inside = np.isin(columns["account"], accounts)
    return {name: column[inside] for name, column in columns.items()}


class Works:
    """The sub-population of each component that has one, as a cluster of its own.

    Attributes:
        parts: by cluster: the cluster of the component, and the templates, ascending.
    """

    def __init__(self) -> None:
        self.parts: dict[int, tuple[int, NDArray[np.int64]]] = {}
        self._cluster_of: dict[int, int] = {}

    def assign(self, found: dict[int, NDArray[np.int64]], clusters: Table) -> None:
        """Take over what `subpopulations` found; a component's sub-population keeps its cluster for good."""
        self.parts = {}
        for component, templates in sorted(found.items()):
            if component not in self._cluster_of:
                self._cluster_of[component] = int(clusters.take(1)[0])
            self.parts[self._cluster_of[component]] = (component, np.sort(templates))

    def clusters(self, component: NDArray, value: NDArray) -> NDArray[np.int64]:
        """Return the cluster of each use, −1 for none: `component` of its account and `value`, shape (U,) each."""
        if not self.parts:
            return np.full(len(value), -1)
        keys = np.concatenate([owner << 32 | templates for owner, templates in self.parts.values()])
        cluster = np.repeat(list(self.parts), [len(templates) for _, templates in self.parts.values()])
        order = np.argsort(keys)
        keys, cluster = keys[order], cluster[order]
        wanted = component.astype(np.int64) << 32 | value.astype(np.int64)
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((keys[place] == wanted) & (component >= 0), cluster[place], -1)

    def forget_values(self, values: NDArray) -> None:
        """Take values that will be forgotten out of the sub-populations."""
        left = {cluster: (owner, np.setdiff1d(mine, values)) for cluster, (owner, mine) in self.parts.items()}
        self.parts = {cluster: part for cluster, part in left.items() if len(part[1])}

    def forget_clusters(self, gone: NDArray[np.bool_]) -> None:
        """Forget the sub-populations whose cluster, or whose component's, is marked in `gone`, shape (clusters,)."""
        pairs = self._cluster_of.items()
        self._cluster_of = {owner: mine for owner, mine in pairs if not (gone[owner] or gone[mine])}
        self.parts = {mine: part for mine, part in self.parts.items() if not (gone[part[0]] or gone[mine])}

    def state(self) -> list:
        """Return what `load` takes."""
        parts = [(cluster, component, templates.tolist()) for cluster, (component, templates) in self.parts.items()]
        return [parts, list(self._cluster_of.items())]

    def load(self, state: list) -> None:
        """Put back what `state` returned."""
        parts, known = state
        self.parts = {cluster: (owner, np.array(templates, np.int64)) for cluster, owner, templates in parts}
        self._cluster_of = dict(known)
