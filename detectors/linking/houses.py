"""Which values go beyond one organisation: what the keys of one customer share says nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def houses(organization: NDArray, account: NDArray) -> NDArray[np.uint64]:
    """Return the organisation of each row; one that is not known (0) is the account's own."""
    return np.where(organization > 0, organization, account.astype(np.uint64))


def crosses(value: NDArray, house: NDArray) -> NDArray[np.bool_]:
    """Tell which rows hold a value that another house holds too.

    >>> crosses(np.array([7, 7, 8, 8]), np.array([1, 2, 3, 3], np.uint64)).tolist()
    [True, True, False, False]
    """
    unique, inverse = np.unique(value, return_inverse=True)
    low = np.full(len(unique), np.iinfo(np.uint64).max)
    high = np.zeros(len(unique), np.uint64)
    np.minimum.at(low, inverse, house)
    np.maximum.at(high, inverse, house)
    return np.asarray((low < high)[inverse], bool)
