"""What each account did in an hour, as the series that are compared with its past."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.features import NAMES
from detectors.linking.graph import DAY_MS, Graph, Tick
from detectors.partials import CAPABILITIES, COUNTS
from detectors.windows import Table

_REQUESTS, _ELICITED = COUNTS.index("requests"), COUNTS.index("elicited")
_GRADING, _REWRITE = CAPABILITIES.index("rubric_grading"), CAPABILITIES.index("policy_rewrite")
_RATE, _RATE_CAP = NAMES.index("rate_1h"), 1e4
_TOKENS, _TOKENS_CAP = NAMES.index("output_tokens_1h"), 1e7


def amounts(graph: Graph, tick: Tick, rows: NDArray) -> NDArray[np.float64]:
    """Return the sums `SUMS` of each account's tick, shape (A, 3); `graph` must have taken the tick in.

    `wanted` are requests that elicit reasoning, grade by a rubric or rewrite a policy, by the commonest of the three;
    `distance` is the Hellinger distance of the tick's models to the account's mix, times requests.
    """
    counts, capabilities = tick.columns["counts"], tick.columns["capabilities"]
    requests = counts[:, _REQUESTS].astype(np.float64)
    wanted = np.maximum(counts[:, _ELICITED], np.maximum(capabilities[:, _GRADING], capabilities[:, _REWRITE]))
    distance = model_distance(graph, tick, rows) * requests
    return np.stack([requests, np.minimum(wanted, requests), distance], axis=1)


def model_distance(graph: Graph, tick: Tick, rows: NDArray) -> NDArray[np.float64]:
    """Return the Hellinger distance, 0 … 1, of each account's models in the tick to its mix, shape (A,)."""
    mine = tick.columns["mix_kind"] == 0
    who, name = tick.columns["mix_account"][mine], tick.columns["mix_name"][mine]
    now = tick.columns["mix_requests"][mine].astype(np.float64)
    usual = graph.accounts["models"][rows]
    share = usual[who, name] / np.maximum(usual.sum(1)[who], 1e-9)
    total = np.maximum(np.bincount(who, now, len(rows)), 1e-9)
    likeness = np.bincount(who, np.sqrt(now / total[who] * share), len(rows))
    known = np.bincount(who, minlength=len(rows)) > 0
    return np.where(known, np.sqrt(np.maximum(1.0 - likeness, 0.0)), 0.0)


def hourly(sums: NDArray, features: NDArray) -> NDArray[np.float64]:
    """Return the series of an hour, shape (B, 4): volume from the hour's window, shares since the last score."""
    volume = features[:, [_RATE, _TOKENS]] * np.log1p([_RATE_CAP, _TOKENS_CAP])
    requests, wanted, distance = sums.T
    odds = np.log((wanted + 0.5) / (requests - wanted + 0.5))
    shares = np.stack([odds, distance / np.maximum(requests, 1.0)], axis=1)
    return np.concatenate([volume, shares], axis=1).astype(np.float64)


def days_over(table: Table, rows: NDArray, end_ms: int) -> NDArray[np.bool_]:
    """Return which accounts have a day behind them that has not voted yet, shape (len(rows),)."""
    return np.asarray((table["day"][rows] > 0) & (table["day"][rows] < (end_ms - 1) // DAY_MS), bool)


def main_clusters(graph: Graph, tick: Tick, rows: NDArray, uses: NDArray) -> NDArray[np.int64]:
    """Return the cluster that each account's votes are counted with, −1 for none, shape (A,).

    The component it is in, or else the one of the shared template that it used most in the tick.
    """
    seen = np.flatnonzero((uses >= 0) & (tick.columns["use_family"] == 0))
    who, requests = tick.columns["use_account"][seen], tick.columns["use_counts"][seen, _REQUESTS]
    result = np.full(len(rows), -1)
    order = np.argsort(requests, kind="stable")
    result[who[order]] = graph.values["cluster"][graph.uses["value"][uses[seen]]][order]
    component = graph.accounts["component"][rows]
    return np.where(component >= 0, component, result).astype(np.int64)
