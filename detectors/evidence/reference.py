"""What honest groups show: the ranks from which nats and p-values come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.shipped import QUANTILES, SHIPPED

SIZES = (20, 100)
"""Groups are compared with groups of their kind and size: up to 20 members, up to 100, more."""
KINDS = ("template", "infrastructure", "component")
RESERVOIR = 2_000
OWN_ENOUGH = 200
"""Own groups in a bucket from which on the shipped reference is no longer needed."""
TAIL = 0.9


def bucket(kind: NDArray, size: NDArray) -> NDArray[np.int64]:
    """Return the bucket number of groups by kind (position in `KINDS`) and member count."""
    return kind * (len(SIZES) + 1) + np.searchsorted(np.array(SIZES) + 1, size, "right")


class Reference:
    """Values of one statistic among honest groups, per bucket.

    Starts with the quantiles shipped with the program; the operator's own groups join them and, once there are
    enough, replace them. Inside the sample a value's rank counts; above the 90 % quantile an exponential tail through
    the 90 % and 99 % quantiles, since no sample reaches as far as the budget asks (DETECTION §4.2).
    """

    def __init__(self, statistic: str) -> None:
        self.statistic = statistic
        self._own: dict[int, list[float]] = {}
        self._sorted: dict[int, NDArray] = {}

    def add(self, bucket: int, value: float) -> None:
        """Let one honest group vote."""
        own = self._own.setdefault(bucket, [])
        own.append(value)
        del own[:-RESERVOIR]
        self._sorted.pop(bucket, None)

    def own(self, bucket: int) -> int:
        """Return how many groups of the operator's own have voted in a bucket."""
        return len(self._own.get(bucket, ()))

    def sample(self, bucket: int) -> NDArray[np.float64]:
        """Return the sorted values of a bucket."""
        if bucket not in self._sorted:
            own = self._own.get(bucket, [])
            shipped = SHIPPED.get(self.statistic, {}).get(bucket, ())
            repeats = max(0, OWN_ENOUGH - len(own)) // len(QUANTILES) + 1 if len(own) < OWN_ENOUGH else 0
            self._sorted[bucket] = np.sort(np.array([*own, *(list(shipped) * repeats)], np.float64))
        return self._sorted[bucket]

    def quantiles(self, bucket: int, q: tuple[float, ...]) -> list[float]:
        """Return quantiles of a bucket; zeros where nothing is known."""
        sample = self.sample(bucket)
        return np.quantile(sample, q).tolist() if len(sample) else [0.0] * len(q)

    def minus_ln_p(self, buckets: NDArray, values: NDArray) -> NDArray[np.float64]:
        """Return −ln p of each value in its bucket, shape (len(values),)."""
        result = np.zeros(len(values))
        for number in np.unique(buckets).tolist():
            mine = buckets == number
            result[mine] = self._one_bucket(number, values[mine])
        return result

    def _one_bucket(self, number: int, values: NDArray) -> NDArray[np.float64]:
        sample = self.sample(number)
        if not len(sample):
            return np.zeros(len(values))
        at_least = len(sample) - np.searchsorted(sample, values, "left")
        body = -np.log((at_least + 1) / (len(sample) + 1))
        start, far = np.quantile(sample, (TAIL, 0.99))
        scale = max(far - start, 0.05 * abs(far), 1e-3) / np.log(10.0)
        tail = -np.log(1.0 - TAIL) + (values - start) / scale
        return np.where(values > start, np.maximum(tail, 0.0), np.minimum(body, -np.log(1.0 - TAIL)))

    def state(self) -> dict[int, list[float]]:
        """Return what `load` takes."""
        return self._own

    def load(self, state: dict[int, list[float]]) -> None:
        """Put back what `state` returned."""
        self._own, self._sorted = {int(number): list(values) for number, values in state.items()}, {}
