"""The account stage: requests of one partition in, one partial per tick out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from detectors.accounts import DAY_MS, AccountWindows
from detectors.columns import MIXED, Columns, Extractor, select
from detectors.duplicates import RecentIds
from detectors.fold import fold
from detectors.open_ticks import OpenTicks
from detectors.partials import Partial, decode, encode
from detectors.request import Request
from detectors.scan.requests import Requests, gather
from detectors.settings import DetectorSettings
from detectors.stages.header import header_entry, open_snapshot
from detectors.watermark import Watermark

SCHEMA_VERSION = 6
MANY_NAMES = 256
"""Names of models and access paths from which on those that no open tick holds are forgotten."""
END_OF_TIME_MS = 1 << 52


class AccountStage:
    """Keeps the windows of the accounts of one partition and folds each tick into a `Partial`.

    What it hands on depends only on the requests and their order in the partition, never on how they were batched, so
    a batch processed again after a crash gives the same partials and the receiver can drop them.

    Args:
        settings: see `detectors.settings`.
        partition: number written into the partials.
        key: HMAC key for identifiers, if any.
    """

    def __init__(self, settings: DetectorSettings, partition: int = 0, key: bytes | None = None) -> None:
        windows = settings.windows
        self.settings, self.partition = settings, partition
        self.last_offset = -1
        self.requests = self.late = self.duplicates = 0
        self.accounts = AccountWindows(windows.max_accounts)
        self._extract = Extractor(key)
        self._ids = RecentIds(windows.duplicate_ids)
        self._watermark = Watermark(windows.tick_s * 1000, windows.lateness_s * 1000, windows.max_jump_s * 1000)
        self._open = OpenTicks()
        self._idle = False
        self._pending: list[Partial] = []
        self._saved_pending = self._pending
        self._evicted_on = 0

    @property
    def tracked_accounts(self) -> int:
        """Accounts in memory."""
        return len(self.accounts)

    @property
    def state_bytes(self) -> int:
        """Bytes of the windows and of the open tick."""
        return self.accounts.table.nbytes + self.accounts.windows.nbytes + self._ids.nbytes + self._open.nbytes

    @property
    def evicted(self) -> int:
        """Accounts dropped from memory so far: idle ones, and those beyond `windows.max_accounts`."""
        return self.accounts.evicted

    def process(self, requests: Requests | Sequence[Request], offsets: Sequence[int] | NDArray) -> list[Partial]:
        """Count requests in their order in the partition; return the partials of the ticks that they close.

        Args:
            requests: valid requests.
            offsets: the offset of each, ascending; those at or below `last_offset` were counted before.
        """
        offsets = np.asarray(offsets, np.int64)
        if not isinstance(requests, Requests):
            requests = gather(requests)
        if len(offsets) and offsets[0] <= self.last_offset:
            new = offsets > self.last_offset
            requests, offsets = requests.chosen(new), offsets[new]
        if not len(requests):
            return []
        self.last_offset = int(offsets[-1])
        self._idle, self._pending = False, []
        fresh = self._ids.first_seen(requests.hash("event_id"))
        if not fresh.all():
            self.duplicates += len(fresh) - int(fresh.sum())
            requests = requests.chosen(fresh)
        if not len(requests):
            return []
        self.requests += len(requests)
        return self._take(requests)

    def _take(self, requests: Requests) -> list[Partial]:
        columns = self._extract(requests)
        columns["row"] = self.accounts.rows(requests.hash("account_id"), partial(requests.text, "account_id"))
        closed_before = self._watermark.closed
        columns["tick"], late = self._watermark.assign(columns["time"], columns["row"])
        self.late += int(late.sum())
        self._open.add(columns)
        if self._watermark.closed == closed_before:
            return []
        return self._close(self._watermark.closed)

    def _close(self, through: int) -> list[Partial]:
        """Close every open tick up to `through`."""
        closing, waiting = self._open.close(through)
        partials: list[Partial] = []
        for tick in np.unique(closing["tick"]).tolist():
            partials += self._partials(tick, select(closing, closing["tick"] == tick))
            self._evict(tick, np.concatenate([closing["row"][closing["tick"] > tick], waiting]))
        if len(self._extract.mixed.known) > MANY_NAMES:
            self._open.recode(list(MIXED), self._extract.mixed.keep)
        if not partials or partials[-1].tick < through:
            partials.append(Partial(self.partition, through, 0, True, False))
        return partials

    def _partials(self, tick: int, columns: Columns) -> list[Partial]:
        end_ms = (tick + 1) * self._watermark.tick_ms
        self.accounts.describe(columns["row"], columns)
        active = self.accounts.update(columns["row"], columns, end_ms)
        named = self._extract.names.known, self._extract.mixed.known
        return fold(self.partition, tick, self.accounts, active, columns, named, end_ms)

    def _evict(self, tick: int, waiting: NDArray) -> None:
        """Forget accounts: too many at once, idle ones once a day; the rows that `waiting` requests point at stay."""
        end_ms = (tick + 1) * self._watermark.tick_ms
        if end_ms // DAY_MS != self._evicted_on:
            self._evicted_on = end_ms // DAY_MS
            self.accounts.evict(end_ms - self.settings.windows.idle_account_days * DAY_MS, waiting)
            self.accounts.rest(end_ms)
        self.accounts.evict_surplus(waiting)

    def advance(self, now_ms: int = END_OF_TIME_MS) -> list[Partial]:
        """Say that nothing waits in the partition: close what `now_ms` allows and hold nobody up.

        Args:
            now_ms: ticks that end after it stay open; the default closes everything, as at the end of a file.

        Returns:
            The partials, the last of them marked idle; none when this was said already. They are in the next
            snapshot too and come back from `pending`, since a request may still arrive for a tick closed so.
        """
        closed_before = self._watermark.closed
        through = self._watermark.drain(now_ms)
        if self._idle and through == closed_before:
            return []
        partials = self._close(through) if self._open and through > closed_before else []
        if not partials:
            partials = [Partial(self.partition, through, 0, True, False)]
        last = partials[-1]
        partials[-1] = Partial(
            last.partition, last.tick, last.chunk, True, True, last.accounts, last.names, last.columns
        )
        self._idle, self._pending = True, partials
        return partials

    def pending(self) -> list[Partial]:
        """Return the partials of an `advance` that may not have been sent before the restart."""
        return self._pending

    def snapshot(self) -> dict[str, bytes]:
        """Return the entries that changed since the last call; an empty value deletes its key."""
        entries = self.accounts.snapshot()
        entries |= self._open.snapshot()
        entries |= self._ids.snapshot()
        header = {
            "last_offset": self.last_offset,
            "watermark": self._watermark.state(),
            "names": [self._extract.names.known, self._extract.mixed.known],
            "idle": self._idle,
            "pending": len(self._pending),
            "evicted_on": self._evicted_on,
            "evicted": self.accounts.evicted,
        }
        if self._pending is not self._saved_pending:
            entries |= {f"pending/{number}": b"" for number in range(len(self._saved_pending))}
            entries |= {f"pending/{number}": encode(partial) for number, partial in enumerate(self._pending)}
            self._saved_pending = self._pending
        return entries | header_entry(SCHEMA_VERSION, header)

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Put back a state from the latest value of each snapshot key.

        Raises:
            StateVersionError: the snapshot is of another schema.
        """
        snapshot = open_snapshot(items, SCHEMA_VERSION, "account")
        if snapshot is None:
            return
        entries, header = snapshot
        self.last_offset = header["last_offset"]
        self._idle, self._evicted_on = header["idle"], header["evicted_on"]
        self.accounts.evicted = header["evicted"]
        self._watermark.load(header["watermark"])
        for names, known in zip((self._extract.names, self._extract.mixed), header["names"], strict=True):
            names.codes(known)
        self.accounts.restore(entries.items())
        self._open.restore(entries)
        self._pending = [decode(entries[f"pending/{number}"]) for number in range(header["pending"])]
        self._saved_pending = self._pending
        self._ids.restore(entries.items())
