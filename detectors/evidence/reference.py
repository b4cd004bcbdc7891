"""What honest groups show: the ranks from which nats and p-values come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.shipped import SHIPPED
from detectors.linking.members import IDENTIFIED

RESERVOIR = 2_000
OWN_ENOUGH = 400
"""Own groups from which on they are a reference of their own."""
ENOUGH = 50
"""Fewer values than this are no reference: many families are seldom measured."""
TAIL = 0.9
TAIL_NATS = -float(np.log(1.0 - TAIL))


class _Fit(NamedTuple):
    sample: NDArray
    median: float
    far: float
    start: float
    scale: float

    def minus_ln_p(self, values: NDArray) -> NDArray[np.float64]:
        if len(self.sample) < ENOUGH:
            return np.zeros(len(values))
        at_least = len(self.sample) - np.searchsorted(self.sample, values, "left")
        body = -np.log((at_least + 1) / (len(self.sample) + 1))
        beyond = TAIL_NATS + (values - self.start) / self.scale
        return np.where(values > self.start, beyond, np.minimum(body, TAIL_NATS))


def _fit(values: Sequence[float]) -> _Fit:
    sample = np.sort(np.array(values, np.float64))
    known = sample if len(sample) else np.zeros(1)
    start, median, far = np.quantile(known, (TAIL, 0.5, 0.99)).tolist()
    scale = max((far - start) / float(np.log((1.0 - TAIL) / 0.01)), 0.02 * abs(far), 1e-3)
    return _Fit(sample, median, far, start, scale)


class Reference:
    """Values of one statistic among honest groups.

    Starts with the quantiles shipped with the program for providers that know as much of who a customer is (where
    nobody logs organisations, a customer's keys are a crowd on few cards), which the operator's own groups join. Once
    those are enough, a value must be rare among both: in a few hundred votes the same clusters speak week after week.
    Those that fill the reservoir stand alone. Inside a sample a value's rank counts; beyond the 90 % quantile an
    exponential tail through it and the 99 % quantile, since no sample reaches as far as the budget asks (DETECTION
    §4.2).

    >>> reference = Reference("none")
    >>> for value in np.random.default_rng(0).exponential(size=1000):
    ...     reference.add(value)
    >>> reference.minus_ln_p(np.array([0.7, 8.0])).round(1)
    array([0.6, 8.4])
    """

    def __init__(self, statistic: str) -> None:
        self._statistic, self._identified = statistic, IDENTIFIED
        self._own: list[float] = []
        self._fit: _Fit | None = None
        self._fit_shipped: _Fit | None = None

    @property
    def _shipped(self) -> Sequence[float]:
        return SHIPPED[self._identified].get(self._statistic, ())

    def suit(self, identified: int) -> None:
        """Choose what is shipped for providers that know so much of who a customer is; see `Population.identified`."""
        if identified != self._identified:
            self._identified, self._fit, self._fit_shipped = identified, None, None

    @property
    def own(self) -> int:
        """How many groups of the operator's own have voted."""
        return len(self._own)

    @property
    def provisional(self) -> bool:
        """Whether the shipped values still count."""
        return bool(self._shipped) and len(self._own) < RESERVOIR

    def add(self, value: float) -> None:
        """Let one honest group vote; NaN is no vote."""
        if np.isnan(value):
            return
        self._own.append(float(value))
        del self._own[:-RESERVOIR]
        self._fit = None

    def _fitted(self) -> _Fit:
        if self._fit is None:
            self._fit = _fit([*self._own, *(self._shipped if len(self._own) < OWN_ENOUGH else ())])
        return self._fit

    def _fitted_shipped(self) -> _Fit:
        if self._fit_shipped is None:
            self._fit_shipped = _fit(self._shipped)
        return self._fit_shipped

    def shape(self) -> tuple[float, float]:
        """Return the median and the 99 % quantile; zeros where nothing is known."""
        fit = self._fitted()
        return fit.median, fit.far

    def minus_ln_p(self, values: NDArray) -> NDArray[np.float64]:
        """Return −ln p of each value, shape (len(values),); 0 while too little is known."""
        result = self._fitted().minus_ln_p(values)
        if self.provisional and len(self._own) >= OWN_ENOUGH:
            result = np.minimum(result, self._fitted_shipped().minus_ln_p(values))
        return result

    def value_at(self, minus_ln_p: float) -> float:
        """Return the value whose −ln p is `minus_ln_p`, which must lie in the tail."""
        fit = self._fitted()
        return fit.start + fit.scale * (minus_ln_p - TAIL_NATS)

    def state(self) -> list[float]:
        """Return what `load` takes."""
        return self._own

    def load(self, state: list[float]) -> None:
        """Put back what `state` returned."""
        self._own, self._fit = list(state), None
