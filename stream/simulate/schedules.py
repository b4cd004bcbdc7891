"""Load over time, as functions of the time in ms with mean about 1 while active; multiply and scale them."""

from __future__ import annotations

import numpy as np

from stream.simulate.arrivals import WINDOW_MS, Schedule
from stream.simulate.events import mix
from stream.simulate.figures import DAY_MS, HOUR_MS


def flat(times: np.ndarray) -> np.ndarray:
    """Return 1 at all times."""
    return np.ones(len(times))


def daily(hours: np.ndarray, zone: int, weekend: float = 1.0) -> Schedule:
    """Return the load of local `hours` (24,), times `weekend` on Saturdays and Sundays."""

    def load(times: np.ndarray) -> np.ndarray:
        local = times // HOUR_MS + zone
        weekday = (local // 24 + 3) % 7  # 1970-01-01 was a Thursday
        return hours[local % 24] * np.where(weekday >= 5, weekend, 1.0)

    return load


def nightly(hour: float, length_h: float) -> Schedule:
    """Return the load of a job that runs once a day from `hour` UTC on, with daily mean 1."""

    def load(times: np.ndarray) -> np.ndarray:
        since = (times / HOUR_MS - hour) % 24
        return np.where(since < length_h, 24 / length_h, 0.0)

    return load


def between(start: float, end: float) -> Schedule:
    """Return 1 in [start, end) ms, else 0."""
    return lambda times: ((times >= start) & (times < end)).astype(float)


def ramp(start: float, length_ms: float) -> Schedule:
    """Return a linear rise from 0.1 at `start` to 1; no ramp for length 0."""
    return lambda times: np.clip(0.1 + 0.9 * (times - start) / max(length_ms, 1.0), 0.1, 1.0)


def decay(start: float, life_ms: float) -> Schedule:
    """Return 0 before `start`, then an exponential decay from 1."""
    return lambda times: np.where(times >= start, np.exp(-np.maximum(times - start, 0) / life_ms), 0.0)


def batches(key: int, runs_a_day: int, length_h: float, rest: float) -> Schedule:
    """Return runs at other hours every day, all accounts at once; `rest` of the load between runs."""

    def load(times: np.ndarray) -> np.ndarray:
        day = (times // DAY_MS).astype(np.uint64)
        on = np.zeros(len(times), bool)
        for run in range(runs_a_day):
            draw = mix(day * np.uint64(97) + np.uint64(run) + (np.uint64(key) << np.uint64(20)))
            begins = (draw >> np.uint64(11)).astype(float) / 2.0**53 * (24 - length_h)
            since = times / HOUR_MS % 24 - begins
            on |= (since >= 0) & (since < length_h)
        return np.where(on, 1.0, rest)

    return load


def wobble(key: int, sigma: float) -> Schedule:
    """Return log-normal noise per hour."""

    def load(times: np.ndarray) -> np.ndarray:
        draw = mix((times // HOUR_MS).astype(np.uint64) + (np.uint64(key) << np.uint64(24)))
        halves = [(draw >> np.uint64(s) & np.uint64(0xFFFF)).astype(float) / 65536 for s in (0, 16, 32, 48)]
        return np.exp(sigma * (sum(halves) - 2.0) * np.sqrt(3.0))

    return load


def product(*loads: Schedule, level: float = 1.0) -> Schedule:
    """Return the product of `loads` times `level`."""

    def load(times: np.ndarray) -> np.ndarray:
        out = np.full(len(times), level)
        for part in loads:
            out = out * part(times)
        return out

    return load


def scaled(load: Schedule, start: int, end: int, total: float) -> Schedule:
    """Return `load` scaled to `total` requests over [start, end) ms."""
    windows = np.arange(start, end, WINDOW_MS)
    return product(load, level=total / max(float(load(windows).sum()) * WINDOW_MS / HOUR_MS, 1e-9))
