"""Groups of accounts laid end to end, so that one pass of numpy serves every group at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.norms import Norms, daily
from detectors.linking.profile import embed, profile
from detectors.models.peers import organized
from detectors.windows import Table

SCORES = 20_000
EMBEDDED = 2_000
"""Accounts that the mean profile is taken over."""
PEERS_PRIOR = 50.0
"""Accounts of the whole population added to the peers, of which there may be few."""
YOUNG_MS = 30 * DAY_MS
IDENTIFIED = 2
"""The most that `Population.identified` says, and what it says until the accounts are looked at."""
LOGGED = 0.02
"""A fact counts as logged when it is known of at least this share of the accounts."""
KINDS = ("template", "infrastructure", "component", "bundle", "behaviour", "subpopulation")
"""What a group formed around: one prompt template, one payment, device or network, pairs of values, templates that the
same accounts work through, or a cell of like behaviour; a subpopulation is a component's traffic through the templates
that its members share."""
TEMPLATE, INFRASTRUCTURE, COMPONENT, BUNDLE, BEHAVIOUR, SUBPOPULATION = range(6)


class Population:
    """What accounts in general look like, refreshed now and then.

    Attributes:
        accounts: how many there are.
        capabilities: mean share of requests per capability, one vote an account, of people and of organisations, shape
            (2, 10).
        elicited: mean share of requests with an elicitation flag.
        rate: median of requests per active day.
        scores: sorted anomaly scores of the accounts.
        embedding: mean of the accounts' profiles under `linking.profile.embed`, shape (256,); empty at first.
        identified: what tells a customer's keys from a crowd: 2 where organisations are logged, 1 where only checks of
            identity are, 0 for neither.
        young: share of the accounts that were under 30 days old when first seen.
        norms: what single families compare with.
    """

    def __init__(self) -> None:
        self.accounts = 0
        self.capabilities = np.full((2, 10), 0.1)
        self.elicited = 0.01
        self.rate = 1.0
        self.scores = np.zeros(1)
        self.identified = IDENTIFIED
        self.embedding = np.zeros(0)
        self.young = 0.1
        self.norms = Norms()

    def refresh(self, graph: Graph, since_ms: int) -> None:
        """Look again at every account active since `since_ms`."""
        table = graph.accounts
        active = np.flatnonzero((table["last"][: table.rows] >= since_ms) & (table["counts"][: table.rows, 0] >= 1))
        self.accounts = graph.population
        if len(active) < 20:
            return
        self.embedding = embed(profile(graph, active[:: len(active) // EMBEDDED + 1])).mean(0, dtype=np.float64)
        checked = float((table["verification"][active] >= 0).mean()) >= LOGGED
        organised = float((table["organization"][active] > 0).mean()) >= LOGGED
        self.identified = IDENTIFIED if organised else int(checked)
        counts, capabilities = table["counts"][active], table["capabilities"][active].astype(np.float64)
        labelled = capabilities.sum(1) > 0
        share = capabilities[labelled] / capabilities[labelled].sum(1, keepdims=True)
        if len(share):
            usual = (share.sum(0) + 0.5) / (len(share) + 5.0)
            kind = organized(graph, active[labelled])
            own = np.stack([share[~kind].sum(0), share[kind].sum(0)])
            votes = np.array([[len(share) - kind.sum()], [kind.sum()]])
            self.capabilities = (own + PEERS_PRIOR * usual) / (votes + PEERS_PRIOR)
        self.elicited = float((counts[:, 9] / counts[:, 0]).mean())
        self.scores = np.sort(table["score"][active[:: len(active) // SCORES + 1]])
        self.rate = float(np.median(daily(graph, active, counts[:, 0])))
        self.young = float(young(graph, active).mean())
        self.norms.refresh(graph, active)

    def state(self) -> list:
        """Return what `load` takes."""
        return [
            self.accounts,
            self.capabilities.tolist(),
            self.elicited,
            self.rate,
            self.scores.tolist(),
            self.identified,
            self.embedding.tolist(),
            self.young,
            self.norms.state(),
        ]

    def load(self, state: list) -> None:
        """Put back what `state` returned."""
        self.accounts, capabilities, self.elicited, self.rate, scores, self.identified, embedding, self.young, norms = (
            state
        )
        self.capabilities, self.scores = np.array(capabilities), np.array(scores, np.float32)
        self.embedding = np.array(embedding)
        self.norms.load(norms)


def young(graph: Graph, accounts: NDArray) -> NDArray[np.bool_]:
    """Tell which accounts were under 30 days old when first seen."""
    created, first = graph.accounts["created"][accounts], graph.accounts["first"][accounts]
    return np.asarray((created >= 0) & (first - created < YOUNG_MS), bool)


@dataclass
class Group:
    """One candidate group.

    Attributes:
        kind: position in `KINDS`.
        traffic: columns like those of `graph.uses`: each member's traffic inside the group.
        rows: the members' rows in `traffic`.
        account: the members' account rows, same length.
        values: the value rows that the group formed around; none for a component or a cell of behaviour.
        meetings: how often members met in a slot of ten seconds, and what chance gives (`detectors.slots`).
    """

    kind: int
    traffic: Mapping[str, NDArray] | Table
    rows: NDArray
    account: NDArray
    values: NDArray
    meetings: tuple[float, float] = (0.0, 0.0)


class Groups:
    """G groups with M members in all.

    Args:
        graph: where the accounts and values are.
        groups: at least one.
        population: what the rest of the world looks like.
    """

    def __init__(self, graph: Graph, groups: list[Group], population: Population) -> None:
        self.graph, self.population, self.parts = graph, population, groups
        sizes = [len(group.account) for group in groups]
        self.start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.group = np.repeat(np.arange(len(groups)), sizes)
        self.account = np.concatenate([group.account for group in groups]).astype(np.int64)
        self.size = np.array(sizes, np.float64)
        self.kind = np.array([group.kind for group in groups])
        self._columns: dict[str, NDArray] = {}

    def __len__(self) -> int:
        return len(self.size)

    def column(self, name: str) -> NDArray:
        """Return a traffic column of every member, shape (M, …)."""
        if name not in self._columns:
            self._columns[name] = np.concatenate([part.traffic[name][part.rows] for part in self.parts])
        return self._columns[name]

    @property
    def requests(self) -> NDArray[np.float64]:
        """Requests of each member inside its group, shape (M,)."""
        return self.column("counts")[:, 0].astype(np.float64)

    def sum(self, values: NDArray) -> NDArray:
        """Sum over the members of each group, shape (G, …)."""
        return np.add.reduceat(values, self.start[:-1], axis=0, dtype=np.float64)

    def mean(self, values: NDArray) -> NDArray:
        """Average over the members of each group, shape (G,)."""
        return self.sum(values) / self.size

    def quantile(self, values: NDArray, q: float) -> NDArray:
        """Return the lower q-quantile over the members of each group, shape (G,)."""
        order = np.lexsort((values, self.group))
        return values[order][self.start[:-1] + np.floor(q * (self.size - 1)).astype(np.int64)]
