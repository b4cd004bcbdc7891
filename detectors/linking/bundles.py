"""Prompt templates that the same accounts work through, joined into bundles.

A campaign spreads its work over many templates, so that each of them alone shows little of an account. Templates
whose users are the same people in the same proportions belong together; a popular prompt that members of a campaign
use as camouflage does not, since other people's traffic dominates it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from detectors.linking.graph import Graph

SIMILAR = 0.3
"""Cosine of the templates' users, on average over the pairs between two parts of a bundle; see `_cosines`."""
MIN_REQUESTS = 20
"""Requests a template needs to take part."""
MIN_COMMON, MIN_ITSELF = 5, 2.0
"""Accounts that two templates must have in common, and that a template must share with itself; see `_cosines`."""
MOST_SPLIT = 2_000
"""Larger sets of templates stay together: the time grows with the square."""


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
    cosine = _cosines(uses["account"][rows], column, uses["counts"][rows, 0].astype(np.float64))
    _, label = connected_components(cosine >= SIMILAR, directed=False)
    order = np.argsort(label, kind="stable")
    found: list[NDArray] = []
    for part in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        found += _split(part, cosine[part][:, part].toarray()) if 2 < len(part) <= MOST_SPLIT else [part]
    return [templates[part].astype(np.int64) for part in found if len(part) > 1]


def _split(part: NDArray, cosine: NDArray) -> list[NDArray]:
    """Return the parts that are alike on average (average linkage: Sokal and Michener, Univ. Kans. Sci. Bull. 1958).

    One template of an operation that strangers use as well does not chain theirs to it.
    """
    np.fill_diagonal(cosine, 1.0)
    distance = squareform(1.0 - np.minimum(cosine, 1.0), checks=False)
    label = fcluster(linkage(distance, "average"), 1.0 - SIMILAR, "distance")
    return [part[label == number] for number in np.unique(label)]


def _cosines(account: NDArray, template: NDArray, requests: NDArray) -> csr_array:
    """Return how much the same accounts use each pair of templates, symmetric, 0 for pairs that tell too little.

    Few requests of an account tell few of the templates that it works through, so a plain cosine of the users is small
    for as long as an operation is young. Were each template's requests split into two halves by chance, an account with
    a requests would be in both with probability 1 − 2^(1−a): the overlap of a template with itself. The overlap of
    the half of one with the half of another over the root of the two templates' own is, for requests that come by
    Poisson processes, the cosine of the chances to see each account (Spearman's correction for attenuation, Am. J.
    Psychol. 1904, with split halves).

    Args:
        account, template, requests: of each use, shape (U,).
    """
    itself = np.bincount(template, 1.0 - 0.5 ** np.maximum(requests - 1.0, 0.0))
    told = (itself >= MIN_ITSELF) & (np.bincount(template, requests) >= MIN_REQUESTS)
    seen, shape = told[template], (int(account.max()) + 1, len(itself))
    weight = (1.0 - 0.5 ** requests[seen]) / np.sqrt(itself[template[seen]])
    users = csr_array((weight, (account[seen], template[seen])), shape=shape)
    cosine = users.T @ users
    users.data[:] = 1.0
    return (cosine * (users.T @ users >= MIN_COMMON)).tocsr()


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
    columns["hours"] = np.bitwise_or.reduceat(graph.uses["hours"][rows], start, axis=0)
    return columns
