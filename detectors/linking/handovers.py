"""Requests that were turned away at one account and came back from another within minutes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.houses import houses
from detectors.windows import Table

WITHIN_MS = 30 * 60_000
"""A content is looked for in its own tick and in the next one, if that ends so soon after."""
SAMPLED = 16
"""One in so many contents that were not turned away is followed too: how often contents recur anyway."""
MAX_PENDING = 50_000
FAILED_BIT = np.uint64(1)
"""The lowest bit of a content's hash in a partial says that its account was answered 429 or 403 with it."""
_Pending = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]


class Handovers:
    """Follows contents for one tick; what it finds is in the column `handed` of the accounts.

    `handed` counts contents followed and those that another organisation sent too, for contents turned away (1) and
    others (0), by period (`traits`): shape (2, 2, 2), 32 bytes.
    """

    def __init__(self) -> None:
        self._end = 0
        self._pending: _Pending = (np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, bool))

    def update(self, accounts: Table, rows: NDArray, columns: dict[str, NDArray], end_ms: int) -> None:
        """Take in one tick: settle the contents of the tick before and begin to follow some of this one's.

        Args:
            rows: account row of each of the tick's accounts.
            columns: the tick's (`partials.SCHEMA`).
        """
        content = columns["contents"] & ~FAILED_BIT
        failed = (columns["contents"] & FAILED_BIT) > 0
        account = rows[np.repeat(columns["use_account"], columns["use_contents"])]
        house = houses(accounts["organization"][account], account)
        before, self._pending = self._pending, self._chosen(content, account, failed)
        seen = _Seen(content, house)
        recent = end_ms - self._end <= WITHIN_MS
        for (wanted, who, turned, met), settle in ((before, True), (self._pending, False)):
            if recent or not settle:
                met |= seen.elsewhere(wanted, houses(accounts["organization"][who], who))
            if settle:
                np.add.at(accounts["handed"][:, 0, :, 0], (who, turned.astype(np.intp)), 1)
                np.add.at(accounts["handed"][:, 0, :, 1], (who, turned.astype(np.intp)), met)
                accounts.touch(who)
        self._end = end_ms

    def _chosen(self, content: NDArray, account: NDArray, failed: NDArray[np.bool_]) -> _Pending:
        chosen = np.flatnonzero(failed | ((content >> np.uint64(1)) % np.uint64(SAMPLED) == 0))
        if len(chosen) > MAX_PENDING:
            order = np.lexsort((account[chosen], content[chosen], ~failed[chosen]))
            chosen = np.sort(chosen[order[:MAX_PENDING]])
        return content[chosen], account[chosen], failed[chosen], np.zeros(len(chosen), bool)

    def forget_accounts(self, gone: NDArray[np.bool_]) -> None:
        """Stop following contents of the accounts marked in `gone`, shape (rows,)."""
        content, account, failed, met = self._pending
        kept = ~gone[account]
        self._pending = content[kept], account[kept], failed[kept], met[kept]

    def state(self) -> list:
        """Return what `load` takes."""
        return [self._end, *(column.tolist() for column in self._pending)]

    def load(self, state: list) -> None:
        """Put back what `state` returned."""
        self._end, content, account, failed, met = state
        flags = (np.array(failed, bool), np.array(met, bool))
        self._pending = (np.array(content, np.uint64), np.array(account, np.int64), *flags)


class _Seen:
    """The contents of one tick, each with the lowest and the highest house that sent it."""

    def __init__(self, content: NDArray[np.uint64], house: NDArray[np.uint64]) -> None:
        order = np.lexsort((house, content))
        self._content, start = np.unique(content[order], return_index=True)
        self._low = house[order][start]
        self._high = house[order][np.append(start[1:], len(order)) - 1] if len(order) else self._low

    def elsewhere(self, content: NDArray[np.uint64], house: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Tell which contents a house other than the given one sent."""
        if not len(self._content):
            return np.zeros(len(content), bool)
        place = np.minimum(np.searchsorted(self._content, content), len(self._content) - 1)
        other = (self._low[place] != house) | (self._high[place] != house)
        return np.asarray((self._content[place] == content) & other, bool)
