"""Half-space trees alone, on the product's sixteen features of each account and hour.

Each hour is scored, then learned; an account's score is smoothed over its hours, and nothing is asked about who
belongs with whom.
"""

from __future__ import annotations

import numpy as np

from detectors.features import NAMES
from detectors.models.half_space_trees import HalfSpaceTrees
from detectors.models.twin import HEIGHT, TREES, WINDOW
from tests.benchmarks.detection.alerts import Flags, Outcome, by_day
from tests.benchmarks.detection.baselines.levels import of_flags
from tests.benchmarks.detection.columns import Columns

NAME = "half-space trees"
SEED = 20_260_223
WEIGHT = 0.2


def prepare(columns: Columns) -> Flags:
    """Return each account's smoothed outlier score at the end of each hour."""
    hourly = columns.hourly
    trees = HalfSpaceTrees(NAMES, TREES, HEIGHT, WINDOW, seed=SEED)
    smooth = np.full(len(columns.ids), -1.0)
    score = np.zeros(len(hourly.end))
    _, start = np.unique(hourly.end, return_index=True)
    for first, last in zip(start, np.append(start[1:], len(score)), strict=True):
        rows, who = hourly.features[first:last], hourly.account[first:last]
        raw = trees.score_many(rows)
        trees.learn_many(rows)
        if raw.any():
            smooth[who] = np.where(smooth[who] < 0, raw, smooth[who] + WEIGHT * (raw - smooth[who]))
            score[first:last] = smooth[who]
    return Flags(hourly.end, hourly.account, score)


levels = of_flags


def judge(columns: Columns, flags: Flags, threshold: float) -> Outcome:
    """Return the alerts at `threshold`, a score of the trees."""
    return by_day(NAME, columns.ids, flags, threshold)
