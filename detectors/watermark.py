"""Event time of one partition: which tick a request counts in, and which ticks are over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CORROBORATION = 10
"""A lone account's requests far ahead are believed after this many."""


class Watermark:
    """The greatest time seen, `lateness_ms` back; ticks that end at or before it are closed.

    A request in a closed tick counts in the next one to close and is late. A request more than `max_jump_ms` ahead
    does not move the watermark until another account, or ten requests, say the same: one wrong clock must not close
    everybody's windows.

    Args:
        tick_ms, lateness_ms, max_jump_ms: event time.
    """

    def __init__(self, tick_ms: int, lateness_ms: int, max_jump_ms: int) -> None:
        self.tick_ms, self.lateness_ms, self.max_jump_ms = tick_ms, lateness_ms, max_jump_ms
        self.time = -1
        """Greatest time believed, ms; −1 before the first request."""
        self.greatest = -1
        """Greatest time seen, believed or not."""
        self.closed = -1
        """The last closed tick; −1 when none is."""
        self._ahead: list[tuple[int, int]] = []

    def assign(self, time: NDArray[np.int64], account: NDArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Take requests in their order of arrival.

        Args:
            time: event times, shape (B,), ms.
            account: numbers of their accounts, shape (B,).

        Returns:
            The tick that each counts in and whether it is late, both of shape (B,).
        """
        if not len(time):
            return np.zeros(0, np.int64), np.zeros(0, bool)
        self.greatest = max(self.greatest, int(time.max()))
        reached = self._reached(time, account)
        closed = np.maximum((reached - self.lateness_ms) // self.tick_ms - 1, self.closed)
        before = np.concatenate([[self.closed], closed[:-1]])
        tick = time // self.tick_ms
        late = tick <= before
        self.time, self.closed = int(reached[-1]), int(closed[-1])
        return np.maximum(tick, before + 1), late

    def _reached(self, time: NDArray[np.int64], account: NDArray) -> NDArray[np.int64]:
        start = self.time if self.time >= 0 else int(time[0])
        reached = np.maximum.accumulate(np.maximum(time, start))
        if reached[0] - start <= self.max_jump_ms and np.all(np.diff(reached) <= self.max_jump_ms):
            return reached
        return np.array(self._believed(time.tolist(), account.tolist(), start), np.int64)

    def _believed(self, times: Sequence[int], accounts: Sequence[int], reached: int) -> list[int]:
        result = []
        for moment, account in zip(times, accounts, strict=True):
            if moment > reached + self.max_jump_ms:
                self._ahead = [pair for pair in self._ahead if pair[0] > reached + self.max_jump_ms]
                self._ahead.append((moment, account))
                others = {other for _, other in self._ahead}
                if len(others) > 1 or len(self._ahead) >= CORROBORATION:
                    reached = min(ahead for ahead, _ in self._ahead)
                    self._ahead = [pair for pair in self._ahead if pair[0] > reached + self.max_jump_ms]
            else:
                reached = max(reached, moment)
            result.append(reached)
        return result

    def drain(self, now_ms: int) -> int:
        """Close every tick up to the one of the greatest time seen, but none that `now_ms` has not reached."""
        if self.greatest >= 0:
            self.closed = max(self.closed, min(self.greatest // self.tick_ms, now_ms // self.tick_ms - 1))
        return self.closed

    def state(self) -> list:
        """Return what `load` takes."""
        return [self.time, self.greatest, self.closed, self._ahead]

    def load(self, state: list) -> None:
        """Put back what `state` returned."""
        self.time, self.greatest, self.closed = state[:3]
        self._ahead = [(moment, account) for moment, account in state[3]]
