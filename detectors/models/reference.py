"""Values that honest accounts left, thinned to a constant flow, and ranks among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOBODY = -1
CAUTION = 3.0


def conformal_p(known: NDArray, values: NDArray) -> NDArray[np.float64]:
    """Return the reference-conditional conformal p-value of each value: small for large ones; shape (len(values),).

    (k + 1 + 3 √(k + 1)) / (n + 1) with k of n known values at least as large. The plain rank (Bates et al., Annals of
    Statistics 2023) is valid on average over references only; many tests share this one (DETECTION §4.2).

    Args:
        known: sorted reference values, shape (n,).

    >>> conformal_p(np.arange(9_999.0), np.array([9_998.5, 0.0])).tolist()
    [0.0004, 1.0]
    """
    at_least = len(known) - np.searchsorted(known, values, "left") + 1.0
    return np.minimum(1.0, (at_least + CAUTION * np.sqrt(at_least)) / (len(known) + 1.0))


class Thinning:
    """Lets about `per_day` of a day's candidates through, whoever they are and whenever in the day they come.

    The rate follows the number of candidates of the day before; while today already has more, today's counts.
    """

    def __init__(self, per_day: int) -> None:
        self.per_day = per_day
        self._day = -1
        self._today = self._yesterday = 0

    def choose(self, day: int, chance: NDArray) -> NDArray[np.bool_]:
        """Return which candidates pass, shape (len(chance),).

        Args:
            day: number of the day.
            chance: a uniform random number per candidate.
        """
        if day != self._day:
            self._yesterday = self._today if day == self._day + 1 else 0
            self._day, self._today = day, 0
        self._today += len(chance)
        return np.asarray(chance * max(self._yesterday, self._today) < self.per_day, bool)

    def state(self) -> list[int]:
        """Return what `load` takes."""
        return [self._day, self._today, self._yesterday]

    def load(self, state: list[int]) -> None:
        """Put back what `state` returned."""
        self._day, self._today, self._yesterday = state


class Ring:
    """The latest `size` votes, each a value of an account. New votes count from the next `settle` on.

    Votes wait so that the sorted values need not be kept: they always are those of the settled votes.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._votes = _no_votes()
        self._waiting = _no_votes()
        self._sorted: NDArray | None = None

    def __len__(self) -> int:
        return len(self._votes[0])

    def add(self, values: NDArray, accounts: NDArray | None = None) -> None:
        """Take votes, shape (B,), with the account row of each; `NOBODY` where None."""
        if len(values):
            who = np.full(len(values), NOBODY) if accounts is None else accounts
            self._waiting = _joined(self._waiting, (values.astype(np.float32), who.astype(np.int32)), self.size)

    def settle(self) -> None:
        """Let the votes that wait count; the oldest go beyond `size`."""
        if len(self._waiting[0]):
            self._votes = _joined(self._votes, self._waiting, self.size)
            self._waiting, self._sorted = _no_votes(), None

    def sorted(self) -> NDArray:
        """Return the settled values in order."""
        if self._sorted is None:
            self._sorted = np.sort(self._votes[0])
        return self._sorted

    def sorted_without(self, accused: Callable[[NDArray], NDArray]) -> NDArray:
        """Return the settled values in order, without those of accounts that `accused` tells to leave out."""
        return np.sort(self._votes[0][~accused(self._votes[1])])

    def state(self) -> dict[str, NDArray]:
        """Return what `load` takes."""
        names = ("values", "accounts", "waiting", "waiting_accounts")
        return dict(zip(names, (*self._votes, *self._waiting), strict=True))

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` returned."""
        self._votes, self._sorted = (state["values"], state["accounts"]), None
        self._waiting = (state["waiting"], state["waiting_accounts"])


def _no_votes() -> tuple[NDArray, NDArray]:
    return np.zeros(0, np.float32), np.zeros(0, np.int32)


def _joined(one: tuple[NDArray, NDArray], other: tuple[NDArray, NDArray], size: int) -> tuple[NDArray, NDArray]:
    return np.concatenate([one[0], other[0]])[-size:], np.concatenate([one[1], other[1]])[-size:]
