"""Lockstep on 35,125 retweets of 9,509 accounts over 225 days. There are no labels: this reports what is found.

Protocol: time order in ticks of an hour, counts that do not fade, four shifted streams as the null. What can be
checked: CooRTweet's own documented figure for these data (a window of 600 s: pairs above the 99 % quantile have a
weight of at least 3), and accounts planted among the real ones: ten that meet on real, already retweeted objects within
the window, a given number of times, and retweet ten others at times of their own (mean of five seeds; precision counts
every account that was not planted as wrong).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.detection.parts.candidates.synchrony import Lockstep
from tests.benchmarks.detection.parts.row import Row, table

NAME = "retweets"
TICK_S = 3_600
COORTWEET_S, COORTWEET_WEIGHT = 600, 3
WINDOWS_S = (10, 60, COORTWEET_S)
PLANTED, CAMOUFLAGE, SEEDS = 10, 10, range(5)


def watched(actions: NDArray[np.int64], window_s: int, neighbours: int = 64) -> tuple[Lockstep, int]:
    """Return what is known after the last tick, and its end in ms; `actions` are (seconds, account, object)."""
    model = Lockstep(window_s * 1000, float("inf"), neighbours=neighbours)
    tick = actions[:, 0] // TICK_S
    for part in np.split(actions, np.flatnonzero(np.diff(tick)) + 1):
        end_ms = int(part[0, 0] // TICK_S + 1) * TICK_S * 1000
        model.update(end_ms, part[:, 0] * 1000, part[:, 1], part[:, 2].astype(np.uint64))
    return model, int(tick[-1] + 1) * TICK_S * 1000


def planted(actions: NDArray[np.int64], window_s: int, meetings: int, seed: int) -> NDArray[np.int64]:
    """Return the actions with those of ten accounts more, numbered from one above the highest."""
    rng = np.random.default_rng(seed)
    members = actions[:, 1].max() + 1 + np.arange(PLANTED)
    met = actions[rng.integers(0, len(actions), meetings)]
    together = np.repeat(met, PLANTED, axis=0)
    together[:, 0] += rng.integers(0, window_s, len(together))
    together[:, 1] = np.tile(members, meetings)
    alone = actions[rng.integers(0, len(actions), PLANTED * CAMOUFLAGE)].copy()
    alone[:, 0] += rng.integers(600, 7200, len(alone))
    alone[:, 1] = np.repeat(members, CAMOUFLAGE)
    everything = np.concatenate([actions, together, alone])
    return everything[np.argsort(everything[:, 0], kind="stable")]


def found(actions: NDArray[np.int64], window_s: int, meetings: int) -> tuple[float, float]:
    """Return mean recall and precision over the seeds of the accounts in groups."""
    recalls, precisions = [], []
    first = actions[:, 1].max() + 1
    for seed in SEEDS:
        model, end_ms = watched(planted(actions, window_s, meetings, seed), window_s)
        groups = model.groups(end_ms)
        accounts = np.concatenate(groups) if groups else np.zeros(0, np.int64)
        right = int((accounts >= first).sum())
        recalls.append(right / PLANTED)
        precisions.append(right / max(len(accounts), 1))
    return float(np.mean(recalls)), float(np.mean(precisions))


def run() -> list[Row]:
    """Return the part's rows."""
    actions = table("coortweet/retweets.csv.gz").astype(np.int64)
    rows = []
    for window_s in WINDOWS_S:
        model, end_ms = watched(actions, window_s, 2_000)
        weight = model.pairs(end_ms, 1.0).actions
        if window_s == COORTWEET_S:
            away = abs(round(weight[weight > np.quantile(weight, 0.99)].min()) - COORTWEET_WEIGHT)
            rows.append(Row(NAME, "600 s: weight above the 99 % quantile, off by", away, 0.0,
                            "CooRTweet's vignette: 3", low=True))  # fmt: skip
        for least in (1, 2, 3):
            real, chance = model.chance(end_ms, least)
            rows.append(Row(NAME, f"{window_s} s: pairs that met {least} or more times", real, None,
                            f"time-shifted streams: {chance:,.1f}"))  # fmt: skip
        groups = model.groups(end_ms)
        accounts = sum(len(group) for group in groups)
        rows.append(Row(NAME, f"{window_s} s: groups at 3 nats", len(groups), None, f"{accounts} accounts"))
    for window_s, meetings in ((10, 3), (COORTWEET_S, 3), (COORTWEET_S, 5), (COORTWEET_S, 10)):
        recall, precision = found(actions, window_s, meetings)
        source = f"{PLANTED} accounts that meet {meetings} times within {window_s} s"
        rows.append(Row(NAME, f"planted, {meetings} meetings, {window_s} s: recall", recall, None, source))
        rows.append(Row(NAME, f"planted, {meetings} meetings, {window_s} s: precision", precision, None, source))
    return rows
