"""Candidate groups: every attribute value with enough accounts, every component, with counters of their own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detectors.linking.bundles import traffic
from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.members import (
    BEHAVIOUR,
    BUNDLE,
    COMPONENT,
    INFRASTRUCTURE,
    KINDS,
    SUBPOPULATION,
    TEMPLATE,
    Group,
)
from detectors.linking.subpopulations import Works, shared_work, subpopulations
from detectors.slots import meetings
from detectors.windows import Table, decay
from detectors.windows.table import LIVE

GROWTH = 1.1
"""A group is judged again when its requests or members have grown by this factor …"""
REJUDGE_MS = DAY_MS
"""… or after this time."""
MEETINGS_HALF_LIFE_MS = 3 * DAY_MS


class Clusters:
    """One row per candidate group.

    A group around a value keeps its row for good; a component keeps its row while it keeps most of its members, so
    identity survives growth, bans and newcomers.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.table = Table(
            {
                LIVE: ("u1", ()),
                "value": ("i4", ()),
                "first": ("i8", ()),
                "last": ("i8", ()),
                "requests": ("f8", ()),
                "judged_requests": ("f8", ()),
                "judged_members": ("i4", ()),
                "judged": ("i8", ()),
                "tested": ("i8", ()),
                "streak": ("i2", ()),
                "campaign": ("i4", ()),
                "voted": ("i8", ()),
                "total": ("f4", ()),
                "peak": ("f4", ()),
                "met": ("f4", ()),
                "chance": ("f4", ()),
            },
            {"value": -1, "campaign": -1},
        )
        self.component_members: dict[int, NDArray] = {}
        self.cell_members: dict[int, NDArray] = {}
        self.cell_of: dict[int, int] = {}
        """The cluster of each cell of behaviour."""
        self.bundles: dict[int, NDArray] = {}
        """The templates of each bundle, as value rows."""
        self.bundle_of: dict[int, int] = {}
        self.works = Works()

    def __len__(self) -> int:
        return self.table.rows

    def of_values(self, values: NDArray, min_accounts: int) -> NDArray[np.int64]:
        """Return the cluster of each value, −1 where it has too few accounts; clusters are made as needed."""
        column = self.graph.values["cluster"]
        unique = np.unique(values)
        missing = unique[(column[unique] < 0) & (self.graph.values["accounts"][unique] >= min_accounts)]
        rows = self.table.take(len(missing))
        self.table["value"][rows] = missing
        column[missing] = rows
        self.graph.values.touch(missing)
        return column[values].astype(np.int64)

    def count(self, clusters: NDArray, counts: NDArray, end_ms: int) -> NDArray[np.int64]:
        """Add traffic of one tick, `counts` (B, 11) to `clusters` (B,); return the different clusters.

        A new cluster begins with what its members have done so far, the tick included.
        """
        unique, inverse = np.unique(clusters, return_inverse=True)
        fresh = unique[self.table["first"][unique] == 0]
        self.table["first"][fresh] = end_ms
        self.table["last"][unique] = end_ms
        self.table["requests"][unique] += np.bincount(inverse, counts[:, 0], len(unique))
        for cluster in fresh.tolist():
            group = self.group(cluster)
            self.table["requests"][cluster] = group.traffic["counts"][group.rows, 0].sum(dtype=np.float64)
        self.table.touch(unique)
        return unique

    def meet(self, clusters: NDArray, accounts: NDArray, slots: NDArray, end_ms: int) -> None:
        """Add the meetings of one tick: each row an account's slots in a cluster. Call before `count`."""
        unique, met, chance = meetings(clusters, accounts, slots)
        kept = decay(end_ms - self.table["last"][unique], MEETINGS_HALF_LIFE_MS)
        self.table["met"][unique] = self.table["met"][unique] * kept + met
        self.table["chance"][unique] = self.table["chance"][unique] * kept + chance

    def made_of(self, cluster: int, templates: set[int]) -> bool:
        """Tell whether a cluster formed around nothing but some of `templates`, value rows."""
        values = self.bundles[cluster].tolist() if cluster in self.bundles else [int(self.table["value"][cluster])]
        return templates.issuperset(values)

    def members(self, cluster: int) -> int:
        """Return about how many accounts the cluster has."""
        if cluster in self.bundles:
            return int(self.graph.values["accounts"][self.bundles[cluster]].max())
        if cluster in self.works.parts:
            return len(self.component_members.get(self.works.parts[cluster][0], ()))
        value = self.table["value"][cluster]
        if value >= 0:
            return int(self.graph.values["accounts"][value])
        return len(self.component_members.get(cluster, self.cell_members.get(cluster, ())))

    def independent(self, clusters: NDArray) -> NDArray[np.float64]:
        """Return how many groups of each kind `clusters` are when those of the same accounts count as one.

        A cluster counts as the mean over its members of one over the number of clusters that the member is in. False
        alarms over the same accounts are one campaign, so this is how many chances of one there are.
        """
        groups = [group for group in map(self.group, clusters.tolist()) if len(group.account)]
        if not groups:
            return np.zeros(len(KINDS))
        sizes = np.array([len(group.account) for group in groups])
        accounts = np.concatenate([group.account for group in groups])
        within = np.bincount(accounts, minlength=self.graph.accounts.rows)
        counts = np.add.reduceat(1.0 / within[accounts], np.cumsum(sizes) - sizes) / sizes
        return np.asarray(np.bincount([group.kind for group in groups], counts, len(KINDS)), np.float64)

    def due(self, touched: NDArray, min_requests: int, min_accounts: int, end_ms: int) -> list[int]:
        """Return which of the touched clusters have changed enough to be judged."""
        table = self.table
        touched = touched[table["requests"][touched] >= min_requests]
        value = table["value"][touched]
        members = np.where(value >= 0, self.graph.values["accounts"][value], 0)
        without = np.flatnonzero(value < 0)
        members[without] = [self.members(cluster) for cluster in touched[without].tolist()]
        grown = table["requests"][touched] >= GROWTH * table["judged_requests"][touched]
        more = members >= GROWTH * table["judged_members"][touched]
        old = end_ms - table["judged"][touched] >= REJUDGE_MS
        changed = (members >= min_accounts) & (grown | more | old)
        due = touched[changed]
        table["judged_members"][due] = members[changed]
        table["judged_requests"][due] = table["requests"][due]
        table["judged"][due] = end_ms
        return due.tolist()

    def assign_components(self, label: NDArray) -> None:
        """Give each component of `label` (accounts,) the cluster that it continues, or a new one.

        A component continues the cluster that most of its members were in, if it holds most of that cluster's.
        """
        before = self.graph.accounts["component"][: len(label)]
        joined = label >= 0
        order = np.argsort(label[joined], kind="stable")
        rows, number = np.flatnonzero(joined)[order], label[joined][order]
        parts = np.split(rows, np.flatnonzero(np.diff(number)) + 1) if len(rows) else []
        sizes = np.bincount(before[before >= 0], minlength=self.table.rows)
        now = np.full(len(label), -1)
        taken: set[int] = set()
        self.component_members = {}
        for part in sorted(parts, key=len, reverse=True):
            old, shared = np.unique(before[part][before[part] >= 0], return_counts=True)
            cluster = int(old[shared.argmax()]) if len(old) else -1
            if cluster < 0 or cluster in taken or 2 * shared.max() < min(sizes[cluster], len(part)):
                cluster = int(self.table.take(1)[0])
            taken.add(cluster)
            now[part] = cluster
            self.component_members[cluster] = part
        changed = np.flatnonzero(before != now)
        self.graph.accounts["component"][changed] = now[changed]
        self.graph.accounts.touch(changed)

    def assign_cells(self, codes: list[NDArray]) -> None:
        """Put the accounts into the clusters of their cells of behaviour, one per grid; see `linking.behaviour`.

        Args:
            codes: per grid, the cell of each account, −1 for none.
        """
        cells = self.graph.accounts["cells"]
        for grid, code in enumerate(codes):
            known, inverse = np.unique(code, return_inverse=True)
            new = [cell for cell in known.tolist() if cell >= 0 and cell not in self.cell_of]
            self.cell_of.update(zip(new, self.table.take(len(new)).tolist(), strict=True))
            now = np.array([self.cell_of.get(cell, -1) for cell in known.tolist()], np.int64)[inverse]
            changed = np.flatnonzero(cells[: len(code), grid] != now)
            cells[changed, grid] = now[changed]
            self.graph.accounts.touch(changed)
        self._gather_cells()

    def _gather_cells(self) -> None:
        accounts = self.graph.accounts
        grids = [_by_cluster(accounts["cells"][: accounts.rows, grid]) for grid in range(accounts["cells"].shape[1])]
        self.cell_members = {cluster: rows for grid in grids for cluster, rows in grid.items()}

    def assign_bundles(self, bundles: list[NDArray]) -> None:
        """Give each bundle the cluster that most of its templates were in, or a new one."""
        before, self.bundles, self.bundle_of = self.bundle_of, {}, {}
        for templates in sorted(bundles, key=lambda part: (-len(part), int(part[0]))):
            old = [before[value] for value in templates.tolist() if value in before]
            known = sorted({cluster for cluster in old if cluster not in self.bundles})
            cluster = max(known, key=old.count) if known else int(self.table.take(1)[0])
            self.bundles[cluster] = templates
            self.bundle_of |= dict.fromkeys(templates.tolist(), cluster)

    def assign_subpopulations(self, min_accounts: int, since_ms: int) -> None:
        """Look for the shared work of each component; call after `assign_components`."""
        found = subpopulations(self.graph, self.component_members, min_accounts, since_ms)
        self.works.assign(found, self.table)

    def load_bundles(self, bundles: dict[int, list[int]]) -> None:
        """Put back `bundles`, templates as lists."""
        self.bundles = {cluster: np.array(values, np.int64) for cluster, values in bundles.items()}
        self.bundle_of = {value: cluster for cluster, values in bundles.items() for value in values}

    def group(self, cluster: int) -> Group:
        """Return the cluster as a group."""
        graph, table = self.graph, self.table
        meetings = (float(table["met"][cluster]), float(table["chance"][cluster]))
        if cluster in self.bundles:
            columns, templates = traffic(graph, self.bundles[cluster]), self.bundles[cluster]
            every = np.arange(len(columns["account"]))
            return Group(BUNDLE, columns, every, columns["account"], templates, meetings)
        if cluster in self.works.parts:
            component, templates = self.works.parts[cluster]
            columns = shared_work(graph, self.component_members.get(component, np.zeros(0, np.int64)), templates)
            every = np.arange(len(columns["account"]))
            return Group(SUBPOPULATION, columns, every, columns["account"], templates, meetings)
        value = int(table["value"][cluster])
        if value < 0:
            kind = BEHAVIOUR if cluster in self.cell_members else COMPONENT
            members = self.cell_members if kind == BEHAVIOUR else self.component_members
            accounts = members.get(cluster, np.zeros(0, np.int64))
            return Group(kind, graph.accounts, accounts, accounts, np.zeros(0, np.int64), meetings)
        uses = graph.members[value]
        uses = uses[graph.uses["counts"][uses, 0] >= 0.5]
        kind = INFRASTRUCTURE if graph.values["family"][value] else TEMPLATE
        accounts = graph.uses["account"][uses].astype(np.int64)
        return Group(kind, graph.uses, uses, accounts, np.array([value]), meetings)

    def followed_values(self) -> NDArray[np.int64]:
        """Return the values whose cluster belongs to a campaign."""
        value = self.table["value"][: self.table.rows]
        return value[(value >= 0) & (self.table["campaign"][: self.table.rows] >= 0)].astype(np.int64)

    def free_values(self, values: NDArray) -> None:
        """Forget the clusters of values that will be forgotten, and the values' part in bundles."""
        clusters = self.graph.values["cluster"][values]
        self.table.free(clusters[clusters >= 0].astype(np.int64))
        lost = {value for value in values.tolist() if value in self.bundle_of}
        for cluster in {self.bundle_of.pop(value) for value in lost}:
            left = [value for value in self.bundles[cluster].tolist() if value not in lost]
            self.bundles[cluster] = np.array(left, np.int64)
            if not left:
                del self.bundles[cluster]
        self.works.forget_values(values)

    def free_accounts(self, accounts: NDArray) -> None:
        """Take accounts that will be forgotten out of their components and cells."""
        table = self.graph.accounts
        columns = [(table["component"], self.component_members)]
        columns += [(table["cells"][:, grid], self.cell_members) for grid in range(table["cells"].shape[1])]
        for column, members in columns:
            for cluster in np.unique(column[accounts]).tolist():
                if cluster >= 0:
                    left = np.setdiff1d(members.pop(cluster), accounts)
                    members |= {cluster: left} if len(left) else {}

    def free_silent(self, before_ms: int) -> None:
        """Forget the rows of groups around no value that are no more and were silent since `before_ms`."""
        table, rows = self.table, np.arange(self.table.rows)
        silent = (table[LIVE][rows] > 0) & (table["value"][rows] < 0) & (table["campaign"][rows] < 0)
        silent &= (table["last"][rows] < before_ms) & (table["judged"][rows] < before_ms)
        silent[list(self.component_members)] = False
        silent[list(self.cell_members)] = False
        silent[list(self.bundles)] = False
        silent[list(self.works.parts)] = False
        self.works.forget_clusters(silent)
        self.cell_of = {code: cluster for code, cluster in self.cell_of.items() if not silent[cluster]}
        table.free(np.flatnonzero(silent))

    def snapshot(self) -> dict[str, bytes]:
        """Return the pages that changed."""
        return self.table.snapshot("clusters")

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Put back what `snapshot` returned."""
        self.table.restore("clusters", items)
        accounts = self.graph.accounts
        self.component_members = _by_cluster(accounts["component"][: accounts.rows])
        self._gather_cells()


def _by_cluster(column: NDArray) -> dict[int, NDArray[np.int64]]:
    """Return the rows of each cluster that `column` names."""
    order = np.argsort(column, kind="stable")
    clusters, start = np.unique(column[order], return_index=True)
    parts = np.split(order, start[1:]) if len(order) else []
    return {cluster: part for cluster, part in zip(clusters.tolist(), parts, strict=True) if cluster >= 0}
