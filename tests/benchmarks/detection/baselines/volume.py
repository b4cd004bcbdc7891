"""Requests of an account on one day (UTC), counted as they come: the request that is one too many flags it."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.detection.alerts import Flags, Outcome, by_day
from tests.benchmarks.detection.baselines.levels import of_flags
from tests.benchmarks.detection.columns import DAY_MS, Columns, lengths, runs

NAME = "volume"


def prepare(columns: Columns) -> Flags:
    """Return at each request how many the account has made that day."""
    order, start = runs(columns.account, columns.time // DAY_MS)
    count = np.empty(len(order))
    count[order] = np.arange(len(order)) - np.repeat(start, lengths(start, len(order))) + 1
    return Flags(columns.time, columns.account, count)


levels = of_flags


def judge(columns: Columns, flags: Flags, threshold: float) -> Outcome:
    """Return the alerts at `threshold`, requests a day."""
    return by_day(NAME, columns.ids, flags, threshold)
