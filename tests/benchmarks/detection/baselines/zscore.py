"""How far an account's requests of an hour, or of a day, are above its own past and above everybody's.

Counts are taken as ln(1 + n). An account's own past is the mean and the variance of its earlier active hours (at least
12) or days (at least 3); the others' is that of all accounts active in earlier hours or days. The score is the largest
of the four z, known when the hour or the day is over.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.models.residuals import NOISE
from tests.benchmarks.detection.alerts import Flags, Outcome, by_day, in_order
from tests.benchmarks.detection.baselines.levels import of_flags
from tests.benchmarks.detection.columns import DAY_MS, HOUR_MS, Columns, lengths, runs

NAME = "z-score"
OWN_LEAST = {HOUR_MS: 12, DAY_MS: 3}


def prepare(columns: Columns) -> Flags:
    """Return the z of each account and hour, and of each account and day."""
    return in_order(_flags(columns, period) for period in (HOUR_MS, DAY_MS))


def _flags(columns: Columns, period: int) -> Flags:
    order, start = runs(columns.account, columns.time // period)
    account, when = columns.account[order[start]], columns.time[order[start]] // period
    value = np.log1p(lengths(start, len(order)))
    _, of_account = np.unique(account, return_index=True)
    own = _above_past(value, np.repeat(of_account, lengths(of_account, len(value))), OWN_LEAST[period], NOISE)
    by_time = np.argsort(when, kind="stable")
    _, of_time = np.unique(when[by_time], return_index=True)
    others = np.empty(len(value))
    others[by_time] = _above_past(value[by_time], _earlier(of_time, len(value)), 100, 1e-6)
    score = np.maximum(own, others)
    return Flags((when[by_time] + 1) * period, account[by_time], score[by_time])


def _above_past(value: NDArray, first: NDArray, least: int, noise: float) -> NDArray[np.float64]:
    """Return each value's z against its past; `first` is where an own past begins, or, negative, how long it is."""
    position = np.arange(len(value))
    begin, end = np.where(first >= 0, first, 0), np.where(first >= 0, position, -first - 1)
    sums, squares = (np.concatenate([[0.0], np.cumsum(v)]) for v in (value, value**2))
    number = np.maximum(end - begin, 1)
    mean = (sums[end] - sums[begin]) / number
    variance = np.maximum((squares[end] - squares[begin]) / number - mean**2, 0.0)
    return np.where(end - begin >= least, (value - mean) / np.sqrt(variance + noise), 0.0)


def _earlier(start: NDArray, total: int) -> NDArray[np.int64]:
    """Return, coded for `_above_past`, the length of the past of all rows of one time: everything before that time."""
    return -np.repeat(start, lengths(start, total)) - 1


levels = of_flags


def judge(columns: Columns, flags: Flags, threshold: float) -> Outcome:
    """Return the alerts at `threshold`, standard deviations."""
    return by_day(NAME, columns.ids, flags, threshold)
