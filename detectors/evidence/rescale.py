"""Keeps re-weighed totals on the scale of the plain ones, so that the false-alarm budget stays what it was.

The reference of the total, the shipped one and the operator's own, holds plain totals: those with every multiplier
at 1. Verdicts must not move a threshold that comes from it. So the reference goes on taking in plain totals, and the
re-weighed ones are mapped onto their scale: the nats of the latest honest groups are kept, both totals are formed of
each, within the bounds of `expected.AXES`, and a line takes the re-weighed tail to the plain one: start (90 %
quantile) to start, and mean excess beyond it, which is the maximum-likelihood scale of an exponential tail, to mean
excess. As both tails are of the same groups, what is peculiar to the sample is in both and cancels; `Totals` then ranks
what the line gives by kind and size. Honest groups are those with a small plain total; that bounds the plain tail more
than the re-weighed one, which errs on the side of fewer alarms. On the average the rate of false alarms stays; after
one set of 500 groups, one in a thousand may be up to three (the tests measure it).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.reference import TAIL

KEPT = 500
ENOUGH = 100
"""Honest groups without which nothing is re-weighed: ten of them lie in the tail."""
LEAST, MOST = 0.5, 1.5


class HonestNats:
    """The raw nats of the latest honest groups."""

    def __init__(self) -> None:
        self._rows: list[list[float]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, raw: NDArray) -> None:
        """Take in the raw nats (F,) of one group."""
        self._rows.append(raw.tolist())
        del self._rows[:-KEPT]

    @property
    def raw(self) -> NDArray[np.float64]:
        """What is kept, shape (F, n)."""
        return np.array(self._rows, np.float64).T

    def state(self) -> list[list[float]]:
        """Return what `load` takes."""
        return self._rows

    def load(self, state: list[list[float]]) -> None:
        """Put back what `state` returned."""
        self._rows = [list(row) for row in state]


def line(plain: NDArray, reweighed: NDArray) -> tuple[float, float]:
    """Return (a, b) such that a · (re-weighed total) + b has the tail of the plain total.

    Args:
        plain, reweighed: both totals of the same honest groups, shape (n,).
    """
    start, scale = _tail(plain)
    other_start, other_scale = _tail(reweighed)
    factor = float(np.clip(scale / max(other_scale, 1e-9), LEAST, MOST))
    return factor, start - factor * other_start


def _tail(totals: NDArray) -> tuple[float, float]:
    """Return where the tail of totals (n,) starts, and its mean excess."""
    start = float(np.quantile(totals, TAIL))
    beyond = totals[totals > start]
    return start, float((beyond - start).mean()) if len(beyond) else 0.0
