"""How many different values there were, in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KEPT = 1 << 16
SPACE = float(1 << 64)


class Distinct:
    """Counts different values by their hashes: exactly up to `kept`, then with a standard error of 1 / sqrt(kept).

    The smallest `kept` 64-bit hashes are remembered. When the largest of them is a share p of all there could be,
    there were about (kept - 1) / p different values (the KMV estimate; Beyer et al., SIGMOD 2007, section 3).

    Args:
        kept: how many hashes to remember; for a moment there can be twice as many.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._most = kept
        self._hashes: set[int] = set()
        self._below = 1 << 64

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Take in the hashes of values, repeated or not."""
        self._hashes.update(hashed for hashed in np.unique(hashes).tolist() if hashed < self._below)
        if len(self._hashes) > 2 * self._most:
            self._shrink()

    @property
    def count(self) -> int:
        """How many different values there were, to three figures when estimated."""
        if len(self._hashes) > self._most:
            self._shrink()
        if self._below == 1 << 64:
            return len(self._hashes)
        estimate = int((self._most - 1) * SPACE / self._below)
        return round(estimate, 3 - len(str(estimate)))

    def _shrink(self) -> None:
        """Forget all but the smallest hashes, and everything above them for good."""
        self._hashes = set(sorted(self._hashes)[: self._most])
        self._below = max(self._hashes) + 1
