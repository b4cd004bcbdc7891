"""How well scores rank the positives above the rest; ties count half."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def roc_auc(scores: NDArray, positive: NDArray) -> float:
    """Return the chance that a positive outscores a negative, a tie counting half (Mann–Whitney).

    >>> roc_auc(np.array([1, 2, 2, 3]), np.array([0, 0, 1, 1]))
    0.875
    """
    positive = np.asarray(positive, bool)
    count, rest = int(positive.sum()), int((~positive).sum())
    return float((rankdata(scores)[positive].sum() - count * (count + 1) / 2) / (count * rest))


def average_precision(scores: NDArray, positive: NDArray) -> float:
    """Return the area under precision over recall in steps, tied scores taken together.

    >>> average_precision(np.array([4, 3, 2, 1]), np.array([1, 0, 1, 0])).__round__(4)
    0.8333
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    ordered, hits = np.asarray(scores)[order], np.cumsum(np.asarray(positive, bool)[order])
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    gained = np.diff(np.concatenate([[0], hits[last]]))
    return float((gained * hits[last] / (last + 1)).sum() / hits[-1])
