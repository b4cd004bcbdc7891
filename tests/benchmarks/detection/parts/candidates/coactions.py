"""Decayed counts by 64-bit key in sorted arrays, the weakest forgotten beyond a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.windows import decay

KeyArray = NDArray[np.uint64]


class CoActions:
    """A count per key that halves every `half_life_ms`.

    Args:
        half_life_ms: of every count.
        max_keys: keys remembered; beyond, those with the lowest counts are forgotten.
    """

    def __init__(self, half_life_ms: float, max_keys: int) -> None:
        self.half_life_ms, self.max_keys = half_life_ms, max_keys
        self._keys = np.zeros(0, np.uint64)
        self._counts = np.zeros(0)
        self._last = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: KeyArray, now_ms: int) -> None:
        """Count each of `keys`, shape (B,), with repeats, once at `now_ms`."""
        if not len(keys):
            return
        new, times = np.unique(keys, return_counts=True)
        place = np.searchsorted(self._keys, new)
        known = np.zeros(len(new), bool)
        inside = place < len(self._keys)
        known[inside] = self._keys[place[inside]] == new[inside]
        old = place[known]
        self._counts[old] = self._counts[old] * decay(now_ms - self._last[old], self.half_life_ms) + times[known]
        self._last[old] = now_ms
        self._keys = np.insert(self._keys, place[~known], new[~known])
        self._counts = np.insert(self._counts, place[~known], times[~known])
        self._last = np.insert(self._last, place[~known], now_ms)
        if len(self._keys) > self.max_keys:
            self._forget(now_ms)

    def _forget(self, now_ms: int) -> None:
        """Keep the strongest three quarters of what is allowed; of equals, the latest."""
        counts = self._counts * decay(now_ms - self._last, self.half_life_ms)
        strongest = np.lexsort((self._keys, -self._last, -counts))[: max(self.max_keys * 3 // 4, 1)]
        kept = np.sort(strongest)
        self._keys, self._counts, self._last = self._keys[kept], self._counts[kept], self._last[kept]

    def counts(self, now_ms: int, least: float) -> tuple[KeyArray, NDArray[np.float64]]:
        """Return the keys whose count at `now_ms` is at least `least`, ascending, and the counts."""
        counts = self._counts * decay(now_ms - self._last, self.half_life_ms)
        enough = counts >= least
        return self._keys[enough], counts[enough]

    def of(self, keys: KeyArray, now_ms: int) -> NDArray[np.float64]:
        """Return the counts of `keys` at `now_ms`, 0 for one not known, shape (B,)."""
        if not len(self._keys):
            return np.zeros(len(keys))
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        counts = self._counts[place] * decay(now_ms - self._last[place], self.half_life_ms)
        return np.where(self._keys[place] == keys, counts, 0.0)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of the keys, counts and times."""
        return {"keys": self._keys.copy(), "counts": self._counts.copy(), "last": self._last.copy()}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned."""
        self._keys, self._counts = state["keys"].copy(), state["counts"].copy()
        self._last = state["last"].copy()
