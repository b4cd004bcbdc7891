"""SimHashes within a small Hamming distance, found by bands for a batch at once (Manku et al., WWW 2007)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BANDS = tuple(np.uint64(shift) for shift in (0, 16, 32, 48))
_LOW = np.uint64(0xFFFF)
TAIL = 4_096
"""So many of the latest SimHashes are sorted anew with every batch, the others only when the tail is full."""
PAIRS = 1_000_000
"""Pairs compared at once."""
CROWD = 256
"""Of SimHashes that agree in one band only so many, the earliest, are compared: prompts made to agree, as those of a
hostile author may be, cost no more than others. 200,000 SimHashes of unrelated texts agree by threes."""


class Neighbours:
    """SimHashes by their place of arrival.

    Args:
        distance: two SimHashes are neighbours up to this Hamming distance, if one of their four 16-bit bands agrees;
            up to a distance of 3 one always does.
    """

    def __init__(self, distance: int) -> None:
        self._distance = distance
        self._known = np.zeros(0, np.uint64)
        self._sorted: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []
        self._settled = 0

    def __len__(self) -> int:
        return len(self._known)

    def __getitem__(self, place: int) -> int:
        return int(self._known[place])

    def add(self, simhashes: NDArray[np.uint64]) -> None:
        """Append SimHashes."""
        self._known = np.concatenate([self._known, simhashes])
        if len(self._known) - self._settled > TAIL:
            self._settled = len(self._known)
            self._sorted = _by_band(self._known)

    def of(self, simhashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return pairs (number in `simhashes`, place of a neighbour), the numbers ascending, then the places.

        A neighbour may be known or come earlier in `simhashes`, where its place is `len(self)` plus its number.
        """
        latest = np.concatenate([self._known[self._settled :], simhashes])
        room = np.full((len(BANDS), len(simhashes)), CROWD)
        settled = self._pairs(simhashes, self._sorted, self._known, 0, room)
        fresh = self._pairs(simhashes, _by_band(latest), latest, self._settled, room)
        number, place = (np.concatenate(parts) for parts in zip(settled, fresh, strict=True))
        before = place < len(self._known) + number
        pairs = np.unique(np.stack([number[before], place[before]], axis=1), axis=0)
        return pairs[:, 0], pairs[:, 1]

    def _pairs(
        self,
        simhashes: NDArray[np.uint64],
        by_band: list[tuple[NDArray[np.uint64], NDArray[np.int64]]],
        among: NDArray[np.uint64],
        first: int,
        room: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Compare as many as there is `room` for, per band and SimHash, the earliest first, and take them off it."""
        numbers, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for shift, (values, order), left in zip(BANDS, by_band, room, strict=False):
            wanted = (simhashes >> shift) & _LOW
            low, high = np.searchsorted(values, wanted, "left"), np.searchsorted(values, wanted, "right")
            agreeing = np.minimum(high - low, left)
            left -= agreeing
            for start, end in _cuts(np.cumsum(agreeing)):
                count = agreeing[start:end]
                number = np.repeat(np.arange(start, end), count)
                inside = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count)
                place = order[low[number] + inside]
                near = np.bitwise_count(simhashes[number] ^ among[place]) <= self._distance
                numbers.append(number[near])
                places.append(place[near] + first)
        return np.concatenate(numbers), np.concatenate(places)


def _cuts(total: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut rows with these running totals into stretches of about `PAIRS`."""
    if not len(total):
        return []
    bounds = np.unique(np.searchsorted(total, np.arange(0, total[-1], PAIRS), "right"))
    edges = [0, *bounds[bounds > 0].tolist(), len(total)]
    return [(start, end) for start, end in pairwise(edges) if end > start]


def _by_band(simhashes: NDArray[np.uint64]) -> list[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """Return, per band, its values in ascending order, and where each stood."""
    result = []
    for shift in BANDS:
        values = (simhashes >> shift) & _LOW
        order = np.argsort(values, kind="stable")
        result.append((values[order], order))
    return result
