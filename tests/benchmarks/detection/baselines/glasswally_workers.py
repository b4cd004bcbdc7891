"""Glasswally's workers that look at one account: a score and a confidence for each account and hour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.partials import CAPABILITIES
from tests.benchmarks.detection.columns import (
    DAY_MS,
    ELICITED,
    HOUR_MS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Columns,
    lengths,
    runs,
)

Signal = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Score and confidence, in [0, 1]."""
SESSION_BREAK_MS, SESSION_LEAST, SESSION_EVENTS = 120_000, 4, 8
BURST_LEAST, BURST_STRONG, BURSTS_RECURRING, CADENCE_S = 5, 12, 3, 300


class Hours:
    """The events by account and hour; `end` is the hour's end in ms, `first` the hour's first row of `order`."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.order, self.start = runs(columns.account, columns.time // HOUR_MS)
        self.size = lengths(self.start, len(self.order))
        self.row = np.repeat(np.arange(len(self.start)), self.size)
        self.account = columns.account[self.order[self.start]]
        self.end = (columns.time[self.order[self.start]] // HOUR_MS + 1) * HOUR_MS
        self.time = columns.time[self.order]

    def sum(self, values: NDArray) -> NDArray[np.float64]:
        """Return the sum over each hour's events of `values`, one per event in the order of time."""
        return np.add.reduceat(values[self.order].astype(np.float64), self.start)

    def any(self, values: NDArray) -> NDArray[np.bool_]:
        """Return whether one of each hour's events has it."""
        return self.sum(values) > 0

    def variation(self, values: NDArray) -> NDArray[np.float64]:
        """Return the coefficient of variation of `values` in each hour."""
        return _variation(self.sum(np.ones(len(values))), self.sum(values), self.sum(values.astype(np.float64) ** 2))


def _variation(number: NDArray, total: NDArray, squares: NDArray) -> NDArray[np.float64]:
    mean = total / np.maximum(number, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(number, 1) - mean**2, 0.0))
    return np.where(mean > 0, spread / np.where(mean > 0, mean, 1.0), 0.0)


def velocity(hours: Hours) -> Signal:
    """Rate, regular gaps, uniform tokens, and requests between 0 and 6 h UTC, from five requests an hour on."""
    columns, size = hours.columns, hours.size
    last = hours.start + size - 1
    span_s = np.maximum((hours.time[last] - hours.time[hours.start]) / 1000.0, 1.0)
    rate = size / span_s * 3600.0
    gap = np.where(np.diff(hours.row, prepend=-1) == 0, np.diff(hours.time, prepend=0) / 1000.0, 0.0)
    real = (gap > 0).astype(np.float64)
    gaps, total, squares = (np.add.reduceat(v, hours.start) for v in (real, gap, gap**2))
    regular = np.where(gaps >= 3, np.maximum(1.0 - _variation(gaps, total, squares), 0.0), 0.0)
    tokens = columns.counts[:, INPUT_TOKENS] + columns.counts[:, OUTPUT_TOKENS]
    score = np.where(rate > 200, 0.45, np.where(rate > 60, 0.25, 0.0))
    score += np.where(regular > 0.7, 0.30, np.where(regular > 0.5, 0.15, 0.0))
    score += 0.15 * (hours.variation(tokens) < 0.15)
    score += 0.10 * _by_night(hours)
    confidence = np.minimum(size / 50.0, 1.0)
    score = np.minimum(score * (0.5 + 0.5 * confidence), 1.0)
    return np.where(size >= 5, score, 0.0), np.where(size >= 5, confidence, 0.1)


def _by_night(hours: Hours) -> NDArray[np.bool_]:
    """Return whether more than half of an account's requests of the 24 hours past were between 0 and 6 h UTC."""
    night = hours.sum(hours.columns.time % DAY_MS < 6 * HOUR_MS)
    sums, nights = (np.concatenate([[0.0], np.cumsum(v)]) for v in (hours.size, night))
    key = hours.account * (1 << 44) + hours.end
    begin = np.searchsorted(key, key - DAY_MS, "right")
    upto = np.arange(len(hours.end)) + 1
    return np.asarray((nights[upto] - nights[begin]) > 0.5 * (sums[upto] - sums[begin]))


def chain_of_thought(hours: Hours) -> Signal:
    """Elicitation at all, in a fifth of the hour's prompts, and one capability in seven tenths of them."""
    asked = hours.sum(hours.columns.counts[:, ELICITED])
    enough = hours.size >= 5
    masks = hours.columns.capabilities.astype(np.uint16)[hours.order]
    indicator = (masks[:, None] >> np.arange(len(CAPABILITIES), dtype=np.uint16)) & 1
    top = np.add.reduceat(indicator[:, :-1], hours.start, axis=0).max(axis=1)
    score = 0.40 * (asked > 0) + 0.35 * (enough & (asked >= 0.2 * hours.size))
    score += 0.25 * (enough & (top >= 0.7 * hours.size))
    return score, np.full(len(score), 0.9)


def timing(hours: Hours) -> Signal:
    """Five accounts or more within the same second, again and again within 300 s, at a steady cadence."""
    columns = hours.columns
    second = columns.time // 1000
    pairs = np.unique(np.stack([second, columns.account]), axis=1)
    when, crowd = np.unique(pairs[0], return_counts=True)
    burst = np.flatnonzero(crowd >= BURST_LEAST)
    bonus = np.array([_cadence(when[burst], position) for position in range(len(burst))])
    strength = np.zeros(len(when))
    strength[burst] = np.minimum((crowd[burst] - BURST_LEAST) / (BURST_STRONG - BURST_LEAST), 1.0) * 0.5 + bonus
    of_event = np.searchsorted(when, second)[hours.order]
    score = np.maximum.reduceat(strength[of_event], hours.start)
    confidence = np.minimum(np.maximum.reduceat(crowd[of_event], hours.start) / BURST_STRONG, 1.0)
    return np.minimum(score, 1.0), confidence


def _cadence(bursts: NDArray, position: int) -> float:
    earlier = bursts[np.searchsorted(bursts, bursts[position] - CADENCE_S) : position]
    if len(earlier) < BURSTS_RECURRING:
        return 0.0
    gaps = np.diff(earlier)
    variation = gaps.std() / gaps.mean() if gaps.mean() > 1 else 1.0
    return 0.30 + (0.20 if variation < 0.15 else 0.10 if variation < 0.35 else 0.0)


def template_entropy(hours: Hours) -> Signal:
    """Few templates, prompts of one length, one template in most prompts; from ten prompts an hour on."""
    columns, size = hours.columns, hours.size
    template = columns.values["template"][hours.order]
    order, start = runs(hours.row, template)
    number = lengths(start, len(order))
    row = hours.row[order[start]]
    share = number / size[row]
    entropy = np.bincount(row, -share * np.log2(share), len(size)) / np.log2(np.maximum(size, 2))
    top = np.zeros(len(size))
    np.maximum.at(top, row, share)
    length = hours.variation(columns.counts[:, INPUT_TOKENS])
    score = np.where(entropy < 0.2, 0.45, np.where(entropy < 0.4, 0.20, 0.0))
    score += np.where(length < 0.1, 0.25, np.where(length < 0.2, 0.10, 0.0))
    score += np.where(top > 0.6, 0.30, np.where(top > 0.4, 0.15, 0.0))
    confidence = np.minimum(size / 50.0, 1.0)
    score = np.minimum(score * (0.3 + 0.7 * confidence), 1.0)
    return np.where(size >= 10, score, 0.0), confidence


def session_gap(hours: Hours) -> Signal:
    """Even gaps between the sessions of a day (UTC), as far as the hour's end; a session ends with two idle minutes."""
    score, confidence = np.zeros(len(hours.end)), np.zeros(len(hours.end))
    day = (hours.end - 1) // DAY_MS
    _, first = runs(hours.account, day)
    for begin, stop in zip(first, np.append(first[1:], len(day)), strict=True):
        a, b = hours.start[begin], hours.start[stop - 1] + hours.size[stop - 1]
        if b - a >= SESSION_EVENTS:
            for row in range(begin, stop):
                end = hours.start[row] + hours.size[row]
                score[row], confidence[row] = _sessions(hours.time[a:end])
    return score, confidence


def _sessions(time: NDArray) -> tuple[float, float]:
    breaks = np.flatnonzero(np.diff(time) >= SESSION_BREAK_MS)
    if len(time) < SESSION_EVENTS or len(breaks) + 1 < SESSION_LEAST:
        return 0.0, 0.0
    gaps = np.diff(time)[breaks]
    sizes = np.diff(np.concatenate([[0], breaks + 1, [len(time)]]))
    gap, size = gaps.std() / gaps.mean(), sizes.std() / sizes.mean()
    score = 0.55 if gap < 0.05 else 0.40 if gap < 0.08 else 0.20 if gap < 0.15 else 0.0
    score += 0.25 if size < 0.10 and gap < 0.15 else 0.0
    score += 0.10 if len(sizes) > 20 else 0.0
    confidence = 0.88 if gap < 0.05 else 0.75 if gap < 0.08 else 0.55
    return (score, confidence) if score >= 0.15 else (0.0, 0.0)
