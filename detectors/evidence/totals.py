"""How high the totals of honest groups reach, by what the group formed around and how large it is.

A crowd around one address has another honest range than accounts that share two kinds of rare value, and chance
evens out in large groups: a total that a class of thirty reaches now and then is unheard of among five hundred
accounts. So a total is ranked among honest groups of its own kind and size (DETECTION §4.3, D3). Only groups whose
judgement is telling, and that accuse somebody, can be reported, so only those have a total here; the others count as
groups that never will.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.reference import OWN_ENOUGH, RESERVOIR
from detectors.evidence.shipped import SHIPPED_TOTALS
from detectors.linking.members import KINDS

UNTOLD = -99.0
"""Stands for the total of a group that could never be reported."""
SIZES = (60.0, 200.0)
"""Groups of fewer accounts than the first, than the second, and the others are ranked apart."""
GROUPS = len(SIZES) + 1
ENOUGH = 30
"""A kind and size with fewer reportable groups borrows those of the whole kind, or of all kinds."""
TAIL = 0.75
TAIL_NATS = -float(np.log(1.0 - TAIL))
RULE_OF_THREE = 3.0
"""Reportable groups added to those seen: none among n leaves a rate of up to 3/n (95 %)."""
BORROWED = 15.0
"""Excesses of all kinds that a tail's own are averaged with."""
Shipped = Mapping[int, Mapping[int, tuple[int, Sequence[float]]]]


class _Tail(NamedTuple):
    sample: NDArray
    untold: float
    start: float
    scale: float


class Totals:
    """Totals of honest groups, one reservoir per kind and size.

    Inside a reservoir a total's rank counts; beyond the upper quartile an exponential tail with the mean excess, as
    in the peaks-over-threshold method (Pickands, Ann. Statist. 1975), averaged with that of all kinds. Starts with
    what is shipped; the operator's own groups join it and, once there are enough of a kind, replace it. How high the
    few that could be reported reach is learned from what is shipped until the operator has enough of those too.

    Args:
        shipped: by `Population.identified` and `bucket`, how many groups could never be reported, and the totals of the
            others.
    """

    def __init__(self, shipped: Shipped = SHIPPED_TOTALS) -> None:
        self._shipped, self._identified = shipped, 2
        self._own: dict[int, list[float]] = {}
        self._tails: dict[int, _Tail] = {}

    @property
    def own(self) -> int:
        """How many groups of the operator's own have voted."""
        return sum(map(len, self._own.values()))

    def provisional(self, kind: int) -> bool:
        """Tell whether the shipped totals of a kind of group still count."""
        return sum(len(self._own.get(number, ())) for number in _buckets(kind)) < OWN_ENOUGH

    def suit(self, identified: int) -> None:
        """Choose what is shipped for providers that know so much of who a customer is; see `Population.identified`."""
        if identified != self._identified:
            self._identified = identified
            self._tails.clear()

    def add(self, total: float, kind: int, size: float) -> None:
        """Let one honest group vote; `UNTOLD` for one that could never be reported."""
        votes = self._own.setdefault(bucket(kind, size), [])
        votes.append(float(total))
        del votes[:-RESERVOIR]
        self._tails.clear()

    def minus_ln_p(self, totals: NDArray, kinds: NDArray, sizes: NDArray) -> NDArray[np.float64]:
        """Return −ln p of each total among honest groups of its kind and size, shape (G,); 0 of `UNTOLD`."""
        result = np.zeros(len(totals))
        buckets = np.array([bucket(int(kind), size) for kind, size in zip(kinds, sizes, strict=True)], np.int64)
        for number in np.unique(buckets).tolist():
            mine, tail = buckets == number, self._tail(number)
            at_least = len(tail.sample) - np.searchsorted(tail.sample, totals[mine], "left")
            body = -np.log((at_least + 1) / (len(tail.sample) + 1))
            beyond = TAIL_NATS + (totals[mine] - tail.start) / tail.scale
            told = np.where(totals[mine] > tail.start, beyond, np.minimum(body, TAIL_NATS))
            result[mine] = np.where(totals[mine] > UNTOLD, tail.untold + told, 0.0)
        return result

    def value_at(self, minus_ln_p: float, kind: int, size: float) -> float:
        """Return the least total whose −ln p is `minus_ln_p`."""
        tail = self._tail(bucket(kind, size))
        told = minus_ln_p - tail.untold
        if told < TAIL_NATS and len(tail.sample):
            return float(np.quantile(tail.sample, max(1.0 - np.exp(-told), 0.0)))
        return tail.start + tail.scale * (told - TAIL_NATS)

    def _tail(self, number: int) -> _Tail:
        if number not in self._tails:
            own, votes = self._sample([number])
            kind, kind_votes = self._sample(_buckets(number // GROUPS))
            whole, whole_votes = self._sample(range(len(KINDS) * GROUPS))
            pools = ((own, votes), (kind, kind_votes), (whole, whole_votes))
            told, seen = next((pool for pool in pools if pool[1] >= ENOUGH), pools[-1])
            untold = max(float(np.log((seen + 1) / (len(told) + RULE_OF_THREE))), 0.0)
            whole = whole if len(whole) >= ENOUGH else self._every_told()
            sample = next((part for part in (own, kind) if len(part) >= ENOUGH), whole)
            start, excess = _excess(sample)
            _, others = _excess(whole)
            borrowed = BORROWED * float(others.mean() if len(others) else 1.0)
            scale = max((float(excess.sum()) + borrowed) / (len(excess) + BORROWED), 1e-3)
            self._tails[number] = _Tail(sample, untold, start, scale)
        return self._tails[number]

    def _sample(self, buckets: Iterable[int]) -> tuple[NDArray[np.float64], int]:
        """Return the totals of groups that could be reported, sorted, and how many groups voted."""
        known, told, seen = self._shipped[self._identified], list[float](), 0
        for number in buckets:
            votes = self._own.get(number, [])
            told += [vote for vote in votes if vote > UNTOLD]
            seen += len(votes)
            if number in known and self.provisional(number // GROUPS):
                untold, totals = known[number]
                told += totals
                seen += untold + len(totals)
        return np.sort(np.array(told, np.float64)), seen

    def _every_told(self) -> NDArray[np.float64]:
        """Return all totals of groups that could be reported, sorted, shipped ones of kinds that were replaced too."""
        own = [vote for votes in self._own.values() for vote in votes if vote > UNTOLD]
        return np.sort(np.array([*own, *(t for _, totals in self._shipped[self._identified].values() for t in totals)]))

    def state(self) -> dict[int, list[float]]:
        """Return what `load` takes."""
        return self._own

    def load(self, state: dict[int, list[float]]) -> None:
        """Put back what `state` returned."""
        self._own, self._tails = {int(number): list(votes) for number, votes in state.items()}, {}


def bucket(kind: int, size: float) -> int:
    """Return the number of the reservoir for groups of `size` accounts that formed around `kind`."""
    return kind * GROUPS + sum(size >= limit for limit in SIZES)


def _buckets(kind: int) -> range:
    """Return the numbers of a kind's reservoirs."""
    return range(kind * GROUPS, (kind + 1) * GROUPS)


def _excess(sample: NDArray) -> tuple[float, NDArray[np.float64]]:
    """Return the upper quartile and by how much the values beyond exceed it."""
    start = float(np.quantile(sample, TAIL)) if len(sample) else 0.0
    return start, sample[sample > start] - start
