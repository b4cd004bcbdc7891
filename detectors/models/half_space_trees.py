"""Half-space trees (Tan, Ting and Liu, IJCAI 2011) over numpy arrays, equal to River's to the last bit.

A tree of height h is stored as a heap of 2^(h+1) - 1 nodes: the children of node i are 2i + 1 (value < threshold) and
2i + 2. A score depends only on the masses of the last full window, so a batch may be scored and learned as a whole
without loss; `learn_many` cuts a batch where a window ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import anomaly
from river.base import AnomalyDetector

from detectors.compiled import plain
from detectors.errors import StateError, StateVersionError
from detectors.models.tree_paths import add_masses, learn_rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STATE_VERSION = 1
_ROWS = 512
"""Rows worked on at once, a tree at a time: they and the tree stay in the processor's cache."""


class HalfSpaceTrees(AnomalyDetector):  # type: ignore[misc]  # River is untyped to mypy
    """Outlier score in [0, 1], high for rare regions; 0 until the first window is full.

    Args:
        features: names of the columns of `rows`. Rows of `learn_one` and `score_one` may hold other keys, which are
            ignored.
        n_trees: number of trees.
        height: height of each tree, at least 1.
        window_size: rows that fill a window of masses.
        limits: range of each feature, (0, 1) where not given.
        seed: seed of the random splits; the same seed gives River's trees.

    A missing value (a key that is absent, or NaN in `rows`) follows the heavier child, as in River. Unlike in River,
    a value that *is* NaN counts as missing.

    Raises:
        ValueError: `features` empty or with repeats, or a size below 1.
    """

    def __init__(
        self,
        features: Sequence[str],
        n_trees: int = 10,
        height: int = 8,
        window_size: int = 250,
        limits: Mapping[str, tuple[float, float]] | None = None,
        seed: int | None = None,
    ) -> None:
        if not features or len(set(features)) != len(features):
            raise ValueError("features must be names without repeats")
        if min(n_trees, height, window_size) < 1:
            raise ValueError("n_trees, height and window_size must be at least 1")
        self.features = list(features)
        self.n_trees = n_trees
        self.height = height
        self.window_size = window_size
        self.limits = limits
        self.seed = seed
        self.counter = 0
        self._first_window = True
        self._nodes = 2 ** (height + 1) - 1
        self._feature, self._threshold = self._read_off_river()
        self._reference = np.zeros((n_trees, self._nodes), np.int64)
        self._latest = np.zeros((n_trees, self._nodes), np.int64)

    def _read_off_river(self) -> tuple[IntArray, FloatArray]:
        """Return feature index and threshold of every node, each of shape (n_trees, nodes), from River's own trees."""
        limits = None if self.limits is None else dict(self.limits)
        model = anomaly.HalfSpaceTrees(self.n_trees, self.height, self.window_size, limits, self.seed)
        model.learn_one(dict.fromkeys(self.features, 0.0))
        column = {name: index for index, name in enumerate(self.features)}
        feature = np.zeros((self.n_trees, self._nodes), np.int64)
        threshold = np.zeros((self.n_trees, self._nodes))
        for tree, root in enumerate(model.trees):
            level: list[Any] = [root]
            for node in range(2**self.height - 1):
                branch = level[node]
                feature[tree, node] = column[branch.feature]
                threshold[tree, node] = branch.threshold
                level.extend(branch.children)
        return feature, threshold

    def learn_one(self, x: Mapping[str, float]) -> None:
        """Add one row to the window under way."""
        self.learn_many(self._row(x))

    def score_one(self, x: Mapping[str, float]) -> float:
        """Return the outlier score of one row."""
        return float(self.score_many(self._row(x))[0])

    def learn_many(self, rows: FloatArray) -> None:
        """Add the rows of `rows`, shape (B, F), in order; a window may end inside the batch."""
        rows = self._checked(rows)
        start = 0
        while start < len(rows):
            stop = min(start + self.window_size - self.counter, len(rows))
            learn_rows(rows[start:stop], self._feature, self._threshold, self._latest, self.height)
            self.counter += stop - start
            start = stop
            if self.counter == self.window_size:
                self._pivot()

    def score_many(self, rows: FloatArray) -> FloatArray:
        """Return the scores, shape (B,), of the rows of `rows`, shape (B, F), without learning from them."""
        if self._first_window:
            return np.zeros(len(self._checked(rows)))
        result: FloatArray = self.score_against(rows, [self._reference])[0]
        return result

    def score_against(self, rows: FloatArray, windows: Sequence[IntArray]) -> FloatArray:
        """Return the scores, shape (W, B), against W windows that these trees filled, now or earlier.

        Args:
            rows: shape (B, F).
            windows: masses as `masses` returns them.
        """
        rows = self._checked(rows)
        scores = np.zeros((len(windows), len(rows)))
        highest = self.n_trees * self.window_size * self._nodes
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            for number, masses in enumerate(windows):
                total = np.zeros(len(part), np.int64)
                trees = (self._feature, self._threshold, self._latest, masses)
                add_masses(part, *trees, self.height, 0.1 * self.window_size, total)
                scores[number, start : start + _ROWS] = 1 - total / highest
        return scores

    @property
    def ready(self) -> bool:
        """Whether the first window is full."""
        return not self._first_window

    @property
    def masses(self) -> IntArray:
        """The masses of the last full window, shape (n_trees, nodes); copy what is to be kept."""
        return self._reference

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything learned, as arrays that `load_state` takes back."""
        return {
            "version": np.array(STATE_VERSION),
            "features": np.array(self.features),
            "feature": self._feature.astype(np.int64),
            "threshold": self._threshold.copy(),
            "reference": self._reference.copy(),
            "latest": self._latest.copy(),
            "counter": np.array(self.counter),
            "window": np.array(self.window_size),
            "first_window": np.array(self._first_window),
        }

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from `state`.

        Raises:
            StateVersionError: the state was written by another version.
            StateError: the state belongs to a model of other features, size or window.
        """
        if int(state["version"]) != STATE_VERSION:
            raise StateVersionError(f"half-space trees: state version {int(state['version'])}, not {STATE_VERSION}")
        if [str(name) for name in state["features"]] != self.features:
            raise StateError("half-space trees: the state has other features")
        if state["threshold"].shape != self._threshold.shape or int(state["window"]) != self.window_size:
            raise StateError("half-space trees: the state has another n_trees, height or window_size")
        self._feature = state["feature"].astype(np.int64)
        self._threshold = state["threshold"].astype(np.float64)
        self._reference = state["reference"].astype(np.int64)
        self._latest = state["latest"].astype(np.int64)
        self.counter = int(state["counter"])
        self._first_window = bool(state["first_window"])

    def _pivot(self) -> None:
        self._reference, self._latest = self._latest, self._reference
        self._latest[:] = 0
        self._first_window = False
        self.counter = 0

    def _row(self, x: Mapping[str, float]) -> FloatArray:
        return np.array([[x.get(name, np.nan) for name in self.features]], np.float64)

    def _checked(self, rows: FloatArray) -> FloatArray:
        rows = plain(rows, np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise ValueError(f"expected rows of {len(self.features)} features, got an array of shape {rows.shape}")
        return rows
