"""Prompt templates that the same accounts work through, joined into bundles.

A campaign spreads its work over many templates, so that each of them alone shows little of an account. Templates
whose users are the same people in the same proportions belong together; a popular prompt that members of a campaign
use as camouflage does not, since other people's traffic dominates it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from detectors.linking.graph import Graph

SIMILAR = 0.6
"""Cosine of ln(1 + requests) over the accounts of two templates."""
MIN_REQUESTS = 20
"""Requests a template needs to take part."""


def bundles(graph: Graph, min_accounts: int, since_ms: int) -> list[NDArray[np.int64]]:
    """Return the bundles of two or more templates, each as sorted value rows.

    Args:
        min_accounts: templates of fewer accounts take no part.
        since_ms: uses not seen since then do not count.
    """
    uses, values = graph.uses, graph.values
    live = uses["last"][: uses.rows] >= since_ms
    value = uses["value"][: uses.rows]
    live &= (values["family"][value] == 0) & (values["accounts"][value] >= min_accounts)
    live &= uses["counts"][: uses.rows, 0] >= 0.5
    rows = np.flatnonzero(live)
    if not len(rows):
        return []
    templates, column = np.unique(value[rows], return_inverse=True)
    requests = uses["counts"][rows, 0].astype(np.float64)
    enough = np.bincount(column, requests) >= MIN_REQUESTS
    weight = np.log1p(requests)
    length = np.sqrt(np.bincount(column, weight**2))
    matrix = csr_array((weight / length[column] * enough[column], (uses["account"][rows], column)))
    cosine = (matrix.T @ matrix).tocoo()
    close = cosine.data >= SIMILAR
    _, label = connected_components(
        csr_array((close[close], (cosine.row[close], cosine.col[close])), shape=cosine.shape), directed=False
    )
    order = np.argsort(label, kind="stable")
    parts = np.split(templates[order], np.flatnonzero(np.diff(label[order])) + 1)
    return [part.astype(np.int64) for part in parts if len(part) > 1]


def traffic(graph: Graph, templates: NDArray) -> dict[str, NDArray]:
    """Return the traffic of each account through a bundle: the columns of `graph.uses`, a row per account.

    `templates` counts how many of the bundle's templates the account used.
    """
    rows = np.concatenate([graph.members[value] for value in templates.tolist()])
    rows = rows[graph.uses["counts"][rows, 0] >= 0.5]
    rows = rows[np.argsort(graph.uses["account"][rows], kind="stable")]
    account, start = np.unique(graph.uses["account"][rows], return_index=True)
    columns = {"account": account, "templates": np.diff(np.append(start, len(rows)))}
    for name in ("counts", "capabilities", "contents", "ticks"):
        columns[name] = np.add.reduceat(graph.uses[name][rows], start, axis=0)
    first = graph.uses["first"][rows]
    columns["first"] = np.minimum.reduceat(np.where(first > 0, first, np.iinfo(np.int64).max), start)
    columns["last"] = np.maximum.reduceat(graph.uses["last"][rows], start)
    columns["hours"] = np.bitwise_or.reduceat(graph.uses["hours"][rows], start)
    return columns
