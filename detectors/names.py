"""Account ids in the order of their characters, for hundreds of thousands at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

WORD = 8


@compiled("uint64[::1](uint8[::1], int64[::1])")
def _words(text: NDArray, start: NDArray) -> NDArray:
    """Return of each string (`start` says where in `text`) the eight bytes behind what all begin with, as a number."""
    common = start[1] - start[0]
    for one in range(1, len(start) - 1):
        common = min(common, start[one + 1] - start[one])
        same = 0
        while same < common and text[start[one] + same] == text[same]:
            same += 1
        common = same
    words = np.zeros(len(start) - 1, np.uint64)
    for one in range(len(words)):
        first = start[one] + common
        for place in range(WORD):
            byte = text[first + place] if first + place < start[one + 1] else np.uint8(0)
            words[one] = words[one] << np.uint64(8) | np.uint64(byte)
    return words


def id_order(ids: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of different strings in their order, as `sorted` gives it, and the bytes of each string.

    Eight bytes mostly tell; those that they leave equal are sorted as strings. Both are of shape (len(ids),).
    """
    encoded = list(map(str.encode, ids))
    if not encoded:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    start = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=start[1:])
    words = _words(np.frombuffer(bytearray(b"".join(encoded)), np.uint8), start)
    order = np.argsort(words, kind="stable")
    ordered = words[order]
    same = np.concatenate([[False], ordered[1:] == ordered[:-1], [False]])
    edges = np.flatnonzero(same[1:] != same[:-1])
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        tied = order[first : last + 1].tolist()
        order[first : last + 1] = sorted(tied, key=encoded.__getitem__)
    return order, np.diff(start)
