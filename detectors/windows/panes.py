"""Rings of panes: sums over the last hour or day, to within one pane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.windows.table import Column, Table

NARROW_MAX = np.iinfo("u2").max


class PaneRing:
    """Sums per pane, kept in three columns of a table.

    A pane is `pane_ms` of event time. The slot of a pane is its number modulo the number of panes; a slot that still
    holds an older pane is emptied when a newer one arrives, and requests older than the ring are left out.

        ring of 4, now in pane 9:   slot 0  1  2  3
                                    pane 8  9  6  7      sum = panes 6…9

    Args:
        table: has the columns that `columns` names: `<name>_wide` (rows, panes, wide) for large sums,
            `<name>_narrow` (rows, panes, narrow) for small counts, which stop at 65,535 a pane, and `<name>_pane`.
    """

    def __init__(self, table: Table, name: str, pane_ms: int) -> None:
        self.table, self.name, self.pane_ms = table, name, pane_ms
        self.panes = table[f"{name}_pane"].shape[1]
        self.wide = table[f"{name}_wide"].shape[2]

    @staticmethod
    def columns(name: str, panes: int, wide: int, narrow: int) -> dict[str, Column]:
        """Return the columns that a ring needs in its table."""
        return {
            f"{name}_wide": ("f4", (panes, wide)),
            f"{name}_narrow": ("u2", (panes, narrow)),
            f"{name}_pane": ("i4", (panes,)),
        }

    def update(self, rows: NDArray, pane: NDArray, sums: NDArray) -> None:
        """Add `sums` (B, wide + narrow) to pane number `pane` (B,) of `rows` (B,); no (row, pane) twice."""
        order = np.argsort(pane, kind="stable")
        rows, pane, sums = rows[order], pane[order], sums[order]
        slot = pane % self.panes
        for part in _passes(rows * np.int64(self.panes) + slot):
            self._add(rows[part], slot[part], pane[part], sums[part])

    def _add(self, rows: NDArray, slot: NDArray, pane: NDArray, sums: NDArray) -> None:
        wide, narrow = self.table[f"{self.name}_wide"], self.table[f"{self.name}_narrow"]
        panes = self.table[f"{self.name}_pane"]
        fresh = panes[rows, slot] < pane
        wide[rows[fresh], slot[fresh]] = 0
        narrow[rows[fresh], slot[fresh]] = 0
        panes[rows[fresh], slot[fresh]] = pane[fresh]
        current = panes[rows, slot] == pane
        rows, slot, sums = rows[current], slot[current], sums[current]
        wide[rows, slot] += sums[:, : self.wide]
        narrow[rows, slot] = np.minimum(narrow[rows, slot] + sums[:, self.wide :], NARROW_MAX)

    def sums(self, rows: NDArray, now_ms: int) -> NDArray[np.float64]:
        """Return the sums over the ring as of the pane that holds `now_ms`, shape (len(rows), wide + narrow)."""
        now = now_ms // self.pane_ms
        pane = self.table[f"{self.name}_pane"][rows]
        live = (pane > now - self.panes) & (pane <= now)
        parts = (self.table[f"{self.name}_{kind}"][rows] * live[:, :, None] for kind in ("wide", "narrow"))
        return np.concatenate([part.sum(1, dtype=np.float64) for part in parts], axis=1)


def _passes(key: NDArray) -> list[NDArray]:
    """Split positions into parts in which no key occurs twice, first occurrences first."""
    _, first = np.unique(key, return_index=True)
    if len(first) == len(key):
        return [np.arange(len(key))]
    rest = np.setdiff1d(np.arange(len(key)), first)
    return [np.sort(first), *(rest[part] for part in _passes(key[rest]))]
