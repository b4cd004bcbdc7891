"""What honest groups show: the ranks from which nats and p-values come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.shipped import SHIPPED

RESERVOIR = 2_000
OWN_ENOUGH = 400
"""Own groups from which on the shipped reference is no longer needed."""
TAIL = 0.9


class Reference:
    """Values of one statistic among honest groups.

    Starts with the quantiles shipped with the program; the operator's own groups join them and, once there are
    enough, replace them. Inside the sample a value's rank counts; above the 90 % quantile an exponential tail through
    the 90 % and 99 % quantiles, since no sample reaches as far as the budget asks (DETECTION §4.2).

    >>> reference = Reference("none")
    >>> for value in range(1000):
    ...     reference.add(value)
    >>> reference.minus_ln_p(np.array([500.0, 990.0])).round(1)
    array([0.7, 4.6])
    """

    def __init__(self, statistic: str) -> None:
        self._shipped = list(SHIPPED.get(statistic, ()))
        self._own: list[float] = []
        self._sorted: NDArray | None = None
        self._shape: tuple[float, float, float] | None = None

    @property
    def own(self) -> int:
        """How many groups of the operator's own have voted."""
        return len(self._own)

    @property
    def provisional(self) -> bool:
        """Whether the shipped values still count."""
        return len(self._own) < OWN_ENOUGH

    def add(self, value: float) -> None:
        """Let one honest group vote; NaN is no vote."""
        if np.isnan(value):
            return
        self._own.append(float(value))
        del self._own[:-RESERVOIR]
        self._sorted = self._shape = None

    def _sample(self) -> NDArray[np.float64]:
        if self._sorted is None:
            self._sorted = np.sort(np.array([*self._own, *(self._shipped if self.provisional else ())], np.float64))
        return self._sorted

    def shape(self) -> tuple[float, float, float]:
        """Return the median, the 90 % and the 99 % quantile; zeros where nothing is known."""
        if self._shape is None:
            sample = self._sample()
            quantiles = np.quantile(sample, (0.5, TAIL, 0.99)).tolist() if len(sample) else [0.0, 0.0, 0.0]
            self._shape = (quantiles[0], quantiles[1], quantiles[2])
        return self._shape

    def minus_ln_p(self, values: NDArray) -> NDArray[np.float64]:
        """Return −ln p of each value, shape (len(values),); 0 while nothing is known."""
        sample = self._sample()
        if not len(sample):
            return np.zeros(len(values))
        at_least = len(sample) - np.searchsorted(sample, values, "left")
        body = -np.log((at_least + 1) / (len(sample) + 1))
        _, start, far = self.shape()
        scale = max(far - start, 0.05 * abs(far), 1e-3) / np.log(10.0)
        tail = -np.log(1.0 - TAIL) + (values - start) / scale
        return np.where(values > start, tail, np.minimum(body, -np.log(1.0 - TAIL)))

    def state(self) -> list[float]:
        """Return what `load` takes."""
        return self._own

    def load(self, state: list[float]) -> None:
        """Put back what `state` returned."""
        self._own, self._sorted, self._shape = list(state), None, None
