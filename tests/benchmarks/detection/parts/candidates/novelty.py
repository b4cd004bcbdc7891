"""How odd is an account among accounts like it, by two models that need no scale: trees and tails.

Half-space trees see odd combinations but need bounded features; tails see single values far out, whatever their unit,
as in ECOD (Li et al., TKDE 2022, arXiv 2201.00382), here against the latest rows instead of all of them. Each model's
score becomes nats by its rank among its own latest scores (conformal p-values, Bates et al., arXiv 2104.08279), and an
account's novelty is the mean of the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.errors import StateError, StateVersionError
from detectors.models.half_space_trees import HalfSpaceTrees

FloatArray = NDArray[np.float64]

STATE_VERSION = 1
MIN_ROWS = 250
"""Rows that must be known before anything is called odd."""
TAIL = 0.9
"""Above this quantile a score's rank is extended by an exponential tail, since no sample reaches far enough."""


class Ring:
    """The latest rows, at most `size` of them, oldest overwritten first.

    Args:
        size: rows kept.
        columns: values per row.
    """

    def __init__(self, size: int, columns: int) -> None:
        self._rows = np.zeros((size, columns))
        self._seen = 0
        self._sorted: FloatArray | None = None

    def __len__(self) -> int:
        return min(self._seen, len(self._rows))

    def learn_many(self, rows: FloatArray) -> None:
        """Keep the rows of `rows`, shape (B, columns)."""
        kept = rows[-len(self._rows) :]
        places = (self._seen + len(rows) - len(kept) + np.arange(len(kept))) % len(self._rows)
        self._rows[places] = kept
        self._seen += len(rows)
        self._sorted = None

    def sorted(self) -> FloatArray:
        """Return the rows known, shape (len(self), columns), each column sorted on its own."""
        if self._sorted is None:
            self._sorted = np.sort(self._rows[: len(self)], axis=0)
        return self._sorted

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of the rows and how many were seen."""
        return {"rows": self._rows.copy(), "seen": np.array(self._seen)}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned.

        Raises:
            StateError: the state belongs to a ring of another shape.
        """
        if state["rows"].shape != self._rows.shape:
            raise StateError("novelty: the state has another window or other features")
        self._rows, self._seen, self._sorted = state["rows"].copy(), int(state["seen"]), None


class Novelty:
    """Nats of oddness of each row among the latest rows; 0 until 250 rows are known.

    Args:
        features: names of the columns of `rows`; any unit, any range.
        window: latest rows that the ranks refer to.
        n_trees, height, window_size: see `HalfSpaceTrees`.
        seed: of the trees.
    """

    def __init__(
        self,
        features: Sequence[str],
        window: int = 4096,
        n_trees: int = 25,
        height: int = 8,
        window_size: int = 250,
        seed: int = 0,
    ) -> None:
        self.features = list(features)
        self.trees = HalfSpaceTrees(self.features, n_trees, height, window_size, seed=seed)
        self._known = Ring(window, len(self.features))
        self._scores = Ring(window, 2)

    def score_many(self, rows: FloatArray) -> FloatArray:
        """Return the novelty of the rows of `rows`, shape (B, F), in nats, shape (B,), without learning."""
        return self._nats(self._raw(np.asarray(rows, np.float64))).mean(1)

    def learn_many(self, rows: FloatArray) -> None:
        """Learn the rows of `rows`, shape (B, F), and the scores they get before they are learned."""
        rows = np.asarray(rows, np.float64)
        if len(self._known) >= MIN_ROWS:
            raw = self._raw(rows)
            self._scores.learn_many(raw[raw[:, 1] > 0])
            self.trees.learn_many(self._bounded(rows))
        self._known.learn_many(rows)

    def tails(self, rows: FloatArray) -> FloatArray:
        """Return −ln of the two-sided tail rank of every value among the latest rows, shape (B, F); 0 at the median.

        This says which features made a row odd.
        """
        known, count = self._known.sorted(), len(self._known)
        nats = np.zeros(rows.shape)
        for column in range(len(self.features)):
            values, sample = rows[:, column], known[:, column]
            below = np.searchsorted(sample, values, "right")
            above = count - np.searchsorted(sample, values, "left")
            nats[:, column] = -np.log(np.minimum(2.0 * (np.minimum(below, above) + 1) / (count + 1), 1.0))
        return nats

    def _raw(self, rows: FloatArray) -> FloatArray:
        """Return the sum of tails and the trees' score of each row, shape (B, 2)."""
        if len(self._known) < MIN_ROWS:
            return np.zeros((len(rows), 2))
        return np.stack([self.tails(rows).sum(1), self.trees.score_many(self._bounded(rows))], axis=1)

    def _bounded(self, rows: FloatArray) -> FloatArray:
        """Map each value to (0, 1) by its distance from the median in units of the 5 % to 95 % range."""
        known = self._known.sorted()
        low, median, high = (known[int(q * (len(known) - 1))] for q in (0.05, 0.5, 0.95))
        distance = (rows - median) / np.maximum(high - low, 1e-9)
        return 0.5 + 0.5 * distance / (1.0 + np.abs(distance))

    def _nats(self, raw: FloatArray) -> FloatArray:
        """Return −ln of the upper tail rank of each score among the latest scores, shape (B, 2)."""
        count = len(self._scores)
        if count < MIN_ROWS:
            return np.zeros(raw.shape)
        known, nats = self._scores.sorted(), np.zeros(raw.shape)
        for column in range(raw.shape[1]):
            sample, values = known[:, column], raw[:, column]
            at_least = count - np.searchsorted(sample, values, "left")
            start, far = sample[int(TAIL * (count - 1))], sample[int(0.99 * (count - 1))]
            scale = max(float(far - start), 1e-3) / np.log(10.0)
            tail = -np.log(1.0 - TAIL) + (values - start) / scale
            body = np.minimum(-np.log((at_least + 1) / (count + 1)), -np.log(1.0 - TAIL))
            nats[:, column] = np.where(values > start, tail, body)
        return nats

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything learned, as arrays that `load_state` takes back."""
        parts = {"trees": self.trees.state(), "known": self._known.state(), "scores": self._scores.state()}
        entries = {f"{part}/{name}": array for part, arrays in parts.items() for name, array in arrays.items()}
        return {"version": np.array(STATE_VERSION)} | entries

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from `state`.

        Raises:
            StateVersionError: the state was written by another version.
            StateError: the state belongs to a model of other features or sizes.
        """
        if int(state["version"]) != STATE_VERSION:
            raise StateVersionError(f"novelty: state version {int(state['version'])}, not {STATE_VERSION}")
        for part, model in (("trees", self.trees), ("known", self._known), ("scores", self._scores)):
            model.load_state({key.split("/", 1)[1]: a for key, a in state.items() if key.startswith(part + "/")})
