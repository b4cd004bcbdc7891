"""When what is kept of a row was last brought up to date: decayed figures stand as of then, not of the last request."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.windows import Table
from detectors.windows.table import Column

SECOND_MS = 1_000
COLUMNS: dict[str, Column] = {"updated": ("u4", ())}
"""End of the latest tick that was added to a row, in whole seconds as all ticks end; good until 2106."""


def note_update(table: Table, rows: NDArray, end_ms: int) -> None:
    """Remember that the tick that ends at `end_ms` was added to `rows`, shape (B,)."""
    table["updated"][rows] = min(end_ms // SECOND_MS, np.iinfo(np.uint32).max)


def updated_ms(table: Table, rows: NDArray) -> NDArray[np.int64]:
    """Return the end of the latest tick that was added to each row, Unix ms, 0 for none, shape (B,)."""
    return np.asarray(table["updated"][rows].astype(np.int64) * SECOND_MS)


def since_update(table: Table, rows: NDArray, end_ms: int) -> NDArray[np.int64]:
    """Return the ms from the latest tick that was added to each row to `end_ms`, shape (B,)."""
    return np.asarray(end_ms - updated_ms(table, rows))
