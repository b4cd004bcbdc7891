"""Growable columns with one row per subject, snapshotted a page at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.errors import StateError

PAGE_ROWS = 256
DOUBLING = 1 << 16
"""Rows from which a table grows by an eighth instead of a half."""
LIVE = "live"
Column = tuple[str, tuple[int, ...]]


class Table:
    """A struct of arrays: `table["name"]` is the column, of shape (capacity, …).

    A column may be replaced by growth, so look it up again after `extend`. Rows are marked with `touch` when they
    change; `snapshot` returns only the pages that hold a marked row.

    Args:
        columns: dtype and trailing shape of each column.
        fill: value of a fresh row where it is not zero.

    A table with a column `live` (u1) reuses rows: `take` gives fresh ones, the lowest free row first, `free` takes them
    back.
    """

    def __init__(self, columns: Mapping[str, Column], fill: Mapping[str, int] | None = None) -> None:
        self._spec = dict(columns)
        self._fill = dict(fill or {})
        self._columns = {name: self._blank(name, PAGE_ROWS) for name in columns}
        self._capacity = PAGE_ROWS
        self._dirty = np.zeros(1, bool)
        self.rows = 0
        self._free = np.zeros(0, np.int64)

    def _blank(self, name: str, rows: int) -> NDArray:
        dtype, shape = self._spec[name]
        fill = self._fill.get(name, 0)  # zeros cost no memory until written
        return np.full((rows, *shape), fill, dtype) if fill else np.zeros((rows, *shape), dtype)

    def __getitem__(self, name: str) -> NDArray:
        return self._columns[name]

    @property
    def nbytes(self) -> int:
        """Bytes held by the columns."""
        return sum(column.nbytes for column in self._columns.values())

    def extend(self, count: int) -> NDArray:
        """Append `count` fresh rows and return their numbers, shape (count,)."""
        first, self.rows = self.rows, self.rows + count
        if self.rows > self._capacity:
            grown = max(self.rows, self._capacity + (self._capacity >> (1 if self._capacity < DOUBLING else 3)))
            grown = -(-grown // PAGE_ROWS) * PAGE_ROWS
            for name, column in self._columns.items():
                self._columns[name] = self._blank(name, grown)
                self._columns[name][: len(column)] = column
            self._dirty = np.concatenate([self._dirty, np.zeros((grown - self._capacity) // PAGE_ROWS, bool)])
            self._capacity = grown
        rows = np.arange(first, self.rows)
        self.touch(rows)
        return rows

    def take(self, count: int) -> NDArray[np.int64]:
        """Return `count` fresh rows, free ones first, marked live."""
        reused, self._free = self._free[:count], self._free[count:]
        rows = np.concatenate([reused, self.extend(count - len(reused))]) if len(reused) else self.extend(count)
        self[LIVE][rows] = 1
        self.touch(rows)
        return rows

    def free(self, rows: NDArray) -> None:
        """Take back different live rows."""
        self.clear(rows)
        self._free = np.sort(np.concatenate([self._free, rows]))

    @property
    def live(self) -> int:
        """Rows in use."""
        return self.rows - len(self._free)

    def find_free(self) -> None:
        """Read off the column `live` which rows are free, as after loading pages."""
        self._free = np.flatnonzero(self[LIVE][: self.rows] == 0)

    def clear(self, rows: NDArray) -> None:
        """Make `rows` fresh again."""
        for name, column in self._columns.items():
            column[rows] = self._fill.get(name, 0)
        self.touch(rows)

    def touch(self, rows: NDArray) -> None:
        """Mark `rows` as changed."""
        self._dirty[rows // PAGE_ROWS] = True

    def dirty_pages(self) -> list[int]:
        """Return the pages with a changed row, and forget that they changed."""
        pages = np.flatnonzero(self._dirty).tolist()
        self._dirty[:] = False
        return pages

    def page(self, number: int) -> bytes:
        """Encode the rows of one page."""
        rows = slice(number * PAGE_ROWS, min((number + 1) * PAGE_ROWS, self.rows))
        return msgspec.msgpack.encode({name: column[rows].tobytes() for name, column in self._columns.items()})

    def load_page(self, number: int, encoded: bytes) -> None:
        """Put back what `page` returned.

        Raises:
            StateError: the page does not hold this table's columns.
        """
        columns: dict[str, bytes] = msgspec.msgpack.decode(encoded)
        if columns.keys() != self._spec.keys():
            raise StateError(f"page holds the columns {sorted(columns)}, not {sorted(self._spec)}")
        widths = {name: np.dtype(dtype).itemsize * math.prod(shape) for name, (dtype, shape) in self._spec.items()}
        count = max(len(data) // widths[name] for name, data in columns.items() if widths[name])
        first, last = number * PAGE_ROWS, number * PAGE_ROWS + count
        if last > self.rows:
            self.extend(last - self.rows)
        for name, data in columns.items():
            dtype, shape = self._spec[name]
            self._columns[name][first:last] = np.frombuffer(data, dtype).reshape(count, *shape)

    def snapshot(self, prefix: str) -> dict[str, bytes]:
        """Return the changed pages as {prefix/number: bytes}."""
        return {f"{prefix}/{number}": self.page(number) for number in self.dirty_pages()}

    def restore(self, prefix: str, items: Iterable[tuple[str, bytes]]) -> None:
        """Load every page among `items` whose key starts with `prefix`, in page order."""
        pages = sorted((int(key[len(prefix) + 1 :]), data) for key, data in items if key.startswith(prefix + "/"))
        for number, data in pages:
            self.load_page(number, data)
        self._dirty[:] = False
        if LIVE in self._spec:
            self.find_free()
