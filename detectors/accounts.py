"""The sliding windows of every account of one partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.columns import Columns
from detectors.compiled import by_row, numbered, sort_runs
from detectors.features import features
from detectors.partials import CAPABILITIES, COUNTS
from detectors.tallies import capabilities_of, gap_moments
from detectors.windows import Distinct, PaneRing, RowIndex, Table, decay
from detectors.windows.compiled import join_panes, sum_by_pane
from detectors.windows.table import LIVE, PAGE_ROWS, Column

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
PANE_MS = 5 * MINUTE_MS
DAY_PANE_MS = 2 * HOUR_MS
RING = (*COUNTS, "active_panes")
"""Order of the window sums that `features` takes."""
HOUR = [RING.index(name) for name in ("requests", "output_tokens")]
DAY_WIDE = [RING.index(name) for name in ("requests", "input_tokens", "output_tokens", "reasoning_tokens")]
DAY = DAY_WIDE + [RING.index(n) for n in ("status_429", "status_403", "elicited", "multi_turn", "active_panes")]
"""What the rings of an hour and of a day hold: no more than `features` reads."""
_SUMMED = np.array(sorted({*HOUR, *DAY} - {len(COUNTS)}))
_HOUR = np.searchsorted(_SUMMED, HOUR)
_DAY = np.searchsorted(_SUMMED, DAY)
"""The columns of `COUNTS` that the rings sum, and where those of each ring are among them, active panes behind."""
_DISTINCT = {"template": 4, "content": 8, "network": 2}
"""Words of each distinct count: many contents are a day's work, many networks are as telling at a hundred."""

_COLUMNS: dict[str, Column] = {
    "created": ("i8", ()),
    "last": ("i8", ()),
    "updated": ("i8", ()),
    "plan": ("i2", ()),
    "verification": ("i2", ()),
    "pathway": ("i2", ()),
    "organization": ("u8", ()),
    "capabilities": ("f4", (len(CAPABILITIES),)),
    "gaps": ("f4", (3,)),
    "window": ("i4", ()),
    "key": ("u8", ()),
}
_FILL = {"created": -1, "plan": -1, "verification": -1, "pathway": -1, "window": -1}
_WINDOW: dict[str, Column] = {
    LIVE: ("u1", ()),
    **PaneRing.columns("hour", 12, len(HOUR), 0),
    **PaneRing.columns("day", DAY_MS // DAY_PANE_MS, len(DAY_WIDE), len(DAY) - len(DAY_WIDE)),
    **{column: spec for name, words in _DISTINCT.items() for column, spec in Distinct.columns(name, words).items()},
}


class AccountWindows:
    """A row per account, and a row of windows per account active on this or the previous day; see `update`.

    What an account did longer ago shows in none of its windows, so `evict` lets go of them: that loses nothing.

    Args:
        max_accounts: accounts kept; `evict` drops those beyond, silent for longest first.
    """

    def __init__(self, max_accounts: int = 1 << 31) -> None:
        self.max_accounts = max_accounts
        self.evicted = 0
        """Accounts dropped so far."""
        self.table = Table(_COLUMNS, _FILL)
        self.windows = Table(_WINDOW)
        self.ids: list[str] = []
        self._index = RowIndex(lambda rows: self.table["key"][rows])
        self._free: list[int] = []
        self.hour = PaneRing(self.windows, "hour", PANE_MS)
        self.day = PaneRing(self.windows, "day", DAY_PANE_MS)
        self.distinct = {name: Distinct(self.windows, name, DAY_MS) for name in _DISTINCT}

    def __len__(self) -> int:
        return len(self._index)

    def rows(self, keys: NDArray[np.uint64], name: Callable[[int], str]) -> NDArray[np.int64]:
        """Return the row of each account, new ones made as needed, shape (B,).

        Args:
            keys: hashes of the accounts' ids, shape (B,).
            name: returns the id at a place among them.
        """
        found = self._index.get(keys)
        if (found < 0).any():
            unknown = np.flatnonzero(found < 0)
            places = unknown[numbered(keys[unknown])[1]]
            self._add(keys[places], [name(place) for place in places.tolist()])
            found[unknown] = self._index.get(keys[unknown])
        return found

    def _add(self, keys: NDArray[np.uint64], accounts: list[str]) -> None:
        """Give rows to different accounts that have none, free ones first."""
        reused = [self._free.pop() for _ in accounts[: len(self._free)]]
        for row, account in zip(reused, accounts, strict=False):
            self.ids[row] = account
        if reused:
            self.table.clear(np.array(reused))
        self.ids += accounts[len(reused) :]
        rows = np.array([*reused, *self.table.extend(len(accounts) - len(reused)).tolist()], np.int64)
        self.table["key"][rows] = keys
        self._index.add(rows)

    def describe(self, rows: NDArray, columns: Columns) -> None:
        """Keep what the requests say of their accounts; a missing key does not unsay what an earlier one said."""
        for name in ("created", "plan", "verification", "pathway"):
            known = columns[name] >= 0
            self.table[name][rows[known]] = columns[name][known]
        known = columns["organization"] > 0
        self.table["organization"][rows[known]] = columns["organization"][known]
        self.table.touch(rows)

    def update(self, rows: NDArray, columns: Columns, end_ms: int) -> NDArray:
        """Count the requests of one tick, which ends at `end_ms`.

        Args:
            rows: the account row of each request, shape (B,).
            columns: the requests (`columns.Extractor`).

        Returns:
            The different rows, ascending, shape (A,).
        """
        order, active, start = by_row(rows, self.table.rows)
        sort_runs(order, start, columns["time"])
        self._gaps(active, order, start, columns["time"])
        windows = self._windows(active)
        self._rings(windows, order, start, columns)
        wanted = capabilities_of(order, start, columns["capabilities"])
        kept = decay(end_ms - self.table["updated"][active], DAY_MS)[:, None]
        self.table["capabilities"][active] = self.table["capabilities"][active] * kept + wanted
        self.table["updated"][active] = end_ms
        of = np.repeat(windows, np.diff(start))
        for name, distinct in self.distinct.items():
            values = columns[name][order]
            present = values > 0
            distinct.update(of[present], values[present], end_ms - 1)
        self.table.touch(active)
        self.windows.touch(windows)
        return active

    def _windows(self, rows: NDArray) -> NDArray[np.int64]:
        """Return the rows of the accounts' windows, made as needed."""
        without = rows[self.table["window"][rows] < 0]
        self.table["window"][without] = self.windows.take(len(without))
        return self.table["window"][rows].astype(np.int64)

    def _gaps(self, rows: NDArray, order: NDArray, start: NDArray, time: NDArray) -> None:
        table, before = self.table, self.table["last"][rows]
        moments, last = gap_moments(order, start, time, before)
        table["gaps"][rows] = table["gaps"][rows] * decay(last - before, DAY_MS)[:, None] + moments
        table["last"][rows] = np.maximum(before, last)

    def _rings(self, windows: NDArray, order: NDArray, start: NDArray, columns: Columns) -> None:
        rows, pane, sums = sum_by_pane(windows, order, start, columns["time"], columns["counts"], PANE_MS, _SUMMED)
        self.hour.update(rows, pane, sums[:, _HOUR])
        self.day.update(*join_panes(rows, pane, sums, DAY_PANE_MS // PANE_MS, _DAY))

    def features(self, rows: NDArray, end_ms: int) -> NDArray[np.float32]:
        """Return the features (B, 16) of `rows` at the end of a tick."""
        now = end_ms - 1
        window = self.table["window"][rows]
        held, sums = window >= 0, np.zeros((2, len(rows), len(RING)))
        window = window[held]
        sums[0][np.ix_(held, HOUR)] = self.hour.sums(window, now)
        sums[1][np.ix_(held, DAY)] = self.day.sums(window, now)
        distinct = {name: np.zeros(len(rows)) for name in _DISTINCT}
        for name, counter in self.distinct.items():
            distinct[name][held] = counter.counts(window, now)
        return features(sums[0], sums[1], self.table["capabilities"][rows], self.table["gaps"][rows], distinct)

    def evict(self, before_ms: int, back: NDArray) -> None:
        """Forget the accounts silent since `before_ms`; those in the rows `back` begin anew where they are."""
        last = self.table["last"][: self.table.rows]
        self._drop(np.flatnonzero((last > 0) & (last < before_ms)), back)

    def evict_surplus(self, back: NDArray) -> None:
        """Forget accounts beyond `max_accounts`, and a sixteenth more, silent for longest first; see `evict`."""
        last = self.table["last"][: self.table.rows]
        known = np.flatnonzero(last > 0)
        if len(known) <= self.max_accounts:
            return
        surplus = len(known) - self.max_accounts + self.max_accounts // 16
        bound = np.partition(last[known], surplus - 1)[surplus - 1]
        older = known[last[known] < bound]
        equals = sorted(known[last[known] == bound].tolist(), key=self.ids.__getitem__)[: surplus - len(older)]
        self._drop(np.concatenate([older, np.array(equals, np.int64)]), back)

    def rest(self, end_ms: int) -> None:
        """Let go of the windows of accounts not seen since the day before `end_ms` began: they are empty."""
        windows, updated = self.table["window"][: self.table.rows], self.table["updated"][: self.table.rows]
        resting = np.flatnonzero((windows >= 0) & ((updated - 1) // DAY_MS < (end_ms - 1) // DAY_MS - 1))
        self.windows.free(windows[resting].astype(np.int64))
        windows[resting] = -1
        self.table.touch(resting)

    def _drop(self, rows: NDArray, back: NDArray) -> None:
        if not len(rows):
            return
        self.evicted += len(rows)
        window = self.table["window"][rows]
        self.windows.free(window[window >= 0].astype(np.int64))
        gone, kept = np.setdiff1d(rows, back), np.intersect1d(rows, back)
        keys = self.table["key"][kept].copy()
        self._index.remove(self.table["key"][gone])
        self.table.clear(rows)
        self.table["key"][kept] = keys
        for row in gone.tolist():
            self.ids[row] = ""
            self._free.append(row)

    def snapshot(self) -> dict[str, bytes]:
        """Return the pages that changed, the accounts' ids with them."""
        pages = self.windows.snapshot("windows")
        for number in self.table.dirty_pages():
            ids = self.ids[number * PAGE_ROWS : (number + 1) * PAGE_ROWS]
            pages[f"accounts/{number}"] = msgspec.msgpack.encode((ids, self.table.page(number)))
        return pages

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Put back what `snapshot` returned."""
        items = list(items)
        self.windows.restore("windows", items)
        pages = sorted((int(key.partition("/")[2]), data) for key, data in items if key.startswith("accounts/"))
        for number, data in pages:
            ids, page = msgspec.msgpack.decode(data, type=tuple[list[str], bytes])
            self.table.load_page(number, page)
            self.ids += [""] * (number * PAGE_ROWS + len(ids) - len(self.ids))
            self.ids[number * PAGE_ROWS : number * PAGE_ROWS + len(ids)] = ids
        self._index.load(np.array([row for row, account in enumerate(self.ids) if account], np.int64))
        self._free = [row for row, account in enumerate(self.ids) if not account]
        self.table.dirty_pages()
