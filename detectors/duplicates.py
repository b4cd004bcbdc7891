"""Which event ids were seen lately."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

PIECE_IDS = 64_000
"""Ids in one entry of a snapshot: 512 kB."""


class RecentIds:
    """Remembers at least the last `capacity` different 64-bit ids, at most twice as many.

    Two generations: ids join the recent one; when that is full it becomes the older one, and the ids of the
    generation before are forgotten. That happens after the same id however the ids are cut into batches.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._recent: set[int] = set()
        self._older: set[int] = set()
        self._generation = 0
        self._unsaved: dict[int, list[int]] = {0: []}
        self._saved_pieces: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def first_seen(self, ids: Sequence[int]) -> NDArray[np.bool_]:
        """Return which of `ids` were not seen before, and remember them all."""
        parts = []
        while len(ids):
            room = self.capacity - len(self._recent)
            parts.append(self._remember_all(ids[:room]))
            ids = ids[room:]
            if len(self._recent) >= self.capacity:
                self._turn()
        return np.concatenate(parts) if parts else np.zeros(0, bool)

    def _remember_all(self, ids: Sequence[int]) -> NDArray[np.bool_]:
        new = set(ids)
        if len(new) == len(ids) and self._recent.isdisjoint(new) and self._older.isdisjoint(new):
            self._recent |= new
            self._unsaved[self._generation] += ids
            return np.ones(len(ids), bool)
        return np.array([self._remember(number) for number in ids], bool)

    def _remember(self, number: int) -> bool:
        if number in self._recent or number in self._older:
            return False
        self._recent.add(number)
        self._unsaved[self._generation].append(number)
        return True

    def _turn(self) -> None:
        self._older, self._recent = self._recent, set()
        self._generation += 1
        self._unsaved[self._generation] = []

    def snapshot(self) -> dict[str, bytes]:
        """Return what changed since the last call: new pieces, and empty ones in place of forgotten generations."""
        entries = {}
        for generation, ids in self._unsaved.items():
            if ids and generation >= self._generation - 1:
                for start in range(0, len(ids), PIECE_IDS):
                    piece = self._saved_pieces.get(generation, 0)
                    part = np.array(ids[start : start + PIECE_IDS], np.uint64)
                    entries[f"ids/{generation}/{piece}"] = part.tobytes()
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
            ids.update(np.frombuffer(saved, np.uint64).tolist())
        self._unsaved = {self._generation: []}
        if len(self._recent) >= self.capacity:
            self._turn()
