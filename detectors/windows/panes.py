"""Rings of panes: sums over the last hour or day, to within one pane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import plain
from detectors.windows.compiled import add_to_panes, sum_panes
from detectors.windows.table import Column, Table


class PaneRing:
    """Sums per pane, kept in three columns of a table.

    A pane is `pane_ms` of event time. The slot of a pane is its number modulo the number of panes; the newest pane says
    which one each slot holds. Slots that fall out are emptied when a newer pane arrives, and requests older than the
    ring are left out.

        ring of 4, newest pane 9:   slot 0  1  2  3
                                    pane 8  9  6  7      sum = panes 6…9

    Args:
        table: has the columns that `columns` names: `<name>_wide` (rows, panes, wide) for large sums,
            `<name>_narrow` (rows, panes, narrow) for small counts, which stop at 65,535 a pane, and `<name>_pane`, the
            newest pane of each row.
    """

    def __init__(self, table: Table, name: str, pane_ms: int) -> None:
        self.table, self.name, self.pane_ms = table, name, pane_ms
        self.panes = table[f"{name}_wide"].shape[1]
        self.wide = table[f"{name}_wide"].shape[2]

    @staticmethod
    def columns(name: str, panes: int, wide: int, narrow: int) -> dict[str, Column]:
        """Return the columns that a ring needs in its table."""
        return {
            f"{name}_wide": ("f4", (panes, wide)),
            f"{name}_narrow": ("u2", (panes, narrow)),
            f"{name}_pane": ("i4", ()),
        }

    def update(self, rows: NDArray, pane: NDArray, sums: NDArray) -> None:
        """Add `sums` (B, wide + narrow) to pane number `pane` (B,) of `rows` (B,); no (row, pane) twice."""
        places = plain(rows, np.int64), plain(pane, np.int64)
        add_to_panes(*self._columns(), *places, plain(sums, np.float32))

    def _columns(self) -> tuple[NDArray, NDArray, NDArray]:
        wide, narrow = self.table[f"{self.name}_wide"], self.table[f"{self.name}_narrow"]
        return wide, narrow, self.table[f"{self.name}_pane"]

    def sums(self, rows: NDArray, now_ms: int) -> NDArray[np.float64]:
        """Return the sums over the ring as of the pane that holds `now_ms`, shape (len(rows), wide + narrow).

        Nothing newer than `now_ms` may have been added: older panes made room for it.
        """
        return sum_panes(*self._columns(), plain(rows, np.int64), now_ms // self.pane_ms)
