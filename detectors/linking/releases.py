"""When the population first saw each model, and how fast it takes to the newest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS, MODELS, Graph

LEARN_MS = 2 * DAY_MS
"""Models first seen before the population was watched for this long are no releases."""
RECENT_MS = 7 * DAY_MS
MIN_ADOPTERS, MIN_SHARE = 20, 0.005
"""A new name is a release when so many accounts, and this part of all, use it: not one customer's fine-tuned model."""
ADOPTER_SHARE = 0.01


class Releases:
    """The latest release and its adoption.

    Attributes:
        model: position in `graph.models`; −1 for none within a week.
        time: when it was first seen, ms.
        adoption: mean share of the model in the mixes of the accounts that had traffic before and after it.
    """

    def __init__(self) -> None:
        self.model, self.time, self.adoption = -1, 0, 0.0
        self._begun = self._now = 0
        self._seen = np.zeros(MODELS, np.int64)

    def see(self, columns: dict[str, NDArray], end_ms: int) -> None:
        """Note the models of one tick, which ends at `end_ms` (`partials.SCHEMA`)."""
        self._begun = self._begun or end_ms
        self._now = end_ms
        models = np.unique(columns["mix_name"][columns["mix_kind"] == 0])
        fresh = models[self._seen[models] == 0]
        self._seen[fresh] = end_ms

    def forget(self, models: list[int]) -> None:
        """Take numbers that now stand for other models for not yet seen."""
        self._seen[models] = 0

    def refresh(self, graph: Graph, active: NDArray) -> None:
        """Look again at what the `active` accounts use."""
        self.model, self.time, self.adoption = -1, 0, 0.0
        late = (self._seen > self._begun + LEARN_MS) & (self._seen >= self._now - RECENT_MS)
        most = max(MIN_ADOPTERS, MIN_SHARE * len(active)) - 1
        for model in np.flatnonzero(late).tolist():
            time = int(self._seen[model])
            there, share = shares(graph, active, model, time)
            adopters = int((share[there] >= ADOPTER_SHARE).sum())
            if adopters > most:
                most, self.model, self.time, self.adoption = adopters, model, time, float(share[there].mean())

    def state(self) -> list:
        """Return what `load` takes."""
        return [self.model, self.time, self.adoption, self._begun, self._now, self._seen.tolist()]

    def load(self, state: list) -> None:
        """Put back what `state` returned."""
        self.model, self.time, self.adoption, self._begun, self._now, seen = state
        self._seen = np.array(seen, np.int64)


def shares(graph: Graph, rows: NDArray, model: int, time_ms: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which accounts had traffic before and after `time_ms`, and the share of `model` in each one's mix."""
    mix = graph.accounts["models"][rows].astype(np.float64)
    there = (graph.accounts["first"][rows] < time_ms) & (graph.accounts["last"][rows] > time_ms)
    return np.asarray(there, bool), mix[:, model] / np.maximum(mix.sum(1), 1e-9)
