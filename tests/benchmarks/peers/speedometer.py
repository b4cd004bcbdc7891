"""Telling the benchmark how fast a program takes requests in."""

from __future__ import annotations

import os
import time


class Speedometer:
    """Counts requests; the clock runs until there were `REPORT_AT`, from the making or the first `count` alone.

    Attributes:
        seen: requests so far.
        report_at: how many to report at.
    """

    def __init__(self) -> None:
        self.report_at = int(os.environ["REPORT_AT"])
        self.seen = 0
        self._start()

    def _start(self) -> None:
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def count(self, requests: int = 1) -> None:
        """Note requests that were taken in; a first one alone, after which more is to come, starts the clock anew."""
        if not self.seen and requests == 1:
            self._start()
        before, self.seen = self.seen, self.seen + requests
        if before < self.report_at <= self.seen:
            seconds, used = time.perf_counter() - self._started, time.process_time() - self._cpu
            os.write(1, f"rate {self.seen / seconds:.1f} cpu {used / self.seen * 1e6:.2f}\n".encode())
