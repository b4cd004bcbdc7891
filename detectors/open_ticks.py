"""The requests of ticks that are still open, as columns, until their tick is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.columns import Columns, select

PIECE_ROWS = 3_000
"""Requests that are kept, and saved, in one piece: a tick has as many batches as there were moments with news, and a
batch of a few requests would take kilobytes for its arrays alone."""


class OpenTicks:
    """Holds requests in the order in which they came, and writes each piece once."""

    def __init__(self) -> None:
        self._whole: list[Columns] = []
        """Pieces of `PIECE_ROWS` or more, or what a snapshot has of a smaller one, …"""
        self._recent: list[Columns] = []
        """… and batches that are yet to become one."""
        self._rows = 0
        """Of the recent ones."""
        self.nbytes = 0
        self._saved = self._entries = self._stale = 0
        """Whole pieces that were saved, entries that hold them, and entries of an earlier tick that are still there."""

    def __bool__(self) -> bool:
        return bool(self._whole or self._recent)

    def add(self, columns: Columns) -> None:
        """Take in a batch; all have the same columns, `row` and `tick` among them."""
        self._recent.append(columns)
        self._rows += len(columns["row"])
        self.nbytes += _nbytes(columns)
        if self._rows >= PIECE_ROWS:
            self._join()

    def close(self, through: int) -> tuple[Columns, NDArray]:
        """Give away the requests of the ticks up to `through`; also return the `row` of each request that stays."""
        self._join()
        joined = _joined(self._whole)
        over = joined["tick"] <= through
        waiting = select(joined, ~over)
        self._whole, self.nbytes = [], 0
        self._saved, self._stale, self._entries = 0, max(self._stale, self._entries), 0
        if len(waiting["row"]):
            self.add(waiting)
        return select(joined, over), waiting["row"]

    def recode(self, names: Sequence[str], keep: Callable[[NDArray], NDArray]) -> None:
        """Renumber what the columns `names` hold; call right after `close`.

        Args:
            keep: returns the new number of each old one, of those in use, that of −1 at the end.
        """
        self._join()
        parts = self._whole
        used = np.concatenate([part[name] for part in parts for name in names] or [np.zeros(0, np.int16)])
        new = keep(used)
        self._whole = [part | {name: new[part[name]] for name in names} for part in parts]

    def snapshot(self) -> dict[str, bytes]:
        """Return the entries that changed since the last call; an empty value deletes its key."""
        self._join()
        entries: dict[str, bytes] = {}
        for whole in self._whole[self._saved :]:
            for start in range(0, len(whole["row"]), PIECE_ROWS):
                piece = {
                    name: (column.dtype.str, column.shape[1:], column[start : start + PIECE_ROWS].tobytes())
                    for name, column in whole.items()
                }
                entries[f"open/{self._entries}"] = msgspec.msgpack.encode(piece)
                self._entries += 1
        self._saved = len(self._whole)
        entries |= {f"open/{number}": b"" for number in range(self._entries, self._stale)}
        self._stale = 0
        return entries

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Put back what snapshots returned; entries with other keys are passed over."""
        numbers = sorted(int(key[5:]) for key in entries if key.startswith("open/"))
        self._whole = [_piece(entries[f"open/{number}"]) for number in numbers]
        self._recent, self._rows = [], 0
        self.nbytes = sum(map(_nbytes, self._whole))
        self._saved = self._entries = len(numbers)
        self._stale = 0

    def _join(self) -> None:
        if self._recent:
            self._whole.append(_joined(self._recent))
            self._recent, self._rows = [], 0


def _joined(parts: list[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _nbytes(columns: Columns) -> int:
    return sum(column.nbytes for column in columns.values())


def _piece(data: bytes) -> Columns:
    return {
        name: np.frombuffer(column, dtype).reshape(-1, *shape)
        for name, (dtype, shape, column) in msgspec.msgpack.decode(data).items()
    }
