"""What is usual among all accounts, for the families that compare a group with the population at large."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.blocked import MIXES, drops, failing
from detectors.linking.graph import MODELS, PATHS, Graph
from detectors.linking.releases import Releases
from detectors.linking.traits import BITS, ELICITED, agents, refusals, sum_bits, varieties
from detectors.partials import FAMILIES, VARIETIES

OCTAVES = 20
"""Accounts are compared with those that make about as many requests: within a factor of two."""
ENOUGH = 50
"""Fewer accounts than this are no norm."""
SAMPLE, PLAN_SAMPLE = 20_000, 2_000
MOST_REFUSALS = 3.0
"""So many of an account count: a few who search for techniques must not become what is usual."""
PRIOR = 20.0
"""Accounts of the average added to each model's and path's own."""
CARRIED = ("device", "network")
FACTS = (*CARRIED, *VARIETIES)
"""What a request may say of who sends it."""


class Norms:
    """Refreshed with the population.

    Attributes:
        breadth: 90 % quantile, over the accounts with about 2^octave requests, of `breadth`; NaN where
            there are too few, shape (OCTAVES,).
        agents: share of the accounts per bucket of user agents, shape (64,); NaN when not known.
        retreat: mean share lost by a model (kind 0) or path (1) among the accounts it turned away, shape (2, 32).
        failing: mean share of an account's requests that are refused or answered 429 or 403.
        refusals: different elicitation templates an account had refused, `MOST_REFUSALS` at most, for each of its
            requests that do not elicit.
        busy: 90 % quantile of the accounts' requests a day.
        tokens: sorted tokens a day of the accounts on each plan with at least 50, by code.
        releases: the latest model and how fast it is taken up.
        paths: mean share of each access path in the accounts' requests, of accounts with a known one, shape (8,).
        untold: mean share of `FACTS` unknown, by `main_path`, shape (9,).
    """

    def __init__(self) -> None:
        self.breadth = np.full(OCTAVES, np.nan)
        self.agents = np.full(BITS, np.nan)
        self.retreat = np.zeros((len(MIXES), MODELS))
        self.failing = 0.0
        self.refusals = 0.0
        self.busy = 0.0
        self.tokens: dict[int, NDArray[np.float64]] = {}
        self.releases = Releases()
        self.paths = np.full(PATHS, 1.0 / PATHS)
        self.untold = np.zeros(PATHS + 1)

    def refresh(self, graph: Graph, active: NDArray) -> None:
        """Look again at the `active` accounts."""
        self.releases.refresh(graph, active)
        rows = active[:: len(active) // SAMPLE + 1]
        wide = breadth(graph, rows)
        mine = octave(graph.accounts["counts"][rows, 0])
        for number in range(OCTAVES):
            near = wide[(np.abs(mine - number) <= 1) & ~np.isnan(wide)]
            self.breadth[number] = np.quantile(near, 0.9) if len(near) >= ENOUGH else np.nan
        used = agents(graph.accounts, rows)
        used = used[used > 0]
        counts = sum_bits(used, np.zeros(len(used), np.int64), np.ones(len(used)), 1)[0]
        self.agents = counts / len(used) if len(used) >= ENOUGH else np.full(BITS, np.nan)
        self._usage(graph, rows)
        self._ways_in(graph, rows)
        self.failing = float(failing(graph.accounts["counts"][rows]).mean()) if len(rows) else 0.0
        refused = np.minimum(refusals(graph.accounts, rows), MOST_REFUSALS)
        self.refusals = float(refused.sum()) / max(float(ordinary(graph, rows).sum()), 1.0)
        for kind in range(len(MIXES)):
            name, failures, drop = drops(graph.accounts, rows, kind)
            turned = failures >= 1
            count = np.bincount(name[turned], minlength=MODELS)
            whole = float(drop[turned].mean()) if turned.any() else 0.0
            self.retreat[kind] = (np.bincount(name[turned], drop[turned], MODELS) + PRIOR * whole) / (count + PRIOR)

    def _usage(self, graph: Graph, rows: NDArray) -> None:
        table = graph.accounts
        self.busy = float(np.quantile(daily(graph, rows, table["counts"][rows, 0]), 0.9)) if len(rows) else 0.0
        plan, tokens = table["plan"][rows], daily_tokens(graph, rows)
        codes, count = np.unique(plan[plan >= 0], return_counts=True)
        self.tokens = {}
        for code in codes[count >= ENOUGH].tolist():
            known = np.sort(tokens[plan == code])
            self.tokens[code] = known[:: len(known) // PLAN_SAMPLE + 1]

    def _ways_in(self, graph: Graph, rows: NDArray) -> None:
        shares, known = path_shares(graph, rows)
        if known.sum() >= ENOUGH:
            self.paths = (shares.sum(0) + 1.0 / PATHS) / (known.sum() + 1.0)
        if len(rows):
            path, unknown = main_path(graph, rows), untold(graph, rows)
            count, total = (np.bincount(path, weights, PATHS + 1) for weights in (np.ones(len(rows)), unknown))
            self.untold = (total + PRIOR * unknown.mean()) / (count + PRIOR)

    def state(self) -> list:
        """Return what `load` takes."""
        tokens = [(code, known.tolist()) for code, known in self.tokens.items()]
        return [
            self.breadth.tolist(),
            self.agents.tolist(),
            self.retreat.tolist(),
            self.failing,
            self.refusals,
            self.busy,
            tokens,
            self.releases.state(),
            self.paths.tolist(),
            self.untold.tolist(),
        ]

    def load(self, state: list) -> None:
        """Put back what `state` returned."""
        *arrays, self.failing, self.refusals, self.busy, tokens, releases, paths, unknown = state
        self.paths, self.untold = np.array(paths), np.array(unknown)
        self.tokens = {code: np.array(known, np.float64) for code, known in tokens}
        self.breadth, self.agents, self.retreat = (np.array(values, np.float64) for values in arrays)
        self.releases.load(releases)


def octave(requests: NDArray) -> NDArray[np.int64]:
    """Return the whole part of log2 of the requests, 0 … OCTAVES − 1."""
    return np.clip(np.log2(np.maximum(requests, 1.0)), 0, OCTAVES - 1).astype(np.int64)


def breadth(graph: Graph, rows: NDArray) -> NDArray[np.float64]:
    """Return ln(languages × countries × user agents) of each account, what is not known left out; NaN without any."""
    counted = varieties(graph.accounts, rows)
    return np.where(counted.any(1), np.log(np.maximum(counted, 1.0)).sum(1), np.nan)


def ordinary(graph: Graph, rows: NDArray) -> NDArray[np.float64]:
    """Return the requests of each account that do not elicit."""
    counts = graph.accounts["counts"][rows]
    return np.asarray(counts[:, 0] - counts[:, ELICITED], np.float64)


def daily(graph: Graph, rows: NDArray, amounts: NDArray) -> NDArray[np.float64]:
    """Return decayed amounts of the accounts, shape (B,), per day between first and last sight (`Graph.daily`)."""
    return graph.daily(amounts, graph.accounts["first"][rows], graph.accounts["last"][rows])


def daily_tokens(graph: Graph, rows: NDArray) -> NDArray[np.float64]:
    """Return input and output tokens of each account a day."""
    return daily(graph, rows, graph.accounts["counts"][rows, 1:3].sum(1, dtype=np.float64))


def path_shares(graph: Graph, rows: NDArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the share of each access path in the accounts' requests, shape (B, 8), and which have a known one."""
    mix = graph.accounts["paths"][rows].astype(np.float64)
    total = mix.sum(1)
    return mix / np.maximum(total, 1e-9)[:, None], total > 0


def main_path(graph: Graph, rows: NDArray) -> NDArray[np.int64]:
    """Return the number of the path most of an account's requests take, one more than the last where none is known."""
    mix = graph.accounts["paths"][rows]
    return np.where(mix.sum(1) > 0, mix.argmax(1), mix.shape[1])


def untold(graph: Graph, rows: NDArray) -> NDArray[np.float64]:
    """Return the share of `FACTS` that no request of an account has told."""
    carries = graph.accounts["carries"][rows]
    told = [(carries >> FAMILIES.index(family) & 1) > 0 for family in CARRIED]
    varied = varieties(graph.accounts, rows) > 0
    return 1.0 - (np.sum(told, axis=0) + varied.sum(1)) / len(FACTS)
