"""The sliding windows of every account of one partition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.columns import Columns
from detectors.features import features
from detectors.partials import CAPABILITIES, COUNTS
from detectors.windows import Distinct, PaneRing, Table, decay
from detectors.windows.table import PAGE_ROWS, Column

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
PANE_MS = 5 * MINUTE_MS
HALF_LIVES_MS = np.array([HOUR_MS, DAY_MS, 14 * DAY_MS], np.float64)
RING = (*COUNTS, "active_panes")
"""Counters of the rings: the first four are wide."""
_WIDE = 4
_DISTINCT = ("template", "content", "network")

_COLUMNS: dict[str, Column] = {
    "created": ("i8", ()),
    "first": ("i8", ()),
    "last": ("i8", ()),
    "updated": ("i8", ()),
    "plan": ("i2", ()),
    "verification": ("i2", ()),
    "pathway": ("i2", ()),
    "organization": ("u8", ()),
    "decayed": ("f4", (len(HALF_LIVES_MS), len(COUNTS))),
    "capabilities": ("f4", (len(CAPABILITIES),)),
    "gaps": ("f4", (3,)),
    **PaneRing.columns("hour", 12, _WIDE, len(RING) - _WIDE),
    **PaneRing.columns("day", 24, _WIDE, len(RING) - _WIDE),
    **{column: spec for name in _DISTINCT for column, spec in Distinct.columns(name).items()},
}
_FILL = {"created": -1, "plan": -1, "verification": -1, "pathway": -1}


def bits(masks: NDArray) -> NDArray[np.float32]:
    """Return capability masks (B,) as indicator rows (B, 10)."""
    return ((masks[:, None] >> np.arange(len(CAPABILITIES), dtype=masks.dtype)) & 1).astype(np.float32)


class AccountWindows:
    """One row of windows per account; see `update`."""

    def __init__(self) -> None:
        self.table = Table(_COLUMNS, _FILL)
        self.ids: list[str] = []
        self._row: dict[str, int] = {}
        self._free: list[int] = []
        self.hour = PaneRing(self.table, "hour", PANE_MS)
        self.day = PaneRing(self.table, "day", HOUR_MS)
        self.distinct = {name: Distinct(self.table, name, DAY_MS) for name in _DISTINCT}

    def __len__(self) -> int:
        return len(self._row)

    def rows(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the row of each account, new ones made as needed."""
        get = self._row.get
        found = [get(account) for account in ids]
        if None in found:
            found = [row if row is not None else self._add(account) for row, account in zip(found, ids, strict=True)]
        return np.array(found, np.int64)

    def _add(self, account: str) -> int:
        row = self._row.get(account)
        if row is None:
            if self._free:
                row = self._free.pop()
                self.ids[row] = account
                self.table.clear(np.array([row]))
            else:
                row = int(self.table.extend(1)[0])
                self.ids.append(account)
            self._row[account] = row
        return row

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
        order = np.lexsort((columns["time"], rows))
        rows, time, counts = rows[order], columns["time"][order], columns["counts"][order]
        active, start = np.unique(rows, return_index=True)
        self._gaps(rows, time, active, start)
        self._rings(rows, time, counts)
        sums = np.add.reduceat(counts, start, axis=0)
        capabilities = np.add.reduceat(bits(columns["capabilities"][order]), start, axis=0)
        elapsed = end_ms - self.table["updated"][active]
        kept = decay(elapsed[:, None], HALF_LIVES_MS)[:, :, None]
        self.table["decayed"][active] = self.table["decayed"][active] * kept + sums[:, None, :]
        self.table["capabilities"][active] = self.table["capabilities"][active] * kept[:, 1] + capabilities
        self.table["updated"][active] = end_ms
        for name, distinct in self.distinct.items():
            values = columns[name][order]
            present = values > 0
            distinct.update(rows[present], values[present], end_ms - 1)
        self.table.touch(active)
        return active

    def _gaps(self, rows: NDArray, time: NDArray, active: NDArray, start: NDArray) -> None:
        table = self.table
        previous = np.concatenate([[0], time[:-1]])
        previous[start] = table["last"][active]
        gap = np.where(previous > 0, np.maximum(time - previous, 0) / 1000.0, 0.0)
        seen = (previous > 0).astype(np.float64)
        moments = np.add.reduceat(np.stack([seen, gap, gap**2], axis=1), start, axis=0)
        last = time[np.append(start[1:], len(time)) - 1]
        kept = decay(last - table["last"][active], DAY_MS)[:, None]
        table["gaps"][active] = table["gaps"][active] * kept + moments
        new = table["first"][active] == 0
        table["first"][active[new]] = time[start][new]
        table["last"][active] = np.maximum(table["last"][active], last)

    def _rings(self, rows: NDArray, time: NDArray, counts: NDArray) -> None:
        pane = time // PANE_MS
        panes, sums = _sum_by(rows, pane, np.concatenate([counts, np.zeros((len(rows), 1), np.float32)], axis=1))
        self.hour.update(panes[:, 0], panes[:, 1], sums)
        sums[:, -1] = 1
        hours, sums = _sum_by(panes[:, 0], panes[:, 1] * PANE_MS // HOUR_MS, sums)
        self.day.update(hours[:, 0], hours[:, 1], sums)

    def features(self, rows: NDArray, end_ms: int) -> NDArray[np.float32]:
        """Return the features (B, 16) of `rows` at the end of a tick."""
        now = end_ms - 1
        distinct = {name: counter.counts(rows, now) for name, counter in self.distinct.items()}
        return features(
            self.hour.sums(rows, now),
            self.day.sums(rows, now),
            self.table["capabilities"][rows],
            self.table["gaps"][rows],
            distinct,
        )

    def evict(self, before_ms: int, back: NDArray) -> None:
        """Forget the accounts silent since `before_ms`; those in the rows `back` begin anew where they are."""
        last = self.table["last"][: self.table.rows]
        idle = np.flatnonzero((last > 0) & (last < before_ms))
        if not len(idle):
            return
        self.table.clear(idle)
        for row in np.setdiff1d(idle, back).tolist():
            del self._row[self.ids[row]]
            self.ids[row] = ""
            self._free.append(row)

    def snapshot(self) -> dict[str, bytes]:
        """Return the pages that changed, the accounts' ids with them."""
        pages = {}
        for number in self.table.dirty_pages():
            ids = self.ids[number * PAGE_ROWS : (number + 1) * PAGE_ROWS]
            pages[f"accounts/{number}"] = msgspec.msgpack.encode((ids, self.table.page(number)))
        return pages

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Put back what `snapshot` returned."""
        pages = sorted((int(key.partition("/")[2]), data) for key, data in items if key.startswith("accounts/"))
        for number, data in pages:
            ids, page = msgspec.msgpack.decode(data, type=tuple[list[str], bytes])
            self.table.load_page(number, page)
            self.ids += [""] * (number * PAGE_ROWS + len(ids) - len(self.ids))
            self.ids[number * PAGE_ROWS : number * PAGE_ROWS + len(ids)] = ids
        self._row = {account: row for row, account in enumerate(self.ids) if account}
        self._free = [row for row, account in enumerate(self.ids) if not account]
        self.table.dirty_pages()


def _sum_by(rows: NDArray, pane: NDArray, values: NDArray) -> tuple[NDArray, NDArray]:
    """Sum `values` (B, C) over equal (row, pane); return the pairs (U, 2) and the sums (U, C)."""
    order = np.lexsort((pane, rows))
    rows, pane = rows[order], pane[order]
    changed = np.flatnonzero(np.concatenate([[True], (np.diff(rows) != 0) | (np.diff(pane) != 0)]))
    return np.stack([rows[changed], pane[changed]], axis=1), np.add.reduceat(values[order], changed, axis=0)
