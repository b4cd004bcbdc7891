"""Sudden bursts of a key: MIDAS and MIDAS-R (Bhatia et al., AAAI 2020 and arXiv 2009.08452) over numpy arrays.

A key is anything that may suddenly be used a lot: an edge (account, value), a value, a value seen on a new account.
Its recent count is compared with its mean over all ticks by a chi-square, from count-min sketches of fixed size. A
batch gives what one event at a time would give, whatever its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.errors import StateError, StateVersionError

FloatArray = NDArray[np.float64]
KeyArray = NDArray[np.uint64]

STATE_VERSION = 1


class Bursts:
    """Burst score of each event's keys: (a − m·g)² / (m·h) · t / (t − 1) where a exceeds m·g, else 0.

    a is the key's count in the current tick plus the faded counts of earlier ticks, m = s/t its mean per tick from its
    count s over the t ticks since the start, g = 1 + f + f² + … and h = 1 + f² + f⁴ + … over t ticks with `fading` f.
    MIDAS scores one kind of key (the edge) with f = 0, where this is the paper's ((a − s/t)·t)² / (s·(t − 1)); MIDAS-R
    takes the largest score of three kinds (edge, source, destination) with f = ½. Unlike in the paper, the mean is
    faded like the count, so that a steady key scores low however busy it is; a tick without an event fades too; and a
    count *below* its mean scores 0: falling silent is no burst.

    Args:
        kinds: kinds of key, K; each has sketches of its own.
        fading: what remains of a count a tick later, 0 to 1.
        depth: rows of each sketch.
        width: counters per row, a power of two.
        seed: of the hashes.

    Raises:
        ValueError: a size below 1, a width that is no power of two, or `fading` outside [0, 1].
    """

    def __init__(self, kinds: int = 1, fading: float = 0.5, depth: int = 2, width: int = 16_384, seed: int = 0) -> None:
        if min(kinds, depth, width) < 1 or width & (width - 1) or not 0 <= fading <= 1:
            raise ValueError("kinds and depth must be at least 1, width a power of two, fading in [0, 1]")
        self.kinds, self.fading, self.depth, self.width = kinds, fading, depth, width
        self._multiplier = np.random.default_rng(seed).integers(1, 2**63, (kinds, depth, 2), np.uint64) | np.uint64(1)
        self._current = np.zeros((kinds, depth, width))
        self._total = np.zeros((kinds, depth, width))
        self._ticks = np.array([-1, -1], np.int64)

    def update(self, tick: int, keys: KeyArray) -> FloatArray:
        """Count a batch of events of one tick; return the scores as of each event, shape (B, K).

        Args:
            tick: number of the tick, not below that of the batch before.
            keys: 64-bit keys of each event, shape (B, K).

        Raises:
            ValueError: the tick lies before the last one, or `keys` has another number of kinds.
        """
        self._begin(tick)
        cells = self._cells(keys)
        current, total = np.empty(cells.shape), np.empty(cells.shape)
        for kind, depth in np.ndindex(self.kinds, self.depth):
            cell = cells[:, kind, depth]
            so_far = _occurrence(cell) + 1
            current[:, kind, depth] = self._current[kind, depth, cell] + so_far
            total[:, kind, depth] = self._total[kind, depth, cell] + so_far
            seen = np.bincount(cell, minlength=self.width)
            self._current[kind, depth] += seen
            self._total[kind, depth] += seen
        return self._score(current, total)

    def score_many(self, keys: KeyArray) -> FloatArray:
        """Return the scores of `keys`, shape (B, K), as things stand now, without counting them.

        At the end of a tick this gives every event of a burst the score of the whole burst.
        """
        cells = self._cells(keys)
        kind, depth = np.arange(self.kinds)[:, None], np.arange(self.depth)
        return self._score(self._current[kind, depth, cells], self._total[kind, depth, cells])

    def _begin(self, tick: int) -> None:
        first, latest = self._ticks.tolist()
        if tick < latest:
            raise ValueError(f"tick {tick} comes after tick {latest}")
        if first < 0:
            self._ticks[:] = tick
        elif tick > latest:
            self._current *= self.fading ** (tick - latest)
            self._ticks[1] = tick

    def _score(self, current: FloatArray, total: FloatArray) -> FloatArray:
        """Return the score from counts of shape (B, K, depth); the least of the rows is the count."""
        a, s = current.min(2), total.min(2)
        t = float(self._ticks[1] - self._ticks[0] + 1)
        if t <= 1:
            return np.zeros(a.shape)
        mean, faded, spread = s / t, _series(self.fading, t), _series(self.fading**2, t)
        excess = np.maximum(a - mean * faded, 0.0)
        return np.divide(excess**2 * t, mean * spread * (t - 1.0), out=np.zeros(a.shape), where=s > 0)

    def _cells(self, keys: KeyArray) -> NDArray[np.int64]:
        """Return the counter of every key in every sketch row, shape (B, K, depth)."""
        keys = np.asarray(keys, np.uint64)
        if keys.ndim != 2 or keys.shape[1] != self.kinds:
            raise ValueError(f"expected {self.kinds} keys an event, got an array of shape {keys.shape}")
        mixed = keys[:, :, None] * self._multiplier[:, :, 0]
        mixed = (mixed ^ (mixed >> np.uint64(32))) * self._multiplier[:, :, 1]
        return (mixed >> np.uint64(40)).astype(np.int64) & (self.width - 1)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything counted, as arrays that `load_state` takes back."""
        return {
            "version": np.array(STATE_VERSION),
            "fading": np.array(self.fading),
            "multiplier": self._multiplier.copy(),
            "current": self._current.copy(),
            "total": self._total.copy(),
            "ticks": self._ticks.copy(),
        }

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from `state`.

        Raises:
            StateVersionError: the state was written by another version.
            StateError: the state belongs to sketches of other sizes or another fading.
        """
        if int(state["version"]) != STATE_VERSION:
            raise StateVersionError(f"bursts: state version {int(state['version'])}, not {STATE_VERSION}")
        if state["current"].shape != self._current.shape or float(state["fading"]) != self.fading:
            raise StateError("bursts: the state has other kinds, depth, width or fading")
        self._multiplier = state["multiplier"].copy()
        self._current, self._total = state["current"].copy(), state["total"].copy()
        self._ticks = state["ticks"].copy()


def edge_key(source: NDArray, destination: NDArray) -> KeyArray:
    """Return a 64-bit key for each (source, destination), shape (B,); order matters.

    Args:
        source, destination: whole numbers or 64-bit hashes, shape (B,).
    """
    left = np.asarray(source).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    right = np.asarray(destination).astype(np.uint64) + np.uint64(0xD1B54A32D192ED03)
    mixed = (left ^ (left >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) + right
    return (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0x94D049BB133111EB)


def _series(factor: float, terms: float) -> float:
    """Return 1 + factor + factor² + … of so many terms."""
    return float(terms if factor == 1 else (1 - factor**terms) / (1 - factor))


def _occurrence(keys: NDArray) -> NDArray[np.int64]:
    """Return how often each key came before in `keys`.

    >>> _occurrence(np.array([7, 8, 7, 7]))
    array([0, 0, 1, 2])
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    start = np.flatnonzero(np.concatenate([[len(keys) > 0], ordered[1:] != ordered[:-1]]))
    place = np.arange(len(keys)) - np.repeat(start, np.diff(np.append(start, len(keys))))
    result = np.empty(len(keys), np.int64)
    result[order] = place
    return result
