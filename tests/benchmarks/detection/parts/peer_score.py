"""The account score of the group stage on rows that are not its own features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.features import NAMES
from detectors.linking.graph import HOUR_MS, Graph
from detectors.models.peers import PeerModels


def peer_scores(rows: NDArray, batch: int, seed: int) -> NDArray[np.float64]:
    """Return the score that `PeerModels` gives each row, an account seen once, a batch an hour; shape (len(rows),).

    Args:
        rows: values in [0, 1], at most 16 columns; missing columns are 0 for everybody.
        batch: accounts an hour.
        seed: of the trees.
    """
    graph, models = Graph(14.0, 1), PeerModels(seed)
    accounts = graph.accounts.extend(len(rows))
    features = np.zeros((len(rows), len(NAMES)), np.float32)
    features[:, : rows.shape[1]] = rows
    for hour, start in enumerate(range(0, len(rows), batch), 1):
        part = accounts[start : start + batch]
        graph.accounts["scored"][part] = -HOUR_MS
        models.update(graph, part, features[part], np.ones(len(part), bool), hour * HOUR_MS)
    return graph.accounts["score"][accounts].astype(np.float64)
