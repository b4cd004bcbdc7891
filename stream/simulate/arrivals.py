"""When requests come: people's sessions, tenants' bursts, and fleets with a dispatcher."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stream.simulate.figures import HOUR_MS, SESSION_TURNS, TALK_GAP_S, Quantiles

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


def sittings(
    rng: np.random.Generator, who: np.ndarray, first: np.ndarray, mean_talks: np.ndarray, gap: Quantiles
) -> Turns:
    """Turn sittings into requests: some conversations one after the other, with RAGPulse's numbers of turns.

    Args:
        first: (m,) start of each sitting, ms.
        mean_talks: (m,) mean conversations of each sitting.
        gap: between turns of a conversation, s.
    """
    talks = np.minimum(rng.geometric(1 / np.maximum(mean_talks, 1.0)), 60)
    turns = 1 + np.searchsorted(SESSION_TURNS[:-1], rng.random(talks.sum()), side="right")
    talk = np.repeat(np.arange(len(turns)), turns)
    turn = np.arange(len(talk)) - np.repeat(np.cumsum(turns) - turns, turns) + 1
    sitting = np.repeat(np.arange(len(who)), talks)[talk]
    begins = np.diff(sitting, prepend=-1) > 0
    waits = np.where(turn > 1, gap.draw(rng, len(talk)), TALK_GAP_S.draw(rng, len(talk))) * 1000
    run = np.cumsum(np.where(begins, 0.0, waits))
    return Turns(who[sitting], (first[sitting] + run - run[begins][sitting]).astype(np.int64), turn, talk)


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


def window_counts(rng: np.random.Generator, expected: np.ndarray, cv: np.ndarray) -> np.ndarray:
    """Draw requests per window around `expected`, by the variation `cv` of the gaps (both of one shape).

    Regular gaps give regular counts. Where few requests are due, a window holds a whole burst or nothing, as a renewal
    process would have it; where many are, the noise of `expected` itself is what was measured.
    """
    burst = np.maximum(cv**2 - 1, 0) / (1 + expected / 20)
    bursty = (burst > 0.05) & (expected > 0)
    rate = expected.copy()
    rate[bursty] = rng.gamma(expected[bursty] / burst[bursty]) * burst[bursty]
    even = np.floor(expected + rng.random(expected.shape)).astype(np.int64)
    return np.where(cv < 0.5, even, rng.poisson(rate))


def scattered(rng: np.random.Generator, windows: np.ndarray, counts: np.ndarray, cv: np.ndarray) -> np.ndarray:
    """Draw arrival times within windows whose gaps have the coefficient of variation that the window shall have.

    Gamma gaps (ServeGen), scaled to fill the window: their shape allows for what the scaling takes from the variation.

    Args:
        windows, counts, cv: (w,) starts in ms, requests, and variation of each window; counts are 1 or more.

    Returns:
        Times in ms, (counts.sum(),), window by window, ascending in each.
    """
    square = np.minimum(cv**2, 0.8 * counts)
    shape = (1 - square / (counts + 1)) / square
    ends = np.cumsum(counts + 1)
    run = np.cumsum(rng.gamma(np.repeat(shape, counts + 1)))
    before = np.concatenate([[0.0], run[ends[:-1] - 1]]) if len(ends) else run
    length = np.maximum(run[ends - 1] - before, 1e-300)
    share = (run - np.repeat(before, counts + 1)) / np.repeat(length, counts + 1)
    inner = np.ones(len(run), bool)
    inner[ends - 1] = False
    at: np.ndarray = np.repeat(windows, counts) + (share[inner] * (WINDOW_MS - 1)).astype(np.int64)
    return at
