"""Which accounts use which values: a row per shared value and a row per use of one, for a tick's uses at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import numbered
from detectors.linking.singles import GONE, NOBODY, Singles
from detectors.windows import PairIndex, RowIndex, Table
from detectors.windows.index import HALF, pairs

REBUILD = 1 << 14
"""New uses from which the order by value is made anew; an eighth of all, if that is more."""


class Members:
    """The uses of each value: `members[value]` are rows of the table of uses, ascending."""

    def __init__(self, uses: Table) -> None:
        self._uses = uses
        self._order = np.zeros(0, np.int32)
        self._start = np.zeros(1, np.int32)
        self._new: list[NDArray[np.int64]] = []
        self._tail = np.zeros(0, np.int64)
        """What came since the order was made: value << 32 | row, ascending."""

    def __getitem__(self, value: int) -> NDArray[np.int64]:
        if self._new:
            self._settle()
        first, end = np.searchsorted(self._tail, [value << 32, (value + 1) << 32])
        late = self._tail[first:end] & 0xFFFF_FFFF
        if value + 1 >= len(self._start):
            return late
        old = self._order[self._start[value] : self._start[value + 1]].astype(np.int64)
        return np.sort(np.concatenate([old, late])) if len(late) else old

    def add(self, uses: NDArray[np.int64]) -> None:
        """Take in new rows."""
        self._new.append(uses)

    def _settle(self) -> None:
        rows = np.concatenate(self._new)
        self._new = []
        if len(self._tail) + len(rows) > max(REBUILD, len(self._order) // 8):
            self.rebuild()
        else:
            new = np.sort(self._uses["value"][rows].astype(np.int64) << 32 | rows)
            self._tail = np.insert(self._tail, np.searchsorted(self._tail, new), new)

    def rebuild(self) -> None:
        """Look at every live use again, as after rows were freed."""
        live = np.flatnonzero(self._uses["live"][: self._uses.rows]).astype(np.int32)
        value = self._uses["value"][live]
        order = np.argsort(value, kind="stable")
        values = int(value.max()) + 1 if len(value) else 0
        self._order = live[order]
        self._start = np.searchsorted(value[order], np.arange(values + 1)).astype(np.int32)
        self._tail, self._new = np.zeros(0, np.int64), []


class NewUses(NamedTuple):
    """Uses seen for the first time, in the order in which they came, and the families of their values."""

    rows: NDArray[np.int64]
    family: NDArray


class Followed:
    """Values and uses by their keys.

    A value of one account stands in `singles`; its row, and a row for each account's use of it, come with the second.

    Args:
        values, uses: tables with the columns of `detectors.linking.graph`.
        max_singles: values of one account remembered.
    """

    def __init__(self, values: Table, uses: Table, max_singles: int) -> None:
        self.values, self.uses = values, uses
        self.singles = Singles(max_singles)
        self.members = Members(uses)
        self._value = RowIndex(lambda rows: values["value"][rows])
        self._use = PairIndex(lambda: (uses["account"], uses["value"]))

    @property
    def nbytes(self) -> int:
        """Bytes of the singles and of the indices."""
        return self.singles.nbytes + self._value.nbytes + self._use.nbytes

    def update(self, keys: NDArray[np.uint64], family: NDArray, accounts: NDArray) -> tuple[NDArray, NewUses]:
        """Take in the uses of one tick in their order.

        Args:
            keys, family, accounts: the value, its family and the account's row of each, shape (B,).

        Returns:
            The row of each use, −1 for a value of one account, shape (B,), and the new ones.
        """
        value = self._value.get(keys)
        began = np.zeros(len(keys), np.int64)
        holders = self._promote(keys, family, accounts, value, began)
        seen = np.flatnonzero((value >= 0) & (np.arange(len(keys)) >= began))
        pair = pairs(accounts[seen], value[seen])
        use = self._use.get(pair)
        unknown = use < 0
        parts = [(2 * seen + 1)[unknown], pair[unknown], family[seen[unknown]]]
        if len(holders[0]):
            parts = [np.concatenate(both) for both in zip(parts, holders, strict=True)]
        new = self._new_uses(*parts)
        if len(new.rows):
            use[unknown] = self._use.get(pair[unknown])
        result = np.full(len(keys), -1, np.int64)
        result[seen] = use
        return result, new

    def _promote(
        self, keys: NDArray, family: NDArray, accounts: NDArray, value: NDArray, began: NDArray
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Give rows to values that come to a second account; fill in `value` and from which use on it counts, `began`.

        Returns:
            Order, pair and family of the uses by the accounts that had them alone.
        """
        unknown = np.flatnonzero(value < 0)
        nothing = np.zeros(0, np.int64)
        if not len(unknown):
            return nothing, nothing.astype(np.uint64), nothing
        inverse, first = numbered(keys[unknown])
        unique = keys[unknown[first]]
        known = self.singles.holders(unique)
        holder = np.where(known == NOBODY, accounts[unknown[first]], known)
        other = accounts[unknown] != holder[inverse]
        at = np.full(len(unique), len(keys))
        np.minimum.at(at, inverse[other], unknown[other])
        promoted = at < len(keys)
        alone = np.flatnonzero((known == NOBODY) & ~promoted)
        self.singles.add(unique[alone], holder[alone])
        self.singles.remove(unique[promoted & (known != NOBODY)])
        chosen = np.flatnonzero(promoted)
        chosen = chosen[np.argsort(at[chosen])]
        rows = self._new_values(unique[chosen], family[at[chosen]], holder[chosen] == GONE)
        row_of = np.full(len(unique), -1)
        row_of[chosen] = rows
        value[unknown], began[unknown] = row_of[inverse], at[inverse]
        had = holder[chosen] >= 0
        return 2 * at[chosen][had], pairs(holder[chosen][had], rows[had]), family[at[chosen]][had]

    def _new_values(self, keys: NDArray, family: NDArray, gone: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Make rows for values; an account that was forgotten (`gone`) still counts as one that had it."""
        rows = self.values.take(len(keys))
        self.values["value"][rows], self.values["family"][rows] = keys, family
        self.values["accounts"][rows] = gone
        self._value.add(rows)
        return rows

    def _new_uses(self, order: NDArray, pair: NDArray, family: NDArray) -> NewUses:
        """Make rows for pairs of account and value, in their order; a pair may occur again."""
        by_time = np.argsort(order, kind="stable")
        first = by_time[numbered(pair[by_time])[1]]
        pair, family = pair[first], family[first]
        rows = self.uses.take(len(pair))
        value = (pair & np.uint64(0xFFFF_FFFF)).astype(np.int64)
        self.uses["account"][rows], self.uses["value"][rows] = (pair >> HALF).astype(np.int64), value
        self._use.add(rows)
        np.add.at(self.values["accounts"], value, 1)
        self.values.touch(value)
        self.members.add(rows)
        return NewUses(rows, family)

    def value_row(self, key: int) -> int:
        """Return the row of a value, −1 when not two accounts used it."""
        return int(self._value.get(np.array([key], np.uint64))[0])

    def free_uses(self, rows: NDArray) -> NDArray[np.int64]:
        """Forget uses; return the values that have none."""
        value = self.uses["value"][rows].astype(np.int64)
        self._use.remove(pairs(self.uses["account"][rows], value))
        self.uses.free(rows)
        np.subtract.at(self.values["accounts"], value, 1)
        self.values.touch(value)
        self.members.rebuild()
        left = np.zeros(self.values.rows, bool)
        left[self.uses["value"][np.flatnonzero(self.uses["live"][: self.uses.rows])]] = True
        return np.flatnonzero((self.values["live"][: self.values.rows] > 0) & ~left)

    def free_values(self, rows: NDArray) -> None:
        """Forget values without uses."""
        self._value.remove(self.values["value"][rows])
        self.values.free(rows)

    def load(self) -> None:
        """Build the indices anew from the tables."""
        self._value.load(np.flatnonzero(self.values["live"][: self.values.rows]))
        self._use.load(np.flatnonzero(self.uses["live"][: self.uses.rows]))
        self.members.rebuild()
