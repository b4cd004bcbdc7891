"""A coin for every account and day: what is found by luck at the same budget."""

from __future__ import annotations

import numpy as np

from detectors.hashing import digest
from tests.benchmarks.detection.alerts import Flags, Outcome, by_day
from tests.benchmarks.detection.baselines.levels import of_flags
from tests.benchmarks.detection.columns import DAY_MS, Columns

NAME = "random"


def prepare(columns: Columns) -> Flags:
    """Return a number in [0, 1) that means nothing for each account and day with a request, known at the day's end."""
    days, account = np.unique(np.stack([columns.time // DAY_MS, columns.account]), axis=1)
    pairs = zip(days.tolist(), account.tolist(), strict=True)
    drawn = [digest(f"{day}/{columns.ids[number]}") / 2**64 for day, number in pairs]
    return Flags((days + 1) * DAY_MS, account, np.array(drawn))


levels = of_flags


def judge(columns: Columns, flags: Flags, threshold: float) -> Outcome:
    """Return the alerts at `threshold`."""
    return by_day(NAME, columns.ids, flags, threshold)
