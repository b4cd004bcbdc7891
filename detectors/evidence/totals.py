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
from detectors.linking.members import IDENTIFIED, KINDS

UNTOLD = -99.0
"""Stands for the total of a group that could never be reported."""
SIZES = (60.0, 200.0)
"""Groups of fewer accounts than the first, than the second, and the others are ranked apart."""
GROUPS = len(SIZES) + 1
EVERY_BUCKET = range(len(KINDS) * GROUPS)
ENOUGH = 30
"""A kind and size with fewer reportable groups borrows those of the whole kind, or of all kinds."""
TAILS = (0.75, 0.5, 0.25, 0.0)
"""A tail begins at the first of these quantiles beyond which at most half of the groups are doubted ones."""
RULE_OF_THREE = 3.0
"""Reportable groups added to those seen: none among n leaves a rate of up to 3/n (95 %)."""
BORROWED = 15.0
"""Excesses of all kinds that a tail's own are averaged with."""
Shipped = Mapping[int, Mapping[int, tuple[int, Sequence[float]]]]


class _Votes(NamedTuple):
    told: NDArray
    doubted: NDArray
    seen: int


class _Tail(NamedTuple):
    sample: NDArray
    untold: float
    start: float
    nats: float
    scale: float


class Totals:
    """Totals of honest groups, one reservoir per kind and size.

    Inside a reservoir a total's rank counts; beyond the upper quartile an exponential tail with the mean excess, as
    in the peaks-over-threshold method (Pickands, Ann. Statist. 1975), averaged with that of all kinds, and while they
    are few, of all providers: three honest groups say little of how far a fourth may go. Starts with
    what is shipped; the operator's own groups join it and, once there are enough of a kind, replace it. How high the
    few that could be reported reach is learned from what is shipped until the operator has enough of those too.

    Of a group that may be honest or not it is only known that it reaches a level: it counts as one that goes beyond,
    nobody knows how far (a censored value: the mean excess of an exponential tail is the sum of all excesses over the
    number of those that are whole; Epstein and Sobel, J. Am. Stat. Assoc. 1953). So campaigns that are not found yet
    cannot take the tail wherever they go, and leaving them out does not make it short.

    Args:
        shipped: by `Population.identified` and `bucket`, how many groups could never be reported, and the totals of the
            others.
    """

    def __init__(self, shipped: Shipped = SHIPPED_TOTALS) -> None:
        self._shipped, self._identified = shipped, IDENTIFIED
        self._own: dict[int, list[tuple[float, bool]]] = {}
        """Votes, and whether the total is doubted."""
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
        self._add((float(total), False), bucket(kind, size))

    def doubt(self, total: float, kind: int, size: float) -> None:
        """Let one group vote that may be honest or not: one that reaches `total`, or further."""
        self._add((float(total), True), bucket(kind, size))

    def _add(self, vote: tuple[float, bool], number: int) -> None:
        votes = self._own.setdefault(number, [])
        votes.append(vote)
        del votes[:-RESERVOIR]
        self._tails.clear()

    def doubtful(self, minus_ln_p: float, kind: int, size: float) -> float:
        """Return the −ln p from which on a group is doubted that would call for an alert at `minus_ln_p`.

        Halfway to there from the least that a group can have that could be reported at all.
        """
        untold = self._tail(bucket(kind, size)).untold
        return max(untold + minus_ln_p, 2.0 * untold) / 2.0

    def minus_ln_p(self, totals: NDArray, kinds: NDArray, sizes: NDArray) -> NDArray[np.float64]:
        """Return −ln p of each total among honest groups of its kind and size, shape (G,); 0 of `UNTOLD`."""
        result = np.zeros(len(totals))
        buckets = np.array([bucket(int(kind), size) for kind, size in zip(kinds, sizes, strict=True)], np.int64)
        for number in np.unique(buckets).tolist():
            mine, tail = buckets == number, self._tail(number)
            at_least = len(tail.sample) - np.searchsorted(tail.sample, totals[mine], "left")
            body = -np.log((at_least + 1) / (len(tail.sample) + 1))
            beyond = tail.nats + (totals[mine] - tail.start) / tail.scale
            told = np.where(totals[mine] > tail.start, beyond, np.minimum(body, tail.nats))
            result[mine] = np.where(totals[mine] > UNTOLD, tail.untold + told, 0.0)
        return result

    def value_at(self, minus_ln_p: float, kind: int, size: float) -> float:
        """Return the least total whose −ln p is `minus_ln_p`."""
        tail = self._tail(bucket(kind, size))
        told = minus_ln_p - tail.untold
        if told < tail.nats and len(tail.sample):
            return float(np.quantile(tail.sample, max(1.0 - np.exp(-told), 0.0)))
        return tail.start + tail.scale * (told - tail.nats)

    def _tail(self, number: int) -> _Tail:
        if number not in self._tails:
            own = self._votes([number])
            kind = self._votes(_buckets(number // GROUPS))
            whole = self._votes(EVERY_BUCKET)
            told, _, seen = next((pool for pool in (own, kind, whole) if pool.seen >= ENOUGH), whole)
            untold = max(float(np.log((seen + 1) / (len(told) + RULE_OF_THREE))), 0.0)
            whole = whole if len(whole.told) >= ENOUGH else self._votes(EVERY_BUCKET, replaced=True)
            sample = next((part for part in (own, kind) if len(part.told) >= ENOUGH), whole)
            start, nats, excess, number_whole = _excess(sample)
            many = whole if len(whole.told) >= ENOUGH else self._votes(EVERY_BUCKET, True, list(self._shipped))
            *_, others, others_whole = _excess(many)
            borrowed = BORROWED * (others / others_whole if others_whole else 1.0)
            scale = max((excess + borrowed) / (number_whole + BORROWED), 1e-3)
            self._tails[number] = _Tail(sample.told, untold, start, nats, scale)
        return self._tails[number]

    def _votes(self, buckets: Iterable[int], replaced: bool = False, levels: Sequence[int] | None = None) -> _Votes:
        """Return the totals of groups that could be reported, sorted, doubted ones too, and how many groups voted.

        Args:
            replaced: with what is shipped of kinds that the operator's own groups have replaced.
            levels: what is shipped for which providers, by `Population.identified`; those like this one by default.
        """
        shipped = [self._shipped[level] for level in levels or [self._identified]]
        told, doubted, seen = list[float](), list[float](), 0
        for number in buckets:
            own = self._own.get(number, [])
            told += [total for total, _ in own if total > UNTOLD]
            doubted += [total for total, doubt in own if doubt]
            seen += len(own)
            if replaced or self.provisional(number // GROUPS):
                for untold, totals in (known[number] for known in shipped if number in known):
                    told += totals
                    seen += untold + len(totals)
        return _Votes(np.sort(np.array(told, np.float64)), np.array(doubted, np.float64), seen)

    def state(self) -> dict[int, list[tuple[float, bool]]]:
        """Return what `load` takes."""
        return self._own

    def load(self, state: dict[int, list[tuple[float, bool]]]) -> None:
        """Put back what `state` returned."""
        self._own = {int(number): [(total, doubt) for total, doubt in votes] for number, votes in state.items()}
        self._tails = {}


def bucket(kind: int, size: float) -> int:
    """Return the number of the reservoir for groups of `size` accounts that formed around `kind`."""
    return kind * GROUPS + sum(size >= limit for limit in SIZES)


def _buckets(kind: int) -> range:
    """Return the numbers of a kind's reservoirs."""
    return range(kind * GROUPS, (kind + 1) * GROUPS)


def _excess(votes: _Votes) -> tuple[float, float, float, int]:
    """Return where a tail starts, −ln of the part beyond, the sum of the excesses, and how many of them are whole."""
    if not len(votes.told):
        return 0.0, -float(np.log(1.0 - TAILS[0])), 0.0, 0
    for quantile in TAILS:
        start = float(np.quantile(votes.told, quantile))
        beyond, doubted = votes.told[votes.told > start], int((votes.doubted > start).sum())
        if 2 * doubted <= len(beyond):
            break
    return start, -float(np.log(1.0 - quantile)), float((beyond - start).sum()), len(beyond) - doubted
