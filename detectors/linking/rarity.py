"""How much a shared value tells: little when many have it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rarity(accounts: NDArray, population: int) -> NDArray[np.float64]:
    """Return ln(N/d) / ln(N/2): 1 for a value of two accounts, 0 for a value of all.

    Args:
        accounts: d, how many accounts have the value.
        population: N, how many accounts there are.
    """
    return np.maximum(np.log(population / np.maximum(accounts, 2)) / np.log(max(population, 4) / 2), 0.0)
