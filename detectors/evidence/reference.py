"""What honest groups show: the ranks from which nats and p-values come."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.shipped import SHIPPED

RESERVOIR = 2_000
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


class Reference:
    """Values of one statistic among honest groups.

    Starts with the quantiles shipped with the program; the operator's own groups join them and, once those alone fill
    the reservoir, have replaced them: in a few hundred votes the same clusters speak week after week. Inside the sample
    a value's rank counts; beyond the 90 % quantile an exponential tail through it and the 99 % quantile, since no
    sample reaches as far as the budget asks (DETECTION §4.2).

    >>> reference = Reference("none")
    >>> for value in np.random.default_rng(0).exponential(size=1000):
    ...     reference.add(value)
    >>> reference.minus_ln_p(np.array([0.7, 8.0])).round(1)
    array([0.6, 8.4])
    """

    def __init__(self, statistic: str) -> None:
        self._shipped = list(SHIPPED.get(statistic, ()))
        self._own: list[float] = []
        self._fit: _Fit | None = None

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
            room = min(RESERVOIR - len(self._own), len(self._shipped))
            shipped = np.array(self._shipped)[np.linspace(0, len(self._shipped) - 1, room).round().astype(np.int64)]
            sample = np.sort(np.concatenate([self._own, shipped]))
            known = sample if len(sample) else np.zeros(1)
            start, median, far = np.quantile(known, (TAIL, 0.5, 0.99)).tolist()
            scale = max((far - start) / float(np.log((1.0 - TAIL) / 0.01)), 0.02 * abs(far), 1e-3)
            self._fit = _Fit(sample, median, far, start, scale)
        return self._fit

    def shape(self) -> tuple[float, float]:
        """Return the median and the 99 % quantile; zeros where nothing is known."""
        fit = self._fitted()
        return fit.median, fit.far

    def minus_ln_p(self, values: NDArray) -> NDArray[np.float64]:
        """Return −ln p of each value, shape (len(values),); 0 while too little is known."""
        fit = self._fitted()
        if len(fit.sample) < ENOUGH:
            return np.zeros(len(values))
        at_least = len(fit.sample) - np.searchsorted(fit.sample, values, "left")
        body = -np.log((at_least + 1) / (len(fit.sample) + 1))
        beyond = TAIL_NATS + (values - fit.start) / fit.scale
        return np.where(values > fit.start, beyond, np.minimum(body, TAIL_NATS))

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
