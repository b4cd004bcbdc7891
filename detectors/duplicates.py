"""Which event ids were seen lately."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.windows.keyset import KeySet

PIECE_IDS = 64_000
"""Ids in one entry of a snapshot: 512 kB."""


class RecentIds:
    """Remembers at least the last `capacity` different 64-bit ids, at most twice as many: 14 to 28 bytes an id.

    Two generations: ids join the recent one; when that is full it becomes the older one, and the ids of the
    generation before are forgotten. That happens after the same id however the ids are cut into batches.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._recent, self._older = KeySet(), KeySet()
        self._generation = 0
        self._unsaved: dict[int, list[NDArray[np.uint64]]] = {0: []}
        self._saved_pieces: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._recent.nbytes + self._older.nbytes

    def first_seen(self, ids: Sequence[int] | NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which of `ids` were not seen before, and remember them all."""
        left = np.asarray(ids, np.uint64)
        parts = []
        while len(left):
            room = self.capacity - len(self._recent)
            parts.append(self._remember(left[:room]))
            left = left[room:]
            if len(self._recent) >= self.capacity:
                self._turn()
        return np.concatenate(parts) if parts else np.zeros(0, bool)

    def _remember(self, ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        ordered = np.sort(ids)
        new = np.ones(len(ids), bool)
        if (ordered[1:] == ordered[:-1]).any():
            new[:] = False
            new[np.unique(ids, return_index=True)[1]] = True
        for known in (self._recent, self._older):
            new &= ~known.has(ids)
        fresh = ids[new]
        self._recent.add(fresh)
        self._unsaved[self._generation].append(fresh)
        return new

    def _turn(self) -> None:
        self._older, self._recent = self._recent, KeySet(self.capacity)
        self._generation += 1
        self._unsaved[self._generation] = []

    def snapshot(self) -> dict[str, bytes]:
        """Return what changed since the last call: new pieces, and empty ones in place of forgotten generations."""
        entries = {}
        for generation, parts in self._unsaved.items():
            if parts and generation >= self._generation - 1:
                ids = np.concatenate(parts)
                for start in range(0, len(ids), PIECE_IDS):
                    piece = self._saved_pieces.get(generation, 0)
                    entries[f"ids/{generation}/{piece}"] = ids[start : start + PIECE_IDS].tobytes()
                    self._saved_pieces[generation] = piece + 1
        for generation in [old for old in self._saved_pieces if old < self._generation - 1]:
            entries |= {f"ids/{generation}/{piece}": b"" for piece in range(self._saved_pieces.pop(generation))}
        self._unsaved = {self._generation: []}
        return entries

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Put back what `snapshot` returned."""
        pieces = [(int(key.split("/")[1]), saved) for key, saved in items if key.startswith("ids/") and saved]
        self._generation = max((generation for generation, _ in pieces), default=0)
        for generation, saved in pieces:
            self._saved_pieces[generation] = self._saved_pieces.get(generation, 0) + 1
            ids = self._recent if generation == self._generation else self._older
            ids.add(np.frombuffer(saved, np.uint64))
        self._unsaved = {self._generation: []}
        if len(self._recent) >= self.capacity:
            self._turn()
