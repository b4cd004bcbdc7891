"""When requests come: people's sessions, tenants' renewals, and fleets with a dispatcher."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stream.simulate.figures import HOUR_MS, Quantiles

WINDOW_MS = 600_000
Schedule = Callable[[np.ndarray], np.ndarray]
"""Times in ms → requests per hour of the whole fleet."""


class Turns(NamedTuple):
    """Requests of conversations: member (n,), time in ms (n,), turn from 1 (n,), number of the conversation (n,)."""

    who: np.ndarray
    time: np.ndarray
    turn: np.ndarray
    talk: np.ndarray


def unfold(
    rng: np.random.Generator, who: np.ndarray, first: np.ndarray, mean_turns: np.ndarray, gap: Quantiles
) -> Turns:
    """Turn conversation starts into requests: geometric numbers of turns, gaps drawn from `gap` (s)."""
    turns = np.minimum(rng.geometric(1 / np.maximum(mean_turns, 1.0)), 120)
    talk = np.repeat(np.arange(len(who)), turns)
    turn = np.arange(len(talk)) - np.repeat(np.cumsum(turns) - turns, turns) + 1
    waits = np.where(turn > 1, gap.draw(rng, len(talk)) * 1000, 0.0)
    run = np.cumsum(waits)
    before = np.repeat(run[np.cumsum(turns) - turns], turns) if len(talk) else run
    return Turns(who[talk], (first[talk] + run - before).astype(np.int64), turn, talk)


def session_starts(
    rng: np.random.Generator, start: int, end: int, per_day: np.ndarray, zone: np.ndarray, hours: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the starts of people's sessions in [start, end).

    Args:
        per_day: (n,) sessions a day of each person.
        zone: (n,) hours east of UTC.
        hours: (24,) activity by local hour, mean 1.

    Returns:
        Persons and times in ms of the starts, both (m,).
    """
    first, count = start // HOUR_MS, -(-(end - start) // HOUR_MS)
    weight = hours[(first + np.arange(count)[None, :] + zone[:, None]) % 24]
    who = np.repeat(np.arange(len(per_day)), rng.poisson(per_day * weight.sum(axis=1) / 24))
    steps = np.cumsum(weight, axis=1)[who]
    hour = (rng.random(len(who))[:, None] * steps[:, -1:] > steps).sum(axis=1)
    times = start + ((hour + rng.random(len(who))) * HOUR_MS).astype(np.int64)
    return who[times < end], times[times < end]


def fleet_starts(rng: np.random.Generator, start: int, end: int, schedule: Schedule, pulse_s: float) -> np.ndarray:
    """Draw times in ms of a fleet's conversation starts by its hourly schedule, per 10-minute window.

    With `pulse_s` > 0 the scheduler wakes up that often and starts what is due, within some seconds.
    """
    windows = np.arange(start, end, WINDOW_MS)
    counts = rng.poisson(np.maximum(schedule(windows), 0) * WINDOW_MS / HOUR_MS)
    times = np.repeat(windows, counts) + rng.integers(0, WINDOW_MS, counts.sum())
    if pulse_s > 0:
        grid = int(pulse_s * 1000)
        times = times // grid * grid + (rng.exponential(min(pulse_s / 8, 6.0), len(times)) * 1000).astype(np.int64)
    return times


def renewal_times(
    rng: np.random.Generator, windows: np.ndarray, expected: np.ndarray, cv: float, owed: float
) -> tuple[np.ndarray, float]:
    """Draw one tenant's arrivals over consecutive windows, keeping its coefficient of variation.

    Args:
        windows: (w,) starts of windows in ms, all `WINDOW_MS` long.
        expected: (w,) expected requests of each.
        cv: coefficient of variation of the gaps (Gamma renewal in operational time).
        owed: what is left of the gap that began before `windows`, in expected requests.

    Returns:
        Times in ms, and the gap left over after the last window.
    """
    edges = np.concatenate([[0.0], np.cumsum(expected)])
    total, shape = edges[-1], 1 / cv**2
    if owed > total:
        return np.empty(0, np.int64), owed - total
    at, parts = owed, []
    while at <= total:
        size = int((total - at) * 1.2 + 8 + 2 * cv)
        points = at + np.concatenate([[0.0], np.cumsum(rng.gamma(shape, 1 / shape, size))])
        parts.append(points[:-1])
        at = float(points[-1])
    points = np.concatenate([*parts, [at]])
    left = float(points[points > total][0] - total)
    points = points[points <= total]
    ends = np.concatenate([windows, [windows[-1] + WINDOW_MS]])
    return np.interp(points, edges, ends).astype(np.int64), left
