"""How many accounts behave exactly like this one: density on grids that double in fineness.

Half-space trees call rare behaviour odd, so a campaign of many accounts that all do the same becomes the normal
(DETECTION §0, finding 2). Here the same crowd stands out at the other end: accounts made by one hand agree at every
resolution, people agree at coarse ones only. The counts are those of xStream's half-space chains (Manzoor, Lamba and
Akoglu, KDD 2018: grids, doubling resolution, count-min sketches) in the random subspaces of RS-Hash (Sathe and
Aggarwal, ICDM 2016), read for density instead of rarity. New and idle accounts are a crowd too: crowding is evidence
among accounts of one age and use, never alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.errors import StateError, StateVersionError

FloatArray = NDArray[np.float64]

STATE_VERSION = 1
DEPTH = 2
PRIOR_ROWS = 256
"""Rows in cells of their own that the counts start from, so that the first rows seen look alone, not crowded."""
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Crowding:
    """Mean log share of the accounts seen that fall into a row's cell, over random grids; 0 at most.

    Each chain draws half of the features (two at least), a shift per feature, and lays grids of 2, 4, … 2^levels
    cells a feature. Counts live in count-min sketches and cover between one and two windows of rows: the window under
    way and the one before.

    Args:
        features: names of the columns of `rows`, whose values belong in [0, 1].
        chains: number of random subspaces.
        levels: resolutions of each chain.
        width: counters per sketch row, a power of two; well above the rows of two windows when every row differs.
        window_size: rows in a window.
        seed: of subspaces, shifts and hashes.

    Raises:
        ValueError: no features, a size below 1, or a width that is no power of two.
    """

    def __init__(
        self,
        features: Sequence[str],
        chains: int = 20,
        levels: int = 8,
        width: int = 16_384,
        window_size: int = 8_192,
        seed: int = 0,
    ) -> None:
        if not features or min(chains, levels, width, window_size) < 1 or width & (width - 1):
            raise ValueError("features, chains, levels and window_size must not be empty, width a power of two")
        self.features = list(features)
        self.levels, self.width, self.window_size = levels, width, window_size
        rng = np.random.default_rng(seed)
        count = len(self.features)
        taken = min(count, max(2, -(-count // 2)))
        self._columns = np.stack([rng.permutation(count)[:taken] for _ in range(chains)])
        self._shift = rng.random((chains, taken))
        self._multiplier = rng.integers(1, 2**63, (DEPTH, chains, taken + 1), np.uint64) | np.uint64(1)
        self._latest = np.zeros((chains, levels, DEPTH, width), np.int32)
        self._previous = np.zeros_like(self._latest)
        self._filled = np.zeros(2, np.int64)

    @property
    def rows(self) -> int:
        """How many rows the counts cover."""
        return int(self._filled.sum())

    def score_many(self, rows: FloatArray) -> FloatArray:
        """Return the mean over grids of ln((count + ½) / (rows seen + 256)), shape (B,), without learning."""
        total = np.zeros(len(rows))
        for chain, cells in enumerate(self._cells(rows)):
            counts = self._latest[chain].take(cells) + self._previous[chain].take(cells)
            total += np.log(counts.min(1) + 0.5).sum(0)
        return total / (len(self._columns) * self.levels) - np.log(self.rows + PRIOR_ROWS)

    def learn_many(self, rows: FloatArray) -> None:
        """Count the rows of `rows`, shape (B, F); a window may end inside the batch."""
        start = 0
        while start < len(rows):
            part = rows[start : start + self.window_size - int(self._filled[0])]
            for chain, cells in enumerate(self._cells(part)):
                np.add.at(self._latest[chain].reshape(-1), cells.ravel(), 1)
            self._filled[0] += len(part)
            start += len(part)
            if self._filled[0] == self.window_size:
                self._latest, self._previous = self._previous, self._latest
                self._latest[:] = 0
                self._filled[:] = 0, self._filled[0]

    def _cells(self, rows: FloatArray) -> Iterator[NDArray[np.int64]]:
        """Yield, chain by chain, the counters of each row as flat indices, shape (levels, DEPTH, B)."""
        rows = np.asarray(rows, np.float64)
        if np.isnan(rows).any():
            raise ValueError("crowding has no place for a missing value")
        scale = 2.0 ** np.arange(1, self.levels + 1)[:, None, None]
        first = np.arange(self.levels * DEPTH).reshape(self.levels, DEPTH, 1) * self.width
        for chain, columns in enumerate(self._columns):
            place = np.floor(rows[:, columns] * scale + self._shift[chain]).astype(np.int64).view(np.uint64)
            multiplier = self._multiplier[:, chain]
            key = np.stack([(place * one[:-1]).sum(2, dtype=np.uint64) ^ one[-1] for one in multiplier], axis=1)
            mixed = (key ^ (key >> np.uint64(29))) * _MIX
            yield (mixed >> np.uint64(32)).astype(np.int64) & (self.width - 1) | first

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything learned and drawn, as arrays that `load_state` takes back."""
        return {
            "version": np.array(STATE_VERSION),
            "features": np.array(self.features),
            "window": np.array(self.window_size),
            "columns": self._columns.copy(),
            "shift": self._shift.copy(),
            "multiplier": self._multiplier.copy(),
            "latest": self._latest.copy(),
            "previous": self._previous.copy(),
            "filled": self._filled.copy(),
        }

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from `state`.

        Raises:
            StateVersionError: the state was written by another version.
            StateError: the state belongs to a model of other features or sizes.
        """
        if int(state["version"]) != STATE_VERSION:
            raise StateVersionError(f"crowding: state version {int(state['version'])}, not {STATE_VERSION}")
        if [str(name) for name in state["features"]] != self.features:
            raise StateError("crowding: the state has other features")
        if state["latest"].shape != self._latest.shape or int(state["window"]) != self.window_size:
            raise StateError("crowding: the state has other chains, levels, width or window_size")
        self._columns, self._shift = state["columns"].copy(), state["shift"].copy()
        self._multiplier = state["multiplier"].copy()
        self._latest, self._previous = state["latest"].copy(), state["previous"].copy()
        self._filled = state["filled"].copy()
